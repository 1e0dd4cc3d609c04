"""Freed space that still holds what was removed: remembered until it is wiped, as far as a database lets it."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, Column, Connection, Engine, delete, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Field, col

from models.base import Table, UtcDateTime, metadata, utc_now
from models.bulk import upsert


class FreedSpace(Table, table=True):
    """At most one row: something was removed, last at `since`, and its space was not wiped yet."""

    __tablename__ = "freed_space"
    __table_args__ = (CheckConstraint("state_id = 1", name="one_row"),)
    personal: ClassVar = frozenset()
    not_personal: ClassVar = frozenset({"state_id", "since"})

    state_id: int = Field(default=1, primary_key=True)
    since: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


def note_freed_space(connection: Connection) -> None:
    upsert(connection, FreedSpace, [{"state_id": 1, "since": utc_now()}])


def wipe_freed_space(engine: Engine) -> bool:
    """Write the database anew without what was freed; False where others use it, or there is no room: then it is still to be done.

    SQLite's `secure_delete` zeroes what is freed, but leaves copies where rows were moved between pages (measured: 30 of 5,000 removed
    texts could still be read in the file), and its write-ahead log keeps old pages. PostgreSQL's own log and backups are its
    administrator's.
    """
    started = utc_now()
    with engine.connect() as connection:
        if connection.scalar(text("SELECT count(*) FROM freed_space")) == 0:
            return True
    is_sqlite = engine.dialect.name == "sqlite"
    names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
    statements = ["VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"] if is_sqlite else [f"VACUUM {names}"]
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            results = [connection.execute(text(statement)) for statement in statements]
            # The checkpoint answers whether somebody was in its way.
            if is_sqlite and results[-1].scalar_one():
                return False
    except OperationalError:
        return False
    with engine.begin() as connection:
        connection.execute(delete(FreedSpace).where(col(FreedSpace.since) <= started))
    return True
