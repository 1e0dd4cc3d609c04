"""The audit log: who did what when, filtered, a page at a time, or as a table to take away."""

import csv
import io
import json
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from coprod_nlp.cells import guarded
from desk.auth import DataProtection
from desk.office import TheOffice
from desk.pages import page
from models import account_queries, request_queries
from models.actions import audit
from models.request_queries import AUDIT_PAGE, AuditFilter
from models.session import unit_of_work

router = APIRouter(default_response_class=HTMLResponse)

Asked = Annotated[str, Query(max_length=200)]
Before = Annotated[int | None, Query(ge=1, le=2**53)]
MOST_ROWS = 10_000
FIRST_YEAR, LAST_YEAR = 2000, 2999


@router.get("/audit")
def audit_log(
    request: Request, office: TheOffice, acting: DataProtection, by: Asked = "", action: Asked = "", subject: Asked = "", since: Asked = "",
    until: Asked = "", before: Before = None,
) -> Response:  # fmt: skip
    chosen = {"by": by, "action": action, "subject": subject, "since": since, "until": until}
    with office.engine.connect() as connection:
        rows = request_queries.audit_page(connection, acting.council, _filter(chosen), before=before)
        people, actions = request_queries.audit_lists(connection, acting.council)
        names = account_queries.names(connection, acting.council)
    shown = rows[:AUDIT_PAGE]
    kept = {key: value for key, value in chosen.items() if value}
    return page(
        request, "audit.html", title="Audit log", acting=acting, rows=shown, chosen=chosen, names=names, is_filtered=bool(kept),
        people=[("", "Anybody"), *((name, names.get(name, name)) for name in people)],
        actions=[("", "Anything"), *((name, name.replace("_", " ")) for name in actions)], counts=_counts,
        older="/audit?" + urlencode(kept | {"before": shown[-1].entry_id}) if len(rows) > AUDIT_PAGE else "",
        newest="/audit?" + urlencode(kept) if before else "", export="/audit.csv?" + urlencode(kept), most_rows=MOST_ROWS,
    )  # fmt: skip


@router.get("/audit.csv")
def audit_csv(
    office: TheOffice, acting: DataProtection, by: Asked = "", action: Asked = "", subject: Asked = "", since: Asked = "", until: Asked = ""
) -> Response:
    """The newest rows that fit, as a table; that it was taken away is a row of its own."""
    if not office.doors.may("export", acting.account_id):
        raise HTTPException(429)
    asked = _filter({"by": by, "action": action, "subject": subject, "since": since, "until": until})
    with unit_of_work(office.engine) as session:
        rows = request_queries.audit_page(session.connection(), acting.council, asked, limit=MOST_ROWS)
        audit(session, by=acting.username, action="export_audit", subject="audit log", counts={"rows": len(rows)})
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(("number", "when (UTC)", "who", "what", "subject", "counts"))
    for row in rows:
        counts = json.dumps(row.counts, sort_keys=True, ensure_ascii=False)
        when = f"{row.happened_at:%Y-%m-%d %H:%M:%S}"
        writer.writerow(map(guarded, (row.entry_id, when, row.by, row.action, row.subject, counts)))
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return Response("\ufeff" + table.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _filter(chosen: dict[str, str]) -> AuditFilter:
    return AuditFilter(chosen["by"], chosen["action"], chosen["subject"].strip(), _day(chosen["since"]), _day(chosen["until"]))


def _day(text: str) -> date | None:
    """A day of this system's time; what is none filters nothing."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None


def _counts(counts: dict[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')}: {_value(value)}" for name, value in counts.items())


def _value(value: Any) -> str:
    return " and ".join(map(str, value)) if isinstance(value, list) else str(value)
