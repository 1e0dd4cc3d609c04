"""Texts to tokens and sentences: spaCy's tokeniser, then arrays, so that nothing after it is done token by token."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import spacy
from numpy.typing import NDArray
from spacy.attrs import IDX, IS_PUNCT, IS_SPACE, LENGTH, LOWER
from spacy.language import Language

ENDS = (".", "!", "?", "…", "...", "..", "!!", "??", "!?", "?!")
CLOSERS = (")", "]", '"', "”", "’", "'", "''")
# Marks that say something about the sentence they stand in; other punctuation is no token to the classifiers.
TELLING = ("!", "?", "!!", "??", "!?", "?!")

COLUMNS = [LOWER, IDX, LENGTH, IS_SPACE, IS_PUNCT]
# spaCy remembers every word it has met; past so many it starts afresh. (Its memory zones forget too, at a quarter of the speed.)
MAX_STRINGS = 300_000

Ints = NDArray[np.int64]
Ids = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Words of some texts, one after another, and the sentences they stand in.

    Attributes
    ----------
    ids
        (tokens,) spaCy's hash of each lower-cased word or telling mark.
    text
        (tokens,) which text each stands in.
    sentence
        (tokens,) which sentence each stands in, counted over all texts.
    sentence_text, sentence_start, sentence_end, sentence_words
        (sentences,) which text each is of, the characters it covers there, end exclusive, and how many of the tokens it has.
    """

    ids: Ids
    text: Ints
    sentence: Ints
    sentence_text: Ints
    sentence_start: Ints
    sentence_end: Ints
    sentence_words: Ints


class Tokeniser:
    """Blank English: its rules know contractions, so that "don't" is "do" and "n't"."""

    def __init__(self) -> None:
        self._nlp = _blank()
        strings = self._nlp.vocab.strings
        self._ends, self._closers, self._telling = (
            np.array(sorted(strings.add(mark) for mark in marks), dtype=np.uint64) for marks in (ENDS, CLOSERS, TELLING)
        )

    def tokens(self, texts: Sequence[str]) -> TokenBatch:
        """Tokens of some texts, best without quotes, code and addresses (`coprod_nlp.text.clean.prose`)."""
        if len(self._nlp.vocab.strings) > MAX_STRINGS:
            self._nlp = _blank()
        tables = [np.asarray(self._nlp.make_doc(text).to_array(COLUMNS), dtype=np.uint64).reshape(-1, len(COLUMNS)) for text in texts]
        lengths = [len(table) for table in tables]
        whole: Ids = np.concatenate(tables) if tables else np.zeros((0, len(COLUMNS)), dtype=np.uint64)
        of_text = np.repeat(np.arange(len(texts)), lengths)
        breaks = self._breaks(whole, of_text, texts)
        return self._batch(whole, of_text, breaks)

    def _breaks(self, whole: Ids, of_text: Ints, texts: Sequence[str]) -> NDArray[np.bool_]:
        """(tokens,) true where a sentence begins: in a new text, after a line's end, after closing marks."""
        count = len(whole)
        starts = np.ones(count, dtype=bool)
        if count < 2:
            return starts
        is_end, is_closer = np.isin(whole[:, 0], self._ends), np.isin(whole[:, 0], self._closers)
        is_space = whole[:, 3] > 0
        is_line_end = np.zeros(count, dtype=bool)
        for place in np.flatnonzero(is_space):
            start = int(whole[place, 1])
            is_line_end[place] = "\n" in texts[of_text[place]][start : start + int(whole[place, 2])]
        follows = np.concatenate([[False], is_end[:-1] & (of_text[1:] == of_text[:-1])])
        ended = is_end | (is_closer & follows)
        goes_on = is_end | is_closer
        starts[1:] = (of_text[1:] != of_text[:-1]) | is_line_end[:-1] | (ended[:-1] & ~goes_on[1:])
        return starts

    def _batch(self, whole: Ids, of_text: Ints, breaks: NDArray[np.bool_]) -> TokenBatch:
        is_telling = np.isin(whole[:, 0], self._telling)
        kept = (whole[:, 3] == 0) & ((whole[:, 4] == 0) | is_telling)
        is_word = (whole[:, 3] == 0) & (whole[:, 4] == 0)
        sentence = np.cumsum(breaks) - 1
        # Only sentences with a word count; the rest of their tokens go with them.
        has_word = np.zeros(int(sentence[-1]) + 1 if len(sentence) else 0, dtype=bool)
        has_word[sentence[is_word]] = True
        renumbered = np.cumsum(has_word) - 1
        visible = (whole[:, 3] == 0) & has_word[sentence] if len(sentence) else np.zeros(0, dtype=bool)
        of_sentence = renumbered[sentence]
        starts, ends = whole[:, 1].astype(np.int64), (whole[:, 1] + whole[:, 2]).astype(np.int64)
        count = int(has_word.sum())
        sentence_text = np.zeros(count, dtype=np.int64)
        sentence_start, sentence_end = np.full(count, np.iinfo(np.int64).max), np.zeros(count, dtype=np.int64)
        sentence_text[of_sentence[visible]] = of_text[visible]
        np.minimum.at(sentence_start, of_sentence[visible], starts[visible])
        np.maximum.at(sentence_end, of_sentence[visible], ends[visible])
        kept &= visible
        words = np.bincount(of_sentence[kept], minlength=count)
        return TokenBatch(whole[kept, 0], of_text[kept], of_sentence[kept], sentence_text, sentence_start, sentence_end, words)


def _blank() -> Language:
    nlp = spacy.blank("en")
    nlp.max_length = sys.maxsize  # only the tokeniser runs, which needs no bound
    return nlp
