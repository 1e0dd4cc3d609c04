"""Poll: what is new in the communities of a campaign, from one live platform, into the store."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from config.schema import Config
from config.settings import Settings
from coprod_nlp.vocabulary import PollOutcome
from flows.job import Job, Request
from flows.progress import listener
from flows.sources import volume
from flows.sources.base import (
    PROBLEM_WORDS,
    CollectedPost,
    ProblemKind,
    Problems,
    SourceError,
    SourceRefusedError,
    SourceUnavailableError,
)
from flows.sources.live import Cursor, LiveSource, SourceSkippedError, Target
from flows.sources.permission import Permission, permit
from flows.sources.table import open_live
from flows.steps.rows import Rows
from models import actions, provenance_actions, provenance_queries, queries
from models.base import utc_now

# Stored when there are so many, or after so many requests: a kill costs these requests and no more, and storing much at once is quick.
BATCH, REQUESTS_A_BATCH = 2_000, 4
POLLS_LOOKED_AT = 200
# Communities that do not come one after another: then it is the platform.
FAILURES_IN_A_ROW = 2
OUTCOMES: dict[type[SourceError], PollOutcome] = {
    SourceSkippedError: PollOutcome.SKIPPED,
    SourceUnavailableError: PollOutcome.UNAVAILABLE,
    SourceRefusedError: PollOutcome.STOPPED,
}


def open_permitted(config: Config, settings: Settings, request: Request, *, platform: str) -> tuple[Permission, LiveSource]:
    """A live source and what may be gathered from it. Nothing has been asked of the platform.

    Raises
    ------
    SourceRefusedError
        Where campaign, approval or credentials are missing.
    """
    permission = permit(config, platform=platform, council=request.council, campaign=request.campaign, today=utc_now().date())
    return permission, open_live(platform, settings=settings)


def poll(job: Job, platform: str, problems: Problems, counts: Counter[str]) -> set[str]:
    """Gather from each community of the campaign; returns their ids, of those too that gave nothing.

    Raises
    ------
    SourceError
        Where the platform as a whole is out of reach, or somebody has to act. What came before is kept, and the next run goes on from it.
    """
    permission, source = open_permitted(job.config, job.settings, job.request, platform=platform)
    listener().stage(f"Collect {platform}", total=None, unit="posts")
    try:
        return gather(job, permission, source, problems, counts)
    finally:
        source.close()


def gather(job: Job, permission: Permission, source: LiveSource, problems: Problems, counts: Counter[str]) -> set[str]:
    """The same from a source that is open."""
    failed_in_row = 0
    for target in permission.targets:
        try:
            _TargetPoll(job, permission, source, target, problems, counts).run()
        except SourceSkippedError as error:
            problems.add(error.kind, target.place)
        except SourceUnavailableError:
            failed_in_row += 1
            if failed_in_row >= min(FAILURES_IN_A_ROW, len(permission.targets)):
                raise
            problems.add(ProblemKind.UNAVAILABLE_COMMUNITY, target.place)
            continue
        failed_in_row = 0
    return {target.community.community_id for target in permission.targets}


@dataclass
class _TargetPoll:
    """The poll of one target: its record, its cursor and what came."""

    job: Job
    permission: Permission
    source: LiveSource
    target: Target
    problems: Problems
    counts: Counter[str]
    poll_id: str = field(default_factory=lambda: uuid4().hex)
    cursor: Cursor = field(default_factory=Cursor)
    seen: int = 0
    new_posts: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._rows = Rows(self.job.config, self.job.settings, council=self.job.request.council, platform=self.source.platform, is_live=True)
        self._before = (self.source.pace.requests, self.source.pace.waited_s)

    def run(self) -> None:
        """Poll to the end, or to the error that ends it: then too what came is stored first, and the record says how it ended."""
        self._begin()
        pending: list[CollectedPost] = []
        asked = self.source.pace.requests
        try:
            for post in self.source.posts(self.target, self.cursor, self.problems):
                pending.append(post)
                if len(pending) >= BATCH or self.source.pace.requests >= asked + REQUESTS_A_BATCH:
                    self._store(pending)
                    pending, asked = [], self.source.pace.requests
        except SourceError as error:
            self._store(pending)
            self._finish(next(outcome for kind, outcome in OUTCOMES.items() if isinstance(error, kind)), str(error))
            raise
        self._store(pending)
        self._finish(PollOutcome.FINISHED, self._watch())

    def _begin(self) -> None:
        names = {"platform": self.source.platform, "community_id": self.target.community.community_id, "query": self.target.query}
        with self.job.engine.begin() as connection:
            self.cursor.state = provenance_queries.cursor_state(connection, **names)
            provenance_actions.begin_poll(
                connection, self.poll_id, run_id=self.job.run_id, source=self.source.platform, campaign=self.permission.campaign,
                terms_version=self.permission.terms_version, **names,
            )  # fmt: skip

    def _store(self, posts: list[CollectedPost]) -> None:
        """Posts, where they came from and how far that is, in one transaction: killed at any moment, the store and the cursor agree."""
        now = utc_now()
        with self.job.engine.begin() as connection:
            rows = self._kept(posts, queries.suppressed_keys(connection), now)
            new = actions.store_posts(connection, list(rows.values()), is_live=True)
            self.seen, self.new_posts = self.seen + len(posts), self.new_posts + new
            provenance_actions.store_provenance(connection, list(rows), poll_id=self.poll_id, at=now)
            provenance_actions.store_cursor(
                connection, platform=self.source.platform, community_id=self.target.community.community_id, query=self.target.query,
                state=self.cursor.state, poll_id=self.poll_id,
            )  # fmt: skip
            provenance_actions.update_poll(connection, self.poll_id, **self._figures())
        self.counts.update(seen=len(posts), kept=len(rows), new=new)
        listener().advance(self.counts["seen"], note=self.target.place)

    def _kept(self, posts: list[CollectedPost], suppressed: frozenset[str], now: datetime) -> dict[str, dict[str, Any]]:
        """Rows by post id: a post that came twice counts as it was last."""
        rows: dict[str, dict[str, Any]] = {}
        for post in posts:
            home = self._rows.home(post.community)
            key = self._rows.key(post, home) if home else None
            if home is None:
                self._leave_out(ProblemKind.REFUSED_COMMUNITY)
            elif key in suppressed:
                self._leave_out(ProblemKind.SUPPRESSED_AUTHOR)
            else:
                row = self._rows.row(post, home, key=key, now=now)
                rows[row["post_id"]] = row
        return rows

    def _leave_out(self, kind: ProblemKind) -> None:
        self.left_out[PROBLEM_WORDS[kind]] += 1
        self.problems.add(kind, self.target.place)

    def _figures(self) -> dict[str, Any]:
        gaps = [
            {"since": gap.since and gap.since.isoformat(), "until": gap.until.isoformat(), "reason": gap.reason} for gap in self.cursor.gaps
        ]
        requests, waited_s = self._before
        return {
            "seen": self.seen, "new_posts": self.new_posts, "requests": self.source.pace.requests - requests,
            "waited_s": round(self.source.pace.waited_s - waited_s, 1), "gaps": gaps,
        }  # fmt: skip

    def _finish(self, outcome: PollOutcome, reason: str) -> None:
        figures = self._figures()
        with self.job.engine.begin() as connection:
            provenance_actions.finish_poll(connection, self.poll_id, outcome=outcome, reason=reason, **figures)
        self.counts.update(requests=figures["requests"], waited_s=round(figures["waited_s"]))

    def _watch(self) -> str:
        """Whether the target gave nothing, far less or far more than usual, in words for the record and the report; "" where it did not."""
        with self.job.engine.connect() as connection:
            polls = provenance_queries.polls_of_target(
                connection, community_id=self.target.community.community_id, query=self.target.query, limit=POLLS_LOOKED_AT
            )
        found = volume.stretches(polls, now=utc_now())
        if found:
            expected = self.target.community.expected_per_day
            verdict = volume.judge(found[-1], per_day=volume.usual_per_day(found[:-1]) if expected is None else expected)
        else:
            verdict = None if self.new_posts else (ProblemKind.SILENT, "nothing in the first poll")
        if verdict is None:
            return ""
        kind, figures = verdict
        words = "; ".join([figures, *self._causes()])
        self.problems.add(kind, f"{self.target.place}: {words}")
        return words

    def _causes(self) -> Iterator[str]:
        """What is known of why."""
        if not self.seen:
            yield "the platform showed none" if not self.target.query else "the search found none"
        elif not self.new_posts and not self.left_out:
            yield f"all {self.seen:,} that were shown were known before"
        yield from (f"{count:,} {words}" for words, count in sorted(self.left_out.items()))
        yield from (gap.reason for gap in self.cursor.gaps)
