"""Identity: a network keeps its id while its voices come and go, and merges and splits are said."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coprod_nlp.network.identity import IdentifiedNetwork, KnownNetwork, identify
from coprod_nlp.ranking.reasons import change_sentence
from coprod_nlp.records import CandidateNetwork
from coprod_nlp.vocabulary import Change, PolicyArea

NAMES = [f"t1_{number:03}" for number in range(200)]
PARKS, WASTE = PolicyArea.PARKS, PolicyArea.WASTE


def found(willing: Iterable[int], area: PolicyArea = PARKS) -> CandidateNetwork:
    voices = tuple(sorted(willing))
    return CandidateNetwork(area, voices, (), (1.0,) * len(voices), 3)


def known(network_id: str, willing: Iterable[int], area: PolicyArea = PARKS) -> KnownNetwork:
    return KnownNetwork(network_id, area, frozenset(willing))


def identified(
    networks: Sequence[CandidateNetwork], before: Sequence[KnownNetwork] = (), namespace: str = "council"
) -> list[IdentifiedNetwork]:
    return identify(networks, before, names=NAMES, namespace=namespace)[0]


def gone(networks: Sequence[CandidateNetwork], before: Sequence[KnownNetwork]) -> list[str]:
    return [network.network_id for network in identify(networks, before, names=NAMES, namespace="council")[1]]


@pytest.mark.parametrize(
    ("before", "now", "change", "joined", "departed"),
    [
        pytest.param(range(6), range(6), Change.SAME, 0, 0, id="the same"),
        pytest.param(range(6), range(9), Change.GROWN, 3, 0, id="grown by three"),
        pytest.param(range(6), range(4), Change.SHRUNK, 0, 2, id="shrunk by two"),
        pytest.param(range(6), range(2, 8), Change.GROWN, 2, 2, id="as many came as left"),
        pytest.param(range(4), range(20), Change.GROWN, 16, 0, id="grown to five times its size"),
        pytest.param([-1, -2, 0, 1, 2], range(3), Change.SHRUNK, 0, 2, id="some wrote nothing that is still there"),
    ],
)
def test_a_network_keeps_its_id_and_says_who_came_and_left(
    before: Iterable[int], now: Iterable[int], change: Change, joined: int, departed: int
) -> None:
    (one,) = identified([found(now)], [known("n-old", before)])
    assert (one.network_id, one.change, one.joined, one.departed) == ("n-old", change, joined, departed)


def test_a_network_of_other_voices_or_of_another_area_is_new_and_the_old_one_gone() -> None:
    before = [known("n-old", range(6))]
    for other in (found(range(50, 56)), found(range(6), WASTE), found([4, 5, *range(50, 55)])):
        (one,) = identified([other], before)
        assert (one.change, one.voices_before, one.origins) == (Change.NEW, 0, ())
        assert one.network_id != "n-old"
        assert gone([other], before) == ["n-old"]


def test_networks_that_come_together_keep_the_id_of_the_one_that_is_most_like_them() -> None:
    before = [known("n-small", range(10, 14)), known("n-large", range(8))]
    (one,) = identified([found([*range(8), *range(10, 14)])], before)
    assert (one.network_id, one.change, one.origins) == ("n-large", Change.MERGED, ("n-small", "n-large"))
    assert gone([found([*range(8), *range(10, 14)])], before) == []


def test_a_network_that_splits_leaves_its_id_to_the_larger_part_and_the_other_says_where_it_came_from() -> None:
    large, small = identified([found(range(7)), found(range(7, 11))], [known("n-old", range(11))])
    assert (large.network_id, large.change, large.departed) == ("n-old", Change.SHRUNK, 4)
    assert (small.change, small.origins) == (Change.SPLIT, ("n-old",))
    assert small.network_id != "n-old"


def test_two_networks_that_swap_some_voices_keep_each_its_own_id() -> None:
    before = [known("n-a", range(8)), known("n-b", range(10, 18))]
    one, other = identified([found([*range(7), 17]), found([*range(10, 17), 7])], before)
    assert (one.network_id, other.network_id) == ("n-a", "n-b")
    assert (one.change, other.change) == (Change.GROWN, Change.GROWN)


def test_a_new_id_depends_on_the_first_posts_of_the_voices_the_area_and_the_council_only() -> None:
    ids = {
        one.network_id
        for one in (*identified([found(range(3))]), *identified([found(range(4))]), *identified([found(range(3), WASTE)]),
                    *identified([found(range(3))], namespace="another"))
    }  # fmt: skip
    assert len(ids) == 4
    assert identified([found(range(3))])[0].network_id in ids


def test_a_new_network_never_takes_an_id_that_another_one_holds() -> None:
    first = identified([found(range(3))])[0].network_id
    grown, new = identified([found(range(3, 9)), found(range(3))], [known(first, range(3, 8))])
    assert (grown.network_id, grown.change) == (first, Change.GROWN)
    assert new.network_id != first


def test_a_new_network_never_takes_an_id_of_another_ranking() -> None:
    first = identified([found(range(3))])[0].network_id
    (new,), _ = identify([found(range(3))], [], names=NAMES, namespace="council", held={first})
    assert (new.change, new.network_id != first) == (Change.NEW, True)


GROUPS = st.lists(st.integers(0, 5), min_size=12, max_size=12)


def grouped(labels: Sequence[int]) -> list[frozenset[int]]:
    groups = [frozenset(voice for voice, label in enumerate(labels) if label == group) for group in range(6)]
    return [group for group in groups if len(group) >= 3]


@given(GROUPS, GROUPS)
def test_every_network_has_an_id_of_its_own_and_every_voice_is_accounted_for(before: list[int], now: list[int]) -> None:
    olds = [known(f"n-{place}", group) for place, group in enumerate(grouped(before))]
    some = identified([found(group) for group in grouped(now)], olds)
    assert len({one.network_id for one in some}) == len(some)
    for one in some:
        assert one.voices_before + one.joined - one.departed == len(one.network.willing)
        assert (one.change in {Change.MERGED, Change.SPLIT}) == bool(one.origins)
    again = identified([one.network for one in some], [known(one.network_id, one.network.willing) for one in some])
    assert [(one.network_id, one.change) for one in again] == [(one.network_id, Change.SAME) for one in some]


@pytest.mark.parametrize(
    ("change", "moved", "expected"),
    [
        (Change.GROWN, {"joined": 3, "departed": 0}, "The same network, grown by 3 voices."),
        (Change.GROWN, {"joined": 2, "departed": 1}, "The same network: 2 voices joined and 1 voice is not in it any more."),
        (Change.SHRUNK, {"joined": 0, "departed": 2}, "The same network, smaller: 2 voices are not in it any more."),
        (Change.MERGED, {"joined": 4, "departed": 0, "origins": 2}, "2 networks of the list before have come together in it."),
        (Change.SPLIT, {"joined": 4, "departed": 0, "origins": 1}, "It came out of a larger network of the list before."),
    ],
    ids=["grown", "came and left", "shrunk", "merged", "split"],
)
def test_what_became_of_a_network_is_said_in_a_sentence(change: Change, moved: dict[str, int], expected: str) -> None:
    assert change_sentence(change, **moved) == expected
