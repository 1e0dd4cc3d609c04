"""Every request to a forum's server goes through here: at its pace, to that server and nowhere else, tried again where that helps."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import requests

from flows.sources.base import ProblemKind, SourceRefusedError, SourceUnavailableError
from flows.sources.live import SourceSkippedError
from flows.sources.pace import Clock, Pace

ATTEMPTS = 5
TIMEOUTS_S = (10.0, 30.0)
FIRST_BACKOFF_S = 2.0
# A 429 that does not say how long; and the longest wait worth sitting through.
BLIND_WAIT_S = 60.0
LONGEST_WAIT_S = 900.0
LARGEST_ANSWER = 32 * 2**20
BLOCK = 2**16
# Seconds since 1970 rather than seconds from now.
EPOCH_FROM = 10**9
OK, MOVED, NOT_MODIFIED, WRONG, UNAUTHORISED, TIMED_OUT, TOO_MANY, SERVER_ERRORS = 200, 300, 304, 400, 401, 408, 429, 500
REFUSED, GONE = frozenset({403, 451}), frozenset({404, 410})
RETRIED = (
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ConnectionError,
    requests.exceptions.ContentDecodingError,
    requests.exceptions.Timeout,
)
LIMIT_HEADERS = ("x-ratelimit", "ratelimit")

_paces: dict[str, Pace] = {}
_paces_lock = Lock()


def host_pace(host: str, *, allowed_a_minute: int, clock: Clock | None = None) -> Pace:
    """The one pace of a server, whatever asks it in this process."""
    with _paces_lock:
        return _paces.setdefault(host, Pace(allowed_a_minute, clock=clock))


class HostPaces:
    """The paces of the servers that one source has asked, and what they came to since it began."""

    def __init__(self, allowed_a_minute: int) -> None:
        self._allowed = allowed_a_minute
        self._before: dict[str, tuple[Pace, int, float]] = {}

    def of(self, host: str) -> Pace:
        pace = host_pace(host, allowed_a_minute=self._allowed)
        self._before.setdefault(host, (pace, pace.requests, pace.waited_s))
        return pace

    @property
    def requests(self) -> int:
        return sum(pace.requests - before for pace, before, _ in self._before.values())

    @property
    def waited_s(self) -> float:
        return sum(pace.waited_s - before for pace, _, before in self._before.values())


class Wire(requests.Session):
    """A session for one server.

    Parameters
    ----------
    host
        Host and port that may be asked. Redirects are not followed.
    contact
        Who answers for the requests; named in each.
    is_json
        Whether every sound answer is JSON: a web page then is a fault of the server.
    """

    def __init__(
        self, host: str, *, platform: str, pace: Pace, contact: str, is_json: bool = True, timeouts_s: tuple[float, float] = TIMEOUTS_S
    ) -> None:
        super().__init__()
        self._host, self._platform, self._pace, self._timeouts_s = host, platform, pace, timeouts_s
        self._must_be_json = is_json
        # A .netrc of the machine has no say in what is sent.
        self.auth = lambda request: request
        self.agent = f"coprod/{version('coprod')} (+{contact})"

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401, RUF100
        """One request, and again while it is worth it.

        Raises
        ------
        SourceUnavailableError
            When the server asks for a very long wait, or nothing sound has come after `ATTEMPTS` tries.
        SourceSkippedError
            When a web page says that this may not be read, or is not there; when the server sends us to another address.
        SourceRefusedError
            When the address is another server's.
        """
        if urlsplit(str(url)).netloc != self._host:
            raise SourceRefusedError(
                f"{self._platform}: a request to {urlsplit(str(url)).netloc} was held back; only {self._host} is asked"
            )
        kwargs |= {"timeout": self._timeouts_s, "allow_redirects": False, "stream": True}
        kwargs["headers"] = {**(kwargs.get("headers") or {}), "user-agent": self.agent}
        fault = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._pace.hold(FIRST_BACKOFF_S * 2 ** (attempt - 1), f"{self._host} {fault}")
            self._pace.wait()
            try:
                response = whole(super().request(method, url, **kwargs))
            except RETRIED as error:
                fault = told(error)
                continue
            except requests.RequestException as error:
                raise SourceUnavailableError(f"{self._platform}: {self._host}: {type(error).__name__}; try again later") from None
            fault = self._fault(response)
            if not fault:
                self._blocked(response)
                return response
        raise SourceUnavailableError(
            f"{self._platform}: {self._host} {fault} {ATTEMPTS} times in a row; try again later. What came before is kept"
        )

    def _fault(self, response: requests.Response) -> str:
        """What is wrong with an answer that another try may mend; "" where nothing is."""
        status = response.status_code
        if status == TOO_MANY:
            said_s = (retry_after_s(response), reset_s(response), BLIND_WAIT_S)
            wait_s = next(seconds for seconds in said_s if seconds is not None)
            if wait_s > LONGEST_WAIT_S:
                raise SourceUnavailableError(f"{self._platform}: {self._host} asks to wait {wait_s:,.0f} s; try again after that")
            self._pace.hold(wait_s, f"{self._host} asks us to wait")
            return "asked us to wait"
        if status == TIMED_OUT or status >= SERVER_ERRORS:
            return f"answered with error {status}"
        self._listen(response)
        if status == OK and self._must_be_json and not is_json(response):
            return "answered with a web page instead of data" if is_page(response) else "answered with half an answer"
        return ""

    def _blocked(self, response: requests.Response) -> None:
        """What leads elsewhere, or a page that says no, is not the forum's own answer: it must not be taken for one about a post."""
        status = response.status_code
        if MOVED <= status < WRONG and status != NOT_MODIFIED:
            raise SourceSkippedError(
                ProblemKind.MISSING_COMMUNITY,
                f"{self._platform}: {self._host} sends us to another address; put the new one into communities.toml",
            )
        if self._must_be_json and status >= WRONG and is_page(response):
            kind = ProblemKind.MISSING_COMMUNITY if status in GONE else ProblemKind.FORBIDDEN_COMMUNITY
            raise SourceSkippedError(
                kind,
                f"{self._platform}: {self._host} answered with a web page (status {status}); is it still there, and may programs read it?",
            )

    def _listen(self, response: requests.Response) -> None:
        """Take in what the server says is left of its limit."""
        left, wait_s = _limit(response, "remaining"), reset_s(response)
        try:
            remaining = float(left or "")
        except ValueError:
            return
        if wait_s is not None:
            self._pace.told(remaining=remaining, reset_s=min(wait_s, LONGEST_WAIT_S), why=f"the limit of {self._host}")


class Wires:
    """A source's sessions, one a server, each made when that server is first asked."""

    def __init__(self, platform: str, *, paces: HostPaces, contact: str, is_json: bool = True) -> None:
        self._platform, self._paces, self._contact, self._is_json = platform, paces, contact, is_json
        self._wires: dict[str, Wire] = {}

    def to(self, host: str) -> Wire:
        if host not in self._wires:
            pace = self._paces.of(host)
            self._wires[host] = Wire(host, platform=self._platform, pace=pace, contact=self._contact, is_json=self._is_json)
        return self._wires[host]

    def close(self) -> None:
        for wire in self._wires.values():
            wire.close()


def checked(response: requests.Response, *, place: str, platform: str) -> requests.Response:
    """An answer that holds what was asked for.

    Raises
    ------
    SourceSkippedError
        Where the community cannot be read, with the kind.
    """
    status = response.status_code
    if status == OK:
        return response
    if status == UNAUTHORISED or status in REFUSED:
        raise SourceSkippedError(ProblemKind.PRIVATE_COMMUNITY, f"{place}: {platform} shows it to members only (status {status})")
    if status in GONE:
        raise SourceSkippedError(ProblemKind.MISSING_COMMUNITY, f"{place} is not there; check its url in communities.toml")
    raise SourceSkippedError(ProblemKind.FORBIDDEN_COMMUNITY, f"{place}: not given out (status {status})")


def whole(response: requests.Response) -> requests.Response:
    """The answer with its body read, as far as an honest one can be long."""
    blocks, size = [], 0
    for block in response.iter_content(BLOCK):
        blocks.append(block)
        size += len(block)
        if size > LARGEST_ANSWER:
            response.close()
            raise requests.exceptions.ContentDecodingError(f"longer than {LARGEST_ANSWER} bytes")
    response._content = b"".join(blocks)  # what `.content` gives; requests has no other way to read within a limit
    return response


def retry_after_s(response: requests.Response) -> float | None:
    """Seconds to wait: as a number or as a date; None where not said."""
    said = response.headers.get("retry-after", "")
    try:
        return max(float(said), 0.0)
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def reset_s(response: requests.Response) -> float | None:
    """Seconds until a limit counts anew, which servers say as seconds, as a time since 1970 or as a date."""
    said = _limit(response, "reset") or ""
    try:
        seconds = float(said)
    except ValueError:
        try:
            return max((datetime.fromisoformat(said) - datetime.now(UTC)).total_seconds(), 0.0)
        except (ValueError, TypeError):
            return None
    if not math.isfinite(seconds):
        return None
    return max(seconds - datetime.now(UTC).timestamp() if seconds > EPOCH_FROM else seconds, 0.0)


def is_json(response: requests.Response) -> bool:
    try:
        response.json()
    except ValueError:
        return False
    return True


def is_page(response: requests.Response) -> bool:
    start = response.content[:200].lstrip().lower()
    return "html" in response.headers.get("content-type", "") or start.startswith((b"<!doctype", b"<html"))


def told(error: Exception) -> str:
    return "did not answer in time" if isinstance(error, requests.exceptions.Timeout) else "broke the connection off"


def _limit(response: requests.Response, name: str) -> str | None:
    return next((value for start in LIMIT_HEADERS if (value := response.headers.get(f"{start}-{name}"))), None)
