"""A server on loopback that answers as Lemmy 0.19 does: /api/v3/post/list, /api/v3/comment/list and /api/v3/post.

Shapes follow Lemmy's API documentation (PostView, CommentView). Deleted and removed comments stay in lists without their words; deleted and
removed posts are not shown.
"""

from datetime import UTC, datetime
from typing import Any

from coprod_nlp.vocabulary import PostState
from tests.fakes.reddit_world import Item
from tests.fakes.server import Answer, FakeServer, Query

STATES = {"deleted": PostState.DELETED, "removed": PostState.REMOVED, "filtered": PostState.REMOVED}


class FakeLemmy(FakeServer):
    platform = "lemmy"
    late_request = 9

    def url(self, name: str) -> str:
        return f"{self.address}/c/{name}"

    def fullname(self, item: Item) -> str:
        top = f"{self.host}/{self.number(self.world.items[item.thread])}"
        return f"{top}/{self.number(item)}" if item.is_comment else top

    def expected(self, item: Item) -> PostState | None:
        if item.state == "visible" and self._is_open(item):
            return PostState.VISIBLE
        return STATES.get(item.state) if item.is_comment and self._is_open(item) else None

    def answer(self, path: str, query: Query) -> Answer:
        asked = {name: values[0] for name, values in query.items()}
        name = asked.get("community_name", "")
        if reason := self.world.closed.get(name):
            return Answer({"error": "couldnt_find_community" if reason == "missing" else "community_is_private"}, 404)
        match path.strip("/").split("/")[2:]:
            case ["post", "list"]:
                found = [item for item in self.items(name) if not item.is_comment and item.state == "visible"]
                return Answer({"posts": [self._post_view(item) for item in _page(found[::-1], asked)], "next_page": None})
            case ["comment", "list"]:
                return Answer({"comments": [self._comment_view(item) for item in _page(self._comments(name, asked), asked)]})
            case ["post"]:
                item = list(self.world.items.values())[int(asked["id"]) - 1]
                if item.is_comment or item.state != "visible":
                    return Answer({"error": "couldnt_find_post"}, 404)
                return Answer({"post_view": self._post_view(item), "moderators": [], "cross_posts": []})
        return Answer({"error": "not_found"}, 404)

    def _comments(self, name: str, asked: dict[str, str]) -> list[Item]:
        items = [item for item in self.world.items.values() if item.is_comment and item.state != "lost" and self._is_open(item)]
        if "post_id" in asked:
            return [item for item in items if self.number(self.world.items[item.thread]) == int(asked["post_id"])]
        return [item for item in items if item.community == name][::-1]

    def _is_open(self, item: Item) -> bool:
        return self.world.items[item.thread].state == "visible"

    def _post_view(self, item: Item) -> dict[str, Any]:
        number = self.number(item)
        post = {
            "id": number, "name": item.title, "body": item.body, "creator_id": 1, "community_id": 7, "removed": False, "locked": False,
            "published": _time(item.created), "deleted": False, "nsfw": False, "ap_id": f"{self.address}/post/{number}", "local": True,
            "language_id": 0, "featured_community": False, "featured_local": False,
        }  # fmt: skip
        return {"post": post} | self._around(item)

    def _comment_view(self, item: Item) -> dict[str, Any]:
        number, way, above = self.number(item), [], item
        while above.is_comment:
            way.append(str(self.number(above)))
            above = self.world.items[str(above.parent)]
        comment = {
            "id": number, "creator_id": 1, "post_id": self.number(above), "content": item.body if item.state == "visible" else "",
            "removed": item.state in {"removed", "filtered"}, "published": _time(item.created), "deleted": item.state == "deleted",
            "ap_id": f"{self.address}/comment/{number}", "local": True, "path": ".".join(["0", *way[::-1]]), "distinguished": False,
            "language_id": 0,
        }  # fmt: skip
        return {"comment": comment} | self._around(item)

    def _around(self, item: Item) -> dict[str, Any]:
        creator = {
            "id": 1, "name": item.author, "display_name": "Nobody's business", "banned": False, "deleted": False, "local": True,
            "actor_id": f"{self.address}/u/{item.author}", "bot_account": False, "instance_id": 1,
            "published": "2023-01-01T00:00:00.000000Z",
        }  # fmt: skip
        return {"creator": creator, "community": {"id": 7, "name": item.community}, "counts": {"score": 1, "upvotes": 1, "downvotes": 0}}


def _page(items: list[Item], asked: dict[str, str]) -> list[Item]:
    size = min(int(asked.get("limit", "10")), 50)
    start = (int(asked.get("page", "1")) - 1) * size
    return items[start : start + size]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
