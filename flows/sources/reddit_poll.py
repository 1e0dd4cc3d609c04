"""One poll of one community of Reddit: what is new since the cursor, what is recent once more, and where Reddit's listings end too soon."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import praw
from praw.models import MoreComments

from flows.sources.base import CollectedPost, ProblemKind, Problems, SourceUnavailableError
from flows.sources.live import Cursor, Gap, SourceSkippedError, Target
from flows.sources.reddit_faults import asking
from flows.sources.reddit_posts import to_collected

# Listings stop near 1,000 items; one that ends well before has shown everything there is.
CUT_FROM = 900
# Threads that fail one after another are no accident of theirs.
FAILURES_IN_A_ROW = 3
TRIES = 3
# A search finds submissions only, so comments are found by reading its threads again, for longer.
SEARCH_OVERLAP = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class _Listed:
    """A submission of a listing; `post` where it has no comments, so that its thread need not be asked for."""

    thread_id: str
    created: float
    post: CollectedPost | None


@dataclass
class _Walk:
    """How far a listing went: the newest and oldest time it showed, how many, and whether it came to what is known."""

    newest: float | None = None
    oldest: float | None = None
    count: int = 0
    has_reached: bool = False

    def add(self, created: float) -> None:
        self.newest = max(created, self.newest or created)
        self.oldest = min(created, self.oldest or created)
        self.count += 1


class RedditPoll:
    """Threads are read oldest first, so that after each one the cursor can say: everything up to here is given.

    State of the cursor: `submissions` and `comments`, the time up to which each is complete; `thread`, the time of the last thread given in
    a poll that is not done; `again`, threads to ask for once more, with how often they failed.
    """

    def __init__(self, reddit: praw.Reddit, target: Target, cursor: Cursor, problems: Problems, *, overlap: timedelta) -> None:
        self._reddit, self._target, self._cursor, self._problems = reddit, target, cursor, problems
        self._overlap_s = (max(overlap, SEARCH_OVERLAP) if target.query else overlap).total_seconds()
        self._community = reddit.subreddit(target.community.name)
        self._failed_in_row = 0

    def posts(self) -> Iterator[CollectedPost]:
        yield from self._submissions()
        if not self._target.query:
            yield from self._comments()

    def _submissions(self) -> Iterator[CollectedPost]:
        state = self._cursor.state
        known = state.get("thread", state.get("submissions"))
        floor = known if "thread" in state or known is None else known - self._overlap_s
        walk = _Walk()
        listed = [self._listed(thing) for thing in self._things(self._listing(), walk, floor=floor, known=known)]
        self._note_gap(walk, known=known, what="submissions")
        here = {item.thread_id for item in listed}
        for thread_id in sorted(set(state.get("again", {})) - here):
            yield from self._thread(thread_id)
        for item in sorted(listed, key=lambda item: (item.created, item.thread_id)):
            if item.post:
                yield item.post
            else:
                yield from self._thread(item.thread_id)
            self._move(thread=item.created)
        self._move(submissions=max(filter(None, (walk.newest, known, state.get("submissions"))), default=None), thread=None)

    def _comments(self) -> Iterator[CollectedPost]:
        """Newest comments of the community, for threads that are too old to be read again whole."""
        known = self._cursor.state.get("comments")
        walk = _Walk()
        listing = self._community.comments(limit=None)
        for thing in self._things(listing, walk, floor=None if known is None else known - self._overlap_s, known=known):
            yield from self._posts_of([thing])
        if known is not None:
            self._note_gap(walk, known=known, what="comments on threads older than the overlap")
        self._move(comments=max(filter(None, (walk.newest, known)), default=None))

    def _listing(self) -> Iterator[Any]:
        if self._target.query:
            return self._community.search(self._target.query, sort="new", time_filter="all", limit=None)
        return self._community.new(limit=None)

    def _things(self, listing: Iterator[Any], walk: _Walk, *, floor: float | None, known: float | None) -> Iterator[Any]:
        """Things of a listing down to the floor, newest first."""
        while True:
            with asking(self._target.place):
                thing = next(listing, None)
            if thing is None:
                return
            created = float(vars(thing).get("created_utc") or 0)
            walk.has_reached |= known is not None and created <= known
            if floor is not None and created < floor:
                return
            walk.add(created)
            yield thing

    def _listed(self, thing: Any) -> _Listed:
        held = vars(thing)
        is_bare = held.get("num_comments") == 0
        post = to_collected(thing, self._target.place, self._problems) if is_bare else None
        return _Listed(str(held.get("id")), float(held.get("created_utc") or 0), post)

    def _thread(self, thread_id: str) -> Iterator[CollectedPost]:
        """A submission and its whole tree, as far as it comes; what fails is asked for again in the next run."""
        try:
            submission, is_whole = self._read(thread_id)
        except (SourceSkippedError, SourceUnavailableError):
            self._failed_in_row += 1
            if self._failed_in_row >= FAILURES_IN_A_ROW:
                raise
            self._failed(thread_id, ProblemKind.UNREADABLE_THREAD)
            return
        self._failed_in_row = 0
        yield from self._posts_of([submission])
        yield from self._posts_of(thing for thing in submission.comments.list() if not isinstance(thing, MoreComments))
        if is_whole:
            self._move(again={key: tries for key, tries in self._cursor.state.get("again", {}).items() if key != thread_id})
        else:
            self._failed(thread_id, ProblemKind.PARTIAL_THREAD)

    def _read(self, thread_id: str) -> tuple[Any, bool]:
        submission = self._reddit.submission(thread_id)
        submission.comment_sort = "new"
        with asking(self._target.place):
            forest = submission.comments
        try:
            with asking(self._target.place):
                forest.replace_more(limit=None)
        except (SourceUnavailableError, SourceSkippedError):
            return submission, False
        return submission, True

    def _posts_of(self, things: Any) -> Iterator[CollectedPost]:
        for thing in things:
            if post := to_collected(thing, self._target.place, self._problems):
                yield post

    def _failed(self, thread_id: str, kind: ProblemKind) -> None:
        again = dict(self._cursor.state.get("again", {}))
        again[thread_id] = again.get(thread_id, 0) + 1
        if again[thread_id] >= TRIES:
            kind = ProblemKind.LOST_THREAD
            del again[thread_id]
        self._problems.add(kind, self._target.place)
        self._move(again=again)

    def _note_gap(self, walk: _Walk, *, known: float | None, what: str) -> None:
        """Say so where a listing ended before it came to what is known: what lies between cannot be had this way."""
        is_cut = walk.count >= CUT_FROM
        if walk.oldest is None or walk.has_reached or (known is None and not is_cut):
            return
        why = f"Reddit lists only the newest {walk.count:,}" if is_cut else "the listing ended before the last poll's posts"
        gap = Gap(None if known is None else _moment(known), _moment(walk.oldest), f"{what}: {why}")
        self._cursor.gaps.append(gap)
        self._problems.add(ProblemKind.GAP, self._target.place)

    def _move(self, **changes: Any) -> None:
        """Give the cursor a new state; None and {} are left out. A dictionary that was handed out does not change."""
        state = self._cursor.state | changes
        self._cursor.state = {name: value for name, value in state.items() if value is not None and value != {}}


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
