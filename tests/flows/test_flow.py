"""The flows as Prefect runs them, each once, on Prefect's own server."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from coprod_nlp.vocabulary import RunStage, RunStatus
from flows.sources.wire import host_pace
from models.base import utc_now
from models.post import Post
from models.provenance import Poll
from models.run import Run
from models.session import open_engine, unit_of_work
from tests.fakes.lemmy import FakeLemmy
from tests.fakes.live import SimulatedClock, write_config
from tests.fakes.reddit_world import EVERY_S, World

pytestmark = [pytest.mark.prefect, pytest.mark.filterwarnings("default")]

POSTS = [
    {"id": "a", "title": "Litter on the towpath again", "selftext": "I can bring grabbers on Sunday. zebrafish", "author": "wader_wilma"},
    {"id": "b", "body": "Count me in, I have a van. zebrafish", "author": "van_vera", "parent_id": "t3_a", "link_id": "t3_a"},
    {"id": "c", "body": "[deleted]", "author": "[deleted]", "parent_id": "t3_a", "link_id": "t3_a"},
]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "river.ndjson"
    rows = [{"subreddit": "river", "created_utc": 1775000000 + place} | post for place, post in enumerate(POSTS)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _artifact_texts() -> list[str]:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        artifacts = client.request("POST", "/artifacts/filter", json={}).json()
        runs = client.request("POST", "/flow_runs/filter", json={}).json()
        logs = client.request("POST", "/logs/filter", json={}).json()
    assert artifacts
    assert runs[0]["state_type"] == "COMPLETED"
    return [json.dumps(part) for part in (artifacts, runs, logs)]


def test_the_flow_runs_under_prefect_and_leaves_it_counts_but_no_text(
    prefect_server: None, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.listen import listen

    monkeypatch.setenv("COPROD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COPROD_WORKERS", "1")
    summary = listen(sources=[str(archive)], out=str(tmp_path / "report"))

    assert summary.page.exists()
    assert summary.counts["collect"]["stored"] == len(POSTS)
    engine = open_engine(f"sqlite:///{tmp_path / 'home' / 'coprod.sqlite3'}")
    with unit_of_work(engine) as session:
        run = session.get_one(Run, summary.run_id)
    engine.dispose()
    assert run.status == RunStatus.FINISHED
    assert run.done == [stage.value for stage in RunStage]
    assert run.finished_at is not None
    texts = _artifact_texts()
    assert not [text for text in texts if "zebrafish" in text or "wilma" in text or "vera" in text]


def test_a_live_source_deletion_sync_and_retention_run_under_prefect_and_leave_it_counts_but_no_text(
    prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.listen import listen
    from flows.reconcile import expire, reconcile

    world = World(began=int(utc_now().timestamp()) - EVERY_S * 100)
    thread = world.submit("river", title="Litter again", body="I can bring grabbers. zebrafish")
    comments = [world.answer(thread, body="Count me in, I have a van. zebrafish") for _ in range(8)]
    for name, value in {
        "HOME": tmp_path / "home",
        "CONFIG_DIR": tmp_path / "config",
        "CONTACT": "it@marlowick.example",
        "WORKERS": 1,
    }.items():
        monkeypatch.setenv(f"COPROD_{name}", str(value))
    with FakeLemmy(world) as forum:
        host_pace(forum.host, allowed_a_minute=60, clock=SimulatedClock())
        write_config(tmp_path / "config", "river", platform="lemmy", url=forum.url)
        summary = listen(council="marlowick", sources=["lemmy"], out=str(tmp_path / "report"))
        comments[0].state, comments[1].state = "deleted", "removed"
        looked_at = reconcile(platform="lemmy", within_hours=1_000)
    engine = open_engine(f"sqlite:///{tmp_path / 'home' / 'coprod.sqlite3'}")
    with unit_of_work(engine) as session:
        outcomes = [poll.outcome for poll in session.scalars(select(Poll))]
        session.execute(update(Post).values(fetched_at=utc_now() - timedelta(days=91)))
    expired = expire()
    with unit_of_work(engine) as session:
        left = len(session.scalars(select(Post)).all())
    engine.dispose()

    assert (summary.counts["collect"]["stored"], outcomes) == (9, ["finished"])
    assert {name: looked_at[name] for name in ("looked_at", "deleted", "removed", "unanswered")} == {
        "looked_at": 9, "deleted": 1, "removed": 1, "unanswered": 0,
    }  # fmt: skip
    assert (expired["expired"], left) == (9, 0)
    assert not [text for text in _artifact_texts() if "zebrafish" in text or "resident_" in text.lower()]


def test_telemetry_is_off_whenever_flows_are_imported() -> None:
    assert os.environ["DO_NOT_TRACK"] == "1"
    assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
