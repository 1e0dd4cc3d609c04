"""The card of a network: what it can do, needs and proposes, and how it hangs together. Numbers of people, never who."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from coprod_nlp.drawing.charts import activity_chart
from coprod_nlp.drawing.picture import network_graph, network_picture
from coprod_nlp.ranking.card import NetworkCard, Phrase, Told, network_card
from coprod_nlp.ranking.card_sentences import readiness_sentence, role_sentences
from coprod_nlp.ranking.places import Gazetteer, GazetteerPlace
from coprod_nlp.words import SIGNAL_WORDS
from desk.auth import Acting, Officer
from desk.leads import LeadId, known_lead
from desk.office import Office, TheOffice
from desk.pages import page, templates
from models import decision_actions, desk_queries, queries, report_queries
from models.queries import Scope
from models.session import unit_of_work

router = APIRouter(default_response_class=HTMLResponse)

PHRASES = (
    ("abilities", "What they can do", "No message names a skill, trade or asset."),
    ("proposals", "What they propose", "No message puts forward a concrete improvement."),
    ("needs", "What they need or complain of", "No message asks for help or complains."),
    ("barriers", "What holds people back", "No message says what holds people back."),
)
# The picture of a network stays the same until the next ranking; a browser may keep it for a while.
KEPT = {"Cache-Control": "private, max-age=600"}


@router.get("/leads/{lead_id}/network")
def network_page(request: Request, office: TheOffice, acting: Officer, lead_id: LeadId) -> Response:
    """The card. Whose words it quotes is counted and written down, as on the lead itself."""
    with office.engine.connect() as connection:
        lead = known_lead(office, connection, acting, lead_id)
        rows, card, picture = _card(office, connection, acting, lead)
        author_of = {row.post_id: row.author_key for row in rows}
        views = decision_actions.voice_views(connection, acting.account_id, sorted(set(author_of.values())))
    limit = office.desk(acting.council).voice_views_a_week
    lists = [(title, _allowed(getattr(card, name), author_of, views, limit), empty) for name, title, empty in PHRASES]
    shown = sorted({author_of[phrase.post_id] for _, phrases, _ in lists for phrase in phrases})
    with unit_of_work(office.engine) as session:
        decision_actions.record_views(session, acting.account_id, shown, lead_id=lead_id, by=acting.username)
    return page(
        request, "network.html", title=f"{office.area_name(lead.area)}: the network", acting=acting, lead=lead,
        area=office.area_name(lead.area), card=card, lists=lists, picture=picture, chart=activity_chart(card.activity),
        readiness=readiness_sentence(card.readiness), roles=list(role_sentences(card.roles)),
        signals=[(SIGNAL_WORDS[signal], messages, voices) for signal, messages, voices in card.signals],
    )  # fmt: skip


@router.get("/leads/{lead_id}/picture.svg")
def picture_svg(office: TheOffice, acting: Officer, lead_id: LeadId) -> Response:
    with office.engine.connect() as connection:
        lead = known_lead(office, connection, acting, lead_id)
        graph = network_graph(queries.network_ties(connection, lead.network_id), queries.network_voices(connection, lead.network_id))
    svg = templates.get_template("picture.svg").render(picture=network_picture(graph), is_file=True)
    return Response(svg, media_type="image/svg+xml", headers=KEPT)


def _card(office: Office, connection: Connection, acting: Acting, lead: Any) -> tuple[list[Any], NetworkCard, Any]:
    run = desk_queries.run_of_scope(connection, acting.council, lead.scope)
    if run is None:
        raise HTTPException(404)
    scope = Scope(acting.council, tuple(run.communities), _moment(run.request.get("since")), _moment(run.request.get("until")))
    rows = report_queries.card_messages(connection, scope, lead, version=run.versions.get("reading", ""))
    voices = queries.network_voices(connection, lead.network_id)
    graph = network_graph(queries.network_ties(connection, lead.network_id), voices)
    told = [Told.of(row) for row in rows]
    card = network_card(told, voices=voices, ties=graph.edges, gazetteer=_gazetteer(office, acting.council), until=scope.until)
    return rows, card, network_picture(graph)


def _allowed(phrases: tuple[Phrase, ...], author_of: dict[str, str], views: dict[str, int], limit: int) -> list[Phrase]:
    """Words of voices that this person has not been shown too often this week."""
    return [phrase for phrase in phrases if views.get(author_of[phrase.post_id], 0) < limit]


def _gazetteer(office: Office, council: str) -> Gazetteer:
    wards = office.config.councils[council].wards if council in office.config.councils else ()
    places = [GazetteerPlace(ward.name, (ward.name, *ward.aliases), ward.code) for ward in wards]
    marks = [GazetteerPlace(one.name, (one.name, *one.aliases), one.ward) for one in office.config.places if one.council == council]
    return Gazetteer([*places, *marks])


def _moment(text: str | None) -> datetime | None:
    """A moment of a run's request; one without a zone is in UTC, as in `flows.job`."""
    moment = datetime.fromisoformat(text) if text else None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
