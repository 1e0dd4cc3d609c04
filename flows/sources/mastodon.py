"""The Mastodon source: Mastodon.py, read-only, by hashtag or a server's own timeline. docs/sources/mastodon.md says what it can see."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import mastodon
from mastodon import Mastodon

from config.schema import Community
from config.settings import Settings
from coprod_nlp.vocabulary import PostKind, PostState
from flows.sources.base import CollectedPost, ProblemKind, Problems, SourceError, SourceRefusedError, SourceUnavailableError
from flows.sources.html_text import html_text
from flows.sources.live import Cursor, SourceSkippedError, Target
from flows.sources.newest import Found, NewestFirst, Page
from flows.sources.servers import MISSHAPEN, Answers, ask_each, base_of, host_of, needed_contact, path_of, text_in, wrong_address
from flows.sources.wire import HostPaces, Wires

PLATFORM = "mastodon"
# What a server allows one address: 300 in five minutes.
REQUESTS_A_MINUTE = 60
PAGE_SIZE = 40
# What a server takes at once since Mastodon 4.3.
LOOK_UP_SIZE = 20
NO_BOT = "nobot"


class _Client(Mastodon):
    """Mastodon.py without its look at the server's description before each page: the timeline itself says whether it is open."""

    def timeline_is_available(self, *_: Any, **__: Any) -> bool:
        return True


class MastodonSource:
    """What a server shows to anybody, or to the account whose token is set, of people who let their posts be found."""

    platform = PLATFORM
    look_up_size = LOOK_UP_SIZE

    def __init__(self, *, contact: str, tokens: dict[str, str] | None = None) -> None:
        self.pace = HostPaces(REQUESTS_A_MINUTE)
        self._tokens = tokens or {}
        self._wires = Wires(PLATFORM, paces=self.pace, contact=contact)
        self._clients: dict[str, Mastodon] = {}
        # Servers from before Mastodon 4.3, which tell of one post at a time.
        self._one_by_one: set[str] = set()

    def posts(self, target: Target, cursor: Cursor, problems: Problems) -> Iterator[CollectedPost]:
        """Posts since the cursor, newest first."""
        host, tag = host_of(target.community), _tag(target.community)

        def listing(at: str | None, _floor: datetime) -> Page:
            with self._asking(host, target.place):
                client = self._client(host)
                if tag:
                    statuses = client.timeline_hashtag(tag, max_id=at, limit=PAGE_SIZE)
                else:
                    statuses = client.timeline_public(local=True, max_id=at, limit=PAGE_SIZE)
                if not isinstance(statuses, list):
                    raise TypeError(type(statuses).__name__)
                found = [self._found(host, status, target, problems) for status in statuses]
                return Page(found, str(statuses[-1]["id"]) if statuses else None)

        return NewestFirst("posts", listing, target=target, cursor=cursor, problems=problems).posts()

    def look_up(self, fullnames: Collection[str]) -> Answers:
        """What posts are now; None for what a server no longer shows, and for people who do not let their posts be found any more."""
        return ask_each(fullnames, self._look_up_at)

    def close(self) -> None:
        self._wires.close()

    def _found(self, host: str, status: Any, target: Target, problems: Problems) -> Found:
        posts = [_to_post(host, status, target.community.name)] if _may_be_kept(status) else []
        if not posts:
            problems.add(ProblemKind.OPTED_OUT, target.place)
        return Found(_time(status["created_at"]), posts)

    def _look_up_at(self, host: str, fullnames: list[str]) -> Answers:
        ids = {name.partition("/")[2]: name for name in fullnames}
        answers: Answers = dict.fromkeys(fullnames)
        for status in self._statuses(host, list(ids)):
            with self._asking(host, host):
                if _may_be_kept(status):
                    answers[ids[str(status["id"])]] = _to_post(host, status, "")
        return answers

    def _statuses(self, host: str, ids: list[str]) -> list[Any]:
        with self._asking(host, host):
            client = self._client(host)
        if host not in self._one_by_one:
            try:
                with self._asking(host, host):
                    return list(client.statuses(ids))
            except SourceSkippedError:
                self._one_by_one.add(host)
        found = []
        for one in ids:
            with self._asking(host, host), suppress(mastodon.MastodonNotFoundError):
                found.append(client.status(one))
        return found

    def _client(self, host: str) -> Mastodon:
        if host not in self._clients:
            wire = self._wires.to(host)
            self._clients[host] = _Client(
                api_base_url=base_of(host), access_token=self._tokens.get(host), session=wire, ratelimit_method="throw",
                user_agent=wire.agent, version_check_mode="none",
            )  # fmt: skip
        return self._clients[host]

    @contextmanager
    def _asking(self, host: str, place: str) -> Iterator[None]:
        """Around every use of Mastodon.py: nothing but a SourceError comes out."""
        try:
            yield
        except SourceError:
            raise
        except mastodon.MastodonNetworkError as error:
            # It wraps whatever our wire raised.
            if isinstance(error.__context__, SourceError):
                raise error.__context__ from None
            raise SourceUnavailableError(f"mastodon: {host}: no answer; try again later. What came before is kept") from None
        except mastodon.MastodonNotFoundError:
            raise SourceSkippedError(ProblemKind.MISSING_COMMUNITY, f"{place} is not there; check its url in communities.toml") from None
        except mastodon.MastodonAPIError:
            raise self._refused(host, place) from None
        except (mastodon.MastodonError, *MISSHAPEN) as error:
            raise SourceUnavailableError(
                f"mastodon: {host}: an answer that Mastodon.py does not understand ({type(error).__name__}); try again later"
            ) from None

    def _refused(self, host: str, place: str) -> SourceError:
        if host in self._tokens:
            return SourceRefusedError(f"mastodon: {host} does not take its token; check COPROD_MASTODON_TOKENS")
        return SourceSkippedError(
            ProblemKind.PRIVATE_COMMUNITY, f"{place}: {host} shows it to members only; ask its people for an account, and set its token"
        )


def open_mastodon(settings: Settings) -> MastodonSource:
    """The source with its tokens; nothing is asked yet.

    Raises
    ------
    SourceRefusedError
        Where the tokens cannot be read; none is shown.
    """
    text = settings.mastodon_tokens.get_secret_value() if settings.mastodon_tokens else ""
    pairs = [pair.strip().partition("=") for pair in text.split(",") if pair.strip()]
    if not all(host and token for host, _, token in pairs):
        raise SourceRefusedError("mastodon: COPROD_MASTODON_TOKENS should be HOST=TOKEN, several with commas between")
    return MastodonSource(contact=needed_contact(settings, PLATFORM), tokens={host: token for host, _, token in pairs})


def _tag(community: Community) -> str | None:
    """A hashtag; None for a server's own timeline."""
    match path_of(community):
        case ["tags", tag]:
            return tag
        case ["public", "local"]:
            return None
    raise wrong_address(community, "hashtag or server's own timeline; wanted https://HOST/tags/NAME or https://HOST/public/local")


def _may_be_kept(status: Any) -> bool:
    """Public words of a person who said that they may be found, and nothing against programs that read."""
    account = status["account"]
    written = [text_in(account, "note"), *(text_in(field, "value") + text_in(field, "name") for field in account.get("fields") or ())]
    return (
        status["visibility"] == "public"
        and not status.get("reblog")
        and account.get("indexable") is True
        and not any(account.get(name) for name in ("locked", "noindex", "limited", "suspended"))
        and not any(NO_BOT in html_text(text).lower().replace(" ", "") for text in written)
    )


def _to_post(host: str, status: Any, name: str) -> CollectedPost:
    fullname = f"{host}/{status['id']}"
    parent = status.get("in_reply_to_id")
    account = status["account"]
    acct = text_in(account, "acct")
    body = "\n\n".join(filter(None, (text_in(status, "spoiler_text").strip(), html_text(text_in(status, "content")))))
    return CollectedPost(
        fullname=fullname,
        community=name,
        kind=PostKind.COMMENT if parent else PostKind.SUBMISSION,
        state=PostState.AUTOMATED if account.get("bot") else PostState.VISIBLE,
        author_id=acct if "@" in acct else f"{acct}@{host}",
        title="",
        body=body,
        parent=f"{host}/{parent}" if parent else None,
        # A reply does not say what its thread began with.
        thread=None if parent else fullname,
        permalink=text_in(status, "url") or text_in(status, "uri"),
        score=None,
        created_at=_time(status["created_at"]),
    )


def _time(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.astimezone(UTC)
