"""Signing in and out, the first administrator, and setting one's own password."""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from desk.auth import Visitor, cookie_name, new_token, safe_next, set_cookie, token_hash
from desk.office import Office, TheOffice
from desk.pages import go, page
from desk.passwords import MOST_CHARS, hash_password, is_password, weakness
from models import account_actions
from models.account import Account
from models.account_queries import account_by_setup, account_by_username, has_administrator
from models.base import utc_now
from models.classifier_actions import RefusedError
from models.desk_words import Role
from models.session import unit_of_work

router = APIRouter(default_response_class=HTMLResponse)

Text = Annotated[str, Form(max_length=200)]
Secret = Annotated[str, Form(max_length=1_000)]
WRONG = (
    "The user name or the password is not right, or the account is locked. After five wrong passwords an account is locked for "
    "15 minutes. Check both and try again."
)


def client(request: Request) -> str:
    return request.client.host if request.client else "unknown"


@router.get("/sign-in")
def sign_in_page(
    request: Request, office: TheOffice, acting: Visitor, following: Annotated[str, Query(alias="next", max_length=500)] = "/"
) -> Response:
    if acting:
        return go(safe_next(following))
    return _sign_in_page(request, office, following=following)


@router.post("/sign-in")
def sign_in(
    request: Request,
    office: TheOffice,
    username: Text = "",
    password: Secret = "",
    following: Annotated[str, Form(alias="next", max_length=500)] = "/",
) -> Response:
    """One answer for every wrong name, password or lock, and the same work for each."""
    name = username.strip().lower()
    if not (office.doors.may("sign_in", client(request)) and office.doors.may("sign_in_name", name)):
        raise HTTPException(429)
    with unit_of_work(office.engine) as session:
        account = account_by_username(session, name)
    is_right = is_password(account.password_hash if account else None, password)
    with unit_of_work(office.engine) as session:
        account = account_by_username(session, name)
        is_locked = account is not None and account.locked_until is not None and account.locked_until > utc_now()
        if account is not None and account.is_active and is_right and not is_locked:
            return open_session(request, office, account, following=following, way="password")
        account_actions.record_failure(session, account)
    return _sign_in_page(request, office, following=following, username=username, error=WRONG, status=401)


def open_session(request: Request, office: Office, account: Account, *, following: str, way: str) -> Response:
    """Signed in under a new token: whatever cookie the browser had before is worth nothing now."""
    old, new = request.cookies.get(cookie_name(office)), new_token()
    with unit_of_work(office.engine) as session:
        found = session.get_one(Account, account.account_id)
        if old:
            account_actions.end_session(session, token_hash(old))
        account_actions.record_sign_in(session, found, token_hash=token_hash(new), way=way)
    response = go(safe_next(following))
    set_cookie(response, office, new)
    return response


@router.post("/sign-out")
def sign_out(request: Request, office: TheOffice, acting: Visitor) -> Response:
    if acting:
        with unit_of_work(office.engine) as session:
            account_actions.sign_out(session, token_hash(request.cookies[cookie_name(office)]), by=acting.username)
    response = go("/sign-in", done="signed-out")
    response.delete_cookie(cookie_name(office), path="/", httponly=True, samesite="lax", secure=office.is_https)
    return response


@router.get("/first-run")
def first_run_page(request: Request, office: TheOffice) -> Response:
    _only_without_administrator(office)
    return page(request, "first_run.html", title="Make the first administrator", errors={}, values={}, councils=_councils(office))


@router.post("/first-run")
def first_run(
    request: Request,
    office: TheOffice,
    code: Text = "",
    username: Text = "",
    display_name: Text = "",
    council: Text = "",
    password: Secret = "",
) -> Response:
    _only_without_administrator(office)
    if not office.doors.may("first_run", client(request)):
        raise HTTPException(429)
    errors = {}
    if not office.doors.is_code(code):
        errors["code"] = "This is not the code. It is printed in the terminal where the desk was started, each time anew."
    if council not in office.config.councils:
        errors["council"] = "Choose a council."
    errors |= _name_errors(username, display_name)
    if weak := weakness(password, names=[username, display_name, office.council_name(council)]):
        errors["password"] = weak
    if not errors:
        try:
            with unit_of_work(office.engine) as session:
                account_actions.create_account(
                    session, username=username, display_name=display_name, council=council, roles=[Role.ADMINISTRATOR],
                    password_hash=hash_password(password), by="first run",
                )  # fmt: skip
        except RefusedError as error:
            errors["username"] = str(error)
        else:
            office.doors.first_run_code = None
            return go("/sign-in", done="password")
    values = {"username": username, "display_name": display_name, "council": council}
    return page(
        request,
        "first_run.html",
        title="Make the first administrator",
        errors=errors,
        values=values,
        councils=_councils(office),
        status=400,
    )


@router.get("/set-password/{token}")
def set_password_page(request: Request, office: TheOffice, token: str) -> Response:
    with unit_of_work(office.engine) as session:
        account = account_by_setup(session, token_hash(token), now=utc_now())
    return page(
        request, "set_password.html", title="Set your password", errors={}, holds=account is not None, status=200 if account else 404
    )


@router.post("/set-password/{token}")
def set_password(request: Request, office: TheOffice, token: str, password: Secret = "", again: Secret = "") -> Response:
    if not office.doors.may("set_password", client(request)):
        raise HTTPException(429)
    with unit_of_work(office.engine) as session:
        account = account_by_setup(session, token_hash(token), now=utc_now())
        if account is None:
            return page(request, "set_password.html", title="Set your password", errors={}, holds=False, status=404)
        errors = {}
        if weak := weakness(password, names=[account.username, account.display_name, office.council_name(account.council)]):
            errors["password"] = weak
        elif password != again:
            errors["again"] = "The two passwords differ. Type the same twice."
        if errors:
            return page(request, "set_password.html", title="Set your password", errors=errors, holds=True, status=400)
        account_actions.set_password(session, account.account_id, password_hash=hash_password(password), by=account.username)
    return go("/sign-in", done="password")


def _sign_in_page(
    request: Request, office: Office, *, following: str, username: str = "", error: str = "", status: int = 200
) -> HTMLResponse:
    with office.engine.connect() as connection:
        is_new = not has_administrator(connection)
    return page(
        request, "sign_in.html", title="Sign in", following=safe_next(following), username=username[:200],
        errors={"username": error} if error else {}, is_new=is_new, provider=bool(office.settings.oidc_issuer),
        most_chars=MOST_CHARS, status=status,
    )  # fmt: skip


def _councils(office: Office) -> list[tuple[str, str]]:
    return [("", "Choose a council"), *((key, council.name) for key, council in office.config.councils.items())]


def _name_errors(username: str, display_name: str) -> dict[str, str]:
    errors = {}
    if not username.strip():
        errors["username"] = "Enter a user name."
    if not display_name.strip():
        errors["display_name"] = "Enter the name that colleagues see."
    return errors


def _only_without_administrator(office: Office) -> None:
    with office.engine.connect() as connection:
        if has_administrator(connection):
            raise HTTPException(404)
