"""One run of the main job: what it was asked, what it works with, and how far it is."""

import hashlib
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine

from config.load import load_config
from config.schema import Config, Council
from config.settings import PROJECT_DIR, Settings, load_settings
from coprod_nlp.vocabulary import RunStage, RunStatus
from flows.classifiers import champion_version, directory_of, is_there
from flows.sources.archive import ArchiveSource
from flows.sources.table import LIVE, SAMPLE, is_live, open_source, takes_columns
from models.base import utc_now
from models.queries import Scope, unfinished_run
from models.run import Run
from models.session import LockedError, held_lock, open_engine, take_turn, unit_of_work

VERSIONED = ("coprod", "spacy", "scikit-learn", "graspologic-native", "lingua-language-detector", "sqlmodel", "prefect")

COLUMNS_UNUSED = "--columns is for CSV and Excel files; leave it out"


class RequestError(Exception):
    """What was asked cannot be done; the message says what to ask instead."""


@dataclass(frozen=True)
class Request:
    """What a run is asked to do; plain values, so that a schedule can store them."""

    council: str
    sources: tuple[str, ...]
    columns: tuple[tuple[str, str], ...] = ()
    since: str | None = None
    until: str | None = None
    campaign: str | None = None

    def period(self) -> tuple[datetime | None, datetime | None]:
        since, until = _moment("--since", self.since), _moment("--until", self.until)
        if since and until and until <= since:
            raise RequestError(f"--until {self.until} is not after --since {self.since}")
        return since, until


@dataclass(frozen=True)
class Job:
    """A run under way."""

    settings: Settings
    config: Config
    engine: Engine
    request: Request
    run_id: str
    out: Path

    @property
    def council(self) -> Council:
        return self.config.councils[self.request.council]

    def run(self) -> Run:
        with unit_of_work(self.engine) as session:
            return session.get_one(Run, self.run_id)

    def reading_directory(self) -> Path:
        """The folder of the classifier that the run began with, whoever is champion by now."""
        return directory_of(self.settings, self.run().versions["reading"])

    def scope(self) -> Scope:
        """The posts this run speaks of; known once its communities are."""
        since, until = self.request.period()
        return Scope(self.request.council, tuple(sorted(self.run().communities)), since, until)

    def scope_id(self) -> str:
        scope = self.scope()
        text = "\n".join([scope.council, *scope.communities, str(self.request.since), str(self.request.until)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def update(self, **fields: Any) -> None:
        """Set columns of the run record; `counts` and `seconds` are added to, not replaced."""
        with unit_of_work(self.engine) as session:
            run = session.get_one(Run, self.run_id)
            for name, value in fields.items():
                setattr(run, name, {**getattr(run, name), **value} if name in {"counts", "seconds"} else value)

    @contextmanager
    def stage(self, stage: RunStage) -> Iterator[None]:
        """Time a stage, and record it as done when it comes to its end."""
        started = monotonic()
        yield
        with unit_of_work(self.engine) as session:
            run = session.get_one(Run, self.run_id)
            run.seconds = {**run.seconds, stage.value: round(monotonic() - started, 3)}
            run.done = [*run.done, stage.value] if stage.value not in run.done else run.done

    def is_done(self, stage: RunStage) -> bool:
        return stage.value in self.run().done


def make_request(
    config: Config,
    *,
    council: str | None,
    sources: list[str] | None,
    columns: dict[str, str] | None,
    since: str | None,
    until: str | None,
    campaign: str | None = None,
) -> Request:
    """A request with its defaults filled in and its values checked.

    Raises
    ------
    RequestError
        Where the council is not known or the period makes no sense.
    """
    council = known_council(config, council)
    if campaign and not any(map(is_live, sources or ())):
        raise RequestError(f"--campaign {campaign}: only live sources need one; leave it out, or give --source {' or '.join(LIVE)}")
    if columns and not takes_columns(sources or [SAMPLE]):
        raise RequestError(COLUMNS_UNUSED)
    request = Request(council, tuple(sources or [SAMPLE]), tuple(sorted((columns or {}).items())), since, until, campaign)
    request.period()
    return request


def known_council(config: Config, council: str | None) -> str:
    """A council's key, or that of the only one, or a RequestError with the ones there are."""
    if council is None and len(config.councils) > 1:
        raise RequestError(f"--council is needed: there are several ({', '.join(sorted(config.councils))})")
    council = next(iter(config.councils)) if council is None else council
    if council not in config.councils:
        raise RequestError(f"--council {council}: not in councils.toml; known: {', '.join(sorted(config.councils))}")
    return council


def open_job(request: Request, *, out: str | None, settings: Settings | None = None) -> Job:
    """Open the store and take up the unfinished run of this request, or begin a new one."""
    settings = settings or load_settings()
    config = load_config(settings.config_dir)
    engine = open_engine(settings.address())
    asked = _as_stored(request)
    with unit_of_work(engine) as session:
        take_turn(session.connection())  # two that start at once find the same run
        run = unfinished_run(session, council=request.council, request=asked, config_digest=config.digest)
        if run is None or not _can_go_on(run, settings):
            run = Run(
                run_id=uuid4().hex, council=request.council, request=asked, status=RunStatus.RUNNING, started_at=utc_now(),
                versions=_versions(reading=champion_version(session)), config_digest=config.digest,
            )  # fmt: skip
            directory_of(settings, run.versions["reading"])
            session.add(run)
        run_id = run.run_id
    return Job(settings, config, engine, request, run_id, Path(out) if out else default_out(request.council))


@contextmanager
def worked_on(job: Job) -> Iterator[None]:
    """Work on a run as the only one: what two store of one run would overwrite each other.

    Raises
    ------
    RequestError
        Where another process works on it, or has just come to its end.
    """
    busy = RequestError(
        f"run {job.run_id[:8]} of the same request is at work already; give the same command again when it has ended, or end its process: "
        "then the same command goes on from there"
    )
    try:
        with held_lock(job.engine, int(job.run_id[:15], 16), folder=job.settings.home):
            if job.run().status != RunStatus.RUNNING:
                raise busy
            yield
    except LockedError:
        raise busy from None


def reopen_job(run: Run, *, engine: Engine, settings: Settings, config: Config, out: str | None) -> Job:
    """A job for a run that has been made before, to do one of its stages again."""
    known_council(config, run.council)
    asked = run.request
    sources = tuple(source["name"] for source in asked["sources"])
    request = Request(run.council, sources, tuple(map(tuple, asked["columns"])), asked["since"], asked["until"], asked.get("campaign"))
    return Job(settings, config, engine, request, run.run_id, Path(out) if out else default_out(run.council))


def default_out(council: str) -> Path:
    return PROJECT_DIR / "reports" / council


def _as_stored(request: Request) -> dict[str, Any]:
    """The request as the run record keeps it: a file that changed makes another request, and so another run."""
    return {
        "sources": [{"name": name, "files": _fingerprint(name, dict(request.columns))} for name in request.sources],
        "columns": [list(pair) for pair in request.columns],
        "since": request.since,
        "until": request.until,
        "campaign": request.campaign,
    }


def _fingerprint(name: str, columns: dict[str, str]) -> str:
    if is_live(name):
        return ""
    source = open_source(name, columns=columns)
    if not isinstance(source, ArchiveSource):
        return ""
    facts = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in source.paths]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def _can_go_on(run: Run, settings: Settings) -> bool:
    """A run keeps the classifier it began with; it goes on where that is still there and nothing else has changed."""
    reading = run.versions.get("reading", "")
    return run.versions == _versions(reading=reading) and is_there(settings, reading)


def _versions(*, reading: str) -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "reading": reading,
        **{name: version(name) for name in VERSIONED},
    }


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RequestError(f"{option} {text}: not a date; write it as 2026-04-01") from None
