"""The start, and the council's colour."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from desk.auth import Anybody
from desk.office import TheOffice
from desk.pages import NAVIGATION

router = APIRouter()


@router.get("/")
def start(acting: Anybody) -> RedirectResponse:
    """To the first page of one's own."""
    return RedirectResponse(next(path for path, _, roles in NAVIGATION if acting.may(*roles)), status_code=303)


@router.get("/brand/{council}.css")
def brand(council: str, office: TheOffice) -> Response:
    """The council's colour as a style sheet: no page carries styles of its own."""
    return Response(f":root {{ --govuk-brand-colour: {office.desk(council).colour}; }}\n", media_type="text/css")


@router.get("/favicon.ico", include_in_schema=False)
def icon(request: Request) -> RedirectResponse:
    return RedirectResponse(str(request.url_for("static", path="icon.svg").path), status_code=308)
