"""A server on loopback that answers as Mastodon 4.3 does: hashtag and public timelines, /api/v1/statuses with `id[]`, /api/v1/statuses/ID.

Shapes follow Mastodon's API documentation (entities Status and Account).
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.reddit_world import Item
from tests.fakes.server import Answer, FakeServer, Query

DEFAULT_PAGE, LARGEST_PAGE, AT_ONCE = 20, 40, 20
NOT_FOUND = Answer({"error": "Record not found"}, 404)
# Statuses are named by time in milliseconds and a number.
SNOWFLAKE_BITS = 16


class FakeMastodon(FakeServer):
    platform = "mastodon"
    late_request = 20

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        # Authors who have said something of themselves: name to fields of their account.
        self.accounts: dict[str, dict[str, Any]] = {}
        self.has_batches = True
        self.is_closed = False

    def url(self, name: str) -> str:
        return f"{self.address}/tags/{name}"

    def fullname(self, item: Item) -> str:
        return f"{self.host}/{self._id(item)}"

    def thread(self, item: Item) -> str | None:
        return None if item.is_comment else self.fullname(item)

    def words(self, item: Item) -> tuple[str, str]:
        """Statuses have no title: the World's stands before the body."""
        return "", " ".join(filter(None, [item.title, item.body]))

    def answer(self, path: str, query: Query) -> Answer:
        if self.is_closed:
            return Answer({"error": "This method requires an authenticated user"}, 422)
        match path.strip("/").split("/")[2:]:
            case ["timelines", "tag", name]:
                return self._timeline(self.items(name), query)
            case ["timelines", "public"]:
                return self._timeline(list(self.world.items.values()), query)
            case ["statuses"] if self.has_batches:
                ids = query.get("id[]", [])
                if len(ids) > AT_ONCE:
                    return Answer({"error": "Validation failed: too many statuses"}, 422)
                return Answer(
                    [self._status(item) for item in self.world.items.values() if str(self._id(item)) in ids and item.state == "visible"]
                )
            case ["statuses", one]:
                found = [item for item in self.world.items.values() if str(self._id(item)) == one and item.state == "visible"]
                return Answer(self._status(found[0])) if found else NOT_FOUND
        return NOT_FOUND

    def _timeline(self, items: list[Item], query: Query) -> Answer:
        below = int(query.get("max_id", [str(2**63)])[0])
        limit = min(int(query.get("limit", [str(DEFAULT_PAGE)])[0]), LARGEST_PAGE)
        shown = sorted((item for item in items if item.state == "visible" and self._id(item) < below), key=self._id, reverse=True)
        reset = (datetime.now(UTC) + timedelta(minutes=5)).isoformat().replace("+00:00", "Z")
        limits = {"x-ratelimit-limit": "300", "x-ratelimit-remaining": "290", "x-ratelimit-reset": reset}
        return Answer([self._status(item) for item in shown[:limit]], headers=limits)

    def _status(self, item: Item) -> dict[str, Any]:
        parent = self.world.items[item.parent] if item.parent else None
        address = f"{self.address}/@{item.author}/{self._id(item)}"
        return {
            "id": str(self._id(item)), "created_at": _time(item.created), "in_reply_to_id": str(self._id(parent)) if parent else None,
            "in_reply_to_account_id": None, "sensitive": False, "spoiler_text": "", "visibility": "public", "language": "en",
            "uri": address, "url": address, "replies_count": 0, "reblogs_count": 0, "favourites_count": 0,
            "edited_at": _time(item.edited) if item.edited else None, "content": f"<p>{self.words(item)[1]}</p>",
            "reblog": None, "account": self._account(item.author), "media_attachments": [], "mentions": [], "tags": [], "emojis": [],
            "card": None, "poll": None,
        }  # fmt: skip

    def _account(self, name: str) -> dict[str, Any]:
        account = {
            "id": name, "username": name, "acct": name, "display_name": "A name that is nobody's business", "locked": False, "bot": False,
            "discoverable": True, "indexable": True, "group": False, "created_at": "2020-01-01T00:00:00.000Z", "note": "<p>Here.</p>",
            "url": f"{self.address}/@{name}", "uri": f"{self.address}/users/{name}", "avatar": "", "header": "", "followers_count": 1,
            "following_count": 1, "statuses_count": 1, "last_status_at": None, "noindex": False, "emojis": [], "fields": [],
        }  # fmt: skip
        return account | self.accounts.get(name, {})

    def _id(self, item: Item) -> int:
        return (item.created * 1000 << SNOWFLAKE_BITS) + self.number(item)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
