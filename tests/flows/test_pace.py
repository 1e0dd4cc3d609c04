"""Pace: exact, even, told, and obedient to what a platform says. Time is simulated."""

import random
from collections.abc import Callable

import pytest

from flows.progress import Silent, listening
from flows.sources.pace import Pace
from flows.sources.reddit import pace_of
from tests.fakes.live import SimulatedClock

DRAW = random.Random(3)
ALLOWED, WINDOW_S = 100, 60.0


def sent(latency: Callable[[], float], *, requests: int) -> list[float]:
    """When requests go out, each taking some time."""
    clock = SimulatedClock()
    pace = Pace(ALLOWED, window_s=WINDOW_S, clock=clock)
    times = []
    for _ in range(requests):
        pace.wait()
        times.append(clock.now())
        clock.sleep(latency())
    return times


LATENCIES = [
    pytest.param(lambda: 0.0, id="answers at once"),
    pytest.param(lambda: 0.4, id="answers soon"),
    pytest.param(lambda: DRAW.choice([0.1, 0.2, 0.2, 0.3, 0.3, 1.5]), id="answers late now and then"),
]


@pytest.mark.parametrize("latency", LATENCIES)
def test_the_pace_keeps_at_least_95_percent_of_the_allowed_rate(latency: Callable[[], float]) -> None:
    times = sent(latency, requests=2_001)
    assert 2_000 / (times[-1] - times[0]) >= 0.95 * ALLOWED / WINDOW_S


@pytest.mark.parametrize("latency", LATENCIES)
def test_no_window_holds_more_requests_than_are_allowed(latency: Callable[[], float]) -> None:
    times = sent(latency, requests=1_000)
    assert min(later - earlier for earlier, later in zip(times, times[ALLOWED:], strict=False)) >= WINDOW_S - 1e-6


def test_requests_are_spread_and_not_sent_in_a_burst() -> None:
    times = sent(lambda: 0.0, requests=200)
    assert sum(time < 10 for time in times) <= ALLOWED * 10 / WINDOW_S + 3.0 / 0.6 + 1


def test_a_hold_is_kept_and_a_shorter_one_after_it_does_not_end_it() -> None:
    clock = SimulatedClock()
    pace = Pace(ALLOWED, clock=clock)
    pace.hold(90, "asked to")
    pace.hold(5, "asked again")
    pace.wait()
    assert (clock.now(), pace.requests, pace.waited_s) == (90, 1, 90)


@pytest.mark.parametrize(
    ("remaining", "reset_s", "wait_s"),
    [
        pytest.param(0.0, 213, 213, id="nothing left"),
        pytest.param(10.0, 300, 30, id="little left is spread"),
        pytest.param(900.0, 300, 0.6, id="much left changes nothing"),
    ],
)
def test_what_a_platform_says_is_left_slows_the_pace_down_and_never_speeds_it_up(remaining: float, reset_s: float, wait_s: float) -> None:
    clock = SimulatedClock()
    pace = Pace(ALLOWED, clock=clock)
    for _ in range(20):
        pace.wait()
    before = clock.now()
    pace.told(remaining=remaining, reset_s=reset_s, why="the limit")
    pace.wait()
    assert clock.now() - before == pytest.approx(wait_s)


def test_long_waits_are_told_second_by_second_with_their_reason_and_short_ones_are_not() -> None:
    class Heard(Silent):
        told: list[tuple[float, str]] = []  # noqa: RUF012

        def waiting(self, seconds: float, why: str) -> None:
            self.told.append((seconds, why))

    pace = Pace(ALLOWED, clock=SimulatedClock())
    with listening(Heard()):
        for _ in range(50):
            pace.wait()
        assert Heard.told == []
        pace.hold(3.5, "asked to")
        pace.wait()
    assert Heard.told == [(3.5, "asked to"), (2.5, "asked to"), (1.5, "asked to"), (0.5, "asked to"), (0.0, "")]


def test_a_credential_has_one_pace_however_often_it_is_used() -> None:
    assert pace_of("one", clock=SimulatedClock()) is pace_of("one")
    assert pace_of("one") is not pace_of("two", clock=SimulatedClock())
