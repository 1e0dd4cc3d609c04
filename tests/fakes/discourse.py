"""A server on loopback that answers as Discourse does: /c/…/l/latest.json, /tag/…/l/latest.json and /t/TOPIC/NUMBER.json.

Shapes and paging follow Discourse's own controllers (TopicsController, TopicView, ListController) and its API documentation.
"""

from datetime import UTC, datetime
from typing import Any

from tests.fakes.reddit_world import Item
from tests.fakes.server import Answer, FakeServer, Query

PER_PAGE, CHUNK, BEFORE = 30, 20, 5
NOT_FOUND = Answer({"errors": ["The requested URL or resource could not be found."], "error_type": "not_found"}, 404)
NOT_ALLOWED = Answer({"errors": ["You are not permitted to view the requested resource."], "error_type": "invalid_access"}, 403)


class FakeDiscourse(FakeServer):
    platform = "discourse"
    late_request = 40

    def url(self, name: str) -> str:
        return f"{self.address}/c/{name}/7"

    def fullname(self, item: Item) -> str:
        top = self.world.items[item.thread]
        return f"{self.host}/{self.number(top)}/{self._post_number(item)}"

    def answer(self, path: str, query: Query) -> Answer:
        match path.strip("/").split("/"):
            case ["c" | "tag", name, *_, "l", "latest.json"]:
                return self._latest(name, int(query.get("page", ["0"])[0]))
            case ["t", topic, number] if number.endswith(".json"):
                return self._topic(int(topic), int(number.removesuffix(".json")), has_raw="include_raw" in query)
        return NOT_FOUND

    def _latest(self, name: str, page: int) -> Answer:
        if reason := self.world.closed.get(name):
            return NOT_ALLOWED if reason == "private" else NOT_FOUND
        tops = [item for item in self.items(name) if not item.is_comment and item.state == "visible"]
        topics = sorted((self._summary(item) for item in tops), key=lambda topic: str(topic["bumped_at"]), reverse=True)
        shown = topics[page * PER_PAGE : (page + 1) * PER_PAGE]
        data: dict[str, Any] = {"can_create_topic": False, "per_page": PER_PAGE, "topics": shown}
        if (page + 1) * PER_PAGE < len(topics):
            data["more_topics_url"] = f"/c/{name}/7/l/latest?page={page + 1}"
        return Answer({"users": [], "primary_groups": [], "topic_list": data})

    def _summary(self, top: Item) -> dict[str, Any]:
        posts = self._stream(top)
        shown = [post for post in posts if self._is_in_stream(post)]
        number = self.number(top)
        return {
            "id": number, "title": top.title, "fancy_title": top.title, "slug": "a-topic", "posts_count": len(shown),
            "reply_count": len(shown) - 1, "highest_post_number": len(posts), "created_at": _time(top.created),
            "last_posted_at": _time(shown[-1].created), "bumped": True, "bumped_at": _time(shown[-1].created), "archetype": "regular",
            "pinned": False, "pinned_globally": False, "visible": True, "closed": False, "archived": False, "category_id": 7,
        }  # fmt: skip

    def _topic(self, topic: int, number: int, *, has_raw: bool) -> Answer:
        top = list(self.world.items.values())[topic - 1] if topic <= len(self.world.items) else None
        if top is None or top.is_comment or top.state != "visible":
            return NOT_FOUND
        stream = self._stream(top)
        shown = [(place, post) for place, post in enumerate(stream, start=1) if self._is_in_stream(post)]
        nearest = min(range(len(shown)), key=lambda index: abs(shown[index][0] - number))
        start = max(min(max(nearest - BEFORE, 0), len(shown) - CHUNK), 0)
        posts = [self._post(topic, place, post, has_raw=has_raw) for place, post in shown[start : start + CHUNK]]
        return Answer({
            "post_stream": {"posts": posts, "stream": [self.number(post) for _, post in shown]}, "id": topic, "title": top.title,
            "slug": "a-topic", "posts_count": len(shown), "highest_post_number": len(stream), "created_at": _time(top.created),
            "category_id": 7, "archetype": "regular", "visible": True,
        })  # fmt: skip

    def _post(self, topic: int, place: int, item: Item, *, has_raw: bool) -> dict[str, Any]:
        is_hidden, is_taken_back = item.state == "filtered", item.state == "deleted"
        words = "(post deleted by author)" if is_taken_back else "This post was flagged and is hidden." if is_hidden else item.body
        parent = self.world.items[item.parent] if item.parent else None
        reply_to = None if parent is None or not parent.is_comment else self._post_number(parent)
        post = {
            "id": self.number(item), "name": "A name that is nobody's business", "username": item.author, "created_at": _time(item.created),
            "cooked": f"<p>{words}</p>", "post_number": place, "post_type": 1, "updated_at": _time(item.edited or item.created),
            "reply_to_post_number": reply_to, "topic_id": topic, "topic_slug": "a-topic", "hidden": is_hidden,
            "user_deleted": is_taken_back, "deleted_at": None, "moderator": False, "admin": False, "staff": False, "version": 1,
        }  # fmt: skip
        return post | {"raw": words} if has_raw else post

    def _is_in_stream(self, item: Item) -> bool:
        """What a moderator deleted is shown to staff only; what its author deleted stays for a day as an empty place."""
        return item.state not in {"removed", "lost"}

    def _stream(self, top: Item) -> list[Item]:
        return [item for item in self.items(top.community) if item.thread == top.fullname]

    def _post_number(self, item: Item) -> int:
        return self._stream(self.world.items[item.thread]).index(item) + 1

    def expected(self, item: Item) -> Any:
        top = self.world.items[item.thread]
        if top.state != "visible":
            return None
        self.tells_states = item.state != "removed"
        return super().expected(item)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
