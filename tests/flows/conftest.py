"""A made-up Reddit on this machine."""

from collections.abc import Iterator

import pytest

from tests.fakes.reddit import FakeReddit
from tests.fakes.reddit_world import World


@pytest.fixture
def world() -> World:
    """What the servers of a test show; empty at first."""
    return World()


@pytest.fixture
def reddit(world: World) -> Iterator[FakeReddit]:
    with FakeReddit(world) as server:
        yield server
