"""Deletion sync and retention as Prefect flows, for a schedule. `coprod reconcile` and `coprod expire` do the same work without Prefect."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect import flow
from sqlalchemy import Engine

from config.load import load_config
from config.schema import Config
from config.settings import Settings, load_settings
from flows.acting import acting
from flows.reconciliation import NEXT_RUN_HOURS, reconcile_all
from flows.retention import expire_all
from flows.tasks import stage_task
from models.session import open_engine


@flow(name="reconcile", validate_parameters=False, persist_result=False)
def reconcile(platform: str | None = None, within_hours: float = NEXT_RUN_HOURS) -> dict[str, int]:
    """Look again, at their source, at the posts that are due; remove what is gone there, and write reports anew. Counts only."""
    counts: dict[str, int] = _reconcile_task(platform, within_hours)
    return counts


@flow(name="expire", validate_parameters=False, persist_result=False)
def expire() -> dict[str, int]:
    """Remove what has outlived its retention, and write reports anew. Counts only."""
    counts: dict[str, int] = _expire_task()
    return counts


@stage_task
def _reconcile_task(platform: str | None, within_hours: float) -> dict[str, int]:
    with _opened() as (engine, settings, config):
        return reconcile_all(engine, settings=settings, config=config, by=acting(), platform=platform, within_hours=within_hours)


@stage_task
def _expire_task() -> dict[str, int]:
    with _opened() as (engine, settings, config):
        return expire_all(engine, settings=settings, config=config, by=acting())


@contextmanager
def _opened() -> Iterator[tuple[Engine, Settings, Config]]:
    settings = load_settings()
    engine = open_engine(settings.address())
    try:
        yield engine, settings, load_config(settings.config_dir)
    finally:
        engine.dispose()
