"""How fast gathered posts are stored, at what rate Reddit is asked, and whether memory stays flat.

`python -m benchmarks.sources [posts]`: 100,000 where not said. Prints JSON. Memory is measured with a source that makes its posts up as it
goes, speed with posts that are there already, by the clock and in processor time, since others may use the machine; the rate with the real
PRAW against the tests' server, on a simulated clock on which an answer takes a quarter of a second. Live posts come 100 a request.
"""

import json
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, NamedTuple

import psutil

from config.load import load_config
from coprod_nlp.vocabulary import PostKind, PostState
from flows.job import make_request, open_job
from flows.sources.base import CollectedPost, Problems
from flows.sources.live import Cursor, Target
from flows.sources.pace import Pace
from flows.sources.permission import permit
from flows.sources.reddit import REQUESTS_A_MINUTE, RedditSource
from flows.steps.collect import collect
from flows.steps.poll import gather
from models.base import utc_now
from tests.fakes.live import SimulatedClock, live_job, live_settings, write_config
from tests.fakes.reddit import ACCOUNT, CLIENT_ID, CLIENT_SECRET, FakeReddit
from tests.fakes.reddit_world import World

NAME = "marlowick"
LATENCY_S = 0.25
A_REQUEST = 100
LARGEST_SPEED_RUN = 40_000
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = "Somebody asked on the green whether the bench by the river could be mended before the summer fair comes round again. " * 3


def made_up(number: int) -> CollectedPost:
    return CollectedPost(
        fullname=f"t1_c{number}", community=NAME, kind=PostKind.COMMENT, state=PostState.VISIBLE, author_id=f"Resident_{number % 5_000}",
        title="", body=f"{WORDS}{number}", parent="t3_s1", thread="t3_s1", permalink=f"/r/{NAME}/comments/s1/about/c{number}/", score=1,
        created_at=BEGAN + timedelta(seconds=number),
    )  # fmt: skip


class Seconds(NamedTuple):
    """How long something took: by the clock, and of a processor."""

    clock: float
    processor: float

    def rates(self, name: str, posts: int) -> dict[str, int]:
        return {f"{name}_rows_per_s": round(posts / self.clock), f"{name}_rows_per_processor_s": round(posts / self.processor)}


def timed(work: Callable[[], object]) -> Seconds:
    started = perf_counter(), process_time()
    work()
    return Seconds(perf_counter() - started[0], process_time() - started[1])


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
            if number % A_REQUEST == 0:
                self.pace.wait()
            yield made_up(number)
            cursor.state = {"submissions": number}

    def look_up(self, fullnames: Collection[str]) -> dict[str, CollectedPost | None]:
        return dict.fromkeys(fullnames)

    def close(self) -> None:
        """Nothing is open."""


class Ready(MadeUp):
    """The same posts, made before anything is measured."""

    def __init__(self, posts: int) -> None:
        super().__init__(posts)
        self.made = list(map(made_up, range(posts)))

    def posts(self, target: Target, cursor: Cursor, problems: Problems) -> Iterator[CollectedPost]:  # noqa: ARG002  (a protocol's)
        for number, post in enumerate(self.made):
            if number % A_REQUEST == 0:
                self.pace.wait()
            yield post


def main(posts: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_config(home / "config", NAME)
        print(json.dumps(flatness(home, posts) | speed(home, min(posts, LARGEST_SPEED_RUN)) | asking(home)))


def stored(home: Path, source: MadeUp, posts: int) -> Seconds:
    """New posts through the whole way of a poll into SQLite: keys, hashes, posts, provenance, cursor, poll."""
    job = live_job(live_settings(home, home.parent / "config", "http://127.0.0.1:1"))
    permission = permit(job.config, platform="reddit", council=job.request.council, campaign=None, today=utc_now().date())
    counts = Counter[str]()
    seconds = timed(lambda: gather(job, permission, source, Problems(), counts))
    job.engine.dispose()
    assert counts["new"] == posts
    return seconds


def flatness(home: Path, posts: int) -> dict[str, Any]:
    source = MadeUp(posts)
    stored(home / "flat", source, posts)
    return {
        "gathered": posts, "mib_by_twentieth": [round(bytes_used / 2**20, 1) for bytes_used in source.memory],
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }  # fmt: skip


def speed(home: Path, posts: int) -> dict[str, Any]:
    """Rows a second: from a live source's posts, and from an archive of the same, its reading and checking included."""
    ready = Ready(posts)
    live = stored(home / "live", ready, posts)
    archive = home / f"{NAME}.ndjson"
    with archive.open("w", encoding="utf-8") as file:
        for post in ready.made:
            row = {
                "name": post.fullname, "author": post.author_id, "subreddit": NAME, "body": post.body, "parent_id": post.parent,
                "link_id": post.thread, "permalink": post.permalink, "score": post.score,
                "created_utc": post.created_at and post.created_at.timestamp(),
            }  # fmt: skip
            file.write(json.dumps(row) + "\n")
    request = make_request(load_config(), council=None, sources=[str(archive)], columns=None, since=None, until=None)
    job = open_job(request, out=None, settings=live_settings(home / "archive", home / "config"))
    from_archive = timed(lambda: collect(job))
    assert job.run().counts["collect"]["stored"] == posts
    job.engine.dispose()
    return {"stored": posts} | live.rates("live", posts) | from_archive.rates("archive", posts)


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
