"""Communities that live on servers of their own: where each is, and asking several servers about posts of theirs."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from config.schema import Community
from config.settings import LOOPBACK, Settings
from flows.sources.base import CollectedPost, SourceError, SourceRefusedError, SourceUnavailableError

Answers = dict[str, CollectedPost | None]
# How one comes to grief over an answer of a shape that was not expected.
MISSHAPEN = (LookupError, TypeError, ValueError, AttributeError)


def host_of(community: Community) -> str:
    """Host and port of a community's server.

    Raises
    ------
    SourceRefusedError
        Where what is sent could be read on the way.
    """
    address = urlsplit(str(community.url))
    if address.scheme != "https" and address.hostname not in LOOPBACK:
        raise SourceRefusedError(f"{community.community_id}: its url should begin with https:// in communities.toml")
    if address.username or address.password:
        raise SourceRefusedError(f"{community.community_id}: its url holds a password; take it out of communities.toml")
    return address.netloc


def base_of(host: str) -> str:
    """Address of a server by host and port."""
    return f"{'http' if urlsplit(f'//{host}').hostname in LOOPBACK else 'https'}://{host}"


def path_of(community: Community) -> list[str]:
    """Parts of the path of a community's address."""
    return [part for part in urlsplit(str(community.url)).path.split("/") if part]


def wrong_address(community: Community, wanted: str) -> SourceRefusedError:
    return SourceRefusedError(f"{community.community_id}: url = {str(community.url)!r} in communities.toml is no {wanted}")


def needed_contact(settings: Settings, platform: str) -> str:
    """Who answers for the requests.

    Raises
    ------
    SourceRefusedError
        Where nobody does.
    """
    if not settings.contact:
        raise SourceRefusedError(
            f"{platform}: not set: COPROD_CONTACT; give a web page or e-mail address of who answers for the requests, so that whoever runs "
            "a server can write to them"
        )
    return settings.contact


def ask_each(fullnames: Collection[str], ask: Callable[[str, list[str]], Answers]) -> Answers:
    """Answers of several servers about posts named `HOST/…`. Posts of a server that is out of reach are left out: nothing is known of them.

    Raises
    ------
    SourceError
        Where not one server answered.
    """
    hosts: dict[str, list[str]] = defaultdict(list)
    for name in fullnames:
        hosts[name.partition("/")[0]].append(name)
    answers: Answers = {}
    failure: SourceError | None = None
    for host, names in hosts.items():
        try:
            answers |= ask(host, names)
        except SourceError as error:
            failure = error
    if failure and not answers:
        raise failure
    return answers


def text_in(data: Mapping[str, Any], name: str) -> str:
    """A text of an answer, as a database takes it; "" where there is none."""
    value = data.get(name)
    return value.replace("\0", "").encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def time_in(value: Any) -> datetime:
    """An ISO time of an answer; UTC where it names no zone."""
    moment = datetime.fromisoformat(str(value))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def misshapen(host: str, error: Exception) -> SourceUnavailableError:
    """An answer of a shape that was not expected: the software behind it may have changed."""
    return SourceUnavailableError(f"{host}: an answer of an unknown shape ({type(error).__name__}); try again later, or update coprod")
