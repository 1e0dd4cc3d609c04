"""Ranking: networks and messages are scored by what was written, unknown is not zero, and few voices are never shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coprod_nlp.network.identity import IdentifiedNetwork
from coprod_nlp.ranking.leads import rank_leads
from coprod_nlp.ranking.reasons import PART_NAMES
from coprod_nlp.ranking.rules import Fit, RankingRules, weights_digest
from coprod_nlp.records import CandidateNetwork, Message, RankedLead, Score
from coprod_nlp.vocabulary import WILLING_SIGNALS, Approach, Change, PolicyArea, Signal

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
WEIGHTS = {
    "willingness": 25.0, "ability": 10.0, "identification": 5.0, "substance": 20.0, "fit": 10.0, "connectedness": 10.0, "freshness": 8.0,
    "under_exploration": 5.0, "approachability": 7.0, "variety": 10.0,
}  # fmt: skip
RULES = RankingRules(
    weights=WEIGHTS, minimum_voices=3, resamples=60, seed=5, half_life_days=180, as_of=NOW, fits={PolicyArea.PARKS: Fit(0.8, 0.4, 1)}
)
VOICES = tuple("abcde")
KEYS = tuple("abcdefghijklmnopqrstuvwxyz")
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def message(
    post_id: str, voice: str, *signals: Signal, areas: Iterable[PolicyArea] = (PolicyArea.PARKS,), willing: float = 0.9,
    at: datetime | None = NOW,
) -> Message:  # fmt: skip
    is_willing = bool(set(WILLING_SIGNALS) & set(signals))
    return Message(
        post_id, voice, "town", at, willing if is_willing else 0.05, is_willing, dict.fromkeys(areas, 0.8), dict.fromkeys(signals, 0.8)
    )


def offers(voices: Sequence[str], *more: Signal, at: datetime | None = NOW) -> list[Message]:
    return [message(f"m{place}", voice, Signal.OFFER, *more, at=at) for place, voice in enumerate(voices)]


IN_TWO_AREAS = [message(v, v, Signal.OFFER, areas=[PolicyArea.PARKS, PolicyArea.WASTE]) for v in "abc"]


def network(
    willing: Iterable[str], area: PolicyArea = PolicyArea.PARKS, *, between: int = 0, meetings: float = 1.0, crowd: int | None = None,
    network_id: str = "n-1",
) -> IdentifiedNetwork:  # fmt: skip
    """Voices who all met each other, or who are gathered from a crowd where one is given."""
    voices = tuple(KEYS.index(key) for key in sorted(set(willing)))
    found = CandidateNetwork(
        area, voices, tuple(range(100, 100 + between)), (0.0 if crowd else meetings,) * len(voices), 0, crowd is not None, crowd or 0
    )
    return IdentifiedNetwork(network_id, found, Change.NEW)


def willing_networks(messages: Iterable[Message]) -> list[IdentifiedNetwork]:
    """For each area one network of all of its willing voices but strangers, as finding them would give."""
    willing: dict[PolicyArea, set[str]] = {}
    for item in messages:
        for area in item.areas if item.is_willing and item.author_key in KEYS else ():
            willing.setdefault(area, set()).add(item.author_key)
    return [network(voices, area, network_id=f"n-{area}") for area, voices in sorted(willing.items())]


def leads(
    messages: Iterable[Message], rules: RankingRules = RULES, networks: Sequence[IdentifiedNetwork] | None = None
) -> list[RankedLead]:
    some = list(messages)
    return rank_leads(willing_networks(some) if networks is None else networks, some, keys=KEYS, rules=rules)


def only(messages: Iterable[Message], rules: RankingRules = RULES, **changed: Any) -> RankedLead:
    some = list(messages)
    voices = {item.author_key for item in some if item.is_willing}
    (lead,) = leads(some, rules, [network(voices, **changed)])
    return lead


def values(score: Score) -> dict[str, float | None]:
    return {part.key: part.value for part in score.parts}


MESSAGES = st.lists(
    st.tuples(
        st.sampled_from((*VOICES, "stranger")),
        st.sets(st.sampled_from(Signal), max_size=3),
        st.sets(st.sampled_from([PolicyArea.PARKS, PolicyArea.WASTE]), max_size=2),
        st.floats(0.5, 1),
        st.none() | st.integers(-30, 2000),
    ),
    max_size=25,
).map(
    lambda rows: [
        message(f"m{place}", voice, *sorted(signals), areas=sorted(areas), willing=willing,
                at=None if days is None else NOW - timedelta(days=days))
        for place, (voice, signals, areas, willing, days) in enumerate(rows)
    ]
)  # fmt: skip


@unhurried
@given(MESSAGES, st.integers(3, 5))
def test_no_lead_has_fewer_willing_voices_than_the_minimum(messages: list[Message], minimum: int) -> None:
    expected: dict[PolicyArea, set[str]] = {PolicyArea.PARKS: set(), PolicyArea.WASTE: set()}
    for item in messages:
        for area in item.areas:
            expected[area] |= {item.author_key} & set(VOICES) if item.is_willing else set()
    found = {lead.area: set(lead.voices) for lead in leads(messages, replace(RULES, minimum_voices=minimum))}
    assert found == {area: voices for area, voices in expected.items() if len(voices) >= minimum}


@unhurried
@given(MESSAGES)
def test_leads_come_best_first_with_scores_between_0_and_100_inside_their_ranges(messages: list[Message]) -> None:
    found = leads(messages)
    assert [lead.score.total for lead in found] == sorted((lead.score.total for lead in found), reverse=True)
    for score in (lead.score for lead in found):
        assert 0 <= score.low <= score.total <= score.high <= 100
        assert [part.key for part in score.parts] == list(PART_NAMES)
        assert all(part.value is None or 0 <= part.value <= 1 for part in score.parts)


@unhurried
@given(MESSAGES)
def test_a_score_is_the_sum_of_its_known_parts_scaled_to_100(messages: list[Message]) -> None:
    for lead in leads(messages):
        known = [part for part in lead.score.parts if part.points is not None]
        assert all(part.points == pytest.approx(part.value * part.weight) for part in known if part.value is not None)
        expected = 100 * sum(part.points or 0 for part in known) / sum(part.weight for part in known)
        assert lead.score.total == pytest.approx(expected, abs=0.006)


@unhurried
@given(MESSAGES, st.randoms(use_true_random=False))
def test_the_same_messages_in_any_order_give_the_same_leads(messages: list[Message], order: Random) -> None:
    networks = [*willing_networks(messages), network("pqr", network_id="n-other")]
    first = leads(messages, networks=networks)
    again = leads(order.sample(messages, len(messages)), networks=networks[::-1])
    assert [lead.lead_id for lead in first] == [lead.lead_id for lead in again]
    for one, same in zip(first, again, strict=True):
        assert (one.voices, one.messages, one.stages, dict(one.approaches)) == (
            same.voices,
            same.messages,
            same.stages,
            dict(same.approaches),
        )
        assert (one.score.total, one.score.low, one.score.high) == pytest.approx((same.score.total, same.score.low, same.score.high))


@unhurried
@given(
    st.lists(st.sampled_from(VOICES), min_size=1, max_size=10),
    st.sampled_from(WILLING_SIGNALS),
    st.floats(0.5, 1),
    st.none() | st.integers(0, 900),
)
def test_more_willing_messages_of_the_same_kind_never_lower_a_score(
    more: list[str], signal: Signal, willing: float, days: int | None
) -> None:
    at = None if days is None else NOW - timedelta(days=days)
    few = [message(f"m{place}", voice, signal, willing=willing, at=at) for place, voice in enumerate("abc")]
    many = few + [message(f"n{place}", voice, signal, willing=willing, at=at) for place, voice in enumerate(more)]
    assert only(many).score.total >= only(few).score.total


@pytest.mark.parametrize("voice", ["a", "d"], ids=["one of them", "a new voice"])
def test_a_question_how_to_join_never_lowers_the_score_of_those_already_active(voice: str) -> None:
    active = [message(v, v, Signal.ACTIVE) for v in "abc"]
    assert only([*active, message("m9", voice, Signal.SEEK)]).score.total >= only(active).score.total


def test_voices_count_only_when_willing() -> None:
    two_and_a_supporter = [*offers("ab"), message("m9", "c", Signal.PURPOSE), message("m8", "c", Signal.ABILITY)]
    assert leads(two_and_a_supporter, networks=[network("abc")]) == []
    lead = only([*offers("abc"), message("m9", "d", Signal.PURPOSE)])
    assert lead.voices == ("a", "b", "c")
    assert [m.post_id for m in lead.messages] == ["m0", "m1", "m2"]


def test_other_messages_of_willing_voices_support_the_lead() -> None:
    lead = only([*offers("abc"), message("m9", "a", Signal.ABILITY)])
    assert [m.post_id for m in lead.messages] == ["m0", "m1", "m2", "m9"]
    assert (values(lead.score)["ability"] or 0) > (values(only(offers("abc")).score)["ability"] or 0)


def test_willing_voices_of_two_networks_are_not_added_up() -> None:
    apart = [network("ab"), network("cd", network_id="n-2")]
    assert leads(offers("abcd"), networks=apart) == []


def test_a_message_in_two_areas_counts_in_both_and_a_message_in_none_in_none() -> None:
    assert {lead.area for lead in leads(IN_TWO_AREAS)} == {PolicyArea.PARKS, PolicyArea.WASTE}
    assert leads([replace(item, areas={}) for item in IN_TWO_AREAS], networks=[network("abc")]) == []


def test_a_lead_keeps_its_id_as_long_as_its_network_does() -> None:
    ids = {lead.lead_id for lead in leads(IN_TWO_AREAS)}
    assert {lead.lead_id for lead in leads([*IN_TWO_AREAS, message("m9", "d", Signal.OFFER)])} == ids
    assert len(ids | {only(offers("abc"), network_id="n-7").lead_id}) == 3


@pytest.mark.parametrize(
    ("fits", "fit", "under_exploration"),
    [
        pytest.param({}, None, None, id="area not judged"),
        pytest.param({PolicyArea.PARKS: Fit(None, None, None)}, None, None, id="judged in nothing"),
        pytest.param({PolicyArea.PARKS: Fit(None, 0.4, 0)}, 0.4, 1.0, id="half judged"),
        pytest.param({PolicyArea.PARKS: Fit(0.0, 0.0, 3)}, 0.0, 0.25, id="judged to be nothing"),
        pytest.param({PolicyArea.PARKS: Fit(0.8, 0.4, None)}, 0.6, None, id="programmes not listed"),
    ],
)
def test_unknown_fit_is_not_known_and_not_zero(fits: Mapping[PolicyArea, Fit], fit: float | None, under_exploration: float | None) -> None:
    score = only(offers("abc"), replace(RULES, fits=fits)).score
    parts = {part.key: part for part in score.parts}
    for key, expected in (("fit", fit), ("under_exploration", under_exploration)):
        assert parts[key].value == (None if expected is None else pytest.approx(expected))
        assert (parts[key].points is None) is (expected is None)
        assert parts[key].sentence.startswith("Not known") is (expected is None)


def test_what_is_not_known_neither_helps_nor_harms() -> None:
    unknown = only(offers("abc"), replace(RULES, fits={})).score.total
    poor = only(offers("abc"), replace(RULES, fits={PolicyArea.PARKS: Fit(0.0, 0.0, 9)})).score.total
    good = only(offers("abc"), replace(RULES, fits={PolicyArea.PARKS: Fit(1.0, 1.0, 0)})).score.total
    assert poor < unknown < good


def test_freshness_is_not_known_without_times_and_taken_from_the_rest_where_some_have_one() -> None:
    assert values(only(offers("abc", at=None)).score)["freshness"] is None
    some = [*offers("ab", at=None), message("m9", "c", Signal.OFFER, at=NOW - timedelta(days=180))]
    assert values(only(some).score)["freshness"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("better", "worse", "part"),
    [
        pytest.param(offers("abcd"), offers("abc"), "willingness", id="a further voice"),
        pytest.param(offers("abcabc"), offers("abc"), "substance", id="coming back with further messages"),
        pytest.param([message(v, v, Signal.ACTIVE) for v in "abc"], offers("abc"), "substance", id="going on beats an offer"),
        pytest.param(offers("abc"), [message(v, v, Signal.SEEK) for v in "abc"], "substance", id="an offer beats a question"),
        pytest.param(offers("abc", Signal.ABILITY), offers("abc"), "ability", id="skills"),
        pytest.param(offers("abc", Signal.PURPOSE), offers("abc"), "identification", id="shared purpose"),
        pytest.param(offers("abc"), offers("abc", Signal.UNWILLING), "approachability", id="nobody who would rather not"),
        pytest.param(offers("abc"), offers("abc", at=NOW - timedelta(days=90)), "freshness", id="newer messages"),
    ],
)
def test_what_the_report_asks_for_raises_its_part_and_the_score(better: list[Message], worse: list[Message], part: str) -> None:
    up, down = only(better).score, only(worse).score
    assert (values(up)[part] or 0) > (values(down)[part] or 0)
    assert up.total > down.total


@pytest.mark.parametrize(
    ("meetings", "expected"), [(2.0, 1.0), (1.0, 1.0), (0.25, 0.25), (0.0, 0.0)], ids=["often", "once", "long ago", "never"]
)
def test_connectedness_is_how_far_the_voices_have_met_another_of_them(meetings: float, expected: float) -> None:
    assert values(only(offers("abc"), meetings=meetings).score)["connectedness"] == pytest.approx(expected)


def test_the_same_willing_voices_count_for_less_in_a_larger_crowd() -> None:
    few, many = only(offers("abc"), between=1), only(offers("abc"), between=30)
    assert (values(few.score)["willingness"] or 0) > (values(many.score)["willingness"] or 0)
    gathered = only(offers("abc"), crowd=33)
    assert values(gathered.score)["willingness"] == values(many.score)["willingness"]
    assert values(gathered.score)["connectedness"] == 0
    assert few.score.total > many.score.total > gathered.score.total


def test_scores_of_large_networks_stay_apart() -> None:
    def total(count: int) -> float:
        found = [replace(message(f"m{place:03}", "x", Signal.OFFER), author_key=f"v{place:03}") for place in range(count)]
        whole = CandidateNetwork(PolicyArea.PARKS, tuple(range(count)), (), (1.0,) * count, 0)
        keys = [f"v{place:03}" for place in range(count)]
        (lead,) = rank_leads([IdentifiedNetwork("n-1", whole, Change.NEW)], found, keys=keys, rules=RULES)
        return lead.score.total

    sizes = [total(count) for count in (3, 6, 12, 24)]
    assert [later - earlier for earlier, later in pairwise(sizes)] == [pytest.approx(6, abs=4)] * 3


@pytest.mark.parametrize(
    ("welcome", "words"),
    [
        pytest.param({"town": 1.0}, "is welcome to write there", id="welcome"),
        pytest.param({"town": 0.5}, "must ask there first", id="ask first"),
        pytest.param({"town": 0.0}, "may not write there", id="not welcome"),
        pytest.param({"elsewhere": 1.0}, "is not known", id="not known"),
    ],
)
def test_approachability_says_whether_the_council_may_write_where_they_wrote(welcome: Mapping[str, float], words: str) -> None:
    (part,) = (part for part in only(offers("abc"), replace(RULES, welcome=welcome)).score.parts if part.key == "approachability")
    assert words in part.sentence
    assert part.value == pytest.approx((1 + welcome["town"]) / 2 if "town" in welcome else 1.0)


def test_few_voices_have_a_wider_range_than_many() -> None:
    def spread(count: int) -> float:
        found = [message(f"m{place}", KEYS[place], (Signal.ACTIVE, Signal.SEEK)[place % 2]) for place in range(count)]
        score = only(found).score
        return score.high - score.low

    assert spread(4) > spread(24)


def test_every_part_says_itself_in_a_sentence() -> None:
    for lead in (only(offers("abc")), only(offers("abc"), crowd=20), only(offers("abc", at=None), replace(RULES, fits={}))):
        assert all(part.sentence.endswith(".") and len(part.sentence) > 20 for part in lead.score.parts)


def test_the_hash_of_the_weights_changes_with_any_weight_and_with_nothing_else() -> None:
    same = dict(reversed(WEIGHTS.items()))
    assert weights_digest(same) == weights_digest(WEIGHTS)
    assert len({weights_digest(WEIGHTS), *(weights_digest(WEIGHTS | {key: 1.5}) for key in WEIGHTS)}) == len(WEIGHTS) + 1


def test_another_seed_moves_the_range_and_never_the_score() -> None:
    mixed = [message(voice, voice, kind) for voice, kind in zip(VOICES, (*WILLING_SIGNALS, Signal.SEEK), strict=True)]
    one, other = only(mixed).score, only(mixed, replace(RULES, seed=6)).score
    assert one.total == other.total
    assert (one.low, one.high) != (other.low, other.high)


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (Signal.BARRIER, Approach.CONVENIENCE), (Signal.SEEK, Approach.PERSUASION), (Signal.UNWILLING, Approach.PERSUASION),
        (Signal.PURPOSE, Approach.PURPOSE), (Signal.PROPOSE, Approach.PLANNING),
    ],
    ids=str,
)  # fmt: skip
def test_the_first_approach_is_what_sets_a_network_apart_and_not_what_all_do(signal: Signal, expected: Approach) -> None:
    usual = [message(f"u{voice}", voice, Signal.ACTIVE, Signal.OFFER) for voice in "defgh"]
    apart = [message(f"a{voice}", voice, Signal.ACTIVE, Signal.OFFER, *([signal] if voice in "ab" else [])) for voice in "abc"]
    found = leads([*usual, *apart], networks=[network("defgh"), network("abc", network_id="n-2")])
    first = {lead.network_id: lead.approaches[0] for lead in found}
    assert first["n-2"][0] is expected
    assert first["n-2"][1].startswith("2 of 3 voices ")
    assert first["n-2"][1].endswith("; usual among the leads is 3 in 10.")
    assert first["n-1"][0] in {Approach.PARTNERSHIP, Approach.CONVENIENCE}


def variety(lead: RankedLead) -> float | None:
    return values(lead.score)["variety"]


def test_a_lead_that_says_what_stands_above_counts_for_less_by_its_voices_and_by_its_area() -> None:
    first, second = leads(IN_TWO_AREAS)
    assert (variety(first), variety(second)) == (1, 0)
    assert second.score.parts[-1].sentence == "3 of 3 voices also stand in a lead above."
    apart = [*offers("abcde"), *(message(f"n{voice}", voice, Signal.OFFER) for voice in "fgh")]
    found = leads(apart, networks=[network("abcde"), network("fgh", network_id="n-2")])
    assert [variety(lead) for lead in found] == [1, 0.5]
    assert found[1].score.parts[-1].sentence == "1 lead above is about the same area."


def test_a_lead_about_another_area_overtakes_a_slightly_better_one_of_the_same() -> None:
    parks = [*offers("abcde"), *(message(f"n{voice}", voice, Signal.OFFER) for voice in "fghi")]
    waste = [message(f"w{voice}", voice, Signal.OFFER, areas=[PolicyArea.WASTE]) for voice in "klm"]
    networks = [network("abcde"), network("fghi", network_id="n-2"), network("klm", PolicyArea.WASTE, network_id="n-3")]
    rules = replace(RULES, fits={})
    assert [lead.network_id for lead in leads([*parks, *waste], rules, networks)] == ["n-1", "n-3", "n-2"]
    careless = replace(rules, weights=WEIGHTS | {"variety": 0.0})
    assert [lead.network_id for lead in leads([*parks, *waste], careless, networks)] == ["n-1", "n-2", "n-3"]
