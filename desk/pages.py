"""Pages: templates with what every one of them shows."""

from collections.abc import Hashable
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from coprod_nlp.ranking.reasons import count_of
from desk import words
from desk.auth import Acting, cookie_name, form_token, new_token, set_cookie
from desk.office import office_of
from models.desk_words import Role

FOLDER = Path(__file__).parent
PARTS_KEPT = 256
# Where one can go: address, words, whose it is.
NAVIGATION: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    ("/leads", "Leads", (Role.OFFICER,)),
    ("/contacts", "Contact", (Role.OFFICER,)),
    ("/labels", "Labels", (Role.ANALYST,)),
    ("/classifiers", "Classifiers", (Role.ANALYST,)),
    ("/runs", "Runs", (Role.ANALYST,)),
    ("/requests", "Requests", (Role.DATA_PROTECTION,)),
    ("/retention", "Retention", (Role.DATA_PROTECTION,)),
    ("/records", "Records", (Role.DATA_PROTECTION,)),
    ("/audit", "Audit log", (Role.DATA_PROTECTION,)),
    ("/accounts", "People", (Role.ADMINISTRATOR,)),
    ("/help", "Help", tuple(Role)),
)
# What a page may say after something was done. Only these words are ever shown, whatever an address asks for.
NOTICES = {
    "saved": "Saved.",
    "undone": "The last decision was taken back.",
    "password": "Your new password is set. Sign in with it.",
    "signed-out": "You are signed out.",
    "invited": "The account is ready. Pass the link on.",
    "submitted": "Handed over. A second person now reads and signs it off.",
    "signed": "Signed off. An officer can now send it.",
    "sent": "Recorded as sent. Nobody writes there again until the cool-off ends.",
    "closed": "Closed. Thank you for saying what came of it.",
    "cancelled": "Cancelled. The draft is gone.",
    "hold": "Nobody writes there until that day.",
    "received": "The request is taken in, and its clock runs.",
    "removed": "Removed, and kept out from now on. Reports and files that showed it are being written anew.",
    "kept-out": "No message was found to remove. The account is kept out; what was looked for stands below.",
    "request-closed": "Closed. What pointed at the person is gone from the request.",
    "notices": "Written down for every message that was waiting.",
    "labelled": "Label saved.",
    "skipped": "Left for later.",
    "started": "Started. This page shows when it is done.",
    "promoted": "Promoted. The next run reads with it.",
    "rolled-back": "Taken back. The next run reads with the one before.",
    "lifted": "Lifted. Messages are possible again.",
}

templates = Environment(
    loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    auto_reload=False,
)  # fmt: skip
templates.filters |= {"day": words.day, "moment": words.moment, "number": words.number, "counted": count_of}
templates.globals["words"] = words


@lru_cache(maxsize=PARTS_KEPT)
def part(template: str, **values: Hashable) -> Markup:
    """A part of a page that depends on these values and on nothing else: rendered once and kept."""
    return Markup(templates.get_template(template).render(values))  # noqa: S704 - a template of ours, which escapes


class Blanks(dict[str, Any]):
    """What is missing is blank: errors of a form, and what was typed into it."""

    def __missing__(self, key: str) -> str:
        return ""


def page(request: Request, template: str, *, title: str, acting: Acting | None = None, status: int = 200, **values: Any) -> HTMLResponse:
    """A page with the council's name, where one can go, and a token for its forms."""
    office = office_of(request)
    council = acting.council if acting else None
    token = request.cookies.get(cookie_name(office)) or new_token()
    forms = {name: Blanks(values.pop(name, {})) for name in ("errors", "values")}
    html = templates.get_template(template).render(
        title=title, acting=acting, council_name=office.council_name(council), council=council or "default",
        navigation=[(path, text) for path, text, roles in NAVIGATION if acting and acting.may(*roles)],
        path=request.scope["path"], form_token=form_token(token), notice=NOTICES.get(request.query_params.get("done", "")),
        **forms, **values,
    )  # fmt: skip
    response = HTMLResponse(html, status_code=status)
    if cookie_name(office) not in request.cookies:
        set_cookie(response, office, token)
    return response


def go(address: str, *, done: str = "") -> RedirectResponse:
    """After a form: to a page that can be read again and reloaded without harm."""
    path, mark, place = address.partition("#")
    sign = "&" if "?" in path else "?"
    return RedirectResponse(f"{path}{sign}done={done}{mark}{place}" if done else address, status_code=303)
