"""How much a community usually gives, and whether what it gave now is unlike that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from coprod_nlp.vocabulary import PollOutcome
from flows.sources.base import ProblemKind

# Polls before this one from which "usual" is made, and how few of them say nothing yet.
HISTORY, LEAST_HISTORY = 20, 3
FACTOR = 5
# Fewer posts than this come and go by chance.
LEAST_POSTS = 10
# Where no more than this many were to be expected, none is no news.
QUIET = 3
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Stretch:
    """The time between two polls that came to their end, and the new posts of it, those of polls that broke off in between too."""

    days: float
    new_posts: int


def stretches(polls: Sequence[Any], *, now: datetime) -> list[Stretch]:
    """Stretches between the ends of a target's polls, oldest first; the last one goes on until now.

    The first poll of all takes what was written before: it begins the count, and is no part of it.
    """
    found: list[Stretch] = []
    since: datetime | None = None
    new_posts = 0
    for poll in polls:
        new_posts += poll.new_posts
        if poll.outcome != PollOutcome.FINISHED:
            continue
        if since is not None:
            found.append(Stretch((poll.finished_at - since).total_seconds() / DAY_S, new_posts))
        since, new_posts = poll.finished_at, 0
    return found if since is None else [*found, Stretch((now - since).total_seconds() / DAY_S, new_posts)]


def usual_per_day(earlier: Sequence[Stretch]) -> float | None:
    """New posts a day, the median of earlier stretches; None where there are too few to say."""
    rates = [stretch.new_posts / stretch.days for stretch in earlier[-HISTORY:] if stretch.days > 0]
    return median(rates) if len(rates) >= LEAST_HISTORY else None


def judge(now: Stretch, *, per_day: float | None) -> tuple[ProblemKind, str] | None:
    """What is unusual about a stretch, with its figures in words; None where nothing is."""
    expected = None if per_day is None else per_day * now.days
    figures = f"{now.new_posts:,} new in {now.days:.1f} days"
    figures += ", too early to say what is usual" if expected is None else f", usually about {expected:,.0f}"
    if now.new_posts == 0:
        return None if expected is not None and expected <= QUIET else (ProblemKind.SILENT, figures)
    if expected is None:
        return None
    if expected >= LEAST_POSTS and now.new_posts * FACTOR < expected:
        return ProblemKind.FAR_LESS, figures
    if now.new_posts > FACTOR * max(expected, LEAST_POSTS):
        return ProblemKind.FAR_MORE, figures
    return None
