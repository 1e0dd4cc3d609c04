"""What tests know of a forum that shows a World, be its server ours or its own: how our source should name and store each item."""

from coprod_nlp.vocabulary import PostState
from tests.fakes.reddit_world import Item, World


class Forum:
    platform = ""
    # Whether the platform says who took a post away; where not, it is simply not there.
    tells_states = False
    host: str
    world: World

    def url(self, name: str) -> str:
        """The address of a community, for communities.toml."""
        raise NotImplementedError

    def fullname(self, item: Item) -> str:
        """What our source calls an item."""
        raise NotImplementedError

    def links(self, *items: Item) -> dict[str, str]:
        """Items as a look-up asks for them: by name, with the stored link where the platform is asked by it."""
        return {self.fullname(item): "" for item in items}

    def author_id(self, item: Item) -> str:
        return f"{item.author}@{self.host}"

    def words(self, item: Item) -> tuple[str, str]:
        """Title and body as our source should give them."""
        return item.title, item.body

    def expected(self, item: Item) -> PostState | None:
        """What a look-up should say of an item."""
        if item.state == "visible":
            return PostState.VISIBLE
        return None if item.state == "lost" or not self.tells_states else PostState(item.state)

    def parent(self, item: Item) -> str | None:
        return item.parent and self.fullname(self.world.items[item.parent])

    def thread(self, item: Item) -> str | None:
        return self.fullname(self.world.items[item.thread])
