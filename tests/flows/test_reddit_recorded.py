"""Recorded answers of the real Reddit, read by the real PRAW. They lie beside the project (`../shared/data`), never in it."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from config.schema import Community
from config.settings import PROJECT_DIR
from coprod_nlp.vocabulary import PostState
from flows.sources.base import CollectedPost, ProblemKind, Problems
from flows.sources.live import Cursor, Target
from flows.sources.pace import Pace
from flows.sources.reddit import RedditSource
from flows.sources.reddit_posts import to_collected
from tests.fakes.live import SimulatedClock
from tests.fakes.reddit import ACCOUNT, CLIENT_ID, CLIENT_SECRET, FakeReddit
from tests.fakes.reddit_world import World

RECORDED = PROJECT_DIR.parent / "shared" / "data" / "reddit_payloads"
STATES = {"moderator": PostState.REMOVED, "reddit": PostState.FILTERED}
NOTHING: dict[str, Any] = {"kind": "Listing", "data": {"after": None, "before": None, "children": []}}
NO_MORE: dict[str, Any] = {"json": {"errors": [], "data": {"things": []}}}
# What Reddit itself says of a post; any other problem would be a misunderstanding of ours.
GONE_KINDS = {ProblemKind.DELETED, ProblemKind.REMOVED, ProblemKind.FILTERED}

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded answers of Reddit are not on this machine (../shared/data)")


class RecordedReddit(FakeReddit):
    """Answers with what Reddit once said; a thread that was not recorded has no comments."""

    def __init__(self, name: str) -> None:
        super().__init__(World())
        self.entries: list[dict[str, Any]] = json.loads((RECORDED / name).read_text(encoding="utf-8"))
        self.used: set[int] = set()

    def answer(self, path: str, query: dict[str, str], form: dict[str, str]) -> tuple[int, Any]:
        match path.strip("/").split("/"):
            case ["r", _, "comments"]:
                return 200, NOTHING
            case ["r", _, "new"]:
                return 200, NOTHING if "after" in query else self._listing_of_threads()
            case ["comments", *_]:
                return 200, self._recorded(path) or self._bare(path)
            case ["api", "morechildren"]:
                return 200, self._children_of(set(form["children"].split(",")))
        return 200, self._recorded(path, asked=query.get("id"))

    def _recorded(self, path: str, asked: str | None = None) -> Any:
        for place, entry in enumerate(self.entries):
            parts = urlsplit(entry["path"])
            ids = parse_qs(parts.query).get("id", [None])[0]
            if parts.path.strip("/").split("/")[-2:] == path.strip("/").split("/")[-2:] and ids == asked:
                self.used.add(place)
                return entry["json"]
        return None

    def _listing_of_threads(self) -> Any:
        first = self.entries[0]["json"]
        self.used.add(0)
        return first[0] if isinstance(first, list) else first

    def _bare(self, path: str) -> Any:
        thread = path.strip("/").split("/")[1]
        things = [thing for thing in self.entries[0]["json"]["data"]["children"] if thing["data"]["id"] == thread]
        return [{"kind": "Listing", "data": {"after": None, "children": things}}, NOTHING]

    def _children_of(self, asked: set[str]) -> Any:
        """The recorded answer that begins with a comment that is asked for: what was asked is not recorded itself."""
        for place, entry in enumerate(self.entries):
            if entry["method"] == "POST" and entry["json"]["json"]["data"]["things"][0]["data"]["id"] in asked:
                self.used.add(place)
                return entry["json"]
        return NO_MORE


@contextmanager
def recorded(name: str) -> Iterator[tuple[RecordedReddit, RedditSource]]:
    with RecordedReddit(name) as reddit:
        source = RedditSource(
            client_id=CLIENT_ID, client_secret=CLIENT_SECRET, account=ACCOUNT, address=reddit.address,
            pace=Pace(100, clock=SimulatedClock()),
        )  # fmt: skip
        yield reddit, source
        source.close()


def gathered(source: RedditSource, problems: Problems) -> dict[str, CollectedPost]:
    community = Community(
        platform="reddit",
        name="recorded",
        title="Recorded",
        council="marlowick",
        category="place",
        url="https://www.reddit.com/r/recorded/",
    )
    return {post.fullname: post for post in source.posts(Target(community), Cursor(), problems)}


def things_in(answer: Any) -> Iterator[dict[str, Any]]:
    """Every submission and comment of an answer, however deep."""
    if isinstance(answer, list):
        for part in answer:
            yield from things_in(part)
    elif isinstance(answer, dict):
        if answer.get("kind") in {"t1", "t3"}:
            yield answer
        for value in answer.values():
            yield from things_in(value) if isinstance(value, dict | list) else ()


WHOLE = [
    # Of a thread of 8,125 comments a hundred were recorded; that the rest does not come is told.
    pytest.param("listing_top_and_comments.json", 201, {ProblemKind.PARTIAL_THREAD}, id="a listing, and the thread of one"),
    pytest.param("comment_tree_morechildren.json", 542, set(), id="a whole thread"),
]


@pytest.mark.parametrize(("name", "count", "odd"), WHOLE)
def test_each_post_of_a_recorded_listing_and_its_threads_is_gathered_as_it_was(name: str, count: int, odd: set[ProblemKind]) -> None:
    problems = Problems()
    with recorded(name) as (reddit, source):
        posts = gathered(source, problems)
    wanted = defaultdict(list)
    for thing in things_in([entry["json"] for entry in reddit.entries]):
        wanted[thing["data"]["name"]].append(thing["data"])
    assert reddit.used == set(range(len(reddit.entries)))
    assert (posts.keys(), len(posts)) == (wanted.keys(), count)
    assert {kind for kind, _ in problems.counts} - GONE_KINDS == odd
    for fullname, post in posts.items():
        # A submission comes with each page of its thread, and its score has changed in between.
        assert as_kept(post) in [as_recorded(held, post) for held in wanted[fullname]]


def as_kept(post: CollectedPost) -> tuple[object, ...]:
    created = post.created_at and post.created_at.timestamp()
    return post.parent, created, post.score, post.permalink, post.author_id, post.title, post.body


def as_recorded(held: dict[str, Any], post: CollectedPost) -> tuple[object, ...]:
    """What should be kept of a recorded post; of one that is gone no words."""
    author = None if held["author"] == "[deleted]" else held["author"]
    words = (held.get("title", ""), held.get("selftext", held.get("body")))
    if post.state not in {PostState.VISIBLE, PostState.AUTOMATED}:
        words = (post.title, "")
    return held.get("parent_id"), held["created_utc"], held["score"], held.get("permalink", ""), author, *words


def test_recorded_look_ups_say_what_is_there_and_leave_out_what_is_gone() -> None:
    found: dict[str, CollectedPost | None] = {}
    with recorded("info_batches.json") as (reddit, source):
        for entry in reddit.entries:
            found |= source.look_up(parse_qs(urlsplit(entry["path"]).query)["id"][0].split(","))
    posts = {thing["data"]["name"] for thing in things_in([entry["json"] for entry in reddit.entries])}
    assert reddit.used == {0, 1, 2}
    assert {name for name, post in found.items() if post} == posts
    # Communities were asked for along with them, and are no posts.
    assert len([name for name, post in found.items() if post is None and not name.startswith("t5_")]) == 3
    assert len(posts) == 197


def test_recorded_posts_that_moderators_removed_are_told_from_those_that_stand() -> None:
    problems = Problems()
    with recorded("removed_by_category.json") as (reddit, source):
        things = list(source._reddit.subreddit("recorded").mod.spam(limit=100))
        posts = [post for thing in things if (post := to_collected(thing, "recorded", problems))]
    held = [thing["data"] for thing in things_in(reddit.entries[0]["json"])]
    assert {post.fullname: post.state for post in posts} == {one["name"]: state_of(one) for one in held}
    assert Counter(one.get("removed_by_category") for one in held) == {"moderator": 37, "reddit": 1, None: 62}
    assert problems.by_kind() == {"removed": 37, "filtered": 1}


def state_of(held: dict[str, Any]) -> PostState:
    """What moderators write as such is not read as a resident's words."""
    spoken = PostState.AUTOMATED if held["distinguished"] == "moderator" else PostState.VISIBLE
    return STATES.get(held.get("removed_by_category", ""), spoken)
