"""What tests of flows share: each kind of database, and a made-up Reddit on this machine."""

from collections.abc import Iterator

import pytest

from config.settings import Settings
from tests.fakes.reddit import FakeReddit
from tests.fakes.reddit_world import World


@pytest.fixture
def on(address: str, settings: Settings) -> Settings:
    """Settings with each kind of database. SQLite's file is in the home, as it is for everybody: a search of the home looks into it."""
    url = None if address.startswith("sqlite") else address
    return Settings(home=settings.home, author_key=settings.author_key, workers=1, database_url=url)


@pytest.fixture
def world() -> World:
    """What the servers of a test show; empty at first."""
    return World()


@pytest.fixture
def reddit(world: World) -> Iterator[FakeReddit]:
    with FakeReddit(world) as server:
        yield server
