"""What forums refuse, hide or break, what is done about it and what the person who runs this sees; straight at the sources."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from config.schema import FOUND_BY_ADDRESS, REDDIT, Community
from config.settings import Settings, SettingsError, load_settings
from coprod_nlp.vocabulary import PostState
from flows.progress import listening
from flows.sources.base import CollectedPost, Problems, SourceRefusedError, SourceUnavailableError
from flows.sources.bluesky import EMPTY_PAGES
from flows.sources.live import Cursor, LiveSource, SourceSkippedError, Target
from flows.sources.table import LIVE, open_live
from flows.sources.wire import host_pace
from models.base import utc_now
from tests.fakes.bluesky import FakeBluesky
from tests.fakes.discourse import FakeDiscourse
from tests.fakes.lemmy import FakeLemmy
from tests.fakes.live import AUTHOR_KEY, Heard, SimulatedClock
from tests.fakes.mastodon import FakeMastodon
from tests.fakes.reddit_world import EVERY_S, World
from tests.fakes.rss import FakeRss
from tests.fakes.server import FakeServer, Fault

NAME = "marlowick"
SETTINGS = Settings(contact="listening@marlowick.example", author_key=AUTHOR_KEY)
KINDS: list[type[FakeServer]] = [FakeDiscourse, FakeMastodon, FakeLemmy, FakeBluesky, FakeRss]
EACH = [pytest.param(kind, id=kind.platform) for kind in KINDS]
MISSHAPEN = r"an answer of an unknown shape|does not understand"
Faults = Callable[[int, str], Fault | None]


@pytest.fixture
def world() -> World:
    world = World(began=int(utc_now().timestamp()) - EVERY_S * 2_000)
    world.grow(NAME, submissions=6, comments=60)
    return world


@pytest.fixture
def forum(request: pytest.FixtureRequest, world: World) -> Iterator[Any]:
    with request.param(world) as server:
        host_pace(server.host, allowed_a_minute=60, clock=SimulatedClock())
        yield server


@pytest.fixture
def source(forum: FakeServer) -> Iterator[LiveSource]:
    source = open_live(forum.platform, settings=SETTINGS)
    yield source
    source.close()


def community(forum: FakeServer, url: str = "") -> Community:
    return Community(platform=forum.platform, name=NAME, title=NAME, council="marlowick", category="place", url=url or forum.url(NAME))


def gathered(source: LiveSource, forum: FakeServer, cursor: Cursor | None = None, problems: Problems | None = None) -> list[CollectedPost]:
    return list(source.posts(Target(community(forum)), cursor or Cursor(), problems or Problems()))


def always(fault: Fault) -> Faults:
    return lambda _number, _path: fault


STOPPED = [
    pytest.param(Fault(status=429, headers={"retry-after": "5000"}), "asks to wait 5,000 s", id="asked to wait for very long"),
    pytest.param(Fault(status=503), "answered with error 503 5 times in a row", id="down"),
    pytest.param(Fault(is_dropped=True), "broke the connection off 5 times in a row", id="drops for ever"),
    pytest.param(Fault(is_half=True), "broke the connection off 5 times in a row", id="half answers for ever"),
]
ELSEWHERE = {"location": "http://192.0.2.1/"}
REFUSED = [
    pytest.param(Fault(status=404, body='{"error": "couldnt_find_community"}'), "missing_community", id="not there"),
    pytest.param(Fault(status=301, headers=ELSEWHERE), "missing_community", id="moved"),
    pytest.param(Fault(status=302, headers=ELSEWHERE), "missing_community", id="sent elsewhere"),
    pytest.param(Fault(status=401, body='{"error": "x", "message": "x"}'), "private_community", id="members only"),
    pytest.param(Fault(status=403, body='{"error": "x", "message": "x"}'), "private_community", id="forbidden"),
]


@pytest.mark.parametrize("forum", EACH, indirect=True)
@pytest.mark.parametrize(("fault", "words"), STOPPED)
def test_a_server_that_does_not_answer_soundly_is_given_up_on_and_may_be_tried_later(
    fault: Fault, words: str, forum: FakeServer, source: LiveSource
) -> None:
    forum.faults = always(fault)
    with pytest.raises(SourceUnavailableError, match=words):
        gathered(source, forum)


@pytest.mark.parametrize("forum", EACH, indirect=True)
@pytest.mark.parametrize(("fault", "kind"), REFUSED)
def test_a_community_that_is_not_shown_is_left_out_with_its_kind(fault: Fault, kind: str, forum: FakeServer, source: LiveSource) -> None:
    forum.faults = always(fault)
    with pytest.raises(SourceSkippedError) as skipped:
        gathered(source, forum)
    assert skipped.value.kind == kind
    # Redirects are not followed, and what is refused is not asked for again.
    assert len(forum.requests) == 1


NOTHING_THERE = [
    pytest.param(FakeBluesky, Fault(status=400, body='{"error": "UnknownFeed", "message": "could not find feed"}'), id="no such feed"),
    pytest.param(FakeRss, Fault(body="<!doctype html><title>Hello</title>", content_type="text/html"), id="a page and no feed"),
]  # fmt: skip


@pytest.mark.parametrize(("forum", "fault"), NOTHING_THERE, indirect=["forum"])
def test_an_address_at_which_there_is_nothing_of_its_kind_is_missing(fault: Fault, forum: FakeServer, source: LiveSource) -> None:
    forum.faults = always(fault)
    with pytest.raises(SourceSkippedError, match=r"check its url in communities\.toml") as skipped:
        gathered(source, forum)
    assert skipped.value.kind == "missing_community"


PAGES = [pytest.param(403, "forbidden_community", id="block page"), pytest.param(404, "missing_community", id="another site")]


@pytest.mark.parametrize("forum", [each for each in EACH if each.id != "rss"], indirect=True)
@pytest.mark.parametrize(("status", "kind"), PAGES)
def test_a_page_that_stands_where_the_forum_was_does_not_make_its_posts_gone(
    status: int, kind: str, world: World, forum: FakeServer, source: LiveSource
) -> None:
    forum.faults = always(Fault(status=status, body="<!doctype html><title>No</title>", content_type="text/html"))
    with pytest.raises(SourceSkippedError) as skipped:
        gathered(source, forum)
    assert skipped.value.kind == kind
    with pytest.raises(SourceSkippedError):
        source.look_up(forum.links(next(iter(world.items.values()))))


@pytest.mark.parametrize("forum", [each for each in EACH if each.id != "rss"], indirect=True)
@pytest.mark.parametrize("body", ['{"odd": []}', "[{}]", '{"topic_list": {"topics": [{"id": "x"}]}, "posts": [{}], "feed": [{}]}'])
def test_an_answer_of_an_unknown_shape_says_so_and_makes_no_post_gone(
    body: str, world: World, forum: FakeServer, source: LiveSource
) -> None:
    forum.faults = always(Fault(body=body))
    with pytest.raises(SourceUnavailableError, match=MISSHAPEN):
        gathered(source, forum)
    with pytest.raises(SourceUnavailableError, match=MISSHAPEN):
        source.look_up(forum.links(next(iter(world.items.values()))))


DEEPER = [
    pytest.param(FakeDiscourse, "/t/", '{"post_stream": {"posts": [{}]}}', id="a topic on Discourse"),
    pytest.param(FakeLemmy, "/api/v3/comment/list", '{"comments": [{}]}', id="comments on Lemmy"),
]


@pytest.mark.parametrize(("forum", "path", "body"), DEEPER, indirect=["forum"])
def test_an_answer_of_an_unknown_shape_below_a_sound_one_says_so_too(
    path: str, body: str, world: World, forum: FakeServer, source: LiveSource
) -> None:
    forum.faults = lambda _number, asked: Fault(body=body) if asked.startswith(path) else None
    with pytest.raises(SourceUnavailableError, match=MISSHAPEN):
        gathered(source, forum)
    with pytest.raises(SourceUnavailableError, match=MISSHAPEN):
        source.look_up(forum.links(next(item for item in world.items.values() if item.is_comment)))


@pytest.mark.parametrize("forum", [pytest.param(FakeBluesky, id="bluesky")], indirect=True)
def test_a_time_on_bluesky_that_is_none_says_so(
    world: World, forum: FakeBluesky, source: LiveSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fakes.bluesky._time", lambda _seconds: "yesterday")
    with pytest.raises(SourceUnavailableError, match=MISSHAPEN):
        gathered(source, forum)


@pytest.mark.parametrize("forum", EACH, indirect=True)
def test_a_walk_that_breaks_off_is_gone_on_with_and_nothing_is_lost(world: World, forum: FakeServer, source: LiveSource) -> None:
    world.grow(NAME, submissions=60, comments=200)
    cursor, got = Cursor(), []
    forum.faults = lambda number, _path: Fault(status=500) if number > 3 else None
    with pytest.raises(SourceUnavailableError) if forum.platform != "rss" else pytest.MonkeyPatch.context():
        got += list(source.posts(Target(community(forum)), cursor, Problems()))
    forum.faults = lambda _number, _path: None
    got += gathered(source, forum, cursor)
    assert {post.fullname for post in got} >= {forum.fullname(item) for item in world.items.values()}


HEALED = [
    pytest.param(Fault(status=429, headers={"retry-after": "31"}), 31, "asks us to wait", id="too many, with a time to wait"),
    pytest.param(Fault(status=429), 60, "asks us to wait", id="too many, without a time"),
    pytest.param(Fault(status=503), 2, "answered with error 503", id="error of the server"),
    pytest.param(Fault(status=408), 2, "answered with error 408", id="error 408"),
    pytest.param(Fault(body="<html>", content_type="text/html"), 2, "answered with a web page instead of data", id="page instead of data"),
    pytest.param(Fault(body='{"posts": '), 2, "answered with half an answer", id="half an answer"),
    pytest.param(Fault(is_dropped=True), 2, "broke the connection off", id="connection dropped"),
]


@pytest.mark.parametrize("forum", [pytest.param(FakeLemmy, id="lemmy")], indirect=True)
@pytest.mark.parametrize(("fault", "least_s", "why"), HEALED)
def test_a_fault_that_passes_is_waited_out_and_told_and_nothing_is_lost(
    fault: Fault, least_s: float, why: str, world: World, forum: FakeServer, source: LiveSource
) -> None:
    forum.faults = lambda number, _path: fault if number == 2 else None
    with listening(heard := Heard()):
        posts = gathered(source, forum)
    assert {post.fullname for post in posts} == {forum.fullname(item) for item in world.items.values()}
    assert least_s - 1 < max(seconds for seconds, said in heard.waits if said == f"{forum.host} {why}") <= least_s + 10


@pytest.mark.parametrize("forum", EACH, indirect=True)
def test_a_look_up_tells_nothing_of_posts_whose_server_is_out_of_reach(world: World, forum: FakeServer, source: LiveSource) -> None:
    ((here, link),) = forum.links(next(iter(world.items.values()))).items()
    with type(forum)(World()) as gone:
        host_pace(gone.host, allowed_a_minute=60, clock=SimulatedClock())
        there = here.replace(forum.host, gone.host)
    answers = source.look_up({there: link, here: link})
    assert answers.keys() == {here}
    with pytest.raises(SourceUnavailableError):
        source.look_up({there: link})


WRONG = [
    pytest.param(FakeDiscourse, "/u/ann", "category or tag", id="person on Discourse"),
    pytest.param(FakeDiscourse, "/", "category or tag", id="whole forum"),
    pytest.param(FakeMastodon, "/@ann", "hashtag or server's own timeline", id="person on Mastodon"),
    pytest.param(FakeLemmy, "/u/ann", "community of a server", id="person on Lemmy"),
    pytest.param(FakeBluesky, "/profile/ann.example", "feed or list", id="person on Bluesky"),
    pytest.param(FakeRss, "/users/ann/feed", "people are not followed", id="feed of a person"),
    pytest.param(FakeRss, "/@ann.rss", "people are not followed", id="feed of a Mastodon account"),
]


@pytest.mark.parametrize(("forum", "path", "words"), WRONG, indirect=["forum"])
def test_an_address_that_is_no_community_is_refused_without_a_request(path: str, words: str, forum: FakeServer, source: LiveSource) -> None:
    with pytest.raises(SourceRefusedError, match=words):
        list(source.posts(Target(community(forum, forum.address + path)), Cursor(), Problems()))
    assert forum.requests == []


@pytest.mark.parametrize("forum", EACH, indirect=True)
def test_an_address_that_others_could_listen_in_on_is_refused(forum: FakeServer, source: LiveSource) -> None:
    url = forum.url(NAME).replace(forum.host, "forum.example")
    with pytest.raises(SourceRefusedError, match="should begin with https://"):
        list(source.posts(Target(community(forum, url)), Cursor(), Problems()))


@pytest.mark.parametrize("forum", EACH, indirect=True)
def test_an_address_that_holds_a_password_is_refused_and_the_password_not_shown(forum: FakeServer, source: LiveSource) -> None:
    url = forum.url(NAME).replace("http://", "https://ann:hunter2@")
    with pytest.raises(SourceRefusedError, match="its url holds a password") as refused:
        list(source.posts(Target(community(forum, url)), Cursor(), Problems()))
    assert "hunter2" not in str(refused.value)
    assert forum.requests == []


@pytest.mark.parametrize("forum", EACH, indirect=True)
def test_without_somebody_who_answers_for_the_requests_none_is_made(forum: FakeServer) -> None:
    with pytest.raises(SourceRefusedError, match="COPROD_CONTACT"):
        open_live(forum.platform, settings=Settings())


def test_a_contact_that_nobody_can_write_to_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPROD_CONTACT", "the council")
    with pytest.raises(SettingsError, match="COPROD_CONTACT: should be a web page"):
        load_settings()


OPTED_OUT = [
    pytest.param({"indexable": False}, id="not to be found by search"),
    pytest.param({"indexable": None}, id="has not said so"),
    pytest.param({"locked": True}, id="locked"),
    pytest.param({"noindex": True}, id="not to be indexed"),
    pytest.param({"note": "<p>Gardens. #<span>nobot</span></p>"}, id="#nobot"),
    pytest.param({"fields": [{"name": "bots", "value": "<b>no bot</b>"}]}, id="no bot, in a field"),
]


@pytest.mark.parametrize("forum", [pytest.param(FakeMastodon, id="mastodon")], indirect=True)
@pytest.mark.parametrize("said", OPTED_OUT)
def test_people_on_mastodon_who_do_not_want_to_be_found_are_left_out_and_taken_out(
    said: dict[str, Any], world: World, forum: FakeMastodon, source: LiveSource
) -> None:
    item = next(iter(world.items.values()))
    forum.accounts[item.author] = said
    problems = Problems()
    posts = gathered(source, forum, problems=problems)
    own = [other for other in world.items.values() if other.author == item.author]
    assert len(posts) == len(world.items) - len(own)
    assert problems.by_kind() == {"opted_out": len(own)}
    assert source.look_up(forum.links(item)) == {forum.fullname(item): None}


@pytest.mark.parametrize("forum", [pytest.param(FakeMastodon, id="mastodon")], indirect=True)
def test_a_server_from_before_mastodon_4_3_is_asked_post_by_post(world: World, forum: FakeMastodon, source: LiveSource) -> None:
    forum.has_batches = False
    first, second, *_ = world.items.values()
    second.state = "lost"
    answers = source.look_up(forum.links(first, second))
    assert {name: post and post.state for name, post in answers.items()} == {
        forum.fullname(first): PostState.VISIBLE, forum.fullname(second): None,
    }  # fmt: skip


@pytest.mark.parametrize("forum", [pytest.param(FakeMastodon, id="mastodon")], indirect=True)
def test_a_token_goes_to_its_server_only_and_is_not_shown(forum: FakeMastodon) -> None:
    settings = Settings(contact="listening@marlowick.example", mastodon_tokens=f"{forum.host}=a-secret,other.example=another")
    source = open_live("mastodon", settings=settings)
    gathered(source, forum)
    assert forum.authorisations == {"Bearer a-secret"}
    forum.is_closed = True
    with pytest.raises(SourceRefusedError, match="COPROD_MASTODON_TOKENS") as refused:
        gathered(source, forum)
    assert "a-secret" not in str(refused.value)
    source.close()


@pytest.mark.parametrize("forum", [pytest.param(FakeBluesky, id="bluesky")], indirect=True)
@pytest.mark.parametrize("label", ["!no-unauthenticated", "!hide", "!takedown"])
def test_labels_on_bluesky_are_honoured(label: str, world: World, forum: FakeBluesky, source: LiveSource) -> None:
    item = next(iter(world.items.values()))
    forum.labels[item.author] = [label]
    problems = Problems()
    own = [other for other in world.items.values() if other.author == item.author]
    assert len(gathered(source, forum, problems=problems)) == len(world.items) - len(own)
    assert problems.by_kind() == {"opted_out": len(own)}
    assert source.look_up(forum.links(item)) == {forum.fullname(item): None}


@pytest.mark.parametrize("forum", [pytest.param(FakeBluesky, id="bluesky")], indirect=True)
def test_a_feed_that_shows_nothing_and_always_offers_more_comes_to_an_end(forum: FakeBluesky, source: LiveSource) -> None:
    forum.faults = lambda number, path: Fault(body=json.dumps({"feed": [], "cursor": str(number)})) if path.endswith("getFeed") else None
    assert gathered(source, forum) == []
    assert len([path for path in forum.requests if "getFeed" in path]) == EMPTY_PAGES


@pytest.mark.parametrize("forum", [pytest.param(FakeRss, id="rss")], indirect=True)
def test_a_feed_that_no_longer_reaches_back_is_a_gap_and_what_fell_off_its_end_is_not_gone(
    world: World, forum: FakeRss, source: LiveSource
) -> None:
    cursor, problems = Cursor(), Problems()
    gathered(source, forum, cursor)
    before = len(forum.requests)
    assert gathered(source, forum, cursor) == []
    old, fallen = list(world.items.values())[:2]
    world.grow(NAME, submissions=0, comments=30)
    forum.shown = 20
    assert len(gathered(source, forum, cursor, problems)) == 20
    assert problems.by_kind() == {"gap": 1}
    assert len(forum.requests) == before + 2
    newest = list(world.items.values())[-3]
    newest.state = "lost"
    answers = source.look_up(forum.links(old, fallen, newest))
    assert answers == {forum.fullname(newest): None}


@pytest.mark.parametrize("forum", EACH, indirect=True)
def test_a_search_term_is_refused_where_it_would_narrow_nothing(forum: FakeServer) -> None:
    with pytest.raises(ValidationError, match="is for Reddit only"):
        Community.model_validate(community(forum).model_dump() | {"search": ("compost",)})


def test_the_tests_of_forums_name_every_live_source() -> None:
    assert {kind.platform for kind in KINDS} == FOUND_BY_ADDRESS == LIVE.keys() - {REDDIT}
    assert all((Path(__file__).parents[2] / "docs" / "sources" / f"{name}.md").exists() for name in LIVE)
