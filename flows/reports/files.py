"""A report's files: one self-contained page, a summary of one sheet, and the same as CSV, JSON, GraphML and GEXF."""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import networkx as nx
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from coprod_nlp.ranking.reasons import count_of
from flows.certificate import unwritable
from flows.reports import exports
from flows.reports.content import ReportContent

TEMPLATES = Path(__file__).parent / "templates"
PAGE, SUMMARY, SCRIPT = "report.html", "summary.html", "report.js"
# Every file that a report may leave in its folder; the last only where it was asked for (`coprod report --keys-for`).
KEYS = "voice-keys.csv"
FILES = (
    *("civicrm.csv", "coverage.csv", "leads.csv", "leads.json", "networks.gexf", "networks.graphml", "opportunity.csv", PAGE, SUMMARY),
    *("wards.csv", KEYS),
)


def write_report(out: Path, content: ReportContent, graph: "nx.Graph[str]", *, keys: str | None = None) -> Path:
    """Write every file, each whole or not at all; returns the page's path. Keys of an earlier report are removed.

    Raises
    ------
    RequestError
        Where the folder cannot be written.
    """
    makers: dict[str, Callable[[], str]] = {
        "leads.csv": lambda: exports.leads_csv(content),
        "opportunity.csv": lambda: exports.opportunity_csv(content),
        "wards.csv": lambda: exports.wards_csv(content),
        "coverage.csv": lambda: exports.coverage_csv(content),
        "civicrm.csv": lambda: exports.civicrm_csv(content),
        "leads.json": lambda: exports.leads_json(content),
        "networks.graphml": lambda: exports.graphml(graph),
        "networks.gexf": lambda: exports.gexf(graph, content.made_at),
        SUMMARY: lambda: _page(SUMMARY, content),
        PAGE: lambda: _page(PAGE, content),
    }
    if keys is not None:
        makers[KEYS] = lambda: keys
    try:
        out.mkdir(parents=True, exist_ok=True)
        if keys is None:
            (out / KEYS).unlink(missing_ok=True)
        for name, make in makers.items():
            _write(out / name, make())
    except OSError as error:
        raise unwritable(out, error) from None
    return out / PAGE


def _write(path: Path, text: str) -> None:
    """Reports are to be handed round, as others may read them; author keys are not."""
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.touch(mode=0o600 if path.name == KEYS else 0o666)
        draft.write_text(text, encoding="utf-8", newline="\n")
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def day(moment: datetime | None) -> str:
    """A date as people write it: 3 May 2026."""
    return f"{moment.day} {moment:%B %Y}" if moment else "not known"


def _page(template: str, content: ReportContent) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": lambda value: f"{value:,}", "day": day, "percent": lambda value: f"{value:.0%}", "count_of": count_of}
    environment.filters["capitalize_first"] = lambda words: words[:1].upper() + words[1:]
    script = (TEMPLATES / SCRIPT).read_text(encoding="utf-8")
    # The page's policy allows this script by its hash and no other.
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template(template).render(report=content, script=script, script_hash=f"sha256-{digest}")
