"""Storing what a live source gives: little is lost by a sudden end, and memory does not grow."""

import gc
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from sqlalchemy import func, select

from flows.job import Job
from flows.sources.base import CollectedPost, Problems, SourceUnavailableError
from flows.sources.live import Cursor, Target
from flows.sources.permission import permit
from flows.steps.poll import REQUESTS_A_BATCH, gather
from models.base import utc_now
from models.cursor import SourceCursor
from models.post import Post
from models.provenance import Poll
from tests.fakes.live import live_job, live_settings, write_config
from tests.fakes.told_source import ToldSource, told_post

A_REQUEST = 60
OURS = [tracemalloc.Filter(True, f"*/{folder}/*") for folder in ("flows", "models", "config", "sqlalchemy", "sqlite3")]


class Numbered(ToldSource):
    """Gives so many posts a request, says in its cursor how many, and ends suddenly after `ends_after`. Notes what is in use."""

    def __init__(self, *, ends_after: int, noted_at: tuple[int, ...] = ()) -> None:
        super().__init__()
        self._ends_after, self._noted_at = ends_after, noted_at
        self.in_use: list[int] = []

    def posts(self, target: Target, cursor: Cursor, problems: Problems) -> Iterator[CollectedPost]:
        for number in range(self._ends_after):
            if number % A_REQUEST == 0:
                self.pace.wait()
            if number in self._noted_at:
                gc.collect()
                self.in_use.append(sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(OURS).traces))
            yield told_post(f"t1_c{number}x", f"{'Somebody asked for a bench. ' * 20}{number}", author=f"Resident_{number % 300}")
            cursor.state = {"given": number + 1}
        raise KeyboardInterrupt


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    write_config(tmp_path / "config", "marlowick")
    job = live_job(live_settings(tmp_path, tmp_path / "config", "http://127.0.0.1:1"))
    yield job
    job.engine.dispose()


def cut_short(job: Job, source: Numbered) -> None:
    permission = permit(job.config, platform="reddit", council=job.request.council, campaign=None, today=utc_now().date())
    with pytest.raises(KeyboardInterrupt):
        gather(job, permission, source, Problems(), Counter())


def test_a_sudden_end_costs_what_a_few_requests_gave_and_the_cursor_agrees_with_what_is_stored(job: Job) -> None:
    given = 18 * A_REQUEST
    cut_short(job, Numbered(ends_after=given))
    with job.engine.connect() as connection:
        stored = connection.scalar(select(func.count()).select_from(Post))
        (state,) = connection.scalars(select(SourceCursor.__table__.c.state))  # type: ignore[attr-defined]
    assert stored
    assert given - REQUESTS_A_BATCH * A_REQUEST <= stored < given
    # A cursor speaks only of posts that were given before the last one.
    assert state["given"] in {stored - 1, stored}


class Failing(ToldSource):
    """Gives one post of each community, and then fails in those that are named."""

    def __init__(self, *failing: str) -> None:
        super().__init__()
        self._failing = failing

    def posts(self, target: Target, cursor: Cursor, problems: Problems) -> Iterator[CollectedPost]:
        name = target.community.name
        yield told_post(f"t1_c{name}x", "Somebody asked for a bench.", community=name)
        if name in self._failing:
            raise SourceUnavailableError(f"{name} is out of reach")


TOWNS = ("one", "two", "three", "four")
PLATFORM_FAILURES = [
    pytest.param(("one", "three"), TOWNS, False, id="one now and then: no reason to stop"),
    pytest.param(("two", "three"), TOWNS[:3], True, id="two in a row: the platform is out of reach"),
    pytest.param(("three", "four"), TOWNS, True, id="the last two"),
]


@pytest.mark.parametrize(("failing", "asked", "is_stopped"), PLATFORM_FAILURES)
def test_a_poll_stops_after_two_communities_in_a_row_that_fail_and_keeps_what_came_of_each(
    failing: tuple[str, ...], asked: tuple[str, ...], is_stopped: bool, tmp_path: Path
) -> None:
    write_config(tmp_path / "config", *TOWNS)
    job = live_job(live_settings(tmp_path, tmp_path / "config", "http://127.0.0.1:1"))
    permission = permit(job.config, platform="reddit", council=job.request.council, campaign=None, today=utc_now().date())
    assert [target.community.name for target in permission.targets] == list(TOWNS)
    problems = Problems()
    with pytest.raises(SourceUnavailableError, match=f"{asked[-1]} is out of reach") if is_stopped else nullcontext():
        gather(job, permission, Failing(*failing), problems, Counter())
    with job.engine.connect() as connection:
        stored = set(connection.scalars(select(Post.__table__.c.community_id)))  # type: ignore[attr-defined]
        polls = {poll.community_id: poll.outcome for poll in connection.execute(select(Poll.__table__))}  # type: ignore[attr-defined]
    assert stored == {f"reddit:{name}" for name in asked}
    assert polls == {f"reddit:{name}": "unavailable" if name in failing else "finished" for name in asked}
    told = {place for kind, place in problems.counts if kind == "unavailable_community"}
    assert told == {f"reddit:{name}" for name in failing} - ({f"reddit:{asked[-1]}"} if is_stopped else set())
    job.engine.dispose()


def test_memory_does_not_grow_with_what_is_gathered(job: Job) -> None:
    batch = REQUESTS_A_BATCH * A_REQUEST
    source = Numbered(ends_after=12 * batch, noted_at=(3 * batch + 50, 11 * batch + 50))
    tracemalloc.start()
    try:
        cut_short(job, source)
    finally:
        tracemalloc.stop()
    early, late = source.in_use
    # Their ids alone would be twice as much.
    assert late - early < 8 * batch * 40
