"""A World on Bluesky's own servers: made-up accounts that write, reply, edit and delete, and moderators who hide and take down."""

from datetime import UTC, datetime
from typing import Any

from tests.fakes.bluesky import bluesky_name
from tests.fakes.forum import Forum
from tests.fakes.reddit_world import Item, World
from tests.servers.bluesky_network import Account, BlueskyNetwork

POST, LIST, MEMBER, FEED = "app.bsky.feed.post", "app.bsky.graph.list", "app.bsky.graph.listitem", "app.bsky.feed.generator"
HIDDEN = "!hide"


class RealBluesky(Forum):
    """One community of a network: an owner, the members of its list, and the feed of what they write.

    Parameters
    ----------
    name
        What the community and its accounts are called; each once in a network.
    members
        How many accounts share what the World's authors write.
    kind
        Which of the two is collected: `lists` or `feed`.
    """

    platform = "bluesky"

    def __init__(self, network: BlueskyNetwork, world: World, *, name: str, members: int, kind: str = "lists") -> None:
        self.network, self.world, self.name, self.kind = network, world, name, kind
        self.host = network.view
        self.owner = network.account(f"{name}-owner")
        self.members = [network.account(f"{name}-{number}") for number in range(members)]
        self._written: dict[str, dict[str, str]] = {}
        self._shown: dict[str, str] = {}
        self._edited: dict[str, int | None] = {}
        now = _time(datetime.now(UTC).timestamp())
        purpose = {"purpose": "app.bsky.graph.defs#curatelist", "name": "A made-up list", "createdAt": now}
        made = self.owner.create(LIST, purpose)["uri"]
        for member in self.members:
            self.owner.create(MEMBER, {"subject": member.did, "list": made, "createdAt": now})
        # The network gives lists their keys; the feed takes the same.
        self.key = made.rpartition("/")[2]
        self.owner.create(FEED, {"did": network.feeds, "displayName": "A made-up feed", "createdAt": now}, self.key)

    def url(self, name: str) -> str:
        return f"http://{self.host}/profile/{self.owner.handle}/{self.kind}/{self.key if name == self.name else name}"

    def fullname(self, item: Item) -> str:
        return bluesky_name(self.host, self._written[item.fullname]["uri"])

    def author_id(self, item: Item) -> str:
        return self.author(item).did

    def words(self, item: Item) -> tuple[str, str]:
        """Posts have no title: the World's stands before the body."""
        return "", " ".join(filter(None, [item.title, item.body]))

    def author(self, item: Item) -> Account:
        return self.members[int(item.author.rpartition("_")[2]) % len(self.members)]

    def subject(self, item: Item) -> dict[str, str]:
        """A post, as moderators name it."""
        return {"$type": "com.atproto.repo.strongRef", **self._written[item.fullname]}

    def catch_up(self) -> None:
        """Do on the network what happened in the World since the last time, and wait until it shows."""
        for item in self.world.items.values():
            written = self._written.get(item.fullname)
            if written is None:
                self._written[item.fullname] = self.author(item).create(POST, self._record(item))
            elif item.edited != self._edited[item.fullname] and item.state == "visible":
                key = written["uri"].rpartition("/")[2]
                self._written[item.fullname] = self.author(item).put(POST, key, self._record(item))
            self._edited[item.fullname] = item.edited
            before = self._shown.get(item.fullname, "visible")
            if before != item.state:
                self._change(item, before)
            self._shown[item.fullname] = item.state
        self.network.settle()

    def _change(self, item: Item, before: str) -> None:
        match before, item.state:
            case "visible", "deleted" | "lost":
                self.author(item).delete(self._written[item.fullname]["uri"])
            case "visible", "removed":
                self.network.take_down(self.subject(item))
            case "removed", "visible":
                self.network.put_back(self.subject(item))
            case "visible", "filtered":
                self.network.label(self.subject(item), put=[HIDDEN])
            case "filtered", "visible":
                self.network.label(self.subject(item), away=[HIDDEN])
            case _:
                raise AssertionError(f"{before} to {item.state} is nothing that happens to a post")

    def _record(self, item: Item) -> dict[str, Any]:
        record: dict[str, Any] = {"text": self.words(item)[1], "createdAt": _time(item.created), "langs": ["en"]}
        if item.parent:
            record["reply"] = {"root": self._written[item.thread], "parent": self._written[item.parent]}
        return record


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
