"""The Reddit source: PRAW, read-only, by community and search term, never by author. docs/sources/reddit.md says what it can see."""

from collections.abc import Collection, Iterator
from datetime import timedelta
from importlib.metadata import version
from platform import system
from threading import Lock

import praw
import requests
from praw.models import Comment, Submission

from config.schema import REDDIT
from config.settings import Settings
from flows.sources.base import CollectedPost, Problems, SourceRefusedError
from flows.sources.live import Cursor, Target
from flows.sources.pace import Clock, Pace
from flows.sources.reddit_faults import asking
from flows.sources.reddit_poll import RedditPoll
from flows.sources.reddit_posts import to_collected
from flows.sources.reddit_wire import Wire
from flows.sources.wire import TIMEOUTS_S

# What Reddit allows an approved client.
REQUESTS_A_MINUTE = 100
LOOK_UP_SIZE = 100
APP_ID = "uk.gov.council.coprod"
REAL_ADDRESSES = ("https://oauth.reddit.com", "https://www.reddit.com")
# Threads that were written within it are read again whole: they still grow, and are still edited and removed.
OVERLAP = timedelta(days=2)

_paces: dict[str, Pace] = {}
_paces_lock = Lock()


class RedditSource:
    """What Reddit shows an approved reader without an account. PRAW's objects stay inside: looking at one may make a request."""

    platform = REDDIT
    look_up_size = LOOK_UP_SIZE

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        account: str,
        pace: Pace,
        address: str | None = None,
        overlap: timedelta = OVERLAP,
        timeouts_s: tuple[float, float] = TIMEOUTS_S,
    ) -> None:
        self.pace = pace
        self._overlap = overlap
        self._session = requests.Session()
        oauth_url, reddit_url = (address, address) if address else REAL_ADDRESSES
        # Every setting is given here: praw.ini, wherever one lies, and PRAW's environment variables decide nothing.
        self._reddit = praw.Reddit(
            client_id=client_id, client_secret=client_secret, user_agent=user_agent(account), oauth_url=oauth_url, reddit_url=reddit_url,
            username=None, password=None, refresh_token=None, check_for_updates=False, check_for_async=False, ratelimit_seconds=0,
            requestor_class=Wire, requestor_kwargs={"pace": pace, "session": self._session, "timeouts_s": timeouts_s},
        )  # fmt: skip
        self._reddit.read_only = True

    def posts(self, target: Target, cursor: Cursor, problems: Problems) -> Iterator[CollectedPost]:
        """Submissions and their whole comment trees since the cursor, oldest first, then new comments on older threads."""
        return RedditPoll(self._reddit, target, cursor, problems, overlap=self._overlap).posts()

    def look_up(self, fullnames: Collection[str]) -> dict[str, CollectedPost | None]:
        """What posts are now; None for what Reddit leaves out of its answer."""
        if len(fullnames) > LOOK_UP_SIZE:
            raise ValueError(f"{len(fullnames)} posts in one look-up; at most {LOOK_UP_SIZE}")
        found: dict[str, CollectedPost | None] = dict.fromkeys(fullnames)
        with asking("look-up"):
            things = list(self._reddit.info(fullnames=list(fullnames)))
        for thing in things:
            if isinstance(thing, Comment | Submission) and (post := to_collected(thing, "look-up", Problems())):
                found[post.fullname] = post
        return found

    def close(self) -> None:
        self._session.close()


def open_reddit(settings: Settings, *, clock: Clock | None = None) -> RedditSource:
    """The source with its credentials. Nothing is asked yet.

    Raises
    ------
    SourceRefusedError
        Naming every setting that is missing.
    """
    needed = {
        "COPROD_REDDIT_CLIENT_ID": settings.reddit_client_id,
        "COPROD_REDDIT_CLIENT_SECRET": settings.reddit_client_secret,
        "COPROD_REDDIT_ACCOUNT": settings.reddit_account,
    }
    if missing := [name for name, value in needed.items() if not value]:
        raise SourceRefusedError(f"reddit: not set: {', '.join(missing)}; they come with the app that Reddit approved")
    client_id, client_secret = settings.reddit_client_id, settings.reddit_client_secret
    assert client_id is not None and client_secret is not None and settings.reddit_account  # noqa: S101, PT018  (looked at just before)
    return RedditSource(
        client_id=client_id.get_secret_value(), client_secret=client_secret.get_secret_value(), account=settings.reddit_account,
        address=settings.reddit_address, pace=pace_of(client_id.get_secret_value(), clock=clock),
    )  # fmt: skip


def pace_of(client_id: str, *, clock: Clock | None = None) -> Pace:
    """The one pace of a credential, whoever uses it in this process."""
    with _paces_lock:
        return _paces.setdefault(client_id, Pace(REQUESTS_A_MINUTE, clock=clock))


def user_agent(account: str) -> str:
    """As Reddit asks: platform, app, version, and the account that answers for it."""
    return f"{system().lower() or 'unknown'}:{APP_ID}:{version('coprod')} (by /u/{account})"
