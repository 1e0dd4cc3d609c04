"""Loaded by every Python process that a test starts: no connection goes further than this machine, and each attempt is written down.

pytest-socket holds the test's own process; it does not reach into others.
"""

import os
import socket
from pathlib import Path
from typing import Any

RECORD = os.environ.get("TEST_GUARD_RECORD", "")
HERE = ("127.", "::1", "localhost", "0.0.0.0")  # noqa: S104  (nothing is bound)


def _check(host: Any) -> None:
    name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    if name.startswith(HERE):
        return
    with Path(RECORD).open("a", encoding="utf-8") as record:
        record.write(f"{name}\n")
    raise OSError(f"a test reached for {name}; only this machine is allowed")


class _Guarded(socket.socket):
    def connect(self, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            _check(address[0])
        super().connect(address)

    def connect_ex(self, address: Any) -> int:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            _check(address[0])
        return super().connect_ex(address)


_look_up = socket.getaddrinfo


def _guarded_look_up(host: Any, *arguments: Any, **named: Any) -> Any:
    _check(host)
    return _look_up(host, *arguments, **named)


if RECORD:
    socket.socket = _Guarded  # type: ignore[misc]
    socket.getaddrinfo = _guarded_look_up
