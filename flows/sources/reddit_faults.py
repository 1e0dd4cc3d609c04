"""What PRAW raises, by kind: leave one community out, try again later, or stop with a remedy."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import praw.exceptions
import prawcore.exceptions as faults

from flows.sources.base import ProblemKind, SourceError, SourceRefusedError, SourceUnavailableError
from flows.sources.live import SourceSkippedError
from flows.sources.servers import MISSHAPEN

# Reddit's own word for why a community is closed, and what it means for us.
CLOSED: dict[str, tuple[ProblemKind, str]] = {
    "private": (ProblemKind.PRIVATE_COMMUNITY, "is private"),
    "gold_only": (ProblemKind.PRIVATE_COMMUNITY, "is for paying members"),
    "quarantined": (ProblemKind.QUARANTINED_COMMUNITY, "is quarantined"),
    "banned": (ProblemKind.BANNED_COMMUNITY, "was banned by Reddit"),
}
# How PRAW comes to grief over an answer that is JSON of a shape it does not expect.
PRAW_MISSHAPEN = (*MISSHAPEN, AssertionError, praw.exceptions.PRAWException)


@contextmanager
def asking(place: str) -> Iterator[None]:
    """Around every use of PRAW: nothing but a SourceError comes out."""
    try:
        yield
    except SourceError:
        raise
    except (faults.InvalidToken, faults.InsufficientScope, faults.OAuthException):
        raise SourceRefusedError(
            "reddit: does not let this app read any more; check in Reddit's own settings that the app is still there and approved"
        ) from None
    except faults.Redirect:
        raise SourceSkippedError(ProblemKind.MISSING_COMMUNITY, f"{place} is not there; check its name in communities.toml") from None
    except faults.NotFound as error:
        raise _closed(place, error.response, ProblemKind.MISSING_COMMUNITY, "is not there") from None
    except (faults.Forbidden, faults.UnavailableForLegalReasons) as error:
        raise _closed(place, error.response, ProblemKind.FORBIDDEN_COMMUNITY, "may not be read") from None
    except (faults.BadRequest, faults.URITooLong, faults.TooLarge):
        raise SourceSkippedError(ProblemKind.REFUSED_SEARCH, f"{place}: Reddit does not take this search; change the term") from None
    except faults.PrawcoreException as error:
        raise SourceUnavailableError(f"reddit: {place}: {type(error).__name__}; try again later. What came before is kept") from None
    except PRAW_MISSHAPEN as error:
        raise SourceUnavailableError(
            f"reddit: {place}: an answer that PRAW does not understand ({type(error).__name__}); try again later. What came before is kept"
        ) from None


def _closed(place: str, response: Any, kind: ProblemKind, words: str) -> SourceSkippedError:
    try:
        reason = response.json().get("reason")
    except (ValueError, AttributeError):
        reason = None
    kind, words = CLOSED.get(str(reason), (kind, words))
    return SourceSkippedError(kind, f"{place} {words}")
