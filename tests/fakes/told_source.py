"""A live source that says what it is told to say, and counts how often it is asked."""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from coprod_nlp.vocabulary import PostKind, PostState
from flows.sources.base import CollectedPost, Problems
from flows.sources.live import Cursor, Target
from flows.sources.pace import Pace

THEN = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)


def told_post(fullname: str, body: str, *, author: str | None = "Ann", community: str = "marlowick", **changed: Any) -> CollectedPost:
    post = CollectedPost(
        fullname, community, PostKind.SUBMISSION, PostState.VISIBLE, author, "", body, None, fullname,
        f"/r/{community}/comments/{fullname}/", 1, THEN,
    )  # fmt: skip
    return replace(post, **changed)


class NoTime:
    """A clock for which waiting takes no time."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds


class ToldSource:
    """Holds the posts of one platform in memory. `before_answer` is called with the number of each request."""

    platform = "reddit"
    look_up_size = 100

    def __init__(self, *posts: CollectedPost) -> None:
        self.now: dict[str, CollectedPost] = {post.fullname: post for post in posts}
        self.pace = Pace(100, clock=NoTime())
        self.asked: list[list[str]] = []
        self.out_of_reach: set[str] = set()
        self.before_answer: Callable[[int], None] = lambda _: None

    def put(self, fullname: str, **changed: Any) -> None:
        """Change a post as its author, a moderator or a filter would."""
        self.now[fullname] = replace(self.now[fullname], **changed)

    def posts(self, target: Target, cursor: Cursor, problems: Problems) -> Iterator[CollectedPost]:
        yield from (post for post in self.now.values() if post.community == target.community.name)

    def look_up(self, fullnames: Collection[str]) -> dict[str, CollectedPost | None]:
        assert 0 < len(fullnames) <= self.look_up_size
        self.pace.wait()
        self.asked.append(list(fullnames))
        self.before_answer(len(self.asked))
        return {name: self.now.get(name) for name in fullnames if name not in self.out_of_reach}

    def close(self) -> None: ...
