"""Which approach a network's messages call for (Alford's three criteria, and whom to partner with), and at which stage they would join."""

from collections.abc import Sequence

from coprod_nlp.ranking.reasons import count_of
from coprod_nlp.records import Message
from coprod_nlp.vocabulary import WILLING_SIGNALS, Approach, PolicyArea, Signal, Stage

# Approach, the signals that call for it, and what those messages do.
CALLS: tuple[tuple[Approach, tuple[Signal, ...], str], ...] = (
    (Approach.PARTNERSHIP, (Signal.ACTIVE, Signal.ORGANISE), "already help or bring others together"),
    (Approach.CONVENIENCE, (Signal.OFFER, Signal.BARRIER), "offer something, or name what holds people back"),
    (Approach.PERSUASION, (Signal.SEEK, Signal.UNWILLING), "ask how to take part, or doubt that it is worth it"),
    (Approach.PURPOSE, (Signal.PURPOSE,), "speak for a shared purpose or place"),
    (Approach.PLANNING, (Signal.PROPOSE,), "put forward a concrete improvement"),
)


def approaches(messages: Sequence[Message]) -> tuple[tuple[Approach, str], ...]:
    """Approaches with the reason for each, the best supported first."""
    counted = [(sum(bool(set(signals) & set(message.signals)) for message in messages), call) for call in CALLS for signals in [call[1]]]
    counted.sort(key=lambda item: -item[0])
    return tuple((approach, f"{count_of(count, 'message')} {what}.") for count, (approach, _, what) in counted if count)


def stages(messages: Sequence[Message]) -> tuple[tuple[Stage, int], ...]:
    """How many messages would join at each stage, the most common first; a message can speak for more than one."""
    counts = {
        Stage.DELIVERY: sum(bool(set(WILLING_SIGNALS) & set(message.signals)) for message in messages),
        Stage.PLANNING: sum(Signal.PROPOSE in message.signals for message in messages),
        Stage.DECISION: sum(PolicyArea.DEMOCRACY in message.areas for message in messages),
    }
    return tuple(sorted(((stage, count) for stage, count in counts.items() if count), key=lambda item: -item[1]))
