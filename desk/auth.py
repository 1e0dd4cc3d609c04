"""Who is acting: the session cookie, the signed-in account, its roles, and the token that proves a form is ours."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import Depends, Request, Response

from desk.office import Office, office_of
from models import account_queries
from models.account_actions import touch
from models.base import utc_now
from models.desk_words import Role
from models.session import unit_of_work

TOKEN_BYTES = 32
SEEN_EVERY = timedelta(minutes=1)


class NotSignedInError(Exception):
    """Nobody is signed in, or no longer."""


class NotAllowedError(Exception):
    """The page is for other roles."""


class ForgedError(Exception):
    """A form that did not come from a page of ours, or from one that is too old."""


@dataclass(frozen=True)
class Acting:
    """Who asks. `username` is what audit rows name as `by`."""

    account_id: str
    username: str
    display_name: str
    council: str
    roles: frozenset[str]
    last_visit_at: datetime | None

    def may(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)


def cookie_name(office: Office) -> str:
    """With https the browser takes the cookie from this host alone, whatever its neighbours try to set."""
    return "__Host-coprod" if office.is_https else "coprod"


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def form_token(token: str) -> str:
    """What a form must bring back: known only to who holds the cookie, which no script can read."""
    return sha256(b"form\0" + token.encode()).hexdigest()


def set_cookie(response: Response, office: Office, token: str) -> None:
    response.set_cookie(cookie_name(office), token, path="/", httponly=True, samesite="lax", secure=office.is_https)


def current(request: Request) -> Acting | None:
    """Who is signed in, if anybody. Asked once a request."""
    if "acting" not in request.scope:
        request.scope["acting"] = _acting(request, office_of(request))
    found: Acting | None = request.scope["acting"]
    return found


Visitor = Annotated[Acting | None, Depends(current)]


def allowed(*roles: Role) -> Callable[[Request], Acting]:
    """A dependency: the signed-in person, who has one of these roles. It takes the request alone: further dependencies would cost time."""

    def check(request: Request) -> Acting:
        acting = current(request)
        if acting is None:
            raise NotSignedInError
        if not acting.may(*roles):
            raise NotAllowedError
        return acting

    check.roles = roles  # type: ignore[attr-defined]
    return check


Anybody = Annotated[Acting, Depends(allowed(*Role))]
Officer = Annotated[Acting, Depends(allowed(Role.OFFICER))]
Analyst = Annotated[Acting, Depends(allowed(Role.ANALYST))]
DataProtection = Annotated[Acting, Depends(allowed(Role.DATA_PROTECTION))]
Administrator = Annotated[Acting, Depends(allowed(Role.ADMINISTRATOR))]


async def check_form(request: Request) -> None:
    """Every request that changes something comes from a page of ours and brings that page's token."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    office = office_of(request)
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.url.netloc and origin != office.settings.desk_address:
        raise ForgedError
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise ForgedError
    token = request.cookies.get(cookie_name(office), "")
    given = (await request.form()).get("form_token")
    if not token or not isinstance(given, str) or not hmac.compare_digest(given.encode(), form_token(token).encode()):
        raise ForgedError


def safe_next(address: str) -> str:
    """Where to go after signing in: a page of ours or the start."""
    parts = urlsplit(address)
    is_ours = address.startswith("/") and not address.startswith("//") and "\\" not in address and not parts.netloc and not parts.scheme
    return address if is_ours and address.isprintable() else "/"


def sign_in_address(request: Request) -> str:
    """The sign-in page, which then leads back; forms are not sent again."""
    if request.method != "GET":
        return "/sign-in"
    query = f"?{request.url.query}" if request.url.query else ""
    return "/sign-in?" + urlencode({"next": f"{request.url.path}{query}"})


def _acting(request: Request, office: Office) -> Acting | None:
    token = request.cookies.get(cookie_name(office))
    if not token:
        return None
    now, hashed = utc_now(), token_hash(token)
    with office.engine.connect() as connection:
        row = account_queries.account_of_session(connection, hashed, now=now)
    if row is None:
        return None
    desk = office.desk(row.council)
    if now > row.seen_at + timedelta(minutes=desk.idle_minutes) or now > row.started_at + timedelta(hours=desk.session_hours):
        return None
    if now > row.seen_at + SEEN_EVERY:
        with unit_of_work(office.engine) as session:
            touch(session, hashed)
    return Acting(row.account_id, row.username, row.display_name, row.council, frozenset(row.roles), row.last_visit_at)
