"""Weights from decisions: proposed only where there are enough of them and they agree better, and never far from those in use."""

from random import Random

import pytest

from coprod_nlp.ranking.learn import FEWEST_OF_EACH, PARTS, propose_weights, score_with
from coprod_nlp.records import DecidedLead

EVEN = dict.fromkeys(PARTS, 10.0)


def decisions(count: int, *, cares_about: str | None, seed: int = 1) -> list[DecidedLead]:
    """Officers who accept the half of the leads that is better in one part, or any half where they care about nothing."""
    random = Random(seed)
    rows = [{key: random.random() for key in PARTS} for _ in range(count)]
    ranked = sorted(rows, key=lambda row: row[cares_about] if cares_about else random.random())
    return [DecidedLead(f"l-{place}", place >= count // 2, row) for place, row in enumerate(ranked)]


@pytest.mark.parametrize("part", ["substance", "fit"])
def test_what_officers_go_by_gains_weight_and_the_sum_stays(part: str) -> None:
    proposal = propose_weights(decisions(80, cares_about=part), EVEN, seed=1)
    assert proposal.weights is not None
    assert max(proposal.weights, key=lambda key: proposal.weights[key]) == part  # type: ignore[index]
    assert sum(proposal.weights.values()) == pytest.approx(sum(EVEN.values()), abs=2.5)
    assert min(proposal.weights.values()) >= 0
    assert (proposal.proposed_agreement or 0) > (proposal.agreement or 0)


@pytest.mark.parametrize("share", [0.01, 0.1, 3.0])
def test_weights_of_any_scale_are_proposed_in_the_same_proportions(share: float) -> None:
    even = propose_weights(decisions(80, cares_about="fit"), EVEN, seed=1).weights
    other = propose_weights(decisions(80, cares_about="fit"), {key: value * share for key, value in EVEN.items()}, seed=1).weights
    assert even is not None
    assert other is not None
    assert other == pytest.approx({key: value * share for key, value in even.items()}, abs=share * 0.51)


@pytest.mark.parametrize("count", [0, 1, 2 * FEWEST_OF_EACH - 2], ids=["none", "one", "just too few"])
def test_too_few_decisions_change_nothing_and_say_so(count: int) -> None:
    proposal = propose_weights(decisions(count, cares_about="fit"), EVEN, seed=1)
    assert proposal.weights is None
    assert f"at least {FEWEST_OF_EACH} of each" in proposal.why


def test_decisions_that_follow_no_part_change_nothing() -> None:
    proposals = [propose_weights(decisions(60, cares_about=None, seed=seed), EVEN, seed=1) for seed in range(6)]
    assert sum(proposal.weights is None for proposal in proposals) >= 4
    assert all("the weights stay" in proposal.why for proposal in proposals if proposal.weights is None)


def test_parts_that_were_not_known_do_not_stop_learning() -> None:
    some = [
        DecidedLead(one.lead_id, one.is_accepted, {**one.parts, "fit": None, "freshness": None if place % 2 else 0.5})
        for place, one in enumerate(decisions(60, cares_about="substance"))
    ]
    proposal = propose_weights(some, EVEN, seed=1)
    assert proposal.weights is not None
    assert proposal.weights["substance"] > EVEN["substance"]


def test_a_score_from_stored_parts_is_out_of_the_known_ones() -> None:
    assert score_with({"fit": 1.0, "ability": 0.0, "freshness": None}, {"fit": 30, "ability": 10, "freshness": 99}) == 75
    assert score_with({"fit": None}, {"fit": 30}) == 0
