"""A report's files: one self-contained HTML page, and the same as CSV, JSON, GraphML and GEXF."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import networkx as nx
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from coprod_nlp.ranking.reasons import PART_NAMES, count_of
from flows.reports.content import OpportunityRow, ReportContent

TEMPLATES = Path(__file__).parent / "templates"
PAGE = "report.html"
LEAD_COLUMNS = (
    *"rank lead area score low high voices willing_messages network_voices communities approach stage".split(),
    *(f"points_{key}" for key in PART_NAMES),
    "strongest_message",
)
OPPORTUNITY_COLUMNS = tuple(field.name for field in fields(OpportunityRow))
# Spreadsheets take a cell that starts like this for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def write_report(out: Path, content: ReportContent, graph: "nx.Graph[str]") -> Path:
    """Write every file, each whole or not at all; returns the page's path."""
    out.mkdir(parents=True, exist_ok=True)
    makers: dict[str, Callable[[], str]] = {
        "leads.csv": lambda: _csv(_lead_rows(content), LEAD_COLUMNS),
        "opportunity.csv": lambda: _csv(_opportunity_rows(content), OPPORTUNITY_COLUMNS),
        "leads.json": lambda: _json(content),
        "networks.graphml": lambda: "\n".join(nx.generate_graphml(graph)) + "\n",
        "networks.gexf": lambda: _dated("\n".join(nx.generate_gexf(graph)) + "\n", content.made_at),
        PAGE: lambda: _page(content),
    }
    for name, make in makers.items():
        draft = out / f".{name}.part"
        draft.write_text(make(), encoding="utf-8", newline="\n")
        draft.replace(out / name)
    return out / PAGE


def _page(content: ReportContent) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": lambda value: f"{value:,}", "day": day, "percent": lambda value: f"{value:.0%}", "count_of": count_of}
    environment.filters["capitalize_first"] = lambda words: words[:1].upper() + words[1:]
    return environment.get_template(PAGE).render(report=content)


def day(moment: datetime | None) -> str:
    """A date as people write it: 3 May 2026."""
    return f"{moment.day} {moment:%B %Y}" if moment else "not known"


def _lead_rows(content: ReportContent) -> Iterable[Mapping[str, Any]]:
    """One row a lead; a part whose value is not known is empty, never 0."""
    for lead in content.leads:
        points = {f"points_{part['key']}": part["points"] if part["points"] is None else round(part["points"], 2) for part in lead.parts}
        yield {
            "rank": lead.rank, "lead": lead.lead_id, "area": lead.area, "score": lead.score, "low": lead.low, "high": lead.high,
            "voices": lead.voices, "willing_messages": lead.willing_messages, "network_voices": lead.network_voices,
            "communities": "; ".join(name for name, _ in lead.communities),
            "approach": lead.approaches[0][0] if lead.approaches else "", "stage": lead.stages[0][0] if lead.stages else "",
            **{f"points_{key}": None for key in PART_NAMES}, **points,
            "strongest_message": lead.quotes[0].link if lead.quotes else "",
        }  # fmt: skip


def _opportunity_rows(content: ReportContent) -> Iterable[Mapping[str, Any]]:
    for row in content.opportunity:
        programmes = None if row.programmes is None else "; ".join(row.programmes)
        yield {**asdict(row), "programmes": programmes}


def _csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """A table with its header, also where it has no row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=columns)
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    is_formula = isinstance(value, str) and (value.lstrip().startswith(FORMULA_STARTS) or value.startswith(("\t", "\r")))
    return f"'{value}" if is_formula else value


def _dated(gexf: str, made_at: datetime) -> str:
    """The day of the run in the place of today's: the same run makes the same file."""
    return re.sub(r'lastmodifieddate="[^"]*"', f'lastmodifieddate="{made_at:%Y-%m-%d}"', gexf)


def _json(content: ReportContent) -> str:
    plain = asdict(content)
    for lead in plain["leads"]:
        del lead["picture"]
    return json.dumps(plain, ensure_ascii=False, indent=1, default=_plain) + "\n"


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)
