"""Today's leads and one lead: what officers read and decide on."""

from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from coprod_nlp.ranking.reasons import PART_NAMES, change_sentence, kept_sentence
from coprod_nlp.vocabulary import Approach, PolicyArea, Stage
from coprod_nlp.words import APPROACH_WORDS, STAGE_WORDS
from desk.auth import Acting, Officer
from desk.lead_rows import lead_row
from desk.office import Office, TheOffice
from desk.pages import go, page, part
from desk.quotes import choose
from models import account_queries, contact_queries, decision_actions, desk_queries
from models.base import utc_now
from models.classifier_actions import RefusedError
from models.decision_actions import ChangedError, Choice
from models.desk_queries import ALL, COUNTED_UP_TO, NOBODY, OPEN, PAGE, LeadFilter
from models.desk_words import LeadAction, LeadStatus
from models.session import unit_of_work

router = APIRouter(default_response_class=HTMLResponse)

LeadId = Annotated[str, Path(max_length=80, pattern=r"^[A-Za-z0-9_-]+$")]
Asked = Annotated[str, Query(max_length=120)]
Text = Annotated[str, Form(max_length=200)]
Note = Annotated[str, Form(max_length=10_000)]
Version = Annotated[int, Form(ge=0, le=1_000_000)]
LAST_PAGE = 4_000
STATUSES = (OPEN, *LeadStatus, ALL)
Options = tuple[tuple[str, str], ...]


def lead_filter(acting: Acting, *, area: str, ward: str, community: str, status: str, assignee: str, new: str) -> LeadFilter:
    """What the list is asked for; a status that there is not counts as open."""
    since = acting.last_visit_at if new else None
    return LeadFilter(area, ward, community, status if status in STATUSES else OPEN, assignee, since)


@router.get("/leads")
def leads(
    request: Request, office: TheOffice, acting: Officer, area: Asked = "", ward: Asked = "", community: Asked = "",
    status: Asked = OPEN, assignee: Asked = "", new: Asked = "", number: Annotated[int, Query(alias="page", ge=1, le=LAST_PAGE)] = 1,
) -> Response:  # fmt: skip
    asked = lead_filter(acting, area=area, ward=ward, community=community, status=status, assignee=assignee, new=new)
    least, today = office.config.ranking.minimum_voices, utc_now().date()
    with office.engine.connect() as connection:
        run = desk_queries.newest_scope(connection, acting.council)
        rows: list[Any] = []
        total = 0
        if run:
            rows = desk_queries.leads_page(connection, run.scope, asked, minimum_voices=least, today=today, page=number)
            total = len(rows)
            if number > 1 or total > PAGE:
                total = desk_queries.count_leads(connection, run.scope, asked, minimum_voices=least, today=today)
        staff = account_queries.staff(connection, acting.council)
    chosen = {"area": area, "ward": ward, "community": community, "status": asked.status, "assignee": assignee, "new": new}
    return page(
        request, "leads.html", title="Leads", acting=acting, run=run,
        rows=[lead_row(office, acting, row, names=staff.names) for row in rows[:PAGE]], has_more=len(rows) > PAGE,
        total=total, is_counted=total <= COUNTED_UP_TO, number=number, chosen=chosen, is_filtered=asked != LeadFilter(),
        filters=part("leads_filters.html", **_offered(office, acting, staff.officers), **chosen),
        address=lambda path, **more: f"{path}?{urlencode(_used({**chosen, **more}))}",
    )  # fmt: skip


def _used(chosen: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in chosen.items() if value}


@router.get("/leads/{lead_id}")
def lead_page(request: Request, office: TheOffice, acting: Officer, lead_id: LeadId) -> Response:
    return _lead_page(request, office, acting, lead_id)


@router.post("/leads/{lead_id}/decide")
def decide(
    request: Request, office: TheOffice, acting: Officer, lead_id: LeadId, version: Version, action: Text = "", reason: Text = "",
    until: Text = "", assignee: Text = "", note: Note = "",
) -> Response:  # fmt: skip
    given = {"action": action, "reason": reason, "until": until, "assignee": assignee, "note": note}
    try:
        choice = _choice(office, acting, given)
        with unit_of_work(office.engine) as session:
            lead = known_lead(office, session.connection(), acting, lead_id)
            decision_actions.decide(session, lead, choice, version=version, by=acting.username)
    except RefusedError as error:
        return _lead_page(request, office, acting, lead_id, error=str(error), given=given, status=400)
    except ChangedError:
        return _lead_page(request, office, acting, lead_id, seen=version, given=given, status=409)
    return go(f"/leads/{lead_id}", done="saved")


@router.post("/leads/{lead_id}/undo")
def undo(request: Request, office: TheOffice, acting: Officer, lead_id: LeadId, version: Version) -> Response:
    try:
        with unit_of_work(office.engine) as session:
            decision_actions.undo(session, known_lead(office, session.connection(), acting, lead_id), version=version, by=acting.username)
    except RefusedError as error:
        return _lead_page(request, office, acting, lead_id, error=str(error), status=400)
    except ChangedError:
        return _lead_page(request, office, acting, lead_id, seen=version, status=409)
    return go(f"/leads/{lead_id}", done="undone")


def _lead_page(
    request: Request, office: Office, acting: Acting, lead_id: str, *, error: str = "", seen: int | None = None,
    given: dict[str, str] | None = None, status: int = 200,
) -> Response:  # fmt: skip
    """A lead with its evidence: what was shown is counted and written down. `seen`: the version somebody acted on in vain."""
    with office.engine.connect() as connection:
        lead = desk_queries.lead_of_council(connection, acting.council, lead_id, minimum_voices=office.config.ranking.minimum_voices)
        history = desk_queries.history(connection, acting.council, lead_id)
        staff = account_queries.staff(connection, acting.council)
        if lead is None:
            if not history:
                raise HTTPException(404)
            return page(
                request, "lead_gone.html", title="This lead was withdrawn", acting=acting, history=history, names=staff.names, status=410
            )
        shown = _evidence(office, connection, acting, lead_id)
        communities = desk_queries.communities_of(connection, lead_id)
        contacts = contact_queries.contacts_of(connection, lead_id)
        subjects = [lead_id, *(community_id for community_id, _ in communities)]
        holds = contact_queries.holds_on(connection, acting.council, subjects, now=utc_now())
    with unit_of_work(office.engine) as session:
        decision_actions.record_views(session, acting.account_id, shown.voices, lead_id=lead_id, by=acting.username)
    missed = [one for one in history if seen is not None and one.version > seen]
    return page(
        request, "lead.html", title=f"{office.area_name(lead.area)}: lead {lead.rank}", acting=acting, lead=lead,
        area=office.area_name(lead.area), history=history, names=staff.names, shown=shown, communities=communities, contacts=contacts,
        holds=holds, title_of=office.community_title, part_names=PART_NAMES, approaches=_approaches(lead), said=_said(office, lead),
        stages=[(STAGE_WORDS[Stage(name)], count) for name, count in lead.stages], can_undo=_can_undo(history), missed=missed,
        officers=[("", "Nobody"), *staff.officers], errors={"action": error} if error else {}, values=given or {},
        views_a_week=office.desk(acting.council).voice_views_a_week, status=status,
    )  # fmt: skip


def _said(office: Office, lead: Any) -> list[str]:
    """What the newest ranking made of the network, as sentences."""
    said = [change_sentence(lead.change, joined=lead.joined, departed=lead.departed, origins=len(lead.origins))]
    if lead.kept_for:
        names = {key: area.name for key, area in office.config.policy_areas.items()}
        said.append(kept_sentence(lead.kept_for, names | office.titles))
    if lead.is_gathered:
        said.append(
            "These people have not met. Each wrote about this in the same community: bringing them together would be the first step."
        )
    return said


def _evidence(office: Office, connection: Connection, acting: Acting, lead_id: str) -> Any:
    messages = desk_queries.evidence(connection, lead_id)
    keys = sorted({message.author_key for message in messages if message.author_key})
    views = decision_actions.voice_views(connection, acting.account_id, keys)
    limit = office.desk(acting.council).voice_views_a_week
    return choose(messages, views=views, views_a_week=limit, shown=office.config.ranking.evidence_shown)


def known_lead(office: Office, connection: Connection, acting: Acting, lead_id: str) -> Any:
    lead = desk_queries.lead_of_council(connection, acting.council, lead_id, minimum_voices=office.config.ranking.minimum_voices)
    if lead is None:
        raise HTTPException(404)
    return lead


def _choice(office: Office, acting: Acting, given: dict[str, str]) -> Choice:
    """What a form asks for, in our own words; anything else is refused."""
    allowed = {LeadAction.SHORTLIST, LeadAction.REJECT, LeadAction.NOT_NOW, LeadAction.REOPEN, LeadAction.ASSIGN, LeadAction.NOTE}
    action = next((one for one in allowed if one.value == given["action"]), None)
    if action is None:
        raise RefusedError("Choose what to do with this lead.")
    with office.engine.connect() as connection:
        known = {username for username, _ in account_queries.staff(connection, acting.council).officers}
    if action == LeadAction.ASSIGN and given["assignee"] and given["assignee"] not in known:
        raise RefusedError("Choose an officer of your council from the list.")
    try:
        until = date.fromisoformat(given["until"]) if given["until"] and action == LeadAction.NOT_NOW else None
    except ValueError:
        raise RefusedError("The date is not one. Write it as 2027-01-31, or choose it from the calendar.") from None
    reason = given["reason"] or None if action == LeadAction.REJECT else None
    return Choice(action, note=given["note"], reason=reason, until=until, assignee=given["assignee"] or None)


def _can_undo(history: list[Any]) -> bool:
    return bool(history) and history[0].action not in decision_actions.CANNOT_BE_UNDONE


def _approaches(lead: Any) -> list[tuple[str, str, str]]:
    return [(*APPROACH_WORDS[Approach(name)], reason) for name, reason in lead.approaches]


def _offered(office: Office, acting: Acting, officers: list[tuple[str, str]]) -> dict[str, Options]:
    """What each filter offers."""
    config = office.config
    wards = config.councils[acting.council].wards if acting.council in config.councils else ()
    return {
        "areas": (("", "All policy areas"), *((area.value, config.policy_areas[area.value].name) for area in PolicyArea)),
        "wards": (("", "All wards"), *((ward.code, ward.name) for ward in wards)),
        "communities": (("", "All communities"), *((c.community_id, c.title) for c in config.communities if c.council == acting.council)),
        "people": (("", "Anybody"), (acting.username, "Me"), (NOBODY, "Nobody yet"), *(o for o in officers if o[0] != acting.username)),
    }
