"""The whole job: the same twice, the same after a kill, honest about what it cannot do."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from config.settings import Settings
from coprod_nlp.vocabulary import RunStatus
from flows.job import Job, RequestError, worked_on
from models.base import tables, utc_now
from tests.conftest import JobMaker

DRIVER = Path(__file__).parent.parent / "fakes" / "killed_run.py"


def rows_of(job: Job, *, without: frozenset[str] = frozenset({"run", "run_problem", "audit_entry"})) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table but those that record executions."""
    found = {}
    with job.engine.connect() as connection:
        for table in tables():
            name = str(table.__tablename__)
            if name not in without:
                columns = ", ".join(c.name for c in table.__table__.columns if c.name != "fetched_at")  # type: ignore[attr-defined]
                found[name] = sorted(map(tuple, connection.execute(text(f"SELECT {columns} FROM {name}"))), key=repr)
    return found


def _drive(home: Path, *, die_at: str | None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DIE_AT": die_at or ""}
    return subprocess.run(
        [sys.executable, str(DRIVER), str(home)], env=environment, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a run prints of its leads when nothing disturbs it."""
    done = _drive(tmp_path_factory.mktemp("undisturbed"), die_at=None)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 3
    return done.stdout


def test_a_run_that_is_at_work_is_not_taken_up_by_a_second_one_and_goes_on_when_that_has_ended(make_job: JobMaker, on: Settings) -> None:
    job = make_job(settings=on)
    with worked_on(job):
        again = make_job(settings=on)
        assert again.run_id == job.run_id
        with pytest.raises(RequestError, match=f"run {job.run_id[:8]} of the same request is at work already"), worked_on(again):
            pytest.fail("two work on one run")
    with worked_on(again):
        again.update(status=RunStatus.FINISHED, finished_at=utc_now())
    with pytest.raises(RequestError, match="at work already"), worked_on(job):
        pytest.fail("a run that has ended")
    assert not list(on.home.glob("*.lock"))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
@pytest.mark.parametrize("moment", ["collect:1", "read:2", "link:3", "rank:1", "report:0"])
def test_a_killed_run_started_again_ends_with_the_same_leads(moment: str, undisturbed: str, tmp_path: Path) -> None:
    killed = _drive(tmp_path, die_at=moment)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    again = _drive(tmp_path, die_at=None)
    assert again.returncode == 0, again.stderr
    assert again.stdout == undisturbed
