"""Help: the words of the desk, and a morning with it in six steps."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from desk.auth import Anybody
from desk.office import TheOffice
from desk.pages import page

router = APIRouter(default_response_class=HTMLResponse)


@router.get("/help")
def help_page(request: Request, office: TheOffice, acting: Anybody) -> Response:
    return page(
        request, "help.html", title="Help", acting=acting, least=office.config.ranking.minimum_voices, desk=office.desk(acting.council)
    )
