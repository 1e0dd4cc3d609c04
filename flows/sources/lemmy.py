"""The Lemmy source: public communities of a server, through its API (version 3). docs/sources/lemmy.md says what it can see."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from config.settings import Settings
from coprod_nlp.vocabulary import PostKind, PostState
from flows.sources.base import CollectedPost, Problems
from flows.sources.live import Cursor, Target
from flows.sources.newest import Found, Listing, NewestFirst, Page
from flows.sources.servers import (
    MISSHAPEN,
    Answers,
    ask_each,
    base_of,
    host_of,
    misshapen,
    needed_contact,
    path_of,
    text_in,
    time_in,
    wrong_address,
)
from flows.sources.wire import GONE, REFUSED, HostPaces, Wires, checked

PLATFORM = "lemmy"
REQUESTS_A_MINUTE = 60
PAGE_SIZE = 50
LOOK_UP_SIZE = 100
# Servers before 0.19 say so of a post that is not there.
NOT_THERE = GONE | REFUSED | {400}

Maker = Callable[[str, Mapping[str, Any], str], CollectedPost]


class LemmySource:
    """What a server shows to anybody."""

    platform = PLATFORM
    look_up_size = LOOK_UP_SIZE

    def __init__(self, *, contact: str) -> None:
        self.pace = HostPaces(REQUESTS_A_MINUTE)
        self._wires = Wires(PLATFORM, paces=self.pace, contact=contact)

    def posts(self, target: Target, cursor: Cursor, problems: Problems) -> Iterator[CollectedPost]:
        """Posts, then comments, each newest first down to the cursor."""
        host = host_of(target.community)
        match path_of(target.community):
            case ["c", name]:
                wanted = {"community_name": name, "sort": "New", "type_": "All", "limit": str(PAGE_SIZE)}
            case _:
                raise wrong_address(target.community, "community of a server; wanted https://HOST/c/NAME")
        for kind, make in (("post", _submission), ("comment", _comment)):
            listing = self._listing(host, kind, make, wanted, target)
            yield from NewestFirst(f"{kind}s", listing, target=target, cursor=cursor, problems=problems).posts()

    def look_up(self, fullnames: Collection[str]) -> Answers:
        """What posts and comments are now, thread by thread; None for what the server shows no more."""
        return ask_each(fullnames, self._look_up_at)

    def close(self) -> None:
        self._wires.close()

    def _listing(self, host: str, kind: str, make: Maker, wanted: dict[str, str], target: Target) -> Listing:
        def listing(at: str | None, _floor: datetime) -> Page:
            number = int(at or 1)
            response = self._get(host, f"{kind}/list", wanted | {"page": str(number)})
            data = checked(response, place=target.place, platform=PLATFORM).json()
            try:
                found = [_found(host, view, kind, make, target.community.name) for view in data[f"{kind}s"]]
            except MISSHAPEN as error:
                raise misshapen(host, error) from None
            return Page(found, str(number + 1) if len(found) >= PAGE_SIZE else None)

        return listing

    def _look_up_at(self, host: str, fullnames: list[str]) -> Answers:
        answers: Answers = dict.fromkeys(fullnames)
        for thread in dict.fromkeys(name.split("/")[1] for name in fullnames):
            top = self._submission_now(host, thread)
            if top is None:
                continue
            if top.fullname in answers:
                answers[top.fullname] = top
            wanted = {name for name in fullnames if name.startswith(f"{top.fullname}/")}
            for post in self._comments_now(host, thread) if wanted else ():
                if post.fullname in wanted:
                    answers[post.fullname] = post
                    wanted.discard(post.fullname)
                if not wanted:
                    break
        return answers

    def _submission_now(self, host: str, thread: str) -> CollectedPost | None:
        response = self._get(host, "post", {"id": thread})
        if response.status_code in NOT_THERE:
            return None
        data = checked(response, place=f"{host}, post {thread}", platform=PLATFORM).json()
        try:
            return _submission(host, data["post_view"], "")
        except MISSHAPEN as error:
            raise misshapen(host, error) from None

    def _comments_now(self, host: str, thread: str) -> Iterator[CollectedPost]:
        number = 1
        while True:
            asked = {"post_id": thread, "sort": "Old", "type_": "All", "limit": str(PAGE_SIZE), "page": str(number)}
            data = checked(self._get(host, "comment/list", asked), place=f"{host}, post {thread}", platform=PLATFORM).json()
            try:
                posts = [_comment(host, view, "") for view in data["comments"]]
            except MISSHAPEN as error:
                raise misshapen(host, error) from None
            yield from posts
            if len(posts) < PAGE_SIZE:
                return
            number += 1

    def _get(self, host: str, path: str, params: dict[str, str]) -> Any:
        return self._wires.to(host).get(f"{base_of(host)}/api/v3/{path}", params=params)


def open_lemmy(settings: Settings) -> LemmySource:
    """The source; nothing is asked yet."""
    return LemmySource(contact=needed_contact(settings, PLATFORM))


def _found(host: str, view: Mapping[str, Any], kind: str, make: Maker, name: str) -> Found:
    own = view[kind]
    is_pinned = bool(own.get("featured_community") or own.get("featured_local"))
    return Found(time_in(own["published"]), [make(host, view, name)], is_pinned)


def _submission(host: str, view: Mapping[str, Any], name: str) -> CollectedPost:
    post = view["post"]
    fullname = f"{host}/{int(post['id'])}"
    return _to_post(
        host, view, post, name, fullname=fullname, thread=fullname, parent=None, title=text_in(post, "name"), body=text_in(post, "body")
    )


def _comment(host: str, view: Mapping[str, Any], name: str) -> CollectedPost:
    comment = view["comment"]
    thread = f"{host}/{int(comment['post_id'])}"
    # "0.12.34": the way down from the post, itself last.
    above = str(comment["path"]).split(".")[-2]
    parent = thread if above == "0" else f"{thread}/{above}"
    fullname = f"{thread}/{int(comment['id'])}"
    return _to_post(host, view, comment, name, fullname=fullname, thread=thread, parent=parent, title="", body=text_in(comment, "content"))


def _to_post(
    host: str,
    view: Mapping[str, Any],
    own: Mapping[str, Any],
    name: str,
    *,
    fullname: str,
    thread: str,
    parent: str | None,
    title: str,
    body: str,
) -> CollectedPost:
    state = _state(own, view["creator"])
    is_shown = state in {PostState.VISIBLE, PostState.AUTOMATED}
    score = (view.get("counts") or {}).get("score")
    return CollectedPost(
        fullname=fullname,
        community=name,
        kind=PostKind.COMMENT if parent else PostKind.SUBMISSION,
        state=state,
        author_id=_author(host, view["creator"]) if is_shown else None,
        title=title if is_shown else "",
        body=body if is_shown else "",
        parent=parent,
        thread=thread,
        permalink=text_in(own, "ap_id"),
        score=score if isinstance(score, int) else None,
        created_at=time_in(own["published"]),
    )


def _state(own: Mapping[str, Any], creator: Mapping[str, Any]) -> PostState:
    if own.get("deleted"):
        return PostState.DELETED
    if own.get("removed"):
        return PostState.REMOVED
    return PostState.AUTOMATED if creator.get("bot_account") else PostState.VISIBLE


def _author(host: str, creator: Mapping[str, Any]) -> str:
    """Name and home server: people of other servers take part."""
    home = urlsplit(text_in(creator, "actor_id")).netloc or host
    return f"{text_in(creator, 'name')}@{home}"
