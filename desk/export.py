"""Leads as a table to take away: numbers and decisions, no words of residents and no keys."""

import csv
import io
from typing import Any

from fastapi import APIRouter, HTTPException, Response

from coprod_nlp.cells import guarded
from desk import words
from desk.auth import Officer
from desk.leads import Asked, lead_filter
from desk.office import TheOffice
from models import desk_queries
from models.actions import audit
from models.base import utc_now
from models.desk_words import LeadStatus
from models.session import unit_of_work

router = APIRouter()

MOST_ROWS = 1_000
HEADINGS = (
    "rank", "lead", "policy area", "score", "low", "high", "people", "willing messages", "where it stands", "given to", "not before",
)  # fmt: skip


@router.get("/leads.csv")
def leads_csv(
    office: TheOffice, acting: Officer, area: Asked = "", ward: Asked = "", community: Asked = "", status: Asked = desk_queries.OPEN,
    assignee: Asked = "", new: Asked = "",
) -> Response:  # fmt: skip
    """What the list shows, the first thousand; written in the audit log."""
    if not office.doors.may("export", acting.account_id):
        raise HTTPException(429)
    asked = lead_filter(acting, area=area, ward=ward, community=community, status=status, assignee=assignee, new=new)
    least, today = office.config.ranking.minimum_voices, utc_now().date()
    with unit_of_work(office.engine) as session:
        connection = session.connection()
        run = desk_queries.newest_scope(connection, acting.council)
        rows: list[Any] = []
        while run and len(rows) < MOST_ROWS:
            number = len(rows) // desk_queries.PAGE + 1
            found = desk_queries.leads_page(connection, run.scope, asked, minimum_voices=least, today=today, page=number)
            rows += found[: desk_queries.PAGE]
            if len(found) <= desk_queries.PAGE:
                break
        audit(session, by=acting.username, action="export_leads", subject=run.run_id if run else "no run", counts={"leads": len(rows)})
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(HEADINGS)
    for row in rows:
        status_words = words.STATUSES[LeadStatus(row.status or LeadStatus.NEW)][0]
        writer.writerow(map(guarded, (
            row.rank, row.lead_id, office.area_name(row.area), f"{row.score:.1f}", f"{row.low:.1f}", f"{row.high:.1f}", row.voices,
            row.willing_messages, status_words, row.assignee or "", row.not_before or "",
        )))  # fmt: skip
    headers = {"Content-Disposition": 'attachment; filename="leads.csv"'}
    return Response("\ufeff" + table.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)
