"""Places: found by any of their names wherever a text names them, and never in a word that only looks alike."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coprod_nlp.ranking.places import Gazetteer, GazetteerPlace

GREEN = GazetteerPlace("Hallow Green", ("Hallow Green", "Hallow Grn"), "E5")
WEIR = GazetteerPlace("Kettle Weir", ("Kettle Weir",), "E4")
REC = GazetteerPlace("Rec", ("Rec", "Recreation Ground"), "E5")
ROW = GazetteerPlace("Tanners Row", ("Tanners Row", "Tanner's Row", "Tanners"), "E6")
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
PLACES = Gazetteer([GREEN, WEIR, REC, ROW])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("Litter on Hallow Green again", ["Hallow Green"], id="as it is written"),
        pytest.param("litter on HALLOW GREEN, hallow green!", ["Hallow Green"], id="any case, once"),
        pytest.param("hallow\ngreen", ["Hallow Green"], id="over a line"),
        pytest.param("by kettle weir, then the hallow grn", ["Kettle Weir", "Hallow Green"], id="alias, in the order of the text"),
        pytest.param("meet at the Rec", ["Rec"], id="one word with a capital"),
        pytest.param("i rec you try the recreation ground", ["Rec"], id="one word without a capital is a word"),
        pytest.param("Tanner’s Row and Tanners", ["Tanners Row"], id="curly apostrophe; the longest name counts"),
        pytest.param("Hallow Greens, hallowgreen_hattie and Hallow", [], id="only alike"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_places_are_found_by_their_names(text: str, names: list[str]) -> None:
    assert [place.name for place in PLACES.find(text)] == names


def test_of_names_that_overlap_the_longest_counts() -> None:
    park = GazetteerPlace("Green Park", ("Green Park",), "E1")
    assert Gazetteer([GREEN, park]).find("at hallow green park") == [GREEN]


def test_no_place_no_name_found_nothing() -> None:
    assert Gazetteer([]).find("Hallow Green") == []
    assert Gazetteer([GazetteerPlace("!", ("!", ""), None)]).find("!") == []


@unhurried
@given(st.text(max_size=80), st.text(max_size=80))
def test_a_name_with_space_round_it_is_found_in_any_text(before: str, after: str) -> None:
    assert WEIR in PLACES.find(f"{before} . Kettle Weir . {after}")
