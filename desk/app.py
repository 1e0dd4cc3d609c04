"""The web application: its routes, what protects them, and what is said when something is wrong."""

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from anyio import to_thread
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from config.settings import LOOPBACK, Settings
from desk import (
    accounts,
    audit_log,
    classifiers,
    contact,
    export,
    front,
    help_pages,
    labels,
    leads,
    network,
    oidc,
    public,
    records,
    requests,
    retention,
    runs,
    sign_in,
)
from desk.auth import ForgedError, NotAllowedError, NotSignedInError, check_form, current, sign_in_address
from desk.office import open_office
from desk.pages import FOLDER, page
from desk.shield import Shield
from models.account_queries import has_administrator

log = logging.getLogger("desk")

ROUTERS: tuple[APIRouter, ...] = (
    front.router,
    sign_in.router,
    oidc.router,
    accounts.router,
    leads.router,
    export.router,
    network.router,
    contact.router,
    help_pages.router,
    labels.router,
    classifiers.router,
    runs.router,
    requests.router,
    retention.router,
    records.router,
    audit_log.router,
    public.router,
)

# Nothing is measured for anybody else, whatever the environment of the machine says.
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}

# No more than the connections that the store keeps open: another one would be opened and closed again with each page.
THREADS = 4

# Status, heading and what to do, by what went wrong.
ERRORS = {
    400: ("That did not work", "Something in the address or the form is not as it should be. Go back, reload the page and try again."),
    403: ("This page is for other roles", "Ask your administrator if you need it for your work."),
    404: ("Page not found", "Check the address. The lead or message may have been withdrawn, or belong to another council."),
    405: ("That did not work", "This address cannot be used in that way. Go back and use the buttons on the page."),
    413: ("That is too much at once", "Send less. A form here takes at most 1,000,000 bytes."),
    429: ("Too many tries", "Wait a few minutes, then try again."),
    500: ("Something broke here", "It is not your fault. Try again; if it happens again, tell your administrator the reference below."),
}


@asynccontextmanager
async def few_threads(_: FastAPI) -> AsyncIterator[None]:
    """Many requests at once are answered one after another rather than all at the end: half of them then wait half as long."""
    to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield


def create_app(settings: Settings) -> FastAPI:
    """The desk for these settings. Where there is no administrator yet, `app.state.office.doors` has the code that makes one."""
    office = open_office(settings)
    app = FastAPI(
        title="coprod desk",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(check_form)],
        telemetry=NO_TELEMETRY,
        lifespan=few_threads,
    )
    app.state.office = office
    with office.engine.connect() as connection:
        if not has_administrator(connection):
            office.doors.make_code()
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    hosts = [urlsplit(settings.desk_address).hostname or "", *LOOPBACK]
    app.add_middleware(Shield, is_https=office.is_https, cacheable=("/static/", "/brand/"))
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)
    _add_errors(app)
    return app


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(NotSignedInError)
    async def _sign_in(request: Request, _: Exception) -> Response:
        address = sign_in_address(request)
        if request.headers.get("hx-request"):
            return Response(status_code=401, headers={"HX-Redirect": address})
        return RedirectResponse(address, status_code=303)

    @app.exception_handler(NotAllowedError)
    async def _forbidden(request: Request, _: Exception) -> Response:
        return error_page(request, 403)

    @app.exception_handler(ForgedError)
    async def _forged(request: Request, _: Exception) -> Response:
        message = "This form is out of date, or did not come from this site. Nothing was changed. Reload the page and send it again."
        return error_page(request, 403, heading="Nothing was changed", message=message)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, _: Exception) -> Response:
        return error_page(request, 400)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        return error_page(request, error.status_code)

    @app.exception_handler(Exception)
    async def _broken(request: Request, error: Exception) -> Response:
        reference = secrets.token_hex(4)
        log.error("reference %s: %s", reference, type(error).__name__)
        return error_page(request, 500, reference=reference)


def error_page(request: Request, status: int, *, heading: str = "", message: str = "", reference: str = "") -> Response:
    """A page in plain words for what went wrong; it says nothing of what was sent."""
    words = ERRORS.get(status, ERRORS[400])
    acting = None if status == 500 else current(request)
    return page(
        request, "error.html", title=heading or words[0], acting=acting, status=status, message=message or words[1], reference=reference
    )
