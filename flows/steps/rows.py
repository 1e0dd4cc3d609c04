"""A source's post as a row of the store: whose key, under which ids. One place, so that a post looked at again gives the same row."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from hashlib import blake2b
from typing import Any

from config.schema import FOUND_BY_ADDRESS, Config
from config.settings import Settings, author_key, load_author_key
from flows.sources.base import CollectedPost
from flows.sources.table import SAMPLE
from models import actions

# Communities whose names are the council's own choice: an archive means another by the same word, and numbers its posts otherwise.
NOT_IN_ARCHIVES = FOUND_BY_ADDRESS | {SAMPLE}
# A page that somebody keeps of their own is no community.
PERSONAL_PAGES = ("u_", "u/", "user/", "@")
# Most posts are by few people: their keys are worked out once.
AUTHORS_REMEMBERED = 10_000


@dataclass(frozen=True)
class Home:
    """Where a community's posts belong.

    Forums that nobody has said to be of one platform share nothing: the same name on two of them need not be one person, and
    posts that are plainly numbered may be numbered alike. `people` is what author keys are made in: the platform, or such a forum.
    """

    platform: str
    community_id: str
    people: str

    def post_id(self, fullname: str) -> str:
        is_numbered = fullname.partition("_")[2].isdigit()
        return f"{self.people if is_numbered else self.platform}:{fullname}"


class Rows:
    """Makes rows of posts of one source.

    Parameters
    ----------
    platform
        The source's. A live source's posts belong to configured communities of that platform and to no other.
    """

    def __init__(self, config: Config, settings: Settings, *, council: str, platform: str, is_live: bool = False) -> None:
        self._config, self._council, self._platform, self._is_live = config, council, platform, is_live
        self._author_key = lru_cache(AUTHORS_REMEMBERED)(partial(author_key, load_author_key(settings)))
        self._homes: dict[str, Home | None] = {}

    def home(self, name: str) -> Home | None:
        """Where posts of a community belong; None where it may not be listened to."""
        if name not in self._homes:
            self._homes[name] = self._find_home(name)
        return self._homes[name]

    def key(self, post: CollectedPost, home: Home) -> str | None:
        return self._author_key(platform=home.people, author_id=post.author_id) if post.author_id else None

    def is_kept_out(self, post: CollectedPost, home: Home, suppressed: frozenset[str]) -> bool:
        """Whether its author objected: where it stands, or on the whole of its platform, also before anything of this place was known."""
        if not post.author_id or not suppressed:
            return False
        return any(self._author_key(platform=space, author_id=post.author_id) in suppressed for space in (home.people, home.platform))

    def row(self, post: CollectedPost, home: Home, *, key: str | None, now: datetime) -> dict[str, Any]:
        return actions.post_row(
            post_id=home.post_id(post.fullname), platform=home.platform, community_id=home.community_id, kind=post.kind.value,
            state=post.state, author_key=key, parent_id=post.parent and home.post_id(post.parent),
            thread_id=post.thread and home.post_id(post.thread), title=post.title, body=post.body,
            permalink=post.permalink, score=post.score, created_at=post.created_at, content_hash=_content_hash(post, key), fetched_at=now,
        )  # fmt: skip

    def _find_home(self, name: str) -> Home | None:
        if self._config.is_refused(name) or name.lower().startswith(PERSONAL_PAGES):
            return None
        platform = self._platform
        if platform == SAMPLE:
            return Home(SAMPLE, f"{SAMPLE}:{name}", SAMPLE)
        for community in self._config.communities:
            is_ours = community.platform == platform if self._is_live else community.platform not in NOT_IN_ARCHIVES
            if is_ours and community.council == self._council and community.name.lower() == name.lower():
                return Home(community.platform, community.community_id, community.platform)
        return None if self._is_live else Home(platform, f"{platform}:{name}", f"{platform}:{name}")


def _content_hash(post: CollectedPost, key: str | None) -> str:
    # Whether there is an author, not which key: a new secret behind the keys changes no post.
    parts = (
        post.title,
        post.body,
        post.state,
        "author" if key else "",
        post.parent or "",
        post.thread or "",
        str(post.created_at),
        post.permalink,
    )
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
