"""Collect: posts from the sources into the store, once each, under author keys."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import compress, islice
from pathlib import Path
from typing import Any
from uuid import uuid4

from coprod_nlp.vocabulary import PollOutcome, RunStage
from flows.job import Job
from flows.keys import ready_keys
from flows.progress import listener
from flows.retention import expire_posts
from flows.sources.archive import place_of
from flows.sources.base import Placed, ProblemKind, Problems, Source, SourceError
from flows.sources.seen import Hashes, SeenIds, hashes, id_in
from flows.sources.table import is_live, open_source
from flows.steps.poll import poll
from flows.steps.rows import Rows
from models import actions, provenance_actions, queries
from models.base import utc_now
from models.removal import GONE
from models.session import take_turn

# More at once takes longer, not shorter: at 5,000 each post took a tenth more.
BATCH = 2_000


def collect(job: Job) -> None:
    """Store what the sources show; the run record gets the communities, the counts and the problems.

    Collecting again what is stored changes nothing, so a collection that was cut short simply starts over.
    """
    if job.is_done(RunStage.COLLECT):
        listener().note("collect: done before, gone on from there")
        return
    with job.stage(RunStage.COLLECT):
        ready_keys(job.engine, job.settings)
        expired = expire_posts(job.engine, config=job.config, by="run")
        problems, counts = Problems(), Counter[str](expired=expired.counts["post"])
        communities: set[str] = set()
        try:
            for name in job.request.sources:
                communities |= (poll if is_live(name) else _gather)(job, name, problems, counts)
        except SourceError:
            _record(job, problems)
            raise
        job.update(communities=sorted(communities))
        with job.engine.begin() as connection:
            problems.add(ProblemKind.ORPHAN_COMMENT, "store", count=queries.count_orphans(connection, job.scope()))
            counts["stored"] = queries.count_posts(connection, job.scope())
        _record(job, problems)
        job.update(counts={"collect": dict(counts), "problems": problems.by_kind()})


def _record(job: Job, problems: Problems) -> None:
    rows = [
        {"run_id": job.run_id, "kind": kind.value, "place": place, "count": count, "lines": problems.lines[kind, place]}
        for (kind, place), count in sorted(problems.counts.items())
    ]
    with job.engine.begin() as connection:
        actions.store_problems(connection, job.run_id, rows)


def _gather(job: Job, name: str, problems: Problems, counts: Counter[str]) -> set[str]:
    """Everything of one archive; returns the communities it holds."""
    source = open_source(name, columns=dict(job.request.columns))
    collection = _Collection(job, source, problems)
    listener().stage(f"Collect {source.name}", total=source.size, unit="bytes")
    for batch in _batches(source.posts(problems), BATCH):
        counts["seen"] += len(batch)
        counts["kept"] += collection.store(batch)
        listener().advance(source.position, note=f"{counts['seen']:,} posts")
    collection.finish()
    return collection.communities


class _Collection:
    """What one source's collection remembers from batch to batch."""

    def __init__(self, job: Job, source: Source, problems: Problems) -> None:
        self._job, self._problems = job, problems
        self._rows = Rows(job.config, job.settings, council=job.request.council, platform=source.platform)
        self._since, self._until = job.request.period()
        self._seen = SeenIds()
        self._awaited: list[tuple[str, Hashes]] = []
        self._poll_id = uuid4().hex
        self._counts = Counter[str]()
        self.communities: set[str] = set()
        self._suppressed: frozenset[str] = frozenset()
        with job.engine.begin() as connection:
            provenance_actions.begin_poll(
                connection, self._poll_id, run_id=job.run_id, source=place_of(Path(source.name)), platform=source.platform
            )

    def store(self, batch: list[Placed]) -> int:
        """Keep what may be kept of a batch; returns how many posts that were."""
        now = utc_now()
        new = self._only_new(batch)
        with self._job.engine.begin() as connection:
            take_turn(connection)  # who objects meanwhile finds these posts, or is known here
            self._suppressed = queries.suppressed_keys(connection)
            rows = self._to_rows(new, now, self._problems)
            # A line that says that a post is gone counts, before or after one that shows it. What is odd about it is counted already.
            all_rows = rows | self._to_rows([placed for placed in batch if placed[0].state in GONE], now, Problems())
            actions.store_posts(connection, list(all_rows.values()))
            provenance_actions.store_provenance(connection, list(all_rows), poll_id=self._poll_id, at=now)
        self._counts.update(seen=len(batch))
        self.communities |= {row["community_id"] for row in all_rows.values()}
        return len(rows)

    def finish(self) -> None:
        """Count comments that came before their parent did, now that everything is seen, and close the record."""
        with self._job.engine.begin() as connection:
            provenance_actions.finish_poll(connection, self._poll_id, outcome=PollOutcome.FINISHED, reason="", **self._counts)
        for place, parents in self._awaited:
            self._problems.add(ProblemKind.EARLY_COMMENT, place, count=int(self._seen.contains(parents).sum()))

    def _only_new(self, batch: list[Placed]) -> list[Placed]:
        """Posts this run has not met; notes the parents that it has not met either."""
        parents = list({id_in(post.community, post.parent) for post, _, _ in batch if post.parent})
        met = set(compress(parents, self._seen.contains(hashes(parents))))
        new = self._seen.only_new(batch, self._problems)
        here: set[str] = set()
        waiting: dict[str, list[str]] = {}
        for post, place, _ in new:
            here.add(id_in(post.community, post.fullname))
            parent = post.parent and id_in(post.community, post.parent)
            if parent and parent not in met and parent not in here:
                waiting.setdefault(place, []).append(parent)
        self._awaited += [(place, hashes(parents)) for place, parents in waiting.items()]
        return new

    def _to_rows(self, posts: list[Placed], now: datetime, problems: Problems) -> dict[str, dict[str, Any]]:
        """Rows by post id, of what may be kept."""
        return {row["post_id"]: row for placed in posts if (row := self._row(placed, now, problems))}

    def _row(self, placed: Placed, now: datetime, problems: Problems) -> dict[str, Any] | None:
        post, place, line = placed
        home = self._rows.home(post.community)
        if home is None:
            problems.add(ProblemKind.REFUSED_COMMUNITY, place, line)
            return None
        if post.created_at and ((self._since and post.created_at < self._since) or (self._until and post.created_at >= self._until)):
            problems.add(ProblemKind.OUTSIDE_PERIOD, place, line)
            return None
        if self._rows.is_kept_out(post, home, self._suppressed):
            problems.add(ProblemKind.SUPPRESSED_AUTHOR, place, line)
            return None
        return self._rows.row(post, home, key=self._rows.key(post, home), now=now)


def _batches(items: Iterable[Placed], size: int) -> Iterator[list[Placed]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
