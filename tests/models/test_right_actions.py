"""Rights in the store: which tables removal reaches, what is marked to be written anew, notices, and a new secret over all keys."""

import importlib
import pkgutil
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Engine, select
from sqlmodel import col

import models
from coprod_nlp.vocabulary import NoticeOutcome, PostState, Right, RunStatus
from models import actions, key_actions, request_actions, right_actions, right_queries, written_actions
from models.base import tables, utc_now
from models.desk_words import RequestOrigin
from models.post import Post
from models.removal import KEPT_OUT, empty_posts, key_columns, remove_posts, tables_with_keys, tables_with_posts
from models.request import RequestKey
from models.run import Run, Suppression
from models.session import unit_of_work
from models.wiping import FreedSpace, wipe_freed_space

THEN = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)
# What staff write about a network or a request, not what is held of somebody's posts.
OF_STAFF = {"account", "contact", "contact_hold", "lead_decision", "rights_request"}

for module in pkgutil.iter_modules(models.__path__, "models."):
    if module.name != "models.migrations":
        importlib.import_module(module.name)


def post(post_id: str, author: str | None = "anna", *, community: str = "reddit:town", **changed: Any) -> dict[str, Any]:
    facts = {
        "post_id": post_id, "platform": "reddit", "community_id": community, "kind": "submission", "state": PostState.VISIBLE,
        "author_key": author, "parent_id": None, "thread_id": post_id, "title": "", "body": f"words of {post_id}", "permalink": "",
        "score": 1, "content_hash": f"h-{post_id}", "created_at": THEN, "fetched_at": THEN,
    }  # fmt: skip
    return actions.post_row(**(facts | changed))


def keep(engine: Engine, *rows: dict[str, Any]) -> None:
    with engine.begin() as connection:
        actions.store_posts(connection, rows)


def stored(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(select(col(Post.post_id))))


def test_every_table_with_personal_columns_is_reached_by_removal_or_is_of_staff() -> None:
    reached = {Post, *KEPT_OUT, *tables_with_posts(), *tables_with_keys()}
    assert {str(table.__tablename__) for table in tables() if table.personal and table not in reached} <= OF_STAFF


def test_a_personal_column_that_is_called_a_key_is_one_and_no_other_column_is() -> None:
    named = {(table.__name__, name) for table in tables() for name in key_columns(table)}
    assert {name for _, name in named} == {"author_key", "source_key", "target_key"}
    assert not [(table.__name__, name) for table in tables() for name in table.not_personal if name in {"author_key", "source_key"}]


@pytest.mark.parametrize("removal", ["tombstone", "objection"])
def test_reports_on_the_community_and_exports_of_the_post_are_marked_and_no_others(removal: str, engine: Engine) -> None:
    keep(engine, post("p1"), post("p2", "ben", community="reddit:gardens"))
    with unit_of_work(engine) as session:
        for run_id, community in (("r1", "reddit:town"), ("r2", "reddit:gardens")):
            session.add(
                Run(run_id=run_id, council="m", communities=[community], status=RunStatus.RUNNING, started_at=THEN, config_digest="")
            )
        session.flush()
        for run_id in ("r1", "r2"):
            begun_at = written_actions.begin_report(session, folder=f"/{run_id}", run_id=run_id)
            session.flush()
            written_actions.finish_report(session, folder=f"/{run_id}", begun_at=begun_at)
        written_actions.record_export(session, path="/one", kind="labels", post_ids=["p1"], by="lena")
        written_actions.record_export(session, path="/other", kind="labels", post_ids=["p2"], by="lena")
    with unit_of_work(engine) as session:
        if removal == "tombstone":
            empty_posts(session.connection(), {"p1": PostState.DELETED})
        else:
            right_actions.keep_out(session, ["anna"], right=Right.OBJECTION, case="case 7", by="dpo")
    with engine.connect() as connection:
        assert [row.folder for row in right_queries.stale_reports(connection)] == ["/r1"]
        assert [row.path for row in right_queries.stale_exports(connection)] == ["/one"]
        assert right_queries.vanished_from(connection, "/one") == {"p1"}
        assert right_queries.vanished_from(connection, "/other") == set()


def test_a_report_that_loses_something_while_it_is_written_stays_marked(engine: Engine) -> None:
    keep(engine, post("p1"))
    with unit_of_work(engine) as session:
        session.add(Run(run_id="r", council="m", communities=["reddit:town"], status=RunStatus.RUNNING, started_at=THEN, config_digest=""))
        session.flush()
        begun_at = written_actions.begin_report(session, folder="/r", run_id="r")
    with unit_of_work(engine) as session:
        right_actions.keep_out(session, ["anna"], right=Right.OBJECTION, case="case 7", by="dpo")
    with unit_of_work(engine) as session:
        written_actions.finish_report(session, folder="/r", begun_at=begun_at)
    with engine.connect() as connection:
        assert len(right_queries.stale_reports(connection)) == 1


def test_an_objection_that_comes_while_posts_are_on_their_way_holds(engine: Engine) -> None:
    with unit_of_work(engine) as session:
        right_actions.keep_out(session, ["anna"], right=Right.OBJECTION, case="case 7", by="dpo")
    keep(engine, post("p1"), post("p2", "ben"))
    assert stored(engine) == {"p2"}


def test_one_erased_message_never_comes_back_and_the_others_stay(engine: Engine) -> None:
    keep(engine, post("p1"), post("p2"))
    with unit_of_work(engine) as session:
        right_actions.erase_message(session, "p1", case="case 8", by="dpo")
    keep(engine, post("p1"), post("p2"))
    assert stored(engine) == {"p2"}


@pytest.mark.parametrize("meanwhile", ["expiry", "tombstone", "another request"])
def test_an_open_objection_holds_whatever_becomes_of_the_posts_before_it_is_acted_on(meanwhile: str, engine: Engine) -> None:
    keep(engine, post("p1"))
    with unit_of_work(engine) as session:
        request = request_actions.receive_request(
            session, council="m", kind=Right.OBJECTION, origin=RequestOrigin.PUBLIC, author_keys=["anna"], places=["reddit:town"], link="",
            received_on=utc_now().date(), by="public page",
        )  # fmt: skip
    with unit_of_work(engine) as session:
        if meanwhile == "expiry":
            remove_posts(session.connection(), ["p1"])
        elif meanwhile == "tombstone":
            empty_posts(session.connection(), {"p1": PostState.DELETED})
        else:
            right_actions.keep_out(session, ["anna"], right=Right.ERASURE, case="case 6", by="dpo")
    with unit_of_work(engine) as session:
        request_actions.keep_out_for(session, session.merge(request), author_keys=[], by="dpo")
    keep(engine, post("p1"), post("p2"), post("p3", "ben"))
    assert stored(engine) == ({"p1", "p3"} if meanwhile == "tombstone" else {"p3"})  # the empty place of what was deleted stays
    with engine.connect() as connection:
        assert list(connection.scalars(select(col(RequestKey.author_key)))) == []
        assert list(connection.scalars(select(col(Suppression.author_key)))) == ["anna"]


def test_a_notice_is_due_a_month_after_the_first_collection_until_somebody_decides(engine: Engine) -> None:
    keep(engine, post("old"), post("new", fetched_at=THEN + timedelta(days=20)), post("nobody", None))
    asked = {"now": THEN + timedelta(days=32)}
    with engine.connect() as connection:
        (row,) = right_queries.notice_counts(connection, **asked)
    assert (row.overdue, row.soon, row.later, row.done, row.exempt) == (1, 0, 1, 0, 0)
    given = {"communities": ["reddit:town"], "outcome": NoticeOutcome.EXEMPT, "reason": "Art. 14(5)(b)", "by": "dpo"}
    with unit_of_work(engine) as session:
        assert right_actions.record_notice(session, collected_before=THEN + timedelta(days=10), **given) == 1  # type: ignore[arg-type]
    with engine.connect() as connection:
        (row,) = right_queries.notice_counts(connection, **asked)
    assert (row.overdue, row.later, row.exempt) == (0, 1, 1)


def test_a_new_secret_changes_every_key_and_keeps_who_is_who(engine: Engine) -> None:
    keep(engine, post("p1"), post("p2"), post("p3", "ben"), post("p4", None))
    with unit_of_work(engine) as session:
        right_actions.keep_out(session, ["cara"], right=Right.OBJECTION, case="case 7", by="dpo")
    with unit_of_work(engine) as session:
        assert key_actions.rekey(session, lambda key: f"new {key}", secrets=2, mark="m", by="dpo") == 3
    with engine.connect() as connection:
        keys = connection.execute(select(col(Post.post_id), col(Post.author_key)).order_by(col(Post.post_id)))
        assert [tuple(row) for row in keys] == [("p1", "new anna"), ("p2", "new anna"), ("p3", "new ben"), ("p4", None)]
        assert list(connection.scalars(select(col(Suppression.author_key)))) == ["new cara"]
        assert right_queries.key_state(connection).secrets == 2


def test_freed_space_is_remembered_until_it_is_wiped(engine: Engine) -> None:
    keep(engine, post("p1"))
    with unit_of_work(engine) as session:
        right_actions.keep_out(session, ["anna"], right=Right.ERASURE, case="case 7", by="dpo")
    with engine.connect() as connection:
        assert connection.scalar(select(sqlalchemy.func.count()).select_from(FreedSpace)) == 1
    assert wipe_freed_space(engine)
    with engine.connect() as connection:
        assert connection.scalar(select(sqlalchemy.func.count()).select_from(FreedSpace)) == 0
