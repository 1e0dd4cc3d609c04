"""The report in a real browser: accessible, alone, readable at phone width and on paper."""

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, sync_playwright

from flows.job import Job

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed here"),
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=[(1280, 900), (375, 700)], ids=["desk", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, sample_run: Job) -> Iterator[Page]:
    width, height = request.param
    page = browser.new_page(viewport={"width": width, "height": height}, java_script_enabled=True, bypass_csp=True)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.goto((sample_run.out / "report.html").as_uri())
    assert [request.url for request in asked if not request.url.startswith("file:")] == []
    yield page
    page.close()


def test_axe_finds_no_violation(page: Page) -> None:
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
    assert found.violations_count == 0, found.generate_report()


def test_nothing_sticks_out_sideways(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_leads_can_be_reached_from_the_list_by_keyboard(page: Page) -> None:
    first = page.locator("table a").first
    first.focus()
    page.keyboard.press("Enter")
    target = (first.get_attribute("href") or "")[1:]
    assert page.locator(f"article[id='{target}']").is_visible()
    assert page.url.endswith(target)


def test_the_page_prints(page: Page) -> None:
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert page.locator("article").first.is_visible()
    assert len(page.pdf(format="A4")) > 20_000
