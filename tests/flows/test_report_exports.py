"""The report's tables and exports: whole, safe, of networks and never of persons, and with author keys only where that is asked for."""

import csv
import io
import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from sqlalchemy import select
from sqlmodel import col

from config.schema import Config
from coprod_nlp.vocabulary import Right
from flows.job import Job, RequestError
from flows.reports.exports import CIVICRM_COLUMNS
from flows.reports.files import FILES, KEYS, PAGE, SUMMARY
from flows.reports.keys import KeyRequest
from flows.steps.collect import collect
from flows.steps.link import link
from flows.steps.rank import rank
from flows.steps.read import read
from flows.steps.report import report
from models import queries
from models.lead import Lead
from models.report import LeadPlace
from models.right_actions import keep_out
from models.run import AuditEntry
from models.session import unit_of_work

Row = dict[str, Any]
CAMPAIGN = "marlowick_2026"
SAID = (
    "I can help plant trees in the park on Saturday, happy to bring my own tools.",
    "Happy to help in the park on Saturday, I can bring spades and gloves.",
    "I already volunteer with the Friends of the park every Sunday, we plant bulbs.",
)
PAIR = (
    "I can help run the quagga library on Tuesdays, happy to volunteer at the desk.",
    "Happy to volunteer at the quagga library, I can read to children there.",
)


def table(job: Job, name: str) -> list[Row]:
    return list(csv.DictReader(io.StringIO((job.out / name).read_text(encoding="utf-8")), strict=True))


def thread(said: tuple[str, ...], name: str, *, rounds: int = 2) -> list[Row]:
    """People who answer each other in turn, as a Reddit archive tells it."""
    same = {"subreddit": "madeup", "link_id": f"t3_{name}", "created_utc": 1_780_000_000, "permalink": f"https://x.example/{name}"}
    return [
        same | {"name": f"t1_{name}{n}", "parent_id": f"t1_{name}{n - 1}", "author": f"{name}-{n % len(said)}", "body": said[n % len(said)]}
        for n in range(rounds * len(said))
    ]


@pytest.fixture
def made(make_job: Callable[..., Job], tmp_path: Path) -> Callable[[list[Row]], Job]:
    def make(lines: list[Row]) -> Job:
        (tmp_path / "made-up.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        job = make_job(str(tmp_path / "made-up.ndjson"))
        for step in (collect, read, link, rank, report):
            step(job)
        return job

    return make


def test_a_network_of_two_is_in_no_page_and_in_no_export(made: Callable[[list[Row]], Job]) -> None:
    job = made([*thread(SAID, "park"), *thread(PAIR, "desk", rounds=3)])
    assert len(table(job, "leads.csv")) == 1
    written = {path.name: path.read_text(encoding="utf-8") for path in job.out.iterdir()}
    assert set(written) == set(FILES) - {KEYS}
    assert not [name for name, content in written.items() if "quagga" in content or "https://x.example/desk" in content]
    graph = nx.read_graphml(job.out / "networks.graphml")
    assert len(graph) == 3
    areas = json.loads(written["leads.json"])["opportunity"]
    assert sum(area["willing"] for area in areas) >= len(SAID) + len(PAIR)


def test_a_suppressed_voice_is_gone_from_every_file_at_once(made: Callable[[list[Row]], Job]) -> None:
    job = made(thread((*SAID, "I can bring a wheelbarrow to the park on Saturday, glad to help, ask for the zorilla."), "park"))
    assert "zorilla" in (job.out / PAGE).read_text(encoding="utf-8")
    with unit_of_work(job.engine) as session:
        (key,) = {row.author_key for row in _evidence(job) if "zorilla" in row.body}
        keep_out(session, [key], right=Right.OBJECTION, case="O-1", by="the officer")
    rank(job, again=True)
    report(job)
    assert not [path.name for path in job.out.iterdir() if "zorilla" in path.read_text(encoding="utf-8")]
    assert [int(row["voices"]) for row in table(job, "leads.csv")] == [3]


def _evidence(job: Job) -> list[Any]:
    with job.engine.connect() as connection:
        return [row for lead in queries.leads(connection, job.scope_id()) for row in queries.lead_evidence(connection, lead.lead_id)]


def test_civicrm_gets_an_organisation_for_each_lead_by_the_titles_of_its_own_fields(sample_run: Job) -> None:
    rows, leads = table(sample_run, "civicrm.csv"), table(sample_run, "leads.csv")
    assert tuple(rows[0]) == CIVICRM_COLUMNS
    assert [row["External Identifier"] for row in rows] == [lead["lead"] for lead in leads]
    assert all(len({row[name] for row in rows}) == len(rows) > 3 for name in ("External Identifier", "Organization Name"))
    assert all(0 < len(row["Organization Name"]) <= 128 and len(row["External Identifier"]) <= 32 for row in rows)
    assert all(row["Website"].startswith("https://") for row in rows)
    assert all(f"{float(lead['score']):.0f} of 100" in row["Note(s)"] for row, lead in zip(rows, leads, strict=True))


def test_graphs_open_as_xml_and_know_network_and_area(sample_run: Job) -> None:
    for name in ("networks.graphml", "networks.gexf"):
        assert ET.parse(sample_run.out / name).getroot().tag.endswith(name.partition(".")[2])  # noqa: S314  (our own file)
    nodes = dict(nx.read_graphml(sample_run.out / "networks.graphml").nodes(data=True))
    leads = table(sample_run, "leads.csv")
    assert {node["network_id"] for node in nodes.values()} == {lead["network"] for lead in leads}
    assert min(sum(node["network_id"] == lead["network"] for node in nodes.values()) for lead in leads) >= 3


def test_author_keys_come_in_a_file_of_their_own_for_a_campaign_and_are_audited(made: Callable[[list[Row]], Job]) -> None:
    job = made(thread(SAID, "park"))
    with job.engine.connect() as connection:
        stored = set(queries.authors(connection, job.scope())[0])
    report(job, keys_for=KeyRequest(CAMPAIGN, "Ann Officer"))
    assert os.name != "posix" or (job.out / KEYS).stat().st_mode & 0o777 == 0o600
    rows = table(job, KEYS)
    assert {row["author_key"] for row in rows} == stored
    assert {row["voice"] for row in rows} == set(nx.read_graphml(job.out / "networks.graphml"))
    others = [path.read_text(encoding="utf-8") for path in job.out.iterdir() if path.name != KEYS]
    assert not [key for key in stored if any(key in content for content in others)]
    with unit_of_work(job.engine) as session:
        (entry,) = session.scalars(select(AuditEntry).where(col(AuditEntry.action) == "export_author_keys"))
        told = (entry.by, entry.subject, entry.counts)
    assert told == ("Ann Officer", job.run_id, {"purpose": CAMPAIGN, "voices": 3})


def test_the_next_report_takes_the_keys_away_again(made: Callable[[list[Row]], Job]) -> None:
    job = made(thread(SAID, "park"))
    report(job, keys_for=KeyRequest(CAMPAIGN, "Ann Officer"))
    assert (job.out / KEYS).exists()
    report(job)
    assert not (job.out / KEYS).exists()


@pytest.mark.parametrize(
    ("request_", "ends", "why"),
    [
        (KeyRequest("curiosity", "Ann"), None, "not a campaign of this council in campaigns.toml; there: marlowick_2026"),
        (KeyRequest(CAMPAIGN, "  "), None, "given to a named person only"),
        (KeyRequest(CAMPAIGN, "Ann"), date(2026, 4, 2), "name one that is in force"),
    ],
    ids=["no such purpose", "nobody named", "ended"],
)
def test_keys_without_a_purpose_in_force_or_a_name_are_refused_before_anything_is_written(
    sample_run: Job, config: Config, tmp_path: Path, request_: KeyRequest, ends: date | None, why: str
) -> None:
    campaign = config.campaigns[CAMPAIGN]
    changed = campaign.model_copy(update={"ends": ends} if ends else {})
    job = replace(sample_run, config=config.model_copy(update={"campaigns": {CAMPAIGN: changed}}), out=tmp_path / "out")
    with pytest.raises(RequestError, match=why):
        report(job, keys_for=request_)
    assert not job.out.exists()


def test_places_of_all_leads_are_kept_for_other_pages(sample_run: Job) -> None:
    with sample_run.engine.connect() as connection:
        rows = list(connection.execute(select(LeadPlace.__table__)))  # type: ignore[attr-defined]
        leads = set(connection.scalars(select(col(Lead.lead_id))))
    wards = {ward.code for ward in sample_run.council.wards}
    assert {row.lead_id for row in rows} <= leads
    assert len({row.lead_id for row in rows}) > 3
    assert {row.ward for row in rows} <= wards | {None}
    assert all(row.messages > 0 for row in rows)


def test_the_summary_says_the_same_leads_as_the_page(sample_run: Job) -> None:
    summary = (sample_run.out / SUMMARY).read_text(encoding="utf-8")
    for lead in table(sample_run, "leads.csv")[:5]:
        assert f"{lead['rank']}. {lead['area']}" in summary
    assert "<script" not in summary
