"""A server on loopback that answers as Bluesky's app view does, and can be told to fail: getFeed, getPosts and resolveHandle.

Shapes follow the lexicons (app.bsky.feed.defs#feedViewPost and #postView), which atproto checks. Lists are tested on Bluesky's own servers,
in tests/servers.
"""

from datetime import UTC, datetime
from typing import Any

from config.settings import address_key
from tests.fakes.live import AUTHOR_KEY
from tests.fakes.reddit_world import Item
from tests.fakes.server import Answer, FakeServer, Query

LARGEST_PAGE, AT_ONCE = 100, 25
OWNER, HANDLE = "did:plc:marlowickmarlowickmarlow", "marlowick.example"
CID = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"


class FakeBluesky(FakeServer):
    platform = "bluesky"
    late_request = 6

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        # What is put on accounts: name of the author to labels.
        self.labels: dict[str, list[str]] = {}

    def url(self, name: str) -> str:
        return f"{self.address}/profile/{HANDLE}/feed/{name}"

    def fullname(self, item: Item) -> str:
        return bluesky_name(self.host, self.uri(item))

    def links(self, *items: Item) -> dict[str, str]:
        return {self.fullname(item): self.permalink(item) for item in items}

    def permalink(self, item: Item) -> str:
        return f"https://bsky.app/profile/{_handle(item.author)}/post/{self._key(item)}#{self.uri(item)}"

    def author_id(self, item: Item) -> str:
        return _did(item.author)

    def words(self, item: Item) -> tuple[str, str]:
        """Posts have no title: the World's stands before the body."""
        return "", " ".join(filter(None, [item.title, item.body]))

    def answer(self, path: str, query: Query) -> Answer:
        asked = {name: values[0] for name, values in query.items()}
        match path.removeprefix("/xrpc/"):
            case "com.atproto.identity.resolveHandle" if asked["handle"] == HANDLE:
                return Answer({"did": OWNER})
            case "app.bsky.feed.getFeed":
                return self._feed(asked["feed"], asked)
            case "app.bsky.feed.getPosts":
                uris = query["uris"]
                if len(uris) > AT_ONCE:
                    return Answer(
                        {"error": "InvalidRequest", "message": "Error: Params must have the property uris no longer than 25"}, 400
                    )
                found = [item for item in self.world.items.values() if item.state == "visible" and self.uri(item) in uris]
                return Answer({"posts": [self._view(item) for item in found]})
        return Answer({"error": "InvalidRequest", "message": "not found"}, 400)

    def _feed(self, uri: str, asked: dict[str, str]) -> Answer:
        owner, what, name = uri.removeprefix("at://").split("/")
        if owner != OWNER or what != "app.bsky.feed.generator" or self.world.closed.get(name):
            return Answer({"error": "UnknownFeed", "message": "could not find feed"}, 400)
        shown = [item for item in self.items(name) if item.state == "visible"][::-1]
        below = int(asked.get("cursor", "0")) or len(self.world.items) + 1
        page = [item for item in shown if self.number(item) < below][: min(int(asked.get("limit", "50")), LARGEST_PAGE)]
        data: dict[str, Any] = {"feed": [{"post": self._view(item)} for item in page]}
        if page:
            data["cursor"] = str(self.number(page[-1]))
        return Answer(data, headers={"ratelimit-limit": "3000", "ratelimit-remaining": "2990", "ratelimit-reset": "4102444800"})

    def _view(self, item: Item) -> dict[str, Any]:
        record: dict[str, Any] = {
            "$type": "app.bsky.feed.post",
            "text": self.words(item)[1],
            "createdAt": _time(item.created),
            "langs": ["en"],
        }
        if item.parent:
            above, top = self.world.items[item.parent], self.world.items[item.thread]
            record["reply"] = {"parent": {"uri": self.uri(above), "cid": CID}, "root": {"uri": self.uri(top), "cid": CID}}
        labels = [
            {"src": OWNER, "uri": _did(item.author), "val": val, "cts": _time(item.created)} for val in self.labels.get(item.author, [])
        ]
        author = {
            "did": _did(item.author),
            "handle": _handle(item.author),
            "displayName": "Nobody's business",
        }
        return {
            "uri": self.uri(item), "cid": CID, "author": author | {"labels": labels}, "record": record, "indexedAt": _time(item.created),
            "replyCount": 0, "repostCount": 0, "likeCount": 0, "labels": [],
        }  # fmt: skip

    def uri(self, item: Item) -> str:
        return f"at://{_did(item.author)}/app.bsky.feed.post/{self._key(item)}"

    def _key(self, item: Item) -> str:
        return f"3k{self.number(item):06d}"


def bluesky_name(host: str, uri: str) -> str:
    """What our source calls a post: its address names its author, so a keyed hash stands in for it."""
    return f"{host}/{address_key((AUTHOR_KEY.encode(),), platform=FakeBluesky.platform, address=uri)}"


def _handle(author: str) -> str:
    return f"{author.lower().replace('_', '-')}.example"


def _did(author: str) -> str:
    return f"did:plc:{author.lower().replace('_', '')}"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
