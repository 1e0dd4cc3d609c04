"""A text to sentences, with spaCy's tokeniser: "Mr.", "3.50" and "..." end none."""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from unicodedata import category

import spacy
from spacy.language import Language

ENDS = frozenset({".", "!", "?", "…", "...", "..", "!!", "??", "!?", "?!"})
CLOSERS = frozenset({")", "]", '"', "”", "’", "'", "''"})
# spaCy remembers every word it has met; past so many it starts afresh. Beside it, the parts of so many words are remembered.
MAX_STRINGS, MAX_WORDS = 300_000, 20_000
# A word is parted alone, and only where it may hold one of the above: that takes less than half the time of a text as a whole.
_WORD = re.compile(r"\S+")
_MARK = re.compile(r"""[.!?…)\]"”’']""")


def sentences(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a text stand: start and end, exclusive. What has no word is none.

    Parameters
    ----------
    text
        Best without quotes, code and addresses (`coprod_nlp.text.clean.prose`).

    Examples
    --------
    >>> text = "Mr. Abara knows. Ask him!"
    >>> [text[start:end] for start, end in sentences(text)]
    ['Mr. Abara knows.', 'Ask him!']
    """
    return [(start, end) for start, end in _stretches(text) if any(not _is_mute(letter) for letter in text[start:end])]


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """Stretches that end at a line's end, or after marks and what closes them."""
    start = end = len(text) - len(text.lstrip())
    is_mark = is_closed = False  # whether the last token is a mark that ends a sentence, or closes after one
    for word in _WORD.finditer(text):
        gap, place = text[end : word.start()], word.start()
        if gap != " ":  # more than one space is a token, too: what closes does not reach over it
            if is_mark or is_closed or "\n" in gap:
                yield start, end
                start = place
            is_mark = is_closed = False
        for token in _parts(word[0]) if _MARK.search(word[0]) else (word[0],):
            if (is_mark or is_closed) and token not in ENDS and token not in CLOSERS:
                yield start, end
                start, is_mark = place, False
            is_mark, is_closed = token in ENDS, is_mark and token in CLOSERS
            end = place = place + len(token)
    yield start, end


@lru_cache(MAX_WORDS)
def _parts(word: str) -> tuple[str, ...]:
    """The tokens of what stands between spaces."""
    if len(_english().vocab.strings) > MAX_STRINGS:
        _english.cache_clear()
    return tuple(token.text for token in _english().tokenizer(word))


def _is_mute(letter: str) -> bool:
    """Punctuation or space."""
    return letter.isspace() or category(letter).startswith("P")


@cache
def _english() -> Language:
    return spacy.blank("en")
