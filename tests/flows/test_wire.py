"""Requests to a forum's server: to that server only, as late as it asks, again where that helps, and never for ever."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from flows.progress import listening
from flows.sources import wire as wires
from flows.sources.base import SourceRefusedError, SourceUnavailableError
from flows.sources.live import SourceSkippedError
from flows.sources.pace import Pace
from flows.sources.wire import Wire, checked
from tests.fakes.lemmy import FakeLemmy
from tests.fakes.live import Heard, SimulatedClock
from tests.fakes.reddit_world import World
from tests.fakes.server import FakeServer, Fault

WAIT_S = 45


@pytest.fixture
def forum() -> Iterator[FakeServer]:
    with FakeLemmy(World()) as server:
        server.faults = lambda _number, _path: Fault(body="{}")
        yield server


@pytest.fixture
def wire(forum: FakeServer) -> Iterator[Wire]:
    wire = wire_to(forum)
    yield wire
    wire.close()


@pytest.fixture
def heard() -> Iterator[Heard]:
    with listening(heard := Heard()):
        yield heard


def wire_to(forum: FakeServer, *, answers_within_s: float = 30.0) -> Wire:
    pace = Pace(60, clock=SimulatedClock())
    return Wire(forum.host, platform="lemmy", pace=pace, contact="listening@marlowick.example", timeouts_s=(1.0, answers_within_s))


def first(*faults: Fault) -> Callable[[int, str], Fault]:
    """These instead of the first answers; sound ones after."""
    return lambda number, _path: faults[number - 1] if number <= len(faults) else Fault(body="{}")


def later(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def test_a_request_to_any_other_host_is_held_back(forum: FakeServer, wire: Wire) -> None:
    for address in ("http://192.0.2.1/api", f"http://{forum.host}@192.0.2.1/", f"http://{forum.host.partition(':')[0]}/"):
        with pytest.raises(SourceRefusedError, match=f"was held back; only {forum.host} is asked"):
            wire.get(address)
    assert forum.requests == []


def test_a_server_that_never_answers_is_given_up_on(forum: FakeServer) -> None:
    forum.faults = lambda _number, _path: Fault(wait_s=0.3)
    wire = wire_to(forum, answers_within_s=0.05)
    with pytest.raises(SourceUnavailableError, match="did not answer in time 5 times in a row; try again later"):
        wire.get(forum.address)
    wire.close()


def test_an_answer_without_an_end_is_given_up_on(forum: FakeServer, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "LARGEST_ANSWER", 10_000)
    forum.faults = lambda _number, _path: Fault(body=f'{{"text": "{"x" * 10_000}"}}')
    with pytest.raises(SourceUnavailableError, match="5 times in a row"):
        wire.get(forum.address)
    forum.faults = lambda _number, _path: Fault(body=f'{{"text": "{"x" * 9_000}"}}')
    assert wire.get(forum.address).json() == {"text": "x" * 9_000}


def test_an_error_that_stays_is_asked_about_after_2_4_8_and_16_seconds(forum: FakeServer, wire: Wire, heard: Heard) -> None:
    forum.faults = first(*[Fault(status=503)] * 4)
    assert wire.get(forum.address).json() == {}
    assert [round(seconds) for seconds in heard.beginnings(f"{forum.host} answered with error 503")] == [2, 4, 8, 16]


WAITS = [
    pytest.param({"retry-after": lambda: str(WAIT_S)}, id="seconds"),
    pytest.param({"retry-after": lambda: f"{later(WAIT_S):%a, %d %b %Y %H:%M:%S} GMT"}, id="a date"),
    pytest.param({"x-ratelimit-reset": lambda: str(WAIT_S)}, id="seconds to the end of a limit"),
    pytest.param({"ratelimit-reset": lambda: str(WAIT_S)}, id="the same by the standard's name"),
    pytest.param({"x-ratelimit-reset": lambda: later(WAIT_S).isoformat()}, id="the date of the end of a limit"),
    pytest.param({"x-ratelimit-reset": lambda: str(later(WAIT_S).timestamp())}, id="the same as seconds since 1970"),
]


@pytest.mark.parametrize("said", WAITS)
def test_a_server_that_asks_for_a_wait_gets_it_however_it_says_so(
    said: dict[str, Callable[[], str]], forum: FakeServer, wire: Wire, heard: Heard
) -> None:
    forum.faults = first(Fault(status=429, headers={name: value() for name, value in said.items()}))
    assert wire.get(forum.address).json() == {}
    (waited_s,) = heard.beginnings(f"{forum.host} asks us to wait")
    assert WAIT_S - 5 < waited_s <= WAIT_S


def test_a_limit_that_a_server_announces_is_kept(forum: FakeServer, wire: Wire, heard: Heard) -> None:
    forum.faults = first(Fault(body="{}", headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(WAIT_S)}))
    for _ in range(3):
        wire.get(forum.address)
    (waited_s,) = heard.beginnings(f"the limit of {forum.host}")
    assert waited_s == pytest.approx(WAIT_S, abs=1)


NOT_SHOWN = [
    pytest.param(401, "private_community", "members only", id="a login is wanted"),
    pytest.param(403, "private_community", "members only", id="forbidden"),
    pytest.param(451, "private_community", "members only", id="closed by law"),
    pytest.param(404, "missing_community", "is not there", id="not there"),
    pytest.param(410, "missing_community", "is not there", id="no longer there"),
    pytest.param(301, "missing_community", "sends us to another address; put the new one into communities.toml", id="moved"),
    pytest.param(302, "missing_community", "sends us to another address; put the new one into communities.toml", id="sent elsewhere"),
    pytest.param(418, "forbidden_community", "not given out", id="anything else"),
]


@pytest.mark.parametrize(("status", "kind", "words"), NOT_SHOWN)
def test_what_a_server_does_not_show_is_left_out_with_its_kind(status: int, kind: str, words: str, forum: FakeServer, wire: Wire) -> None:
    forum.faults = first(Fault(status=status, headers={"location": "http://192.0.2.1/"}))
    with pytest.raises(SourceSkippedError, match=words) as skipped:
        checked(wire.get(forum.address), place="lemmy:marlowick", platform="lemmy")
    assert skipped.value.kind == kind
    assert len(forum.requests) == 1
