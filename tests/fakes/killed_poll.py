"""Gathers from a server on loopback in a process of its own, at a simulated pace; whoever started it may kill it at any moment."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from config.schema import REDDIT
from flows.sources.wire import host_pace
from flows.steps.collect import collect
from tests.fakes.live import SimulatedClock, live_job, live_settings
from tests.fakes.reddit import CLIENT_ID


def main(home: Path, address: str, platform: str = REDDIT) -> None:
    if platform == REDDIT:
        from flows.sources.reddit import pace_of

        pace_of(CLIENT_ID, clock=SimulatedClock())
        settings = live_settings(home, home / "config", address)
    else:
        host_pace(urlsplit(address).netloc, allowed_a_minute=60, clock=SimulatedClock())
        settings = live_settings(home, home / "config")
    collect(live_job(settings, platform=platform))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
