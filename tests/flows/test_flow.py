"""The flow as Prefect runs it, once, on Prefect's own server."""

import json
import os
from pathlib import Path

import pytest

from coprod_nlp.vocabulary import RunStage, RunStatus
from models.run import Run
from models.session import open_engine, unit_of_work

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


def test_telemetry_is_off_whenever_flows_are_imported() -> None:
    assert os.environ["DO_NOT_TRACK"] == "1"
    assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
