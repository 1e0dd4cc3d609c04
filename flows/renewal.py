"""Renewal: what was removed from the store goes from reports, exports and freed space too."""

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
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
    """How many reports were written anew or withdrawn, how many exports were cut or withdrawn, and whether freed space is wiped."""

    rewritten: int = 0
    withdrawn: int = 0
    exports_cut: int = 0
    exports_withdrawn: int = 0
    is_wiped: bool = True

    def as_counts(self) -> dict[str, int]:
        """What there is to tell: kinds of work that was done or is left."""
        return {
            "reports_rewritten": self.rewritten, "reports_withdrawn": self.withdrawn, "exports_cut": self.exports_cut,
            "exports_withdrawn": self.exports_withdrawn, "space_not_wiped": int(not self.is_wiped),
        }  # fmt: skip


def renew(engine: Engine, *, settings: Settings, config: Config, by: str) -> Renewal:
    """Deal with every report and export that may hold what is no longer in the store, and wipe what was freed.

    Reports are withdrawn first and written again after that: whatever fails on the way, no file shows what had to go. What is to be done is
    remembered in the store: cut short, the next call does the rest.
    """
    with engine.connect() as connection:
        reports, exports = right_queries.stale_reports(connection), right_queries.stale_exports(connection)
        current = right_queries.current_runs(connection)
    present = [row for row in reports if _is_there(row)]
    for row in reports:
        withdraw(row, is_said=row in present)
    rewritten: set[str] = set()
    for run_id, rows in groupby(sorted(present, key=lambda row: row.run_id), key=lambda row: row.run_id):
        folders = list(rows)
        if run_id in current and _rewrite(engine, run_id, folders, settings=settings, config=config):
            rewritten |= {row.folder for row in folders}
    left = [row.folder for row in reports if row.folder not in rewritten]
    for folder in left:
        with unit_of_work(engine) as session:
            written_actions.forget_report(session, folder, by=by)
    cut = sum([cut_export(engine, row, by=by) for row in exports])
    return Renewal(len(rewritten), len(left), cut, len(exports) - cut, wiping.wipe_freed_space(engine))


def withdraw(row: Any, *, is_said: bool = True) -> None:
    """Remove a report's files, drafts too, and leave a page that says so."""
    folder = Path(row.folder)
    for name in FILES:
        for path in (folder / name, folder / f".{name}.part"):
            path.unlink(missing_ok=True)
    if is_said:
        (folder / PAGE).write_text(WITHDRAWN, encoding="utf-8")


def renew_after(job: Job) -> None:
    """After a run: older reports and exports that show what it found to be gone."""
    renew(job.engine, settings=job.settings, config=job.config, by="run")


def work_anew(job: Job) -> None:
    """Read what changed, link and rank again: a lead is worth what is still there. Meanwhile the run shows what it had."""
    for step in (read, link, rank):
        step(job, again=True)


def _rewrite(engine: Engine, run_id: str, rows: list[Any], *, settings: Settings, config: Config) -> bool:
    """Whether the reports of a run were written anew. Where that cannot be, they are withdrawn."""
    with unit_of_work(engine) as session:
        run = session.get_one(Run, run_id)
    listener().note(f"renew: {len(rows)} report(s) of run {run_id[:8]}")
    try:
        jobs = [reopen_job(run, engine=engine, settings=settings, config=config, out=row.folder) for row in rows]
        work_anew(jobs[0])
        for job in jobs:
            report(job)
    except (RequestError, ArtefactError, BaseModelError, OSError):
        return False
    return True


def _is_there(row: Any) -> bool:
    """A report that somebody deleted is not made again."""
    return any((Path(row.folder) / name).exists() for name in FILES)
