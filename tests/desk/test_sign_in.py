"""Signing in: the first administrator, passwords, locks, sessions, and nothing that tells who has an account."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlmodel import col

from desk.auth import cookie_name, token_hash
from desk.passwords import hash_password, weakness
from models.account import Account, DeskSession
from models.account_actions import FAILURES_BEFORE_LOCK
from models.base import utc_now
from models.desk_words import Role
from models.session import unit_of_work
from tests.desk.conftest import PASSWORD, Browser, RunningDesk
from tests.desk.stock import OTHER_COUNCIL


@pytest.fixture(scope="module")
def password_hash() -> str:
    return hash_password(PASSWORD)


@pytest.fixture
def amy(desk: RunningDesk, password_hash: str) -> str:
    return desk.account("amy", Role.OFFICER, password_hash=password_hash)


def sign_in(browser: Browser, username: str = "amy", password: str = PASSWORD, **more: str) -> tuple[int, str]:
    answer = browser.post("/sign-in", username=username, password=password, **more)
    return answer.status_code, answer.url.path


def sessions(desk: RunningDesk) -> int:
    with desk.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(DeskSession)) or 0


def change(desk: RunningDesk, table: type[Account] | type[DeskSession], **values: object) -> None:
    with desk.engine.begin() as connection:
        connection.execute(update(table).values(**values))


def test_the_first_administrator_needs_the_code_of_the_terminal_and_no_second_is_made_that_way(
    desk: RunningDesk, first_code: Callable[[], str]
) -> None:
    browser = desk.nobody()
    asked = {"username": "boss", "display_name": "Boss", "council": "marlowick", "password": PASSWORD}
    assert browser.post("/first-run", code="guess", **asked).status_code == 400
    code = first_code()
    assert browser.post("/first-run", code=code, **asked).url.path == "/sign-in"
    assert browser.get("/first-run").status_code == 404
    assert sign_in(browser, "boss") == (200, "/accounts")


@pytest.mark.parametrize("field", ["username", "display_name", "council", "password"])
def test_the_first_administrator_is_not_made_of_half_a_form(desk: RunningDesk, first_code: Callable[[], str], field: str) -> None:
    asked = {"username": "boss", "display_name": "Boss", "council": "marlowick", "password": PASSWORD} | {field: ""}
    answer = desk.nobody().post("/first-run", code=first_code(), **asked)
    assert answer.status_code == 400
    assert f'href="#{field}"' in answer.text


def test_the_last_administrator_of_a_council_stays_one_whoever_administers_another(desk: RunningDesk) -> None:
    admin = desk.sign_in(Role.ADMINISTRATOR, username="ada")
    desk.account("otto", Role.ADMINISTRATOR, council=OTHER_COUNCIL)
    own = f"/accounts/{desk.account('ada', Role.ADMINISTRATOR)}"
    for fields in ({"roles": "officer", "active": "yes"}, {"roles": "administrator", "active": ""}):
        answer = admin.post(own, display_name="Ada", **fields)
        assert answer.status_code == 400
        assert "this is the last administrator of this council" in answer.text
    desk.account("ben", Role.ADMINISTRATOR)
    assert admin.post(own, display_name="Ada", roles="officer", active="yes").status_code != 400


@pytest.mark.parametrize(
    ("password", "wrong"),
    [
        ("short", "12 or more"), ("passwordpassword", "easy to guess"), ("r.shah r.shah 1", "easy to guess"), ("x" * 200, "128 at most"),
        (PASSWORD, None),
    ],
    ids=["short", "common", "the own name", "endless", "good"],
)  # fmt: skip
def test_a_weak_password_is_refused_and_says_why(password: str, wrong: str | None) -> None:
    found = weakness(password, names=["r.shah"])
    assert found is None if wrong is None else found is not None and wrong in found


def test_a_session_begins_under_a_token_that_the_browser_did_not_have_before(desk: RunningDesk, amy: str) -> None:
    browser = desk.nobody()
    browser.get("/sign-in")
    before = browser.client.cookies[cookie_name(desk.office)]
    assert sign_in(browser) == (200, "/leads")
    after = browser.client.cookies[cookie_name(desk.office)]
    assert after != before
    with desk.engine.connect() as connection:
        assert connection.scalars(select(col(DeskSession.token_hash))).all() == [token_hash(after)]


def test_wrong_password_unknown_name_closed_account_and_lock_all_get_the_same_answer(
    desk: RunningDesk, amy: str, password_hash: str
) -> None:
    desk.account("closed", Role.OFFICER, password_hash=password_hash)
    desk.account("locked", Role.OFFICER, password_hash=password_hash)
    with unit_of_work(desk.engine) as session:
        for account in session.scalars(select(Account)):
            account.is_active = account.username != "closed"
            account.locked_until = utc_now() + timedelta(minutes=5) if account.username == "locked" else None
    tries = [("amy", "wrong"), ("nobody", "wrong"), ("closed", PASSWORD), ("locked", PASSWORD)]
    pages = []
    for name, password in tries:
        answer = desk.nobody().post("/sign-in", username=name, password=password)
        pages.append((answer.status_code, answer.text.replace(f'value="{name}"', "").split('name="form_token"')[1][80:]))
    assert pages[0][0] == 401
    assert len(set(pages)) == 1
    assert sessions(desk) == 0


def test_an_account_is_locked_after_five_wrong_passwords_and_opens_again_by_itself(desk: RunningDesk, amy: str) -> None:
    for _ in range(FAILURES_BEFORE_LOCK):
        assert sign_in(desk.nobody(), password="wrong")[0] == 401
    assert sign_in(desk.nobody())[0] == 401
    change(desk, Account, locked_until=utc_now() - timedelta(seconds=1))
    assert sign_in(desk.nobody())[0] == 200


def test_whoever_tries_too_often_waits_whatever_the_name(desk: RunningDesk) -> None:
    browser = desk.nobody()
    tried = [sign_in(browser, f"name{number}", "wrong")[0] for number in range(21)]
    assert set(tried[:20]) == {401}
    assert tried[20] == 429


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\\\\evil.example", "/\t/evil.example",
        "http:evil.example",
    ],
)  # fmt: skip
def test_signing_in_leads_nowhere_else(desk: RunningDesk, amy: str, address: str) -> None:
    browser = desk.nobody()
    browser.client.follow_redirects = False
    page = browser.get("/sign-in")
    token = page.text.split('name="form_token" value="')[1].split('"')[0]
    answer = browser.client.post("/sign-in", data={"form_token": token, "username": "amy", "password": PASSWORD, "next": address})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_page_asked_for_before_signing_in_is_shown_after(desk: RunningDesk, amy: str) -> None:
    browser = desk.nobody()
    page = browser.get("/help?x=1")
    assert page.url.path == "/sign-in"
    answer = browser.post("/sign-in", username="amy", password=PASSWORD, next=page.url.params["next"])
    assert str(answer.url).endswith("/help?x=1")


@pytest.mark.parametrize(
    ("column", "ago"), [("seen_at", timedelta(minutes=61)), ("started_at", timedelta(hours=11))], ids=["idle", "too long in all"]
)
def test_a_session_ends(desk: RunningDesk, column: str, ago: timedelta) -> None:
    browser = desk.sign_in(Role.OFFICER)
    assert browser.get("/leads").url.path == "/leads"
    change(desk, DeskSession, **{column: utc_now() - ago})
    assert browser.get("/leads").url.path == "/sign-in"


def test_signing_out_ends_the_session_on_the_server_too(desk: RunningDesk) -> None:
    browser = desk.sign_in(Role.OFFICER)
    token = browser.client.cookies[cookie_name(desk.office)]
    assert browser.post("/sign-out", page="/help").url.path == "/sign-in"
    thief = desk.nobody()
    thief.client.cookies.set(cookie_name(desk.office), token, domain="127.0.0.1")
    assert thief.get("/leads").url.path == "/sign-in"


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(desk: RunningDesk) -> None:
    cookie = desk.nobody().get("/sign-in").headers["set-cookie"].lower()
    assert {"httponly", "samesite=lax", "path=/"} <= {part.strip() for part in cookie.split(";")}


def test_failures_and_sign_ins_are_in_the_audit_log_without_the_name_that_was_typed(desk: RunningDesk, amy: str) -> None:
    sign_in(desk.nobody(), "amys-password-typed-as-name", "x")
    sign_in(desk.nobody(), password="wrong")
    sign_in(desk.nobody())
    assert desk.audited()[1:] == [
        ("nobody", "sign_in_failed", "unknown account"), ("nobody", "sign_in_failed", amy), ("amy", "sign_in", amy),
    ]  # fmt: skip
