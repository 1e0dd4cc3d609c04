"""The feed source: RSS and Atom, by feed, through feedparser. docs/sources/rss.md says what it can see."""

import calendar
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from hashlib import blake2b
from io import BytesIO
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import feedparser
import requests

from config.schema import Community
from config.settings import Settings
from coprod_nlp.vocabulary import PostKind, PostState
from flows.sources.base import CollectedPost, ProblemKind, Problems, SourceError
from flows.sources.html_text import html_text
from flows.sources.live import Cursor, SourceSkippedError, Target
from flows.sources.newest import Found, NewestFirst, Page
from flows.sources.servers import Answers, ask_each, base_of, host_of, needed_contact, text_in, wrong_address
from flows.sources.wire import NOT_MODIFIED, HostPaces, Wires, checked

PLATFORM = "rss"
REQUESTS_A_MINUTE = 20
LOOK_UP_SIZE = 100
# Parts of an address that lead to what one person wrote.
PERSONAL = frozenset({"author", "authors", "profile", "u", "user", "users"})


class FeedSource:
    """What feeds show: their newest entries, and nothing before."""

    platform = PLATFORM
    look_up_size = LOOK_UP_SIZE

    def __init__(self, *, contact: str) -> None:
        self.pace = HostPaces(REQUESTS_A_MINUTE)
        self._wires = Wires(PLATFORM, paces=self.pace, contact=contact, is_json=False)

    def posts(self, target: Target, cursor: Cursor, problems: Problems) -> Iterator[CollectedPost]:
        """Entries since the cursor, newest first; nothing where the server says that nothing has changed."""
        host, feed = host_of(target.community), _feed_of(target.community)
        response = self._get(host, feed, dict(cursor.state.get("asked", {})))
        if response.status_code == NOT_MODIFIED:
            return
        entries = _entries(checked(response, place=target.place, platform=PLATFORM), host, feed, target)
        undated = [post for post in entries if post.created_at is None]
        problems.add(ProblemKind.NULL_TIME, target.place, count=len(undated))
        dated = sorted(((post.created_at, post) for post in entries if post.created_at), key=lambda pair: pair[0], reverse=True)
        page = Page([Found(moment, [post]) for moment, post in dated], None)
        yield from NewestFirst("entries", lambda _at, _floor: page, target=target, cursor=cursor, problems=problems, has_end=True).posts()
        yield from undated
        said = {"if-none-match": response.headers.get("etag"), "if-modified-since": response.headers.get("last-modified")}
        cursor.state = cursor.state | {"asked": {name: value for name, value in said.items() if value}}

    def look_up(self, fullnames: Collection[str]) -> Answers:
        """What entries are now. None for one that is missing among those its feed shows; nothing for what is older than those."""
        return ask_each(fullnames, self._look_up_at)

    def close(self) -> None:
        self._wires.close()

    def _look_up_at(self, host: str, fullnames: list[str]) -> Answers:
        answers: Answers = {}
        failure: SourceError | None = None
        for part in dict.fromkeys(name.split("/")[1] for name in fullnames):
            wanted = [name for name in fullnames if name.split("/")[1] == part]
            try:
                response = checked(self._get(host, unquote(part), {}), place=f"a feed of {host}", platform=PLATFORM)
                shown = {post.fullname: post for post in _entries(response, host, unquote(part), None)}
            except SourceError as error:
                failure = error
                continue
            oldest = min((_second(name) for name in shown if _second(name)), default=None)
            for name in wanted:
                if name in shown:
                    answers[name] = shown[name]
                elif oldest is not None and _second(name) > oldest:
                    answers[name] = None
        if failure and not answers:
            raise failure
        return answers

    def _get(self, host: str, feed: str, headers: dict[str, str]) -> requests.Response:
        return self._wires.to(host).get(f"{base_of(host)}{feed}", headers=headers)


def open_rss(settings: Settings) -> FeedSource:
    """The source; nothing is asked yet."""
    return FeedSource(contact=needed_contact(settings, PLATFORM))


def _feed_of(community: Community) -> str:
    """Path and query of a feed's address."""
    address = urlsplit(str(community.url))
    parts = [part.lower() for part in address.path.split("/") if part]
    if any(part.startswith(("@", "~")) or part in PERSONAL for part in parts):
        raise wrong_address(community, "community's feed, but one person's; people are not followed")
    return f"{address.path or '/'}?{address.query}" if address.query else address.path or "/"


def _entries(response: requests.Response, host: str, feed: str, target: Target | None) -> list[CollectedPost]:
    """Entries of a feed, each once.

    Raises
    ------
    SourceSkippedError
        Where there is no feed.
    """
    place = target.place if target else f"a feed of {host}"
    # A stream: a text or bytes could be taken for an address or a file's name.
    parsed = feedparser.parse(BytesIO(response.content), response_headers={"content-type": response.headers.get("content-type", "")})
    if not parsed.get("version"):
        raise SourceSkippedError(ProblemKind.MISSING_COMMUNITY, f"{place}: no RSS or Atom there; check its url in communities.toml")
    name = target.community.name if target else ""
    posts = [_to_post(entry, host, feed, name) for entry in parsed.entries]
    return list({post.fullname: post for post in posts if post.title or post.body}.values())


def _to_post(entry: Any, host: str, feed: str, name: str) -> CollectedPost:
    moment = entry.get("published_parsed") or entry.get("updated_parsed")
    second = calendar.timegm(moment) if moment else 0
    mark = text_in(entry, "id") or text_in(entry, "link") or text_in(entry, "title")
    # Where the feed is and when the entry was written, so that a look-up knows where to ask and what its silence means.
    fullname = f"{host}/{quote(feed, safe='')}/{second}-{blake2b(mark.encode(), digest_size=8).hexdigest()}"
    whole = [text_in(part, "value") for part in entry.get("content") or ()]
    author = text_in(entry, "author").strip()
    return CollectedPost(
        fullname=fullname,
        community=name,
        kind=PostKind.SUBMISSION,
        state=PostState.VISIBLE,
        author_id=f"{author}@{host}" if author else None,
        title=html_text(text_in(entry, "title")),
        body=html_text(next(filter(None, whole), text_in(entry, "summary"))),
        parent=None,
        thread=fullname,
        permalink=text_in(entry, "link"),
        score=None,
        created_at=datetime.fromtimestamp(second, tz=UTC) if second else None,
    )


def _second(fullname: str) -> int:
    return int(fullname.rpartition("/")[2].partition("-")[0])
