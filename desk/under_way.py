"""Sign-ins that have gone to the provider and may come back. Kept in memory: after a restart one signs in anew."""

from dataclasses import dataclass
from threading import Lock
from time import monotonic

HOLDS_S = 600
MOST_UNDER_WAY = 5_000


@dataclass(frozen=True)
class UnderWay:
    """A sign-in that has gone to the provider: what must come back, and into which browser."""

    browser: str
    nonce: str
    verifier: str
    following: str
    ends: float


class SignIns:
    """Sign-ins under way by their state. Many people sign in at once, each in a thread: none may lose another's."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: dict[str, UnderWay] = {}

    def begin(self, state: str, *, browser: str, nonce: str, verifier: str, following: str) -> None:
        """Keep one for a while; the oldest go where there are too many."""
        now = monotonic()
        with self._lock:
            held = {key: one for key, one in self._held.items() if one.ends > now}
            held[state] = UnderWay(browser, nonce, verifier, following, now + HOLDS_S)
            self._held = dict(list(held.items())[-MOST_UNDER_WAY:])

    def end(self, state: str) -> UnderWay | None:
        """The one of this state, once and while it holds."""
        with self._lock:
            found = self._held.pop(state, None)
        return found if found and found.ends > monotonic() else None
