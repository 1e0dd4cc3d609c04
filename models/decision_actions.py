"""Deciding on leads: named actions, each in the caller's one transaction and with one audit row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlmodel import Session, col

from models.actions import audit
from models.base import utc_now
from models.bulk import INSERTS
from models.classifier_actions import RefusedError
from models.decision import LeadDecision, LeadState, VoiceView
from models.desk_words import LeadAction, LeadStatus, RejectReason

NOTE_CHARS = 2_000
VIEWS_KEPT = timedelta(days=7)
STATUS_AFTER = {
    LeadAction.SHORTLIST: LeadStatus.SHORTLISTED,
    LeadAction.REJECT: LeadStatus.REJECTED,
    LeadAction.NOT_NOW: LeadStatus.NOT_NOW,
    LeadAction.REOPEN: LeadStatus.NEW,
    LeadAction.CONTACT: LeadStatus.IN_CONTACT,
    LeadAction.CLOSE: LeadStatus.CLOSED,
}
CANNOT_BE_UNDONE = frozenset({LeadAction.NOTE, LeadAction.CONTACT, LeadAction.CLOSE, LeadAction.UNDO})


class ChangedError(Exception):
    """Somebody else changed it since it was looked at. `version` is what stands there now."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(f"changed meanwhile; it is at version {version}")


@dataclass(frozen=True)
class Choice:
    """What an officer chose for a lead."""

    action: LeadAction
    note: str = ""
    reason: str | None = None
    until: date | None = None
    assignee: str | None = None


@dataclass(frozen=True)
class KnownLead:
    """A lead as a message to it remembers it. It may have been withdrawn since, so there is no score."""

    lead_id: str
    council: str
    area: str
    score: None = None
    parts: tuple[()] = ()


def decide(session: Session, lead: Any, choice: Choice, *, version: int, by: str) -> LeadDecision:
    """Change where a lead stands.

    Parameters
    ----------
    lead
        A row of `lead`, or a KnownLead: what the officer saw of its score is kept with the decision.
    version
        The version the officer looked at; 0 where nobody had decided.

    Raises
    ------
    RefusedError
        Where something that the choice needs is missing.
    ChangedError
        Where the lead is at another version by now.
    """
    _check(choice)
    state = session.get(LeadState, lead.lead_id)
    before = _snapshot(state)
    status = STATUS_AFTER.get(choice.action, LeadStatus(before["status"]))
    assignee = (choice.assignee or None) if choice.action == LeadAction.ASSIGN else before["assignee"]
    until = choice.until if choice.action == LeadAction.NOT_NOW else _date(before["not_before"])
    until = until if status == LeadStatus.NOT_NOW else None
    _move(session, lead, status=status, assignee=assignee, not_before=until, version=version, by=by)
    decision = LeadDecision(
        lead_id=lead.lead_id, council=lead.council, area=lead.area, action=choice.action, status=status, reason=choice.reason,
        note=choice.note.strip(), until=until, assignee=assignee, before=before, score=lead.score, parts=lead.parts, version=version + 1,
        decided_at=utc_now(), decided_by=by,
    )  # fmt: skip
    session.add(decision)
    audit(session, by=by, action=f"lead_{choice.action}", subject=lead.lead_id, counts={"reason": choice.reason} if choice.reason else {})
    return decision


def undo(session: Session, lead: Any, *, version: int, by: str) -> LeadDecision:
    """Take the newest decision on a lead back; only the newest, and nothing that was said to residents meanwhile."""
    last = newest_decision(session, lead.lead_id)
    if last is None or last.action in CANNOT_BE_UNDONE:
        raise RefusedError("there is nothing here that can be undone; decide anew instead")
    if last.version != version:
        raise ChangedError(last.version)
    before = last.before
    status, assignee, until = LeadStatus(before["status"]), before["assignee"], _date(before["not_before"])
    _move(session, lead, status=status, assignee=assignee, not_before=until, version=version, by=by)
    now = utc_now()
    last.undone_at, last.undone_by = now, by
    decision = LeadDecision(
        lead_id=lead.lead_id, council=lead.council, area=lead.area, action=LeadAction.UNDO, status=status, reason=last.action,
        until=until, assignee=assignee, before={}, version=version + 1, decided_at=now, decided_by=by,
    )  # fmt: skip
    session.add(decision)
    audit(session, by=by, action="lead_undo", subject=lead.lead_id, counts={"undone": last.action})
    return decision


def newest_decision(session: Session, lead_id: str) -> LeadDecision | None:
    statement = select(LeadDecision).where(col(LeadDecision.lead_id) == lead_id).order_by(col(LeadDecision.version).desc())
    return session.scalar(statement.limit(1))


def record_views(session: Session, account_id: str, author_keys: Sequence[str], *, lead_id: str, by: str) -> None:
    """Count that messages of these voices were shown, and write it down."""
    connection, today = session.connection(), utc_now().date()
    rows = [{"account_id": account_id, "author_key": key, "day": today, "views": 1} for key in sorted(set(author_keys))]
    if rows:
        connection.execute(_counted(connection.dialect.name), rows)
    audit(session, by=by, action="view_evidence", subject=lead_id, counts={"voices": len(rows)})


def forget_views(session: Session) -> None:
    """Counts of views older than a week go. No audit row: nobody is shown anything."""
    session.execute(delete(VoiceView).where(col(VoiceView.day) <= utc_now().date() - VIEWS_KEPT))


def voice_views(connection: Connection, account_id: str, author_keys: Sequence[str]) -> dict[str, int]:
    """How often an account was shown messages of each of these voices in the last seven days."""
    values = {"account_id": account_id, "author_keys": list(author_keys), "since": utc_now().date() - VIEWS_KEPT}
    return {row.author_key: int(row.views) for row in connection.execute(_views_statement(), values)}


@cache
def _views_statement() -> Any:
    counted = select(col(VoiceView.author_key), func.sum(col(VoiceView.views)).label("views"))
    mine = counted.where(col(VoiceView.account_id) == bindparam("account_id"), col(VoiceView.day) > bindparam("since"))
    return mine.where(col(VoiceView.author_key).in_(bindparam("author_keys", expanding=True))).group_by(col(VoiceView.author_key))


@cache
def _counted(dialect: str) -> Any:
    insert = INSERTS[dialect](VoiceView.__table__)  # type: ignore[attr-defined]
    more = {"views": VoiceView.__table__.c.views + 1}  # type: ignore[attr-defined]
    return insert.on_conflict_do_update(index_elements=["account_id", "author_key", "day"], set_=more)


def _check(choice: Choice) -> None:
    if choice.action == LeadAction.REJECT and choice.reason not in {reason.value for reason in RejectReason}:
        raise RefusedError("choose why this lead is rejected; the ranking learns from it")
    if choice.action == LeadAction.REJECT and choice.reason == RejectReason.OTHER and not choice.note.strip():
        raise RefusedError("say in a note what the other reason is")
    if choice.action == LeadAction.NOT_NOW and (choice.until is None or choice.until <= utc_now().date()):
        raise RefusedError("say until when: a date after today")
    if choice.action == LeadAction.NOTE and not choice.note.strip():
        raise RefusedError("the note is empty; write something, or leave it")
    if len(choice.note) > NOTE_CHARS:
        raise RefusedError(f"the note has {len(choice.note):,} characters; at most {NOTE_CHARS:,} are kept")


def _snapshot(state: LeadState | None) -> dict[str, Any]:
    if state is None:
        return {"status": LeadStatus.NEW.value, "assignee": None, "not_before": None}
    not_before = state.not_before.isoformat() if state.not_before else None
    return {"status": state.status, "assignee": state.assignee, "not_before": not_before}


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _move(session: Session, lead: Any, *, status: LeadStatus, assignee: str | None, not_before: date | None, version: int, by: str) -> None:
    """One statement says whether the lead is still at the version that was seen: two officers cannot both be right."""
    connection = session.connection()
    values = {
        "status": status.value, "assignee": assignee, "not_before": not_before, "version": version + 1, "changed_at": utc_now(),
        "changed_by": by,
    }  # fmt: skip
    if version == 0:
        row = {"lead_id": lead.lead_id, "council": lead.council, "area": lead.area, **values}
        insert = INSERTS[connection.dialect.name](LeadState.__table__)  # type: ignore[attr-defined]
        made = insert.on_conflict_do_nothing(index_elements=["lead_id"]).values(row).returning(col(LeadState.lead_id))
        is_done = connection.scalar(made) is not None  # PostgreSQL does not count inserted rows
    else:
        same = (col(LeadState.lead_id) == lead.lead_id, col(LeadState.version) == version)
        is_done = connection.execute(update(LeadState).where(*same).values(values)).rowcount == 1
    if not is_done:
        standing = connection.scalar(select(col(LeadState.version)).where(col(LeadState.lead_id) == lead.lead_id))
        raise ChangedError(standing or 0)
