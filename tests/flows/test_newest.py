"""A listing that shows the newest first, walked over several polls: nothing is skipped, and what was given is not asked for again."""

from contextlib import nullcontext
from datetime import datetime, timedelta

import pytest

from config.load import load_config
from flows.sources.base import CollectedPost, Problems, SourceUnavailableError
from flows.sources.live import Cursor, Target
from flows.sources.newest import FIRST_REACH, OVERLAP, Found, NewestFirst, Page
from models.base import utc_now
from tests.fakes.told_source import told_post

A_PAGE = 4
TARGET = Target(load_config().communities[0])


class Forum:
    """Posts a day apart, the newest now, a few on a page; `breaks_at` is the page that does not come."""

    def __init__(self, posts: int) -> None:
        self._now = utc_now()
        self.moments = [self._now - timedelta(days=number, hours=1) for number in range(posts)]
        self.breaks_at: int | None = None
        self.asked: list[int] = []

    def write(self, posts: int) -> None:
        """Newer posts, each a minute after the one before."""
        self.moments[:0] = [self._now + timedelta(minutes=number) for number in reversed(range(posts))]

    def listing(self, at: str | None, _floor: datetime) -> Page:
        # A place is a time: what is new meanwhile does not shift it.
        here = [moment for moment in self.moments if at is None or moment < datetime.fromisoformat(at)]
        self.asked.append(self.moments.index(here[0]) // A_PAGE if here else -1)
        if self.breaks_at == self.asked[-1]:
            raise SourceUnavailableError("broken off")
        shown = here[:A_PAGE]
        found = [Found(moment, [_post(moment)]) for moment in shown]
        return Page(found, shown[-1].isoformat() if len(here) > A_PAGE else None)


def _post(moment: datetime) -> CollectedPost:
    return told_post(f"t3_{moment.isoformat()}", "Somebody asked for a bench.", created_at=moment)


def polled(forum: Forum, cursor: Cursor, *, breaks_at: int | None = None) -> list[datetime]:
    """The times of what one poll gives, until it breaks off if it does."""
    forum.breaks_at = breaks_at
    forum.asked.clear()
    given: list[datetime] = []
    posts = NewestFirst("posts", forum.listing, target=TARGET, cursor=cursor, problems=Problems()).posts()
    with pytest.raises(SourceUnavailableError) if breaks_at is not None else nullcontext():
        given.extend(post.created_at for post in posts if post.created_at)
    return given


def test_a_first_poll_gives_what_is_recent_enough_and_the_next_only_what_is_new_and_the_overlap() -> None:
    forum, cursor = Forum(posts=FIRST_REACH.days + 20), Cursor()
    assert polled(forum, cursor) == forum.moments[: FIRST_REACH.days]
    newest = forum.moments[0]
    forum.write(2)
    assert polled(forum, cursor) == [moment for moment in forum.moments if moment >= newest - OVERLAP]


def test_a_walk_that_breaks_off_goes_on_at_the_page_that_did_not_come() -> None:
    forum, cursor = Forum(posts=40), Cursor()
    before = polled(forum, cursor, breaks_at=6)
    assert before == forum.moments[: 6 * A_PAGE]
    after = polled(forum, cursor)
    assert forum.asked[:4] == [6, 7, 8, 9]
    assert after[: 40 - len(before)] == forum.moments[6 * A_PAGE :]
    # Then from the top, as far as the overlap reaches.
    assert after[40 - len(before) :] == [moment for moment in forum.moments if moment >= forum.moments[0] - OVERLAP]


def test_what_was_written_while_a_walk_lay_broken_off_comes_with_the_rest() -> None:
    forum, cursor = Forum(posts=40), Cursor()
    before = polled(forum, cursor, breaks_at=6)
    forum.write(10)
    after = polled(forum, cursor)
    assert {*before, *after} == set(forum.moments)
    assert forum.asked[0] > 6


def test_a_walk_that_breaks_off_twice_loses_nothing() -> None:
    forum, cursor = Forum(posts=40), Cursor()
    given = [*polled(forum, cursor, breaks_at=2), *polled(forum, cursor, breaks_at=7), *polled(forum, cursor)]
    assert set(given) == set(forum.moments)


def test_until_a_walk_is_done_the_cursor_does_not_say_that_all_is_given() -> None:
    forum, cursor = Forum(posts=40), Cursor()
    polled(forum, cursor, breaks_at=6)
    assert cursor.state["posts"].keys() == {"walk"}
    polled(forum, cursor)
    assert cursor.state["posts"] == {"until": forum.moments[0].isoformat()}


def test_an_entry_dated_in_the_future_hides_nothing_that_comes_after_it() -> None:
    forum, cursor = Forum(posts=3), Cursor()
    event = utc_now() + timedelta(days=60)
    forum.moments.insert(0, event)
    assert event in polled(forum, cursor)
    forum.write(2)
    new = forum.moments[:2]
    assert [moment for moment in polled(forum, cursor) if moment in new] == new


def test_a_cursor_that_was_set_in_the_future_before_is_of_now() -> None:
    forum, cursor = Forum(posts=3), Cursor()
    cursor.state = {"posts": {"until": (utc_now() + timedelta(days=60)).isoformat()}}
    assert polled(forum, cursor) == [moment for moment in forum.moments if moment > utc_now() - OVERLAP]
