"""Whose posts are meant: from a name or a link, as a person gives them, to author keys. Nothing is stored or looked up here."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from config.settings import Secrets, author_key

PREFIXES = ("https://", "http://", "/u/", "u/", "/user/", "user/", "@")


def plain_handle(handle: str) -> str:
    """A name without what people write before it: `u/Ann` and `@Ann` are `Ann`."""
    handle = handle.strip()
    for prefix in PREFIXES:
        if handle.lower().startswith(prefix):
            return handle[len(prefix) :].strip("/ ")
    return handle


def keys_of_handle(secrets: Secrets, handle: str, *, on: Sequence[str]) -> frozenset[str]:
    """Every author key that an account of this name may have.

    Parameters
    ----------
    on
        Platforms (`reddit`) or communities (`archive:chess`) on which the person says to be known so. Nobody is looked for elsewhere.
    """
    people = {name for place in on for name in (place, place.partition(":")[0])}
    return frozenset(author_key(secrets, platform=name, author_id=plain_handle(handle)) for name in people)


def permalink_forms(link: str) -> list[str]:
    """The forms in which a link to a post may stand in the store: whole, without its query, and without its host, as in Reddit's dumps.

    A link to Bluesky that holds the account's permanent id in place of its name is found by what programs call the post.
    """
    link = link.strip()
    parts = urlsplit(link)
    path = parts.path.rstrip("/")
    hosts = [f"{parts.scheme}://{parts.netloc}", ""] if parts.netloc else [""]
    hosts += ["https://www.reddit.com"] if parts.netloc.endswith("reddit.com") and "www" not in parts.netloc else []
    forms = [link, *(f"{host}{path}{end}" for host in hosts for end in ("/", ""))]
    match path.split("/"):
        case ["", "profile", did, "post", key] if parts.netloc == "bsky.app":
            forms.append(f"at://{did}/app.bsky.feed.post/{key}")
    return list(dict.fromkeys(form for form in forms if form))
