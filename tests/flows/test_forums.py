"""Each forum's own client against a server that answers as that forum does: three polls of 500 posts and more, faults on the way."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.sources.wire import host_pace
from models.base import utc_now
from models.provenance import Poll
from tests.fakes.bluesky import FakeBluesky
from tests.fakes.discourse import FakeDiscourse
from tests.fakes.kept import differences, left_anywhere, polled, reconciled, rows, stored, upset
from tests.fakes.lemmy import FakeLemmy
from tests.fakes.live import SimulatedClock, write_config
from tests.fakes.mastodon import FakeMastodon
from tests.fakes.reddit_world import EVERY_S, World
from tests.fakes.rss import FakeRss
from tests.fakes.server import FakeServer, now_and_then

NAME = "marlowick"
DRIVER = Path(__file__).parent.parent / "fakes" / "killed_poll.py"
FORUMS = [pytest.param(forum, id=forum.platform) for forum in (FakeDiscourse, FakeMastodon, FakeLemmy, FakeBluesky, FakeRss)]


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

    gone, forgotten = upset(forum, {"deleted": 12, "removed": 12, "filtered": 6, "lost": 4}, edited=15)
    new = world.grow(NAME, submissions=5, comments=70)
    second = polled(home, forum)
    counts = reconciled(second, forum)
    assert counts["looked_at"] > 0
    assert counts["unanswered"] == 0
    assert differences(stored(second, forum), forum, list(world.items.values())) == []
    assert seen <= stored(second, forum).keys()
    assert left_anywhere(home, forgotten) == []

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
