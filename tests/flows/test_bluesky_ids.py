"""Addresses of posts on Bluesky name their authors: they stand in links alone, go with them, and a post is found by them all the same."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, update

from config.settings import Settings
from coprod_nlp.excerpt import safe_link
from coprod_nlp.vocabulary import RunStatus
from flows.job import Job, RequestError
from flows.keys import rotate_key
from flows.rights import erase_message, find_person
from flows.sources.wire import host_pace
from flows.steps.collect import collect
from models import right_queries
from models.base import utc_now
from models.bulk import upsert
from models.post import Post
from models.provenance import Provenance
from models.session import unit_of_work
from tests.fakes.bluesky import FakeBluesky
from tests.fakes.kept import polled, reconciled, rows, stored
from tests.fakes.live import AUTHOR_KEY, SimulatedClock, live_job, live_settings, write_config
from tests.fakes.reddit_world import EVERY_S, Item, World
from tests.fakes.traces import traces

NAME = "marlowick"
NEW_KEY = "fedcba9876543210-another-key-for-tests"


@pytest.fixture
def forum() -> Iterator[FakeBluesky]:
    world = World(began=int(utc_now().timestamp()) - EVERY_S * 2_000)
    world.grow(NAME, submissions=4, comments=20)
    with FakeBluesky(world) as server:
        host_pace(server.host, allowed_a_minute=60, clock=SimulatedClock())
        yield server


@pytest.fixture
def home(tmp_path: Path, forum: FakeBluesky) -> Path:
    write_config(tmp_path / "config", NAME, platform=forum.platform, url=forum.url)
    return tmp_path


@pytest.fixture
def job(home: Path, forum: FakeBluesky) -> Job:
    return polled(home, forum)


def first(forum: FakeBluesky) -> Item:
    return next(iter(forum.world.items.values()))


def dids(forum: FakeBluesky) -> list[str]:
    return sorted({forum.author_id(item) for item in forum.world.items.values()})


def parts(forum: FakeBluesky, item: Item) -> tuple[str, str, str]:
    """Page, name and key of a post."""
    page = forum.permalink(item).partition("#")[0]
    return page, page.split("/")[4], page.split("/")[6]


def person(job: Job, permalink: str) -> Any:
    return find_person(job.engine, settings=job.settings, config=job.config, handle=None, on=[], permalink=permalink)


def test_who_wrote_a_post_stands_in_its_link_alone_and_nowhere_once_it_is_gone(job: Job, forum: FakeBluesky, home: Path) -> None:
    assert len(rows(job)) == 24
    assert traces(*dids(forum), engine=job.engine) == {"post.permalink"}
    for item in forum.world.items.values():
        item.state = "deleted"
    assert reconciled(job, forum)["vanished"] == 24
    assert traces(*dids(forum), engine=job.engine, folders=[home]) == set()
    # Nothing is left to ask by, so nothing is late either.
    assert reconciled(job, forum)["late"] == 0
    with job.engine.connect() as connection:
        assert right_queries.count_due(connection, "bluesky", seen_before=utc_now()) == 0


def test_officers_are_shown_the_page_of_a_post_and_not_what_programs_ask_by(job: Job, forum: FakeBluesky) -> None:
    item = first(forum)
    assert safe_link(stored(job, forum)[forum.fullname(item)].permalink) == parts(forum, item)[0]


LINKS: list[Any] = [
    pytest.param(lambda _uri, name, key: f"https://bsky.app/profile/{name}/post/{key}", id="its page"),
    pytest.param(lambda _uri, name, key: f"https://bsky.app/profile/{name}/post/{key}/?ref_src=embed", id="its page, with more"),
    pytest.param(lambda uri, _name, key: f"https://bsky.app/profile/{uri.split('/')[2]}/post/{key}", id="its page, by the permanent id"),
    pytest.param(lambda uri, _name, _key: uri, id="what programs ask by"),
]


@pytest.mark.parametrize("link", LINKS)
def test_a_post_is_found_by_a_link_as_people_give_it(link: Callable[..., str], job: Job, forum: FakeBluesky) -> None:
    item = first(forum)
    _, name, key = parts(forum, item)
    assert person(job, link(forum.uri(item), name, key)).post_id == f"bluesky:{forum.fullname(item)}"


def test_a_link_to_another_account_s_post_of_the_same_key_finds_nobody(job: Job, forum: FakeBluesky) -> None:
    key = parts(forum, first(forum))[2]
    for who in ("somebody-else.example", "did:plc:somebodyelse", "%"):
        with pytest.raises(RequestError, match="no message of this address"):
            person(job, f"https://bsky.app/profile/{who}/post/{key}")


def test_under_a_new_secret_posts_keep_their_ids_and_what_was_erased_stays_out(job: Job, forum: FakeBluesky, home: Path) -> None:
    item = next(item for item in forum.world.items.values() if item.is_comment)
    asked = person(job, parts(forum, item)[0])
    erase_message(job.engine, asked, case="DPO-1", by="dpo", out=home / "out", settings=job.settings, config=job.config)
    before = stored(job, forum)
    settings = Settings(**{**live_settings(home, home / "config").model_dump(), "author_key": f"{AUTHOR_KEY},{NEW_KEY}"})
    rotate_key(job.engine, settings, by="dpo")
    again = live_job(settings, platform="bluesky")
    collect(again)
    again.update(status=RunStatus.FINISHED, finished_at=utc_now())
    after = stored(again, forum)
    assert after.keys() == before.keys() == {forum.fullname(one) for one in forum.world.items.values() if one is not item}
    assert all(after[name].author_key != post.author_key for name, post in before.items())
    assert reconciled(again, forum)["changed"] == 0


def test_posts_stored_under_the_ids_of_before_are_emptied_when_they_go_and_never_stored_twice(job: Job, forum: FakeBluesky) -> None:
    kept, gone = list(forum.world.items.values())[:2]
    now = {forum.fullname(item): item for item in (kept, gone)}
    for name, item in now.items():
        old = {"post_id": f"bluesky:{forum.host}/{forum.author_id(item)}/{parts(forum, item)[2]}"}
        with job.engine.begin() as connection:
            post = stored(job, forum)[name].model_dump()
            upsert(connection, Post, [post | old | {"permalink": parts(forum, item)[0]}])
            connection.execute(update(Provenance).where(col(Provenance.post_id) == post["post_id"]).values(**old))
        with unit_of_work(job.engine) as session:
            session.delete(session.get_one(Post, post["post_id"]))
    forum.world.edit(kept)
    gone.state = "deleted"
    assert reconciled(job, forum)["vanished"] == 1
    found = [post for post in rows(job) if "did:plc:" in post.post_id]
    assert len(rows(job)) == 24
    assert sorted(post.state for post in found) == ["vanished", "visible"]
