"""What is kept for how long, and whose authors are still to be told that their posts were collected (Article 14)."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from coprod_nlp.vocabulary import NoticeOutcome
from desk.auth import Acting, DataProtection
from desk.office import Office, TheOffice
from desk.pages import go, page
from desk.whose import places_of
from models import request_queries, right_actions, right_queries
from models.base import months_after, utc_now
from models.classifier_actions import RefusedError
from models.request_actions import REASON_CHARS
from models.session import unit_of_work

router = APIRouter(default_response_class=HTMLResponse)

Text = Annotated[str, Form(max_length=2_000)]
Many = Annotated[list[str] | None, Form(max_length=200)]


@router.get("/retention")
def retention_page(request: Request, office: TheOffice, acting: DataProtection) -> Response:
    return _page(request, office, acting)


@router.post("/retention/notices")
def record_notices(
    request: Request, office: TheOffice, acting: DataProtection, communities: Many = None, outcome: Text = "", reason: Text = ""
) -> Response:
    """One decision for every message of these communities that waits for one."""
    known = {key for key, _ in places_of(office, acting.council)}
    chosen = set(communities or []) & known
    try:
        decided = next((one for one in NoticeOutcome if one.value == outcome), None)
        if not chosen or decided is None:
            raise RefusedError("choose at least one community, and whether its authors were told or need not be")
        if not reason.strip() or len(reason) > REASON_CHARS:
            raise RefusedError(f"say how they were told, or why they need not be, in at most {REASON_CHARS} characters")
        with unit_of_work(office.engine) as session:
            right_actions.record_notice(
                session, communities=chosen, collected_before=utc_now(), outcome=decided, reason=reason.strip(), by=acting.username
            )
    except RefusedError as error:
        values = {"communities": sorted(chosen), "outcome": outcome, "reason": reason}
        return _page(request, office, acting, values=values, error=str(error))
    return go("/retention", done="notices")


def _page(request: Request, office: Office, acting: Acting, *, values: dict[str, Any] | None = None, error: str = "") -> Response:
    places = places_of(office, acting.council)
    with office.engine.connect() as connection:
        kept = request_queries.kept_by_platform(connection, [key for key, _ in places])
        counts = right_queries.notice_counts(connection, now=utc_now())
    mine = {key for key, _ in places}
    notices = [(row, months_after(row.oldest.date(), 1) if row.oldest else None) for row in counts if row.community_id in mine]
    waiting = [row.community_id for row, _ in notices if row.overdue or row.soon or row.later]
    return page(
        request, "retention.html", title="Retention and notices", acting=acting, kept=[_kept(office, row) for row in kept], notices=notices,
        title_of=office.community_title, waiting=[(key, title, "") for key, title in places if key in waiting],
        errors={"communities": error} if error else {}, values=values or {}, status=400 if error else 200,
    )  # fmt: skip


def _kept(office: Office, row: Any) -> dict[str, Any]:
    """A platform's rule beside what is there. The oldest goes first."""
    days = office.config.kept_days(row.platform)
    return {
        "platform": row.platform, "days": days, "posts": row.posts, "oldest": row.oldest, "goes_on": row.oldest + timedelta(days=days),
        "recheck_hours": office.config.recheck_hours(row.platform), "training": office.config.training_allowed(row.platform),
    }  # fmt: skip
