"""Which approach a network's messages call for, and at which stage they would join.

The approaches are Alford's three criteria for people to co-produce (convenience, persuasion, identification with the purpose; 2009), and
two that follow from what people do already: partner with those who are active, invite to plan those who propose.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from coprod_nlp.ranking.reasons import count_of
from coprod_nlp.records import Message
from coprod_nlp.vocabulary import WILLING_SIGNALS, Approach, PolicyArea, Signal, Stage

# Approach, the signals that call for it, and what those messages do.
CALLS: tuple[tuple[Approach, tuple[Signal, ...], str], ...] = (
    (Approach.PARTNERSHIP, (Signal.ACTIVE, Signal.ORGANISE), "already helping or bringing others together"),
    (Approach.CONVENIENCE, (Signal.OFFER, Signal.BARRIER), "offering something, or naming what holds people back"),
    (Approach.PERSUASION, (Signal.SEEK, Signal.UNWILLING), "asking how to take part, or doubting that it is worth it"),
    (Approach.PURPOSE, (Signal.PURPOSE,), "speaking for a shared purpose or place"),
    (Approach.PLANNING, (Signal.PROPOSE,), "putting forward a concrete improvement"),
)
SIGNALS_OF = {approach: signals for approach, signals, _ in CALLS}
ABLE = (Signal.ABILITY, Signal.ACTIVE, Signal.ORGANISE)
HELD_BACK = (Signal.BARRIER, Signal.UNWILLING)


@dataclass(frozen=True, slots=True)
class Call:
    """One approach, why, and the messages that led to it, the surest first."""

    approach: Approach
    reason: str
    post_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Readiness:
    """Voices by what their messages show: ability and willingness are read apart. Counts of a network, never of one person.

    `able` of the `willing` voices also name a skill or already do it; `held_back` voices name what stands in the way.
    """

    willing: int
    able: int
    held_back: int


def approach_calls(messages: Sequence[Message]) -> tuple[Call, ...]:
    """Approaches with the reason for each and its messages, the best supported first."""
    calls = []
    for approach, signals, what in CALLS:
        found = sorted(
            ((max(message.signals.get(signal, 0.0) for signal in signals), message.post_id) for message in messages),
            key=lambda item: (-item[0], item[1]),
        )
        post_ids = tuple(post_id for chance, post_id in found if chance)
        if post_ids:
            calls.append(Call(approach, f"{count_of(len(post_ids), 'message')} {what}.", post_ids))
    return tuple(sorted(calls, key=lambda call: -len(call.post_ids)))


def approaches(messages: Sequence[Message]) -> tuple[tuple[Approach, str], ...]:
    """Approaches with the reason for each, the best supported first."""
    return tuple((call.approach, call.reason) for call in approach_calls(messages))


def readiness(messages: Sequence[Message]) -> Readiness:
    """How many voices are willing, how many of them also able, and how many are held back."""
    willing = {message.author_key for message in messages if message.is_willing}
    able = {message.author_key for message in messages if not message.signals.keys().isdisjoint(ABLE)}
    held_back = {message.author_key for message in messages if not message.signals.keys().isdisjoint(HELD_BACK)}
    return Readiness(len(willing), len(willing & able), len(held_back))


def stages(messages: Sequence[Message]) -> tuple[tuple[Stage, int], ...]:
    """How many messages would join at each stage, the most common first; a message can speak for more than one."""
    counts = {
        Stage.DELIVERY: sum(bool(set(WILLING_SIGNALS) & set(message.signals)) for message in messages),
        Stage.PLANNING: sum(Signal.PROPOSE in message.signals for message in messages),
        Stage.DECISION: sum(PolicyArea.DEMOCRACY in message.areas for message in messages),
    }
    return tuple(sorted(((stage, count) for stage, count in counts.items() if count), key=lambda item: -item[1]))
