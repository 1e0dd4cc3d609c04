"""Each kind of fault on the way to Reddit: what is done about it, and what the person at the terminal or the report sees."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from coprod_nlp.vocabulary import RunStatus
from flows.job import Job
from flows.progress import listening
from flows.sources.base import Problems, SourceError, SourceRefusedError, SourceUnavailableError
from flows.sources.live import Cursor, Target
from flows.sources.pace import Pace
from flows.sources.permission import permit
from flows.sources.reddit import OVERLAP, RedditSource, open_reddit, pace_of
from flows.steps.collect import collect
from models.base import utc_now
from models.post import Post
from models.provenance import Poll
from models.run import RunProblem
from models.session import unit_of_work
from tests.fakes.live import Heard, SimulatedClock, live_job, live_settings, write_config
from tests.fakes.reddit import ACCOUNT, CLIENT_ID, CLIENT_SECRET, PAGE_FAULT, FakeReddit
from tests.fakes.reddit_world import World
from tests.fakes.server import Fault

FIRST, SECOND = "marlowick", "merle"
OVERLAP_S = int(OVERLAP.total_seconds())
Faults = Callable[[int, str], Fault | None]
pace_of(CLIENT_ID, clock=SimulatedClock())
pace_of("another-app", clock=SimulatedClock())


@pytest.fixture
def world() -> World:
    world = World()
    for name in (FIRST, SECOND):
        world.grow(name, submissions=6, comments=30)
    return world


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_config(tmp_path / "config", FIRST, SECOND)
    return tmp_path


@pytest.fixture
def heard() -> Iterator[Heard]:
    with listening(heard := Heard()):
        yield heard


def job_for(home: Path, reddit: FakeReddit, **settings: Any) -> Job:
    return live_job(live_settings(home, home / "config", reddit.address, **settings))


def gathered(job: Job) -> Job:
    collect(job)
    job.update(status=RunStatus.FINISHED, finished_at=utc_now())
    return job


def rows(job: Job, table: Any) -> list[Any]:
    with unit_of_work(job.engine) as session:
        return list(session.scalars(select(table)))


def names(job: Job) -> set[str]:
    return {post.post_id.removeprefix("reddit:") for post in rows(job, Post)}


def problems(job: Job) -> dict[str, str]:
    return {problem.kind: problem.place for problem in rows(job, RunProblem) if problem.run_id == job.run_id}


def of(world: World, community: str) -> set[str]:
    return {name for name, item in world.items.items() if item.community == community}


def once(fault: Fault, *, at: int = 4) -> Faults:
    return lambda number, _path: fault if number == at else None


def always(fault: Fault, start: str = "/") -> Faults:
    return lambda _number, path: fault if path.startswith(start) else None


def dated() -> Faults:
    """A refusal until ten minutes from the moment it is given."""

    def faults(number: int, _path: str) -> Fault | None:
        until = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
        return Fault(status=429, headers={"retry-after": until}) if number == 4 else None

    return faults


HEALED = [
    pytest.param(once(Fault(status=429, headers={"retry-after": "31"})), 31, "Reddit asks us to wait", id="too many, with a time to wait"),
    pytest.param(dated(), 590, "Reddit asks us to wait", id="too many, with a date"),
    pytest.param(once(Fault(status=429)), 60, "Reddit asks us to wait", id="too many, without a time"),
    pytest.param(once(Fault(status=500)), 2, "Reddit answered with error 500", id="error of the server"),
    pytest.param(once(Fault(status=503, content_type="text/html")), 2, "Reddit answered with error 503", id="error with a page"),
    pytest.param(once(Fault(status=520)), 2, "Reddit answered with error 520", id="error of the network before it"),
    pytest.param(once(Fault(status=408)), 2, "Reddit answered with error 408", id="error 408"),
    pytest.param(once(PAGE_FAULT), 2, "Reddit answered with a web page instead of data", id="page instead of data"),
    pytest.param(once(Fault(body='{"kind": "Lis')), 2, "Reddit answered with half an answer", id="half an answer"),
    pytest.param(once(Fault(is_half=True)), 2, "Reddit broke the connection off", id="connection ends half-way"),
    pytest.param(once(Fault(is_dropped=True)), 2, "Reddit broke the connection off", id="connection dropped"),
    pytest.param(once(Fault(status=500), at=1), 2, "Reddit answered with error 500", id="error when asking for a token"),
]  # fmt: skip


@pytest.mark.parametrize(("faults", "least_s", "why"), HEALED)
def test_a_fault_that_passes_is_waited_out_and_told_and_nothing_is_lost(
    faults: Faults, least_s: float, why: str, world: World, reddit: FakeReddit, home: Path, heard: Heard
) -> None:
    reddit.faults = faults
    job = gathered(job_for(home, reddit))
    assert names(job) == set(world.items)
    assert least_s - 1 < max(seconds for seconds, said in heard.waits if said == why) <= least_s + 10
    assert problems(job) == {}


def test_an_error_that_stays_is_asked_about_after_2_4_8_and_16_seconds(world: World, reddit: FakeReddit, home: Path, heard: Heard) -> None:
    reddit.faults = lambda number, _path: Fault(status=503) if 4 <= number < 8 else None
    job = gathered(job_for(home, reddit))
    assert [round(seconds) for seconds in heard.beginnings("Reddit answered with error 503")] == [2, 4, 8, 16]
    assert names(job) == set(world.items)


def test_a_limit_that_reddit_announces_is_kept_without_one_refusal(world: World, home: Path, heard: Heard) -> None:
    clock = SimulatedClock()
    pace_of("shared-app", clock=clock)
    with FakeReddit(world, allowed=4, now=clock.now, client_id="shared-app") as reddit:
        job = gathered(job_for(home, reddit, client_id="shared-app"))
    assert names(job) == set(world.items)
    assert reddit.refused == 0
    assert (max(heard.waits)[1], clock.seconds > 600) == ("Reddit's limit", True)


def test_a_token_that_has_run_out_is_renewed_without_a_word(world: World, reddit: FakeReddit, home: Path) -> None:
    def change(number: int, _path: str) -> None:
        if number == 5:
            reddit.token = "token-2"

    reddit.faults = change
    job = gathered(job_for(home, reddit))
    assert (names(job), problems(job), reddit.asked("/api/v1/access_token")) == (set(world.items), {}, 2)


SKIPPED = [
    pytest.param("private", "private_community", "is private", id="private"),
    pytest.param("gold_only", "private_community", "is for paying members", id="for paying members"),
    pytest.param("quarantined", "quarantined_community", "is quarantined", id="quarantined"),
    pytest.param("banned", "banned_community", "was banned by Reddit", id="banned"),
    pytest.param("missing", "missing_community", "is not there", id="not there"),
]


@pytest.mark.parametrize(("reason", "kind", "words"), SKIPPED)
def test_a_community_that_is_closed_is_left_out_with_its_reason_and_the_others_are_gathered(
    reason: str, kind: str, words: str, world: World, reddit: FakeReddit, home: Path
) -> None:
    world.closed[FIRST] = reason
    job = gathered(job_for(home, reddit))
    assert names(job) == of(world, SECOND)
    assert problems(job) == {kind: f"reddit:{FIRST}"}
    assert {poll.community_id: (poll.outcome, poll.reason) for poll in rows(job, Poll)} == {
        f"reddit:{FIRST}": ("skipped", f"reddit:{FIRST} {words}"),
        f"reddit:{SECOND}": ("finished", ""),
    }
    assert job.run().communities == [f"reddit:{FIRST}", f"reddit:{SECOND}"]


CLOSED_BY_STATUS = [
    pytest.param(Fault(status=302, headers={"location": "/subreddits/search?q=x"}), "missing_community", id="sent on to the search"),
    pytest.param(Fault(status=403), "forbidden_community", id="forbidden without a reason"),
    pytest.param(Fault(status=403, headers={"www-authenticate": 'Bearer error="odd"'}), "forbidden_community", id="forbidden, oddly"),
    pytest.param(Fault(status=451), "forbidden_community", id="closed by law"),
    pytest.param(Fault(status=400), "refused_search", id="request not taken"),
    pytest.param(Fault(status=404, body="[]"), "missing_community", id="not there, of another shape"),
    pytest.param(Fault(body="{}"), "unavailable_community", id="answer of another shape"),
    pytest.param(Fault(status=500), "unavailable_community", id="error that does not pass"),
]


@pytest.mark.parametrize(("fault", "kind"), CLOSED_BY_STATUS)
def test_a_community_that_does_not_come_is_counted_and_the_others_are_gathered(
    fault: Fault, kind: str, world: World, reddit: FakeReddit, home: Path
) -> None:
    reddit.faults = always(fault, f"/r/{FIRST}/")
    job = gathered(job_for(home, reddit))
    assert (names(job), problems(job)) == (of(world, SECOND), {kind: f"reddit:{FIRST}"})


LONG = Fault(status=429, headers={"retry-after": "5000"})
STOPPED = [
    pytest.param(always(LONG), SourceUnavailableError, "asks to wait 5,000 s", id="asked to wait for very long"),
    pytest.param(always(Fault(status=503)), SourceUnavailableError, "answered with error 503 5 times in a row", id="down"),
    pytest.param(always(PAGE_FAULT), SourceUnavailableError, "a web page instead of data 5 times", id="pages for ever"),
    pytest.param(always(Fault(is_dropped=True)), SourceUnavailableError, "broke the connection off 5 times", id="drops for ever"),
    pytest.param(always(Fault(body="{}"), "/r/"), SourceUnavailableError, "does not understand", id="other shapes for ever"),
    pytest.param(always(Fault(status=403), "/api/v1"), SourceRefusedError, "COPROD_REDDIT_CLIENT_ID", id="token refused"),
    pytest.param(always(Fault(body='{"error": "x"}'), "/api/v1"), SourceRefusedError, "credentials", id="token refused politely"),
    pytest.param(always(Fault(status=401), "/r/"), SourceRefusedError, "does not let this app read any more", id="token never taken"),
    pytest.param(
        always(Fault(status=403, body="<html>", content_type="text/html"), "/r/"), SourceRefusedError, "block page", id="blocked"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("faults", "kind", "words"), STOPPED)
def test_what_stops_a_run_says_what_to_do_and_the_next_run_gathers_everything(
    faults: Faults, kind: type[SourceError], words: str, world: World, reddit: FakeReddit, home: Path
) -> None:
    reddit.faults = faults
    job = job_for(home, reddit)
    with pytest.raises(kind, match=re.escape(words)) as stopped:
        collect(job)
    assert not [secret for secret in (CLIENT_SECRET, reddit.token, "not-a-real") if secret in str(stopped.value)]
    assert {poll.outcome for poll in rows(job, Poll)} == {"stopped" if kind is SourceRefusedError else "unavailable"}
    assert str(stopped.value) in {poll.reason for poll in rows(job, Poll)}
    reddit.faults = lambda _number, _path: None
    assert names(gathered(job_for(home, reddit))) == set(world.items)


def test_wrong_credentials_stop_the_run_after_one_request(world: World, reddit: FakeReddit, home: Path) -> None:
    with pytest.raises(SourceRefusedError, match="did not take the credentials"):
        collect(job_for(home, reddit, client_id="another-app"))
    assert reddit.requests == [("POST", "/api/v1/access_token")]


def test_a_server_that_is_not_there_is_told(reddit: FakeReddit, home: Path) -> None:
    with FakeReddit(World()) as gone:
        job = job_for(home, gone)
    with pytest.raises(SourceUnavailableError, match="broke the connection off 5 times in a row; try again later"):
        collect(job)


def test_a_server_that_never_answers_is_given_up_on(world: World, reddit: FakeReddit, home: Path) -> None:
    target = Target(next(c for c in live_job(live_settings(home, home / "config", reddit.address)).config.communities if c.name == FIRST))
    source = RedditSource(
        client_id=CLIENT_ID, client_secret=CLIENT_SECRET, account=ACCOUNT, address=reddit.address,
        pace=Pace(100, clock=SimulatedClock()), timeouts_s=(1.0, 0.05),
    )  # fmt: skip
    reddit.faults = always(Fault(wait_s=0.3), "/r/")
    with pytest.raises(SourceUnavailableError, match="did not answer in time 5 times in a row"):
        list(source.posts(target, Cursor(), Problems()))
    source.close()


def test_a_thread_that_fails_is_counted_and_comes_with_the_next_run(world: World, reddit: FakeReddit, home: Path) -> None:
    thread = next(item for item in world.items.values() if item.fullname.startswith("t3_") and world.answers[item.fullname])
    # Too old for the next run to come upon it by itself.
    world.began += OVERLAP_S * 2
    world.grow(thread.community, submissions=2, comments=2)
    reddit.faults = always(Fault(status=500), f"/comments/{thread.fullname[3:]}/")
    job = gathered(job_for(home, reddit))
    assert problems(job)["unreadable_thread"] == f"reddit:{thread.community}"
    assert thread.fullname not in names(job)
    assert of(world, SECOND) <= names(job)
    reddit.faults = lambda _number, _path: None
    job = gathered(job_for(home, reddit))
    assert names(job) == set(world.items)


def test_a_thread_that_fails_in_three_runs_is_given_up_and_said_to_be_lost(world: World, reddit: FakeReddit, home: Path) -> None:
    thread = next(item for item in world.items.values() if item.fullname.startswith("t3_") and world.answers[item.fullname])
    reddit.faults = always(Fault(status=404), f"/comments/{thread.fullname[3:]}/")
    found = [problems(gathered(job_for(home, reddit))).keys() & {"unreadable_thread", "lost_thread"} for _ in range(3)]
    assert found == [{"unreadable_thread"}, {"unreadable_thread"}, {"lost_thread"}]


def test_a_thread_of_which_a_part_fails_is_kept_and_completed_by_the_next_run(world: World, reddit: FakeReddit, tmp_path: Path) -> None:
    # By a search term: there no listing of comments makes up for it. Too old for the next run to come upon it by itself.
    write_config(tmp_path / "config", FIRST, community='search = ["orchard"]')
    top = world.submit(FIRST, title="An orchard for all")
    for _ in range(70):
        world.answer(top)
    world.began += OVERLAP_S * 8
    world.submit(FIRST, title="Another orchard")
    hidden = set(world.answers[top.fullname])
    reddit.faults = always(Fault(status=500), "/api/morechildren")
    job = gathered(job_for(tmp_path, reddit))
    assert problems(job).keys() == {"partial_thread"}
    assert top.fullname in names(job)
    assert names(job) & hidden < hidden
    reddit.faults = lambda _number, _path: None
    assert hidden <= names(gathered(job_for(tmp_path, reddit)))


def test_a_community_that_closes_in_the_middle_is_left_after_three_threads(world: World, reddit: FakeReddit, home: Path) -> None:
    threads = [world.submit(FIRST) for _ in range(8)]
    for thread in threads:
        world.answer(thread)

    def close(number: int, path: str) -> None:
        if path.startswith("/comments/") and number > 4:
            world.closed[FIRST] = "private"

    reddit.faults = close
    job = gathered(job_for(home, reddit))
    assert problems(job)["private_community"] == f"reddit:{FIRST}"
    came = {item.thread for item in world.items.values() if item.community == FIRST and item.fullname in names(job)}
    asked = [name for name in of(world, FIRST) if reddit.asked(f"/comments/{name[3:]}/")]
    assert (len(asked), bool(came)) == (len(came & set(asked)) + 3, True)
    assert of(world, SECOND) <= names(job)
    world.closed, reddit.faults = {}, lambda _number, _path: None
    assert names(gathered(job_for(home, reddit))) == set(world.items)


def test_more_than_reddit_lists_is_reported_as_a_gap_with_its_times(world: World, reddit: FakeReddit, home: Path) -> None:
    gathered(job_for(home, reddit))
    before = world.now
    world.grow(FIRST, submissions=1_005, comments=0)
    job = gathered(job_for(home, reddit))
    assert problems(job)["gap"] == f"reddit:{FIRST}"
    (gap,) = [gap for poll in rows(job, Poll) if poll.run_id == job.run_id for gap in poll.gaps]
    assert datetime.fromisoformat(gap["since"]).timestamp() < before < datetime.fromisoformat(gap["until"]).timestamp()
    assert gap["reason"] == "submissions: Reddit lists only the newest 1,000"
    assert "gap" not in problems(gathered(job_for(home, reddit)))


def test_the_cursor_speaks_only_of_what_was_given_before(reddit: FakeReddit, world: World, home: Path) -> None:
    settings = live_settings(home, home / "config", reddit.address)
    target = permit(live_job(settings).config, platform="reddit", council="marlowick", campaign=None, today=utc_now().date()).targets[0]
    source, cursor, given = open_reddit(settings), Cursor(), set[str]()
    for post in source.posts(target, cursor, Problems()):
        until = cursor.state.get("thread", cursor.state.get("submissions", 0))
        promised = {name for name in of(world, FIRST) if world.items[world.items[name].thread].created <= until}
        assert promised <= given
        given.add(post.fullname)
    assert given == of(world, FIRST)
    source.close()


def test_a_request_to_any_other_host_is_held_back(reddit: FakeReddit, home: Path) -> None:
    settings = live_settings(home, home / "config", reddit.address)
    target = permit(live_job(settings).config, platform="reddit", council="marlowick", campaign=None, today=utc_now().date()).targets[0]
    source = RedditSource(
        client_id=CLIENT_ID, client_secret=CLIENT_SECRET, account=ACCOUNT, address=reddit.address, pace=Pace(100, clock=SimulatedClock())
    )
    reddit.faults = always(Fault(status=302, headers={"location": "http://127.0.0.1:9/elsewhere"}), "/api/v1")
    with pytest.raises(SourceRefusedError, match="status 302"):
        list(source.posts(target, Cursor(), Problems()))
    reddit.faults = lambda _number, _path: None
    with pytest.raises(SourceRefusedError, match=r"a request to example\.org was held back"):
        source._reddit.request(method="GET", path="http://example.org/steal")
    source.close()
