"""Whether a community gives what it usually gives."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from flows.sources.base import ProblemKind
from flows.sources.volume import Stretch, judge, stretches, usual_per_day

BEGAN = datetime(2026, 5, 1, tzinfo=UTC)


def poll(day: float, new_posts: int, outcome: str = "finished") -> Any:
    return SimpleNamespace(new_posts=new_posts, outcome=outcome, finished_at=BEGAN + timedelta(days=day) if outcome != "running" else None)


def test_stretches_leave_the_first_poll_out_and_count_what_polls_that_broke_off_had_given() -> None:
    polls = [
        poll(0, 300, "running"), poll(0.5, 700), poll(1.5, 40), poll(2, 9, "unavailable"), poll(2.1, 5, "running"), poll(2.5, 6),
        poll(3, 2, "running"),
    ]  # fmt: skip
    assert stretches(polls, now=BEGAN + timedelta(days=4.5)) == [Stretch(1, 40), Stretch(1, 20), Stretch(2, 2)]


def test_before_any_poll_has_ended_there_is_no_stretch() -> None:
    assert stretches([poll(0, 300, "running")], now=BEGAN) == []


@pytest.mark.parametrize(
    ("earlier", "per_day"),
    [
        pytest.param([], None, id="no history"),
        pytest.param([Stretch(1, 10), Stretch(1, 20)], None, id="too little history"),
        pytest.param([Stretch(1, 10), Stretch(2, 40), Stretch(1, 900)], 20, id="median of rates"),
        pytest.param([Stretch(0, 5), Stretch(1, 10), Stretch(1, 10)], None, id="no time passed"),
        pytest.param([Stretch(1, 999)] * 5 + [Stretch(1, 10)] * 20, 10, id="the newest twenty"),
    ],
)
def test_usual_is_the_median_of_new_posts_a_day(earlier: list[Stretch], per_day: float | None) -> None:
    assert usual_per_day(earlier) == per_day


@pytest.mark.parametrize(
    ("now", "per_day", "kind"),
    [
        pytest.param(Stretch(1, 0), None, ProblemKind.SILENT, id="none, and nothing is known"),
        pytest.param(Stretch(1, 0), 40, ProblemKind.SILENT, id="none of forty"),
        pytest.param(Stretch(0.05, 0), 40, None, id="none, soon after the last"),
        pytest.param(Stretch(1, 0), 3, None, id="none of three"),
        pytest.param(Stretch(1, 0), 3.1, ProblemKind.SILENT, id="none of a little more than three"),
        pytest.param(Stretch(1, 7), 40, ProblemKind.FAR_LESS, id="seven of forty"),
        pytest.param(Stretch(1, 8), 40, None, id="a fifth"),
        pytest.param(Stretch(1, 1), 9, None, id="one of nine"),
        pytest.param(Stretch(1, 200), 40, None, id="five times"),
        pytest.param(Stretch(1, 201), 40, ProblemKind.FAR_MORE, id="more than five times"),
        pytest.param(Stretch(1, 50), 1, None, id="many, of a small community"),
        pytest.param(Stretch(1, 51), 1, ProblemKind.FAR_MORE, id="very many, of a small community"),
        pytest.param(Stretch(1, 10_000), None, None, id="many, and nothing is known"),
    ],
)
def test_none_far_less_and_far_more_are_told_from_chance_at_their_edges(
    now: Stretch, per_day: float | None, kind: ProblemKind | None
) -> None:
    verdict = judge(now, per_day=per_day)
    assert (verdict and verdict[0]) == kind
    assert verdict is None or f"{now.new_posts:,} new in {now.days:.1f} days" in verdict[1]
