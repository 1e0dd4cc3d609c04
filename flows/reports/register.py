"""Where reports stand: known to the store from before they are written, so that what is removed there is removed here."""

from collections.abc import Iterator
from contextlib import contextmanager

from flows.certificate import ready_folder
from flows.job import Job
from models import written_actions
from models.session import unit_of_work


@contextmanager
def registered_report(job: Job) -> Iterator[None]:
    """Around everything from asking the store to the last file: what is removed in between makes the report one to be written again.

    Raises
    ------
    RequestError
        Where the folder cannot be written: then nothing is remembered of it.
    """
    ready_folder(job.out)
    folder = str(job.out.resolve())
    with unit_of_work(job.engine) as session:
        begun_at = written_actions.begin_report(session, folder=folder, run_id=job.run_id)
    yield
    with unit_of_work(job.engine) as session:
        written_actions.finish_report(session, folder=folder, begun_at=begun_at)
