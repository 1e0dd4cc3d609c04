"""The main job: collect, read, link, rank, report. Prefect runs it on a schedule; `coprod listen` starts the same flow."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.artifacts import create_table_artifact

from config.load import load_config
from config.settings import load_settings
from coprod_nlp.vocabulary import RunStage, RunStatus
from flows.job import Job, make_request, open_job, worked_on
from flows.renewal import renew_after
from flows.steps.collect import collect
from flows.steps.link import link
from flows.steps.rank import rank
from flows.steps.read import read
from flows.steps.report import report
from flows.tasks import stage_task
from models.base import utc_now


@dataclass(frozen=True)
class Summary:
    """What a run came to: counts and where its report is; never text."""

    run_id: str
    page: Path
    counts: dict[str, Any]
    seconds: dict[str, float]
    problems: dict[str, int]


collect_task, read_task, link_task, rank_task, report_task, renew_task = map(stage_task, (collect, read, link, rank, report, renew_after))


@flow(name="listen", validate_parameters=False, persist_result=False)
def listen(
    council: str | None = None,
    sources: list[str] | None = None,
    since: str | None = None,
    until: str | None = None,
    out: str | None = None,
    columns: dict[str, str] | None = None,
    campaign: str | None = None,
) -> Summary:
    """Gather posts, read them, link who answers whom, rank candidate networks and leave a report.

    Started again after it was killed, with the same arguments, it goes on where it stopped and ends the same. Started again while it is
    at work, it says so and ends.
    """
    # 1. What is asked, and the run record: a new one, or the one of this request that never came to its end.
    settings = load_settings()
    request = make_request(
        load_config(settings.config_dir),
        council=council, sources=sources, columns=columns, since=since, until=until, campaign=campaign,
    )  # fmt: skip
    job = open_job(request, out=out, settings=settings)
    with worked_on(job):
        try:
            # 2. Posts into the store, once each, under author keys.
            collect_task(job)
            # 3. What each says: language, policy areas, signals and their evidence.
            read_task(job)
            # 4. Who answers whom, and who shares a thread.
            link_task(job)
            # 5. Networks, and the leads they make.
            rank_task(job)
            # 6. The report and its exports.
            page = report_task(job)
            # 7. What was found to be gone leaves older reports and exports too.
            renew_task(job)
        except Exception as error:
            _fail(job, error)
            raise
        return _finish(job, page)


def _fail(job: Job, error: Exception) -> None:
    """Keep what kind of failure it was, not its words: they could quote a post."""
    job.update(status=RunStatus.FAILED, finished_at=utc_now(), failure=type(error).__name__)


def _finish(job: Job, page: Path) -> Summary:
    run = job.run()
    job.update(status=RunStatus.FINISHED, finished_at=utc_now())
    summary = Summary(run.run_id, page, run.counts, run.seconds, run.counts.get("problems", {}))
    rows = [{"stage": stage.value, "seconds": run.seconds.get(stage.value)} | _flat(run.counts.get(stage.value, {})) for stage in RunStage]
    create_table_artifact(
        [
            {"stage": row.pop("stage"), "seconds": row.pop("seconds"), "counts": ", ".join(f"{k} {v:,}" for k, v in row.items())}
            for row in rows
        ],
        key=f"listen-{job.request.council.replace('_', '-')}",
        description=f"Run {run.run_id}; report in {page.name} of its folder.",
    )
    return summary


def _flat(counts: dict[str, Any]) -> dict[str, int]:
    return {name: value for name, value in counts.items() if isinstance(value, int)}
