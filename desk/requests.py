"""Requests under the UK GDPR: in, with their clocks, and out. For the data protection officer."""

import shutil
from datetime import date
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Path, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from sqlmodel import Session

from coprod_nlp.excerpt import safe_link
from coprod_nlp.vocabulary import Right
from desk.auth import Acting, DataProtection
from desk.office import Office, TheOffice
from desk.pages import go, page
from desk.whose import UnclearNameError, keys_of, person_of, places_of
from models import account_queries, request_actions, request_queries
from models.actions import audit
from models.base import utc_now
from models.classifier_actions import RefusedError
from models.desk_words import RequestOrigin, RequestOutcome
from models.request import RightsRequest
from models.session import unit_of_work

router = APIRouter(default_response_class=HTMLResponse)

RequestId = Annotated[str, Path(max_length=20, pattern=r"^[A-Z0-9]+$")]
Text = Annotated[str, Form(max_length=2_000)]
Places = Annotated[list[str] | None, Form(max_length=200)]
COPIES = {"page": ("access.html", "text/html"), "json": ("access.json", "application/json")}


@router.get("/requests")
def requests_page(request: Request, office: TheOffice, acting: DataProtection) -> Response:
    with office.engine.connect() as connection:
        asked = request_queries.requests_of(connection, acting.council, is_open=True)
        closed = request_queries.requests_of(connection, acting.council, is_open=False)
        kept_out = request_queries.kept_out(connection)
    return page(
        request, "requests.html", title="Requests", acting=acting, asked=asked, closed=closed, kept_out=kept_out, today=utc_now().date()
    )


@router.get("/requests/new")
def new_request_page(request: Request, office: TheOffice, acting: DataProtection) -> Response:
    return _new_page(request, office, acting, values={"received_on": utc_now().date().isoformat(), "kind": Right.OBJECTION.value})


@router.post("/requests/new")
def new_request(
    request: Request, office: TheOffice, acting: DataProtection, kind: Text = "", received_on: Text = "", link: Text = "",
    handle: Text = "", note: Text = "", places: Places = None,
) -> Response:  # fmt: skip
    known = [key for key, _ in places_of(office, acting.council)]
    try:
        with unit_of_work(office.engine) as session:
            made = request_actions.receive_request(
                session, council=acting.council, kind=_kind(kind), origin=RequestOrigin.STAFF,
                author_keys=keys_of(office, handle, places or [], known=known), places=places or [], link=link, note=note,
                received_on=_day(received_on), by=acting.username,
            )  # fmt: skip
    except RefusedError as error:
        values = {"kind": kind, "received_on": received_on, "link": link, "handle": handle, "note": note, "places": places or []}
        field = "handle" if isinstance(error, UnclearNameError) else "link"
        return _new_page(request, office, acting, values=values, errors={field: str(error)})
    return go(f"/requests/{made.request_id}", done="received")


@router.get("/requests/{request_id}")
def request_page(request: Request, office: TheOffice, acting: DataProtection, request_id: RequestId) -> Response:
    return _request_page(request, office, acting, request_id)


@router.post("/requests/{request_id}/remove")
def remove(
    request: Request, office: TheOffice, acting: DataProtection, request_id: RequestId, sure: Text = "", only_message: Text = ""
) -> Response:
    """Everything of the person, or the one message; reports and exports follow at once, in a process of their own."""
    try:
        if sure != "yes":
            raise RefusedError("tick the box first: what is removed cannot be brought back")
        with unit_of_work(office.engine) as session:
            asked = _known(session, acting, request_id)
            keys, post_id = person_of(office, asked)
            if only_message == "yes" and post_id:
                request_actions.erase_message_for(session, asked, post_id, by=acting.username)
            elif only_message == "yes":
                raise RefusedError("the link leads to no stored message, so there is none to remove")
            else:
                request_actions.keep_out_for(session, asked, author_keys=keys, by=acting.username)
            done = "kept-out" if asked.outcome == RequestOutcome.KEPT_OUT else "removed"
    except RefusedError as error:
        return _request_page(request, office, acting, request_id, errors={"sure": str(error)})
    _forget_copy(office, request_id)
    office.errands.start("renew", office.settings, "flows", "renew", "--by", acting.username, by=acting.username)
    return go(f"/requests/{request_id}", done=done)


@router.post("/requests/{request_id}/copy")
def make_copy(office: TheOffice, acting: DataProtection, request_id: RequestId) -> Response:
    with unit_of_work(office.engine) as session:
        asked = _known(session, acting, request_id)
    if asked.kind != Right.ACCESS or asked.closed_at is not None:
        raise HTTPException(404)
    if not office.errands.is_running(_copying(request_id)):
        _forget_copy(office, request_id)
        office.errands.start(_copying(request_id), office.settings, "flows.answer", request_id, "--by", acting.username, by=acting.username)
    return go(f"/requests/{request_id}", done="started")


@router.get("/requests/{request_id}/copy/{form}")
def download_copy(office: TheOffice, acting: DataProtection, request_id: RequestId, form: Annotated[str, Path(max_length=10)]) -> Response:
    if form not in COPIES:
        raise HTTPException(404)
    if not office.doors.may("export", acting.account_id):
        raise HTTPException(429)
    name, media_type = COPIES[form]
    with unit_of_work(office.engine) as session:
        _known(session, acting, request_id)
        path = _copy_folder(office, request_id) / name
        if not path.is_file():
            raise HTTPException(404)
        audit(session, by=acting.username, action="export_copy", subject=request_id, counts={})
    return FileResponse(path, media_type=media_type, filename=f"{request_id}-{name}")


@router.post("/requests/{request_id}/extend")
def extend(request: Request, office: TheOffice, acting: DataProtection, request_id: RequestId, because: Text = "") -> Response:
    try:
        with unit_of_work(office.engine) as session:
            request_actions.extend_request(session, _known(session, acting, request_id), because=because, by=acting.username)
    except RefusedError as error:
        return _request_page(request, office, acting, request_id, errors={"because": str(error)}, values={"because": because})
    return go(f"/requests/{request_id}", done="saved")


@router.post("/requests/{request_id}/close")
def close(
    request: Request, office: TheOffice, acting: DataProtection, request_id: RequestId, outcome: Text = "", reason: Text = ""
) -> Response:
    try:
        chosen = next((one for one in RequestOutcome if one.value == outcome), None)
        if chosen is None:
            raise RefusedError("choose how it ended")
        with unit_of_work(office.engine) as session:
            request_actions.close_request(session, _known(session, acting, request_id), chosen, reason=reason, by=acting.username)
    except RefusedError as error:
        values = {"outcome": outcome, "reason": reason}
        return _request_page(request, office, acting, request_id, errors={"outcome": str(error)}, values=values)
    _forget_copy(office, request_id)
    return go(f"/requests/{request_id}", done="request-closed")


def _request_page(
    request: Request, office: Office, acting: Acting, request_id: str, *, errors: dict[str, str] | None = None,
    values: dict[str, Any] | None = None,
) -> Response:  # fmt: skip
    """What is known of a request: in counts, without a word of what the person wrote."""
    with unit_of_work(office.engine) as session:
        asked = _known(session, acting, request_id)
    keys, post_id = person_of(office, asked) if asked.closed_at is None else (frozenset(), None)
    with office.engine.connect() as connection:
        found = request_queries.posts_by_community(connection, keys)
        names = account_queries.names(connection, acting.council)
    errand = office.errands.latest.get("renew")
    return page(
        request, "request.html", title=f"Request {request_id}", acting=acting, asked=asked, found=found, has_keys=bool(keys),
        post_id=post_id,
        names=names, title_of=office.community_title,
        place_names=", ".join(map(office.community_title, asked.places)),
        today=utc_now().date(), copying=office.errands.latest.get(_copying(request_id)),
        has_copy=_copy_folder(office, request_id).is_dir(),
        errand=errand, link=safe_link(asked.link), errors=errors or {}, values=values or {}, status=400 if errors else 200,
    )  # fmt: skip


def _new_page(
    request: Request, office: Office, acting: Acting, *, values: dict[str, Any], errors: dict[str, str] | None = None
) -> Response:
    return page(
        request, "request_new.html", title="Take in a request", acting=acting, values=values,
        places=[(key, title, "") for key, title in places_of(office, acting.council)], errors=errors or {},
        status=400 if errors else 200,
    )  # fmt: skip


def _known(session: Session, acting: Acting, request_id: str) -> RightsRequest:
    """A request to one's own council; another's is not there."""
    found = session.get(RightsRequest, request_id)
    if found is None or found.council != acting.council:
        raise HTTPException(404)
    return found


def _kind(text: str) -> Right:
    found = next((right for right in Right if right.value == text), None)
    if found is None:
        raise RefusedError("choose what the person asks for")
    return found


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RefusedError("the day it came in is not a date; write it as 2027-01-31, or choose it from the calendar") from None


def _copying(request_id: str) -> str:
    """The kind of errand that makes the copy for a request."""
    return f"copy {request_id}"


def _copy_folder(office: Office, request_id: str) -> FilePath:
    """Where `flows.answer` puts the copy; references hold letters and digits alone."""
    return office.settings.home / "answers" / request_id


def _forget_copy(office: Office, request_id: str) -> None:
    shutil.rmtree(_copy_folder(office, request_id), ignore_errors=True)
