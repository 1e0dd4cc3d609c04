"""The contact step: a draft, its checks, a second person's sign-off, what was sent and what came of it."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Path, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from sqlmodel import Session

from config.schema import Campaign
from coprod_nlp.excerpt import safe_link
from coprod_nlp.words import WELCOME_WORDS
from desk.auth import Acting, Officer
from desk.office import Office, TheOffice
from desk.pages import go, page
from models import account_queries, contact_actions, contact_queries, desk_queries
from models.base import utc_now
from models.classifier_actions import RefusedError
from models.contact import Contact, ContactHold
from models.decision_actions import ChangedError
from models.session import unit_of_work

router = APIRouter(default_response_class=HTMLResponse)

Id = Annotated[str, Path(max_length=80, pattern=r"^[A-Za-z0-9_-]+$")]
Text = Annotated[str, Form(max_length=500)]
Long = Annotated[str, Form(max_length=20_000)]
Version = Annotated[int, Form(ge=0, le=1_000_000)]
Many = Annotated[list[str] | None, Form(max_length=20)]

ROUTE = "Post it openly, under the council’s own name, in the community where they write. No private messages."
# What must be true before a council writes to a network. Each is ticked by the person who prepares, and read again by the second.
CHECKS = {
    "purpose": "It fits the purpose for which we listen, shown above.",
    "welcome": "I read the rules of this community today. They let a council post there, or the moderators said yes.",
    "open": "We post as the council, in public. We send no private message, and we name and quote nobody.",
    "free": "It says that answering is a choice and that nothing depends on it.",
    "rights": "It says where our privacy notice is and how to object.",
    "care": "Nothing suggests that the people are under 18 or in distress. If it did, I would talk to the safeguarding lead instead.",
    "ready": "Somebody here has the time to answer, and can say what will be done with what people propose.",
}


@router.get("/contacts")
def contacts(request: Request, office: TheOffice, acting: Officer) -> Response:
    with office.engine.connect() as connection:
        rows = contact_queries.contacts(connection, acting.council)
        holds = contact_queries.holds(connection, acting.council, now=utc_now())
        names = account_queries.staff(connection, acting.council).names
    return page(
        request, "contacts.html", title="Contact with networks", acting=acting, rows=rows, holds=holds, names=names,
        title_of=office.community_title, area_name=office.area_name,
    )  # fmt: skip


@router.post("/leads/{lead_id}/contact")
def start(request: Request, office: TheOffice, acting: Officer, lead_id: Id) -> Response:
    try:
        with unit_of_work(office.engine) as session:
            lead = _lead(office, session.connection(), acting, lead_id)
            if lead is None:
                raise HTTPException(404)
            community_id = _where(office, desk_queries.communities_of(session.connection(), lead_id))
            contact = contact_actions.start_contact(
                session,
                lead,
                community_id=community_id,
                route=ROUTE,
                draft=_draft(office, acting, lead.area, community_id),
                by=acting.username,
            )
    except RefusedError as error:
        return page(
            request, "error.html", title="No message can be prepared now", acting=acting, status=400, message=f"{error}.", reference=""
        )
    return go(f"/contacts/{contact.contact_id}")


@router.get("/contacts/{contact_id}")
def contact_page(request: Request, office: TheOffice, acting: Officer, contact_id: Id) -> Response:
    return _contact_page(request, office, acting, contact_id)


@router.post("/contacts/{contact_id}")
def go_on(
    request: Request, office: TheOffice, acting: Officer, contact_id: Id, version: Version, step: Text = "", draft: Long = "",
    checklist: Many = None, because: Long = "", link: Text = "", answers: Text = "", answer: Long = "", outcome: Long = "",
) -> Response:  # fmt: skip
    given = {"draft": draft, "checklist": [key for key in checklist or [] if key in CHECKS], "because": because, "link": link.strip(),
             "answers": answers.strip(), "answer": answer, "outcome": outcome}  # fmt: skip
    try:
        with unit_of_work(office.engine) as session:
            contact = _contact(session, acting, contact_id)
            done = _step(office, session, acting, contact, step=step, version=version, given=given)
    except RefusedError as error:
        return _contact_page(request, office, acting, contact_id, error=str(error), given=given, status=400)
    except ChangedError:
        message = "A colleague changed this message while you were reading. Your change was not saved; what you see now is theirs."
        return _contact_page(request, office, acting, contact_id, error=message, status=409)
    return go(f"/contacts/{contact_id}", done=done)


@router.get("/leads/{lead_id}/hold")
def hold_page(request: Request, office: TheOffice, acting: Officer, lead_id: Id) -> Response:
    return _hold_page(request, office, acting, lead_id)


@router.post("/leads/{lead_id}/hold")
def place_hold(request: Request, office: TheOffice, acting: Officer, lead_id: Id, until: Text = "", reason: Long = "") -> Response:
    with office.engine.connect() as connection:
        if _lead(office, connection, acting, lead_id) is None:
            raise HTTPException(404)
    try:
        day = date.fromisoformat(until)
    except ValueError:
        return _hold_page(
            request, office, acting, lead_id, error="Write a date as 2027-01-31, or choose it from the calendar.", reason=reason
        )
    try:
        with unit_of_work(office.engine) as session:
            contact_actions.place_hold(session, council=acting.council, subject=lead_id, until=day, reason=reason, by=acting.username)
    except RefusedError as error:
        return _hold_page(request, office, acting, lead_id, error=str(error), until=until, reason=reason)
    return go(f"/leads/{lead_id}", done="hold")


@router.post("/holds/{hold_id}/lift")
def lift_hold(office: TheOffice, acting: Officer, hold_id: Annotated[int, Path(ge=1, le=2**31)]) -> Response:
    try:
        with unit_of_work(office.engine) as session:
            hold = session.get(ContactHold, hold_id)
            if hold is None or hold.council != acting.council:
                raise HTTPException(404)
            contact_actions.lift_hold(session, hold, by=acting.username)
    except RefusedError:
        return go("/contacts")
    return go("/contacts", done="lifted")


def _step(office: Office, session: Session, acting: Acting, contact: Contact, *, step: str, version: int, given: dict[str, Any]) -> str:
    """One step further; returns which notice to show."""
    by, lead = acting.username, _lead(office, session.connection(), acting, contact.lead_id)
    if step in {"save", "submit"}:
        contact_actions.save_draft(session, contact, draft=given["draft"], checklist=given["checklist"], version=version, by=by)
        if step == "save":
            return "saved"
        campaign = _campaign(office, acting.council)
        if campaign is None:
            raise RefusedError("no campaign of your council runs today, so there is no purpose to write for; ask for one in campaigns.toml")
        must = (str(campaign.privacy_notice), objection_page(office))
        contact_actions.submit(session, contact, needed=CHECKS, must_name=must, version=version + 1, by=by)
        return "submitted"
    if step == "sign_off":
        contact_actions.sign_off(session, contact, version=version, by=by)
        return "signed"
    if step == "send_back":
        contact_actions.send_back(session, contact, because=given["because"], version=version, by=by)
        return "saved"
    if step == "cancel":
        contact_actions.cancel_contact(session, contact, version=version, by=by)
        return "cancelled"
    if step == "answer":
        if not given["answers"].isdigit() or len(given["answers"]) > 6:
            raise RefusedError("write how many people answered as a number, such as 0 or 12")
        contact_actions.record_answer(session, contact, answers=int(given["answers"]), answer=given["answer"], version=version, by=by)
        return "saved"
    if step == "close":
        contact_actions.close_contact(session, contact, outcome=given["outcome"], version=version, by=by)
        return "closed"
    if lead is None:
        raise RefusedError("the lead was withdrawn meanwhile, so nobody writes there any more; cancel this message")
    if step == "sent":
        if given["link"] and not safe_link(given["link"]):
            raise RefusedError("the address of the post should begin with https://")
        days = office.desk(acting.council).cool_off_days
        contact_actions.record_sent(session, contact, lead, link=given["link"], cool_off_days=days, version=version, by=by)
        return "sent"
    raise RefusedError("choose one of the buttons of this page")


def _contact_page(
    request: Request,
    office: Office,
    acting: Acting,
    contact_id: str,
    *,
    error: str = "",
    given: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    with unit_of_work(office.engine) as session:
        contact = _contact(session, acting, contact_id)
        connection = session.connection()
        names = account_queries.staff(connection, acting.council).names
        is_there = _lead(office, connection, acting, contact.lead_id) is not None
    community = office.config.community(contact.community_id)
    return page(
        request, "contact.html", title=f"Message to a network: {office.area_name(contact.area)}", acting=acting, contact=contact,
        names=names, checks=CHECKS, campaign=_campaign(office, acting.council), community=community, is_there=is_there,
        community_title=office.community_title(contact.community_id), area=office.area_name(contact.area),
        welcome=WELCOME_WORDS[community.approach if community else None],
        can_sign=acting.username not in {contact.made_by, contact.written_by, contact.submitted_by},
        errors={"step": error} if error else {}, values=given or {"draft": contact.draft, "checklist": contact.checklist}, status=status,
    )  # fmt: skip


def _hold_page(
    request: Request, office: Office, acting: Acting, lead_id: str, *, error: str = "", until: str = "", reason: str = ""
) -> Response:
    with office.engine.connect() as connection:
        lead = _lead(office, connection, acting, lead_id)
    if lead is None:
        raise HTTPException(404)
    return page(
        request, "hold.html", title="Do not write for a while", acting=acting, lead=lead, area=office.area_name(lead.area),
        errors={"until": error} if error else {}, values={"until": until, "reason": reason}, status=400 if error else 200,
    )  # fmt: skip


def _where(office: Office, communities: list[tuple[str, int]]) -> str:
    """The community with most of the lead's messages in which a council is not unwelcome."""
    for community_id, _ in communities:
        community = office.config.community(community_id)
        if community is None or community.approach != "not_welcome":
            return community_id
    raise RefusedError("councils are not welcome in any of these communities; find another open way, such as a public notice")


def objection_page(office: Office) -> str:
    """Where a resident objects: the public page of this desk."""
    return f"{office.settings.desk_address}/your-posts"


def _draft(office: Office, acting: Acting, area: str, community_id: str) -> str:
    campaign = _campaign(office, acting.council)
    return office.desk(acting.council).draft.format(
        council=office.council_name(acting.council), community=office.community_title(community_id), area=office.area_name(area).lower(),
        privacy_notice=campaign.privacy_notice if campaign else "(no campaign: ask for its privacy notice)",
        objection_page=objection_page(office),
    ).strip()  # fmt: skip


def _campaign(office: Office, council: str) -> Campaign | None:
    """The council's campaign that runs today."""
    today = utc_now().date()
    return next((c for c in office.config.campaigns.values() if c.council == council and c.starts <= today <= c.ends), None)


def _contact(session: Session, acting: Acting, contact_id: str) -> Contact:
    contact = session.get(Contact, contact_id)
    if contact is None or contact.council != acting.council:
        raise HTTPException(404)
    return contact


def _lead(office: Office, connection: Connection, acting: Acting, lead_id: str) -> Any | None:
    return desk_queries.lead_of_council(connection, acting.council, lead_id, minimum_voices=office.config.ranking.minimum_voices)
