"""Runs of words as features: the same counts as scikit-learn's own vectoriser, worked out on arrays."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from coprod_nlp.text.ngrams import NgramVectoriser, Vocabulary
from coprod_nlp.text.tokens import Ids, Ints

WORDS = ("bin", "day", "late", "park", "pick")
UNSEEN = ("zebra", "quartz")
ROWS = st.lists(st.lists(st.sampled_from(WORDS), max_size=8), min_size=1, max_size=8)
NEW_ROWS = st.lists(st.lists(st.sampled_from(WORDS + UNSEEN), max_size=8), min_size=1, max_size=6)

# Far apart, out of the order of the words, and one beyond the signed range: as hashes are.
ID_OF = {
    word: np.uint64(number) for word, number in zip(WORDS + UNSEEN, (2**63 + 5, 40, 7_000_000_011, 3, 2**64 - 1, 39, 2**63), strict=True)
}
WORD_OF = {int(number): word for word, number in ID_OF.items()}

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def arrays(rows: Sequence[Sequence[str]]) -> tuple[Ids, Ints, int]:
    """What the vectoriser takes: ids, the row of each, and how many rows there are."""
    ids = np.array([ID_OF[word] for row in rows for word in row], dtype=np.uint64)
    places = np.array([place for place, row in enumerate(rows) for _ in row], dtype=np.int64)
    return ids, places, len(rows)


def names(vocabulary: Vocabulary) -> list[str]:
    """Each feature as the words it stands for."""
    words = [WORD_OF[int(number)] for number in vocabulary.ids]
    found, last = list(words), list(words)
    for run in vocabulary.runs:
        last = [f"{last[int(key) // len(words)]} {words[int(key) % len(words)]}" for key in run]
        found += last
    return found


def cells(table: csr_matrix, features: Sequence[str]) -> list[dict[str, float]]:
    """Each row as feature to value, zeros left out."""
    dense = np.asarray(table.todense())
    return [{name: round(float(value), 9) for name, value in zip(features, row, strict=True) if value} for row in dense]


def has_a_run_in(rows: Sequence[Sequence[str]], minimum: int) -> bool:
    counts = Counter(word for row in rows for word in set(row))
    return any(count >= minimum for count in counts.values())


def options(longest: int, minimum: int) -> dict[str, object]:
    return {"ngram_range": (1, longest), "min_df": minimum, "tokenizer": str.split, "token_pattern": None, "lowercase": False}


@pytest.mark.parametrize("minimum", [1, 2, 3], ids=["any", "in two rows", "in three rows"])
@pytest.mark.parametrize("longest", [1, 2, 3], ids=["words", "pairs", "triples"])
@unhurried
@given(rows=ROWS, new_rows=NEW_ROWS)
def test_counts_are_those_of_scikit_learn(longest: int, minimum: int, rows: list[list[str]], new_rows: list[list[str]]) -> None:
    assume(has_a_run_in(rows, minimum))
    ours = NgramVectoriser(longest, minimum).fit(*arrays(rows))
    theirs = CountVectorizer(**options(longest, min(minimum, len(rows)))).fit([" ".join(row) for row in rows])
    assert sorted(names(ours.vocabulary_)) == sorted(theirs.get_feature_names_out())
    for some in (rows, new_rows):
        expected = theirs.transform([" ".join(row) for row in some])
        assert cells(ours.counts(*arrays(some)), names(ours.vocabulary_)) == cells(expected, theirs.get_feature_names_out())


@pytest.mark.parametrize("longest", [1, 2, 3], ids=["words", "pairs", "triples"])
@unhurried
@given(rows=ROWS, new_rows=NEW_ROWS)
def test_weights_are_those_of_scikit_learn(longest: int, rows: list[list[str]], new_rows: list[list[str]]) -> None:
    assume(has_a_run_in(rows, 1))
    ours = NgramVectoriser(longest, 1).fit(*arrays(rows))
    theirs = TfidfVectorizer(**options(longest, 1), sublinear_tf=True).fit([" ".join(row) for row in rows])
    expected = theirs.transform([" ".join(row) for row in new_rows])
    assert cells(ours.transform(*arrays(new_rows)), names(ours.vocabulary_)) == cells(expected, theirs.get_feature_names_out())


@unhurried
@given(rows=ROWS, new_rows=NEW_ROWS)
def test_a_row_does_not_depend_on_the_rows_beside_it(rows: list[list[str]], new_rows: list[list[str]]) -> None:
    assume(has_a_run_in(rows, 1))
    vectoriser = NgramVectoriser(3, 1).fit(*arrays(rows))
    together = vectoriser.transform(*arrays(new_rows)).toarray()
    for place, row in enumerate(new_rows):
        assert np.array_equal(vectoriser.transform(*arrays([row])).toarray()[0], together[place])
    backwards = vectoriser.transform(*arrays(new_rows[::-1])).toarray()
    assert np.array_equal(backwards[::-1], together)


def test_a_run_does_not_reach_from_one_row_into_the_next() -> None:
    vectoriser = NgramVectoriser(2, 1).fit(*arrays([["bin", "day"], ["late", "bin"]]))
    assert sorted(names(vectoriser.vocabulary_)) == ["bin", "bin day", "day", "late", "late bin"]


def test_an_unseen_word_breaks_a_run_instead_of_being_skipped() -> None:
    vectoriser = NgramVectoriser(2, 1).fit(*arrays([["bin", "day"]]))
    table = vectoriser.counts(*arrays([["bin", "zebra", "day"]]))
    assert cells(table, names(vectoriser.vocabulary_)) == [{"bin": 1.0, "day": 1.0}]


def test_rows_without_a_known_word_are_empty_rows() -> None:
    vectoriser = NgramVectoriser(2, 1).fit(*arrays([["bin", "day"]]))
    table = vectoriser.transform(*arrays([[], ["zebra", "quartz"], ["bin"]]))
    assert (table.shape, [table[row].nnz for row in range(3)]) == ((3, 3), [0, 0, 1])


def test_fitting_does_not_depend_on_the_order_of_the_rows() -> None:
    rows = [["bin", "day", "late"], ["park", "pick"], ["bin", "day"], ["park", "pick", "bin", "day"]]
    forwards, backwards = NgramVectoriser(3, 2).fit(*arrays(rows)), NgramVectoriser(3, 2).fit(*arrays(rows[::-1]))
    assert names(forwards.vocabulary_) == names(backwards.vocabulary_)
    assert np.array_equal(forwards.transformer_.idf_, backwards.transformer_.idf_)
