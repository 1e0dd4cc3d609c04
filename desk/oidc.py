"""Signing in at the council's own OpenID Connect provider: authorisation code with PKCE, for accounts an administrator has made."""

import secrets
from typing import Annotated, Any

from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests import RequestException
from sqlalchemy import select
from sqlmodel import Session, col

from desk.auth import Visitor, cookie_name, safe_next, token_hash
from desk.office import Office, TheOffice
from desk.pages import page
from desk.sign_in import client, open_session
from desk.under_way import UnderWay
from models import account_actions
from models.account import Account
from models.account_queries import account_by_username
from models.session import unit_of_work

router = APIRouter(default_response_class=HTMLResponse)

Following = Annotated[str, Query(alias="next", max_length=500)]

WAIT_S = 10
# Signed with a key of the provider's own; "none" and shared secrets are not among them.
ALGORITHMS = ["RS256", "PS256", "ES256"]


class ProviderError(Exception):
    """The provider did not say who it is. The message is for the person who signs in."""


@router.get("/oidc/start")
def start(request: Request, office: TheOffice, acting: Visitor, following: Following = "/") -> Response:
    _only_with_provider(office)
    if not office.doors.may("sign_in", client(request)):
        raise HTTPException(429)
    cookie = request.cookies.get(cookie_name(office))
    if acting or not cookie:
        return RedirectResponse("/sign-in", status_code=303)
    state, verifier, nonce = secrets.token_urlsafe(32), generate_token(64), secrets.token_urlsafe(32)
    try:
        address, _ = _session(office).create_authorization_url(
            _metadata(office)["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
        )
    except ProviderError as error:
        return _refused(request, str(error))
    office.sign_ins.begin(state, browser=token_hash(cookie), nonce=nonce, verifier=verifier, following=safe_next(following))
    return RedirectResponse(address, status_code=303)


@router.get("/oidc/callback")
def callback(
    request: Request,
    office: TheOffice,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4_000)] = "",
) -> Response:
    """Back from the provider: the same browser, once, and an account that an administrator made."""
    _only_with_provider(office)
    found = office.sign_ins.end(state)
    cookie = request.cookies.get(cookie_name(office), "")
    if found is None or not secrets.compare_digest(found.browser, token_hash(cookie)):
        return _refused(request, "This sign-in was not begun in this browser, or too long ago. Try again.")
    try:
        claims = _claims(office, code, found)
    except ProviderError as error:
        return _refused(request, str(error))
    with unit_of_work(office.engine) as session:
        account = _account(session, claims)
        if account is None:
            account_actions.record_failure(session, None)
    if account is None:
        return _refused(request, "You are known to the council, but have no account at this desk. Ask your administrator for one.")
    return open_session(request, office, account, following=found.following, way="provider")


def _claims(office: Office, code: str, found: UnderWay) -> dict[str, Any]:
    """What the provider says about the person, with its signature checked."""
    metadata = _metadata(office)
    try:
        token = _session(office).fetch_token(metadata["token_endpoint"], code=code, code_verifier=found.verifier, timeout=WAIT_S)
        keys = _session(office).get(metadata["jwks_uri"], withhold_token=True, timeout=WAIT_S).json()
        claims = jwt.decode(token["id_token"], KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": metadata["issuer"]}, aud={"essential": True, "value": str(office.settings.oidc_client_id)},
            nonce={"essential": True, "value": found.nonce}, exp={"essential": True}, sub={"essential": True},
        ).validate(claims)  # fmt: skip
    except (OAuthError, JoseError, RequestException, KeyError, ValueError) as error:
        raise ProviderError("Your council's sign-in did not confirm who you are. Try again, or ask your administrator.") from error
    return dict(claims)


def _account(session: Session, claims: dict[str, Any]) -> Account | None:
    """By the provider's own id; the first time by a confirmed e-mail address that an administrator entered as user name."""
    subject = f"{claims['iss']} {claims['sub']}"
    known = session.scalar(select(Account).where(col(Account.subject) == subject))
    if known is None and claims.get("email") and claims.get("email_verified") is True:
        invited = account_by_username(session, str(claims["email"]))
        if invited is not None and invited.subject is None and invited.is_active:
            account_actions.link_subject(session, invited, subject=subject)
            known = invited
    return known if known is not None and known.is_active else None


def _metadata(office: Office) -> dict[str, Any]:
    """The provider's own description; it must name itself as the settings do."""
    issuer = office.settings.oidc_issuer or ""
    try:
        address = f"{issuer}/.well-known/openid-configuration"
        found: dict[str, Any] = _session(office).get(address, withhold_token=True, timeout=WAIT_S).json()
    except (RequestException, ValueError) as error:
        raise ProviderError("Your council's sign-in does not answer. Try again in a few minutes, or sign in with a password.") from error
    if str(found.get("issuer", "")).rstrip("/") != issuer or not {"authorization_endpoint", "token_endpoint", "jwks_uri"} <= set(found):
        raise ProviderError("Your council's sign-in calls itself something else than COPROD_OIDC_ISSUER. Tell your administrator.")
    return found


def _session(office: Office) -> OAuth2Session:
    secret = office.settings.oidc_client_secret
    return OAuth2Session(
        office.settings.oidc_client_id, secret.get_secret_value() if secret else None, scope="openid email profile",
        redirect_uri=f"{office.settings.desk_address}/oidc/callback", code_challenge_method="S256",
    )  # fmt: skip


def _refused(request: Request, message: str) -> Response:
    return page(request, "error.html", title="You are not signed in", status=403, message=message, reference="")


def _only_with_provider(office: Office) -> None:
    if not office.settings.oidc_issuer or not office.settings.oidc_client_id:
        raise HTTPException(404)
