"""The store: migrations that make exactly the tables, checks that hold, transactions that stand or fall as a whole."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, delete, insert, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlmodel import col

from models.base import metadata, tables
from models.bulk import upsert
from models.lead import Lead, LeadMessage, Network
from models.post import Post, PostReading
from models.run import AuditEntry, Run
from models.session import MIGRATIONS_DIR, LockedError, StoreError, held_lock, migrate, open_engine, take_turn, unit_of_work

THEN = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
WORDS = "my neighbour at number nine keeps geese"
NEWEST = ScriptDirectory(str(MIGRATIONS_DIR)).get_heads()
KEY = "0af3c1d2e4b5968778695a4b3c2d1e0f"


def post(post_id: str = "p1", **changed: Any) -> dict[str, Any]:
    return {
        "post_id": post_id, "platform": "sample", "community_id": "sample:town", "kind": "comment", "state": "visible", "author_key": KEY,
        "parent_id": None, "thread_id": None, "title": WORDS, "body": WORDS, "permalink": "", "score": 1, "created_at": THEN,
        "content_hash": "h", "fetched_at": THEN,
    } | changed  # fmt: skip


def network(**changed: Any) -> dict[str, Any]:
    return {
        "network_id": "n1", "scope": "s", "council": "marlowick", "area": "parks", "is_gathered": False, "voices": 3, "willing_voices": 3,
        "ties": 2, "first_seen_at": THEN, "change": "new", "voices_before": 0, "joined": 3, "departed": 0, "origins": [],
    } | changed  # fmt: skip


def lead(**changed: Any) -> dict[str, Any]:
    return {
        "lead_id": "l1", "network_id": "n1", "scope": "s", "council": "marlowick", "area": "parks", "rank": 1, "score": 50.0, "low": 40.0,
        "high": 60.0, "voices": 3, "willing_messages": 3, "parts": [], "approaches": [], "stages": [], "config_digest": "d",
        "weights_digest": "w", "kept_for": None,
    } | changed  # fmt: skip


def run(**changed: Any) -> dict[str, Any]:
    return {
        "run_id": "r1", "council": "marlowick", "scope": "", "request": {}, "communities": [], "status": "running", "started_at": THEN,
        "finished_at": None, "done": [], "counts": {}, "seconds": {}, "versions": {}, "config_digest": "d", "failure": None,
    } | changed  # fmt: skip


def count(engine: Engine, table: Any = Post) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(sqlalchemy.func.count()).select_from(table)) or 0


def test_the_migrations_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_opening_a_store_again_keeps_what_is_in_it(engine: Engine, address: str) -> None:
    with engine.begin() as connection:
        upsert(connection, Post, [post()])
    migrate(engine)
    again = open_engine(address)
    with again.connect() as connection:
        assert connection.scalar(select(col(Post.body))) == WORDS
        assert connection.execute(sqlalchemy.text("SELECT version_num FROM alembic_version")).scalars().all() == NEWEST
    again.dispose()


def test_a_store_from_before_a_thread_could_be_shared_by_communities_keeps_its_interactions(address: str) -> None:
    engine = sqlalchemy.create_engine(address)
    migrate(engine, "0011")
    columns = "kind, anchor_id, source_key, target_key, community_id, happened_at"
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(f"INSERT INTO interaction ({columns}) VALUES ('thread', 't1', 'a', 'b', 'one', NULL)"))
    migrate(engine)
    with engine.begin() as connection:
        rows = "SELECT community_id, kind, anchor_id, source_key, target_key FROM interaction"
        connection.execute(sqlalchemy.text(f"INSERT INTO interaction ({columns}) VALUES ('thread', 't1', 'a', 'b', 'two', NULL)"))
        kept = sorted(map(tuple, connection.execute(sqlalchemy.text(rows))))
        assert kept == [(community, "thread", "t1", "a", "b") for community in ("one", "two")]
        assert len(sqlalchemy.inspect(connection).get_indexes("interaction")) == 4
    engine.dispose()


def test_every_column_is_named_personal_or_not_and_never_both() -> None:
    for table in tables():
        columns = {column.name for column in table.__table__.columns}  # type: ignore[attr-defined]
        assert table.personal | table.not_personal == columns, table.__name__
        assert not table.personal & table.not_personal, table.__name__
    assert {str(table.__tablename__) for table in tables()} == set(metadata.tables)


@pytest.mark.parametrize("column", ["created_at", "fetched_at"])
def test_a_time_without_a_zone_is_refused(engine: Engine, column: str) -> None:
    with pytest.raises(ValueError, match="without a time zone") as caught, engine.begin() as connection:
        upsert(connection, Post, [post() | {column: datetime(2026, 5, 1, 9, 30)}])  # noqa: DTZ001  (the naive value is the point)
    assert WORDS not in str(caught.value)
    assert count(engine) == 0


def test_times_come_back_in_utc_whatever_zone_they_went_in(engine: Engine) -> None:
    with engine.begin() as connection:
        upsert(connection, Post, [post(created_at=datetime(2026, 5, 1, 17, 30, 0, 5, tzinfo=timezone(timedelta(hours=8))))])
        moment = connection.scalar(select(col(Post.created_at)))
    assert moment == datetime(2026, 5, 1, 9, 30, 0, 5, tzinfo=UTC)
    assert moment.utcoffset() == timedelta(0)


def test_times_are_compared_as_moments(engine: Engine) -> None:
    moments = [datetime(2026, 5, 1, 9, 30, tzinfo=timezone(timedelta(hours=hours))) for hours in (8, 0, -8)]
    with engine.begin() as connection:
        upsert(connection, Post, [post(f"p{place}", created_at=moment) for place, moment in enumerate(moments)])
        ordered = connection.scalars(select(col(Post.post_id)).order_by(col(Post.created_at)))
        assert list(ordered) == ["p0", "p1", "p2"]
        assert list(connection.scalars(select(col(Post.post_id)).where(col(Post.created_at) < moments[1]))) == ["p0"]


@pytest.mark.parametrize("voices", [2, 0], ids=["two", "none"])
def test_neither_a_network_nor_a_lead_of_fewer_than_three_voices_can_be_stored(engine: Engine, voices: int) -> None:
    with pytest.raises(IntegrityError, match="enough_voices"), engine.begin() as connection:
        upsert(connection, Network, [network(voices=voices, willing_voices=voices)])
    with engine.begin() as connection:
        upsert(connection, Network, [network()])
    with pytest.raises(IntegrityError, match="enough_voices"), engine.begin() as connection:
        upsert(connection, Lead, [lead(voices=voices)])
    with pytest.raises(IntegrityError, match="enough_voices"), engine.begin() as connection:
        upsert(connection, Network, [network(voices=voices, willing_voices=voices)])
    assert (count(engine, Network), count(engine, Lead)) == (1, 0)


@pytest.mark.parametrize(
    ("status", "finished_at"),
    [("running", THEN), ("finished", None), ("failed", None)],
    ids=["running with an end", "finished without one", "failed without one"],
)
def test_a_run_has_an_end_when_it_is_not_running_and_only_then(engine: Engine, status: str, finished_at: datetime | None) -> None:
    with pytest.raises(IntegrityError, match="finished_when_not_running"), engine.begin() as connection:
        upsert(connection, Run, [run(status=status, finished_at=finished_at)])
    with engine.begin() as connection:
        upsert(connection, Run, [run(), run(run_id="r2", status="finished", finished_at=THEN)])
    assert count(engine, Run) == 2


@pytest.mark.parametrize(
    ("table", "row"),
    [
        pytest.param(
            PostReading,
            {"post_id": "nowhere", "version": "v", "content_hash": "h", "status": "read", "language": "en", "willing": None,
             "is_willing": False, "areas": {}, "signals": {}, "evidence": []},
            id="a reading without its post",
        ),
        pytest.param(Lead, lead(network_id="nowhere"), id="a lead without its network"),
        pytest.param(LeadMessage, {"lead_id": "nowhere", "post_id": "nowhere"}, id="a message of no lead"),
    ],
)  # fmt: skip
def test_nothing_is_stored_about_what_is_not_there(engine: Engine, table: Any, row: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), engine.begin() as connection:
        upsert(connection, table, [row])


@pytest.mark.parametrize("broken", [{"platform": None}, {"fetched_at": None}, {"post_id": None}], ids=["platform", "time", "id"])
def test_a_failing_insert_puts_neither_words_nor_keys_into_its_message(engine: Engine, broken: dict[str, Any]) -> None:
    with pytest.raises(SQLAlchemyError) as caught, engine.begin() as connection:
        connection.execute(insert(Post), [post() | broken])
    said = f"{caught.value} {caught.value!r} {caught.value.args} {getattr(caught.value, 'orig', '')}"
    assert WORDS not in said
    assert KEY not in said


def test_a_post_that_is_there_already_is_refused_without_its_words(engine: Engine) -> None:
    with pytest.raises(IntegrityError) as caught, engine.begin() as connection:
        connection.execute(insert(Post), [post("p1"), post("p1")])
    assert WORDS not in f"{caught.value} {caught.value!r} {caught.value.orig}"
    assert count(engine) == 0


def audit(action: str) -> AuditEntry:
    return AuditEntry(happened_at=THEN, by="an officer", action=action, subject="x", counts={})


def test_a_unit_of_work_is_kept_whole_at_its_end(engine: Engine) -> None:
    with unit_of_work(engine) as session:
        upsert(session.connection(), Post, [post()])
        session.add(audit("first"))
    assert (count(engine), count(engine, AuditEntry)) == (1, 1)


def test_a_unit_of_work_that_fails_leaves_nothing(engine: Engine) -> None:
    def break_off() -> None:
        with unit_of_work(engine) as session:
            upsert(session.connection(), Post, [post()])
            session.add(audit("first"))
            session.flush()
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        break_off()
    assert (count(engine), count(engine, AuditEntry)) == (0, 0)


def test_what_is_removed_waits_for_what_is_being_stored(engine: Engine) -> None:
    def remove() -> None:
        with engine.begin() as connection:
            take_turn(connection)
            connection.execute(delete(Post))

    other = Thread(target=remove)
    with engine.begin() as connection:
        take_turn(connection)
        other.start()
        upsert(connection, Post, [post()])
        other.join(0.2)
        assert other.is_alive()
    other.join(10)
    assert count(engine) == 0


HOLDER = """
import sys, time
from pathlib import Path
from models.session import held_lock, open_engine
with held_lock(open_engine(sys.argv[1]), 7, folder=Path(sys.argv[2])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_is_held_by_one_and_goes_with_the_process_that_was_killed(engine: Engine, address: str, tmp_path: Path) -> None:
    def hold(number: int = 7) -> None:
        with held_lock(engine, number, folder=tmp_path):
            pass

    with subprocess.Popen([sys.executable, "-c", HOLDER, address, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError):
            hold()
        hold(8)
        holder.kill()
    hold()
    hold()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param("nonsense", "COPROD_DATABASE_URL", id="no address at all"),
        pytest.param("postgresql+psycopg://coprod:hunter2-geese@127.0.0.1:1/coprod", "127.0.0.1:1", id="nobody there"),
        pytest.param("sqlite:////proc/none/coprod.sqlite3", "COPROD_HOME", id="a folder that cannot be"),
    ],
)
def test_a_store_that_cannot_be_opened_says_which_and_what_to_do_without_its_password(wrong: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as caught:
        open_engine(wrong)
    assert "COPROD_" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_a_database_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "home" / "coprod.sqlite3"
    before = os.umask(0o022)
    try:
        engine = open_engine(f"sqlite:///{path}")
        with engine.begin() as connection:
            upsert(connection, Post, [post()])
            modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    finally:
        os.umask(before)
    engine.dispose()
    assert modes == dict.fromkeys((path.name, f"{path.name}-wal", f"{path.name}-shm"), 0o600)
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "coprod.sqlite3"
    path.write_bytes(b"this is a shopping list, and a long one at that\n" * 100)
    with pytest.raises(StoreError, match=r"coprod\.sqlite3"):
        open_engine(f"sqlite:///{path}")
