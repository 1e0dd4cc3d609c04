"""Kept places: under-heard areas and communities have a place in the list, and it says so."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coprod_nlp.ranking.kept_places import with_kept_places
from coprod_nlp.ranking.reasons import kept_sentence
from coprod_nlp.records import RankedLead, Score
from coprod_nlp.vocabulary import PolicyArea

HEARD = {"area:parks": 900, "area:waste": 800, "area:culture": 20, "community:town": 900, "community:gardens": 800, "community:makers": 20}


def lead(number: int, area: PolicyArea = PolicyArea.PARKS, community: str = "town") -> RankedLead:
    return RankedLead(f"l-{number:03}", f"n-{number:03}", area, (), (), Score(99.0 - number, 0, 100, ()), (), (), community)


def places(leads: Sequence[RankedLead], *, every: int = 5, heard: dict[str, int] = HEARD) -> list[tuple[str, str | None]]:
    return [(one.lead_id, one.kept_for) for one in with_kept_places(leads, heard, every=every)]


PARKS = [lead(number) for number in range(12)]


@pytest.mark.parametrize(
    ("quiet", "kept_for"),
    [(lead(90, PolicyArea.CULTURE), "area:culture"), (lead(90, community="makers"), "community:makers")],
    ids=["an area", "a community"],
)
def test_the_best_lead_of_somebody_under_heard_has_the_kept_place_and_is_marked(quiet: RankedLead, kept_for: str) -> None:
    found = places([*PARKS, quiet])
    assert found[4] == ("l-090", kept_for)
    assert [kept for _, kept in found].count(None) == len(PARKS)


@pytest.mark.parametrize(
    "leads",
    [
        pytest.param(PARKS, id="nobody is under-heard"),
        pytest.param([*PARKS, lead(90, PolicyArea.WASTE, "gardens")], id="much heard of"),
        pytest.param([lead(0, PolicyArea.CULTURE, "makers"), *PARKS[1:], lead(90, PolicyArea.CULTURE)], id="heard above already"),
    ],
)
def test_without_somebody_under_heard_the_place_goes_by_score(leads: list[RankedLead]) -> None:
    assert places(leads) == [(one.lead_id, None) for one in leads]


def test_no_place_is_kept_where_none_is_asked_for() -> None:
    quiet = lead(90, PolicyArea.CULTURE)
    assert places([*PARKS, quiet], every=0)[-1] == ("l-090", None)


@given(st.lists(st.tuples(st.sampled_from(PolicyArea), st.sampled_from(["town", "makers"])), max_size=30), st.integers(0, 6))
def test_every_lead_is_listed_once_and_all_but_the_kept_ones_by_score(rows: list[tuple[PolicyArea, str]], every: int) -> None:
    leads = [lead(place, *row) for place, row in enumerate(rows)]
    found = places(leads, every=every)
    assert sorted(name for name, _ in found) == [one.lead_id for one in leads]
    by_score = [name for name, kept_for in found if kept_for is None]
    assert by_score == sorted(by_score)
    assert all((place + 1) % every == 0 for place, (_, kept_for) in enumerate(found) if kept_for)


def test_a_kept_place_says_for_whom_in_a_sentence() -> None:
    said = kept_sentence("area:culture", {"culture": "Libraries and culture"})
    assert said.startswith("A place kept for the policy area Libraries and culture:")
