"""The transparency record and the impact assessment, filled from what is configured and measured: as pages and to take away."""

import json
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request, Response
from fastapi.responses import HTMLResponse

from desk.atrs import atrs
from desk.auth import DataProtection
from desk.dpia import dpia
from desk.facts import facts_of
from desk.office import TheOffice
from desk.pages import page
from desk.record import OPEN, as_markdown, as_values, count_open
from models.actions import audit
from models.session import unit_of_work

router = APIRouter(default_response_class=HTMLResponse)

# Address, title, and what it is for.
RECORDS = {
    "atrs": (atrs, "Algorithmic transparency record", "What the public may know of this tool, in the fields of the Algorithmic "
                                                      "Transparency Recording Standard."),
    "dpia": (dpia, "Data protection impact assessment: draft", "What the law asks to be thought through before and while personal data "
                                                               "is used."),
}  # fmt: skip
TYPES = {"md": "text/markdown; charset=utf-8", "json": "application/json"}
Name = Annotated[str, Path(max_length=10)]


@router.get("/records")
def records_page(request: Request, acting: DataProtection) -> Response:
    return page(request, "records.html", title="Records", acting=acting, records=[(name, *words) for name, (_, *words) in RECORDS.items()])


@router.get("/records/{name}")
def record_page(request: Request, office: TheOffice, acting: DataProtection, name: Name) -> Response:
    if name not in RECORDS:
        raise HTTPException(404)
    make, title, why = RECORDS[name]
    record = make(facts_of(office, acting.council))
    return page(
        request, "record.html", title=title, acting=acting, record=record, name=name, why=why, left=count_open(record), open_text=OPEN
    )


@router.get("/records/{name}/{form}")
def download(office: TheOffice, acting: DataProtection, name: Name, form: Name) -> Response:
    if name not in RECORDS or form not in TYPES:
        raise HTTPException(404)
    if not office.doors.may("export", acting.account_id):
        raise HTTPException(429)
    make, title, _ = RECORDS[name]
    facts = facts_of(office, acting.council)
    record = make(facts)
    with unit_of_work(office.engine) as session:
        audit(session, by=acting.username, action="export_record", subject=name, counts={"open_fields": count_open(record)})
    whole = {"title": title, "council": facts.council_name, "made_on": facts.today.isoformat(), "fields": as_values(record)}
    text = as_markdown(f"{title}: {facts.council_name}", record) if form == "md" else json.dumps(whole, ensure_ascii=False, indent=1)
    headers = {"Content-Disposition": f'attachment; filename="{name}-{facts.council}-{facts.today:%Y-%m-%d}.{form}"'}
    return Response(text, media_type=TYPES[form], headers=headers)
