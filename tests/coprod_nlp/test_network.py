"""Networks: who met whom, weighed by age, and the groups that come of it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import combinations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coprod_nlp.network.groups import find_networks
from coprod_nlp.network.ties import build_ties, decay
from coprod_nlp.records import CandidateNetwork, Interaction, Tie
from coprod_nlp.vocabulary import InteractionKind

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HALF_LIFE = 180.0
WEIGHTS = {InteractionKind.REPLY: 1.0, InteractionKind.THREAD: 0.5}
KEYS = st.sampled_from("abcde")
MOMENTS = st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  (made aware)
INTERACTIONS = st.lists(st.builds(Interaction, st.sampled_from(InteractionKind), KEYS, KEYS, MOMENTS), max_size=20)

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def ties(interactions: Sequence[Interaction], *, as_of: datetime | None = NOW) -> list[Tie]:
    return build_ties(interactions, weights=WEIGHTS, as_of=as_of, half_life_days=HALF_LIFE)


def weights(found: Sequence[Tie]) -> dict[tuple[str, str], float]:
    return {(tie.first_key, tie.second_key): tie.weight for tie in found}


def reply(source: str, target: str, *, days_ago: float = 0.0) -> Interaction:
    return Interaction(InteractionKind.REPLY, source, target, NOW - timedelta(days=days_ago))


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, 1.0), (HALF_LIFE, 0.5), (2 * HALF_LIFE, 0.25), (3 * HALF_LIFE, 0.125), (HALF_LIFE / 2, 0.5**0.5)],
    ids=["new", "one half-life", "two", "three", "half of one"],
)
def test_a_weight_halves_with_every_half_life(days: float, expected: float) -> None:
    assert decay(NOW - timedelta(days=days), as_of=NOW, half_life_days=HALF_LIFE) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("happened_at", "as_of"), [(None, NOW), (NOW, None), (None, None)], ids=["time of the thing", "time of the question", "both"]
)
def test_an_unknown_time_weighs_half(happened_at: datetime | None, as_of: datetime | None) -> None:
    assert decay(happened_at, as_of=as_of, half_life_days=HALF_LIFE) == 0.5


def test_a_time_after_the_moment_of_the_question_counts_as_new() -> None:
    assert decay(NOW + timedelta(days=400), as_of=NOW, half_life_days=HALF_LIFE) == 1.0


@unhurried
@given(happened_at=MOMENTS, later=st.timedeltas(timedelta(0), timedelta(days=3000)))
def test_nothing_gains_weight_by_growing_older(happened_at: datetime | None, later: timedelta) -> None:
    now, then = (decay(happened_at, as_of=moment, half_life_days=HALF_LIFE) for moment in (NOW, NOW + later))
    assert 0 <= then <= now <= 1


@unhurried
@given(INTERACTIONS)
def test_ties_have_no_direction(interactions: list[Interaction]) -> None:
    turned = [Interaction(item.kind, item.target_key, item.source_key, item.happened_at) for item in interactions]
    assert ties(turned) == ties(interactions)


@unhurried
@given(INTERACTIONS, INTERACTIONS)
def test_ties_of_all_interactions_are_the_sum_of_the_ties_of_some_and_of_the_rest(some: list[Interaction], rest: list[Interaction]) -> None:
    whole, one, other = weights(ties(some + rest)), weights(ties(some)), weights(ties(rest))
    assert whole == pytest.approx({pair: one.get(pair, 0) + other.get(pair, 0) for pair in one | other})


@unhurried
@given(INTERACTIONS)
def test_there_is_one_tie_a_pair_smaller_key_first_and_none_with_oneself(interactions: list[Interaction]) -> None:
    pairs = [(tie.first_key, tie.second_key) for tie in ties(interactions)]
    assert pairs == sorted(set(pairs))
    assert all(first < second for first, second in pairs)
    assert set(pairs) == {tuple(sorted((i.source_key, i.target_key))) for i in interactions if i.source_key != i.target_key}


def test_a_tie_adds_up_replies_both_ways_and_shared_threads_by_their_weights_and_ages() -> None:
    found = ties([
        reply("b", "a"), reply("a", "b", days_ago=HALF_LIFE), reply("a", "a"),
        Interaction(InteractionKind.THREAD, "a", "b", NOW), Interaction(InteractionKind.THREAD, "a", "b", None),
    ])  # fmt: skip
    assert weights(found) == {("a", "b"): pytest.approx(1.0 + 0.5 + 0.5 + 0.25)}


def test_interactions_that_weigh_nothing_make_no_tie() -> None:
    nothing = {InteractionKind.REPLY: 1.0, InteractionKind.THREAD: 0.0}
    found = build_ties(
        [Interaction(InteractionKind.THREAD, "a", "b", NOW), reply("b", "c")], weights=nothing, as_of=NOW, half_life_days=HALF_LIFE
    )
    assert weights(found) == {("b", "c"): 1.0}


def clique(voices: Sequence[str], weight: float = 1.0) -> list[Tie]:
    return [Tie(first, second, weight) for first, second in combinations(sorted(voices), 2)]


def found_in(
    some: Sequence[Tie], *, order: Mapping[str, int] | None = None, minimum_voices: int = 3, namespace: str = "n", seed: int = 1
) -> list[CandidateNetwork]:
    keys = sorted({key for tie in some for key in (tie.first_key, tie.second_key)})
    order = order or {key: place for place, key in enumerate(keys)}
    return find_networks(some, order=order, namespace=namespace, minimum_voices=minimum_voices, resolution=1.0, iterations=3, seed=seed)


def voices(networks: Sequence[CandidateNetwork]) -> set[tuple[str, ...]]:
    return {network.voices for network in networks}


def test_two_cliques_with_a_thin_bridge_are_two_networks_largest_first() -> None:
    networks = found_in([*clique("abcde"), *clique("wxyz"), Tie("e", "w", 0.1)])
    assert [network.voices for network in networks] == [tuple("abcde"), tuple("wxyz")]


def test_a_network_holds_the_ties_among_its_own_voices_and_no_other() -> None:
    bridge = Tie("e", "w", 0.1)
    networks = found_in([*clique("abcde"), *clique("wxyz"), bridge])
    assert [set(network.ties) for network in networks] == [set(clique("abcde")), set(clique("wxyz"))]


@pytest.mark.parametrize(
    ("minimum", "expected"),
    [(2, {("a", "b"), ("p", "q", "r"), tuple("wxyz")}), (3, {("p", "q", "r"), tuple("wxyz")}), (4, {tuple("wxyz")}), (5, set())],
    ids=["two", "three", "four", "five"],
)
def test_networks_of_fewer_voices_than_asked_are_never_given(minimum: int, expected: set[tuple[str, ...]]) -> None:
    assert voices(found_in([*clique("ab"), *clique("pqr"), *clique("wxyz")], minimum_voices=minimum)) == expected


def test_without_ties_there_are_no_networks() -> None:
    assert found_in([]) == []


PEOPLE = st.integers(0, 14)
RINGS = st.lists(st.tuples(PEOPLE, PEOPLE, st.sampled_from([0.5, 1.0, 2.25])), min_size=1, max_size=40)


def renamed(pairs: Sequence[tuple[int, int, float]], secret: str) -> tuple[list[Tie], dict[str, int], dict[str, int]]:
    """The same people under the keys that another secret would give them; back from key to person, and the order to use."""
    key_of = {person: sha256(f"{secret}{person}".encode()).hexdigest() for pair in pairs for person in pair[:2]}
    totals: dict[tuple[str, str], float] = {}
    for first, second, weight in pairs:
        if first != second:
            low, high = sorted((key_of[first], key_of[second]))
            totals[low, high] = totals.get((low, high), 0) + weight
    person_of = {key: person for person, key in key_of.items()}
    order = {key: place for place, (_, key) in enumerate(sorted((person, key) for key, person in person_of.items()))}
    return [Tie(first, second, weight) for (first, second), weight in sorted(totals.items())], person_of, order


@unhurried
@given(RINGS)
@example([(person, (person + step) % 15, 1.0) for person in range(15) for step in (1, 4)])
def test_the_groups_are_the_same_whatever_secret_made_the_keys(pairs: list[tuple[int, int, float]]) -> None:
    people = []
    for secret in ("one", "another", "a third"):
        found, person_of, order = renamed(pairs, secret)
        people.append({frozenset(person_of[key] for key in network.voices) for network in found_in(found, order=order)})
    assert people[0] == people[1] == people[2]


@unhurried
@given(RINGS)
def test_nobody_is_in_two_networks_and_the_order_of_the_ties_does_not_matter(pairs: list[tuple[int, int, float]]) -> None:
    found, _, order = renamed(pairs, "one")
    networks = found_in(found, order=order)
    members = [key for network in networks for key in network.voices]
    assert len(members) == len(set(members))
    assert all(network.voices == tuple(sorted(network.voices)) for network in networks)
    assert [network.network_id for network in found_in(found[::-1], order=order)] == [network.network_id for network in networks]


def test_a_networks_id_depends_on_its_voices_and_namespace_only() -> None:
    (one,) = found_in(clique("abc"))
    (heavier,) = found_in(clique("abc", weight=5.0), seed=99)
    (elsewhere,) = found_in(clique("abc"), namespace="another council")
    (others,) = found_in(clique("abd"))
    assert one.network_id == heavier.network_id
    assert len({one.network_id, elsewhere.network_id, others.network_id}) == 3
