"""Signing in at a real OpenID Connect provider on loopback, a process of its own."""

import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest

from desk.auth import cookie_name
from desk.under_way import SignIns
from models.desk_words import Role
from tests.desk.conftest import Browser, RunningDesk, running

CLIENT = {"oidc_client_id": "the-desk", "oidc_client_secret": "a-secret-of-the-provider"}


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address, limit = f"http://localhost:{port}", monotonic() + 120
    while monotonic() < limit:
        try:
            httpx.get(f"{address}/.well-known/openid-configuration", timeout=5).raise_for_status()
            break
        except httpx.HTTPError:
            sleep(0.2)
    yield address
    process.terminate()
    process.wait(timeout=30)


@pytest.fixture
def desk(tmp_path: Path, stored: Callable[[Path], Path], provider: str) -> Iterator[RunningDesk]:
    with running(stored(tmp_path), oidc_issuer=provider, **CLIENT) as running_desk:
        yield running_desk


def claims(provider: str, subject: str, **said: object) -> None:
    httpx.put(f"{provider}/users/{subject}", json=said, timeout=30).raise_for_status()


def at_provider(browser: Browser, subject: str, *, following: str = "/") -> str:
    """What the browser does up to the provider's answer; returns the address to which it is sent back."""
    browser.get("/sign-in")
    browser.client.follow_redirects = False
    start = browser.get(f"/oidc/start?next={following}")
    assert start.status_code == 303
    answer = httpx.post(start.headers["location"], data={"sub": subject}, timeout=30)
    assert answer.status_code in {302, 303}
    browser.client.follow_redirects = True
    return answer.headers["location"]


def test_who_has_an_account_signs_in_by_a_confirmed_address_and_later_by_the_providers_own_id(desk: RunningDesk, provider: str) -> None:
    account_id = desk.account("amy@council.example", Role.OFFICER)
    claims(provider, "amy-at-provider", email="Amy@council.example", email_verified=True)
    first = desk.nobody()
    page = first.get(at_provider(first, "amy-at-provider", following="/help"))
    assert (page.status_code, page.url.path) == (200, "/help")
    claims(provider, "amy-at-provider", email="married@council.example", email_verified=True)
    again = desk.nobody()
    assert again.get(at_provider(again, "amy-at-provider")).url.path == "/leads"
    assert ("amy@council.example", "link_provider", account_id) in desk.audited()


@pytest.mark.parametrize(
    ("email", "is_verified"),
    [("stranger@council.example", True), ("ben@council.example", False), ("ben@council.example", "true"), (None, True)],
    ids=["no account", "address not confirmed", "confirmed only in words", "no address"],
)  # fmt: skip
def test_whoever_has_no_account_stays_outside(desk: RunningDesk, provider: str, email: str | None, is_verified: object) -> None:
    desk.account("ben@council.example", Role.OFFICER)
    claims(provider, "somebody", **({"email": email} if email else {}), email_verified=is_verified)
    browser = desk.nobody()
    page = browser.get(at_provider(browser, "somebody"))
    assert page.status_code == 403
    assert browser.get("/leads").url.path == "/sign-in"


def test_an_account_that_belongs_to_one_person_of_the_provider_opens_to_no_other(desk: RunningDesk, provider: str) -> None:
    desk.account("amy@council.example", Role.OFFICER)
    for subject, status in (("first", 200), ("second", 403)):
        claims(provider, subject, email="amy@council.example", email_verified=True)
        browser = desk.nobody()
        assert browser.get(at_provider(browser, subject)).status_code == status


def test_an_answer_of_the_provider_works_once_and_only_in_the_browser_that_asked(desk: RunningDesk, provider: str) -> None:
    desk.account("amy@council.example", Role.OFFICER)
    claims(provider, "amy", email="amy@council.example", email_verified=True)
    browser, thief = desk.nobody(), desk.nobody()
    back = at_provider(browser, "amy")
    thief.get("/sign-in")
    assert thief.get(back).status_code == 403
    assert browser.get(back).status_code == 403


@pytest.mark.parametrize("changed", ["state=made-up", "code=made-up"])
def test_what_was_made_up_on_the_way_is_refused(desk: RunningDesk, provider: str, changed: str) -> None:
    desk.account("amy@council.example", Role.OFFICER)
    claims(provider, "amy", email="amy@council.example", email_verified=True)
    browser = desk.nobody()
    back = at_provider(browser, "amy")
    name = changed.partition("=")[0]
    assert browser.get(re.sub(rf"{name}=[^&]+", changed, back)).status_code == 403


def test_signing_in_at_the_provider_gives_the_browser_a_new_token(desk: RunningDesk, provider: str) -> None:
    desk.account("amy@council.example", Role.OFFICER)
    claims(provider, "amy", email="amy@council.example", email_verified=True)
    browser = desk.nobody()
    back = at_provider(browser, "amy")
    before = browser.client.cookies[cookie_name(desk.office)]
    browser.get(back)
    assert browser.client.cookies[cookie_name(desk.office)] != before


def test_a_provider_that_does_not_answer_is_named_as_the_reason(tmp_path: Path, stored: Callable[[Path], Path]) -> None:
    with running(stored(tmp_path), oidc_issuer="http://127.0.0.1:9", **CLIENT) as desk:
        browser = desk.nobody()
        browser.get("/sign-in")
        page = browser.get("/oidc/start")
    assert page.status_code == 403
    assert "does not answer" in page.text


def test_without_a_provider_in_the_settings_there_are_no_such_pages(tmp_path: Path, stored: Callable[[Path], Path]) -> None:
    with running(stored(tmp_path)) as desk:
        assert [desk.nobody().get(path).status_code for path in ("/oidc/start", "/oidc/callback")] == [404, 404]


def test_of_many_who_sign_in_at_once_each_comes_back_once() -> None:
    sign_ins, states = SignIns(), [f"state-{number}" for number in range(2_000)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda state: sign_ins.begin(state, browser=state, nonce="", verifier="", following="/"), states))
            found = list(threads.map(sign_ins.end, states))
    finally:
        sys.setswitchinterval(before)
    assert [one and one.browser for one in found] == states
    assert [sign_ins.end(state) for state in states] == [None] * len(states)
