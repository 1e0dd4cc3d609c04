"""A text to sentences, with spaCy's tokeniser: "Mr.", "3.50" and "..." end none."""

from functools import cache

import spacy
from spacy.language import Language
from spacy.tokens import Token

ENDS = frozenset({".", "!", "?", "…", "...", "..", "!!", "??", "!?", "?!"})
CLOSERS = frozenset({")", "]", '"', "”", "’", "'", "''"})
# spaCy remembers every word it has met; past so many it starts afresh.
MAX_STRINGS = 300_000


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
    if len(_english().vocab.strings) > MAX_STRINGS:
        _english.cache_clear()
    parts: list[list[Token]] = []
    for token in _english().tokenizer(text):
        if not parts or _is_over(parts[-1], token):
            parts.append([])
        parts[-1].append(token)
    shown = [[token for token in part if not token.is_space] for part in parts]
    return [(part[0].idx, part[-1].idx + len(part[-1])) for part in shown if any(not token.is_punct for token in part)]


def _is_over(part: list[Token], following: Token) -> bool:
    """Whether a sentence ends before a token: at a line's end, or after its marks and what closes them."""
    last = part[-1]
    if last.is_space:
        return "\n" in last.text
    is_marked = last.text in ENDS or (last.text in CLOSERS and len(part) > 1 and part[-2].text in ENDS)
    return is_marked and following.text not in ENDS | CLOSERS


@cache
def _english() -> Language:
    return spacy.blank("en")
