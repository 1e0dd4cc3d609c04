"""One lead as it is printed: score and reasons, the network's card, how to approach it, and the messages behind it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import networkx as nx
from sqlalchemy import Connection

from coprod_nlp.drawing.charts import BarChart, activity_chart
from coprod_nlp.drawing.picture import NetworkPicture, network_graph, network_picture
from coprod_nlp.excerpt import safe_link, varied
from coprod_nlp.ranking.approach import SIGNALS_OF, Call
from coprod_nlp.ranking.card import Activity, NetworkCard, Phrase, Told, network_card, shortened
from coprod_nlp.ranking.card_sentences import readiness_sentence, role_sentences
from coprod_nlp.ranking.places import Gazetteer
from coprod_nlp.ranking.reasons import PART_NAMES, change_sentence, kept_sentence
from coprod_nlp.vocabulary import Signal
from coprod_nlp.words import APPROACH_WORDS, SIGNAL_WORDS, STAGE_WORDS, WELCOME_WORDS
from flows.job import Job
from flows.reports.quotes import Quote, counted, quote, title_of
from models import network_queries, queries, report_queries

SNIPPETS = 2


@dataclass(frozen=True)
class Snippet:
    """Words somebody in the network wrote, and the way to their place; never who."""

    words: str
    link: str


@dataclass(frozen=True)
class ApproachContent:
    """One approach: what to do, why, and some of the messages that led to it."""

    name: str
    advice: str
    reason: str
    snippets: tuple[Snippet, ...]


@dataclass(frozen=True)
class Route:
    """One community in which the lead's willing messages stand: its rules, whom to ask, and whether a council is welcome.

    `token` is its id without spaces.
    """

    community: str
    token: str
    messages: int
    approach: str | None
    welcome: str
    advice: str
    rules: str
    contact: str
    link: str


@dataclass(frozen=True)
class PlaceContent:
    """A place that messages of the network name, and its ward's name."""

    name: str
    ward: str
    messages: int


@dataclass(frozen=True)
class CardContent:
    """The network's card in words: what it does, can, needs and proposes, how it hangs together, and where and when it wrote."""

    messages: int
    voices: int
    signals: tuple[tuple[str, int, int], ...]
    abilities: tuple[Snippet, ...]
    needs: tuple[Snippet, ...]
    barriers: tuple[Snippet, ...]
    proposals: tuple[Snippet, ...]
    readiness: str
    roles: tuple[str, ...]
    places: tuple[PlaceContent, ...]
    activity: Activity


@dataclass(frozen=True)
class LeadContent:
    """One lead as it is printed."""

    rank: int
    lead_id: str
    network_id: str
    area: str
    area_key: str
    score: float
    low: float
    high: float
    voices: int
    willing_messages: int
    network_voices: int
    parts: tuple[dict[str, Any], ...]
    approaches: tuple[ApproachContent, ...]
    stages: tuple[tuple[str, int], ...]
    quotes: tuple[Quote, ...]
    communities: tuple[tuple[str, int], ...]
    signals: tuple[tuple[str, int], ...]
    card: CardContent
    routes: tuple[Route, ...]
    wards: tuple[str, ...]
    change: str
    change_words: str
    kept: str | None
    is_gathered: bool
    picture: NetworkPicture
    chart: BarChart | None


@dataclass(frozen=True)
class _Found:
    """What is stored of a lead: its network, its messages, and the card that is made of all that the network wrote in the area."""

    network: Any
    messages: list[Any]
    told: dict[str, Told]
    links: dict[str, str]
    graph: "nx.Graph[str]"
    card: NetworkCard


def _found(connection: Connection, job: Job, row: Any, gazetteer: Gazetteer) -> _Found:
    network, messages = network_queries.network(connection, row.network_id), queries.lead_evidence(connection, row.lead_id)
    if network is None:
        raise LookupError(f"lead {row.lead_id} has no network {row.network_id}; rank again")
    voices, ties = queries.network_voices(connection, row.network_id), queries.network_ties(connection, row.network_id)
    graph = network_graph(ties, voices)
    rows = report_queries.card_messages(connection, job.scope(), row, version=job.run().versions["reading"])
    told = {message.post_id: Told.of(message) for message in rows}
    card = network_card(list(told.values()), voices=voices, ties=graph.edges, gazetteer=gazetteer, until=job.scope().until)
    return _Found(network, messages, told, {message.post_id: safe_link(message.permalink) for message in rows}, graph, card)


def lead_content(connection: Connection, job: Job, row: Any, *, gazetteer: Gazetteer, titles: dict[str, str]) -> LeadContent:
    """A lead with its card, from what is stored now."""
    found = _found(connection, job, row, gazetteer)
    network, card = found.network, found.card
    willing = [message for message in found.messages if message.is_willing]
    names = {key: area.name for key, area in job.config.policy_areas.items()} | titles
    return LeadContent(
        rank=row.rank,
        lead_id=row.lead_id,
        network_id=row.network_id,
        area=job.config.policy_areas[row.area].name,
        area_key=row.area,
        score=row.score,
        low=row.low,
        high=row.high,
        voices=row.voices,
        willing_messages=row.willing_messages,
        network_voices=len(found.graph),
        parts=tuple({**part, "name": PART_NAMES[part["key"]]} for part in row.parts),
        approaches=tuple(_approach(call, found.told, found.links) for call in _as_ranked(card.calls, row.approaches)),
        stages=tuple((STAGE_WORDS[stage], count) for stage, count in card.stages),
        quotes=tuple(quote(message, titles) for message in varied(willing, job.config.ranking.evidence_shown)),
        communities=counted(title_of(message.community_id, titles) for message in willing),
        signals=counted(SIGNAL_WORDS[Signal(name)] for message in found.messages for name in message.signals),
        card=_card(card, job, found.links),
        routes=tuple(_routes(job, [message.community_id for message in willing], titles)),
        wards=tuple(sorted({place.ward for place in card.places if place.ward})),
        change=network.change,
        change_words=change_sentence(network.change, joined=network.joined, departed=network.departed, origins=len(network.origins)),
        kept=kept_sentence(row.kept_for, names) if row.kept_for else None,
        is_gathered=network.is_gathered,
        picture=network_picture(found.graph),
        chart=activity_chart(card.activity),
    )


def _as_ranked(calls: Sequence[Call], ranked: Sequence[Sequence[str]]) -> list[Call]:
    """Calls in the order and with the reasons of the ranking, which compared all leads."""
    by_name = {call.approach.value: call for call in calls}
    return [replace(by_name[name], reason=reason) for name, reason in ranked if name in by_name]


def _approach(call: Call, told: Mapping[str, Told], links: Mapping[str, str]) -> ApproachContent:
    """The call's surest messages, each by the words that led to it."""
    name, advice = APPROACH_WORDS[call.approach]
    signals = SIGNALS_OF[call.approach]
    snippets = []
    for post_id in call.post_ids:
        one = told.get(post_id)
        words = next((shortened(one.text[span.start : span.end]) for span in one.evidence if span.signal in signals), "") if one else ""
        if words:
            snippets.append(Snippet(words, links[post_id]))
    return ApproachContent(name, advice, call.reason, tuple(snippets[:SNIPPETS]))


def _card(card: NetworkCard, job: Job, links: Mapping[str, str]) -> CardContent:
    wards = {ward.code: ward.name for ward in job.council.wards}

    def told(phrases: Sequence[Phrase]) -> tuple[Snippet, ...]:
        return tuple(Snippet(phrase.words, links[phrase.post_id]) for phrase in phrases)

    return CardContent(
        messages=card.messages,
        voices=card.voices,
        signals=tuple((SIGNAL_WORDS[signal], messages, voices) for signal, messages, voices in card.signals),
        abilities=told(card.abilities),
        needs=told(card.needs),
        barriers=told(card.barriers),
        proposals=told(card.proposals),
        readiness=readiness_sentence(card.readiness),
        roles=tuple(role_sentences(card.roles)),
        places=tuple(PlaceContent(place.name, wards.get(place.ward or "", ""), place.messages) for place in card.places),
        activity=card.activity,
    )


def _routes(job: Job, community_ids: Sequence[str], titles: Mapping[str, str]) -> Iterable[Route]:
    """Every community of the willing messages, the one with most first."""
    for community_id, messages in counted(community_ids):
        community = job.config.community(community_id)
        welcome, advice = WELCOME_WORDS[community.approach if community else None]
        yield Route(
            community=title_of(community_id, titles),
            token="_".join(community_id.split()),
            messages=messages,
            approach=community.approach if community else None,
            welcome=welcome,
            advice=advice,
            rules=community.rules if community else "",
            contact=community.contact if community else "",
            link=safe_link(str((community.rules_url or community.url) if community else "")),
        )
