"""Renewal: what was removed from the store goes from reports, exports and freed space too."""

import errno
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from shlex import quote
from typing import Any

from sqlalchemy import Engine

from config.schema import Config
from config.settings import Settings
from coprod_nlp.reading.artefact import ArtefactError
from coprod_nlp.reading.base_model import BaseModelError
from flows.exports import cut_export
from flows.job import Job, RequestError, reopen_job
from flows.progress import listener
from flows.reports.files import FILES, PAGE
from flows.steps.link import link
from flows.steps.rank import rank
from flows.steps.read import read
from flows.steps.report import report
from models import right_queries, wiping, written_actions
from models.run import Run
from models.session import unit_of_work

WITHDRAWN = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Report withdrawn</title></head>
<body><h1>This report was withdrawn</h1>
<p>Messages that it showed are no longer there: their authors deleted them or objected, a moderator removed them, or their time was
over.</p>
<p>A new report comes with the next run: <code>coprod listen</code>.</p></body></html>
"""


@dataclass(frozen=True)
class Renewal:
    """How many reports were written anew or withdrawn, how many exports were cut or withdrawn, and whether freed space is wiped.

    `unreached` are lines on those that wait for the next renewal: path, why, and what to do. `given_up` are those said to be gone for good.
    """

    rewritten: int = 0
    withdrawn: int = 0
    exports_cut: int = 0
    exports_withdrawn: int = 0
    is_wiped: bool = True
    unreached: tuple[str, ...] = ()
    given_up: int = 0

    def as_counts(self) -> dict[str, int]:
        """What there is to tell: kinds of work that was done or is left."""
        return {
            "reports_rewritten": self.rewritten, "reports_withdrawn": self.withdrawn, "exports_cut": self.exports_cut,
            "exports_withdrawn": self.exports_withdrawn, "given_up": self.given_up, "not_reached": len(self.unreached),
            "space_not_wiped": int(not self.is_wiped),
        }  # fmt: skip


def renew(engine: Engine, *, settings: Settings, config: Config, by: str, gone: Collection[str] = ()) -> Renewal:
    """Deal with every report and export that may hold what is no longer in the store, and wipe what was freed.

    Reports are withdrawn first and written again after that: whatever fails on the way, no file shows what had to go. What is to be done is
    remembered in the store: cut short, the next call does the rest. What is not found or cannot be changed waits for it too.

    Parameters
    ----------
    gone
        Paths that need not be waited for: who asks knows that no file is left there.

    Raises
    ------
    RequestError
        Where nothing of such a path waits.
    """
    with engine.connect() as connection:
        reports, exports = right_queries.stale_reports(connection), right_queries.stale_exports(connection)
        current = right_queries.current_runs(connection)
    no_more = _as_registered(gone, {row.folder for row in reports} | {row.path for row in exports})
    failed = _withdraw_all(reports)
    reached = sorted((row for row in reports if row.folder not in failed), key=lambda row: row.run_id)
    rewritten: set[str] = set()
    for run_id, rows in groupby(reached, key=lambda row: row.run_id):
        if run_id in current:
            rewritten |= _rewrite(engine, run_id, list(rows), settings=settings, config=config)
    left = [row for row in reached if row.folder not in rewritten]
    failed |= _withdraw_all(left)  # again: a report that broke off may have left some files
    cut, uncut = _cut_all(engine, exports, by=by)
    failed |= uncut
    given_up = {path for path in no_more & failed.keys() if _is_missing(failed[path])}
    withdrawn = [row.folder for row in left if row.folder not in failed]
    with unit_of_work(engine) as session:
        for folder in [*withdrawn, *(row.folder for row in reports if row.folder in given_up)]:
            written_actions.forget_report(session, folder, by=by)
        for path in [row.path for row in exports if row.path in given_up]:
            written_actions.forget_export(session, path, by=by)
    unreached = tuple(_remedy(path, error) for path, error in sorted(failed.items()) if path not in given_up)
    is_wiped = wiping.wipe_freed_space(engine)
    return Renewal(len(rewritten), len(withdrawn), cut, len(exports) - cut - len(uncut), is_wiped, unreached, len(given_up))


def withdraw(folder: Path) -> None:
    """Remove a report's files, drafts too, and leave a page that says so. A file that stays does not keep the others.

    Raises
    ------
    OSError
        Where a file cannot be removed, or none is found: the folder may be on a drive that is away.
    """
    paths = [path for name in FILES for path in (folder / name, folder / f".{name}.part")]
    if not any(path.exists() for path in paths):
        raise FileNotFoundError(errno.ENOENT, "no report there")
    failure: OSError | None = None
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            failure = error
    if failure:
        raise failure
    (folder / PAGE).write_text(WITHDRAWN, encoding="utf-8")


def renew_after(job: Job) -> None:
    """After a run: older reports and exports that show what it found to be gone."""
    for line in renew(job.engine, settings=job.settings, config=job.config, by="run").unreached:
        listener().note(f"may show what was removed: {line}")


def work_anew(job: Job) -> None:
    """Read what changed, link and rank again: a lead is worth what is still there. Meanwhile the run shows what it had."""
    for step in (read, link, rank):
        step(job, again=True)


def _rewrite(engine: Engine, run_id: str, rows: list[Any], *, settings: Settings, config: Config) -> set[str]:
    """Folders of a run's reports that were written anew. Where that cannot be, they are withdrawn."""
    with unit_of_work(engine) as session:
        run = session.get_one(Run, run_id)
    listener().note(f"renew: {len(rows)} report(s) of run {run_id[:8]}")
    try:
        jobs = [reopen_job(run, engine=engine, settings=settings, config=config, out=row.folder) for row in rows]
        work_anew(jobs[0])
    except (RequestError, ArtefactError, BaseModelError, OSError):
        return set()
    written = set()
    for row, job in zip(rows, jobs, strict=True):
        with suppress(RequestError, OSError):
            report(job)
            written.add(row.folder)
    return written


def _withdraw_all(rows: Iterable[Any]) -> dict[str, OSError]:
    """Withdraw each report on its own; returns what kept those that could not be."""
    failed = {}
    for row in rows:
        try:
            withdraw(Path(row.folder))
        except OSError as error:
            failed[row.folder] = error
    return failed


def _cut_all(engine: Engine, exports: Iterable[Any], *, by: str) -> tuple[int, dict[str, OSError]]:
    """Cut each exported file on its own; returns how many were, and what kept those that could not be dealt with."""
    cut, failed = 0, {}
    for row in exports:
        try:
            cut += cut_export(engine, row, by=by)
        except OSError as error:
            failed[row.path] = error
    return cut, failed


def _as_registered(paths: Iterable[str], waiting: Collection[str]) -> set[str]:
    """Paths as the store has them: what is not there may have been reached through a link then."""
    found = set()
    for path in paths:
        forms = [form for form in (path, str(Path(path).resolve())) if form in waiting]
        if not forms:
            raise RequestError(f"--gone {path}: no report or exported file of this path waits; `coprod renew` says which do")
        found.update(forms)
    return found


def _is_missing(error: OSError) -> bool:
    return isinstance(error, FileNotFoundError | NotADirectoryError)


def _remedy(path: str, error: OSError) -> str:
    if _is_missing(error):
        return (
            f"{path}: not found; connect its drive and give `coprod renew`, or, if it is gone for good, `coprod renew --gone {quote(path)}`"
        )
    return f"{path}: cannot be changed ({error.strerror}); see to its permissions and the room on its disk, and give `coprod renew`"
