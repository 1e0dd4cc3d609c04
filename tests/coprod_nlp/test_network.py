"""Networks: who met whom, weighed by kind and age, and the groups of willing voices that come of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from coprod_nlp.network.consensus import likeness
from coprod_nlp.network.gather import Wills
from coprod_nlp.network.graph import graph_of, neighbourhood
from coprod_nlp.network.groups import GroupRules, find_networks
from coprod_nlp.network.ties import area_ties, build_ties, decay, decays
from coprod_nlp.records import INTERACTION_KINDS, TIE_KINDS, CandidateNetwork, Interactions, Ties
from coprod_nlp.vocabulary import InteractionKind, PolicyArea, TieKind

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HALF_LIFE = 180.0
WEIGHTS = {InteractionKind.REPLY: 1.0, InteractionKind.MENTION: 0.8, InteractionKind.THREAD: 0.5}
MOMENTS = st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  (made aware)
VOICES = st.integers(0, 5)
HAPPENED = st.tuples(st.sampled_from(InteractionKind), VOICES, VOICES, st.sampled_from([0.0, 90.0, 400.0, float("nan")]))
RULES = GroupRules(
    minimum_voices=3, resolutions=(0.25, 0.5, 1.0), seeds=4, seed=1, iterations=3, divide_above=25, half_life_days=HALF_LIFE,
    area_weight=0.1, area_reach=3, area_days=30,
)  # fmt: skip
PARKS = PolicyArea.PARKS
Happened = tuple[InteractionKind, int, int, float]

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def columns(happened: Iterable[Happened]) -> Interactions:
    rows = list(happened)
    return Interactions(
        np.array([INTERACTION_KINDS.index(row[0]) for row in rows], dtype=np.int8), np.array([row[1] for row in rows], dtype=np.int32),
        np.array([row[2] for row in rows], dtype=np.int32), np.array([row[3] for row in rows], dtype=np.float64),
    )  # fmt: skip


def ties(happened: Iterable[Happened]) -> Ties:
    return build_ties(columns(happened), weights=WEIGHTS, half_life_days=HALF_LIFE)


def weights(found: Ties) -> dict[tuple[int, int], float]:
    return {(int(a), int(b)): float(w) for a, b, w in zip(found.firsts, found.seconds, found.weights.sum(axis=1), strict=True)}


def reply(source: int, target: int, *, days: float = 0.0) -> Happened:
    return (InteractionKind.REPLY, source, target, days)


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, 1.0), (HALF_LIFE, 0.5), (2 * HALF_LIFE, 0.25), (3 * HALF_LIFE, 0.125), (HALF_LIFE / 2, 0.5**0.5)],
    ids=["new", "one half-life", "two", "three", "half of one"],
)
def test_a_weight_halves_with_every_half_life(days: float, expected: float) -> None:
    assert decay(NOW - timedelta(days=days), as_of=NOW, half_life_days=HALF_LIFE) == pytest.approx(expected)
    assert decays(np.array([float(days)]), half_life_days=HALF_LIFE)[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("happened_at", "as_of"), [(None, NOW), (NOW, None), (None, None)], ids=["time of the thing", "time of the question", "both"]
)
def test_an_unknown_time_weighs_half(happened_at: datetime | None, as_of: datetime | None) -> None:
    assert decay(happened_at, as_of=as_of, half_life_days=HALF_LIFE) == 0.5
    assert decays(np.array([np.nan]), half_life_days=HALF_LIFE)[0] == 0.5


def test_a_time_after_the_moment_of_the_question_counts_as_new() -> None:
    assert decay(NOW + timedelta(days=400), as_of=NOW, half_life_days=HALF_LIFE) == 1.0
    assert decays(np.array([-400.0]), half_life_days=HALF_LIFE)[0] == 1.0


@unhurried
@given(happened_at=MOMENTS, later=st.timedeltas(timedelta(0), timedelta(days=3000)))
def test_nothing_gains_weight_by_growing_older(happened_at: datetime | None, later: timedelta) -> None:
    now, then = (decay(happened_at, as_of=moment, half_life_days=HALF_LIFE) for moment in (NOW, NOW + later))
    assert 0 <= then <= now <= 1


@unhurried
@given(st.lists(HAPPENED, max_size=20))
def test_ties_have_no_direction(happened: list[Happened]) -> None:
    assert weights(ties((kind, target, source, days) for kind, source, target, days in happened)) == weights(ties(happened))


@unhurried
@given(st.lists(HAPPENED, max_size=20), st.lists(HAPPENED, max_size=20))
def test_ties_of_all_interactions_are_the_sum_of_the_ties_of_some_and_of_the_rest(some: list[Happened], rest: list[Happened]) -> None:
    whole, one, other = weights(ties(some + rest)), weights(ties(some)), weights(ties(rest))
    assert whole == pytest.approx({pair: one.get(pair, 0) + other.get(pair, 0) for pair in one | other})


@unhurried
@given(st.lists(HAPPENED, max_size=20), st.randoms(use_true_random=False))
def test_ties_are_the_same_to_the_last_digit_in_whatever_order_things_happened(happened: list[Happened], order: Random) -> None:
    shuffled = order.sample(happened, len(happened))
    assert weights(ties(shuffled)) == weights(ties(happened))


@unhurried
@given(st.lists(HAPPENED, max_size=20))
def test_there_is_one_tie_a_pair_smaller_number_first_and_none_with_oneself(happened: list[Happened]) -> None:
    found = ties(happened)
    pairs = list(zip(found.firsts.tolist(), found.seconds.tolist(), strict=True))
    assert pairs == sorted({(min(row[1:3]), max(row[1:3])) for row in happened if row[1] != row[2]})


def test_a_tie_keeps_its_kinds_apart_each_by_its_weight_and_age() -> None:
    found = ties([
        reply(1, 0), reply(0, 1, days=HALF_LIFE), reply(0, 0), (InteractionKind.MENTION, 1, 0, HALF_LIFE),
        (InteractionKind.THREAD, 0, 1, 0.0), (InteractionKind.THREAD, 0, 1, float("nan")),
    ])  # fmt: skip
    kinds = dict(zip(TIE_KINDS, found.weights[0].tolist(), strict=True))
    assert len(found) == 1
    assert kinds == pytest.approx({TieKind.REPLY: 1.5, TieKind.MENTION: 0.4, TieKind.THREAD: 0.75, TieKind.AREA: 0.0})


def test_interactions_that_weigh_nothing_make_no_tie() -> None:
    happened = columns([(InteractionKind.THREAD, 0, 1, 0.0), reply(1, 2)])
    found = build_ties(happened, weights={InteractionKind.REPLY: 1.0}, half_life_days=HALF_LIFE)
    assert weights(found) == {(1, 2): 1.0}


def shared(rows: Sequence[tuple[int, int, float]], *, reach: int = 3, window_days: float = 30) -> dict[tuple[int, int], float]:
    """Ties of willing messages given as (voice, community, age)."""
    return weights(
        area_ties(
            np.array([row[0] for row in rows], dtype=np.int32), np.array([row[1] for row in rows], dtype=np.int32),
            np.array([row[2] for row in rows]), weight=0.1, half_life_days=HALF_LIFE, reach=reach, window_days=window_days,
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([(0, 0, 5), (1, 0, 0)], {(0, 1)}, id="within the window"),
        pytest.param([(0, 0, 40), (1, 0, 0)], set(), id="too long ago of each other"),
        pytest.param([(0, 0, 5), (1, 1, 0)], set(), id="in two communities"),
        pytest.param([(0, 0, 5), (0, 0, 0)], set(), id="one voice twice"),
        pytest.param([(0, 0, float("nan")), (1, 0, 0)], set(), id="a time that is not known"),
        pytest.param([], set(), id="nobody"),
    ],
)
def test_voices_who_would_help_in_one_area_are_tied_where_and_when_they_are_near(
    rows: list[tuple[int, int, float]], expected: set[tuple[int, int]]
) -> None:
    assert set(shared(rows)) == expected


def test_ties_of_a_shared_area_reach_the_next_few_messages_only_and_never_add_up_beyond_their_weight() -> None:
    crowd = [(voice, 0, 10.0) for voice in range(50)]
    assert len(shared(crowd, reach=2)) == 49 + 48
    assert max(shared(crowd * 4).values()) <= 0.1


def clique(voices: Sequence[int], *, days: float = 0.0) -> list[Happened]:
    return [reply(first, second, days=days) for first, second in combinations(voices, 2)]


def wills(voices: Iterable[int], *, community: Mapping[int, int] | None = None, crowd: Mapping[int, int] | None = None) -> Wills:
    some = list(voices)
    places = [(community or {}).get(voice, 0) for voice in some]
    # So long ago of each other that a shared area joins nobody.
    ages = np.array([50.0 * place for place in range(len(some))])
    return Wills(np.array(some, dtype=np.int32), np.array(places, dtype=np.int32), ages, crowd or {})


def networks(
    happened: Iterable[Happened], willing: Iterable[int], *, voices: int = 60, rules: GroupRules = RULES, **told: Mapping[int, int]
) -> list[CandidateNetwork]:
    return find_networks(ties(happened), {PARKS: wills(willing, **told)}, voices=voices, rules=rules)


def test_two_cliques_with_a_thin_bridge_are_two_networks_largest_first() -> None:
    found = networks([*clique(range(6)), *clique(range(10, 14)), reply(5, 10, days=2000)], [*range(6), *range(10, 14)])
    assert [network.willing for network in found] == [tuple(range(6)), tuple(range(10, 14))]
    assert [network.ties for network in found] == [15, 6]
    assert not any(network.is_gathered for network in found)


def test_a_network_holds_willing_voices_and_the_people_between_them_and_nobody_who_only_passed_by() -> None:
    happened = [*clique([0, 1, 2]), reply(7, 0), reply(7, 1), reply(8, 2), *(reply(9, other) for other in (0, 1, *range(20, 50)))]
    (found,) = networks(happened, [0, 1, 2])
    assert (found.willing, found.between) == ((0, 1, 2), (7,))


def test_two_who_met_the_same_people_belong_together_and_two_who_met_a_celebrity_do_not() -> None:
    friend = [reply(voice, 10 + place) for voice in (0, 1, 2) for place in range(3)]
    (found,) = networks(friend, [0, 1, 2])
    assert (found.willing, found.is_gathered) == ((0, 1, 2), False)
    celebrity = [*(reply(voice, 50) for voice in range(3, 50)), *(reply(voice, 20 + voice) for voice in (0, 1, 2) for _ in range(9))]
    near = neighbourhood(graph_of(ties([*celebrity, *(reply(voice, 50) for voice in (0, 1, 2))]), voices=60), np.array([0, 1, 2]))
    assert near.joined.sum() / near.strength.sum() < 0.02


@pytest.mark.parametrize(("minimum", "sizes"), [(3, [4, 3]), (4, [4]), (5, [])], ids=["three", "four", "five"])
def test_networks_of_fewer_willing_voices_than_asked_are_never_given(minimum: int, sizes: list[int]) -> None:
    happened = [*clique([0, 1]), *clique([3, 4, 5]), *clique([7, 8, 9, 10])]
    found = networks(happened, [3, 4, 5, 7, 8, 9, 10], rules=replace(RULES, minimum_voices=minimum))
    assert [len(network.willing) for network in found if not network.is_gathered] == sizes
    assert all(len(network.willing) >= minimum for network in found)


def test_willing_voices_who_met_nobody_are_gathered_where_they_wrote() -> None:
    community = {20: 1, 21: 1, 22: 1, 30: 2, 31: 2}
    found = networks(clique([0, 1, 2]), [0, 1, 2, *community], community=community, crowd={1: 9})
    assert [(network.willing, network.is_gathered, network.crowd) for network in found] == [
        ((0, 1, 2), False, 0), ((20, 21, 22), True, 9)
    ]  # fmt: skip
    assert found[1].meetings == (0.0, 0.0, 0.0)


def test_voices_without_any_ties_at_all_are_gathered_too() -> None:
    (found,) = networks([], [4, 5, 6])
    assert (found.willing, found.is_gathered, found.ties) == ((4, 5, 6), True, 0)
    assert networks([], [4, 5]) == []


def test_a_voice_that_only_brushes_past_a_group_is_not_of_it() -> None:
    elsewhere = [reply(6, 20 + place) for place in range(30)]
    (found,) = networks([*clique(range(6)), reply(6, 0), *elsewhere], range(7))
    assert found.willing == tuple(range(6))


def test_an_organiser_who_meets_everybody_stays_in_the_group_that_they_hold_together() -> None:
    happened = [*(reply(0, voice) for voice in range(1, 6)), *clique([1, 2, 3, 4, 5]), *(reply(0, 20 + place) for place in range(40))]
    found = networks(happened, range(6), voices=80)
    assert found[0].willing == tuple(range(6))


def test_a_large_network_is_divided_where_its_parts_hold_together() -> None:
    parts = [range(start, start + 9) for start in range(0, 36, 9)]
    bridges = [reply(parts[one][place], parts[one + 1][place]) for one in range(3) for place in range(4)]
    happened = [*(row for part in parts for row in clique(part)), *bridges]
    coarse = replace(RULES, resolutions=(0.01,), divide_above=1000)
    assert [len(network.willing) for network in networks(happened, range(36), rules=coarse)] == [36]
    divided = networks(happened, range(36), rules=replace(RULES, resolutions=(0.01, 0.5), divide_above=25))
    assert {network.willing for network in divided} == {tuple(part) for part in parts}


def test_a_large_network_without_parts_stays_whole() -> None:
    (found,) = networks(clique(range(30)), range(30))
    assert len(found.willing) == 30


PEOPLE = st.integers(0, 14)
MEETINGS = st.lists(st.tuples(PEOPLE, PEOPLE, st.sampled_from([0.0, 100.0, 300.0])), min_size=1, max_size=40)


@unhurried
@given(MEETINGS, st.sets(PEOPLE), st.randoms(use_true_random=False))
def test_nobody_is_in_two_networks_of_an_area_and_the_order_of_the_rows_does_not_matter(
    met: list[tuple[int, int, float]], willing: set[int], order: Random
) -> None:
    happened = [reply(first, second, days=days) for first, second, days in met]
    found = networks(happened, sorted(willing), voices=15)
    members = [voice for network in found for voice in (*network.willing, *network.between)]
    assert len(members) == len(set(members))
    assert {voice for network in found for voice in network.willing} <= willing
    assert all(len(network.willing) >= 3 for network in found)
    assert networks(order.sample(happened, len(happened)), sorted(willing), voices=15) == found


@unhurried
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30))
def test_likeness_is_the_adjusted_rand_index(pairs: list[tuple[int, int]]) -> None:
    one, other = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    assert likeness(one, other) == pytest.approx(adjusted_rand_score(one, other))
