"""The real PRAW against a server that answers as Reddit does: three polls of a community that changes, faults and a kill on the way."""

import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select, update

from config.settings import author_key
from coprod_nlp.vocabulary import PostState, Right, RunStatus
from flows.job import Job
from flows.labels.export import export_queue
from flows.reconciliation import reconcile_all
from flows.sources.base import SourceUnavailableError
from flows.sources.reddit import pace_of
from flows.steps.collect import collect
from models import right_actions
from models.base import utc_now
from models.cursor import SourceCursor
from models.post import Post
from models.provenance import Poll, Provenance
from models.run import RunProblem
from models.session import unit_of_work
from tests.conftest import run_steps
from tests.fakes.live import AUTHOR_KEY, SimulatedClock, live_job, live_settings, write_config
from tests.fakes.readings import give_readings
from tests.fakes.reddit import CLIENT_ID, FakeReddit
from tests.fakes.reddit_world import Item, World
from tests.fakes.server import Fault
from tests.fakes.traces import traces

NAME = "marlowick"
WATCHED = {"silent", "far_less", "far_more"}
DRIVER = Path(__file__).parent.parent / "fakes" / "killed_poll.py"
pace_of(CLIENT_ID, clock=SimulatedClock())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_config(tmp_path / "config", NAME)
    return tmp_path


def polled(home: Path, reddit: FakeReddit, **settings: Any) -> Job:
    """A run that has gathered, and will not be gone on with."""
    job = live_job(live_settings(home, home / "config", reddit.address, **settings))
    collect(job)
    job.update(status=RunStatus.FINISHED, finished_at=utc_now())
    return job


def reported(home: Path, reddit: FakeReddit) -> Job:
    """A run whose report and queue of posts to label are there. What each post says is given, so that no classifier has to be loaded."""
    job = live_job(live_settings(home, home / "config", reddit.address))
    collect(job)
    give_readings(job)
    run_steps(job)
    export_queue(job.engine, home / "exports" / "queue.jsonl", limit=2_000, random_share=0.5, threshold=0.9, band=(0, 1), is_blind=False)
    return job


def rows(job: Job, table: Any = Post) -> list[Any]:
    with unit_of_work(job.engine) as session:
        return list(session.scalars(select(table)))


def posts(job: Job) -> dict[str, Post]:
    return {post.post_id.removeprefix("reddit:"): post for post in rows(job)}


def key_of(item: Item) -> str:
    return author_key((AUTHOR_KEY.encode(),), platform="reddit", author_id=item.author)


def differences(stored: dict[str, Post], items: list[Item]) -> list[str]:
    """Visible posts that are not in the store as they are at the source."""
    found = []
    for item in items:
        post = stored.get(item.fullname)
        if post is None:
            found.append(f"{item.fullname} is not there")
        elif (post.body, post.title, post.author_key, post.state) != (item.body, item.title, key_of(item), PostState.VISIBLE):
            found.append(f"{item.fullname} is {post.state}, with other words or another author")
        elif (post.parent_id, post.thread_id) != (item.parent and f"reddit:{item.parent}", f"reddit:{item.thread}"):
            found.append(f"{item.fullname} hangs elsewhere")
    return found


def now_and_then(number: int, _path: str) -> Fault | None:
    """Among the answers: too many requests with and without a time to wait, errors of the server, a page, half an answer, nothing."""
    faults = {
        0: Fault(status=429, headers={"retry-after": "7"}), 1: Fault(status=503), 2: Fault(status=429), 3: Fault(is_dropped=True),
        4: Fault(body="<html>", content_type="text/html"), 5: Fault(is_half=True), 6: Fault(status=500), 7: Fault(body='{"data": '),
    }  # fmt: skip
    return faults[number // 23 % len(faults)] if number % 23 == 0 else None


def test_three_polls_of_a_changing_community_with_faults_and_a_kill_lose_nothing_store_nothing_twice_and_leave_nothing_of_what_is_deleted(
    world: World, reddit: FakeReddit, home: Path
) -> None:
    world.grow(NAME, submissions=400, comments=4_200)
    reddit.faults = now_and_then
    killed = subprocess.Popen([sys.executable, str(DRIVER), str(home), reddit.address], env=os.environ | {"COPROD_HOME": str(home)})
    reddit.before = lambda: os.kill(killed.pid, signal.SIGKILL) if len(reddit.requests) == 400 else None
    assert killed.wait(timeout=300) == -signal.SIGKILL
    reddit.before = lambda: None
    threads_before = {path.partition("?")[0] for _, path in reddit.requests if path.startswith("/comments/")}
    place = len(reddit.requests)

    first = polled(home, reddit)
    (broken_off, whole) = sorted(rows(first, Poll), key=lambda poll: poll.started_at)
    assert (broken_off.outcome, whole.outcome, broken_off.run_id) == ("running", "finished", whole.run_id)
    assert broken_off.new_posts > 0
    assert broken_off.new_posts + whole.new_posts == len(world.items) == len(rows(first, Provenance)) == len(posts(first))
    threads_after = {path.partition("?")[0] for _, path in reddit.requests[place:] if path.startswith("/comments/")}
    assert len(threads_before & threads_after) < len(threads_before) / 2
    assert differences(posts(first), list(world.items.values())) == []

    deleted, removed, filtered, lost = world.pick(30), world.pick(30), world.pick(10), world.pick(5)
    for state, items in (("deleted", deleted), ("removed", removed), ("filtered", filtered), ("lost", lost)):
        for item in items:
            item.state = state if item.state == "visible" else item.state
    new = world.grow(NAME, submissions=15, comments=185)
    recent = [item for item in world.items.values() if item.created > world.now - 86_400 and item.state == "visible"]
    edited = [item for item in recent if world.items[item.thread].state == "visible" and world.items[item.thread] in recent][:40]
    for item in edited:
        world.edit(item)
    second = polled(home, reddit)
    assert differences(posts(second), [*new, *edited]) == []
    assert len(posts(second)) == len(world.items)

    back = [item for item in removed[:15] + filtered if item.state in {"removed", "filtered"}]
    for item in back:
        item.state = "visible"
    new += world.grow(NAME, submissions=15, comments=185)
    third = reported(home, reddit)
    assert len(posts(third)) == len(world.items) == 5_000
    visible = [item for item in world.items.values() if item.state == "visible"]
    assert differences(posts(third), visible) == []
    assert third.run().counts["problems"].keys() <= {"deleted", "removed", "filtered"}
    nothing_of_what_is_deleted_is_left(third, world, edited)


def nothing_of_what_is_deleted_is_left(job: Job, world: World, edited: list[Item]) -> None:
    """What the polls could not see, and what goes, changes and comes back after them, in one reconciliation a day later."""
    report = (job.out / "leads.json").read_text(encoding="utf-8")
    shown = [item for item in world.items.values() if f"({item.fullname})" in report and item.state == "visible" and item not in edited]
    assert len(shown) > 4
    before = posts(job)
    for item in world.pick(5, state="removed"):
        item.state = "visible"
    words = shown[0].body
    world.edit(shown[0])
    for item, state in zip(shown[1:5], ("deleted", "removed", "filtered", "lost"), strict=True):
        item.state = state
    gone = [item for item in world.items.values() if item.state != "visible"]
    marks = [f"({item.fullname})" for item in gone]
    folders = [job.settings.home, job.out]
    assert len(traces(*marks, words, engine=job.engine, folders=folders)) >= 4

    with job.engine.begin() as connection:
        connection.execute(update(Provenance).values(last_fetched_at=utc_now() - timedelta(hours=40)))
    counts = reconcile_all(job.engine, settings=job.settings, config=job.config, by="night")
    assert counts["looked_at"] == len([post for post in before.values() if post.state != PostState.DELETED])
    assert counts["reports_rewritten"] == counts["exports_cut"] == 1
    assert traces(*marks, words, engine=job.engine, folders=folders) == set()
    assert json.loads((job.out / "leads.json").read_text(encoding="utf-8"))["leads"]
    after = posts(job)
    assert differences(after, [item for item in world.items.values() if item.state == "visible"]) == []
    # Of a comment Reddit does not say whether a moderator or a filter took it away.
    states = {"deleted": {"deleted"}, "removed": {"removed"}, "filtered": {"removed", "filtered"}, "lost": {"vanished"}}
    assert [item.fullname for item in gone if after[item.fullname].state not in states[item.state]] == []


def test_it_reads_only_asks_for_nobody_and_says_who_it_is(
    world: World, reddit: FakeReddit, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What PRAW would take from the environment decides nothing: with a password it would log in as somebody.
    for name, value in {"username": "somebody", "password": "x", "oauth_url": "http://127.0.0.1:9", "user_agent": "Mozilla"}.items():
        monkeypatch.setenv(f"praw_{name}", value)
    world.grow(NAME, submissions=10, comments=150)
    job = polled(home, reddit)
    assert len(posts(job)) == len(world.items)
    assert {path.partition("?")[0] for method, path in reddit.requests if method != "GET"} == {"/api/v1/access_token", "/api/morechildren/"}
    assert not [path for _, path in reddit.requests if re.search("user|author|about|vote|submit", path)]
    (agent,) = reddit.user_agents
    assert re.match(r"\w+:uk\.gov\.council\.coprod:[\w.]+ \(by /u/marlowick_council\)", agent)


def test_a_search_term_gathers_its_threads_and_no_other_with_a_cursor_of_its_own(world: World, reddit: FakeReddit, tmp_path: Path) -> None:
    home = tmp_path
    write_config(home / "config", NAME, community='search = ["orchard", "ferry"]')
    world.grow(NAME, submissions=10, comments=40)
    found = [world.submit(NAME, title="An orchard for all"), world.submit(NAME, body="Who minds the ferry?")]
    answers = [world.answer(item) for item in found for _ in range(3)]
    job = polled(home, reddit)
    assert posts(job).keys() == {item.fullname for item in [*found, *answers]}
    assert {cursor.query: cursor.state["submissions"] for cursor in rows(job, SourceCursor)} == {
        "orchard": found[0].created, "ferry": found[1].created,
    }  # fmt: skip
    assert reddit.asked(f"/r/{NAME}/comments") == 0
    late = world.answer(found[0])
    assert late.fullname in posts(polled(home, reddit))


def test_each_post_says_where_it_came_from(world: World, reddit: FakeReddit, home: Path) -> None:
    old = world.grow(NAME, submissions=5, comments=20)
    first = polled(home, reddit)
    (new,) = world.grow(NAME, submissions=1, comments=0)
    second = polled(home, reddit)
    with second.engine.connect() as connection:
        kept = select(Provenance, Poll).join(Poll, col(Poll.poll_id) == col(Provenance.first_poll_id))
        origins = {row.post_id.removeprefix("reddit:"): row for row in connection.execute(kept)}
    assert origins.keys() == {item.fullname for item in [*old, new]}
    assert {origin.run_id for name, origin in origins.items() if name != new.fullname} == {first.run_id}
    origin = origins[new.fullname]
    assert (origin.source, origin.platform, origin.community_id, origin.query) == ("reddit", "reddit", f"reddit:{NAME}", "")
    assert (origin.run_id, origin.campaign, origin.terms_version) == (second.run_id, "listening", "2025-11")
    again = origins[old[-1].fullname]
    assert again.first_fetched_at < again.last_fetched_at
    assert posts(second)[old[-1].fullname].fetched_at == again.first_fetched_at


def test_an_author_who_objected_is_not_gathered_and_one_who_is_gone_has_no_key(world: World, reddit: FakeReddit, home: Path) -> None:
    kept, objected = world.submit(NAME), world.submit(NAME)
    gone = world.submit(NAME)
    gone.author = "[deleted]"
    objected.author = "Somebody_who_objected"
    job = live_job(live_settings(home, home / "config", reddit.address))
    with unit_of_work(job.engine) as session:
        right_actions.keep_out(session, [key_of(objected)], right=Right.OBJECTION, case="2026-1", by="dpo")
    collect(job)
    assert {name: post.author_key for name, post in posts(job).items()} == {kept.fullname: key_of(kept), gone.fullname: None}
    assert job.run().counts["problems"]["suppressed_author"] >= 1


def test_what_is_kept_of_a_poll_names_nobody_and_quotes_nothing(world: World, reddit: FakeReddit, home: Path) -> None:
    world.grow(NAME, submissions=12, comments=60)
    reddit.faults = lambda number, _path: Fault(status=500) if number > 3 else None
    with pytest.raises(SourceUnavailableError):
        polled(home, reddit)
    reddit.faults = lambda _number, _path: None
    job = polled(home, reddit)
    kept = " ".join(str(row.model_dump()) for table in (Poll, SourceCursor, Provenance, RunProblem) for row in rows(job, table))
    assert not [item for item in world.items.values() if item.author in kept or item.body in kept or (item.title and item.title in kept)]


def age(job: Job, *, days: float) -> None:
    """Let polls that have ended have ended some days ago."""
    with job.engine.begin() as connection:
        connection.execute(update(Poll).values(finished_at=utc_now() - timedelta(days=days)))


def strange(job: Job) -> dict[str, str]:
    return {problem.kind: problem.place for problem in rows(job, RunProblem) if problem.run_id == job.run_id and problem.kind in WATCHED}


def test_a_community_that_gives_nothing_far_less_or_far_more_than_usual_says_so_and_why(
    world: World, reddit: FakeReddit, tmp_path: Path
) -> None:
    home, place = tmp_path, f"reddit:{NAME}"
    write_config(home / "config", NAME, community="expected_per_day = 30")
    assert strange(polled(home, reddit)) == {"silent": f"{place}: nothing in the first poll; the platform showed none"}
    world.grow(NAME, submissions=5, comments=20)
    job = polled(home, reddit)
    assert strange(job) == {}
    for new, kind in ((0, "silent"), (11, "far_less"), (60, ""), (301, "far_more")):
        age(job, days=2)
        for _ in range(new):
            world.answer(world.pick(1)[0])
        job = polled(home, reddit)
        found = strange(job)
        assert list(found) == [kind] * bool(kind)
        assert all(said.startswith(f"{place}: {new:,} new in 2.0 days, usually about 60") for said in found.values())
        assert kind != "silent" or found[kind].endswith(" that were shown were known before")
        (poll,) = [poll for poll in rows(job, Poll) if poll.run_id == job.run_id]
        assert [poll.reason] == ([said.removeprefix(f"{place}: ") for said in found.values()] or [""])


def test_period_options_choose_what_is_spoken_of_and_not_what_is_gathered(world: World, reddit: FakeReddit, home: Path) -> None:
    items = world.grow(NAME, submissions=5, comments=20)
    since = datetime.fromtimestamp(items[10].created, tz=UTC).isoformat()
    job = live_job(live_settings(home, home / "config", reddit.address), since=since)
    collect(job)
    assert len(posts(job)) == len(items)
    assert job.run().counts["collect"]["stored"] == len(items) - 10
