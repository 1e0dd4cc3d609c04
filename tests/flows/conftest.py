"""What tests of flows share: each kind of database, and a made-up Reddit on this machine."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

import flows.__main__ as command_line
from config.settings import Settings
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


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Coprod = Callable[..., Outcome]


@pytest.fixture
def coprod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Coprod:
    """Runs a command in this process, with its home in tmp_path/home; a traceback fails the test."""
    for name, value in {"COLUMNS": "200", "PREFECT_API_URL": NOWHERE, "COPROD_HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: object, **environment: object) -> Outcome:
        for name, value in environment.items():
            monkeypatch.setenv(f"COPROD_{name}", str(value))
        result = CliRunner().invoke(command_line.app, [str(argument) for argument in arguments])
        assert isinstance(result.exception, SystemExit | None), f"a traceback: {result.exception!r}"
        assert "Traceback" not in result.output
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return run
