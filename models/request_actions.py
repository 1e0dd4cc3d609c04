"""How a request under the UK GDPR goes on: received, put off, acted on, closed. Each step is one transaction and one audit row."""

import secrets
from collections.abc import Collection
from datetime import date

from sqlalchemy import delete
from sqlmodel import Session, col

from coprod_nlp.vocabulary import Right
from models import right_actions
from models.actions import audit
from models.base import months_after, utc_now
from models.bulk import upsert
from models.classifier_actions import RefusedError
from models.desk_words import RequestOrigin, RequestOutcome
from models.request import RequestKey, RightsRequest
from models.request_queries import keys_of_request

# Without letters and digits that are taken for each other.
REFERENCE_CHARS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
REFERENCE_LENGTH = 10
NOTE_CHARS, LINK_CHARS, REASON_CHARS = 1_000, 500, 300
EXTENSION_MONTHS = 2


def receive_request(
    session: Session, *, council: str, kind: Right, origin: RequestOrigin, author_keys: Collection[str], places: Collection[str], link: str,
    received_on: date, by: str, note: str = "",
) -> RightsRequest:  # fmt: skip
    """Take a request in; its answer is due within one month (Article 12(3)).

    Raises
    ------
    RefusedError
        Where it does not say whose posts are meant, or came in on a day that is still to come.
    """
    if not author_keys and not _clean(link):
        raise RefusedError("say which posts are meant: a link to one, or the account's name and where it is used")
    if received_on > utc_now().date():
        raise RefusedError("the day it came in is still to come; give today or an earlier day")
    _check_length(link, LINK_CHARS, "the link")
    _check_length(note, NOTE_CHARS, "the note")
    request_id = "".join(secrets.choice(REFERENCE_CHARS) for _ in range(REFERENCE_LENGTH))
    request = RightsRequest(
        request_id=request_id, council=council, kind=kind, origin=origin, places=sorted(places), link=_clean(link), note=_clean(note),
        received_on=received_on, due_on=months_after(received_on, 1), made_by=by,
    )  # fmt: skip
    session.add(request)
    session.flush()
    upsert(session.connection(), RequestKey, [{"request_id": request_id, "author_key": key} for key in sorted(author_keys)])
    audit(session, by=by, action="request_received", subject=request_id, counts={"kind": kind.value, "origin": origin.value})
    return request


def extend_request(session: Session, request: RightsRequest, *, because: str, by: str) -> None:
    """Two further months, once, where a request is complex; the person is told why within the first month."""
    _only_open(request)
    if not _clean(because):
        raise RefusedError("say why more time is needed; the person must be told within the first month")
    if request.extended_because:
        raise RefusedError("the time was extended once already; the law allows no more than three months in all")
    if utc_now().date() > request.due_on:
        raise RefusedError("the first month is over; it can be extended only before")
    _check_length(because, REASON_CHARS, "the reason")
    request.extended_because = _clean(because)
    request.due_on = months_after(request.received_on, 1 + EXTENSION_MONTHS)
    audit(session, by=by, action="request_extended", subject=request.request_id, counts={"due_on": request.due_on.isoformat()})


def keep_out_for(session: Session, request: RightsRequest, *, author_keys: Collection[str], by: str) -> None:
    """Do what was asked: remove everything of the person, keep them out from now on, close the request.

    Where no message was found it is not closed as removed: the name may be another than the one that the person writes under.
    """
    _only_open(request)
    keys = keys_of_request(session.connection(), request.request_id) | set(author_keys)
    if not keys:
        raise RefusedError(
            "it is not known whose posts are meant: the link leads to no stored message with an author; close it with a reason"
        )
    if request.kind == Right.ACCESS:
        raise RefusedError("this person asked for a copy, not for removal; take in a request for erasure if they want that too")
    found = right_actions.keep_out(session, keys, right=Right(request.kind), case=request.request_id, by=by)
    outcome = RequestOutcome.REMOVED if found.counts["post"] else RequestOutcome.KEPT_OUT
    _close(session, request, outcome, counts=dict(+found.counts), by=by)


def erase_message_for(session: Session, request: RightsRequest, post_id: str, *, by: str) -> None:
    """Remove the one message that was pointed at, leave the rest, close the request."""
    _only_open(request)
    if request.kind != Right.ERASURE:
        raise RefusedError("only a request for erasure can be about one message; an objection is about everything a person wrote")
    found = right_actions.erase_message(session, post_id, case=request.request_id, by=by)
    _close(session, request, RequestOutcome.MESSAGE_REMOVED, counts=dict(+found.counts), by=by)


def close_request(session: Session, request: RightsRequest, outcome: RequestOutcome, *, reason: str, by: str) -> None:
    """Close it without removing anything: the copy was given, nothing is held, or it was refused; always with a reason."""
    _only_open(request)
    if not _clean(reason):
        raise RefusedError("say why it is closed; the person is owed a reason")
    if outcome in {RequestOutcome.REMOVED, RequestOutcome.KEPT_OUT, RequestOutcome.MESSAGE_REMOVED}:
        raise RefusedError("use the button that removes; nothing was removed yet")
    if outcome == RequestOutcome.COPY_GIVEN and request.kind != Right.ACCESS:
        raise RefusedError("a copy answers a request for access alone")
    _check_length(reason, REASON_CHARS, "the reason")
    _close(session, request, outcome, counts={}, by=by, reason=_clean(reason))


def _close(session: Session, request: RightsRequest, outcome: RequestOutcome, *, counts: dict[str, int], by: str, reason: str = "") -> None:
    """What pointed at a person goes; that something was asked for and answered stays."""
    session.connection().execute(delete(RequestKey).where(col(RequestKey.request_id) == request.request_id))
    request.closed_at, request.closed_by, request.outcome = utc_now(), by, outcome.value
    request.reason, request.counts, request.link, request.note = reason, counts, "", ""
    session.add(request)
    audit(session, by=by, action="request_closed", subject=request.request_id, counts={"outcome": outcome.value} | counts)


def _only_open(request: RightsRequest) -> None:
    if request.closed_at is not None:
        raise RefusedError("this request is closed already; a colleague may have been first")


def _clean(text: str) -> str:
    """Without what PostgreSQL refuses."""
    return text.replace("\0", "").strip()


def _check_length(text: str, most: int, what: str) -> None:
    if len(text) > most:
        raise RefusedError(f"{what} has {len(text):,} characters; at most {most:,} are kept")
