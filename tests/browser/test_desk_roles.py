"""Analysts, the data protection officer and the public in a real browser: an objection to its end, labels by mouse and by keyboard."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import func, select, update
from sqlmodel import col

from config.settings import author_key, load_author_key
from coprod_nlp.training.corpus import load_corpus
from coprod_nlp.vocabulary import PostState
from models.actions import post_row, store_labels, store_posts, store_readings
from models.bulk import upsert
from models.desk_words import Role
from models.label import Label
from models.post import Post
from models.run import Run, Suppression
from models.session import unit_of_work
from tests.browser.test_desk_pages import SIZES, context_of, press_until, problems_of, watched
from tests.desk.conftest import RunningDesk, running
from tests.desk.stock import THEN, TOWN, stock
from tests.desk.test_analysts import VERSION, challenger, run_row

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]

LABELLED = "labels:trial"
BODY = "Lovely day 🌻\nI can lend my van for the clean-up."


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[RunningDesk]:
    with running(tmp_path / "home") as running_desk:
        stock(running_desk.engine, leads=3, body=BODY)
        yield running_desk


def count(desk: RunningDesk, column: object, *where: object) -> int:
    with desk.engine.connect() as connection:
        return connection.scalar(select(func.count(column)).where(*where)) or 0  # type: ignore[arg-type]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_an_objection_from_the_public_page_to_the_removal(chromium: Browser, desk: RunningDesk, script: bool) -> None:
    key = author_key(load_author_key(desk.office.settings), platform=TOWN, author_id="Ann")
    with desk.engine.begin() as connection:
        connection.execute(update(Post).where(col(Post.post_id) == "p-m1-voice0").values(author_key=key))
    outside = chromium.new_context(java_script_enabled=script)
    page = outside.new_page()
    page.goto(f"{desk.address}/your-posts")
    page.get_by_label("Or the name of your account").fill("u/ann")
    page.get_by_label("Marlowick town forum").or_(page.locator("#places")).first.check()
    page.get_by_role("button", name="Send").click()
    reference = page.locator(".govuk-panel__body strong").inner_text()
    context = context_of(chromium, desk, "dora", Role.DATA_PROTECTION, script=script)
    officer = context.new_page()
    officer.goto(f"{desk.address}/requests")
    officer.get_by_role("link", name=f"Objection {reference}").click()
    assert officer.get_by_text("1 message in").is_visible()
    officer.get_by_label("Remove it, from every table, report and file").check()
    officer.get_by_role("button", name="Remove everything and keep it out").click()
    assert officer.get_by_text("What was removed").is_visible()
    assert count(desk, col(Post.post_id), col(Post.author_key) == key) == 0
    assert count(desk, col(Suppression.author_key), col(Suppression.author_key) == key) == 1
    page.goto(f"{desk.address}/your-posts/status?reference={reference}")
    assert page.get_by_text("Dealt with on").is_visible()
    outside.close()
    context.close()


def evidence_of(desk: RunningDesk) -> list[tuple[str, str]]:
    with desk.engine.connect() as connection:
        rows = connection.execute(select(col(Label.evidence), col(Post.body)).join(Post, col(Post.post_id) == col(Label.post_id)))
        return [(signal, row.body[start:end]) for row in rows for signal, start, end in row.evidence]


def test_words_that_are_selected_become_evidence(chromium: Browser, desk: RunningDesk) -> None:
    context = context_of(chromium, desk, "lea", Role.ANALYST)
    page, wrong = watched(context, desk)
    page.goto(f"{desk.address}/labels")
    _select(page, "lend my van")
    page.get_by_role("button", name="mark the selected words as offer").click()
    assert page.get_by_text("offer: “lend my van”").is_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**done=labelled")
    assert evidence_of(desk) == [("offer", "lend my van")]
    assert wrong == []
    context.close()


@pytest.mark.parametrize("size", SIZES)
def test_a_message_is_labelled_with_the_keyboard_alone(chromium: Browser, desk: RunningDesk, size: str) -> None:
    context = context_of(chromium, desk, "lea", Role.ANALYST, size=size)
    page, wrong = watched(context, desk)
    page.goto(f"{desk.address}/labels")
    press_until(page, "#shortcuts")
    page.keyboard.press("Space")
    page.keyboard.press("1")
    page.keyboard.press("0")
    page.keyboard.press("s")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**done=labelled")
    with desk.engine.connect() as connection:
        assert connection.execute(select(col(Label.signals), col(Label.is_sensitive))).all() == [(["complaint", "offer"], True)]
    press_until(page, "#words")
    page.keyboard.type("offer: my van")
    press_until(page, "button[value='save']")
    page.keyboard.press("Enter")
    page.get_by_text("You have labelled 2 messages").wait_for()
    assert ("offer", "my van") in evidence_of(desk)
    assert wrong == []
    context.close()


def labelled_store(desk: RunningDesk, *, posts: int) -> None:
    """Messages of the project's corpus as posts that one colleague labelled, of a platform that may be learned from; one is left over."""
    chosen = load_corpus()[: posts + 1]
    rows = [
        post_row(
            post_id=f"labels:t1_{number:03}", platform="labels", community_id=LABELLED, kind="comment", state=PostState.VISIBLE,
            author_key=f"voice{number:03}", parent_id=None, thread_id=None, title=item.post.title, body=item.post.body, permalink="",
            score=None, created_at=THEN + timedelta(hours=number), content_hash=f"h{number}", fetched_at=THEN,
        )
        for number, item in enumerate(chosen)
    ]  # fmt: skip
    readings = [
        {"post_id": row["post_id"], "version": "v", "content_hash": row["content_hash"], "status": "read", "language": "en", "willing": 0.5,
         "is_willing": False, "areas": {}, "signals": {}, "evidence": []}
        for row in rows
    ]  # fmt: skip
    labels = [
        {"post_id": row["post_id"], "labeller": "max", "areas": sorted(item.areas), "signals": sorted(item.signals),
         "evidence": [[span.signal, span.start, span.end] for span in item.evidence], "is_sensitive": item.is_sensitive}
        for row, item in zip(rows[:-1], chosen, strict=False)
    ]  # fmt: skip
    with unit_of_work(desk.engine) as session:
        store_posts(session.connection(), rows)
        store_readings(session.connection(), readings)
        store_labels(session, labels, by="max", origin="file.csv")
        upsert(session.connection(), Run, [run_row("r-labels", communities=[LABELLED])])


def test_an_analysts_retraining_from_the_last_label_to_the_promotion(chromium: Browser, desk: RunningDesk) -> None:
    labelled_store(desk, posts=60)
    context = context_of(chromium, desk, "lea", Role.ANALYST)
    page, wrong = watched(context, desk)
    page.goto(f"{desk.address}/labels?post=labels:t1_060")
    page.get_by_label("offer:").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**done=labelled")
    page.goto(f"{desk.address}/classifiers")
    page.get_by_role("button", name="Make a challenger").click()
    page.wait_for_url("**done=started")
    while desk.office.errands.is_running("retrain"):
        page.wait_for_timeout(500)
    page.goto(f"{desk.address}/classifiers")
    assert page.get_by_text("The last retraining is done").is_visible(), desk.office.errands.latest["retrain"].words
    page.locator("tbody a").first.click()
    assert page.locator("svg.desk-chart__svg").count() >= 2
    assert page.locator(".desk-chart__line--dashed").count() >= 2
    page.get_by_label("Reason").fill("A trial, to see a promotion to its end.")
    page.get_by_label("I have read the comparison").check()
    page.get_by_role("button", name="Promote it").click()
    page.wait_for_url("**done=promoted")
    page.get_by_label("Why should the champion not read any more?").fill("The trial is over.")
    page.get_by_role("button", name="Take it back").click()
    page.wait_for_url("**done=rolled-back")
    assert wrong == []
    context.close()


@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_no_violation_and_nothing_sticks_out(chromium: Browser, desk: RunningDesk, size: str) -> None:
    challenger(desk)
    context = context_of(chromium, desk, "amy", *Role, size=size)
    page, wrong = watched(context, desk)
    page.goto(f"{desk.address}/requests/new")
    page.get_by_label("Link to one of their messages").fill("https://forum.example/message")
    page.get_by_role("button", name="Take it in").click()
    page.wait_for_url("**done=received")
    request = page.url.removeprefix(desk.address).partition("?")[0]
    found: list[str] = []
    for path in (
        request, "/requests", "/requests/new", "/retention", "/records", "/records/atrs", "/records/dpia", "/audit", "/audit?action=none",
        "/labels", "/labels/agreement", "/classifiers", f"/classifiers/{VERSION}", "/runs", "/runs/r-marlowick", "/your-posts",
        "/your-posts/status",
    ):  # fmt: skip
        page.goto(desk.address + path)
        found += problems_of(page, path)
    for path, button in (("/requests/new", "Take it in"), ("/labels", "Save"), ("/your-posts", "Send"), ("/retention", "Write it down")):
        page.goto(desk.address + path)
        page.get_by_role("button", name=button, exact=True).click()
        page.get_by_text("There is a problem").wait_for()
        found += problems_of(page, f"{path} refused")
    assert found == []
    assert [line for line in wrong if "400" not in line] == []
    context.close()


def _select(page: Page, words: str) -> None:
    """As a mouse would."""
    page.evaluate(
        """words => {
            const node = document.querySelector("[data-label-text]").firstChild, start = node.data.indexOf(words);
            const range = document.createRange();
            range.setStart(node, start); range.setEnd(node, start + words.length);
            const selection = window.getSelection(); selection.removeAllRanges(); selection.addRange(range);
        }""",
        words,
    )
