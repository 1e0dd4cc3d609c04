"""The Discourse source: public categories and tags of a forum, through its JSON. docs/sources/discourse.md says what it can see."""

import re
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from config.schema import Community
from config.settings import Settings
from coprod_nlp.vocabulary import PostKind, PostState
from flows.sources.base import CollectedPost, Problems
from flows.sources.html_text import html_text
from flows.sources.live import Cursor, Target
from flows.sources.newest import Found, NewestFirst, Page
from flows.sources.servers import MISSHAPEN, Answers, ask_each, base_of, host_of, misshapen, needed_contact, path_of, text_in, wrong_address
from flows.sources.wire import GONE, REFUSED, HostPaces, Wires, checked

PLATFORM = "discourse"
REQUESTS_A_MINUTE = 60
LOOK_UP_SIZE = 100
# Posts that Discourse shows at once; near a number, a quarter of them stand before it.
CHUNK = 20
BEFORE = 5
REGULAR_POST = 1
AUTOMATED_AUTHORS = frozenset({"system", "discobot"})
# [quote="name, post:1, topic:2"]…[/quote], the innermost first: others' words.
QUOTE = re.compile(r"\[quote[^\]]*\](?:(?!\[quote)[\s\S])*?\[/quote\]", re.IGNORECASE)
IMAGE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)")


class DiscourseSource:
    """What a forum shows to anybody."""

    platform = PLATFORM
    look_up_size = LOOK_UP_SIZE

    def __init__(self, *, contact: str) -> None:
        self.pace = HostPaces(REQUESTS_A_MINUTE)
        self._wires = Wires(PLATFORM, paces=self.pace, contact=contact)

    def posts(self, target: Target, cursor: Cursor, problems: Problems) -> Iterator[CollectedPost]:
        """Posts of topics that had one since the cursor, the topic with the newest first."""
        community = target.community
        host, path = host_of(community), _listing_path(community)

        def listing(at: str | None, floor: datetime) -> Page:
            data = self._get(host, path, place=target.place, params={"page": at or "0"})
            try:
                topics = data["topic_list"]["topics"]
                found = [self._found(host, topic, community.name, floor) for topic in topics]
            except MISSHAPEN as error:
                raise misshapen(host, error) from None
            has_more = bool(topics and data["topic_list"].get("more_topics_url"))
            return Page(found, str(int(at or 0) + 1) if has_more else None)

        return NewestFirst("topics", listing, target=target, cursor=cursor, problems=problems).posts()

    def look_up(self, fullnames: Collection[str]) -> Answers:
        """What posts are now, topic by topic; None for what the forum shows no more."""
        return ask_each(fullnames, self._look_up_at)

    def close(self) -> None:
        self._wires.close()

    def _found(self, host: str, topic: dict[str, Any], name: str, floor: datetime) -> Found:
        is_pinned = bool(topic.get("pinned") or topic.get("pinned_globally"))
        posts = self._topic_posts(host, int(topic["id"]), int(topic["highest_post_number"]), name, floor)
        return Found(datetime.fromisoformat(topic["bumped_at"]), posts, is_pinned)

    def _topic_posts(self, host: str, topic: int, highest: int, name: str, floor: datetime) -> Iterator[CollectedPost]:
        """Posts of a topic from its end, down to the floor or to the first."""
        below = highest + 1
        while below > 1:
            chunk = self._chunk(host, topic, max(below - CHUNK + BEFORE, 1), name)
            fresh = [post for number, post in chunk.items() if number < below and post]
            yield from fresh
            lowest = min(chunk, default=below)
            if lowest >= below or any(post.created_at and post.created_at < floor for post in fresh):
                return
            below = lowest

    def _chunk(self, host: str, topic: int, number: int, name: str) -> dict[int, CollectedPost | None]:
        """Posts around a number, in order, None for notices; none where the topic is not shown."""
        params = {"include_raw": "1"}
        response = self._wires.to(host).get(f"{base_of(host)}/t/{topic}/{number}.json", params=params)
        if response.status_code in GONE | REFUSED:
            return {}
        data = checked(response, place=f"{host}, topic {topic}", platform=PLATFORM).json()
        try:
            return {
                int(post["post_number"]): _to_post(host, data, post, name) if post["post_type"] == REGULAR_POST else None
                for post in data["post_stream"]["posts"]
            }
        except MISSHAPEN as error:
            raise misshapen(host, error) from None

    def _look_up_at(self, host: str, fullnames: list[str]) -> Answers:
        wanted: dict[int, dict[int, str]] = {}
        for fullname in fullnames:
            _, in_topic, at = fullname.split("/")
            wanted.setdefault(int(in_topic), {})[int(at)] = fullname
        answers: Answers = dict.fromkeys(fullnames)
        for topic, numbers in wanted.items():
            left = sorted(numbers)
            while left:
                # One request tells of every number between its first and last post: what is missing there is gone.
                chunk = self._chunk(host, topic, left[0] + BEFORE, "")
                answers |= {numbers[number]: post for number, post in chunk.items() if number in numbers}
                last = max(chunk, default=left[0])
                left = [number for number in left[1:] if number > last]
        return answers

    def _get(self, host: str, path: str, *, place: str, params: dict[str, str]) -> Any:
        return checked(self._wires.to(host).get(f"{base_of(host)}{path}", params=params), place=place, platform=PLATFORM).json()


def open_discourse(settings: Settings) -> DiscourseSource:
    """The source; nothing is asked yet."""
    return DiscourseSource(contact=needed_contact(settings, PLATFORM))


def _listing_path(community: Community) -> str:
    """Where the latest topics of a category or tag are listed."""
    parts = path_of(community)
    match parts:
        case ["c", *slugs, number] if number.isdigit() and slugs:
            return f"/{'/'.join(parts)}/l/latest.json"
        case ["tag", *_, _]:
            return f"/{'/'.join(parts)}/l/latest.json"
    raise wrong_address(community, "category or tag of a forum; wanted https://HOST/c/NAME/NUMBER or https://HOST/tag/NAME")


def _to_post(host: str, topic: dict[str, Any], post: dict[str, Any], name: str) -> CollectedPost:
    number, topic_id = int(post["post_number"]), int(topic["id"])
    thread = f"{host}/{topic_id}"
    is_first = number == 1
    state = _state(post)
    is_shown = state in {PostState.VISIBLE, PostState.AUTOMATED}
    author = text_in(post, "username")
    return CollectedPost(
        fullname=f"{thread}/{number}",
        community=name,
        kind=PostKind.SUBMISSION if is_first else PostKind.COMMENT,
        state=state,
        author_id=f"{author}@{host}" if author and is_shown else None,
        title=text_in(topic, "title") if is_first and is_shown else "",
        body=_body(post) if is_shown else "",
        parent=None if is_first else f"{thread}/{post.get('reply_to_post_number') or 1}",
        thread=f"{thread}/1",
        permalink=f"{base_of(host)}/t/{text_in(topic, 'slug') or '-'}/{topic_id}/{number}",
        score=None,
        created_at=datetime.fromisoformat(post["created_at"]),
    )


def _state(post: dict[str, Any]) -> PostState:
    if post.get("user_deleted"):
        return PostState.DELETED
    if post.get("deleted_at"):
        return PostState.REMOVED
    if post.get("hidden"):
        return PostState.FILTERED
    return PostState.AUTOMATED if text_in(post, "username").lower() in AUTOMATED_AUTHORS else PostState.VISIBLE


def _body(post: dict[str, Any]) -> str:
    """What the author wrote, without the words of others."""
    if "raw" not in post:
        return html_text(text_in(post, "cooked"))
    text, before = text_in(post, "raw"), ""
    while text != before:
        before, text = text, QUOTE.sub("\n", text)
    return IMAGE.sub("", text).strip()
