"""What tests of flows share: each kind of database, and a made-up Reddit on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import Settings
from tests.fakes.commands import Coprod, Outcome, typed
from tests.fakes.reddit import FakeReddit
from tests.fakes.reddit_world import World

# Where no server answers: a flow that should not start would end here in seconds.
NOWHERE = "http://127.0.0.1:1/api"


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


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands that are typed keep what they store."""
    monkeypatch.setenv("COPROD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "home"


@pytest.fixture
def coprod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Coprod:
    """Runs a command in this process, with its home in tmp_path/home; a traceback fails the test."""
    for name, value in {"COLUMNS": "200", "PREFECT_API_URL": NOWHERE, "COPROD_HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: object, **environment: object) -> Outcome:
        for name, value in environment.items():
            monkeypatch.setenv(f"COPROD_{name}", str(value))
        return typed(*arguments)

    return run
