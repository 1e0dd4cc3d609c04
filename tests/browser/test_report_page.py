"""The report in a real browser: accessible, alone, filtered, readable at phone width and on paper."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request

from flows.job import Job

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("default"),
]


def opened(chromium: Browser, job: Job, name: str, *, size: tuple[int, int], is_audited: bool = True, has_script: bool = True) -> Page:
    """A page of the report; axe needs the page's own policy to be off, a reader does not."""
    page = chromium.new_page(viewport={"width": size[0], "height": size[1]}, bypass_csp=is_audited, java_script_enabled=has_script)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.goto((job.out / name).as_uri())
    assert [request.url for request in asked if not request.url.startswith("file:")] == []
    return page


@pytest.fixture(params=[(1280, 900), (375, 700)], ids=["desk", "phone"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    chosen: tuple[int, int] = request.param
    return chosen


@pytest.fixture
def page(size: tuple[int, int], chromium: Browser, sample_run: Job) -> Iterator[Page]:
    page = opened(chromium, sample_run, "report.html", size=size)
    yield page
    page.close()


@pytest.fixture
def reader(size: tuple[int, int], chromium: Browser, sample_run: Job) -> Iterator[Page]:
    """The page as its reader has it, with its own content security policy."""
    page = opened(chromium, sample_run, "report.html", size=size, is_audited=False)
    yield page
    page.close()


def shown(page: Page) -> list[str]:
    return [article.get_attribute("data-area") or "" for article in page.locator("article").all() if article.is_visible()]


@pytest.mark.parametrize("name", ["report.html", "summary.html"])
def test_axe_finds_no_violation(chromium: Browser, sample_run: Job, size: tuple[int, int], name: str) -> None:
    page = opened(chromium, sample_run, name, size=size)
    for fold in page.locator("summary").all():
        fold.press("Enter")
    found = Axe().run(page, options={"runOnly": RULES})
    page.close()
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", ["report.html", "summary.html"])
def test_nothing_sticks_out_sideways(chromium: Browser, sample_run: Job, size: tuple[int, int], name: str) -> None:
    page = opened(chromium, sample_run, name, size=size)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.close()


def test_the_leads_can_be_reached_from_the_list_by_keyboard(page: Page) -> None:
    first = page.locator("table a").first
    first.focus()
    page.keyboard.press("Enter")
    target = (first.get_attribute("href") or "")[1:]
    assert page.locator(f"article[id='{target}']").is_visible()
    assert page.url.endswith(target)


def test_a_filter_chosen_by_keyboard_shows_its_leads_in_list_and_cards_and_says_how_many(reader: Page) -> None:
    every = shown(reader)
    field = reader.get_by_label("Policy area", exact=True)
    field.focus()
    reader.keyboard.type("Waste")
    chosen = field.input_value()
    assert chosen == "waste"
    assert shown(reader) == [area for area in every if area == "waste"] != every
    rows = [row for row in reader.locator(".overview tbody tr").all() if row.is_visible()]
    assert len(rows) == len(shown(reader))
    assert reader.get_by_role("status").inner_text() == f"{len(rows)} of {len(every)} leads shown."
    reader.get_by_role("button", name="Show all").press("Enter")
    reader.wait_for_function("() => ![...document.querySelectorAll('article')].some((lead) => lead.hidden)")
    assert shown(reader) == every


def test_filters_that_no_lead_passes_say_what_to_do(reader: Page) -> None:
    reader.get_by_label("Policy area", exact=True).select_option("education")
    reader.get_by_label("Community", exact=True).select_option(label="Merle Watch, people of the river")
    assert shown(reader) == []
    assert "Choose fewer things" in reader.get_by_role("status").inner_text()


def test_without_javascript_every_lead_is_there_and_no_form(chromium: Browser, sample_run: Job) -> None:
    page = opened(chromium, sample_run, "report.html", size=(1280, 900), is_audited=False, has_script=False)
    assert not page.locator("form").is_visible()
    assert len(shown(page)) == page.locator(".overview tbody tr").count() > 3
    page.close()


def test_what_is_folded_opens_by_keyboard_and_stands_open_on_paper(chromium: Browser, sample_run: Job) -> None:
    page = opened(chromium, sample_run, "report.html", size=(1280, 900), has_script=False)
    first, second = page.locator("table.parts").all()[:2]
    assert not first.is_visible()
    page.locator("summary").first.press("Enter")
    assert first.is_visible()
    assert not second.is_visible()
    page.emulate_media(media="print")
    assert second.is_visible()
    page.close()


def test_the_page_prints(page: Page) -> None:
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert not page.locator("form").is_visible()
    assert page.locator("article").first.is_visible()
    assert len(page.pdf(format="A4")) > 20_000


def test_the_summary_is_one_page_of_paper(chromium: Browser, sample_run: Job) -> None:
    page = opened(chromium, sample_run, "summary.html", size=(1280, 900))
    pdf = page.pdf(format="A4", prefer_css_page_size=True)
    page.close()
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == 1
