"""Opportunity by ward and coverage: counted from the texts, with denominators, and never of fewer voices than may be shown."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coprod_nlp.vocabulary import PolicyArea
from flows.job import Job
from flows.reports.opportunity import council_gazetteer
from flows.steps.collect import collect
from flows.steps.link import link
from flows.steps.rank import rank
from flows.steps.read import read
from flows.steps.report import report
from models import report_queries

Row = dict[str, Any]
COUNTS = ("posts", "willing", "proposing", "complaining", "asking")


def told(job: Job) -> Row:
    content: Row = json.loads((job.out / "leads.json").read_text(encoding="utf-8"))
    return content


def table(job: Job, name: str) -> list[Row]:
    return list(csv.DictReader(io.StringIO((job.out / name).read_text(encoding="utf-8")), strict=True))


@pytest.fixture(scope="module")
def counted(sample_run: Job) -> dict[tuple[str, str], tuple[int, set[str]]]:
    """By ward and area ("" for all): posts and voices, counted another way: by looking for each name in each text."""
    names = {ward.code: [ward.name, *ward.aliases] for ward in sample_run.council.wards}
    for place in sample_run.config.places:
        if place.ward:
            names[place.ward] += [place.name, *place.aliases]
    found: dict[tuple[str, str], tuple[int, set[str]]] = {}
    gazetteer = council_gazetteer(sample_run)
    with sample_run.engine.connect() as connection:
        for row in report_queries.messages_with_an_area(
            connection, sample_run.scope(), version=sample_run.run().versions["reading"]
        ):  # fmt: skip
            text = f"{row.title}\n{row.body}"
            wards = {place.ward for place in gazetteer.find(text) if place.ward}
            words = " ".join(re.findall(r"[\w']+", text.lower().replace("’", "'")))
            assert all(any(name.lower() in words for name in names[ward]) for ward in wards)
            for ward in wards:
                for area in ("", *row.areas):
                    posts, voices = found.get((ward, area), (0, set()))
                    found[ward, area] = (posts + 1, voices | {row.author_key})
    return found


def test_wards_count_the_posts_that_name_them_and_few_voices_are_not_told(
    sample_run: Job, counted: dict[tuple[str, str], tuple[int, set[str]]]
) -> None:
    rows = table(sample_run, "wards.csv")
    assert {(row["code"], row["key"]) for row in rows if row["key"]} == {key for key in counted if key[1]}
    hidden = 0
    for row in rows:
        posts, voices = counted.get((row["code"], row["key"]), (0, set()))
        if posts and len(voices) < 3:
            hidden += 1
            assert [row[name] for name in COUNTS] == [""] * 5
        else:
            assert int(row["posts"]) == posts
    assert hidden > 3
    assert len({row["code"] for row in rows if not row["key"]}) == len(sample_run.council.wards)


def test_few_voices_of_a_ward_are_told_in_no_file(sample_run: Job) -> None:
    for row in told(sample_run)["wards"]:
        assert (row["posts"] is None) == (row["willing"] is None)
    page = (sample_run.out / "report.html").read_text(encoding="utf-8")
    assert page.count('<td class="few">few</td>') == sum(row["posts"] is None and row["key"] != "" for row in told(sample_run)["wards"])


def test_every_area_has_one_standing_and_it_follows_from_its_own_row(sample_run: Job) -> None:
    content = told(sample_run)
    rows = {row["area"]: row for row in content["opportunity"]}
    grouped = [area for group in content["standings"] for area, _ in group["areas"]]
    assert sorted(grouped) == sorted(rows)
    for group in content["standings"]:
        for area, voices in group["areas"]:
            row = rows[area]
            assert voices == row["willing_voices"] <= row["willing"]
            assert (group["key"] in {"ready_absent", "ready_present"}) == (voices >= 3)
            assert (group["key"] in {"ready_present", "unheard"}) == bool(row["programmes"])


def test_coverage_gives_each_figure_its_denominator(sample_run: Job) -> None:
    seen = told(sample_run)["coverage"]
    assert 0 < seen["placed"] < seen["posts"]
    assert len(seen["wards"]) == len(sample_run.council.wards)
    groups = {group["name"]: group for group in seen["groups"]}
    assert groups["Private tenants"]["communities"] == []
    assert groups["Private tenants"]["share"] == pytest.approx(11_200 / 61_400)
    assert groups["Parents of children under 12"]["posts"] == 265
    assert {"culture", "sport"} <= set(seen["kinds_missing"])
    assert "nature and environment" not in seen["kinds_missing"]
    assert any("busiest tenth of the 235 voices" in fact for fact in seen["facts"])


@pytest.fixture
def nobody(make_job: Callable[..., Job], tmp_path: Path) -> Job:
    (tmp_path / "empty.ndjson").write_text("", encoding="utf-8")
    job = make_job(str(tmp_path / "empty.ndjson"))
    for step in (collect, read, link, rank, report):
        step(job)
    return job


def test_an_empty_report_says_that_it_sees_no_ward_and_no_area(nobody: Job) -> None:
    seen = told(nobody)["coverage"]
    assert (len(seen["wards_unseen"]), len(seen["areas_unseen"])) == (len(nobody.council.wards), len(PolicyArea))
    page = (nobody.out / "report.html").read_text(encoding="utf-8")
    assert "None of the 0 posts about a policy area names a ward" in page
    assert {row["note"] for row in table(nobody, "coverage.csv") if row["what"] == "ward"} == {"not seen"}
