"""A listing that shows the newest first, walked down to what is known, so that a walk that breaks off is gone on with."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flows.sources.base import CollectedPost, ProblemKind, Problems
from flows.sources.live import Cursor, Gap, Target
from models.base import utc_now

# What was written within it is read again in every poll: edits and late arrivals come there.
OVERLAP = timedelta(days=2)
# How far the first poll of a community goes back.
FIRST_REACH = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Found:
    """One thing of a listing: the time it is sorted by, and its posts, which may cost requests. What is pinned stands out of order."""

    moment: datetime
    posts: Iterable[CollectedPost]
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing, and how to ask for the next; None at the end."""

    found: list[Found]
    following: str | None


# Given how to ask (None for the first) and the time below which nothing is wanted.
Listing = Callable[[str | None, datetime], Page]


class NewestFirst:
    """The walk of one listing.

    State of the cursor, under the listing's name: `until`, the time up to which all is given; `walk`, for a walk that is not done, the
    newest time it met and where it goes on. Everything above that place has been given.
    """

    def __init__(self, name: str, listing: Listing, *, target: Target, cursor: Cursor, problems: Problems, has_end: bool = False) -> None:
        self._name, self._listing, self._target, self._cursor, self._problems = name, listing, target, cursor, problems
        self._has_end = has_end

    def posts(self) -> Iterator[CollectedPost]:
        """What a broken-off walk left, then what is new, and what is recent once more."""
        if walk := self._state().get("walk"):
            yield from self._down(walk["at"], newest=datetime.fromisoformat(walk["newest"]))
        yield from self._down(None, newest=None)

    def _down(self, at: str | None, *, newest: datetime | None) -> Iterator[CollectedPost]:
        until = self._state().get("until")
        # No later than now, like what is kept below: what is dated in the future would hide all that comes before its day.
        known = min(datetime.fromisoformat(until), utc_now()) if until else None
        floor = known - OVERLAP if known else utc_now() - FIRST_REACH
        oldest: datetime | None = None
        while True:
            page = self._listing(at, floor)
            for found in page.found:
                if found.moment >= floor:
                    yield from found.posts
                newest = max(newest or found.moment, found.moment)
                if not found.is_pinned:
                    oldest = min(oldest or found.moment, found.moment)
            if page.following is None or page.following == at or (oldest and oldest < floor):
                break
            at = page.following
            self._move(walk={"at": at, "newest": newest.isoformat()} if newest else None)
        self._note_gap(known, oldest)
        finished = max(filter(None, (newest, known)), default=None)
        self._move(walk=None, until=finished and min(finished, utc_now()).isoformat())

    def _note_gap(self, known: datetime | None, oldest: datetime | None) -> None:
        """Say so where a listing that shows only so much ended before it came to what is known."""
        if self._has_end and known and oldest and oldest > known:
            self._cursor.gaps.append(Gap(known, oldest, f"{self._name}: the listing ended before the last poll's posts"))
            self._problems.add(ProblemKind.GAP, self._target.place)

    def _state(self) -> dict[str, Any]:
        return dict(self._cursor.state.get(self._name, {}))

    def _move(self, **changes: Any) -> None:
        """Give the cursor a new state. A dictionary that was handed out does not change."""
        state = {name: value for name, value in (self._state() | changes).items() if value is not None}
        self._cursor.state = self._cursor.state | {self._name: state}
