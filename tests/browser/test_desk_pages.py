"""The desk in a real browser: an officer's morning by keyboard, at desk and phone width, accessible on every page."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from desk.auth import cookie_name
from models.desk_words import Role
from tests.desk.conftest import RunningDesk, running
from tests.desk.stock import HOSTILE, lead_id, stock

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = {"desk": (1280, 900), "phone": (375, 700)}

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[RunningDesk]:
    with running(tmp_path / "home") as running_desk:
        stock(running_desk.engine, leads=30, areas=("parks", "waste"), body=HOSTILE)
        yield running_desk


def context_of(
    chromium: Browser, desk: RunningDesk, username: str, *roles: Role, size: str = "desk", script: bool = True
) -> BrowserContext:
    """Somebody's browser, signed in; a request to any other host or a message of the console fails the test."""
    width, height = SIZES[size]
    context = chromium.new_context(viewport={"width": width, "height": height}, java_script_enabled=script)
    context.set_default_timeout(60_000)
    token = desk.token(username, *roles)
    context.add_cookies([{"name": cookie_name(desk.office), "value": token, "url": desk.address}])
    return context


def watched(context: BrowserContext, desk: RunningDesk) -> tuple[Page, list[str]]:
    page = context.new_page()
    wrong: list[str] = []
    page.on("request", lambda request: wrong.append(request.url) if not request.url.startswith(desk.address) else None)
    page.on("console", lambda message: wrong.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    return page, wrong


def press_until(page: Page, selector: str, *, key: str = "Tab", most: int = 120) -> None:
    """Move with the keyboard alone until this has the focus."""
    for _ in range(most):
        if page.evaluate("selector => document.activeElement?.matches(selector) ?? false", selector):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{selector} is out of reach of the keyboard on {page.url}")


@pytest.mark.parametrize("size", SIZES)
def test_an_officers_morning_by_keyboard_alone(chromium: Browser, desk: RunningDesk, size: str) -> None:
    context = context_of(chromium, desk, "amy", Role.OFFICER, size=size)
    page, wrong = watched(context, desk)
    page.goto(f"{desk.address}/leads")
    press_until(page, f"a[href='/leads/{lead_id(1)}']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/leads/*")
    press_until(page, "#action")
    page.keyboard.press("ArrowDown")
    press_until(page, "#reason")
    page.keyboard.type("Not our")
    press_until(page, "#note")
    page.keyboard.type("The river trust looks after this.")
    press_until(page, ".desk-decide form:first-of-type button")
    page.keyboard.press("Enter")
    page.wait_for_url("**done=saved")
    assert page.get_by_text("Reason: Not our area").is_visible()
    press_until(page, "form[action$='/undo'] button")
    page.keyboard.press("Enter")
    page.wait_for_url("**done=undone")
    assert page.get_by_text("Taken back by Amy").is_visible()
    press_until(page, "form[action$='/contact'] button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/contacts/*")
    for number in range(7):
        press_until(page, "#checklist" if number == 0 else f"#checklist-{number + 1}")
        page.keyboard.press("Space")
    press_until(page, "button[value='submit']")
    page.keyboard.press("Enter")
    page.wait_for_url("**done=submitted")
    assert page.get_by_text("A second person signs off").is_visible()
    assert wrong == []
    context.close()


def test_the_second_of_two_browsers_is_told(chromium: Browser, desk: RunningDesk) -> None:
    contexts = [context_of(chromium, desk, name, Role.OFFICER) for name in ("amy", "ben")]
    pages = [context.new_page() for context in contexts]
    for page in pages:
        page.goto(f"{desk.address}/leads/{lead_id(1)}")
    for page in pages:
        page.get_by_label("Shortlist it").check()
        page.get_by_role("button", name="Save the decision").click()
        page.wait_for_load_state()
    assert pages[0].get_by_text("Saved.").is_visible()
    assert pages[1].get_by_text("A colleague changed this lead while you were reading").is_visible()
    for context in contexts:
        context.close()


def test_a_filter_that_is_chosen_changes_the_list_and_the_address(chromium: Browser, desk: RunningDesk) -> None:
    context = context_of(chromium, desk, "amy", Role.OFFICER)
    page, wrong = watched(context, desk)
    page.goto(f"{desk.address}/leads")
    page.get_by_label("Policy area").select_option("waste")
    page.wait_for_url("**area=waste**")
    page.get_by_role("heading", name="15 leads").wait_for()
    assert page.locator(".desk-lead").count() == 15
    assert wrong == []
    context.close()


def test_everything_works_without_a_script(chromium: Browser, desk: RunningDesk) -> None:
    context = context_of(chromium, desk, "amy", Role.OFFICER, script=False)
    page = context.new_page()
    page.goto(f"{desk.address}/leads")
    page.get_by_label("Policy area").select_option("waste")
    page.get_by_role("button", name="Show").click()
    assert page.locator(".desk-lead").count() == 15
    page.goto(f"{desk.address}/leads/{lead_id(1)}")
    page.get_by_label("Not now").check()
    page.get_by_label("Until when?").fill("2099-01-31")
    page.get_by_role("button", name="Save the decision").click()
    assert page.get_by_text("until 31 January 2099").first.is_visible()
    context.close()


@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_no_violation_and_nothing_sticks_out_on_any_page(chromium: Browser, desk: RunningDesk, size: str) -> None:
    context = context_of(chromium, desk, "amy", *Role, size=size)
    page, wrong = watched(context, desk)
    lead = f"/leads/{lead_id(1)}"
    page.goto(desk.address + lead)
    page.get_by_role("button", name="Prepare a message").click()
    page.wait_for_url("**/contacts/*")
    contact = urlsplit(page.url).path
    account = desk.account("amy")
    found: list[str] = []
    listed = ("/leads", "/leads?area=digital", "/leads?page=2", "/contacts", "/help", "/account", "/accounts", "/accounts/new")
    for path in (*listed, lead, f"{lead}/network", f"{lead}/hold", contact, f"/accounts/{account}"):
        page.goto(desk.address + path)
        found += problems_of(page, path)
    context.clear_cookies()
    for path in ("/sign-in", "/first-run", "/set-password/none"):
        page.goto(desk.address + path)
        found += problems_of(page, path)
    assert found == []
    assert [line for line in wrong if "404" not in line] == []
    context.close()


@pytest.mark.parametrize("wrong", ["decide", "hold", "account"])
def test_axe_finds_no_violation_where_a_form_was_refused(chromium: Browser, desk: RunningDesk, wrong: str) -> None:
    context = context_of(chromium, desk, "amy", *Role)
    page = context.new_page()
    address, button = {
        "decide": (f"/leads/{lead_id(1)}", "Save the decision"), "hold": (f"/leads/{lead_id(1)}/hold", "Hold messages"),
        "account": ("/accounts/new", "Add"),
    }[wrong]  # fmt: skip
    page.goto(desk.address + address)
    page.get_by_role("button", name=button, exact=True).click()
    page.get_by_text("There is a problem").wait_for()
    assert page.title().startswith("Error: ")
    assert problems_of(page, address) == []
    context.close()


def problems_of(page: Page, path: str) -> list[str]:
    result = Axe().run(page, options={"runOnly": RULES})
    found = [f"{path}: {violation['id']} {violation['nodes'][0]['html'][:120]}" for violation in result.response["violations"]]
    if not page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"):
        found.append(f"{path}: wider than the window")
    return found
