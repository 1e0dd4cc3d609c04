"""A server on loopback with an Atom feed of the newest entries, as forums and town sites publish; it answers If-None-Match."""

from datetime import UTC, datetime
from hashlib import blake2b
from urllib.parse import quote
from xml.sax.saxutils import escape

from coprod_nlp.vocabulary import PostState
from tests.fakes.reddit_world import Item, World
from tests.fakes.server import Answer, FakeServer, Query

SHOWN = 1_000


class FakeRss(FakeServer):
    platform = "rss"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.shown = SHOWN

    def url(self, name: str) -> str:
        return f"{self.address}/{name}/feed.atom?format=atom"

    def fullname(self, item: Item) -> str:
        mark = blake2b(f"tag:{item.fullname}".encode(), digest_size=8).hexdigest()
        return f"{self.host}/{quote(f'/{item.community}/feed.atom?format=atom', safe='')}/{item.created}-{mark}"

    def parent(self, item: Item) -> str | None:
        return None

    def thread(self, item: Item) -> str | None:
        return self.fullname(item)

    def expected(self, item: Item) -> PostState | None:
        return PostState.VISIBLE if item.state == "visible" else None

    def answer(self, path: str, query: Query) -> Answer:
        name = path.strip("/").split("/")[0]
        items = [item for item in self.items(name) if item.state == "visible"][::-1][: self.shown]
        entries = "".join(
            f"<entry><id>tag:{item.fullname}</id><title>{escape(item.title)}</title><published>{_time(item.created)}</published>"
            f"<updated>{_time(item.edited or item.created)}</updated><author><name>{item.author}</name></author>"
            f'<link href="{self.address}/{item.fullname}"/><content type="html">{escape(f"<p>{item.body}</p>")}</content></entry>'
            for item in items
        )
        feed = f'<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>{name}</title>{entries}</feed>'
        etag = f'"{blake2b(feed.encode()).hexdigest()[:12]}"'
        if self.headers.get("if-none-match") == etag:
            return Answer("", 304, {"etag": etag})
        return Answer(feed, headers={"etag": etag}, content_type="application/atom+xml; charset=utf-8")


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat().replace("+00:00", "Z")
