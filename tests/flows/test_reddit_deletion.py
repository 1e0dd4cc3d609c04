"""The real PRAW against a server that answers as Reddit does: what is deleted there is left in no table, file or export here."""

import json
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from flows.job import Job
from flows.labels.export import export_queue
from flows.reconciliation import reconcile_all
from flows.sources.reddit import pace_of
from flows.steps.collect import collect
from models.base import utc_now
from models.post import Post
from models.provenance import Provenance
from models.removal import GONE
from tests.conftest import run_steps
from tests.fakes.live import SimulatedClock, live_job, live_settings, write_config
from tests.fakes.readings import give_readings
from tests.fakes.reddit import CLIENT_ID, FakeReddit
from tests.fakes.reddit_world import Item, World
from tests.fakes.server import Fault
from tests.fakes.traces import traces

NAME = "marlowick"
STATES = ("deleted", "removed", "filtered", "lost")
pace_of(CLIENT_ID, clock=SimulatedClock())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_config(tmp_path / "config", NAME)
    return tmp_path


def reported(home: Path, reddit: FakeReddit) -> Job:
    """A run whose report and queue of posts to label are there. What each post says is given, so that no classifier has to be loaded."""
    job = live_job(live_settings(home, home / "config", reddit.address))
    collect(job)
    give_readings(job)
    run_steps(job)
    export_queue(job.engine, home / "exports" / "queue.jsonl", limit=200, random_share=0.5, threshold=0.9, is_blind=False)
    return job


def reconciled(job: Job) -> dict[str, int]:
    """A day and more later."""
    with job.engine.begin() as connection:
        connection.execute(update(Provenance).values(last_fetched_at=utc_now() - timedelta(hours=40)))
    return reconcile_all(job.engine, settings=job.settings, config=job.config, by="night")


def shown_in_the_report(job: Job, world: World) -> list[Item]:
    words = (job.out / "leads.json").read_text(encoding="utf-8")
    return [item for item in world.items.values() if f"({item.fullname})" in words]


def test_what_is_deleted_at_reddit_is_left_in_no_table_file_or_export_and_what_comes_back_is_kept(
    world: World, reddit: FakeReddit, home: Path
) -> None:
    world.grow(NAME, submissions=12, comments=388)
    job = reported(home, reddit)
    shown = shown_in_the_report(job, world)
    assert len(shown) > 5
    going = [*shown[:4], *world.pick(16)]
    old = [f"({item.fullname})" for item in going]
    edited = next(item for item in shown if item not in going)
    before = edited.body
    folders = [job.settings.home, job.out, home / "exports"]
    assert len(traces(*old, before, engine=job.engine, folders=folders)) >= 4
    for item, state in zip(going, cycle(STATES), strict=False):
        item.state = state
    world.edit(edited)
    reddit.faults = lambda _, path: Fault(status=503) if path.startswith("/api/info") and reddit.asked("/api/info") == 2 else None
    counts = reconciled(job)
    assert counts["looked_at"] == len(world.items) == 400
    assert reddit.asked("/api/info") == 5  # four hundreds, one of which had to be asked for twice
    assert counts["requests"] == 6  # and one for a token
    # Of a comment Reddit does not say whether a moderator or a filter took it away.
    assert sum(counts.get(state, 0) for state in GONE) == len({item.fullname for item in going})
    assert counts["reports_rewritten"] == counts["exports_cut"] == 1
    assert traces(*old, before, engine=job.engine, folders=folders) == set()
    assert json.loads((job.out / "leads.json").read_text(encoding="utf-8"))["leads"]

    back = [item for item in going if item.state in {"removed", "filtered"}]
    for item in back:
        item.state = "visible"
    assert reconciled(job)["changed"] == len(back)
    with job.engine.connect() as connection:
        bodies = set(connection.scalars(select(col(Post.body))))
    assert {item.body for item in back} <= bodies
