"""The real PRAW against a server that answers as Reddit does: three polls of a community that changes, faults and a kill on the way."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from config.settings import author_key
from coprod_nlp.vocabulary import PostState, RunStatus
from flows.job import Job
from flows.sources.reddit import LOOK_UP_SIZE, open_reddit, pace_of
from flows.steps.collect import collect
from models.base import utc_now
from models.post import Post
from models.provenance import Poll, Provenance
from models.session import unit_of_work
from tests.fakes.live import AUTHOR_KEY, SimulatedClock, live_job, live_settings, write_config
from tests.fakes.reddit import CLIENT_ID, FakeReddit, Fault
from tests.fakes.reddit_world import Item, World

NAME = "marlowick"
DRIVER = Path(__file__).parent.parent / "fakes" / "killed_poll.py"
pace_of(CLIENT_ID, clock=SimulatedClock())


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def reddit(world: World) -> Iterator[FakeReddit]:
    with FakeReddit(world) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_config(tmp_path / "config", NAME)
    return tmp_path


def polled(home: Path, reddit: FakeReddit, **settings: Any) -> Job:
    """A run that has gathered, and will not be gone on with."""
    job = live_job(live_settings(home, home / "config", reddit.address, **settings))
    collect(job)
    job.update(status=RunStatus.FINISHED, finished_at=utc_now())
    return job


def rows(job: Job, table: Any = Post) -> list[Any]:
    with unit_of_work(job.engine) as session:
        return list(session.scalars(select(table)))


def posts(job: Job) -> dict[str, Post]:
    return {post.post_id.removeprefix("reddit:"): post for post in rows(job)}


def key_of(item: Item) -> str:
    return author_key(AUTHOR_KEY.encode(), platform="reddit", author_id=item.author)


def differences(stored: dict[str, Post], items: list[Item]) -> list[str]:
    """Visible posts that are not in the store as they are at the source."""
    found = []
    for item in items:
        post = stored.get(item.fullname)
        if post is None:
            found.append(f"{item.fullname} is not there")
        elif (post.body, post.title, post.author_key, post.state) != (item.body, item.title, key_of(item), PostState.VISIBLE):
            found.append(f"{item.fullname} is {post.state}, with other words or another author")
        elif (post.parent_id, post.thread_id) != (item.parent and f"reddit:{item.parent}", f"reddit:{item.thread}"):
            found.append(f"{item.fullname} hangs elsewhere")
    return found


def now_and_then(number: int, _path: str) -> Fault | None:
    """Among the answers: too many requests with and without a time to wait, errors of the server, a page, half an answer, nothing."""
    faults = {
        0: Fault(status=429, headers={"retry-after": "7"}), 1: Fault(status=503), 2: Fault(status=429), 3: Fault(is_dropped=True),
        4: Fault(body="<html>", content_type="text/html"), 5: Fault(is_half=True), 6: Fault(status=500), 7: Fault(body='{"data": '),
    }  # fmt: skip
    return faults[number // 23 % len(faults)] if number % 23 == 0 else None


def test_three_polls_of_a_changing_community_with_faults_and_a_kill_lose_nothing_and_store_nothing_twice(
    world: World, reddit: FakeReddit, home: Path
) -> None:
    world.grow(NAME, submissions=400, comments=4_200)
    reddit.faults = now_and_then
    killed = subprocess.Popen([sys.executable, str(DRIVER), str(home), reddit.address], env=os.environ | {"COPROD_HOME": str(home)})
    reddit.before = lambda: os.kill(killed.pid, signal.SIGKILL) if len(reddit.requests) == 400 else None
    assert killed.wait(timeout=300) == -signal.SIGKILL
    reddit.before = lambda: None
    threads_before = {path.partition("?")[0] for _, path in reddit.requests if path.startswith("/comments/")}
    place = len(reddit.requests)

    first = polled(home, reddit)
    (broken_off, whole) = sorted(rows(first, Poll), key=lambda poll: poll.started_at)
    assert (broken_off.outcome, whole.outcome, broken_off.run_id) == ("running", "finished", whole.run_id)
    assert broken_off.new_posts > 0
    assert broken_off.new_posts + whole.new_posts == len(world.items) == len(rows(first, Provenance)) == len(posts(first))
    threads_after = {path.partition("?")[0] for _, path in reddit.requests[place:] if path.startswith("/comments/")}
    assert len(threads_before & threads_after) < len(threads_before) / 4
    assert differences(posts(first), list(world.items.values())) == []

    deleted, removed, filtered, lost = world.pick(30), world.pick(30), world.pick(10), world.pick(5)
    for state, items in (("deleted", deleted), ("removed", removed), ("filtered", filtered), ("lost", lost)):
        for item in items:
            item.state = state if item.state == "visible" else item.state
    new = world.grow(NAME, submissions=15, comments=185)
    recent = [item for item in world.items.values() if item.created > world.now - 86_400 and item.state == "visible"]
    edited = [item for item in recent if world.items[item.thread].state == "visible" and world.items[item.thread] in recent][:40]
    for item in edited:
        world.edit(item)
    second = polled(home, reddit)
    assert differences(posts(second), [*new, *edited]) == []
    assert len(posts(second)) == len(world.items)

    back = [item for item in removed[:15] + filtered if item.state in {"removed", "filtered"}]
    for item in back:
        item.state = "visible"
    new += world.grow(NAME, submissions=15, comments=185)
    third = polled(home, reddit)
    assert len(posts(third)) == len(world.items) == 5_000
    visible = [item for item in world.items.values() if item.state == "visible"]
    assert differences(posts(third), visible) == []
    assert third.run().counts["problems"].keys() <= {"deleted", "removed", "filtered"}

    now = looked_up(reddit, home, list(world.items))
    states = {item.fullname: None if item.state == "lost" else PostState(item.state) for item in world.items.values()}
    assert {name: post and post.state for name, post in now.items()} == states
    assert [now[item.fullname].body for item in edited] == [item.body for item in edited if item.state == "visible"]


def looked_up(reddit: FakeReddit, home: Path, names: list[str]) -> dict[str, Any]:
    """What posts are now, in requests as large as Reddit allows."""
    source = open_reddit(live_settings(home, home / "config", reddit.address))
    found: dict[str, Any] = {}
    for start in range(0, len(names), LOOK_UP_SIZE):
        found |= source.look_up(names[start : start + LOOK_UP_SIZE])
    source.close()
    return found
