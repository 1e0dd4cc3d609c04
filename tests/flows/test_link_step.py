"""Who is spoken to in a message, on platforms where an account is a name and a server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import author_key
from coprod_nlp.vocabulary import InteractionKind
from flows.sources.wire import host_pace
from flows.steps.link import link
from models.base import utc_now
from models.interaction import Interaction
from tests.fakes.discourse import FakeDiscourse
from tests.fakes.kept import key_of, polled, rows
from tests.fakes.lemmy import FakeLemmy
from tests.fakes.live import AUTHOR_KEY, SimulatedClock, write_config
from tests.fakes.mastodon import FakeMastodon
from tests.fakes.reddit_world import EVERY_S, World
from tests.fakes.server import FakeServer
from tests.fakes.traces import traces

NAME = "marlowick"
FORUMS = [pytest.param(forum, id=forum.platform) for forum in (FakeDiscourse, FakeMastodon, FakeLemmy)]


@pytest.fixture
def forum(request: pytest.FixtureRequest) -> Iterator[FakeServer]:
    with request.param(World(began=int(utc_now().timestamp()) - EVERY_S * 2_000)) as server:
        host_pace(server.host, allowed_a_minute=60, clock=SimulatedClock())
        yield server


@pytest.mark.parametrize("forum", FORUMS, indirect=True)
def test_a_name_in_a_message_is_the_account_of_that_name_on_the_server_that_shows_it(forum: FakeServer, tmp_path: Path) -> None:
    world = forum.world
    kate = world.submit(NAME)
    kate.author = "canal_kate"
    first = world.answer(kate, body="Thanks @canal_kate and @nobody_here, I can bring spades")
    elsewhere = world.answer(kate, body="Thanks @canal_kate@elsewhere.example, I can bring gloves")
    assert len({item.author for item in (kate, first, elsewhere)}) == 3
    write_config(tmp_path / "config", NAME, platform=forum.platform, url=forum.url)
    job = polled(tmp_path, forum)
    link(job)
    mentions = [row for row in rows(job, Interaction) if row.kind == InteractionKind.MENTION]
    assert [(row.anchor_id, row.source_key, row.target_key) for row in mentions] == [
        (f"{forum.platform}:{forum.fullname(first)}", key_of(forum, first), key_of(forum, kate))
    ]
    # A name stands in no column but where somebody wrote it.
    assert traces("canal_kate", engine=job.engine) - {"post.permalink"} == {"post.body"}


@pytest.mark.parametrize("forum", [pytest.param(FakeMastodon, id="mastodon")], indirect=True)
def test_a_name_with_its_server_is_the_account_there(forum: FakeServer, tmp_path: Path) -> None:
    world = forum.world
    kate = world.submit(NAME)
    kate.author = "canal_kate@elsewhere.example"
    first = world.answer(kate, body="Thanks @canal_kate@elsewhere.example, I can bring spades")
    write_config(tmp_path / "config", NAME, platform=forum.platform, url=forum.url)
    job = polled(tmp_path, forum)
    link(job)
    target = author_key((AUTHOR_KEY.encode(),), platform=forum.platform, author_id="canal_kate@elsewhere.example")
    mentions = [row for row in rows(job, Interaction) if row.kind == InteractionKind.MENTION]
    assert [(row.source_key, row.target_key) for row in mentions] == [(key_of(forum, first), target)]
