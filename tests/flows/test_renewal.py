"""Reports and exported files that are away or cannot be changed: each is named and waits, and the others are dealt with."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from config.load import load_config
from config.settings import Settings, author_key, load_author_key
from coprod_nlp.vocabulary import PostState, RunStatus
from flows.job import Job, RequestError, make_request
from flows.renewal import WITHDRAWN
from flows.reports.register import registered_report
from models import actions, right_queries, written_actions
from models.run import Run
from models.session import open_engine, unit_of_work
from models.written import LABELS
from tests.fakes.commands import typed

THEN, WORDS = datetime(2026, 5, 1, tzinfo=UTC), "I can lend my van"


@pytest.fixture
def engine(home: Path) -> Iterator[Engine]:
    """A post of Dan, in a run whose reports can only be withdrawn."""
    settings = Settings(home=home)
    engine = open_engine(settings.address())
    key = author_key(load_author_key(settings), platform="archive:thornby", author_id="Dan")
    row = actions.post_row(
        post_id="p1", platform="archive", community_id="archive:thornby", kind="submission", state=PostState.VISIBLE, author_key=key,
        parent_id=None, thread_id=None, title="", body=WORDS, permalink="/p1", score=1, created_at=THEN, content_hash="h", fetched_at=THEN,
    )  # fmt: skip
    run: dict[str, Any] = {"run_id": "r", "council": "marlowick", "communities": ["archive:thornby"], "status": RunStatus.FINISHED}
    with unit_of_work(engine) as session:
        actions.store_posts(session.connection(), [row])
        session.add(Run(**run, started_at=THEN, finished_at=THEN, config_digest=""))
    yield engine
    engine.dispose()


def report_in(engine: Engine, folder: Path) -> Path:
    """A report that shows the post."""
    folder.mkdir()
    for name in ("report.html", "leads.csv"):
        (folder / name).write_text(WORDS, encoding="utf-8")
    with unit_of_work(engine) as session:
        begun_at = written_actions.begin_report(session, folder=str(folder), run_id="r")
        session.flush()
        written_actions.finish_report(session, folder=str(folder), begun_at=begun_at)
    return folder


def waiting(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [row.folder for row in right_queries.stale_reports(connection)] + [
            row.path for row in right_queries.stale_exports(connection)
        ]


def object_to_dan(home: Path) -> dict[str, Any]:
    """Act on an objection; returns the certificate."""
    done = typed("object", "--handle", "Dan", "--on", "archive:thornby", "--case", "DPO-7", "--by", "dpo", "--yes")
    assert done.code == 0
    (certificate,) = (home / "certificates").iterdir()
    return dict(json.loads(certificate.read_text(encoding="utf-8")))


@pytest.mark.parametrize("fault", ["a file in its place", "a file that cannot be removed"])
def test_a_folder_that_cannot_be_dealt_with_is_named_and_keeps_no_other_and_no_certificate(
    fault: str, engine: Engine, home: Path, tmp_path: Path
) -> None:
    bad, good = report_in(engine, tmp_path / "a_bad"), report_in(engine, tmp_path / "good")
    for name in ("report.html", "leads.csv"):
        (bad / name).unlink()
    if fault == "a file in its place":
        bad.rmdir()
        bad.write_text("", encoding="utf-8")
    else:
        (bad / "leads.csv" / "inside").mkdir(parents=True)
        (bad / "report.html").write_text(WORDS, encoding="utf-8")
    said = object_to_dan(home)
    assert {path.name: path.read_text(encoding="utf-8") for path in good.iterdir()} == {"report.html": WITHDRAWN}
    assert str(bad) in said["not_reached"][0]
    assert (said["files"]["reports_withdrawn"], said["files"]["not_reached"]) == (1, 1)
    assert not (bad / "report.html").exists()
    assert waiting(engine) == [str(bad)]
    again = typed("renew")
    assert (again.code, str(bad) in again.err) == (1, True)


def test_a_report_on_a_drive_that_is_away_waits_until_it_is_back(engine: Engine, home: Path, tmp_path: Path) -> None:
    folder = report_in(engine, tmp_path / "usb")
    folder.rename(tmp_path / "away")
    said = object_to_dan(home)
    assert f"{folder}: not found; connect its drive" in said["not_reached"][0]
    assert typed("renew").code == 1
    (tmp_path / "away").rename(folder)
    back = typed("renew")
    assert (back.code, back.out) == (0, "1 reports withdrawn\n")
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == {"report.html": WITHDRAWN}
    assert waiting(engine) == []


def test_a_file_of_labels_that_is_away_waits_too(engine: Engine, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    with unit_of_work(engine) as session:
        written_actions.record_export(session, path=str(path), kind=LABELS, post_ids=["p1"], by="lena")
    said = object_to_dan(home)
    assert f"{path}: not found" in said["not_reached"][0]
    path.write_text(json.dumps({"post_id": "p1", "body": WORDS}) + "\n", encoding="utf-8")
    assert typed("renew").code == 0
    assert path.read_text(encoding="utf-8") == ""


def test_what_is_gone_for_good_is_waited_for_no_longer_and_only_what_is_not_there(engine: Engine, home: Path, tmp_path: Path) -> None:
    folders = [report_in(engine, tmp_path / name) for name in ("one", "two")]
    for folder in folders:
        folder.rename(tmp_path / f"{folder.name} away")
    object_to_dan(home)
    assert "no report or exported file of this path waits" in typed("renew", "--gone", tmp_path / "three").err
    one = typed("renew", "--gone", folders[0])
    assert (one.code, waiting(engine)) == (1, [str(folders[1])])
    (tmp_path / "two away").rename(folders[1])
    assert typed("renew", "--gone", folders[1]).code == 0
    assert (folders[1] / "report.html").read_text(encoding="utf-8") == WITHDRAWN
    assert waiting(engine) == []


def test_a_folder_in_which_nothing_can_be_written_is_refused_and_not_remembered(engine: Engine, home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    config = load_config()
    request = make_request(config, council=None, sources=None, columns=None, since=None, until=None)
    job = Job(Settings(home=home), config, engine, request, "r", tmp_path / "file" / "x")
    with pytest.raises(RequestError, match="cannot be written"), registered_report(job):
        pytest.fail("it was begun")
    assert waiting(engine) == []
