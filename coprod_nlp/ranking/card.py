"""The card of a network in one policy area: what its voices do, can, need and propose, told of the network and never of a person."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import networkx as nx

from coprod_nlp.ranking.approach import Call, Readiness, approach_calls, readiness, stages
from coprod_nlp.ranking.places import Gazetteer
from coprod_nlp.records import Evidence, Message, whole_text
from coprod_nlp.vocabulary import PolicyArea, Signal, Stage

PHRASES, PHRASE_CHARS = 6, 170
WEEKS_SHOWN, MONTHS_SHOWN = 27, 36
# The smallest core worth naming: a ring of voices in which each has met this many of the others.
CORE = 3


@dataclass(frozen=True, slots=True)
class Told:
    """A message of a network with its words and the evidence in them; the words are shown, never kept."""

    message: Message
    text: str
    evidence: tuple[Evidence, ...]

    @classmethod
    def of(cls, row: Any) -> "Told":
        """From anything with a post's and its reading's columns as attributes."""
        message = Message(
            row.post_id, row.author_key, row.community_id, row.created_at, row.willing or 0.0, row.is_willing,
            {PolicyArea(area): chance for area, chance in row.areas.items()},
            {Signal(signal): chance for signal, chance in row.signals.items()},
        )  # fmt: skip
        text = whole_text(row.title, row.body)
        return cls(message, text, tuple(Evidence(Signal(name), start, end) for name, start, end in row.evidence))


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that somebody in the network wrote, as evidence of an ability, a need, a barrier or a proposal."""

    words: str
    post_id: str


@dataclass(frozen=True, slots=True)
class Roles:
    """How a network hangs together, as numbers of voices.

    Without the `connectors` the network falls into `parts`. `core` voices have each met at least `core_ties` others of the core;
    `edge` voices met one other, `apart` none; `bridging` voices write in more than one community.
    """

    voices: int
    connectors: int
    parts: int
    core: int
    core_ties: int
    edge: int
    apart: int
    bridging: int


@dataclass(frozen=True, slots=True)
class Bar:
    """Messages in one week, month or year that begins on `start`."""

    start: date
    willing: int
    others: int


@dataclass(frozen=True, slots=True)
class Activity:
    """Messages over time; `untimed` ones carry no time and are in no bar."""

    unit: str
    bars: tuple[Bar, ...]
    untimed: int


@dataclass(frozen=True, slots=True)
class PlaceNamed:
    """A place and how many messages name it."""

    name: str
    ward: str | None
    messages: int


@dataclass(frozen=True, slots=True)
class NetworkCard:
    """A network in one policy area. `signals` are (signal, messages, voices); `needs` are requests and complaints."""

    messages: int
    voices: int
    signals: tuple[tuple[Signal, int, int], ...]
    abilities: tuple[Phrase, ...]
    needs: tuple[Phrase, ...]
    barriers: tuple[Phrase, ...]
    proposals: tuple[Phrase, ...]
    calls: tuple[Call, ...]
    readiness: Readiness
    stages: tuple[tuple[Stage, int], ...]
    roles: Roles
    places: tuple[PlaceNamed, ...]
    activity: Activity


def network_card(
    told: Sequence[Told], *, voices: Iterable[str], ties: Iterable[tuple[str, str]], gazetteer: Gazetteer, until: datetime | None = None
) -> NetworkCard:
    """The card of a network.

    Parameters
    ----------
    told
        Every message of the network's voices in the policy area. Approach, stage and abilities are those of its willing
        voices; needs and places those of all.
    ties
        Pairs of voices that met.
    until
        End of the period, which the activity is drawn up to; the newest message where None.
    """
    messages = [one.message for one in told]
    willing = {message.author_key for message in messages if message.is_willing}
    theirs = [one for one in told if one.message.author_key in willing]
    of_willing = [one.message for one in theirs]
    return NetworkCard(
        messages=len(messages),
        voices=len({message.author_key for message in messages}),
        signals=_signals(messages),
        abilities=_phrases(theirs, Signal.ABILITY),
        needs=_phrases(told, Signal.REQUEST, Signal.COMPLAINT),
        barriers=_phrases(told, Signal.BARRIER),
        proposals=_phrases(told, Signal.PROPOSE),
        calls=approach_calls(of_willing),
        readiness=readiness(of_willing),
        stages=stages(of_willing),
        roles=network_roles(voices, ties, messages),
        places=_places(told, gazetteer),
        activity=activity(messages, until=until),
    )


def _signals(messages: Sequence[Message]) -> tuple[tuple[Signal, int, int], ...]:
    voices: defaultdict[Signal, set[str]] = defaultdict(set)
    counts: Counter[Signal] = Counter()
    for message in messages:
        counts.update(message.signals.keys())
        for signal in message.signals:
            voices[signal].add(message.author_key)
    return tuple((signal, counts[signal], len(voices[signal])) for signal in Signal if counts[signal])


def _phrases(told: Sequence[Told], *signals: Signal) -> tuple[Phrase, ...]:
    """The surest words for some signals: one of each voice first, then more, so that nobody speaks for all; none twice."""
    found = [
        (one.message.signals.get(span.signal, 0.0), one, shortened(one.text[span.start : span.end]))
        for one in told
        for span in one.evidence
        if span.signal in signals
    ]
    found.sort(key=lambda item: (-item[0], item[1].message.post_id, item[2]))
    turn: Counter[str] = Counter()
    seen: set[str] = set()
    ordered = []
    for place, (_, one, words) in enumerate(found):
        if words and words.casefold() not in seen:
            seen.add(words.casefold())
            ordered.append((turn[one.message.author_key], place, Phrase(words, one.message.post_id)))
            turn[one.message.author_key] += 1
    return tuple(phrase for _, _, phrase in sorted(ordered, key=lambda item: item[:2])[:PHRASES])


def shortened(words: str) -> str:
    """Words on one line, cut where they are too many: at the end of a word, or within one as long as that."""
    words = " ".join(words.split())
    if len(words) <= PHRASE_CHARS:
        return words
    end = words.rfind(" ", PHRASE_CHARS // 2, PHRASE_CHARS)
    return words[: PHRASE_CHARS if end < 0 else end].rstrip(",;:- ") + " …"


def network_roles(voices: Iterable[str], ties: Iterable[tuple[str, str]], messages: Iterable[Message]) -> Roles:
    """How many voices hold a network together, are at its core or its edge, or join communities."""
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(voices)
    graph.add_edges_from((first, second) for first, second in ties if first != second and first in graph and second in graph)
    connectors = set(nx.articulation_points(graph))
    rest = graph.subgraph(graph.nodes - connectors)
    depths = nx.core_number(graph).values()
    deepest = max(depths, default=0)
    homes: defaultdict[str, set[str]] = defaultdict(set)
    for message in messages:
        homes[message.author_key].add(message.community_id)
    met = [degree for _, degree in graph.degree]
    return Roles(
        voices=len(graph),
        connectors=len(connectors),
        parts=nx.number_connected_components(rest),
        core=sum(depth == deepest for depth in depths) if deepest >= CORE else 0,
        core_ties=deepest if deepest >= CORE else 0,
        edge=met.count(1),
        apart=met.count(0),
        bridging=sum(len(communities) > 1 for communities in homes.values()),
    )


def _places(told: Sequence[Told], gazetteer: Gazetteer) -> tuple[PlaceNamed, ...]:
    wards: dict[str, str | None] = {}
    counts: Counter[str] = Counter()
    for one in told:
        for place in gazetteer.find(one.text):
            wards[place.name] = place.ward
            counts[place.name] += 1
    return tuple(PlaceNamed(name, wards[name], count) for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def activity(messages: Iterable[Message], *, until: datetime | None = None) -> Activity:
    """Messages by week, by month or by year, whichever makes a chart of readable width; empty ones count as none."""
    messages = list(messages)
    timed = [(message.created_at.date(), message.is_willing) for message in messages if message.created_at]
    untimed = len(messages) - len(timed)
    if not timed:
        return Activity("week", (), untimed)
    first, last = min(timed)[0], max([max(timed)[0], *([until.date()] if until else [])])
    unit = _unit(first, last)
    counts = Counter((_begin(day, unit), is_willing) for day, is_willing in timed)
    bars, start = [], _begin(first, unit)
    while start <= last:
        bars.append(Bar(start, counts[start, True], counts[start, False]))
        start = _next(start, unit)
    return Activity(unit, tuple(bars), untimed)


def _unit(first: date, last: date) -> str:
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    if (last - first).days <= 7 * (WEEKS_SHOWN - 1):
        return "week"
    return "month" if months <= MONTHS_SHOWN else "year"


def _begin(day: date, unit: str) -> date:
    return {"week": day - timedelta(days=day.weekday()), "month": day.replace(day=1), "year": day.replace(month=1, day=1)}[unit]


def _next(start: date, unit: str) -> date:
    return _begin(start + timedelta(days={"week": 7, "month": 31, "year": 366}[unit]), unit)
