"""How long work says how far it is: whoever started the flow listens, or nobody does."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Listener(Protocol):
    """Told of each stage: what it is, how much of it there is (None where unknown) and how much is done."""

    def stage(self, name: str, *, total: int | None, unit: str) -> None: ...

    def advance(self, done: int, *, note: str = "") -> None: ...

    def note(self, text: str) -> None: ...

    def waiting(self, seconds: float, why: str) -> None:
        """Told again and again while a source makes us wait; 0 where that is over."""


class Silent:
    """Nobody is listening."""

    def stage(self, name: str, *, total: int | None, unit: str) -> None: ...

    def advance(self, done: int, *, note: str = "") -> None: ...

    def note(self, text: str) -> None: ...

    def waiting(self, seconds: float, why: str) -> None: ...


_listener: ContextVar[Listener] = ContextVar("listener", default=Silent())  # noqa: B039  (it holds no state)


def listener() -> Listener:
    return _listener.get()


@contextmanager
def listening(to: Listener) -> Iterator[None]:
    token = _listener.set(to)
    try:
        yield
    finally:
        _listener.reset(token)
