"""PRAW's objects as our own records."""

from typing import Any

from flows.sources.archive import to_post
from flows.sources.base import CollectedPost, Problems
from flows.sources.row import Row


def to_collected(thing: Any, place: str, problems: Problems) -> CollectedPost | None:
    """A submission or comment as our own record, from what it holds: asking it for what it lacks would make a request."""
    held = vars(thing)
    author, community = held.get("author"), held.get("subreddit")
    row = Row(
        id=held.get("id"), name=held.get("name"), author=_name(author, "name"), subreddit=_name(community, "display_name"),
        created_utc=held.get("created_utc"), title=held.get("title"), selftext=held.get("selftext"), body=held.get("body"),
        parent_id=held.get("parent_id"), link_id=held.get("link_id"), score=held.get("score"), permalink=held.get("permalink"),
        distinguished=held.get("distinguished"), removed_by_category=held.get("removed_by_category"),
    )  # fmt: skip
    return to_post(row, place, None, problems)


def _name(thing: Any, attribute: str) -> str | None:
    """The name of an account or community that PRAW wrapped, or None for a deleted author."""
    return thing if isinstance(thing, str) or thing is None else vars(thing).get(attribute)
