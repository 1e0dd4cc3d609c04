"""Whose posts are meant: from a name or a link, as a person gives them, to author keys. Nothing is stored or looked up here."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from urllib.parse import unquote, urlsplit

from config.schema import FOUND_BY_ADDRESS, Community
from config.settings import Secrets, author_key, plain_name

# After one of these a profile's address names its account; Mastodon puts an @ before the name in place of it.
PROFILE_PARTS = frozenset({"u", "user", "users", "profile"})
# Reddit shows a post under its author's page and without it; forums write who shares a link behind it.
AUTHORS_PAGE = re.compile(r"(?i)/(?:u(?:ser)?/|r/u_)[^/]+(?=/comments/)")
SHARED_BY = re.compile(r"(?i)([?&])(?:u|user|username|author)=[^&#]*&?")
LINK = re.compile(r"(?i)https?://|[^/@\s]+\.[^/@\s]+/.")
ARCHIVE, BLUESKY, RSS = "archive", "bluesky", "rss"
# Platforms of many servers: the same name on two of them need not be one person, so an account is `name@server`.
WITH_SERVER = FOUND_BY_ADDRESS - {BLUESKY}


class HandleError(Exception):
    """It is not clear whose account is meant. The message says what to give instead."""


def keys_of_handle(
    secrets: Secrets, handle: str, *, on: Sequence[str], communities: Iterable[Community], stored: Iterable[str] = ()
) -> frozenset[str]:
    """Every author key that an account of this name may have.

    Parameters
    ----------
    handle
        A name, with its server or without, or a link to the account's profile.
    on
        Platforms (`reddit`) or communities (`archive:chess`) on which the person says to be known so. Nobody is looked for elsewhere.
        `archive` is every archive: those of `stored`, and by a key of its own those still to come.
    communities
        Those that are configured: their servers are meant where the name comes without one.
    stored
        Communities with posts here.

    Raises
    ------
    HandleError
        Where nobody would be found by it.
    """
    name, full = account_of(handle)
    configured, known = list(communities), list(stored)
    return frozenset(
        author_key(secrets, platform=space, author_id=each)
        for place in on
        for each in _names_on(place, name, full, configured)
        for space in _spaces(place, configured, known)
    )


def account_of(handle: str) -> tuple[str, str]:
    """The name of an account without what people write around it, and the same with its server; "" where that is not said.

    `u/Ann` and `@Ann` are `Ann`; `https://town.example/@ann` is `ann` and `ann@town.example`.
    """
    handle = handle.strip()
    if LINK.match(handle):
        return _account_at(handle if "://" in handle else f"https://{handle}")
    name = plain_name(handle)
    return name, name if "@" in name else ""


def permalink_forms(link: str) -> list[str]:
    """The forms in which a link to a post may stand in the store: whole, without its query, and without its host, as in Reddit's dumps.

    A link to Bluesky that holds the account's permanent id in place of its name is found by what programs call the post.
    """
    link = link.strip()
    return list(dict.fromkeys(form for each in (link, without_name(link)) if each for form in _forms(each)))


def without_name(link: str) -> str:
    """An archive's link to a post as it may be stored: not through its author's page; "" where it leads there no other way."""
    link = SHARED_BY.sub(r"\1", AUTHORS_PAGE.sub("", link)).rstrip("?&")
    if "/comments/" in link:
        return link
    first, _, rest = (re.sub(r"\A[^/]*://[^/]*", "", link)).lstrip("/").partition("/")
    return "" if first.startswith("@") or (first.lower() in PROFILE_PARTS and rest) else link


def _forms(link: str) -> list[str]:
    parts = urlsplit(link)
    path = parts.path.rstrip("/")
    hosts = [f"{parts.scheme}://{parts.netloc}", ""] if parts.netloc else [""]
    hosts += ["https://www.reddit.com"] if parts.netloc.endswith("reddit.com") and "www" not in parts.netloc else []
    forms = [link, *(f"{host}{path}{end}" for host in hosts for end in ("/", ""))]
    match path.split("/"):
        case ["", "profile", did, "post", key] if parts.netloc == "bsky.app":
            forms.append(f"at://{did}/app.bsky.feed.post/{key}")
    return [form for form in forms if form]


def _account_at(link: str) -> tuple[str, str]:
    try:
        parts = urlsplit(link)
    except ValueError:
        raise HandleError("this link cannot be read; copy it from your browser") from None
    path = [unquote(part) for part in parts.path.split("/") if part]
    named = [part[1:] for part in path if part.startswith("@")]
    named += [name for kind, name in pairwise(path) if kind.lower() in PROFILE_PARTS]
    if not named or not named[0].strip():
        raise HandleError("this link leads to no account; give the name of the account, or a link to its profile")
    return named[0], named[0] if "@" in named[0] else f"{named[0]}@{parts.netloc}"


def _spaces(place: str, configured: Iterable[Community], stored: Iterable[str]) -> set[str]:
    """In what author keys of a place are made: its platform, but where nobody has said of an archive what it is of, that archive."""
    platform = place.partition(":")[0]
    if platform != ARCHIVE or any(one.community_id == place for one in configured):
        return {place, platform}
    return {place} if place != ARCHIVE else {place, *(one for one in stored if one.startswith(f"{ARCHIVE}:"))}


def _names_on(place: str, name: str, full: str, communities: Iterable[Community]) -> set[str]:
    """Under which names a place knows the account."""
    platform = place.partition(":")[0]
    if platform == BLUESKY and not name.startswith("did:"):
        raise HandleError(
            "on Bluesky names change, so nobody is found by one; in its place give a link to a post of the account, or its DID (did:plc:…)"
        )
    if platform not in WITH_SERVER:
        return {name}
    # In a feed an author may be an e-mail address: what comes after the @ is no server then.
    if full and platform != RSS:
        return {name, full}
    servers = {urlsplit(str(one.url)).netloc for one in communities if place in {one.platform, one.community_id}}
    if not servers:
        raise HandleError(f"it is not known on which server of {platform} this name is; give it with its server, as ann@town.example")
    return {name, *(f"{name}@{server}" for server in servers)}
