"""How fast gathered posts are stored, at what rate Reddit is asked, and whether memory stays flat.

`python -m benchmarks.sources [posts]`: 100,000 where not said. Prints JSON. Storing is measured with a source that makes its posts up as it
goes; the rate with the real PRAW against the tests' server, on a simulated clock on which an answer takes a quarter of a second.
"""

import json
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil

from coprod_nlp.vocabulary import PostKind, PostState
from flows.sources.base import CollectedPost, Problems
from flows.sources.live import Cursor, Target
from flows.sources.pace import Pace
from flows.sources.permission import permit
from flows.sources.reddit import REQUESTS_A_MINUTE, RedditSource
from flows.steps.poll import gather
from models.base import utc_now
from tests.fakes.live import SimulatedClock, live_job, live_settings, write_config
from tests.fakes.reddit import ACCOUNT, CLIENT_ID, CLIENT_SECRET, FakeReddit
from tests.fakes.reddit_world import World

NAME = "marlowick"
LATENCY_S = 0.25
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = "Somebody asked on the green whether the bench by the river could be mended before the summer fair comes round again. " * 3


class MadeUp:
    """A live source that makes posts up as it goes, each once, and notes how much memory is in use."""

    platform, look_up_size = "reddit", 100

    def __init__(self, posts: int) -> None:
        self.pace = Pace(REQUESTS_A_MINUTE, clock=SimulatedClock())
        self.memory: list[int] = []
        self._posts = posts

    def posts(self, target: Target, cursor: Cursor, problems: Problems) -> Iterator[CollectedPost]:  # noqa: ARG002  (a protocol's)
        me = psutil.Process()
        for number in range(self._posts):
            if number % (self._posts // 20) == 0:
                self.memory.append(me.memory_info().rss)
            name = f"t1_c{number}"
            yield CollectedPost(
                fullname=name, community=NAME, kind=PostKind.COMMENT, state=PostState.VISIBLE, author_id=f"Resident_{number % 5_000}",
                title="", body=f"{WORDS}{number}", parent="t3_s1", thread="t3_s1",
                permalink=f"/r/{NAME}/comments/s1/about/c{number}/", score=1,
                created_at=BEGAN + timedelta(seconds=number),
            )  # fmt: skip
            cursor.state = {"submissions": number}

    def look_up(self, fullnames: Sequence[str]) -> dict[str, CollectedPost | None]:
        return dict.fromkeys(fullnames)

    def close(self) -> None:
        """Nothing is open."""


def main(posts: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_config(home / "config", NAME)
        print(json.dumps(storing(home, posts) | asking(home)))


def storing(home: Path, posts: int) -> dict[str, Any]:
    """New posts through the whole way of a poll into SQLite: keys, hashes, posts, provenance, cursor, poll record."""
    job = live_job(live_settings(home / "storing", home / "config", "http://127.0.0.1:1"))
    permission = permit(job.config, platform="reddit", council=job.request.council, campaign=None, today=utc_now().date())
    source, counts = MadeUp(posts), Counter[str]()
    started = perf_counter()
    gather(job, permission, source, Problems(), counts)
    seconds = perf_counter() - started
    job.engine.dispose()
    assert counts["new"] == posts
    first, last = source.memory[2], source.memory[-1]
    return {
        "stored": posts, "rows_per_s": round(posts / seconds), "mib_after_a_tenth": round(first / 2**20, 1),
        "mib_at_the_end": round(last / 2**20, 1), "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }  # fmt: skip


def asking(home: Path) -> dict[str, Any]:
    """Requests a minute of simulated time, with the real PRAW on 2,000 posts."""
    world, clock = World(), SimulatedClock()
    world.grow(NAME, submissions=300, comments=1_700)
    pace = Pace(REQUESTS_A_MINUTE, clock=clock)
    with FakeReddit(world) as reddit:
        reddit.before = lambda: clock.sleep(LATENCY_S)
        source = RedditSource(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, account=ACCOUNT, address=reddit.address, pace=pace)
        job = live_job(live_settings(home / "asking", home / "config", reddit.address))
        permission = permit(job.config, platform="reddit", council=job.request.council, campaign=None, today=utc_now().date())
        gather(job, permission, source, Problems(), Counter())
        source.close()
        job.engine.dispose()
    return {"requests": pace.requests, "requests_a_minute": round(pace.requests / clock.seconds * 60, 1), "allowed": REQUESTS_A_MINUTE}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
