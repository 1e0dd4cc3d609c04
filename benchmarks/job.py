"""One run of the main job without Prefect, in a process of its own: prints seconds by stage and peak memory as JSON."""

import json
import sys
import threading
from pathlib import Path
from time import sleep

import psutil

from config.load import load_config
from config.settings import Settings
from flows.job import make_request, open_job
from flows.steps.collect import collect
from flows.steps.link import link
from flows.steps.rank import rank
from flows.steps.read import read
from flows.steps.report import report

SAMPLE_EVERY_S = 0.05


class Memory:
    """Peak resident memory of this process and its children together, sampled."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        me = psutil.Process()
        while True:
            total = 0
            for process in (me, *me.children(recursive=True)):
                try:
                    total += process.memory_info().rss
                except psutil.Error:
                    continue
            self.peak_bytes = max(self.peak_bytes, total)
            sleep(SAMPLE_EVERY_S)


def main(home: Path, sources: list[str]) -> None:
    memory = Memory()
    settings = Settings(home=home, author_key="0123456789abcdef-a-key-for-benchmarks")
    request = make_request(load_config(), council=None, sources=sources, columns=None, since=None, until=None)
    job = open_job(request, out=str(home / "report"), settings=settings)
    for step in (collect, read, link, rank, report):
        step(job)
    run = job.run()
    print(
        json.dumps(
            {
                "posts": run.counts["collect"]["stored"],
                "seconds": run.seconds,
                "reading_start_s": run.counts["read"].get("start_s", 0.0),
                "peak_mib": round(memory.peak_bytes / 2**20),
                "leads": run.counts["rank"]["leads"],
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
