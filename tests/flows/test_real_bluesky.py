"""Our source against Bluesky's own servers on this machine: people write, reply, edit, delete and leave; moderators hide and take down."""

from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path

import psutil
import pytest

from config.schema import Community
from config.settings import Settings
from flows.sources.base import Problems
from flows.sources.live import Cursor, LiveSource, SourceSkippedError, Target
from flows.sources.table import open_live
from flows.sources.wire import host_pace
from models.base import utc_now
from models.provenance import Poll
from tests.fakes.kept import differences, left_anywhere, polled, reconciled, rows, stored, upset
from tests.fakes.live import AUTHOR_KEY, SimulatedClock, write_config
from tests.fakes.reddit_world import EVERY_S, World
from tests.servers import bluesky_network
from tests.servers.bluesky_network import Account, BlueskyNetwork
from tests.servers.real_bluesky import RealBluesky

KINDS = [pytest.param("lists", id="list"), pytest.param("feed", id="feed")]
NAMES = (f"marlowick{number}" for number in count())
SETTINGS = Settings(contact="listening@marlowick.example", author_key=AUTHOR_KEY)
Leaving = Callable[[BlueskyNetwork, Account], None]

pytestmark = pytest.mark.skipif(bool(bluesky_network.missing()), reason=bluesky_network.missing())


@pytest.fixture(scope="module")
def network(guard_record: Path) -> Iterator[BlueskyNetwork]:
    with bluesky_network.running() as network:
        host_pace(network.view, allowed_a_minute=60, clock=SimulatedClock())
        yield network


@pytest.fixture
def world() -> World:
    return World(began=int(utc_now().timestamp()) - EVERY_S * 2_000)


@pytest.fixture
def source(network: BlueskyNetwork) -> Iterator[LiveSource]:
    source = open_live("bluesky", settings=SETTINGS)
    yield source
    source.close()


def target(forum: RealBluesky, url: str = "") -> Target:
    name = forum.name
    return Target(Community(platform="bluesky", name=name, title=name, council="marlowick", category="place", url=url or forum.url(name)))


def configured(forum: RealBluesky, tmp_path: Path) -> Path:
    write_config(tmp_path / "config", forum.name, platform=forum.platform, url=forum.url)
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_three_polls_of_a_changing_network_lose_nothing_store_nothing_twice_and_keep_nothing_that_is_gone(
    kind: str, network: BlueskyNetwork, world: World, tmp_path: Path
) -> None:
    forum = RealBluesky(network, world, name=next(NAMES), members=4, kind=kind)
    home = configured(forum, tmp_path)
    world.grow(forum.name, submissions=20, comments=190)
    forum.catch_up()
    first = polled(home, forum)
    assert differences(stored(first, forum), forum, list(world.items.values())) == []
    seen = stored(first, forum).keys()
    assert len(seen) == len(world.items) == 210

    gone, forgotten = upset(forum, {"deleted": 8, "removed": 6, "filtered": 4, "lost": 2}, edited=8)
    world.grow(forum.name, submissions=5, comments=30)
    forum.catch_up()
    second = polled(home, forum)
    counts = reconciled(second, forum)
    assert counts["looked_at"] > 0
    assert counts["unanswered"] == 0
    assert differences(stored(second, forum), forum, list(world.items.values())) == []
    assert seen <= stored(second, forum).keys()
    assert left_anywhere(home, forgotten) == []

    for item in [*gone["removed"][:3], *gone["filtered"]]:
        item.state = "visible" if item.state in {"removed", "filtered"} else item.state
    world.grow(forum.name, submissions=5, comments=30)
    forum.catch_up()
    third = polled(home, forum)
    reconciled(third, forum)
    assert len(world.items) == 280
    assert stored(third, forum).keys() <= {forum.fullname(item) for item in world.items.values()}
    assert differences(stored(third, forum), forum, list(world.items.values())) == []
    assert [poll.outcome for poll in rows(third, Poll)] == ["finished"] * 3


LEAVING: list[object] = [
    pytest.param(lambda _network, account: account.say_of_oneself("!no-unauthenticated"), id="not for readers without an account"),
    pytest.param(lambda _network, account: account.deactivate(), id="left"),
    pytest.param(lambda network, account: network.take_down(whole(account)), id="taken down"),
    pytest.param(lambda network, account: network.label(whole(account), put=["!hide"]), id="hidden by moderators"),
]


def whole(account: Account) -> dict[str, str]:
    """An account, as moderators name it."""
    return {"$type": "com.atproto.admin.defs#repoRef", "did": account.did}


@pytest.mark.parametrize("leaves", LEAVING)
def test_who_does_not_want_to_be_read_or_may_not_be_is_not_collected_and_what_was_collected_before_goes(
    leaves: Leaving, network: BlueskyNetwork, world: World, tmp_path: Path
) -> None:
    forum = RealBluesky(network, world, name=next(NAMES), members=3)
    home = configured(forum, tmp_path)
    world.grow(forum.name, submissions=6, comments=18)
    forum.catch_up()
    first = polled(home, forum)
    assert differences(stored(first, forum), forum, list(world.items.values())) == []
    leaver = forum.author(next(iter(world.items.values())))
    leaves(network, leaver)
    world.grow(forum.name, submissions=0, comments=0)
    forum.catch_up()
    second = polled(home, forum)
    reconciled(second, forum)
    for item in world.items.values():
        item.state = "lost" if forum.author(item) is leaver else item.state
    assert {item.state for item in world.items.values()} == {"visible", "lost"}
    assert differences(stored(second, forum), forum, list(world.items.values())) == []
    assert left_anywhere(home, [item.body for item in world.items.values() if item.state == "lost"]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_walk_that_breaks_off_is_gone_on_with_and_nothing_is_lost(
    kind: str, network: BlueskyNetwork, world: World, source: LiveSource
) -> None:
    forum = RealBluesky(network, world, name=next(NAMES), members=2, kind=kind)
    world.grow(forum.name, submissions=10, comments=150)
    forum.catch_up()
    cursor = Cursor()
    got = list(islice(source.posts(target(forum), cursor, Problems()), 120))
    got += source.posts(target(forum), cursor, Problems())
    assert {post.fullname for post in got} == {forum.fullname(item) for item in world.items.values()}


def test_a_feed_whose_newest_page_is_all_gone_is_read_on(network: BlueskyNetwork, world: World, source: LiveSource) -> None:
    forum = RealBluesky(network, world, name=next(NAMES), members=2, kind="feed")
    world.grow(forum.name, submissions=10, comments=130)
    forum.catch_up()
    for item in list(world.items.values())[-110:]:
        item.state = "deleted"
    forum.catch_up()
    shown = {forum.fullname(item) for item in world.items.values() if item.state == "visible"}
    assert {post.fullname for post in source.posts(target(forum), Cursor(), Problems())} == shown


@pytest.mark.parametrize("kind", KINDS)
def test_a_feed_or_list_that_is_not_there_is_left_out_with_its_kind(
    kind: str, network: BlueskyNetwork, world: World, source: LiveSource
) -> None:
    forum = RealBluesky(network, world, name=next(NAMES), members=1, kind=kind)
    forum.catch_up()
    with pytest.raises(SourceSkippedError) as skipped:
        list(source.posts(target(forum, forum.url("nowhere")), Cursor(), Problems()))
    assert skipped.value.kind == "missing_community"


def test_who_owns_a_list_may_not_be_there(network: BlueskyNetwork, world: World, source: LiveSource) -> None:
    forum = RealBluesky(network, world, name=next(NAMES), members=1)
    with pytest.raises(SourceSkippedError) as skipped:
        list(source.posts(target(forum, f"http://{network.view}/profile/nobody.test/lists/{forum.name}"), Cursor(), Problems()))
    assert skipped.value.kind == "missing_community"


def test_the_servers_listen_on_this_machine_only(network: BlueskyNetwork) -> None:
    listening = [at.laddr.ip for at in psutil.Process(network.process.pid).net_connections("inet") if at.status == psutil.CONN_LISTEN]
    assert set(listening) == {"127.0.0.1"}
