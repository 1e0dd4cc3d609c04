"""A made-up community as Reddit would hold it: posts that are added, edited, deleted, removed, filtered, restored and lost."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

WORDS = "bench river shed hedge bus lamp library rota gate path kettle bridge crossing litter pond meadow".split()
BEGAN = 1_767_225_600
# Between two posts; 5,000 posts are then about twelve days.
EVERY_S = 200


@dataclass
class Item:
    """A submission (`t3_…`) or comment (`t1_…`). `state` is visible, deleted (by its author), removed, filtered, or lost altogether."""

    fullname: str
    community: str
    thread: str
    parent: str | None
    author: str
    body: str
    created: int
    title: str = ""
    state: str = "visible"
    edited: int | None = None

    @property
    def is_comment(self) -> bool:
        return self.fullname.startswith("t1_")


@dataclass
class World:
    """Communities and what stands in them."""

    items: dict[str, Item] = field(default_factory=dict)
    answers: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    # Communities that do not open: name in small letters to private, quarantined, banned, missing or gold_only.
    closed: dict[str, str] = field(default_factory=dict)
    seed: int = 7
    began: int = BEGAN

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def submit(self, community: str, *, title: str = "", body: str = "") -> Item:
        number = len(self.items) + 1
        return self._add(f"t3_s{_base36(number)}", community, parent=None, body=body, title=title or f"About {self._words(4)}")

    def answer(self, parent: Item, *, body: str = "") -> Item:
        number = len(self.items) + 1
        return self._add(f"t1_c{_base36(number)}", parent.community, parent=parent, body=body, title="")

    def grow(self, community: str, *, submissions: int, comments: int) -> list[Item]:
        """Submissions, and comments on any of them or on what was there, in the order of their times."""
        open_to = [item for item in self.items.values() if item.community == community and item.state == "visible"]
        new: list[Item] = []
        kinds = ["s"] * submissions + ["c"] * comments
        self._random.shuffle(kinds)
        if not open_to:
            kinds.remove("s")
            kinds.insert(0, "s")
        for kind in kinds:
            # Mostly on what is recent, sometimes on anything.
            recent = open_to[-60:] if self._random.random() < 0.8 else open_to
            item = self.submit(community) if kind == "s" else self.answer(self._random.choice(recent))
            open_to.append(item)
            new.append(item)
        return new

    def pick(self, count: int, *, state: str = "visible") -> list[Item]:
        return self._random.sample([item for item in self.items.values() if item.state == state], count)

    def edit(self, item: Item) -> None:
        item.body, item.edited = f"Edited: {self._words(9)} ({item.fullname})", self.now

    def tree(self, fullname: str) -> Iterator[Item]:
        """What stands below a post, parents first."""
        for name in self.answers[fullname]:
            yield self.items[name]
            yield from self.tree(name)

    def is_shown(self, item: Item) -> bool:
        """Trees keep an empty place for what is gone only where something visible stands below it."""
        return item.state == "visible" or (
            item.state != "lost" and any(map(self.is_shown, map(self.items.__getitem__, self.answers[item.fullname])))
        )

    def listed(self, community: str, *, comments: bool) -> list[Item]:
        """Newest first, without what is gone."""
        found = [i for i in self.items.values() if i.community == community and i.is_comment is comments and i.state == "visible"]
        return sorted(found, key=lambda item: -item.created)

    @property
    def now(self) -> int:
        return self.began + EVERY_S * len(self.items)

    def _add(self, fullname: str, community: str, *, parent: Item | None, body: str, title: str) -> Item:
        item = Item(
            fullname=fullname, community=community, thread=parent.thread if parent else fullname,
            parent=parent.fullname if parent else None, author=f"Resident_{self._random.randrange(700)}",
            body=body or f"{self._words(12)} ({fullname})", created=self.now, title=title,
        )  # fmt: skip
        self.items[fullname] = item
        if parent:
            self.answers[parent.fullname].append(fullname)
        return item

    def _words(self, count: int) -> str:
        return " ".join(self._random.choices(WORDS, k=count))


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits
