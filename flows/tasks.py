"""Stages as Prefect tasks: one run for thousands of posts."""

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy.exc import OperationalError

from flows.sources.base import SourceUnavailableError


def stage_task(function: Any) -> Any:
    """A stage as a task. What it was given and gives back stays in this process."""
    return task(function, cache_policy=NO_CACHE, persist_result=False, retries=2, retry_delay_seconds=[5, 30], retry_condition_fn=_may_pass)


def _may_pass(_task: Any, _run: Any, state: Any) -> bool:
    """Trying again helps where a source or the database was out of reach, and nowhere else."""
    return isinstance(state.result(raise_on_failure=False), SourceUnavailableError | OperationalError)
