"""The network card: what a network says, can, needs and proposes, in numbers and words of the network and never of a person."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coprod_nlp.ranking.approach import Readiness, approach_calls, approaches, readiness
from coprod_nlp.ranking.card import PHRASE_CHARS, PHRASES, NetworkCard, Told, activity, network_card, network_roles, shortened
from coprod_nlp.ranking.card_sentences import readiness_sentence, role_sentences
from coprod_nlp.ranking.places import Gazetteer, GazetteerPlace
from coprod_nlp.records import Evidence, Message
from coprod_nlp.vocabulary import WILLING_SIGNALS, Approach, PolicyArea, Signal, Stage

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
PLACES = Gazetteer([GazetteerPlace("Hallow Green", ("Hallow Green",), "E5"), GazetteerPlace("River Merle", ("River Merle",), None)])


def message(
    post_id: str, voice: str, *signals: Signal, at: datetime | None = NOW, community: str = "town", chance: float = 0.8,
    area: PolicyArea = PolicyArea.PARKS,
) -> Message:  # fmt: skip
    is_willing = not set(signals).isdisjoint(WILLING_SIGNALS)
    return Message(post_id, voice, community, at, 0.9 if is_willing else 0.1, is_willing, {area: 0.8}, dict.fromkeys(signals, chance))


def told(post_id: str, voice: str, text: str, *signals: Signal, chance: float = 0.8) -> Told:
    """A message whose whole text is the evidence of each of its signals."""
    return Told(message(post_id, voice, *signals, chance=chance), text, tuple(Evidence(signal, 0, len(text)) for signal in signals))


def card(some: Sequence[Told], ties: Iterable[tuple[str, str]] = ()) -> NetworkCard:
    voices = sorted({one.message.author_key for one in some})
    return network_card(some, voices=voices, ties=ties, gazetteer=PLACES)


CONVERSATION = [
    told("1", "key-anna", "I can lend my van at Hallow Green", Signal.OFFER, Signal.ABILITY),
    told("2", "key-ben", "I already mow hallow green, by the River Merle", Signal.ACTIVE),
    told("3", "key-ben", "put a bench there", Signal.PROPOSE),
    told("4", "key-cara", "can somebody cut my hedge?", Signal.REQUEST),
    told("5", "key-dan", "I would, but nobody answers", Signal.BARRIER, Signal.COMPLAINT),
]


def test_a_card_counts_signals_in_messages_and_voices() -> None:
    found = {signal: (messages, voices) for signal, messages, voices in card(CONVERSATION).signals}
    assert found == {
        Signal.OFFER: (1, 1), Signal.ACTIVE: (1, 1), Signal.PROPOSE: (1, 1), Signal.ABILITY: (1, 1), Signal.BARRIER: (1, 1),
        Signal.COMPLAINT: (1, 1), Signal.REQUEST: (1, 1),
    }  # fmt: skip
    again = [told(str(number), "key-anna", "words", Signal.SEEK) for number in range(3)]
    assert card(again).signals == ((Signal.SEEK, 3, 1),)


def test_a_card_says_what_they_can_need_and_propose_in_their_words() -> None:
    made = card(CONVERSATION)
    assert [phrase.words for phrase in made.abilities] == ["I can lend my van at Hallow Green"]
    assert {phrase.words for phrase in made.needs} == {"can somebody cut my hedge?", "I would, but nobody answers"}
    assert [phrase.post_id for phrase in made.barriers] == ["5"]
    assert [phrase.words for phrase in made.proposals] == ["put a bench there"]


def test_approach_stage_and_readiness_are_those_of_the_willing_voices() -> None:
    made = card(CONVERSATION)
    assert {call.approach: call.post_ids for call in made.calls} == {
        Approach.PARTNERSHIP: ("2",), Approach.CONVENIENCE: ("1",), Approach.PLANNING: ("3",),
    }  # fmt: skip
    assert made.readiness == Readiness(willing=2, able=2, held_back=0)
    assert made.stages == ((Stage.DELIVERY, 2), (Stage.PLANNING, 1))


def test_places_are_counted_in_messages_whoever_wrote_them() -> None:
    assert [(place.name, place.ward, place.messages) for place in card(CONVERSATION).places] == [
        ("Hallow Green", "E5", 2), ("River Merle", None, 1),
    ]  # fmt: skip


def test_no_card_holds_an_author_key() -> None:
    ties = [("key-anna", "key-ben"), ("key-ben", "key-cara"), ("key-cara", "key-dan")]
    assert "key-" not in repr(asdict(card(CONVERSATION, ties)))


def test_no_voice_speaks_for_all_and_nothing_is_said_twice() -> None:
    loud = [told(f"l{number}", "a", f"loud {number}", Signal.PROPOSE, chance=0.9) for number in range(9)]
    quiet = [told(f"q{voice}", voice, f"quiet {voice}", Signal.PROPOSE, chance=0.6) for voice in "bcd"]
    words = [phrase.words for phrase in card([*loud, *quiet, told("t", "e", "QUIET b", Signal.PROPOSE, chance=0.5)]).proposals]
    assert words == ["loud 0", "quiet b", "quiet c", "quiet d", "loud 1", "loud 2"]
    assert len(words) == PHRASES


@unhurried
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=400))
def test_shortened_words_stand_on_one_line_of_a_bearable_length(words: str) -> None:
    short = shortened(words)
    assert "\n" not in short
    assert len(short) <= PHRASE_CHARS + 2
    assert short.removesuffix(" …").rstrip() in " ".join(words.split())


def chain(text: str) -> list[tuple[str, str]]:
    return [(pair[0], pair[1]) for pair in text.split()]


@pytest.mark.parametrize(
    ("voices", "ties", "expected"),
    [
        pytest.param("abc", "ab bc ca", {"connectors": 0, "parts": 1, "core": 0, "edge": 0, "apart": 0}, id="a ring"),
        pytest.param("abcde", "ab bc bd be", {"connectors": 1, "parts": 4, "edge": 4, "apart": 0}, id="a star"),
        pytest.param("abcdef", "ab bc ca cd de ef fd", {"connectors": 2, "parts": 2, "edge": 0}, id="two rings on a bridge"),
        pytest.param("abcdx", "ab ac ad bc bd cd", {"core": 4, "core_ties": 3, "apart": 1}, id="a core, and one who met nobody"),
        pytest.param("abc", "", {"connectors": 0, "parts": 3, "apart": 3, "core": 0}, id="gathered"),
        pytest.param("abc", "ab bx aa", {"edge": 2, "apart": 1}, id="strangers and oneself do not count"),
    ],
)
def test_roles_are_numbers_of_voices(voices: str, ties: str, expected: dict[str, int]) -> None:
    roles = asdict(network_roles(voices, chain(ties), []))
    assert roles["voices"] == len(voices)
    assert {name: roles[name] for name in expected} == expected


def test_voices_that_write_in_two_communities_bridge_them() -> None:
    some = [message("1", "a", community="x"), message("2", "a", community="y"), message("3", "b", community="x")]
    assert network_roles("ab", [("a", "b")], some).bridging == 1


@pytest.mark.parametrize(
    ("days", "unit", "bars"),
    [
        pytest.param([0, 6, 21], "week", 4, id="weeks"),
        pytest.param([0, 300], "month", 11, id="months"),
        pytest.param([0, 4000], "year", 11, id="years"),
        pytest.param([0], "week", 1, id="one"),
    ],
)
def test_activity_has_a_bar_for_each_stretch_of_time_those_without_a_message_too(days: list[int], unit: str, bars: int) -> None:
    start = datetime(2026, 1, 5, 9, tzinfo=UTC)
    made = activity([message(str(day), "a", Signal.OFFER, at=start + timedelta(days=day)) for day in days])
    assert (made.unit, len(made.bars)) == (unit, bars)
    assert sum(bar.willing for bar in made.bars) == len(days)
    assert all(one.start < other.start for one, other in zip(made.bars, made.bars[1:], strict=False))


def test_activity_runs_to_the_end_of_the_period_and_counts_what_carries_no_time() -> None:
    made = activity([message("1", "a"), message("2", "b", Signal.OFFER, at=None)], until=NOW + timedelta(days=14))
    assert [(bar.start, bar.willing, bar.others) for bar in made.bars] == [
        (date(2026, 6, 1), 0, 1), (date(2026, 6, 8), 0, 0), (date(2026, 6, 15), 0, 0),
    ]  # fmt: skip
    assert (made.untimed, activity([]).bars) == (1, ())


@unhurried
@given(st.lists(st.tuples(st.datetimes(datetime(2005, 1, 1), datetime(2030, 1, 1)), st.booleans()), max_size=30))  # noqa: DTZ001
def test_every_timed_message_is_in_one_bar(moments: list[tuple[datetime, bool]]) -> None:
    some = [message(str(n), "a", *([Signal.OFFER] * yes), at=at.replace(tzinfo=UTC)) for n, (at, yes) in enumerate(moments)]
    made = activity(some)
    assert sum(bar.willing for bar in made.bars) == sum(yes for _, yes in moments)
    assert sum(bar.willing + bar.others for bar in made.bars) == len(moments)
    assert len(made.bars) <= 36


def test_the_messages_that_led_to_an_approach_come_surest_first() -> None:
    some = [message("1", "a", Signal.OFFER, chance=0.6), message("2", "b", Signal.BARRIER, chance=0.9), message("3", "c", Signal.PURPOSE)]
    calls = approach_calls(some)
    assert [(call.approach, call.post_ids) for call in calls] == [(Approach.CONVENIENCE, ("2", "1")), (Approach.PURPOSE, ("3",))]
    assert approaches(some) == tuple((call.approach, call.reason) for call in calls)


def test_ability_and_willingness_are_read_apart() -> None:
    some = [
        message("1", "able and willing", Signal.OFFER, Signal.ABILITY), message("2", "willing", Signal.SEEK),
        message("3", "able only", Signal.ABILITY), message("4", "held back", Signal.UNWILLING), message("5", "willing", Signal.BARRIER),
    ]  # fmt: skip
    assert readiness(some) == Readiness(willing=2, able=1, held_back=2)


@pytest.mark.parametrize(
    ("ready", "start", "end"),
    [
        pytest.param(Readiness(4, 3, 0), "Willing and able: ask", "none says what holds people back.", id="able"),
        pytest.param(Readiness(4, 1, 1), "Willing, ability not yet shown", "1 voice says what holds them or others back.", id="not yet"),
        pytest.param(Readiness(4, 4, 2), "Willing but held back", "2 voices say what holds them or others back.", id="held back"),
    ],
)
def test_readiness_says_what_it_calls_for_and_the_numbers_behind_it(ready: Readiness, start: str, end: str) -> None:
    sentence = readiness_sentence(ready)
    assert sentence.startswith(start)
    assert f"{ready.able} of {ready.willing} willing voices" in sentence
    assert sentence.endswith(end)


def test_where_nobody_is_willing_nothing_is_said_of_what_they_are_ready_for() -> None:
    assert readiness_sentence(Readiness(0, 0, 0)) == "Nobody says here that they are willing."


@pytest.mark.parametrize(
    ("voices", "ties", "expected"),
    [
        pytest.param("abc", "", ["None of these voices has met another yet"], id="gathered"),
        pytest.param("abc", "ab bc ca", ["No single voice holds it together"], id="a ring"),
        pytest.param("abc", "ab bc", ["1 voice holds the parts together: without it", "2 voices at its edge"],
                     id="a line"),
        pytest.param("abcdef", "ab bc ca de ef fd", ["It is in 2 parts that have not met each other."], id="two rings"),
        pytest.param("abcdx", "ab ac ad bc bd cd", ["It is in 2 parts", "4 voices form its core", "1 voice has met no"],
                     id="a core, and one alone"),
    ],
)  # fmt: skip
def test_roles_are_told_in_sentences_about_numbers(voices: str, ties: str, expected: list[str]) -> None:
    told_roles = list(role_sentences(network_roles(voices, chain(ties), [])))
    assert len(told_roles) == len(expected)
    assert all(sentence.startswith(start) for sentence, start in zip(told_roles, expected, strict=True))
