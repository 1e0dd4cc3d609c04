"""Approach and stage: what the messages of a network call for, and where its voices would join."""

from collections.abc import Iterable

import pytest

from coprod_nlp.ranking.approach import approaches, stages
from coprod_nlp.records import Message
from coprod_nlp.vocabulary import WILLING_SIGNALS, Approach, PolicyArea, Signal, Stage


def message(post_id: str, voice: str, *signals: Signal, areas: Iterable[PolicyArea] = (PolicyArea.PARKS,)) -> Message:
    is_willing = bool(set(WILLING_SIGNALS) & set(signals))
    return Message(
        post_id, voice, "town", None, 0.9 if is_willing else 0.05, is_willing, dict.fromkeys(areas, 0.8), dict.fromkeys(signals, 0.8)
    )


CALLS = {
    Signal.ACTIVE: Approach.PARTNERSHIP, Signal.ORGANISE: Approach.PARTNERSHIP, Signal.OFFER: Approach.CONVENIENCE,
    Signal.BARRIER: Approach.CONVENIENCE, Signal.SEEK: Approach.PERSUASION, Signal.UNWILLING: Approach.PERSUASION,
    Signal.PURPOSE: Approach.PURPOSE, Signal.PROPOSE: Approach.PLANNING,
}  # fmt: skip


@pytest.mark.parametrize(("signal", "expected"), CALLS.items(), ids=[signal.value for signal in CALLS])
def test_each_signal_calls_for_its_approach(signal: Signal, expected: Approach) -> None:
    assert [approach for approach, _ in approaches([message("m1", "a", signal)])] == [expected]


def test_approaches_of_a_lone_network_come_best_supported_first_with_the_number_of_voices_behind_them() -> None:
    some = [message("1", "a", Signal.SEEK), message("2", "b", Signal.OFFER, Signal.BARRIER), message("3", "c", Signal.OFFER)]
    found = approaches(some)
    assert [approach for approach, _ in found] == [Approach.CONVENIENCE, Approach.PERSUASION]
    assert [reason for _, reason in found] == ["2 of 3 voices offer something.", "1 of 3 voices ask how to take part."]
    assert (approaches([message("1", "a", Signal.COMPLAINT)]), stages([message("1", "a", Signal.COMPLAINT)])) == ((), ())


def test_stages_count_who_would_deliver_plan_and_decide_most_common_first() -> None:
    some = [
        message("1", "a", Signal.OFFER), message("2", "b", Signal.ACTIVE, Signal.SEEK), message("3", "c", Signal.ORGANISE, Signal.PROPOSE),
        message("4", "a", Signal.PROPOSE, areas=[PolicyArea.DEMOCRACY]),
    ]  # fmt: skip
    assert stages(some) == ((Stage.DELIVERY, 3), (Stage.PLANNING, 2), (Stage.DECISION, 1))
