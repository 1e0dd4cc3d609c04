"""Which approach a network's messages call for, and at which stage they would join.

The approaches are Alford's three criteria for people to co-produce (convenience, persuasion, identification with the purpose; 2009), and
two that follow from what people do already: partner with those who are active, invite to plan those who propose. Nearly every network
offers and does something; the approach is chosen by what sets one apart from what is usual among all.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from coprod_nlp.ranking.reasons import count_of
from coprod_nlp.records import Message
from coprod_nlp.vocabulary import WILLING_SIGNALS, Approach, PolicyArea, Signal, Stage

# Approach, and the signals that call for it with what their voices do.
CALLS: tuple[tuple[Approach, tuple[tuple[Signal, str], ...]], ...] = (
    (
        Approach.PARTNERSHIP,
        ((Signal.ACTIVE, "already help"), (Signal.ORGANISE, "bring others together")),
    ),
    (Approach.CONVENIENCE, ((Signal.BARRIER, "name what holds people back"), (Signal.OFFER, "offer something"))),
    (Approach.PERSUASION, ((Signal.SEEK, "ask how to take part"), (Signal.UNWILLING, "doubt that it is worth it"))),
    (Approach.PURPOSE, ((Signal.PURPOSE, "speak for a shared purpose or place"),)),
    (Approach.PLANNING, ((Signal.PROPOSE, "put forward a concrete improvement"),)),
)
SIGNALS_OF = {approach: tuple(signal for signal, _ in signals) for approach, signals in CALLS}
# A share that nobody, or everybody, shows elsewhere would make one voice a wonder.
RAREST, COMMONEST = 0.02, 0.98
# One voice alone sets no network apart.
FEWEST_APART = 2
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


def usual_shares(networks: Iterable[Sequence[Message]]) -> dict[Signal, float]:
    """For each signal, the share of a network's voices that show it, on average over networks; empty where there is one network."""
    shares = [{signal: len(voices) / len(_voices(some)) for signal, voices in _by_signal(some).items()} for some in networks if some]
    return {signal: sum(one.get(signal, 0.0) for one in shares) / len(shares) for signal in Signal} if len(shares) > 1 else {}


def approach_calls(messages: Sequence[Message], usual: Mapping[Signal, float] | None = None) -> tuple[Call, ...]:
    """Approaches with the reason for each and its messages, the ones first that set this network apart.

    An approach stands as high as the signal of its own that most exceeds what is usual: voices beyond those to be expected, over the
    spread that chance would give; what one voice alone shows comes after. Without `usual` the one with most messages is first.
    """
    total, shown, calls = len(_voices(messages)), _by_signal(messages), []
    for approach, signals in CALLS:
        found = sorted(
            ((max(message.signals.get(signal, 0.0) for signal, _ in signals), message.post_id) for message in messages),
            key=lambda item: (-item[0], item[1]),
        )
        post_ids = tuple(post_id for chance, post_id in found if chance)
        if post_ids:
            beyond, count, signal, what = max(
                (_beyond(len(shown[signal]), total, (usual or {}).get(signal)), len(shown[signal]), signal, what)
                for signal, what in signals
                if signal in shown
            )
            reason = f"{count} of {count_of(total, 'voice')} {what}{_compared(usual, signal)}."
            calls.append(((count < FEWEST_APART, -beyond, -len(post_ids)), Call(approach, reason, post_ids)))
    return tuple(call for _, call in sorted(calls, key=lambda item: item[0]))


def approaches(messages: Sequence[Message], usual: Mapping[Signal, float] | None = None) -> tuple[tuple[Approach, str], ...]:
    """Approaches with the reason for each, in the order of `approach_calls`."""
    return tuple((call.approach, call.reason) for call in approach_calls(messages, usual))


def _voices(messages: Iterable[Message]) -> set[str]:
    return {message.author_key for message in messages}


def _by_signal(messages: Iterable[Message]) -> dict[Signal, set[str]]:
    voices: defaultdict[Signal, set[str]] = defaultdict(set)
    for message in messages:
        for signal in message.signals:
            voices[signal].add(message.author_key)
    return dict(voices)


def _beyond(count: int, total: int, usual: float | None) -> float:
    if usual is None:
        return 0.0
    share = min(COMMONEST, max(RAREST, usual))
    return (count - total * share) / sqrt(1 + total * share * (1 - share))


def _compared(usual: Mapping[Signal, float] | None, signal: Signal) -> str:
    if not usual:
        return ""
    ten = round(10 * usual.get(signal, 0.0))
    return f"; usual among the leads is {f'{ten} in 10' if ten else 'hardly any'}"


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
