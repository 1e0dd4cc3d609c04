"""Every request that PRAW makes goes through here: at our pace, to Reddit and nowhere else, tried again where that helps."""

from typing import Any
from urllib.parse import urlsplit

import prawcore
import requests

from flows.sources.base import SourceRefusedError, SourceUnavailableError
from flows.sources.pace import Pace
from flows.sources.wire import (
    ATTEMPTS,
    BLIND_WAIT_S,
    FIRST_BACKOFF_S,
    LONGEST_WAIT_S,
    OK,
    RETRIED,
    SERVER_ERRORS,
    TIMED_OUT,
    TIMEOUTS_S,
    TOO_MANY,
    UNAUTHORISED,
    is_json,
    is_page,
    retry_after_s,
    told,
)

TOKEN_PATH = "/api/v1/access_token"  # noqa: S105  (a path, no secret)
FORBIDDEN = 403
INVALID_TOKEN = 'Bearer realm="reddit", error="invalid_token"'  # noqa: S105  (what a server says of one)
KNOWN_CHALLENGES = ("insufficient_scope", "invalid_token")


class Wire(prawcore.Requestor):
    """PRAW's requestor with our pace and our patience; prawcore's own are kept out of the way."""

    def __init__(self, *, pace: Pace, timeouts_s: tuple[float, float] = TIMEOUTS_S, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pace, self._timeouts_s = pace, timeouts_s
        self._hosts = {urlsplit(url).netloc for url in (self.oauth_url, self.reddit_url)}

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """One request, and again while it is worth it.

        Raises
        ------
        SourceUnavailableError
            When Reddit asks for a very long wait, or nothing sound has come after `ATTEMPTS` tries.
        SourceRefusedError
            When Reddit does not take the credentials, or blocks us.
        """
        if urlsplit(url).netloc not in self._hosts:
            raise SourceRefusedError(f"reddit: a request to {urlsplit(url).netloc} was held back; only Reddit's own addresses are asked")
        # prawcore gives a time-out of its own with each request, and would follow redirects when it asks for a token.
        kwargs |= {"timeout": self._timeouts_s, "allow_redirects": False}
        fault = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._pace.hold(FIRST_BACKOFF_S * 2 ** (attempt - 1), f"Reddit {fault}")
            self._pace.wait()
            try:
                response = super().request(method, url, **kwargs)
            except prawcore.RequestException as error:
                if not isinstance(error.original_exception, RETRIED):
                    raise error.original_exception from None
                fault = told(error.original_exception)
                continue
            fault = self._fault(response)
            if not fault:
                self._refused(response)
                return _for_prawcore(response)
        raise SourceUnavailableError(f"reddit: {fault} {ATTEMPTS} times in a row; try again later. What came before is kept")

    def _fault(self, response: requests.Response) -> str:
        """What is wrong with an answer that another try may mend; "" where nothing is."""
        self._listen(response)
        status = response.status_code
        if status == TOO_MANY:
            said_s = retry_after_s(response)
            wait_s = BLIND_WAIT_S if said_s is None else said_s
            if wait_s > LONGEST_WAIT_S:
                raise SourceUnavailableError(f"reddit: asks to wait {wait_s:,.0f} s; try again after that. What came before is kept")
            self._pace.hold(wait_s, "Reddit asks us to wait")
            return "asked us to wait"
        if status == TIMED_OUT or status >= SERVER_ERRORS:
            return f"answered with error {status}"
        if status == OK and not is_json(response):
            return "answered with a web page instead of data" if is_page(response) else "answered with half an answer"
        return ""

    def _listen(self, response: requests.Response) -> None:
        """Take in what Reddit says of its limit, and take it out of the answer: prawcore would wait by a clock of its own."""
        left, reset = (response.headers.pop(f"x-ratelimit-{name}", None) for name in ("remaining", "reset"))
        response.headers.pop("x-ratelimit-used", None)
        try:
            self._pace.told(remaining=float(left or ""), reset_s=min(float(reset or ""), LONGEST_WAIT_S), why="Reddit's limit")
        except ValueError:
            return

    def _refused(self, response: requests.Response) -> None:
        """Stop where somebody has to act before another request makes sense."""
        status = response.status_code
        if urlsplit(response.url).path == TOKEN_PATH and (status != OK or "error" in response.json()):
            raise SourceRefusedError(
                f"reddit: did not take the credentials (status {status}); check COPROD_REDDIT_CLIENT_ID, COPROD_REDDIT_CLIENT_SECRET and "
                "that the app is still approved"
            )
        if status == FORBIDDEN and is_page(response):
            raise SourceRefusedError(
                "reddit: answered with a block page (status 403); check that the approval in campaigns.toml is still good and that "
                "COPROD_REDDIT_ACCOUNT names the account that holds it"
            )


def _for_prawcore(response: requests.Response) -> requests.Response:
    """A 401 or 403 with a challenge that prawcore does not know would end in a KeyError."""
    challenge = response.headers.get("www-authenticate", "")
    if response.status_code == UNAUTHORISED and not challenge.replace('"', "").endswith(KNOWN_CHALLENGES):
        response.headers["www-authenticate"] = INVALID_TOKEN
    elif response.status_code == FORBIDDEN and not challenge.replace('"', "").endswith(KNOWN_CHALLENGES):
        response.headers.pop("www-authenticate", None)
    return response
