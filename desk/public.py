"""The public page, outside sign-in: what the council does with public posts and why, and where anybody objects.

Nobody learns here whether an account is known: nothing is looked up, and every answer is the same. A name becomes author keys at once, by
arithmetic alone, and is forgotten: keeping it, even encrypted, would make a list of people who objected, which nobody needs. A link is
kept until the request is closed: it is public as it stands, and the officer must be able to open it.
"""

from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from config.settings import SettingsError
from coprod_nlp.vocabulary import Right
from desk.office import Office, TheOffice
from desk.pages import page
from desk.sign_in import client
from desk.whose import UnclearNameError, communities_of, keys_of
from models import request_actions
from models.base import utc_now
from models.classifier_actions import RefusedError
from models.desk_words import RequestOrigin
from models.request import RightsRequest
from models.session import unit_of_work

router = APIRouter(default_response_class=HTMLResponse)

BY = "public page"
Council = Annotated[str, Query(max_length=80)]
Text = Annotated[str, Form(max_length=1_000)]
Places = Annotated[list[str] | None, Form(max_length=200)]


@router.get("/your-posts")
def your_posts(request: Request, office: TheOffice, council: Council = "") -> Response:
    return _page(request, office, _council(office, council))


@router.post("/your-posts")
def object_here(
    request: Request, office: TheOffice, council: Text = "", link: Text = "", handle: Text = "", places: Places = None
) -> Response:
    """Take an objection; what is said back does not depend on whether anything is held."""
    if not office.doors.may("public_form", client(request)) or not office.doors.may("public_forms", "everybody"):
        raise HTTPException(429)
    chosen = _council(office, council)
    if chosen is None:
        raise HTTPException(404)
    try:
        _check_link(link.strip())
        keys = keys_of(office, handle, places or [], known=sorted(communities_of(office, chosen)))
        with unit_of_work(office.engine) as session:
            made = request_actions.receive_request(
                session, council=chosen, kind=Right.OBJECTION, origin=RequestOrigin.PUBLIC, author_keys=keys,
                places=(places or []) if keys else [], link=link, received_on=utc_now().date(), by=BY,
            )  # fmt: skip
    except RefusedError as error:
        name = "handle" if isinstance(error, UnclearNameError) else "places" if "where this name" in str(error) else "link"
        values = {"link": link, "handle": handle, "places": places or []}
        return _page(request, office, chosen, errors={name: _sentence(error)}, values=values)
    except SettingsError:
        raise HTTPException(500) from None
    return RedirectResponse("/your-posts/status?" + urlencode({"reference": made.request_id, "new": "yes"}), status_code=303)


@router.get("/your-posts/status")
def status(
    request: Request, office: TheOffice, reference: Annotated[str, Query(max_length=40)] = "", new: Annotated[str, Query(max_length=3)] = ""
) -> Response:
    """How far a request is, for whoever has its reference: open until when, or closed. Never what was found."""
    if reference and not office.doors.may("public_status", client(request)):
        raise HTTPException(429)
    wanted = reference.strip().upper().replace(" ", "")
    with unit_of_work(office.engine) as session:
        found = session.get(RightsRequest, wanted) if wanted else None
    errors = {"reference": "There is no request of this reference. Look at each letter again."} if wanted and found is None else {}
    return page(
        request, "your_posts_status.html", title="Your objection" if found else "Where is my objection?", found=found, is_new=new == "yes",
        reference=reference, errors=errors, status=404 if errors else 200,
    )  # fmt: skip


def _page(
    request: Request, office: Office, council: str | None, *, errors: dict[str, str] | None = None, values: dict[str, Any] | None = None
) -> Response:
    config = office.config
    today = utc_now().date()
    communities = [community for community in config.communities if community.council == council]
    platforms = sorted({community.platform for community in communities})
    return page(
        request, "your_posts.html", title="What we do with public posts", public_council=council,
        name=config.councils[council].name if council else "", councils=[(key, each.name) for key, each in config.councils.items()],
        communities=communities, places=[(one.community_id, one.title, "") for one in communities],
        campaigns=[c for c in config.campaigns.values() if c.council == council and c.starts <= today <= c.ends],
        kept=[(name, config.kept_days(name)) for name in platforms], least=config.ranking.minimum_voices, desk=office.desk(council),
        bases=BASES, errors=errors or {}, values=values or {}, status=400 if errors else 200,
    )  # fmt: skip


BASES = {
    "consent": "people agreed to it (Article 6(1)(a) of the UK GDPR)",
    "legal_obligation": "the law asks us to (Article 6(1)(c) of the UK GDPR)",
    "public_task": "it is part of our public task (Article 6(1)(e) of the UK GDPR)",
    "legitimate_interests": "we have a legitimate interest in it (Article 6(1)(f) of the UK GDPR)",
}


def _council(office: Office, asked: str) -> str | None:
    """The council whose page it is; the only one where there is one."""
    councils = list(office.config.councils)
    if asked in councils:
        return asked
    return councils[0] if len(councils) == 1 else None


def _check_link(link: str) -> None:
    if link and (urlsplit(link).scheme not in {"http", "https"} or not urlsplit(link).netloc):
        raise RefusedError("the link should begin with https:// and lead to one of your messages; copy it from your browser")


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + "."
