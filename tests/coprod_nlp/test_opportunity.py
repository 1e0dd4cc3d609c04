"""The opportunity map: every post counts once where it belongs, and standing follows from voices and programmes."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coprod_nlp.ranking.opportunity import Energy, OpportunityMap, Standing
from coprod_nlp.vocabulary import PolicyArea, Signal

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def energy(*voices: str | None) -> OpportunityMap:
    counted = OpportunityMap()
    for voice in voices:
        counted.add(areas=["parks"], signals={Signal.OFFER: 0.9}, is_willing=True, author_key=voice, places=["Weir"], wards=["E1"])
    return counted


@pytest.mark.parametrize(
    ("voices", "programmes", "expected"),
    [
        pytest.param("abc", 0, Standing.READY_ABSENT, id="ready, and the council absent"),
        pytest.param("abc", 2, Standing.READY_PRESENT, id="ready, and the council there"),
        pytest.param("ab", 1, Standing.UNHEARD, id="the council there, and unheard"),
        pytest.param("aab", 0, Standing.QUIET, id="one voice twice is one voice"),
        pytest.param("abc", None, Standing.NOT_KNOWN, id="not judged"),
    ],
)
def test_standing_follows_from_willing_voices_and_programmes(voices: str, programmes: int | None, expected: Standing) -> None:
    assert energy(*voices).areas[PolicyArea.PARKS].standing(programmes, minimum_voices=3) is expected


def test_posts_without_an_author_count_as_a_voice_each() -> None:
    assert len(energy(None, None, "a").areas[PolicyArea.PARKS].willing_voices) == 3


def test_a_post_counts_in_its_areas_wards_and_their_cells_once() -> None:
    counted = OpportunityMap()
    counted.add(
        areas=["parks", "waste"], signals={Signal.PROPOSE: 0.9, Signal.COMPLAINT: 0.7}, is_willing=False, author_key="a",
        places=["Weir", "Weir", "Green"], wards=["E1", "E1", "E2"], programmes=["Kit loan", "Kit loan"],
    )  # fmt: skip
    assert counted.areas[PolicyArea.WASTE].as_dict() == {"posts": 1, "willing": 0, "proposing": 1, "complaining": 1, "asking": 0}
    assert {code: ward.posts for code, ward in counted.wards.items()} == {"E1": 1, "E2": 1}
    assert set(counted.cells) == {(area, code) for area in (PolicyArea.PARKS, PolicyArea.WASTE) for code in ("E1", "E2")}
    assert (counted.places, counted.programmes, counted.posts, counted.placed) == ({"Weir": 1, "Green": 1}, {"Kit loan": 1}, 1, 1)


def test_a_post_without_an_area_is_in_no_map() -> None:
    counted = OpportunityMap()
    counted.add(areas=[], signals={Signal.OFFER: 1.0}, is_willing=True, author_key="a", wards=["E1"])
    assert (counted.posts, dict(counted.wards), counted.areas) == (0, {}, {area: Energy() for area in PolicyArea})


@unhurried
@given(st.lists(st.tuples(st.sampled_from(["parks", "waste"]), st.sampled_from(["E1", "E2", None]), st.booleans()), max_size=20))
def test_the_cells_of_an_area_add_up_to_its_posts_that_name_a_ward(posts: list[tuple[str, str | None, bool]]) -> None:
    counted = OpportunityMap()
    for area, ward, is_willing in posts:
        counted.add(areas=[area], signals={}, is_willing=is_willing, wards=[ward] if ward else [])
    for area in (PolicyArea.PARKS, PolicyArea.WASTE):
        cells = [cell for (its, _), cell in counted.cells.items() if its == area]
        assert sum(cell.posts for cell in cells) == sum(its == area and ward is not None for its, ward, _ in posts)
        assert sum(cell.willing for cell in cells) == sum(its == area and ward is not None and yes for its, ward, yes in posts)
    assert sum(ward.posts for ward in counted.wards.values()) == counted.placed


def test_the_opportunity_map_counts_every_post_once_in_each_of_its_areas() -> None:
    seen = OpportunityMap()
    seen.add(areas=["parks", "waste"], signals={"offer": 0.9, "propose": 0.6}, is_willing=True)
    seen.add(areas=["parks"], signals={"complaint": 0.9, "request": 0.5}, is_willing=False)
    seen.add(areas=[], signals={"offer": 0.9}, is_willing=True)
    assert seen.areas[PolicyArea.PARKS].as_dict() == {"posts": 2, "willing": 1, "proposing": 1, "complaining": 1, "asking": 1}
    assert seen.areas[PolicyArea.WASTE].as_dict() == {"posts": 1, "willing": 1, "proposing": 1, "complaining": 0, "asking": 0}
    assert sum(energy.posts for energy in seen.areas.values()) == 3
