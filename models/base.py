"""What every table shares: constraint names, aware UTC time, and which of its columns are personal."""

from calendar import monthrange
from datetime import UTC, date, datetime
from typing import ClassVar, TypeVar

from sqlalchemy import DateTime, MetaData
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: MetaData = SQLModel.metadata
Day = TypeVar("Day", bound=date)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python whatever the database keeps; naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone; use UTC")
        return value if value.tzinfo is UTC else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Table(SQLModel):
    """Base of all tables. Each names its personal columns and the rest; a test finds columns named in neither."""

    personal: ClassVar[frozenset[str]]
    not_personal: ClassVar[frozenset[str]]


def utc_now() -> datetime:
    return datetime.now(UTC)


def months_after(day: Day, months: int) -> Day:
    """The same day of a later month (or an earlier one), or that month's last day where it is shorter."""
    year, month = day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1
    return day.replace(year=year, month=month, day=min(day.day, monthrange(year, month)[1]))


def tables() -> list[type[Table]]:
    """Every table class, in the order in which rows may be deleted without breaking a reference."""
    by_name = {str(cls.__tablename__): cls for cls in Table.__subclasses__() if hasattr(cls, "__table__")}
    return [by_name[table.name] for table in reversed(metadata.sorted_tables) if table.name in by_name]
