"""Label quality: agreement beyond chance, two judgements as one, and planted errors found."""

import doctest
from itertools import permutations
from math import isnan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from coprod_nlp.records import Evidence
from coprod_nlp.training import label_quality
from coprod_nlp.training.label_quality import (
    JUDGED,
    Judgement,
    agreement,
    cohens_kappa,
    confident_joint,
    likely_errors,
    merge_judgements,
    pairs_by_labellers,
)
from coprod_nlp.vocabulary import PolicyArea, Signal

OFFER, SEEK, COMPLAINT = Signal.OFFER, Signal.SEEK, Signal.COMPLAINT
PARKS, WASTE = PolicyArea.PARKS, PolicyArea.WASTE


def judged(labeller: str, *ticks: Signal | PolicyArea, post_id: str = "p1", sensitive: bool = False, spans: Any = ()) -> Judgement:
    areas = frozenset(tick for tick in ticks if isinstance(tick, PolicyArea))
    signals = frozenset(tick for tick in ticks if isinstance(tick, Signal))
    return Judgement(post_id, labeller, areas, signals, tuple(Evidence(OFFER, *span) for span in spans), sensitive)


def bools(text: str) -> Any:
    return np.array([character == "1" for character in text], dtype=bool)


def test_the_examples_of_the_documentation_hold() -> None:
    assert doctest.testmod(label_quality).attempted >= 3
    assert doctest.testmod(label_quality).failed == 0


def test_everything_the_codebook_labels_is_judged_once() -> None:
    assert len(JUDGED) == len(set(JUDGED)) == 18 + 11 + 2


@pytest.mark.parametrize(
    ("first", "second", "kappa"),
    [
        pytest.param("1100", "1100", 1.0, id="the same"),
        pytest.param("1100", "1010", 0.0, id="as by chance"),
        pytest.param("10", "01", -1.0, id="the opposite"),
        pytest.param("1" * 20 + "0" * 30, "1" * 20 + "0" * 15 + "1" * 5 + "0" * 10, 0.8, id="most the same"),
    ],
)
def test_kappa_is_agreement_beyond_chance(first: str, second: str, kappa: float) -> None:
    assert cohens_kappa(bools(first), bools(second)) == pytest.approx(kappa)
    assert cohens_kappa(bools(second), bools(first)) == pytest.approx(kappa)


@pytest.mark.parametrize(("first", "second"), [("", ""), ("000", "000"), ("111", "111")], ids=["no posts", "never", "always"])
def test_kappa_is_unknown_where_there_is_nothing_to_agree_on(first: str, second: str) -> None:
    assert isnan(cohens_kappa(bools(first), bools(second)))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2))
def test_kappa_is_the_figure_that_others_compute(ticks: list[tuple[bool, bool]]) -> None:
    first, second = np.array(ticks, dtype=bool).T
    kappa = cohens_kappa(first, second)
    if isnan(kappa):
        assert first.all() == second.all() == first.any() == second.any()
    else:
        assert kappa == pytest.approx(cohen_kappa_score(first, second))


def test_kappa_refuses_rows_of_different_length() -> None:
    with pytest.raises(ValueError, match=r"the same length; they are \(1,\) and \(2,\)"):
        cohens_kappa(bools("1"), bools("10"))


def test_agreement_counts_both_and_each_alone_by_label_with_willing_from_the_signals() -> None:
    pairs = [
        (judged("ana", OFFER, PARKS), judged("ben", SEEK, PARKS, sensitive=True)),
        (judged("ana", COMPLAINT), judged("ben", COMPLAINT, OFFER)),
        (judged("ana"), judged("ben")),
    ]
    found = agreement(pairs)
    assert list(found) == list(JUDGED)
    assert {item.n for item in found.values()} == {3}
    counts = {label: (item.both, item.first_only, item.second_only) for label, item in found.items()}
    assert counts["willing"] == (1, 0, 1)
    assert (counts["offer"], counts["seek"], counts["complaint"]) == ((0, 1, 1), (0, 0, 1), (1, 0, 0))
    assert (counts["parks"], counts["waste"], counts["sensitive"]) == ((1, 0, 0), (0, 0, 0), (0, 0, 1))
    assert found["willing"].kappa == pytest.approx(0.4)
    assert isnan(found["waste"].kappa)
    assert {item.n for item in agreement([]).values()} == {0}


def test_labellers_are_paired_on_the_posts_they_share() -> None:
    judgements = [
        judged("cara", post_id="p2"), judged("ben", post_id="p1"), judged("ana", post_id="p1"), judged("ana", post_id="p2"),
        judged("ana", post_id="p3"), judged("cara", post_id="p1"),
    ]  # fmt: skip
    found = pairs_by_labellers(judgements)
    assert {names: [one.post_id for one, _ in pairs] for names, pairs in found.items()} == {
        ("ana", "ben"): ["p1"], ("ana", "cara"): ["p1", "p2"], ("ben", "cara"): ["p1"]
    }  # fmt: skip
    assert all((one.labeller, other.labeller) == names for names, pairs in found.items() for one, other in pairs)


def test_of_two_judgements_what_both_ticked_stays() -> None:
    merged = merge_judgements([judged("ben", OFFER, COMPLAINT, PARKS, WASTE, sensitive=True), judged("ana", OFFER, SEEK, PARKS)])
    assert (merged.post_id, merged.labellers) == ("p1", ("ana", "ben"))
    assert (set(merged.areas), set(merged.signals), merged.is_sensitive) == ({PARKS}, {OFFER}, False)
    assert (merged.is_willing, merged.is_disputed) == (True, False)


def test_two_who_differ_on_willing_leave_a_post_disputed_and_a_third_decides() -> None:
    two = [judged("ana", OFFER, PARKS), judged("ben", COMPLAINT, PARKS)]
    merged = merge_judgements(two)
    assert (merged.is_willing, merged.is_disputed, set(merged.signals), set(merged.areas)) == (None, True, set(), {PARKS})
    for third, willing, signals in ((judged("cara", OFFER), True, {OFFER}), (judged("cara", COMPLAINT), False, {COMPLAINT})):
        merged = merge_judgements([*two, third])
        assert (merged.is_willing, merged.is_disputed, set(merged.signals), set(merged.areas)) == (willing, False, signals, {PARKS})


def test_two_may_agree_that_a_post_is_willing_and_tick_different_signals() -> None:
    merged = merge_judgements([judged("ana", OFFER), judged("ben", SEEK)])
    assert (merged.is_willing, merged.signals) == (True, frozenset())


def test_one_judgement_stays_as_it_is() -> None:
    merged = merge_judgements([judged("ana", OFFER, PARKS, sensitive=True, spans=[(3, 7)])])
    assert (set(merged.signals), set(merged.areas), merged.evidence) == ({OFFER}, {PARKS}, (Evidence(OFFER, 3, 7),))
    assert (merged.is_sensitive, merged.is_willing) == (True, True)


@pytest.mark.parametrize(
    ("marked", "common"),
    [
        pytest.param([[(0, 10)], [(5, 20)]], [(5, 10)], id="what both marked"),
        pytest.param([[(0, 4)], [(6, 9)]], [(0, 4), (6, 9)], id="nothing in common: all that was marked"),
        pytest.param([[(0, 10), (20, 30)], [(2, 25)]], [(2, 10), (20, 25)], id="several spans"),
        pytest.param([[(0, 10)], []], [(0, 10)], id="one marked nothing"),
        pytest.param([[], []], [], id="nobody marked any"),
        pytest.param([[(0, 9)], [(3, 9)], [(20, 30)]], [(3, 9)], id="two of three"),
        pytest.param([[(0, 5), (3, 9)], [(0, 9)]], [(0, 9)], id="spans that overlap"),
    ],
)
def test_evidence_is_what_most_of_those_who_marked_any_marked(marked: list[list[tuple[int, int]]], common: list[tuple[int, int]]) -> None:
    merged = merge_judgements([judged(f"labeller {place}", OFFER, spans=spans) for place, spans in enumerate(marked)])
    assert merged.evidence == tuple(Evidence(OFFER, *span) for span in common)


def test_evidence_for_a_signal_that_does_not_stay_goes() -> None:
    assert merge_judgements([judged("ana", OFFER, spans=[(0, 4)]), judged("ben", SEEK)]).evidence == ()


ticks = st.lists(st.sampled_from([*Signal, *PolicyArea]), max_size=4)


@given(st.lists(st.tuples(ticks, st.booleans()), min_size=1, max_size=4))
def test_merging_does_not_depend_on_the_order_of_labellers_and_agrees_with_the_unanimous(given_ticks: list[Any]) -> None:
    judgements = [judged(f"l{place}", *ticked, sensitive=sensitive) for place, (ticked, sensitive) in enumerate(given_ticks)]
    merged = merge_judgements(judgements)
    assert all(merge_judgements(order) == merged for order in permutations(judgements))
    assert merged.signals >= frozenset.intersection(*(item.signals for item in judgements))
    assert merged.signals <= frozenset.union(*(item.signals for item in judgements))
    assert not (merged.is_willing is False and any(signal in merged.signals for signal in (OFFER, SEEK)))


@pytest.mark.parametrize(
    "wrong",
    [[], [judged("ana"), judged("ana", OFFER)], [judged("ana"), judged("ben", post_id="p2")]],
    ids=["none", "one labeller twice", "two posts"],
)
def test_what_is_not_several_judgements_of_one_post_is_refused(wrong: list[Judgement]) -> None:
    with pytest.raises(ValueError, match="wanted judgements of one post, one a labeller"):
        merge_judgements(wrong)


def test_the_confident_joint_counts_posts_whose_probability_reaches_the_mean_of_its_class() -> None:
    # Mean of those ticked 0.6, of those not ticked 0.75: rows 0, 1 and 4 are confidently ticked, 3 and 6 confidently not, 2 and 5 neither.
    ticked = bools("1111" + "0000")
    chances = np.array([0.9, 0.8, 0.5, 0.2, 0.7, 0.3, 0.0, 0.0])
    assert confident_joint(ticked, chances).tolist() == [[2, 1], [1, 2]]


def test_where_both_classes_reach_their_mean_the_likelier_counts() -> None:
    ticked, chances = bools("1100"), np.array([0.45, 0.35, 0.45, 0.75])
    # Means 0.4 for ticked and 0.4 for not: 0.45 reaches both.
    assert confident_joint(ticked, chances).tolist() == [[1, 1], [2, 0]]


@pytest.mark.parametrize("ticked", ["0000", "1111"], ids=["never", "always"])
def test_a_label_ticked_always_or_never_has_no_likely_errors(ticked: str) -> None:
    chances = np.array([0.9, 0.1, 0.5, 1.0])
    assert confident_joint(bools(ticked), chances).sum() == 0
    assert likely_errors(bools(ticked)[:, None], chances[:, None], ["offer"]) == []


def test_planted_errors_are_found_first_with_a_reason() -> None:
    random = np.random.default_rng(7)
    truth = random.random((4_000, 2)) < 0.3
    chances = np.clip(np.where(truth, 0.8, 0.15) + random.normal(0, 0.1, truth.shape), 0, 1)
    planted = {(row, place) for row, place in zip(range(0, 4_000, 20), [0, 1] * 100, strict=True)}
    labelled = truth.copy()
    for row, place in planted:
        labelled[row, place] ^= True
    found = likely_errors(labelled, chances, ["offer", "parks"])
    places = {(error.row, ["offer", "parks"].index(error.label)) for error in found}
    assert len(places & planted) >= 0.85 * len(planted)
    assert len(places - planted) <= 0.05 * len(places)
    assert max(error.margin for error in found) < 0
    assert [error.margin for error in found] == sorted(error.margin for error in found)
    for error in found:
        assert error.is_ticked == labelled[error.row, ["offer", "parks"].index(error.label)]
        said = "is ticked, but" if error.is_ticked else "is not ticked, but"
        assert error.reason.startswith(f"{error.label} {said} has a probability of {error.chance:.2f}; posts with")


def test_labels_that_fit_their_probabilities_have_no_likely_errors() -> None:
    ticked = np.array([[True, False], [False, True], [False, False]])
    assert likely_errors(ticked, np.where(ticked, 0.7, 0.1), ["offer", "parks"]) == []


@pytest.mark.parametrize(
    ("ticked", "chances", "labels", "said"),
    [
        pytest.param(np.ones((2, 1), bool), np.ones((3, 1)), ["a"], "should fit", id="rows"),
        pytest.param(np.ones((2, 1), bool), np.ones((2, 1)), ["a", "b"], "should fit", id="names"),
        pytest.param(np.array([[True], [False]]), np.array([[0.5], [np.nan]]), ["a"], "from 0 to 1", id="not a number"),
        pytest.param(np.array([[True], [False]]), np.array([[0.5], [1.2]]), ["a"], "from 0 to 1", id="above 1"),
    ],
)
def test_probabilities_that_are_none_are_refused(ticked: Any, chances: Any, labels: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        likely_errors(ticked, chances, labels)


def test_a_joint_of_different_lengths_is_refused() -> None:
    with pytest.raises(ValueError, match="same length"):
        confident_joint(bools("10"), np.array([0.5]))
