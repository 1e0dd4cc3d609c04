"""The report as tables, JSON and graphs. No author key is in any of them: voices are numbered within their network."""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any

import networkx as nx

from coprod_nlp.cells import guarded
from coprod_nlp.ranking.reasons import PART_NAMES, count_of
from flows.reports.content import ReportContent
from flows.reports.lead import LeadContent
from flows.reports.opportunity import CellRow, OpportunityRow

LEAD_COLUMNS = (
    *"rank lead network area score low high voices willing_messages network_voices".split(),
    *"change kept_for has_met communities places approach stage council_welcome".split(),
    *(f"points_{key}" for key in PART_NAMES),
    "strongest_message",
)
OPPORTUNITY_COLUMNS = tuple(field.name for field in fields(OpportunityRow))
WARD_COLUMNS = tuple(field.name for field in fields(CellRow))
COVERAGE_COLUMNS = ("what", "name", "residents", "posts", "posts_for_each_1000", "note")
# The titles of CiviCRM's own import fields for organisations, which its import matches by name; the lengths are those of its columns.
CIVICRM_COLUMNS = ("External Identifier", "Organization Name", "Contact Source", "Website", "Note(s)")
CIVICRM_NAME_CHARS, CIVICRM_SOURCE_CHARS = 128, 255
# Only drawn, or said elsewhere in the same object.
NOT_IN_JSON = ("picture", "chart")


def leads_csv(content: ReportContent) -> str:
    return table(map(_lead_row, content.leads), LEAD_COLUMNS)


def opportunity_csv(content: ReportContent) -> str:
    rows = (
        {**asdict(row), "programmes": None if row.programmes is None else "; ".join(row.programmes)} for row in content.opportunity
    )  # fmt: skip
    return table(rows, OPPORTUNITY_COLUMNS)


def wards_csv(content: ReportContent) -> str:
    """One row a ward, and one a ward and policy area; counts of too few voices are empty."""
    return table(map(asdict, content.wards), WARD_COLUMNS)


def coverage_csv(content: ReportContent) -> str:
    """Wards, policy areas, groups and kinds of community with what these sources hold of each."""
    seen = content.coverage
    empty = dict.fromkeys(COVERAGE_COLUMNS)
    few = f"fewer than {content.minimum_voices} voices"
    rows: list[dict[str, Any]] = [
        empty | {"what": "ward", "name": ward.name, "residents": ward.residents, "posts": ward.posts,
                 "posts_for_each_1000": None if ward.for_each_1000 is None else round(ward.for_each_1000, 2),
                 "note": few if ward.posts is None else "" if ward.posts else "not seen"}
        for ward in seen.wards
    ]  # fmt: skip
    rows += [
        empty | {"what": "group", "name": group.name, "residents": group.residents, "posts": group.posts,
                 "note": "; ".join(group.communities) or "no community of theirs is listened to"}
        for group in seen.groups
    ]  # fmt: skip
    rows += [empty | {"what": "policy area", "name": name, "note": few} for name in seen.areas_unseen]
    rows += [empty | {"what": "kind of community", "name": name, "note": "none is listened to"} for name in seen.kinds_missing]
    return table(rows, COVERAGE_COLUMNS)


def civicrm_csv(content: ReportContent) -> str:
    """Networks as organisations, for CiviCRM's "Import Contacts" with the contact type Organization. No person is in it."""
    return table((_civicrm_row(content, lead) for lead in content.leads), CIVICRM_COLUMNS)


def leads_json(content: ReportContent) -> str:
    plain = asdict(content)
    for name in ("matrix", "filters"):
        del plain[name]
    for lead in plain["leads"]:
        for name in NOT_IN_JSON:
            del lead[name]
    return json.dumps(plain, ensure_ascii=False, indent=1, default=_plain) + "\n"


def graphml(graph: "nx.Graph[str]") -> str:
    return "\n".join(nx.generate_graphml(graph)) + "\n"


def gexf(graph: "nx.Graph[str]", made_at: datetime) -> str:
    """The day of the run stands in the place of today's: the same run makes the same file."""
    text = "\n".join(nx.generate_gexf(graph)) + "\n"
    return re.sub(r'lastmodifieddate="[^"]*"', f'lastmodifieddate="{made_at:%Y-%m-%d}"', text)


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """A CSV table with its header, also where it has no row; no cell of it is a formula."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=columns)
    writer.writeheader()
    writer.writerows({name: guarded(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _lead_row(lead: LeadContent) -> Mapping[str, Any]:
    """A part whose value is not known is empty, never 0."""
    points = {f"points_{part['key']}": part["points"] if part["points"] is None else round(part["points"], 2) for part in lead.parts}
    return {
        "rank": lead.rank, "lead": lead.lead_id, "network": lead.network_id, "area": lead.area, "score": lead.score, "low": lead.low,
        "high": lead.high, "voices": lead.voices, "willing_messages": lead.willing_messages, "network_voices": lead.network_voices,
        "change": lead.change, "kept_for": lead.kept or "", "has_met": not lead.is_gathered,
        "communities": "; ".join(name for name, _ in lead.communities),
        "places": "; ".join(place.name for place in lead.card.places),
        "approach": lead.approaches[0].name if lead.approaches else "", "stage": lead.stages[0][0] if lead.stages else "",
        "council_welcome": "; ".join(f"{route.community}: {route.welcome}" for route in lead.routes),
        **{f"points_{key}": None for key in PART_NAMES}, **points,
        "strongest_message": lead.quotes[0].link if lead.quotes else "",
    }  # fmt: skip


def _civicrm_row(content: ReportContent, lead: LeadContent) -> Mapping[str, Any]:
    where = lead.communities[0][0] if lead.communities else ""
    routes = " ".join(f"{route.community}: {route.welcome}. {route.contact}".strip() for route in lead.routes)
    note = (
        f"Score {lead.score:.0f} of 100 (likely {lead.low:.0f} to {lead.high:.0f}), {count_of(lead.voices, 'voice')}, "
        f"{count_of(lead.willing_messages, 'willing message')}. {lead.approaches[0].name if lead.approaches else ''}. {routes}"
    )
    return {
        "External Identifier": lead.lead_id,
        # CiviCRM takes organisations of one name for the same: the name carries the start of the lead's id.
        "Organization Name": f"{lead.area} network {lead.lead_id[2:8]}, {where}"[:CIVICRM_NAME_CHARS],
        "Contact Source": f"coprod, run {content.run_id}"[:CIVICRM_SOURCE_CHARS],
        "Website": lead.routes[0].link if lead.routes else "",
        "Note(s)": note,
    }


def _plain(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
