"""Words and runs of words as TF-IDF features, worked out on arrays of token ids."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer

from coprod_nlp.text.tokens import Ids, Ints

MISSING = -1


@dataclass(frozen=True)
class Vocabulary:
    """Which runs of words are features.

    Attributes
    ----------
    ids
        (words,) sorted token ids; word `i` is feature `i`.
    runs
        A sorted array for each length from 2 on: the place of the run without its last word among the runs of its length, times
        the number of words, plus the place of that word. Their features are numbered on from those of the shorter ones.
    """

    ids: Ids
    runs: tuple[Ints, ...]

    @property
    def size(self) -> int:
        return len(self.ids) + sum(map(len, self.runs))

    def found(self, ids: Ids, rows: Ints) -> Iterator[tuple[Ints, Ints]]:
        """(row, feature) of every run that is a feature, length by length."""
        words = current = _places(self.ids, ids)
        yield rows[words != MISSING], words[words != MISSING]
        before = len(self.ids)
        for length, run in enumerate(self.runs, start=2):
            current = _places(run, _keys(current, words, rows, length=length, words=len(self.ids)))
            at = current != MISSING
            yield rows[: len(current)][at], current[at] + before
            before += len(run)


class NgramVectoriser:
    """TF-IDF of runs of one to `longest` words, with sublinear term frequency and rows of length 1 (scikit-learn's).

    A run is a feature when it stands in at least `minimum` rows, and so does the run without its last word.
    """

    def __init__(self, longest: int = 2, minimum: int = 2) -> None:
        self.longest = longest
        self.minimum = minimum

    def fit(self, ids: Ids, rows: Ints, count: int) -> "NgramVectoriser":
        """Learn vocabulary and weights from tokens in the order of the rows they stand in; `count` is the number of rows."""
        known = _frequent(ids, rows, self.minimum)
        words = current = _places(known, ids)
        runs: list[Ints] = []
        for length in range(2, self.longest + 1):
            keys = _keys(current, words, rows, length=length, words=len(known))
            at = keys != MISSING
            runs.append(_frequent(keys[at], rows[: len(keys)][at], self.minimum))
            current = _places(runs[-1], keys)
        self.vocabulary_ = Vocabulary(known, tuple(runs))
        self.transformer_ = TfidfTransformer(sublinear_tf=True).fit(self.counts(ids, rows, count))
        return self

    def counts(self, ids: Ids, rows: Ints, count: int) -> csr_matrix:
        """(count, features) how often each run stands in each row."""
        of_row, of_feature = map(np.concatenate, zip(*self.vocabulary_.found(ids, rows), strict=True))
        table = csr_matrix((np.ones(len(of_row)), (of_row, of_feature)), shape=(count, self.vocabulary_.size))
        table.sum_duplicates()
        return table

    def transform(self, ids: Ids, rows: Ints, count: int) -> csr_matrix:
        """(count, features) TF-IDF; a row does not depend on the other rows."""
        return self.transformer_.transform(self.counts(ids, rows, count), copy=False)


def _keys(current: Ints, words_at: Ints, rows: Ints, *, length: int, words: int) -> Ints:
    """A number for each run of `length` that begins at a token and ends in the same row; MISSING where there is none."""
    count = max(0, len(words_at) - length + 1)
    first, last = current[:count], words_at[length - 1 :]
    good = (first != MISSING) & (last != MISSING) & (rows[:count] == rows[length - 1 :])
    return np.where(good, first * words + last, MISSING)


def _places(known: NDArray[Any], values: NDArray[Any]) -> Ints:
    """Where each value is in a sorted array; MISSING where it is not."""
    if not len(known):
        return np.full(len(values), MISSING, dtype=np.int64)
    places = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.where(known[places] == values, places, MISSING)


def _frequent(values: NDArray[Any], rows: Ints, minimum: int) -> NDArray[Any]:
    """Sorted values that stand in at least `minimum` rows."""
    order = np.lexsort((rows, values))
    values, rows = values[order], rows[order]
    is_new = np.ones(len(values), dtype=bool)
    is_new[1:] = (values[1:] != values[:-1]) | (rows[1:] != rows[:-1])
    found, counts = np.unique(values[is_new], return_counts=True)
    return found[counts >= minimum]
