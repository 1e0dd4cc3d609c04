"""Labels in the store: kept once a labeller, gone with their post, never taken for other words, and what is next to label."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from coprod_nlp.vocabulary import PostState, Right
from models import actions, label_queries, right_actions
from models.bulk import upsert
from models.label import Label
from models.post import Post, PostReading
from models.run import AuditEntry, Suppression
from models.session import migrate, unit_of_work

THEN = datetime(2026, 5, 1, tzinfo=UTC)


def post(post_id: str, *, author: str | None = "anna", body: str = "I can lend my van", **changed: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "post_id": post_id, "platform": "archive", "community_id": "archive:town", "kind": "comment", "state": PostState.VISIBLE,
        "author_key": author, "parent_id": None, "thread_id": None, "title": "", "body": body, "permalink": "", "score": None,
        "created_at": THEN, "content_hash": f"h-{body}", "fetched_at": datetime.now(UTC),
    }  # fmt: skip
    return actions.post_row(**(facts | changed))


def judged(post_id: str, labeller: str = "ana", **changed: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "post_id": post_id, "labeller": labeller, "areas": ["parks"], "signals": ["offer"], "evidence": [["offer", 0, 5]],
        "is_sensitive": False,
    }  # fmt: skip
    return facts | changed


def reading(post_id: str, willing: float | None, **changed: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "post_id": post_id, "version": "v1", "content_hash": "h-I can lend my van", "status": "read", "language": "en", "willing": willing,
        "is_willing": False, "areas": {}, "signals": {}, "evidence": [],
    }  # fmt: skip
    return facts | changed


def keep(engine: Engine, *rows: dict[str, Any]) -> None:
    with engine.begin() as connection:
        actions.store_posts(connection, rows)


def label(engine: Engine, *rows: Mapping[str, Any], by: str = "ana", origin: str = "desk", problems: Any = None) -> int:
    with unit_of_work(engine) as session:
        return actions.store_labels(session, rows, by=by, origin=origin, problems=problems)


def stored(engine: Engine, **asked: Any) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        return [(row.post_id, row.labeller) for row in label_queries.labels(connection, **asked)]


def usable(engine: Engine, **asked: Any) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        return [(row.post_id, row.labeller) for row in label_queries.labelled_posts(connection, **asked)]


def audits(engine: Engine) -> list[tuple[str, str, str, Any]]:
    columns = (col(AuditEntry.by), col(AuditEntry.action), col(AuditEntry.subject), col(AuditEntry.counts))
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(col(AuditEntry.entry_id)))]


def test_a_label_comes_back_as_it_was_given_with_who_and_when(engine: Engine) -> None:
    keep(engine, post("p1"))
    assert label(engine, judged("p1", is_sensitive=True), by="the desk officer", origin="ana.csv") == 1
    with engine.connect() as connection:
        [row] = label_queries.labels(connection)
    assert (row.areas, row.signals, row.evidence, row.is_sensitive) == (["parks"], ["offer"], [["offer", 0, 5]], True)
    assert (row.labeller, row.labelled_by, row.origin) == ("ana", "the desk officer", "ana.csv")
    assert timedelta(0) <= datetime.now(UTC) - row.labelled_at < timedelta(minutes=1)


def test_labels_are_kept_once_a_post_and_labeller_and_the_newer_counts(engine: Engine) -> None:
    keep(engine, post("p1"), post("p2"))
    label(engine, judged("p2"), judged("p1"), judged("p1", "ben", areas=[]))
    label(engine, judged("p1", areas=["waste"], signals=[], evidence=[]))
    assert stored(engine) == [("p1", "ana"), ("p1", "ben"), ("p2", "ana")]
    assert stored(engine, labeller="ben") == [("p1", "ben")]
    with engine.connect() as connection:
        newer, _ = label_queries.labels(connection, labeller="ana")
    assert (newer.areas, newer.signals) == (["waste"], [])


def test_storing_labels_leaves_one_audit_row_with_counts_and_problems(engine: Engine) -> None:
    keep(engine, post("p1"))
    problems = {"unknown_area": {"count": 2, "lines": [3, 7]}}
    label(engine, judged("p1"), judged("p1", "ben"), judged("gone"), by="ana", origin="ana.csv", problems=problems)
    label(engine, judged("p1"))
    assert audits(engine) == [
        ("ana", "store_labels", "ana.csv", {"labels": 2, "posts": 1, "not_kept": 1, "problems": problems}),
        ("ana", "store_labels", "desk", {"labels": 1, "posts": 1, "not_kept": 0}),
    ]


def test_labels_that_cannot_be_stored_leave_no_audit_row(engine: Engine) -> None:
    keep(engine, post("p1"))
    with pytest.raises(IntegrityError, match="labeller_named"):
        label(engine, judged("p1", ""))
    assert (stored(engine), audits(engine)) == ([], [])


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(None, id="never stored"),
        pytest.param(post("p1", state=PostState.DELETED), id="deleted by its author"),
        pytest.param(post("p1", state=PostState.REMOVED), id="removed by a moderator"),
        pytest.param(post("p1", body=""), id="without a word"),
    ],
)
def test_a_post_that_holds_no_words_gets_no_label(engine: Engine, row: dict[str, Any] | None) -> None:
    keep(engine, *([row] if row else []))
    assert label(engine, judged("p1")) == 0
    assert stored(engine) == []


@pytest.mark.parametrize("state", [PostState.DELETED, PostState.REMOVED], ids=["deleted", "removed"])
def test_a_post_that_its_source_takes_away_takes_its_labels_along(engine: Engine, state: PostState) -> None:
    keep(engine, post("p1"), post("p2"))
    label(engine, judged("p1"), judged("p1", "ben"), judged("p2"))
    keep(engine, post("p1", state=state, content_hash="gone"), post("p2"))
    assert stored(engine) == [("p2", "ana")]


def test_expiry_takes_labels_along(engine: Engine) -> None:
    keep(engine, post("old", fetched_at=datetime.now(UTC) - timedelta(days=100)), post("new"))
    label(engine, judged("old"), judged("old", "ben"), judged("new"))
    with unit_of_work(engine) as session:
        assert right_actions.expire_posts(session, kept_days={"archive": 90}, default_days=365, by="retention").counts["post"] == 1
    assert stored(engine) == [("new", "ana")]


def test_an_objection_takes_the_labels_of_that_person_alone(engine: Engine) -> None:
    keep(engine, post("p1", author="cara"), post("p2", author="dan"))
    label(engine, judged("p1"), judged("p2"))
    with unit_of_work(engine) as session:
        right_actions.keep_out(session, ["cara"], right=Right.OBJECTION, case="case 7", by="dpo")
    assert stored(engine) == [("p2", "ana")]
    with engine.connect() as connection:
        tables = sqlalchemy.inspect(connection).get_table_names()
        words = [str(row) for table in tables for row in connection.execute(sqlalchemy.text(f"SELECT * FROM {table}"))]
    assert not [row for row in words if "p1" in row]


def test_a_removal_of_more_posts_than_one_statement_names_takes_all_labels(engine: Engine) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=500)
    ids = [f"p{number:04}" for number in range(1_201)]
    keep(engine, *(post(post_id, fetched_at=long_ago) for post_id in ids))
    assert label(engine, *map(judged, ids)) == len(ids)
    with unit_of_work(engine) as session:
        right_actions.expire_posts(session, kept_days={}, default_days=365, by="retention")
    assert stored(engine) == []


def test_labelled_posts_bring_their_words_from_the_platforms_that_may_be_used(engine: Engine) -> None:
    keep(engine, post("a", platform="labels"), post("b", platform="reddit"), post("c"), post("unlabelled"))
    label(engine, judged("c"), judged("b"), judged("a"), judged("a", "ben"))
    assert usable(engine) == [("a", "ana"), ("a", "ben"), ("b", "ana"), ("c", "ana")]
    assert usable(engine, platforms={"labels"}) == [("a", "ana"), ("a", "ben")]
    assert usable(engine, platforms=frozenset()) == []
    with engine.connect() as connection:
        assert label_queries.labelled_platforms(connection) == ["archive", "labels", "reddit"]
        row, _ = label_queries.labelled_posts(connection, platforms=["labels"])
    assert (row.body, row.community_id, row.areas, row.evidence) == ("I can lend my van", "archive:town", ["parks"], [["offer", 0, 5]])


def test_a_label_is_of_the_words_that_were_judged_and_no_others(engine: Engine) -> None:
    keep(engine, post("p1"), post("p2"))
    label(engine, judged("p1"), judged("p2"))
    keep(engine, post("p1", body="My van is sold"), post("p2", permalink="https://x.example/p2", content_hash="another"))
    assert usable(engine) == [("p2", "ana")]
    label(engine, judged("p1"))
    assert usable(engine) == [("p1", "ana"), ("p2", "ana")]


def test_labels_of_authors_who_objected_are_not_used(engine: Engine) -> None:
    keep(engine, post("p1", author="cara"), post("p2", author=None))
    label(engine, judged("p1"), judged("p2"))
    with engine.begin() as connection:
        upsert(connection, Suppression, [{"author_key": "cara", "reason": "r", "suppressed_at": THEN, "suppressed_by": "dpo"}])
    assert usable(engine) == [("p2", "ana")]


def to_label(engine: Engine, *readings: dict[str, Any], **community: str) -> None:
    """Posts with readings; the first letter of an id is its community."""
    ids = [row["post_id"] for row in readings]
    keep(engine, *(post(post_id, community_id=f"archive:{post_id[0]}") for post_id in ids))
    with engine.begin() as connection:
        upsert(connection, PostReading, readings)


def uncertain(engine: Engine, threshold: float = 0.5, limit: int = 100, band: tuple[float, float] = (0, 1)) -> list[str]:
    with engine.connect() as connection:
        return label_queries.uncertain_posts(connection, threshold=threshold, band=band, limit=limit)


def test_posts_nearest_to_the_threshold_come_first_each_community_in_turn(engine: Engine) -> None:
    to_label(engine, *(reading(post_id, willing) for post_id, willing in
                       [("a1", 0.5), ("a2", 0.51), ("a3", 0.48), ("b1", 0.9), ("b2", 0.6), ("c1", 0.0)]))  # fmt: skip
    assert uncertain(engine) == ["a1", "b2", "c1", "a2", "b1", "a3"]
    assert uncertain(engine, limit=2) == ["a1", "b2"]
    assert uncertain(engine, threshold=0.9) == ["b1", "a2", "c1", "b2", "a1", "a3"]
    assert uncertain(engine, band=(0.505, 0.95)) == ["a2", "b2", "b1", "a1", "c1", "a3"]


def test_what_may_be_labelled_next_is_read_visible_unlabelled_and_of_nobody_who_objected(engine: Engine) -> None:
    to_label(
        engine, reading("a1", 0.5), reading("a2", 0.5), reading("a3", None, status="sensitive"), reading("a4", None, status="not_english"),
        reading("a5", 0.5, content_hash="of the words before"), reading("a6", 0.5), reading("a7", 0.5), reading("a8", 0.5),
    )  # fmt: skip
    keep(engine, post("a9"), post("a6", author="cara", content_hash="new"), post("a7", state=PostState.REMOVED, content_hash="gone"))
    label(engine, judged("a2"), judged("a8", "ben"))
    with engine.begin() as connection:
        upsert(connection, Suppression, [{"author_key": "cara", "reason": "r", "suppressed_at": THEN, "suppressed_by": "dpo"}])
        upsert(connection, PostReading, [reading("a6", 0.5, content_hash="new")])
        assert list(label_queries.unlabelled_posts(connection)) == ["a1"]
    assert uncertain(engine) == ["a1"]


def test_readings_to_label_come_with_the_words_they_are_of(engine: Engine) -> None:
    to_label(engine, *(reading(f"a{number:04}", 0.5, areas={"parks": 0.9}) for number in range(600)))
    with engine.connect() as connection:
        found = label_queries.readings_to_label(connection, [f"a{number:04}" for number in range(600)] + ["nowhere"])
        assert len(found) == 600
        assert (found["a0001"].body, found["a0001"].areas, found["a0001"].version) == ("I can lend my van", {"parks": 0.9}, "v1")


def test_stored_posts_are_found_by_id_and_by_fullname(engine: Engine) -> None:
    ids = ["archive:t3_a", "archive:town:t1_12", "archive:t1_pub:t1_12", "reddit:t3_a", "labels:f00"]
    keep(engine, *map(post, ids), post("p2", state=PostState.DELETED))
    with engine.connect() as connection:
        found = label_queries.stored_posts(connection, ["reddit:t3_a", "p2", "p3"])
        assert {post_id: (row.state, row.body) for post_id, row in found.items()} == {
            "reddit:t3_a": ("visible", "I can lend my van"), "p2": ("deleted", "")
        }  # fmt: skip
        assert label_queries.posts_called(connection, {"t3_a", "t1_12", "t3_gone"}) == {
            "t3_a": ["archive:t3_a", "reddit:t3_a"], "t1_12": ["archive:t1_pub:t1_12", "archive:town:t1_12"]
        }  # fmt: skip
        assert label_queries.posts_called(connection, set()) == {}


def test_a_label_needs_its_post(engine: Engine) -> None:
    row = {**judged("nowhere"), "text_hash": "", "labelled_at": THEN, "labelled_by": "ana", "origin": "desk"}
    with pytest.raises(IntegrityError), engine.begin() as connection:
        upsert(connection, Label, [row])


def test_a_store_of_the_release_before_gets_its_table_of_labels(address: str) -> None:
    engine = sqlalchemy.create_engine(address)
    migrate(engine, "0001")
    assert not sqlalchemy.inspect(engine).has_table("label")
    with engine.begin() as connection:
        upsert(connection, Post, [post("p1")])
    migrate(engine)
    label(engine, judged("p1"))
    assert stored(engine) == [("p1", "ana")]
    engine.dispose()
