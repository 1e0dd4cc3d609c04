"""Ranking: networks and messages are scored by what was written, unknown is not zero, and few voices are never shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coprod_nlp.ranking.approach import approaches, stages
from coprod_nlp.ranking.leads import rank_leads
from coprod_nlp.ranking.opportunity import OpportunityMap
from coprod_nlp.ranking.reasons import PART_NAMES
from coprod_nlp.ranking.rules import Fit, RankingRules
from coprod_nlp.records import CandidateNetwork, Message, RankedLead, Score, Tie
from coprod_nlp.vocabulary import WILLING_SIGNALS, Approach, PolicyArea, Signal, Stage

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
WEIGHTS = {
    "willingness": 25.0, "contribution": 20.0, "ability": 10.0, "purpose": 5.0, "connectedness": 15.0, "freshness": 10.0, "fit": 10.0,
    "under_exploration": 5.0,
}  # fmt: skip
RULES = RankingRules(
    weights=WEIGHTS, minimum_voices=3, resamples=60, seed=5, half_life_days=180, as_of=NOW, fits={PolicyArea.PARKS: Fit(0.8, 0.4, 1)}
)
VOICES = tuple("abcde")
NETWORK = CandidateNetwork("n-1", VOICES, tuple(Tie(first, second, 1.0) for first, second in combinations(VOICES, 2)))
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


def leads(messages: Iterable[Message], rules: RankingRules = RULES, networks: Sequence[CandidateNetwork] = (NETWORK,)) -> list[RankedLead]:
    return rank_leads(networks, messages, rules=rules)


def only(messages: Iterable[Message], rules: RankingRules = RULES) -> RankedLead:
    (lead,) = leads(messages, rules)
    return lead


def values(score: Score) -> dict[str, float | None]:
    return {part.key: part.value for part in score.parts}


MESSAGES = st.lists(
    st.tuples(
        st.sampled_from((*VOICES, "stranger")),
        st.sets(st.sampled_from(Signal), max_size=3),
        st.sets(st.sampled_from([PolicyArea.PARKS, PolicyArea.WASTE]), max_size=2),
        st.floats(0.3, 1),
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
    other = CandidateNetwork("n-2", ("p", "q", "r"), ())
    shuffled = list(messages)
    order.shuffle(shuffled)
    first, again = leads(messages, networks=[NETWORK, other]), leads(shuffled, networks=[other, NETWORK])
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
    st.floats(0.3, 1),
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
    assert leads(two_and_a_supporter) == []
    lead = only([*offers("abc"), message("m9", "d", Signal.PURPOSE)])
    assert lead.voices == ("a", "b", "c")
    assert [m.post_id for m in lead.messages] == ["m0", "m1", "m2"]


def test_other_messages_of_willing_voices_support_the_lead() -> None:
    lead = only([*offers("abc"), message("m9", "a", Signal.ABILITY)])
    assert [m.post_id for m in lead.messages] == ["m0", "m1", "m2", "m9"]
    assert values(lead.score)["ability"] == pytest.approx(1 - 2.718281828 ** (-1 / 2))


def test_willing_voices_of_two_networks_are_not_added_up() -> None:
    apart = [CandidateNetwork("n-1", ("a", "b", "x"), ()), CandidateNetwork("n-2", ("c", "d", "y"), ())]
    assert leads(offers("abcd"), networks=apart) == []


def test_a_message_in_two_areas_counts_in_both_and_a_message_in_none_in_none() -> None:
    assert {lead.area for lead in leads(IN_TWO_AREAS)} == {PolicyArea.PARKS, PolicyArea.WASTE}
    assert leads([replace(item, areas={}) for item in IN_TWO_AREAS]) == []


def test_a_lead_keeps_its_id_while_messages_come_and_every_network_and_area_has_its_own() -> None:
    ids = {lead.lead_id for lead in leads(IN_TWO_AREAS)}
    assert {lead.lead_id for lead in leads([*IN_TWO_AREAS, message("m9", "d", Signal.OFFER)])} == ids
    assert len(ids | {lead.lead_id for lead in leads(IN_TWO_AREAS, networks=[replace(NETWORK, network_id="n-7")])}) == 4


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
        pytest.param(offers("abcabc"), offers("abc"), "willingness", id="further messages of the same voices"),
        pytest.param([message(v, v, Signal.ACTIVE) for v in "abc"], offers("abc"), "contribution", id="going on beats an offer"),
        pytest.param(offers("abc"), [message(v, v, Signal.SEEK) for v in "abc"], "contribution", id="an offer beats a question"),
        pytest.param(offers("abc", Signal.ABILITY), offers("abc"), "ability", id="skills"),
        pytest.param(offers("abc", Signal.PURPOSE), offers("abc"), "purpose", id="shared purpose"),
        pytest.param(offers("abc"), offers("abc", at=NOW - timedelta(days=90)), "freshness", id="newer messages"),
    ],
)
def test_what_the_report_asks_for_raises_its_part_and_the_score(better: list[Message], worse: list[Message], part: str) -> None:
    up, down = only(better).score, only(worse).score
    assert (values(up)[part] or 0) > (values(down)[part] or 0)
    assert up.total > down.total


@pytest.mark.parametrize(
    ("ties", "expected"),
    [(("ab", "bc"), 1.0), (("ab",), 2 / 3), (("ad", "bd", "cd"), 0.0), ((), 0.0)],
    ids=["a chain of all", "two of three", "only through others", "nobody"],
)
def test_connectedness_is_the_share_of_voices_that_met_another_of_them(ties: Sequence[str], expected: float) -> None:
    network = CandidateNetwork("n-1", VOICES, tuple(Tie(pair[0], pair[1], 1.0) for pair in ties))
    (lead,) = leads(offers("abc"), networks=[network])
    assert values(lead.score)["connectedness"] == pytest.approx(expected)


def test_few_voices_have_a_wider_range_than_many() -> None:
    def spread(count: int) -> float:
        found = [message(f"m{place}", f"v{place}", (Signal.ACTIVE, Signal.SEEK)[place % 2]) for place in range(count)]
        (lead,) = leads(found, networks=[CandidateNetwork("n-1", tuple(item.author_key for item in found), ())])
        return lead.score.high - lead.score.low

    assert spread(4) > spread(60)


def test_another_seed_moves_the_range_and_never_the_score() -> None:
    mixed = [message(voice, voice, kind) for voice, kind in zip(VOICES, (*WILLING_SIGNALS, Signal.SEEK), strict=True)]
    one, other = only(mixed).score, only(mixed, replace(RULES, seed=6)).score
    assert one.total == other.total
    assert (one.low, one.high) != (other.low, other.high)


CALLS = {
    Signal.ACTIVE: Approach.PARTNERSHIP, Signal.ORGANISE: Approach.PARTNERSHIP, Signal.OFFER: Approach.CONVENIENCE,
    Signal.BARRIER: Approach.CONVENIENCE, Signal.SEEK: Approach.PERSUASION, Signal.UNWILLING: Approach.PERSUASION,
    Signal.PURPOSE: Approach.PURPOSE, Signal.PROPOSE: Approach.PLANNING,
}  # fmt: skip


@pytest.mark.parametrize(("signal", "expected"), CALLS.items(), ids=[signal.value for signal in CALLS])
def test_each_signal_calls_for_its_approach(signal: Signal, expected: Approach) -> None:
    assert [approach for approach, _ in approaches([message("m1", "a", signal)])] == [expected]


def test_approaches_come_best_supported_first_with_the_number_of_messages_behind_them() -> None:
    some = [message("1", "a", Signal.SEEK), message("2", "b", Signal.OFFER, Signal.BARRIER), message("3", "c", Signal.OFFER)]
    found = approaches(some)
    assert [approach for approach, _ in found] == [Approach.CONVENIENCE, Approach.PERSUASION]
    assert [reason.split()[:2] for _, reason in found] == [["2", "messages"], ["1", "message"]]
    assert (approaches([message("1", "a", Signal.COMPLAINT)]), stages([message("1", "a", Signal.COMPLAINT)])) == ((), ())


def test_stages_count_who_would_deliver_plan_and_decide_most_common_first() -> None:
    some = [
        message("1", "a", Signal.OFFER), message("2", "b", Signal.ACTIVE, Signal.SEEK), message("3", "c", Signal.ORGANISE, Signal.PROPOSE),
        message("4", "a", Signal.PROPOSE, areas=[PolicyArea.DEMOCRACY]),
    ]  # fmt: skip
    assert stages(some) == ((Stage.DELIVERY, 3), (Stage.PLANNING, 2), (Stage.DECISION, 1))


def test_the_opportunity_map_counts_every_post_once_in_each_of_its_areas() -> None:
    seen = OpportunityMap()
    seen.add(areas=["parks", "waste"], signals={"offer": 0.9, "propose": 0.6}, is_willing=True)
    seen.add(areas=["parks"], signals={"complaint": 0.9, "request": 0.5}, is_willing=False)
    seen.add(areas=[], signals={"offer": 0.9}, is_willing=True)
    assert seen.areas[PolicyArea.PARKS].as_dict() == {"posts": 2, "willing": 1, "proposing": 1, "complaining": 1, "asking": 1}
    assert seen.areas[PolicyArea.WASTE].as_dict() == {"posts": 1, "willing": 1, "proposing": 1, "complaining": 0, "asking": 0}
    assert sum(energy.posts for energy in seen.areas.values()) == 3
