"""Who acts. A person's name is no parameter of a flow: Prefect would keep it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

SCHEDULE = "schedule"

_by: ContextVar[str] = ContextVar("by", default=SCHEDULE)


def acting() -> str:
    """The name given by whoever started this; a schedule has none."""
    return _by.get()


@contextmanager
def acting_as(by: str) -> Iterator[None]:
    token = _by.set(by)
    try:
        yield
    finally:
        _by.reset(token)
