"""Gathers from a server on loopback in a process of its own, at a simulated pace; whoever started it may kill it at any moment."""

import sys
from pathlib import Path

from flows.sources.reddit import pace_of
from flows.steps.collect import collect
from tests.fakes.live import SimulatedClock, live_job, live_settings
from tests.fakes.reddit import CLIENT_ID


def main(home: Path, address: str) -> None:
    pace_of(CLIENT_ID, clock=SimulatedClock())
    collect(live_job(live_settings(home, home / "config", address)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
