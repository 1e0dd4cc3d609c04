"""What every faithful server on loopback shares: requests written down, faults among the answers, JSON sent in one packet."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.fakes.forum import Forum
from tests.fakes.reddit_world import Item, World

Query = dict[str, list[str]]


@dataclass
class Fault:
    """Instead of an answer: a status with headers and a body, a wait, a connection that drops or ends half-way."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str = '{"message": "fault", "error": 0}'
    content_type: str = "application/json; charset=UTF-8"
    wait_s: float = 0.0
    is_dropped: bool = False
    is_half: bool = False


@dataclass
class Answer:
    """What a server says; a body that is no text is sent as JSON."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"


def no_fault(_number: int, _path: str) -> Fault | None:
    return None


def now_and_then(number: int, _path: str) -> Fault | None:
    """Among the answers: too many requests with and without a time to wait, errors of the server, a page, half an answer, nothing."""
    faults = {
        0: Fault(status=429, headers={"retry-after": "7"}), 1: Fault(status=503), 2: Fault(status=429), 3: Fault(is_dropped=True),
        4: Fault(body="<html>", content_type="text/html"), 5: Fault(is_half=True), 6: Fault(status=500), 7: Fault(body='{"data": '),
    }  # fmt: skip
    return faults[number // 7 % len(faults)] if number % 7 == 0 else None


class Loopback:
    """A server on this machine for as long as a `with` block lasts; `host` is where it listens."""

    def listen(self, handler: type[BaseHTTPRequestHandler]) -> None:
        """Take a port; requests are answered from the `with` on."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        return f"http://{self.host}"


class FakeServer(Loopback, Forum):
    """A forum on loopback, filled from a World. Start with `with …(world) as server:`."""

    # The request of a first poll of 500 posts at which some of them are stored, and others are not.
    late_request = 1

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults: Callable[[int, str], Fault | None] = no_fault
        self.before: Callable[[], None] = lambda: None
        self.requests: list[str] = []
        self._numbers: dict[str, int] = {}
        self.user_agents: set[str] = set()
        self.authorisations: set[str] = set()
        # Of the request that is being answered.
        self.headers: Mapping[str, str] = {}
        self.lock = threading.RLock()
        self.listen(type("Handler", (Handler,), {"fake": self}))

    def number(self, item: Item) -> int:
        """A plain number for an item, rising with time."""
        if len(self._numbers) != len(self.world.items):
            self._numbers = {name: number for number, name in enumerate(self.world.items, start=1)}
        return self._numbers[item.fullname]

    def items(self, name: str) -> list[Item]:
        return [item for item in self.world.items.values() if item.community == name]

    def answer(self, path: str, query: Query) -> Answer:
        raise NotImplementedError


class Handler(BaseHTTPRequestHandler):
    fake: FakeServer
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet: apart, each answer waits 40 ms for an acknowledgement.
    wbufsize = 2**16

    def do_GET(self) -> None:
        fake, parts = self.fake, urlsplit(self.path)
        fake.requests.append(self.path)
        fake.before()
        fake.user_agents.add(self.headers.get("user-agent", ""))
        fake.authorisations.add(self.headers.get("authorization", ""))
        fault = fake.faults(len(fake.requests), parts.path)
        if fault:
            fail(self, fault)
            return
        with fake.lock:
            fake.headers = {name.lower(): value for name, value in self.headers.items()}
            answer = fake.answer(parts.path, parse_qs(parts.query))
        send(self, answer)

    def handle(self) -> None:
        # Whoever asked may have been killed.
        with suppress(ConnectionResetError):
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the standard library's name)
        """Nothing on standard error."""


def fail(handler: BaseHTTPRequestHandler, fault: Fault) -> None:
    time.sleep(fault.wait_s)
    if fault.is_dropped:
        handler.close_connection = True
        return
    body = fault.body.encode()
    handler.send_response(fault.status)
    for name, value in {"content-type": fault.content_type, **fault.headers}.items():
        handler.send_header(name, value)
    handler.send_header("content-length", str(len(body) * 2 if fault.is_half else len(body)))
    if handler.close_connection:
        handler.send_header("connection", "close")
    handler.end_headers()
    try:
        handler.wfile.write(body)
    except OSError:
        handler.close_connection = True
    if fault.is_half:
        handler.close_connection = True


def send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    content = answer.body.encode() if isinstance(answer.body, str) else json.dumps(answer.body).encode()
    handler.send_response(answer.status)
    for name, value in {"content-type": answer.content_type, "content-length": str(len(content)), **answer.headers}.items():
        handler.send_header(name, value)
    if handler.close_connection:  # as asked to; unsaid, the next request on it would race with its end
        handler.send_header("connection", "close")
    handler.end_headers()
    try:
        handler.wfile.write(content)
    except OSError:  # whoever asked is no longer there
        handler.close_connection = True
