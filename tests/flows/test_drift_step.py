"""Drift: every run keeps numbers of what the classifier made of its posts, and says so where they are unlike those before."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import update

from config.settings import Settings
from coprod_nlp.vocabulary import RunStatus
from flows.job import Job
from flows.listen import Summary
from flows.reports.content import gather
from flows.reports.summary import print_summary
from flows.steps.collect import collect
from flows.steps.drift import drift_of
from flows.steps.link import link
from flows.steps.rank import rank
from flows.steps.read import read
from models.base import utc_now
from models.post import PostReading

JobMaker = Callable[..., Job]
CALM = ("The bins were late again in week {}.", "Which bus goes to lane {}?", "Number {} is shut for the winter.", "Rain again, day {}.")
EAGER = (
    "I can lend my van number {} for the clean-up on Saturday, happy to help.",
    "Count me in for river clean {}. I have waders and a rake.",
    "Come along on day {} at ten and help us plant the beds, gloves are here.",
)


def archive(path: Path, *groups: tuple[tuple[str, ...], range]) -> str:
    facts = {"subreddit": "thornby", "author": "someone", "created_utc": 1767225600}
    rows = [facts | {"name": f"t1_{n}", "body": texts[n % len(texts)].format(n)} for texts, numbers in groups for n in numbers]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def finished(job: Job) -> Job:
    for stage in (collect, read, link, rank):
        stage(job)
    job.update(status=RunStatus.FINISHED, finished_at=utc_now())
    return job


def drift(job: Job) -> dict[str, Any]:
    found: dict[str, Any] = job.run().counts["drift"]
    return found


def printed(job: Job, console_path: Path) -> str:
    with console_path.open("w", encoding="utf-8") as file:
        run = job.run()
        print_summary(Console(file=file, width=1000), Summary(run.run_id, job.out, run.counts, run.seconds, {}))
    return console_path.read_text(encoding="utf-8")


def told(job: Job) -> tuple[str, ...]:
    with job.engine.connect() as connection:
        return gather(connection, job, job.run()).drift


def test_a_run_unlike_the_one_before_says_so_and_one_like_it_does_not(make_job: JobMaker, tmp_path: Path) -> None:
    first = finished(make_job(archive(tmp_path / "a.ndjson", (CALM, range(200)))))
    read_count = first.run().counts["read"]["read"]
    assert drift(first)["all"] == drift(first)["new"]
    assert (drift(first)["all"]["posts"], sum(drift(first)["all"]["willing"])) == (read_count, read_count)
    assert drift(first)["earlier"] is None

    second = finished(make_job(archive(tmp_path / "b.ndjson", (CALM, range(200, 400)))))
    assert drift(second)["new"]["posts"] < drift(second)["all"]["posts"]
    assert drift(second)["earlier"]["reference"] == read_count
    assert not drift(second)["earlier"]["is_alarm"]
    assert told(second) == ()
    assert "Drift" not in printed(second, tmp_path / "second.txt")

    third = finished(make_job(archive(tmp_path / "c.ndjson", (EAGER, range(400, 550)))))
    assert drift(third)["earlier"]["is_alarm"]
    assert {"offer", "willing"} <= set(drift(third)["earlier"]["moved"])
    alarms = told(third)
    assert any("new posts are spread otherwise than in the run before" in alarm for alarm in alarms)
    assert "Drift: Scores of the" in printed(third, tmp_path / "third.txt")


def test_drift_is_counted_alike_on_either_database_and_holds_no_text(
    address: str, make_job: JobMaker, settings: Settings, tmp_path: Path
) -> None:
    on = Settings(home=settings.home, author_key=settings.author_key, workers=1, database_url=address)
    job = make_job(archive(tmp_path / "a.ndjson", (EAGER, range(6)), (CALM, range(6, 10))), settings=on)
    collect(job)
    read(job)
    with job.engine.begin() as connection:
        connection.execute(update(PostReading).values(willing=0.05, is_willing=False, areas={}, signals={}))
        connection.execute(
            update(PostReading).where(PostReading.post_id == "archive:thornby:t1_0").values(  # type: ignore[arg-type]
                willing=1.0, is_willing=True, areas={"waste": 0.9}, signals={"offer": 0.8}
            )
        )  # fmt: skip
    found = drift_of(job)
    assert found["all"]["willing"] == [found["all"]["posts"] - 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert found["all"]["labels"] == {"waste": 1, "offer": 1, "willing": 1}
    assert "van" not in json.dumps(found)


def test_what_was_set_aside_takes_no_part(make_job: JobMaker, tmp_path: Path) -> None:
    german = ("Wer bringt am Samstag die Schaufeln mit? Der Spielplatz Nummer {} muss dringend aufgeräumt werden.",)
    job = make_job(archive(tmp_path / "a.ndjson", (CALM, range(4)), (german, range(4, 8))))
    collect(job)
    read(job)
    assert drift(job)["all"]["posts"] == job.run().counts["read"]["read"] <= 4


@pytest.mark.parametrize("counts", [{}, {"drift": {}}], ids=["no drift", "empty"])
def test_a_run_from_before_there_was_drift_is_reported_all_the_same(counts: dict[str, Any], tmp_path: Path) -> None:
    with (tmp_path / "out.txt").open("w", encoding="utf-8") as file:
        print_summary(Console(file=file), Summary("r", tmp_path, counts, {"read": 1.0}, {}))
    assert "Drift" not in (tmp_path / "out.txt").read_text(encoding="utf-8")
