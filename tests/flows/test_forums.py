"""Each forum's own client against a server that answers as that forum does: three polls of 500 posts and more, faults on the way."""

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
from flows.reconciliation import reconcile_all
from flows.sources.wire import host_pace
from flows.steps.collect import collect
from models.base import utc_now
from models.post import Post
from models.provenance import Poll
from models.session import unit_of_work
from tests.fakes.bluesky import FakeBluesky
from tests.fakes.discourse import FakeDiscourse
from tests.fakes.lemmy import FakeLemmy
from tests.fakes.live import AUTHOR_KEY, SimulatedClock, live_job, live_settings, write_config
from tests.fakes.mastodon import FakeMastodon
from tests.fakes.reddit_world import EVERY_S, Item, World
from tests.fakes.rss import FakeRss
from tests.fakes.server import FakeServer, now_and_then

NAME = "marlowick"
DRIVER = Path(__file__).parent.parent / "fakes" / "killed_poll.py"
FORUMS = [pytest.param(forum, id=forum.platform) for forum in (FakeDiscourse, FakeMastodon, FakeLemmy, FakeBluesky, FakeRss)]
ALL_DUE_HOURS = 1_000.0


@pytest.fixture
def world() -> World:
    return World(began=int(utc_now().timestamp()) - EVERY_S * 2_000)


@pytest.fixture
def forum(request: pytest.FixtureRequest, world: World) -> Iterator[FakeServer]:
    with request.param(world) as server:
        host_pace(server.host, allowed_a_minute=60, clock=SimulatedClock())
        yield server


@pytest.fixture
def home(tmp_path: Path, forum: FakeServer) -> Path:
    write_config(tmp_path / "config", NAME, platform=forum.platform, url=forum.url)
    return tmp_path


def polled(home: Path, forum: FakeServer) -> Job:
    """A run that has gathered, and will not be gone on with."""
    job = live_job(live_settings(home, home / "config"), platform=forum.platform)
    collect(job)
    job.update(status=RunStatus.FINISHED, finished_at=utc_now())
    return job


def reconciled(job: Job, forum: FakeServer) -> dict[str, int]:
    """Every stored post looked at again."""
    return reconcile_all(
        job.engine, settings=job.settings, config=job.config, by="test", platform=forum.platform, within_hours=ALL_DUE_HOURS
    )


def rows(job: Job, table: Any = Post) -> list[Any]:
    with unit_of_work(job.engine) as session:
        return list(session.scalars(select(table)))


def stored(job: Job, forum: FakeServer) -> dict[str, Post]:
    return {post.post_id.removeprefix(f"{forum.platform}:"): post for post in rows(job)}


def differences(posts: dict[str, Post], forum: FakeServer, items: list[Item]) -> list[str]:
    """Items that the store does not hold as their forum does."""
    found = []
    for item in items:
        name, state = forum.fullname(item), forum.expected(item)
        post = posts.get(name)
        if post is None:
            # What went before it was ever seen, with its thread say, leaves no place.
            found += [f"{name} is not there"] if state is PostState.VISIBLE else []
        elif state is not PostState.VISIBLE:
            if (post.title, post.body, post.author_key, post.permalink) != ("", "", None, "") or post.state != (
                state or PostState.VANISHED
            ):
                found.append(f"{name} should be an empty place, {state}, and is {post.state}")
        elif (post.title, post.body, post.state, post.author_key) != (*forum.words(item), state, key_of(forum, item)):
            found.append(f"{name} is {post.state}, with other words or another author")
        elif (post.parent_id, post.thread_id) != (_id(forum, forum.parent(item)), _id(forum, forum.thread(item))):
            found.append(f"{name} hangs elsewhere: {post.parent_id}, {post.thread_id}")
    return found


def key_of(forum: FakeServer, item: Item) -> str:
    return author_key((AUTHOR_KEY.encode(),), platform=forum.platform, author_id=forum.author_id(item))


def _id(forum: FakeServer, name: str | None) -> str | None:
    return name and f"{forum.platform}:{name}"


def left_anywhere(home: Path, texts: list[str]) -> list[str]:
    """Texts that some file below a folder still holds."""
    contents = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    return [text for text in texts if any(text.encode() in content for content in contents)]


@pytest.mark.parametrize("forum", FORUMS, indirect=True)
def test_three_polls_of_a_changing_forum_with_faults_and_a_kill_lose_nothing_store_nothing_twice_and_keep_nothing_that_is_gone(
    world: World, forum: FakeServer, home: Path
) -> None:
    world.grow(NAME, submissions=50, comments=450)
    forum.faults = now_and_then
    killed = subprocess.Popen(
        [sys.executable, "-P", str(DRIVER), str(home), forum.address, forum.platform], env=os.environ | {"COPROD_HOME": str(home)}
    )
    forum.before = lambda: os.kill(killed.pid, signal.SIGKILL) if len(forum.requests) == forum.late_request else None
    assert killed.wait(timeout=300) == -signal.SIGKILL
    forum.before = lambda: None
    first = polled(home, forum)
    broken_off, whole = sorted(rows(first, Poll), key=lambda poll: poll.started_at)
    assert (broken_off.outcome, whole.outcome, broken_off.run_id) == ("running", "finished", whole.run_id)
    assert broken_off.new_posts > 0 or forum.late_request == 1
    assert broken_off.new_posts + whole.new_posts == len(world.items)
    assert differences(stored(first, forum), forum, list(world.items.values())) == []
    seen = stored(first, forum).keys()
    assert len(seen) == len(world.items) == 500

    gone = {state: world.pick(count) for state, count in {"deleted": 12, "removed": 12, "filtered": 6, "lost": 4}.items()}
    for state, items in gone.items():
        for item in items:
            item.state = state if item.state == "visible" else item.state
    taken = [item.body for item in world.items.values() if forum.expected(item) is not PostState.VISIBLE]
    edited = world.pick(15)
    old_words = [item.body for item in edited]
    for item in edited:
        world.edit(item)
    new = world.grow(NAME, submissions=5, comments=70)
    second = polled(home, forum)
    counts = reconciled(second, forum)
    assert counts["looked_at"] > 0
    assert counts["unanswered"] == 0
    assert differences(stored(second, forum), forum, list(world.items.values())) == []
    assert seen <= stored(second, forum).keys()
    assert left_anywhere(home, taken + old_words) == []

    back = [item for item in gone["removed"][:6] + gone["filtered"] if item.state in {"removed", "filtered"}]
    for item in back:
        item.state = "visible"
    new = world.grow(NAME, submissions=5, comments=70)
    third = polled(home, forum)
    reconciled(third, forum)
    assert (len(new), len(world.items)) == (75, 650)
    assert stored(third, forum).keys() <= {forum.fullname(item) for item in world.items.values()}
    assert differences(stored(third, forum), forum, list(world.items.values())) == []
    assert [poll.outcome for poll in rows(third, Poll) if poll.poll_id != broken_off.poll_id] == ["finished"] * 3
    assert all("https://marlowick.example/listening" in agent for agent in forum.user_agents)
