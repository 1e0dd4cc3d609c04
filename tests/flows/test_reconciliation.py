"""Deletion sync: what is gone at its source goes here in one transaction and everywhere, in as few requests as there must be."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from sqlmodel import col

from config.schema import Community, Config
from config.settings import Settings, author_key, load_author_key
from coprod_nlp.vocabulary import PostState, Right
from flows.reconciliation import Reconciliation
from flows.sources.base import SourceUnavailableError
from flows.steps.rows import Rows
from models import actions, provenance_actions, right_actions
from models.base import utc_now
from models.bulk import upsert
from models.label import Label
from models.post import Post, PostReading
from models.provenance import Provenance
from models.removal import GONE
from models.run import AuditEntry
from models.session import open_engine, unit_of_work
from models.wiping import wipe_freed_space
from tests.fakes.told_source import ToldSource, told_post
from tests.fakes.traces import traces

SECRET = "the third shed <from> the weir"
# For tests of what has no SQL of its own.
sqlite_alone = pytest.mark.parametrize("address", ["sqlite"], indirect=True)


@pytest.fixture
def config(config: Config) -> Config:
    town = Community(
        platform="reddit", name="marlowick", title="Town", council="marlowick", category="place", url="https://marlowick.example/"
    )
    return config.model_copy(update={"communities": (*config.communities, town)})


@pytest.fixture
def engine(on: Settings) -> Iterator[Engine]:
    engine = open_engine(on.address())
    yield engine
    engine.dispose()


class Town:
    """A store with the posts of a source, as they were collected some hours ago."""

    def __init__(self, engine: Engine, settings: Settings, config: Config, source: ToldSource, *, is_read: bool = True) -> None:
        self.engine, self.settings, self.config, self.source = engine, settings, config, source
        rows = Rows(config, settings, council="marlowick", platform="reddit", is_live=True)
        home = rows.home("marlowick")
        assert home
        at = utc_now() - timedelta(hours=47)
        stored = [rows.row(post, home, key=rows.key(post, home), now=at) for post in source.now.values()]
        with engine.begin() as connection:
            actions.store_posts(connection, stored)
            provenance_actions.store_provenance(connection, [row["post_id"] for row in stored], poll_id="p", at=at)
            if not is_read:
                return
            made = {"labeller": "l", "text_hash": "h", "labelled_at": at, "labelled_by": "l", "origin": "desk", "is_sensitive": False}
            read = {"version": "v", "status": "read", "language": "en", "willing": 0.9, "is_willing": True}
            facts: list[dict[str, Any]] = [{"post_id": row["post_id"], "evidence": [["offer", 0, 5]]} for row in stored]
            upsert(connection, Label, [fact | made | {"areas": ["parks"], "signals": ["offer"]} for fact in facts])
            marks = [{"content_hash": row["content_hash"], "areas": {"parks": 0.9}, "signals": {"offer": 0.9}} for row in stored]
            upsert(connection, PostReading, [fact | read | mark for fact, mark in zip(facts, marks, strict=True)])

    def reconcile(self, *, within_hours: float = 24) -> dict[str, int]:
        work = Reconciliation(self.engine, self.source, settings=self.settings, config=self.config, by="night")
        work.run(within_hours=within_hours)
        return dict(work.counts)

    def later(self, hours: float = 47) -> None:
        """Let time pass since everything was looked at."""
        with self.engine.begin() as connection:
            connection.execute(update(Provenance).values(last_fetched_at=utc_now() - timedelta(hours=hours)))

    def stored(self) -> dict[str, Any]:
        with self.engine.connect() as connection:
            return {row.post_id.removeprefix("reddit:"): row for row in connection.execute(select(Post.__table__))}  # type: ignore[attr-defined]

    def ids(self, table: Any) -> set[str]:
        with self.engine.connect() as connection:
            return {post_id.removeprefix("reddit:") for post_id in connection.scalars(select(col(table.post_id)))}


def town_of(count: int, engine: Engine, settings: Settings, config: Config, *, is_read: bool = True) -> Town:
    posts = [told_post(f"t3_{place}x", f"words {place}", author=f"a{place % 90}") for place in range(count)]
    return Town(engine, settings, config, ToldSource(*posts), is_read=is_read)


@sqlite_alone
def test_100_000_posts_are_looked_at_in_1_000_requests(engine: Engine, settings: Settings, config: Config) -> None:
    town = town_of(100_000, engine, settings, config, is_read=False)
    counts = town.reconcile()
    assert (counts["looked_at"], counts["requests"], len(town.source.asked)) == (100_000, 1_000, 1_000)
    assert len({name for asked in town.source.asked for name in asked}) == 100_000
    assert town.reconcile().get("requests", 0) == 0


@pytest.mark.parametrize(
    ("change", "state"),
    [
        pytest.param({"state": PostState.DELETED, "body": "", "author_id": None}, PostState.DELETED, id="by its author"),
        pytest.param({"state": PostState.REMOVED, "body": ""}, PostState.REMOVED, id="by a moderator"),
        pytest.param({"state": PostState.FILTERED, "body": ""}, PostState.FILTERED, id="by a filter"),
        pytest.param(None, PostState.VANISHED, id="by nobody knows whom"),
    ],
)
def test_what_is_gone_leaves_a_tombstone_and_its_words_nowhere(
    change: dict[str, Any] | None, state: PostState, engine: Engine, settings: Settings, config: Config
) -> None:
    source = ToldSource(told_post("t3_a", f"I can lend {SECRET}"), told_post("t3_b", "Nice heron.", author="Ben"))
    town = Town(engine, settings, config, source)
    assert "post.body" in traces(SECRET, engine=engine)
    if change is None:
        del source.now["t3_a"]
    else:
        source.put("t3_a", **change)
    assert town.reconcile()[state.value] == 1
    gone = town.stored()["t3_a"]
    assert (gone.state, gone.author_key, gone.title, gone.body, gone.permalink, gone.content_hash) == (state, None, "", "", "", state)
    assert town.ids(PostReading) == town.ids(Label) == {"t3_b"}
    assert wipe_freed_space(engine)
    assert traces(SECRET, engine=engine, folders=[settings.home]) == set()


def test_what_was_removed_may_come_back_and_what_its_author_deleted_is_not_asked_for_again(
    engine: Engine, settings: Settings, config: Config
) -> None:
    states = {"t3_a": PostState.DELETED, "t3_b": PostState.REMOVED, "t3_c": PostState.FILTERED}
    town = Town(engine, settings, config, ToldSource(*(told_post(name, f"words of {name}") for name in states)))
    for name, state in states.items():
        town.source.put(name, state=state, body="")
    town.reconcile()
    town.later()
    for name in states:
        town.source.put(name, state=PostState.VISIBLE, body=f"words of {name}")
    assert town.reconcile()["changed"] == 2
    assert town.source.asked[-1] == ["t3_b", "t3_c"]
    assert {name: post.body for name, post in town.stored().items()} == {"t3_a": "", "t3_b": "words of t3_b", "t3_c": "words of t3_c"}


def test_an_edit_is_stored_and_its_reading_of_the_old_words_goes(engine: Engine, settings: Settings, config: Config) -> None:
    town = Town(engine, settings, config, ToldSource(told_post("t3_a", SECRET), told_post("t3_b", "Nice heron.")))
    town.source.put("t3_a", body="Never mind.")
    assert town.reconcile()["changed"] == 1
    assert town.stored()["t3_a"].body == "Never mind."
    assert town.ids(PostReading) == {"t3_b"}
    assert wipe_freed_space(engine)
    assert traces(SECRET, engine=engine, folders=[settings.home]) == set()


def test_a_run_that_is_cut_short_goes_on_with_what_it_has_not_looked_at(engine: Engine, settings: Settings, config: Config) -> None:
    town = town_of(450, engine, settings, config)

    def fail(number: int) -> None:
        if number == 3:
            raise SourceUnavailableError("reddit: does not answer")

    town.source.before_answer = fail
    with pytest.raises(SourceUnavailableError):
        town.reconcile()
    town.source.before_answer = lambda _: None
    assert town.reconcile()["looked_at"] == 250
    answered = [name for number, asked in enumerate(town.source.asked, start=1) if number != 3 for name in asked]
    assert len(answered) == len(set(answered)) == 450


@sqlite_alone
def test_a_source_that_knows_nothing_for_a_moment_removes_nothing(engine: Engine, settings: Settings, config: Config) -> None:
    town = town_of(120, engine, settings, config)
    everything = town.source.now
    town.source.now = {}

    def recover(number: int) -> None:
        town.source.now = everything if number > 1 else {}

    town.source.before_answer = recover
    counts = town.reconcile()
    assert (counts["looked_at"], counts["requests"]) == (120, 3)
    assert not [post for post in town.stored().values() if post.state in GONE]


@sqlite_alone
def test_a_source_that_knows_nothing_twice_is_believed(engine: Engine, settings: Settings, config: Config) -> None:
    town = town_of(12, engine, settings, config)
    town.source.now = {}
    assert town.reconcile()["vanished"] == 12


@sqlite_alone
def test_posts_of_a_server_that_is_out_of_reach_stay_and_are_asked_for_again(engine: Engine, settings: Settings, config: Config) -> None:
    town = town_of(12, engine, settings, config)
    town.source.out_of_reach = {"t3_3x"}
    assert town.reconcile()["unanswered"] == 1
    assert town.stored()["t3_3x"].state == PostState.VISIBLE
    town.source.out_of_reach = set()
    town.reconcile()
    assert town.source.asked[-1] == ["t3_3x"]


def test_only_what_is_due_is_asked_about_and_what_is_overdue_is_counted(engine: Engine, settings: Settings, config: Config) -> None:
    town = town_of(10, engine, settings, config)
    assert town.reconcile()["late"] == 0
    town.later(20)
    assert town.reconcile().get("looked_at", 0) == 0
    town.later(50)
    assert town.reconcile()["late"] == 10


@sqlite_alone
def test_a_post_of_somebody_who_objected_does_not_come_back(engine: Engine, settings: Settings, config: Config) -> None:
    town = Town(engine, settings, config, ToldSource(told_post("t3_a", SECRET), told_post("t3_b", "Nice heron.", author="Ben")))
    town.source.put("t3_a", state=PostState.REMOVED, body="")
    town.reconcile()
    key = author_key(load_author_key(settings), platform="reddit", author_id="Ann")
    with unit_of_work(engine) as session:
        right_actions.keep_out(session, [key], right=Right.OBJECTION, case="case 7", by="dpo")
    town.later()
    town.source.put("t3_a", state=PostState.VISIBLE, body=SECRET)
    town.reconcile()
    assert traces(SECRET, engine=engine) == set()


@sqlite_alone
def test_every_answer_that_changes_something_is_in_the_audit_log_without_words(engine: Engine, settings: Settings, config: Config) -> None:
    town = Town(engine, settings, config, ToldSource(*(told_post(f"t3_{name}", name) for name in "abc")))
    town.source.put("t3_a", state=PostState.DELETED, body="")
    town.source.put("t3_b", body="other words")
    town.reconcile()
    town.later()
    town.reconcile()
    with engine.connect() as connection:
        entries = connection.execute(select(col(AuditEntry.by), col(AuditEntry.action), col(AuditEntry.subject), col(AuditEntry.counts)))
        assert [tuple(entry) for entry in entries] == [("night", "reconcile", "reddit", {"deleted": 1, "changed": 1})]
