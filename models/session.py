"""Engine, migrations and the unit of work."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlmodel import Session

MIGRATIONS_DIR = Path(__file__).parent / "migrations"
# Names the lock that `take_turn` takes on PostgreSQL.
TURN = 0x636F70726F64
# What a killed process held is free after less than that.
LOCK_WAIT_S = 2
LOCK_NOT_AVAILABLE = "55P03"
SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "busy_timeout=30000",
    "cache_size=-65536",
    "wal_autocheckpoint=4000",
    "temp_store=MEMORY",
    "secure_delete=ON",
)


class StoreError(Exception):
    """The database cannot be reached or used; the message says which one and what to do."""


def open_engine(address: str) -> Engine:
    """Engine for an SQLAlchemy address, migrated to the newest schema. Parameters never reach a message or a log.

    Raises
    ------
    StoreError
        Where the address makes no sense or the database does not answer. The password is not in the message.
    """
    try:
        url = _url(address)
        if path := sqlite_file(address):
            # For its owner alone, and SQLite makes its other files as this one is. Who shares them makes them beforehand.
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                path.touch(mode=0o600)
        # The connection that was used last has the pages at hand that most readers want.
        engine = create_engine(url, hide_parameters=True, pool_use_lifo=True)
        if url.get_backend_name() == "sqlite":
            event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "handle_error", _without_values)
        migrate(engine)
    except (ArgumentError, ValueError):
        raise StoreError("the database address is not understood; check COPROD_DATABASE_URL") from None
    except (DBAPIError, CommandError, OSError) as error:
        reason = (str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__])[0]
        raise StoreError(f"cannot open {shown_address(url)}: {reason}; check COPROD_DATABASE_URL or COPROD_HOME") from None
    return engine


def sqlite_file(address: str) -> Path | None:
    """The file of an SQLite database; None for another kind and for one that is no file."""
    url = _url(address)
    is_file = url.get_backend_name() == "sqlite" and url.database and not url.database.startswith((":memory:", "file:"))
    return Path(str(url.database)) if is_file else None


def shown_address(url: URL) -> str:
    """An address without its password, and without parameters, which could hold one."""
    return url.set(query={}).render_as_string(hide_password=True)


def _url(address: str) -> URL:
    """An address whose password holds an unescaped @ would be cut at the wrong place, and show a part of it."""
    if address.partition("://")[2].partition("?")[0].count("@") > 1:
        raise StoreError("the database address has more than one @; write an @ in the password as %40 in COPROD_DATABASE_URL")
    return make_url(address)


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to a revision; nothing happens where it is there already."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS_DIR).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@contextmanager
def unit_of_work(engine: Engine) -> Iterator[Session]:
    """One transaction: committed at the end, rolled back whole on any error."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


def take_turn(connection: Connection) -> None:
    """Wait until nobody else removes posts or stores what is made from them, and let others wait until this transaction ends.

    What is asked of posts and of who objected from here on still holds when it is committed.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(TURN)))
    elif not connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
        connection.exec_driver_sql("BEGIN IMMEDIATE")


class LockedError(Exception):
    """Somebody else holds the lock."""


@contextmanager
def held_lock(engine: Engine, number: int, *, folder: Path) -> Iterator[None]:
    """Hold the lock of this number among all who use the store; it ends with this process, however that ends.

    Parameters
    ----------
    folder
        For a file where the database is SQLite, and so on this machine.

    Raises
    ------
    LockedError
        Where another holds it.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.detach()  # closed at the end, and with it goes the lock
            try:
                with connection.begin():
                    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s'"))
                    connection.execute(select(func.pg_advisory_lock(number)))
            except OperationalError as error:
                raise (LockedError if LOCK_NOT_AVAILABLE in str(error.orig) else error) from None
            yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{number:x}.lock"
    file = sqlite3.connect(path, timeout=LOCK_WAIT_S, isolation_level=None, check_same_thread=False)
    try:
        file.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        file.close()
        raise (LockedError if error.sqlite_errorcode == sqlite3.SQLITE_BUSY else error) from None
    try:
        yield
    finally:
        file.close()
        with suppress(OSError):
            path.unlink()


def _without_values(context: ExceptionContext) -> None:
    """PostgreSQL quotes the failing row in its message; raise the same error with its code and place alone."""
    place = getattr(context.original_exception, "diag", None)
    if place is None or place.sqlstate is None or context.sqlalchemy_exception is None:
        return
    named = ", ".join(filter(None, (place.table_name, place.column_name, place.constraint_name)))
    plain = RuntimeError(f"{type(context.original_exception).__name__} {place.sqlstate} {named}".strip())
    error: Any = type(context.sqlalchemy_exception)
    raise error(context.statement, None, plain, hide_parameters=True) from None


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
