"""Pace: how often one credential may ask, kept exactly, with waits that are told. The clock is given, so that tests need not wait."""

import time
from collections import deque
from threading import RLock
from typing import Protocol

from flows.progress import listener

# Waits shorter than this are the ordinary space between two requests.
TOLD_FROM_S = 2.0
SLICE_S = 1.0
# How far requests that were late may be made up for by following each other at once.
CATCH_UP_S = 3.0


class Clock(Protocol):
    """Seconds that only go forward, and a way to let them pass."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Pace:
    """At most `allowed` requests in any `window_s` seconds, evenly spread; slower where the platform says so.

    Whoever listens to the run is told about once a second of waits that are longer than an even spread makes them.
    """

    def __init__(self, allowed: int, *, window_s: float = 60.0, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._window_s, self._space_s = window_s, window_s / allowed
        self._sent: deque[float] = deque(maxlen=allowed)
        self._next = 0.0
        self._held_until, self._why = 0.0, ""
        self._lock = RLock()
        self.requests = 0
        self.waited_s = 0.0

    def wait(self) -> None:
        """Return when the next request may be made, and count it."""
        with self._lock:
            now = self._clock.now()
            even = max(self._next, self._sent[0] + self._window_s if len(self._sent) == self._sent.maxlen else now)
            due, why = (self._held_until, self._why) if self._held_until > even else (even, "an even pace")
            self._sleep(due - now, why)
            now = max(self._clock.now(), due)
            self._next = max(self._next + self._space_s, now - CATCH_UP_S + self._space_s)
            self._sent.append(now)
            self.requests += 1

    def hold(self, seconds: float, why: str) -> None:
        """Make no request for some seconds from now: the platform said so."""
        with self._lock:
            until = self._clock.now() + seconds
            if until > self._held_until:
                self._held_until, self._why = until, why

    def told(self, *, remaining: float, reset_s: float, why: str) -> None:
        """Take in what the platform says is left until it counts anew; others may be using the same credential."""
        if remaining < 1:
            self.hold(reset_s, why)
        elif reset_s / remaining > self._space_s:
            self.hold(reset_s / remaining, why)

    def _sleep(self, seconds: float, why: str) -> None:
        is_told = seconds >= TOLD_FROM_S
        left = seconds
        while left > 0:
            if is_told:
                listener().waiting(left, why)
            part = min(left, SLICE_S)
            self._clock.sleep(part)
            left -= part
        self.waited_s += max(seconds, 0.0)
        if is_told:
            listener().waiting(0.0, "")
