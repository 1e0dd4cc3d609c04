"""Who may knock how often, and the one-time code that lets the first administrator in."""

import hmac
import secrets
from dataclasses import dataclass, field

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

# What is limited, and how: for one address or one name, so many times in so many minutes.
LIMITS = {
    "sign_in": RateLimitItemPerMinute(20, 5),
    "sign_in_name": RateLimitItemPerMinute(10, 15),
    "first_run": RateLimitItemPerMinute(10, 15),
    "set_password": RateLimitItemPerMinute(20, 15),
    "public_form": RateLimitItemPerMinute(10, 60),
    "public_forms": RateLimitItemPerMinute(300, 60),
    "public_status": RateLimitItemPerMinute(30, 60),
    "export": RateLimitItemPerMinute(10, 10),
}


@dataclass
class Doors:
    """Kept in memory: the desk is one process, and a restart forgives."""

    limiter: MovingWindowRateLimiter = field(default_factory=lambda: MovingWindowRateLimiter(MemoryStorage()))
    first_run_code: str | None = None

    def may(self, what: str, who: str) -> bool:
        """Whether this may be done once more; counts it."""
        return self.limiter.hit(LIMITS[what], what, who)

    def make_code(self) -> str:
        """A new code; one made before opens nothing any more."""
        self.first_run_code = secrets.token_urlsafe(12)
        return self.first_run_code

    def is_code(self, text: str) -> bool:
        return self.first_run_code is not None and hmac.compare_digest(self.first_run_code.encode(), text.strip().encode())
