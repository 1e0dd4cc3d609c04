"""Polling a forum, and what is stored afterwards beside what the forum shows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlmodel import select

from config.settings import author_key
from coprod_nlp.vocabulary import PostState, RunStatus
from flows.job import Job
from flows.reconciliation import reconcile_all
from flows.steps.collect import collect
from models.base import utc_now
from models.post import Post
from models.session import unit_of_work
from tests.fakes.forum import Forum
from tests.fakes.live import AUTHOR_KEY, live_job, live_settings
from tests.fakes.reddit_world import Item

ALL_DUE_HOURS = 1_000.0


def polled(home: Path, forum: Forum) -> Job:
    """A run that has gathered, and will not be gone on with."""
    job = live_job(live_settings(home, home / "config"), platform=forum.platform)
    collect(job)
    job.update(status=RunStatus.FINISHED, finished_at=utc_now())
    return job


def reconciled(job: Job, forum: Forum) -> dict[str, int]:
    """Every stored post looked at again."""
    return reconcile_all(
        job.engine, settings=job.settings, config=job.config, by="test", platform=forum.platform, within_hours=ALL_DUE_HOURS
    )


def rows(job: Job, table: Any = Post) -> list[Any]:
    with unit_of_work(job.engine) as session:
        return list(session.scalars(select(table)))


def stored(job: Job, forum: Forum) -> dict[str, Post]:
    return {post.post_id.removeprefix(f"{forum.platform}:"): post for post in rows(job)}


def upset(forum: Forum, gone: Mapping[str, int], *, edited: int) -> tuple[dict[str, list[Item]], list[str]]:
    """Posts of a World go, so many to each state, and some are edited. Those that went, by state, and the words to be kept nowhere."""
    world = forum.world
    went = {state: world.pick(count) for state, count in gone.items()}
    for state, items in went.items():
        for item in items:
            item.state = state if item.state == "visible" else item.state
    words = [item.body for item in world.items.values() if forum.expected(item) is not PostState.VISIBLE]
    for item in world.pick(edited):
        words.append(item.body)
        world.edit(item)
    return went, words


def differences(posts: dict[str, Post], forum: Forum, items: list[Item]) -> list[str]:
    """Items that the store does not hold as their forum does."""
    found = []
    for item in items:
        name, state = forum.fullname(item), forum.expected(item)
        post = posts.get(name)
        if post is None:
            # What went before it was ever seen, with its thread say, leaves no place.
            found += [f"{name} is not there"] if state is PostState.VISIBLE else []
        elif state is not PostState.VISIBLE:
            if (post.title, post.body, post.author_key, post.permalink) != ("", "", None, "") or post.state != (
                state or PostState.VANISHED
            ):
                found.append(f"{name} should be an empty place, {state}, and is {post.state}")
        elif (post.title, post.body, post.state, post.author_key) != (*forum.words(item), state, key_of(forum, item)):
            found.append(f"{name} is {post.state}, with other words or another author")
        elif (post.parent_id, post.thread_id) != (_id(forum, forum.parent(item)), _id(forum, forum.thread(item))):
            found.append(f"{name} hangs elsewhere: {post.parent_id}, {post.thread_id}")
    return found


def key_of(forum: Forum, item: Item) -> str:
    return author_key((AUTHOR_KEY.encode(),), platform=forum.platform, author_id=forum.author_id(item))


def _id(forum: Forum, name: str | None) -> str | None:
    return name and f"{forum.platform}:{name}"


def left_anywhere(home: Path, texts: list[str]) -> list[str]:
    """Texts that some file below a folder still holds."""
    contents = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    return [text for text in texts if any(text.encode() in content for content in contents)]
