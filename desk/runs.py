"""Runs and sources with their health: what was done, how long it took, what was odd, and what did not come."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request, Response
from fastapi.responses import HTMLResponse

from coprod_nlp.training.drift import alarms
from coprod_nlp.vocabulary import PollOutcome, RunStatus
from desk.auth import Analyst
from desk.office import Office, TheOffice
from desk.pages import page
from desk.whose import known_communities
from models import provenance_queries, queries, record_queries
from models.base import utc_now
from models.queries import Scope
from models.run import Run
from models.session import unit_of_work

router = APIRouter(default_response_class=HTMLResponse)

RunId = Annotated[str, Path(max_length=80, pattern=r"^[A-Za-z0-9_-]+$")]
SHOWN = 30
# A run that is under way for longer was killed, or is stuck.
LONGEST_RUN = timedelta(hours=12)
BAD_POLLS = frozenset({PollOutcome.UNAVAILABLE.value, PollOutcome.STOPPED.value, PollOutcome.RUNNING.value})


@router.get("/runs")
def runs_page(request: Request, office: TheOffice, acting: Analyst) -> Response:
    communities = known_communities(office, acting.council)
    with unit_of_work(office.engine) as session:
        rows = record_queries.runs_of(session, acting.council, limit=SHOWN)
        connection = session.connection()
        counts = queries.post_counts(connection, Scope(acting.council, tuple(sorted(communities))))
        polls = {row.community_id: row for row in provenance_queries.newest_polls(connection, communities)}
    now = utc_now()
    return page(
        request, "runs.html", title="Runs and sources", acting=acting, runs=[(row, _health(row, now=now)) for row in rows],
        sources=[_source(office, name, counts.get(name, {}), polls.get(name)) for name in sorted(communities)],
        drift=[(row, row.counts["drift"]) for row in rows if row.counts.get("drift")],
    )  # fmt: skip


@router.get("/runs/{run_id}")
def run_page(request: Request, office: TheOffice, acting: Analyst, run_id: RunId) -> Response:
    with unit_of_work(office.engine) as session:
        row = session.get(Run, run_id)
        if row is None or row.council != acting.council:
            raise HTTPException(404)
        connection = session.connection()
        problems = queries.problems(connection, [run_id])
        polls = provenance_queries.polls_of_run(connection, run_id)
    plain = {name: value for name, value in row.counts.items() if isinstance(value, int | float) and not isinstance(value, bool)}
    return page(
        request, "run.html", title=f"Run {run_id[:8]}", acting=acting, row=row, health=_health(row, now=utc_now()), plain=plain,
        problems=problems, polls=polls, title_of=office.community_title,
        alarms=alarms(row.counts["drift"]) if row.counts.get("drift") else [],
    )  # fmt: skip


def _health(row: Run, *, now: Any) -> tuple[str, str]:
    """In a word, and the colour of its tag."""
    if row.status == RunStatus.FAILED:
        return "Failed", "red"
    if row.status == RunStatus.RUNNING:
        return ("Stuck or killed", "red") if now - row.started_at > LONGEST_RUN else ("Under way", "blue")
    if row.counts.get("drift") and alarms(row.counts["drift"]):
        return "Done, with an alarm", "yellow"
    return "Done", "green"


def _source(office: Office, community_id: str, counts: dict[str, Any], poll: Any) -> dict[str, Any]:
    """One community: what is stored of it, and how its newest gathering ended."""
    if poll is not None and poll.outcome in BAD_POLLS:
        health = ("Did not come", "red")
    elif not counts.get("posts"):
        health = ("Nothing yet", "grey")
    elif poll is not None and poll.gaps:
        health = ("With gaps", "yellow")
    else:
        health = ("Well", "green")
    return {
        "title": office.community_title(community_id), "platform": community_id.partition(":")[0], "posts": counts.get("posts", 0),
        "willing": counts.get("willing") or 0, "last": counts.get("last"), "poll": poll, "health": health,
    }  # fmt: skip
