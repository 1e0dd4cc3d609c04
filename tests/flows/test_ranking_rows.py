"""What ranking takes from readings: whose willing messages make a voice."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from coprod_nlp.records import Message
from coprod_nlp.vocabulary import PolicyArea, Signal
from flows.ranking_rows import Heard, wills_of

NOW = datetime(2026, 5, 1, tzinfo=UTC)
NUMBERS = {"a": 0, "b": 1, "c": 2}


def message(key: str, willing: float, *, is_willing: bool = True, days: int = 0) -> Message:
    areas, signals = {PolicyArea.PARKS: 0.9}, {Signal.OFFER: 0.9}
    return Message(f"m-{key}-{willing}", key, "archive:forum", NOW - timedelta(days=days), willing, is_willing, areas, signals)


def voices(*messages: Message, likely_from: float = 0.5) -> list[int]:
    heard = Heard(messages=list(messages))
    heard.posts["archive:forum"] = len(messages)
    found = wills_of(heard, NUMBERS, as_of=NOW, likely_from=likely_from)
    return sorted(set(found[PolicyArea.PARKS].voices.tolist())) if found else []


@pytest.mark.parametrize(("likely_from", "expected"), [(0.3, [0, 1, 2]), (0.5, [0, 1]), (0.51, [0]), (0.95, [])])
def test_only_who_is_likely_enough_to_be_willing_is_a_voice(likely_from: float, expected: list[int]) -> None:
    assert voices(message("a", 0.9), message("b", 0.5), message("c", 0.4), likely_from=likely_from) == expected


def test_one_likely_message_is_enough_and_an_unlikely_one_beside_it_takes_nothing_away() -> None:
    assert voices(message("a", 0.3), message("a", 0.8), message("b", 0.3)) == [0]


def test_what_is_not_called_willing_makes_no_voice_however_likely() -> None:
    assert voices(message("a", 0.9, is_willing=False)) == []


def test_somebody_who_first_wrote_while_it_was_being_ranked_waits_for_the_next_ranking() -> None:
    assert voices(message("a", 0.9), message("new", 0.9)) == [0]


def test_ages_are_counted_in_days_from_the_end() -> None:
    heard = Heard(messages=[message("a", 0.9, days=3), message("b", 0.4, days=9)])
    heard.posts["archive:forum"] = 2
    will = wills_of(heard, NUMBERS, as_of=NOW, likely_from=0.5)[PolicyArea.PARKS]
    np.testing.assert_allclose(will.age_days, [3])
