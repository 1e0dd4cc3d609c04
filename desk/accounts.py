"""Who works here: accounts and roles, for administrators; one's own account, for everybody."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from desk.auth import Acting, Administrator, Anybody, new_token, token_hash
from desk.office import Office, TheOffice
from desk.pages import go, page
from desk.passwords import hash_password, is_password, weakness
from models import account_actions, account_queries
from models.account import Account
from models.classifier_actions import RefusedError
from models.session import unit_of_work

router = APIRouter(default_response_class=HTMLResponse)

Text = Annotated[str, Form(max_length=200)]
Secret = Annotated[str, Form(max_length=1_000)]
Roles = Annotated[list[str] | None, Form()]


@router.get("/accounts")
def accounts(request: Request, office: TheOffice, acting: Administrator) -> Response:
    with office.engine.connect() as connection:
        rows = account_queries.accounts(connection, acting.council)
    return page(request, "accounts.html", title="People who work at the desk", acting=acting, rows=rows)


@router.get("/accounts/new")
def new_account_page(request: Request, acting: Administrator) -> Response:
    return page(request, "account_new.html", title="Add a person", acting=acting, errors={}, values={})


@router.post("/accounts/new")
def new_account(
    request: Request, office: TheOffice, acting: Administrator, username: Text = "", display_name: Text = "", roles: Roles = None
) -> Response:
    token = new_token()
    try:
        with unit_of_work(office.engine) as session:
            account = account_actions.create_account(
                session, username=username, display_name=display_name, council=acting.council, roles=roles or [], by=acting.username
            )
            account_actions.invite(session, account.account_id, setup_hash=token_hash(token), by=acting.username)
    except RefusedError as error:
        values = {"username": username, "display_name": display_name, "roles": roles or []}
        return page(
            request, "account_new.html", title="Add a person", acting=acting, errors={"username": str(error)}, values=values, status=400
        )
    return _invitation(request, office, acting, account.display_name, token)


@router.get("/accounts/{account_id}")
def account_page(request: Request, office: TheOffice, acting: Administrator, account_id: str) -> Response:
    return _account_page(request, acting, _account(office, acting, account_id))


@router.post("/accounts/{account_id}")
def change_account(
    request: Request, office: TheOffice, acting: Administrator, account_id: str, display_name: Text = "", roles: Roles = None,
    active: Text = "",
) -> Response:  # fmt: skip
    account = _account(office, acting, account_id)
    try:
        with unit_of_work(office.engine) as session:
            account_actions.change_account(
                session, account_id, display_name=display_name, roles=roles or [], is_active=active == "yes", by=acting.username
            )
    except RefusedError as error:
        return _account_page(request, acting, account, error=str(error))
    return go("/accounts", done="saved")


@router.post("/accounts/{account_id}/invite")
def invite(request: Request, office: TheOffice, acting: Administrator, account_id: str) -> Response:
    account, token = _account(office, acting, account_id), new_token()
    with unit_of_work(office.engine) as session:
        account_actions.invite(session, account_id, setup_hash=token_hash(token), by=acting.username)
    return _invitation(request, office, acting, account.display_name, token)


@router.get("/account")
def own_account(request: Request, acting: Anybody) -> Response:
    return page(request, "own_account.html", title="Your account", acting=acting, errors={})


@router.post("/account/password")
def change_own_password(request: Request, office: TheOffice, acting: Anybody, current: Secret = "", password: Secret = "") -> Response:
    if not office.doors.may("set_password", acting.account_id):
        raise HTTPException(429)
    errors = {}
    with unit_of_work(office.engine) as session:
        account = session.get_one(Account, acting.account_id)
        if not is_password(account.password_hash, current):
            errors["current"] = "This is not your present password."
        elif weak := weakness(password, names=[acting.username, acting.display_name, office.council_name(acting.council)]):
            errors["password"] = weak
        else:
            account_actions.set_password(session, acting.account_id, password_hash=hash_password(password), by=acting.username)
    if errors:
        return page(request, "own_account.html", title="Your account", acting=acting, errors=errors, status=400)
    return go("/sign-in", done="password")


def _account(office: Office, acting: Acting, account_id: str) -> Account:
    """An account of the same council; another's is not there."""
    with unit_of_work(office.engine) as session:
        account = session.get(Account, account_id)
    if account is None or account.council != acting.council:
        raise HTTPException(404)
    return account


def _account_page(request: Request, acting: Acting, account: Account, *, error: str = "") -> Response:
    errors: dict[str, Any] = {"roles": error} if error else {}
    return page(
        request, "account.html", title=account.display_name, acting=acting, account=account, errors=errors, status=400 if error else 200
    )


def _invitation(request: Request, office: Office, acting: Acting, name: str, token: str) -> Response:
    """The one time that the link is shown: only its hash is kept."""
    address = f"{office.settings.desk_address}/set-password/{token}"
    return page(request, "invited.html", title=f"A link for {name}", acting=acting, name=name, address=address)
