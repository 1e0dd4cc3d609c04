"""Runs the main job's steps on the sample in a process of its own, and kills it with signal 9 at the moment that `DIE_AT` names.

`DIE_AT` is a stage and how many times it has told of its progress, as in `read:2`; empty for none. Prints the leads.
"""

import os
import signal
import sys
from pathlib import Path

from config.load import load_config
from config.settings import Settings
from flows.job import make_request, open_job, worked_on
from flows.progress import listening
from flows.steps.collect import collect
from flows.steps.link import link
from flows.steps.rank import rank
from flows.steps.read import read
from flows.steps.report import report
from models import queries


class Killer:
    """A progress listener that ends the process where it is told to."""

    def __init__(self, moment: str) -> None:
        self._moment = moment
        self._stage, self._count = "", 0

    def stage(self, name: str, *, total: int | None, unit: str) -> None:
        self._stage, self._count = name.split()[0].lower(), 0
        self._tick()

    def advance(self, done: int, *, note: str = "") -> None:
        self._count += 1
        self._tick()

    def note(self, text: str) -> None:
        self._count += 1
        self._tick()

    def waiting(self, seconds: float, why: str) -> None:
        """No moment to die at."""

    def _tick(self) -> None:
        if self._moment == f"{self._stage}:{self._count}":
            os.kill(os.getpid(), signal.SIGKILL)


def main(home: Path) -> None:
    settings = Settings(home=home, author_key="0123456789abcdef-a-key-for-tests-only", workers=1)
    config = load_config()
    request = make_request(config, council=None, sources=None, columns=None, since=None, until=None)
    job = open_job(request, out=str(home / "report"), settings=settings)
    with worked_on(job), listening(Killer(os.environ.get("DIE_AT", ""))):
        for step in (collect, read, link, rank, report):
            step(job)
    with job.engine.connect() as connection:
        for lead in queries.leads(connection, job.scope_id()):
            print(lead.rank, lead.lead_id, lead.area, lead.score, lead.low, lead.high, lead.voices, lead.willing_messages)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
