"""How a contact goes on: draft, a second person's sign-off, sent, what came of it. Each step is one transaction and one audit row."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select, update
from sqlmodel import Session, col

from models.actions import audit
from models.base import utc_now
from models.classifier_actions import RefusedError
from models.contact import Contact, ContactHold
from models.contact_queries import holds_on, open_contact
from models.decision import LeadState
from models.decision_actions import ChangedError, Choice, KnownLead, decide
from models.desk_words import ContactStatus, HoldKind, LeadAction

DRAFT_CHARS = 5_000
LONGEST_HOLD = timedelta(days=731)


def start_contact(session: Session, lead: Any, *, community_id: str, route: str, draft: str, by: str) -> Contact:
    """A draft for one lead. One at a time, and none where a hold says that nobody writes."""
    connection = session.connection()
    if open_contact(connection, lead.lead_id):
        raise RefusedError("there is a message under way for this lead already; finish or cancel that one first")
    _refuse_on_hold(session, lead.council, lead.lead_id, community_id)
    now = utc_now()
    contact = Contact(
        contact_id=f"c-{uuid4().hex[:16]}", lead_id=lead.lead_id, council=lead.council, area=lead.area, community_id=community_id,
        status=ContactStatus.DRAFT, route=route, draft=draft, made_at=now, made_by=by, changed_at=now,
    )  # fmt: skip
    session.add(contact)
    audit(session, by=by, action="contact_start", subject=contact.contact_id, counts={})
    return contact


def save_draft(session: Session, contact: Contact, *, draft: str, checklist: Collection[str], version: int, by: str) -> None:
    draft = draft.replace("\r\n", "\n")  # as a browser sends what nobody changed
    values = {"draft": _short(draft), "checklist": sorted(checklist)} | ({"written_by": by} if draft != contact.draft else {})
    _change(session, contact, {ContactStatus.DRAFT}, version=version, **values)
    audit(session, by=by, action="contact_save", subject=contact.contact_id, counts={"checked": len(checklist)})


def submit(session: Session, contact: Contact, *, needed: Collection[str], must_name: Collection[str], version: int, by: str) -> None:
    """Hand the draft to a second person. Every line of the checklist is ticked, and the draft says what it must."""
    if missing := set(needed) - set(contact.checklist):
        raise RefusedError(f"{len(missing)} of the checks are not ticked; tick each that is true, and put right what is not")
    if absent := [text for text in must_name if text not in contact.draft]:
        raise RefusedError(f"the draft does not contain {absent[0]}; put it back, so that people can read about their rights and object")
    _refuse_on_hold(session, contact.council, contact.lead_id, contact.community_id)
    values = {"status": ContactStatus.WAITING, "submitted_at": utc_now(), "submitted_by": by, "returned_because": ""}
    _change(session, contact, {ContactStatus.DRAFT}, version=version, **values)
    audit(session, by=by, action="contact_submit", subject=contact.contact_id, counts={})


def sign_off(session: Session, contact: Contact, *, version: int, by: str) -> None:
    """A second person agrees. The one who submitted, made or last wrote it cannot."""
    if by in {contact.submitted_by, contact.made_by, contact.written_by}:
        raise RefusedError("a second person signs off; ask a colleague")
    _refuse_on_hold(session, contact.council, contact.lead_id, contact.community_id)
    _change(session, contact, {ContactStatus.WAITING}, version=version, status=ContactStatus.SIGNED_OFF, signed_at=utc_now(), signed_by=by)
    audit(session, by=by, action="contact_sign_off", subject=contact.contact_id, counts={})


def send_back(session: Session, contact: Contact, *, because: str, version: int, by: str) -> None:
    if not because.strip():
        raise RefusedError("say what should change; your colleague sees it beside the draft")
    values = {
        "status": ContactStatus.DRAFT, "returned_because": _short(because.strip()), "submitted_at": None, "submitted_by": None,
        "signed_at": None, "signed_by": None,
    }  # fmt: skip
    _change(session, contact, {ContactStatus.WAITING, ContactStatus.SIGNED_OFF}, version=version, **values)
    audit(session, by=by, action="contact_send_back", subject=contact.contact_id, counts={})


def record_sent(session: Session, contact: Contact, lead: Any, *, link: str, cool_off_days: int, version: int, by: str) -> None:
    """An officer wrote it, openly. From now on nobody writes to this lead or in this community for a while."""
    _refuse_on_hold(session, contact.council, contact.lead_id, contact.community_id)
    now = utc_now()
    _change(
        session, contact, {ContactStatus.SIGNED_OFF}, version=version, status=ContactStatus.SENT, sent_at=now, sent_by=by, sent_link=link
    )
    for subject in (contact.lead_id, contact.community_id):
        session.add(
            ContactHold(council=contact.council, kind=HoldKind.COOL_OFF, subject=subject, until=now + timedelta(days=cool_off_days),
                        placed_at=now, placed_by=by)
        )  # fmt: skip
    decide(session, lead, Choice(LeadAction.CONTACT), version=_lead_version(session, contact.lead_id), by=by)
    audit(session, by=by, action="contact_sent", subject=contact.contact_id, counts={"cool_off_days": cool_off_days})


def record_answer(session: Session, contact: Contact, *, answers: int, answer: str, version: int, by: str) -> None:
    """What came back: how many answered, and in the officer's own words what they said. No names."""
    if answers < 0:
        raise RefusedError(f"{answers} answers: write 0 or more")
    _change(session, contact, {ContactStatus.SENT}, version=version, answers=answers, answer=_short(answer))
    audit(session, by=by, action="contact_answer", subject=contact.contact_id, counts={"answers": answers})


def close_contact(session: Session, contact: Contact, *, outcome: str, version: int, by: str) -> None:
    """What came of it: "you said, we did". Retention may have taken the lead away by then."""
    if not outcome.strip():
        raise RefusedError("say what came of it, also when nothing did; that is what closes the loop")
    _change(session, contact, {ContactStatus.SENT}, version=version, status=ContactStatus.CLOSED, outcome=_short(outcome.strip()))
    lead = KnownLead(contact.lead_id, contact.council, contact.area)
    decide(session, lead, Choice(LeadAction.CLOSE), version=_lead_version(session, contact.lead_id), by=by)
    audit(session, by=by, action="contact_close", subject=contact.contact_id, counts={"answers": contact.answers or 0})


def cancel_contact(session: Session, contact: Contact, *, version: int, by: str) -> None:
    """Before anything was sent a contact can be dropped; its words go."""
    before_sending = {ContactStatus.DRAFT, ContactStatus.WAITING, ContactStatus.SIGNED_OFF}
    _change(session, contact, before_sending, version=version, status=ContactStatus.CANCELLED, draft="", returned_because="")
    audit(session, by=by, action="contact_cancel", subject=contact.contact_id, counts={})


def place_hold(session: Session, *, council: str, subject: str, until: date, reason: str, by: str) -> ContactHold:
    """Nobody writes to a network or in a community until a day. It ends by itself, so that no list lasts for ever."""
    now = utc_now()
    end = datetime.combine(until, time.max, tzinfo=UTC)
    if not now < end <= now + LONGEST_HOLD:
        raise RefusedError("say until when: a date from tomorrow to two years from now")
    if not reason.strip():
        raise RefusedError("say why; whoever comes after you will want to know")
    hold = ContactHold(
        council=council,
        kind=HoldKind.DO_NOT_CONTACT,
        subject=subject,
        until=end,
        reason=_short(reason.strip()),
        placed_at=now,
        placed_by=by,
    )
    session.add(hold)
    audit(session, by=by, action="hold_place", subject=subject, counts={"days": (until - now.date()).days})
    return hold


def lift_hold(session: Session, hold: ContactHold, *, by: str) -> None:
    """A do-not-contact can be lifted by a person; a cool-off only ends."""
    if hold.kind != HoldKind.DO_NOT_CONTACT or hold.lifted_at:
        raise RefusedError("only a do-not-contact that still holds can be lifted; a cool-off ends by itself")
    hold.lifted_at, hold.lifted_by = utc_now(), by
    audit(session, by=by, action="hold_lift", subject=hold.subject, counts={})


def _refuse_on_hold(session: Session, council: str, lead_id: str, community_id: str) -> None:
    found = holds_on(session.connection(), council, (lead_id, community_id), now=utc_now())
    if found:
        last = max(found, key=lambda hold: hold.until)
        raise RefusedError(f"nobody writes here until {last.until:%d %B %Y} ({last.kind.replace('_', ' ')}); wait until then")


def _change(session: Session, contact: Contact, allowed: Collection[str], *, version: int, **values: Any) -> None:
    """One statement checks version and step, so that two people at once cannot both go on."""
    if contact.version == version and contact.status not in allowed:
        raise RefusedError(f"this message is {str(contact.status).replace('_', ' ')}; that step is not possible now")
    statement = update(Contact).where(
        col(Contact.contact_id) == contact.contact_id, col(Contact.version) == version, col(Contact.status).in_(list(allowed))
    )
    done = session.connection().execute(statement.values(version=version + 1, changed_at=utc_now(), **values))
    if done.rowcount != 1:
        raise ChangedError(contact.version)
    session.refresh(contact)


def _lead_version(session: Session, lead_id: str) -> int:
    return session.scalar(select(col(LeadState.version)).where(col(LeadState.lead_id) == lead_id)) or 0


def _short(text: str) -> str:
    if len(text) > DRAFT_CHARS:
        raise RefusedError(f"the text has {len(text):,} characters; at most {DRAFT_CHARS:,} are kept")
    return text
