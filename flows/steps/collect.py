"""Collect: posts from the sources into the store, once each, under author keys."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from typing import Any

from config.settings import author_key, load_author_key
from coprod_nlp.vocabulary import RunStage
from flows.job import Job
from flows.progress import listener
from flows.sources.base import CollectedPost, Placed, ProblemKind, Problems, Source
from flows.sources.seen import Hashes, SeenIds, hashes, id_in
from flows.sources.table import SAMPLE, open_source
from models import actions, queries
from models.base import utc_now
from models.session import unit_of_work

BATCH = 5_000
# A page that somebody keeps of their own is no community.
PERSONAL_PAGES = ("u_", "u/")


def collect(job: Job) -> None:
    """Store what the sources show; the run record gets the communities, the counts and the problems.

    Collecting again what is stored changes nothing, so a collection that was cut short simply starts over.
    """
    if job.is_done(RunStage.COLLECT):
        listener().note("collect: done before, gone on from there")
        return
    with job.stage(RunStage.COLLECT):
        with unit_of_work(job.engine) as session:
            kept = {name: rule.kept_days for name, rule in job.config.retention.items() if name != "default"}
            default = job.config.retention["default"].kept_days
            expired = actions.expire_posts(session, kept_days=kept, default_days=default, by="run")
        problems, counts = Problems(), Counter[str](expired=expired)
        communities: set[str] = set()
        for name in job.request.sources:
            source = open_source(name, columns=dict(job.request.columns))
            collection = _Collection(job, source, problems)
            listener().stage(f"Collect {source.name}", total=source.size, unit="bytes")
            for batch in _batches(source.posts(problems), BATCH):
                counts["seen"] += len(batch)
                counts["kept"] += collection.store(batch)
                listener().advance(source.position, note=f"{counts['seen']:,} posts")
            collection.count_early_comments()
            communities |= collection.communities
        job.update(communities=sorted(communities))
        with job.engine.begin() as connection:
            problems.add(ProblemKind.ORPHAN_COMMENT, "store", count=queries.count_orphans(connection, job.scope()))
            counts["stored"] = queries.count_posts(connection, job.scope())
            rows = [
                {"run_id": job.run_id, "kind": kind.value, "place": place, "count": count, "lines": problems.lines[kind, place]}
                for (kind, place), count in sorted(problems.counts.items())
            ]
            actions.store_problems(connection, job.run_id, rows)
        job.update(counts={"collect": dict(counts), "problems": problems.by_kind()})


@dataclass(frozen=True)
class _Home:
    """Where a community's posts belong.

    Forums that nobody has said to be of one platform share nothing: the same name on two of them need not be one person, and
    posts that are plainly numbered may be numbered alike. `people` is what author keys are made in: the platform, or such a forum.
    """

    platform: str
    community_id: str
    people: str

    def post_id(self, fullname: str) -> str:
        is_numbered = fullname.partition("_")[2].isdigit()
        return f"{self.people if is_numbered else self.platform}:{fullname}"


class _Collection:
    """What one source's collection remembers from batch to batch."""

    def __init__(self, job: Job, source: Source, problems: Problems) -> None:
        self._job, self._source, self._problems = job, source, problems
        self._secret = load_author_key(job.settings)
        self._since, self._until = job.request.period()
        self._seen = SeenIds()
        self._awaited: list[tuple[str, Hashes]] = []
        self._homes: dict[str, _Home | None] = {}
        self.communities: set[str] = set()
        with job.engine.connect() as connection:
            self._suppressed = queries.suppressed_keys(connection)

    def store(self, batch: list[Placed]) -> int:
        """Keep what may be kept of a batch; returns how many posts that were."""
        now = utc_now()
        rows = [row for placed in self._only_new(batch) if (row := self._row(placed, now))]
        with self._job.engine.begin() as connection:
            actions.store_posts(connection, rows)
        self.communities |= {row["community_id"] for row in rows}
        return len(rows)

    def count_early_comments(self) -> None:
        """Comments that came before their parent did, now that everything is seen."""
        for place, parents in self._awaited:
            self._problems.add(ProblemKind.EARLY_COMMENT, place, count=int(self._seen.contains(parents).sum()))

    def _only_new(self, batch: list[Placed]) -> list[Placed]:
        """Posts this run has not met; notes the parents that it has not met either."""
        parents = [id_in(post.community, post.parent or "") for post, _, _ in batch]
        is_met = dict(zip(parents, self._seen.contains(hashes(parents)), strict=True))
        new = self._seen.only_new(batch, self._problems)
        here: set[str] = set()
        waiting: dict[str, list[str]] = {}
        for post, place, _ in new:
            here.add(id_in(post.community, post.fullname))
            parent = id_in(post.community, post.parent or "")
            if post.parent and not is_met[parent] and parent not in here:
                waiting.setdefault(place, []).append(parent)
        self._awaited += [(place, hashes(parents)) for place, parents in waiting.items()]
        return new

    def _row(self, placed: Placed, now: datetime) -> dict[str, Any] | None:
        post, place, line = placed
        home = self._home(post.community)
        if home is None:
            self._problems.add(ProblemKind.REFUSED_COMMUNITY, place, line)
            return None
        if post.created_at and ((self._since and post.created_at < self._since) or (self._until and post.created_at >= self._until)):
            self._problems.add(ProblemKind.OUTSIDE_PERIOD, place, line)
            return None
        key = author_key(self._secret, platform=home.people, author_id=post.author_id) if post.author_id else None
        if key in self._suppressed:
            self._problems.add(ProblemKind.SUPPRESSED_AUTHOR, place, line)
            return None
        return actions.post_row(
            post_id=home.post_id(post.fullname), platform=home.platform, community_id=home.community_id, kind=post.kind.value,
            state=post.state, author_key=key, parent_id=post.parent and home.post_id(post.parent),
            thread_id=post.thread and home.post_id(post.thread), title=post.title, body=post.body,
            permalink=post.permalink, score=post.score, created_at=post.created_at, content_hash=_content_hash(post, key), fetched_at=now,
        )  # fmt: skip

    def _home(self, name: str) -> _Home | None:
        if name not in self._homes:
            self._homes[name] = self._find_home(name)
        return self._homes[name]

    def _find_home(self, name: str) -> _Home | None:
        if self._job.config.is_refused(name) or name.lower().startswith(PERSONAL_PAGES):
            return None
        platform = self._source.platform
        if platform == SAMPLE:
            return _Home(SAMPLE, f"{SAMPLE}:{name}", SAMPLE)
        for community in self._job.config.communities:
            is_ours = community.council == self._job.request.council and community.platform != SAMPLE
            if is_ours and community.name.lower() == name.lower():
                return _Home(community.platform, community.community_id, community.platform)
        return _Home(platform, f"{platform}:{name}", f"{platform}:{name}")


def _content_hash(post: CollectedPost, key: str | None) -> str:
    parts = (post.title, post.body, post.state.value, key or "", post.parent or "", post.thread or "", str(post.created_at), post.permalink)
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _batches(items: Iterable[Placed], size: int) -> Iterator[list[Placed]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
