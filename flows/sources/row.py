"""One row of an archive, whatever kind of file it came in."""

from typing import Any

import msgspec


class Row(msgspec.Struct):
    """A row of an archive, of any type: over the years numbers came as strings, and keys came and went."""

    id: Any = None
    name: Any = None
    author: Any = None
    subreddit: Any = None
    created_utc: Any = None
    title: Any = None
    selftext: Any = None
    body: Any = None
    parent_id: Any = None
    link_id: Any = None
    score: Any = None
    permalink: Any = None
    distinguished: Any = None
    removed_by_category: Any = None
