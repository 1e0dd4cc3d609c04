"""What a live source gives: posts since the last poll, and what has become of posts it gave before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from config.schema import Community
from flows.sources.base import CollectedPost, ProblemKind, Problems, SourceError


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to poll: a community of the configuration, whole, or by one search term."""

    community: Community
    query: str = ""

    @property
    def place(self) -> str:
        """What counts and reports call it."""
        return f"{self.community.community_id}, search {self.query!r}" if self.query else self.community.community_id


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of time whose posts could not be had; open at the beginning where `since` is None."""

    since: datetime | None
    until: datetime
    reason: str


@dataclass
class Cursor:
    """How far a target has been collected.

    `state` is the source's own: JSON, ids and times, nothing personal, {} where it was never polled. A source changes it between two posts,
    and at every moment it speaks only of posts that were already given: stored with a batch, it never promises more than is there.
    """

    state: dict[str, Any] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)


class SourceSkippedError(SourceError):
    """One community cannot be polled, and the others can. `kind` says why in the counts."""

    def __init__(self, kind: ProblemKind, message: str) -> None:
        self.kind = kind
        super().__init__(message)


class Asked(Protocol):
    """How many requests were made, and how long was waited for them."""

    @property
    def requests(self) -> int: ...

    @property
    def waited_s(self) -> float: ...


class LiveSource(Protocol):
    """A platform that is asked over the network.

    Four things can go wrong, and each has its way: waiting is done inside, by `pace`; what trying again may help raises
    SourceUnavailableError after the source has tried often enough; SourceSkippedError leaves out one community; SourceRefusedError stops
    the run with a remedy.
    """

    platform: str
    # How many posts one `look_up` can ask about.
    look_up_size: int

    @property
    def pace(self) -> Asked: ...

    def posts(self, target: Target, cursor: Cursor, problems: Problems) -> Iterator[CollectedPost]:
        """Posts since the cursor, and those of an overlap window before it again; a post may come more than once.

        Raises
        ------
        SourceError
            By kind, as above.
        """
        ...

    def look_up(self, links: Mapping[str, str], /) -> dict[str, CollectedPost | None]:
        """What at most `look_up_size` posts are now, by fullname with its stored permalink, in as few requests as the platform allows.

        None for a post that the platform no longer knows. A post is left out where nothing can be said of it: its server is out of reach.
        """
        ...

    def close(self) -> None: ...
