"""The Bluesky source: atproto, read-only and without an account, by feed or list. docs/sources/bluesky.md says what it can see."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property, partial
from typing import Any

import httpx
from atproto_client import exceptions as faults
from atproto_client.client.raw import ClientRaw
from atproto_client.request import Request

from config.schema import Community
from config.settings import Secrets, Settings, address_key, load_author_key
from coprod_nlp.vocabulary import PROGRAMS_ADDRESS, PostKind, PostState
from flows.sources.base import CollectedPost, ProblemKind, Problems, SourceError, SourceUnavailableError
from flows.sources.live import Cursor, SourceSkippedError, Target
from flows.sources.newest import Found, NewestFirst, Page
from flows.sources.servers import MISSHAPEN, Answers, ask_each, base_of, host_of, needed_contact, path_of, time_in, wrong_address
from flows.sources.wire import GONE, HostPaces, Wire, Wires

PLATFORM = "bluesky"
# Addresses of the network's own pages, and the server that tells anybody what stands there.
PAGES, PUBLIC_VIEW = "bsky.app", "public.api.bsky.app"
# A tenth of the 3,000 in five minutes that one address may make.
REQUESTS_A_MINUTE = 60
PAGE_SIZE = 100
# A feed's service may go on listing what is gone, and the network then shows pages of nothing. So many in a row, and that was the end.
EMPTY_PAGES = 10
LOOK_UP_SIZE = 25
KINDS = {"feed": "app.bsky.feed.generator", "lists": "app.bsky.graph.list"}
# What people and moderators put on accounts and posts: not for readers without an account; not to be shown.
HELD_BACK = frozenset({"!no-unauthenticated", "!hide", "!takedown", "!suspend"})
AUTOMATED = "bot"
NOT_PASSED_ON = frozenset({"host", "connection", "accept-encoding"})


class BlueskySource:
    """What the network shows to readers without an account, of people who let it.

    A post's address (`at://DID/app.bsky.feed.post/KEY`) names its author: ids hold a keyed hash of it, the permalink the address itself.
    """

    platform = PLATFORM
    look_up_size = LOOK_UP_SIZE

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.pace = HostPaces(REQUESTS_A_MINUTE)
        self._wires = Wires(PLATFORM, paces=self.pace, contact=needed_contact(settings, PLATFORM))
        self._clients: dict[str, ClientRaw] = {}

    def posts(self, target: Target, cursor: Cursor, problems: Problems) -> Iterator[CollectedPost]:
        """Posts since the cursor, newest first."""
        host = _view_of(target.community)
        owner, kind, key = _address(target.community)
        uri, empty = "", 0

        def listing(at: str | None, _floor: datetime) -> Page:
            nonlocal uri, empty
            with _asking(host, target.place):
                bluesky = self._client(host).app.bsky
                uri = uri or f"at://{self._did(host, owner)}/{KINDS[kind]}/{key}"
                asked = {"limit": PAGE_SIZE, "cursor": at}
                if kind == "feed":
                    page = bluesky.feed.get_feed({"feed": uri, **asked})
                else:
                    page = bluesky.feed.get_list_feed({"list": uri, **asked})
                    if at is None and not page.feed:
                        # A list that is not there shows nothing either; only this says so.
                        bluesky.graph.get_list({"list": uri, "limit": 1})
                # What somebody passed on was written elsewhere.
                found = [self._found(host, item.post, target, problems) for item in page.feed if item.reason is None]
                empty = 0 if page.feed else empty + 1
                return Page(found, page.cursor if empty < EMPTY_PAGES else None)

        return NewestFirst("posts", listing, target=target, cursor=cursor, problems=problems).posts()

    def look_up(self, links: Mapping[str, str]) -> Answers:
        """What posts are now; None for what the network no longer shows, to readers without an account."""
        return ask_each(links, partial(self._look_up_at, links))

    def close(self) -> None:
        for client in self._clients.values():
            client.request.close()

    def _found(self, host: str, post: Any, target: Target, problems: Problems) -> Found:
        posts = [self._to_post(host, post, target.community.name)] if _may_be_kept(post) else []
        if not posts:
            problems.add(ProblemKind.OPTED_OUT, target.place)
        return Found(time_in(post.indexed_at), posts)

    def _look_up_at(self, links: Mapping[str, str], host: str, fullnames: list[str]) -> Answers:
        uris = {name: uri for name in fullnames if (uri := _uri(name, links[name]))}
        if not uris:
            return {}
        with _asking(host, host):
            found = self._client(host).app.bsky.feed.get_posts({"uris": sorted(set(uris.values()))}).posts
            shown = {post.uri: self._to_post(host, post, "") for post in found if _may_be_kept(post)}
        return {name: shown.get(uri) for name, uri in uris.items()}

    def _to_post(self, host: str, post: Any, name: str) -> CollectedPost:
        record, author = post.record, post.author
        fullname = self._fullname(host, post.uri)
        is_automated = any(label.val == AUTOMATED for label in author.labels or ())
        return CollectedPost(
            fullname=fullname,
            community=name,
            kind=PostKind.COMMENT if record.reply else PostKind.SUBMISSION,
            state=PostState.AUTOMATED if is_automated else PostState.VISIBLE,
            author_id=author.did,
            title="",
            body=record.text.replace("\0", ""),
            parent=self._fullname(host, record.reply.parent.uri) if record.reply else None,
            thread=self._fullname(host, record.reply.root.uri) if record.reply else fullname,
            permalink=f"https://{PAGES}/profile/{author.handle}/post/{post.uri.rpartition('/')[2]}#{post.uri}",
            score=None,
            created_at=time_in(record.created_at),
        )

    def _fullname(self, host: str, uri: str) -> str:
        return f"{host}/{address_key(self._secrets, platform=PLATFORM, address=uri)}"

    @cached_property
    def _secrets(self) -> Secrets:
        return load_author_key(self._settings)

    def _did(self, host: str, owner: str) -> str:
        if owner.startswith("did:"):
            return owner
        return str(self._client(host).com.atproto.identity.resolve_handle({"handle": owner}).did)

    def _client(self, host: str) -> ClientRaw:
        if host not in self._clients:
            wire = self._wires.to(host)
            self._clients[host] = ClientRaw(f"{base_of(host)}/xrpc", Request(transport=_Through(wire), trust_env=False))
        return self._clients[host]


class _Through(httpx.BaseTransport):
    """atproto's requests, made by our wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in NOT_PASSED_ON}
        answer = self._wire.request(request.method, str(request.url), headers=headers, data=request.read() or None)
        kind = answer.headers.get("content-type", "application/json")
        return httpx.Response(answer.status_code, headers={"content-type": kind}, content=answer.content, request=request)

    def close(self) -> None:
        self._wire.close()


def open_bluesky(settings: Settings) -> BlueskySource:
    """The source; nothing is asked yet."""
    return BlueskySource(settings)


@contextmanager
def _asking(host: str, place: str) -> Iterator[None]:
    """Around every use of atproto: nothing but a SourceError comes out."""
    try:
        yield
    except SourceError:
        raise
    except faults.BadRequestError:
        raise SourceSkippedError(ProblemKind.MISSING_COMMUNITY, f"{place} is not there; check its url in communities.toml") from None
    except faults.UnauthorizedError:
        raise SourceSkippedError(ProblemKind.PRIVATE_COMMUNITY, f"{place}: {host} shows it to members only") from None
    except (faults.AtProtocolError, *MISSHAPEN) as error:
        if isinstance(error, faults.RequestException) and error.response and error.response.status_code in GONE:
            raise SourceSkippedError(ProblemKind.MISSING_COMMUNITY, f"{place}: there is nothing at its url in communities.toml") from None
        raise SourceUnavailableError(
            f"bluesky: {host}: an answer that atproto does not understand ({type(error).__name__}); try again later"
        ) from None


def _view_of(community: Community) -> str:
    host = host_of(community)
    return PUBLIC_VIEW if host == PAGES else host


def _address(community: Community) -> tuple[str, str, str]:
    """Owner, kind and key of a feed or list."""
    match path_of(community):
        case ["profile", owner, kind, key] if kind in KINDS:
            return owner, kind, key
    raise wrong_address(community, "feed or list; wanted https://bsky.app/profile/OWNER/feed/KEY or …/lists/KEY")


def _may_be_kept(post: Any) -> bool:
    labels = [*(post.author.labels or ()), *(post.labels or ())]
    return not any(label.val in HELD_BACK and not label.neg for label in labels)


def _uri(fullname: str, permalink: str) -> str | None:
    """A post's address on the network, from its link; the ids that were made first, HOST/DID/KEY, still say it themselves."""
    match fullname.split("/"):
        case [_, did, key]:
            return f"at://{did}/app.bsky.feed.post/{key}"
    _, mark, rest = permalink.partition(PROGRAMS_ADDRESS)
    return f"at://{rest}" if mark else None
