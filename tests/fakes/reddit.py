"""A server on loopback that answers as Reddit does, for the real PRAW. Its shapes are those of recorded answers (reddit_shapes.json).

`faults` decides what goes wrong: asked with the number of the request and its path, it gives a Fault or None.
"""

import base64
import json
import math
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.reddit_world import Item, World
from tests.fakes.server import Answer, Fault, Loopback, fail, no_fault, send

SHAPES = json.loads((Path(__file__).parent / "reddit_shapes.json").read_text(encoding="ascii"))
CLIENT_ID, CLIENT_SECRET, ACCOUNT = "marlowick-app", "not-a-real-secret", "marlowick_council"
PAGE, LISTING_LIMIT = 100, 1_000
# Comments that come with a thread, how deep, and how many `morechildren` gives at once.
TREE_SIZE, TREE_DEPTH, MORE_SIZE = 40, 6, 30
WINDOW_S = 600
CLOSED = {"private": 403, "gold_only": 403, "quarantined": 403, "banned": 404, "missing": 404}
GONE_WORDS = {"deleted": "[deleted]", "removed": "[removed]", "filtered": "[removed]"}
# "Continue this thread": a page of its own.
CONTINUE: dict[str, Any] = {"count": 0, "name": "t1__", "id": "_", "children": []}
REMOVED_BY = {"deleted": "deleted", "removed": "moderator", "filtered": "automod_filtered"}


PAGE_FAULT = Fault(body="<!doctype html><title>Reddit is down</title>", content_type="text/html; charset=UTF-8")


class FakeReddit(Loopback):
    """Start with `with FakeReddit(world) as reddit:`; `reddit.address` is for COPROD_REDDIT_ADDRESS."""

    def __init__(
        self, world: World, *, allowed: int = 10**9, now: Callable[[], float] = time.monotonic, client_id: str = CLIENT_ID
    ) -> None:
        self.world, self.client_id = world, client_id
        self.refused = 0
        self.faults: Callable[[int, str], Fault | None] = no_fault
        self.before: Callable[[], None] = lambda: None
        self.requests: list[tuple[str, str]] = []
        self.user_agents: set[str] = set()
        self.token = "token-1"
        self._allowed, self._now = allowed, now
        self._window, self._used = -1.0, 0
        self._lock = threading.RLock()
        self.listen(type("Handler", (_Handler,), {"reddit": self}))

    def asked(self, start: str) -> int:
        """How many requests went to paths that begin so."""
        return sum(path.startswith(start) for _, path in self.requests)

    def limits(self) -> dict[str, str]:
        """Rate-limit headers, after counting one request."""
        window, passed = divmod(self._now(), WINDOW_S)
        self._used = 1 if window != self._window else self._used + 1
        self._window = window
        left = float(max(self._allowed - self._used, 0))
        return {
            "x-ratelimit-used": str(self._used), "x-ratelimit-remaining": str(left),
            "x-ratelimit-reset": str(math.ceil(WINDOW_S - passed)),
        }  # fmt: skip

    def is_over(self) -> bool:
        return self._used > self._allowed

    def answer(self, path: str, query: dict[str, str], form: dict[str, str]) -> tuple[int, Any]:
        with self._lock:
            parts = path.strip("/").split("/")
            match parts:
                case ["r", name, ("new" | "comments" | "search") as what]:
                    return self._listing(name.lower(), what, query)
                case ["comments", thread_id]:
                    return self._thread_page(f"t3_{thread_id}", f"t3_{thread_id}", query)
                case ["comments", thread_id, "_", comment_id]:
                    return self._thread_page(f"t3_{thread_id}", f"t1_{comment_id}", query)
                case ["api", "morechildren"]:
                    return 200, self._more_children(form)
                case ["api", "info"]:
                    names = query.get("id", "").split(",")[:PAGE]
                    found = [
                        self.world.items[name] for name in names if name in self.world.items and self.world.items[name].state != "lost"
                    ]
                    return 200, _listing([self._thing(item) for item in found])
            return 404, {"message": "Not Found", "error": 404}

    def _listing(self, name: str, what: str, query: dict[str, str]) -> tuple[int, Any]:
        if reason := self.world.closed.get(name):
            body = {"reason": reason, "message": "Forbidden" if CLOSED[reason] == 403 else "Not Found", "error": CLOSED[reason]}
            return CLOSED[reason], body if reason != "missing" else {"message": "Not Found", "error": 404}
        items = self.world.listed(name, comments=what == "comments")
        if what == "search":
            words = query["q"].lower()
            items = [item for item in items if words in f"{item.title} {item.body}".lower()]
        items = items[:LISTING_LIMIT]
        names = [item.fullname for item in items]
        start = names.index(query["after"]) + 1 if query.get("after") in names else 0
        page = items[start : start + min(int(query.get("limit", 25)), PAGE)]
        after = page[-1].fullname if page and start + len(page) < len(items) else None
        return 200, _listing([self._thing(item) for item in page], after=after)

    def _thread_page(self, thread: str, top: str, query: dict[str, str]) -> tuple[int, Any]:
        item = self.world.items.get(thread)
        if item is None or item.state == "lost" or top not in self.world.items:
            return 404, {"message": "Not Found", "error": 404}
        if reason := self.world.closed.get(item.community):
            return CLOSED[reason], {"reason": reason, "error": CLOSED[reason]}
        budget = [TREE_SIZE]
        shown = [self.world.items[top]] if top != thread else self._children(thread)
        return 200, [_listing([self._thing(item)], dist=1), _listing(self._forest(thread, shown, 0, budget))]

    def _children(self, fullname: str) -> list[Item]:
        return [item for name in self.world.answers[fullname] if self.world.is_shown(item := self.world.items[name])]

    def _forest(self, parent: str, items: list[Item], depth: int, budget: list[int]) -> list[dict[str, Any]]:
        """Comments with their replies nested, as many as there is room for; the rest as `more`."""
        things: list[dict[str, Any]] = []
        for place, item in enumerate(items):
            if budget[0] <= 0:
                return [*things, self._more(parent, items[place:])]
            if depth >= TREE_DEPTH:
                return [*things, {"kind": "more", "data": SHAPES["more"] | CONTINUE | {"parent_id": parent}}]
            budget[0] -= 1
            thing = self._thing(item)
            below = self._forest(item.fullname, self._children(item.fullname), depth + 1, budget)
            thing["data"]["replies"] = _listing(below) if below else ""
            things.append(thing)
        return things

    def _more(self, parent: str, items: list[Item]) -> dict[str, Any]:
        count = len(items) + sum(self.world.is_shown(below) for item in items for below in self.world.tree(item.fullname))
        first, children = items[0].fullname, [item.fullname[3:] for item in items]
        more = {"count": count, "name": first, "id": first[3:], "parent_id": parent, "children": children}
        return {"kind": "more", "data": SHAPES["more"] | more}

    def _more_children(self, form: dict[str, str]) -> Any:
        """A flat list, parents first, and `more` for what had no room."""
        room = [MORE_SIZE]
        names = [f"t1_{child}" for child in form["children"].split(",")]
        items = [self.world.items[name] for name in names if name in self.world.items and self.world.is_shown(self.world.items[name])]
        things: list[dict[str, Any]] = []
        self._flat(items, things, room)
        return {"json": {"errors": [], "data": {"things": things}}}

    def _flat(self, items: list[Item], things: list[dict[str, Any]], room: list[int]) -> None:
        for place, item in enumerate(items):
            if room[0] <= 0:
                things.append(self._more(str(item.parent), items[place:]))
                return
            room[0] -= 1
            thing = self._thing(item)
            thing["data"]["replies"] = ""
            things.append(thing)
            self._flat(self._children(item.fullname), things, room)

    def _thing(self, item: Item) -> dict[str, Any]:
        kind = item.fullname[:2]
        author = None if item.state != "visible" else item.author
        body = GONE_WORDS.get(item.state, item.body)
        title = "[deleted by user]" if item.state == "deleted" else item.title
        slug = "about" if item.is_comment else "_".join(title.lower().split())
        data = SHAPES[kind] | {
            "id": item.fullname[3:], "name": item.fullname, "subreddit": item.community, "subreddit_name_prefixed": f"r/{item.community}",
            "author": author or "[deleted]", "created": float(item.created), "created_utc": float(item.created), "score": 1, "ups": 1,
            "edited": float(item.edited) if item.edited else False, "subreddit_type": "public",
            "permalink": f"/r/{item.community}/comments/{item.thread[3:]}/{slug}/" + (f"{item.fullname[3:]}/" if item.is_comment else ""),
        }  # fmt: skip
        if author:
            data["author_fullname"] = f"t2_{author.lower()}"
        if item.is_comment:
            data |= {"body": body, "body_html": body, "parent_id": item.parent, "link_id": item.thread, "replies": ""}
        else:
            count = sum(below.state != "lost" for below in self.world.tree(item.fullname))
            data |= {
                "title": title,
                "selftext": body,
                "is_self": True,
                "num_comments": count,
                "removed_by_category": REMOVED_BY.get(item.state),
            }
        return {"kind": kind, "data": data}


def _listing(children: Iterable[dict[str, Any]], *, after: str | None = None, dist: int | None = None) -> dict[str, Any]:
    things = list(children)
    return {"kind": "Listing", "data": {"modhash": None, "dist": dist or len(things), "after": after, "before": None, "children": things}}


class _Handler(BaseHTTPRequestHandler):
    reddit: FakeReddit
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet: apart, each answer waits 40 ms for an acknowledgement.
    wbufsize = 2**16

    def do_GET(self) -> None:
        self._serve({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        self._serve({name: values[0] for name, values in parse_qs(body).items()})

    def _serve(self, form: dict[str, str]) -> None:
        reddit, parts = self.reddit, urlsplit(self.path)
        reddit.before()
        reddit.requests.append((self.command, self.path))
        reddit.user_agents.add(self.headers.get("user-agent", ""))
        fault = reddit.faults(len(reddit.requests), parts.path)
        if fault:
            fail(self, fault)
        elif parts.path == "/api/v1/access_token":
            self._token(form)
        elif self.headers.get("authorization") != f"bearer {reddit.token}":
            self._send(401, {"message": "Unauthorized", "error": 401}, {"www-authenticate": 'Bearer realm="reddit", error="invalid_token"'})
        else:
            limits = reddit.limits()
            if reddit.is_over():
                reddit.refused += 1
                self._send(429, {"message": "Too Many Requests", "error": 429}, limits)
                return
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, body = reddit.answer(parts.path, query, form)
            self._send(status, body, limits)

    def _token(self, form: dict[str, str]) -> None:
        wanted = "Basic " + base64.b64encode(f"{self.reddit.client_id}:{CLIENT_SECRET}".encode()).decode()
        if self.headers.get("authorization") != wanted:
            self._send(401, {"message": "Unauthorized", "error": 401}, {})
        elif form.get("grant_type") != "client_credentials":
            self._send(200, {"error": "unsupported_grant_type"}, {})
        else:
            self._send(200, {"access_token": self.reddit.token, "token_type": "bearer", "expires_in": 86400, "scope": "*"}, {})

    def _send(self, status: int, body: Any, headers: dict[str, str]) -> None:
        send(self, Answer(body, status, headers))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the standard library's name)
        """Nothing on standard error."""
