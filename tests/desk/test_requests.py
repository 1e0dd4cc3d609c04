"""Objections, erasure and access at the desk: from the public page or a letter, with a clock, to the removal and the answer."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlmodel import col

from config.settings import author_key, load_author_key
from coprod_nlp.vocabulary import Right
from desk import public
from models import request_actions
from models.actions import audit, store_labels
from models.base import months_after, utc_now
from models.classifier_actions import RefusedError
from models.desk_words import RequestOrigin, RequestOutcome, Role
from models.label import Label
from models.post import Post
from models.request import RequestKey, RightsRequest
from models.run import Suppression
from models.session import unit_of_work
from tests.desk.conftest import Browser, RunningDesk, running
from tests.desk.stock import OTHER_COUNCIL, TOWN, stock
from tests.fakes.live import write_config

LINK = "https://forum.example/message"


@pytest.fixture
def officer(desk: RunningDesk) -> Browser:
    return desk.sign_in(Role.DATA_PROTECTION, username="dora")


def count(desk: RunningDesk, table: Any, *where: Any) -> int:
    with desk.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table).where(*where)) or 0


def one_request(desk: RunningDesk) -> RightsRequest:
    with unit_of_work(desk.engine) as session:
        return session.scalars(select(RightsRequest)).one()


def key_of(desk: RunningDesk, name: str, place: str = TOWN) -> str:
    return author_key(load_author_key(desk.office.settings), platform=place, author_id=name)


def own_post(desk: RunningDesk, name: str) -> None:
    """Let one stored message be by an account of this name."""
    stock(desk.engine, leads=1)
    with desk.engine.begin() as connection:
        connection.execute(update(Post).where(col(Post.post_id) == "p-m1-voice0").values(author_key=key_of(desk, name)))


def taken_in(browser: Browser, **fields: Any) -> str:
    given = {"kind": "objection", "received_on": utc_now().date().isoformat(), "link": LINK} | fields
    answer = browser.post("/requests/new", **given)
    return re.search(r"/requests/([A-Z0-9]{10})", str(answer.url))[1]  # type: ignore[index]


def test_an_objection_from_the_public_page_ends_with_the_persons_messages_removed_and_kept_out(desk: RunningDesk, officer: Browser) -> None:
    own_post(desk, "Ann")
    sent = desk.nobody().post("/your-posts", handle="u/ann", places=TOWN)
    assert "We have it" in sent.text
    request = one_request(desk)
    assert (request.kind, request.origin, request.link, request.made_by) == ("objection", "public", "", "public page")
    shown = officer.get(f"/requests/{request.request_id}")
    assert "1 message in" in shown.text
    officer.post(f"/requests/{request.request_id}/remove", page=f"/requests/{request.request_id}", sure="yes", only_message="no")
    assert count(desk, Post, col(Post.post_id) == "p-m1-voice0") == 0
    assert count(desk, Suppression, col(Suppression.author_key) == key_of(desk, "ann")) == 1
    assert count(desk, RequestKey) == 0
    closed = one_request(desk)
    assert (closed.outcome, closed.closed_by) == ("removed", "dora")
    assert ("dora", "objection", request.request_id) in desk.audited()
    assert ("dora", "request_closed", request.request_id) in desk.audited()
    desk.wait_for("renew")
    assert "written anew or withdrawn" in officer.get(f"/requests/{request.request_id}").text


def test_a_plain_name_on_a_forum_with_its_own_server_is_found(tmp_path: Path, stored: Callable[[Path], Path]) -> None:
    folder = write_config(tmp_path / "config", "plots", platform="discourse", url=lambda _: "https://plots.example/c/trees")
    with running(stored(tmp_path), config_dir=folder) as desk:
        stock(desk.engine, leads=1)
        with desk.engine.begin() as connection:
            theirs = {"author_key": key_of(desk, "Ann@plots.example", "discourse")}
            connection.execute(update(Post).where(col(Post.post_id) == "p-m1-voice0").values(theirs))
        officer = desk.sign_in(Role.DATA_PROTECTION, username="dora")
        desk.nobody().post("/your-posts", handle="ann", places="discourse:plots")
        path = f"/requests/{one_request(desk).request_id}"
        officer.post(f"{path}/remove", page=path, sure="yes", only_message="no")
        assert one_request(desk).outcome == "removed"
        assert count(desk, Post, col(Post.post_id) == "p-m1-voice0") == 0


@pytest.mark.parametrize("handle", ["ann.bsky.social", "https://bsky.app/profile/ann.bsky.social"], ids=["name", "profile"])
def test_a_name_on_bluesky_is_refused_with_what_to_give(tmp_path: Path, stored: Callable[[Path], Path], handle: str) -> None:
    url = "https://bsky.app/profile/did:plc:town/feed/town"
    with running(stored(tmp_path), config_dir=write_config(tmp_path / "config", "town", platform="bluesky", url=lambda _: url)) as desk:
        answers = [desk.nobody().post("/your-posts", handle=handle, places="bluesky:town")]
        officer = desk.sign_in(Role.DATA_PROTECTION)
        given = {"kind": "erasure", "received_on": utc_now().date().isoformat(), "handle": handle, "places": "bluesky:town"}
        answers.append(officer.post("/requests/new", **given))
        assert [answer.status_code for answer in answers] == [400, 400]
        assert all("link to a post of the account, or its DID" in answer.text for answer in answers)
        assert count(desk, RightsRequest) == 0


def test_nobody_is_told_that_everything_was_removed_where_nothing_was_found(desk: RunningDesk, officer: Browser) -> None:
    stock(desk.engine, leads=1)
    reference = taken_in(officer, link="", handle="Anne", places=TOWN)
    before = officer.get(f"/requests/{reference}").text
    assert "No message is stored under the name that was given, looked for in Marlowick town forum" in before
    after = officer.post(f"/requests/{reference}/remove", page=f"/requests/{reference}", sure="yes", only_message="no").text
    assert one_request(desk).outcome == "kept_out"
    assert "Everything removed" not in after + officer.get("/requests").text
    assert "looked for in Marlowick town forum" in after
    assert "ask for a link to one of their messages" in after
    assert count(desk, Suppression, col(Suppression.author_key) == key_of(desk, "anne")) == 1


def test_the_name_of_an_account_is_stored_nowhere(desk: RunningDesk) -> None:
    desk.nobody().post("/your-posts", handle="Unmistakable_Name", places=TOWN)
    with desk.engine.connect() as connection:
        dump = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    assert "rights_request" in dump
    assert "unmistakable" not in dump.lower()


@pytest.mark.parametrize("fields", [{"handle": "Ann", "places": TOWN}, {"link": LINK}], ids=["name", "link"])
def test_the_answer_is_the_same_whether_anything_is_held_or_not(desk: RunningDesk, fields: dict[str, str]) -> None:
    def answer() -> str:
        text = desk.nobody().post("/your-posts", **fields).text
        return re.sub(r"[A-Z0-9]{10}|[0-9a-f]{64}", "", text)

    without = answer()
    own_post(desk, "Ann")
    assert answer() == without


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Say which posts are meant"),
        ({"handle": "ann"}, "Choose where this name is used"),
        ({"handle": "ann", "places": "reddit:elsewhere"}, "Choose where this name is used"),
        ({"link": "javascript:alert(1)"}, "should begin with https://"),
        ({"link": "/r/town/comments/1"}, "should begin with https://"),
    ],
    ids=["nothing", "name without place", "place of another council", "script", "no host"],
)
def test_a_form_that_says_too_little_is_shown_again(desk: RunningDesk, fields: dict[str, str], words: str) -> None:
    answer = desk.nobody().post("/your-posts", **fields)
    assert answer.status_code == 400
    assert words in answer.text
    assert count(desk, RightsRequest) == 0


def test_the_public_form_takes_ten_an_hour_from_one_address(desk: RunningDesk) -> None:
    browser = desk.nobody()
    codes = [browser.post("/your-posts", link=LINK).status_code for _ in range(11)]
    assert codes == [200] * 10 + [429]
    assert count(desk, RightsRequest) == 10


def test_a_form_from_elsewhere_is_refused(desk: RunningDesk) -> None:
    answer = desk.nobody().client.post("/your-posts", data={"link": LINK})
    assert answer.status_code == 403
    assert count(desk, RightsRequest) == 0


def test_a_reference_shows_how_far_it_is_and_nothing_else(desk: RunningDesk, officer: Browser) -> None:
    desk.nobody().post("/your-posts", link=LINK)
    reference = one_request(desk).request_id
    assert "We deal with it by" in desk.nobody().get(f"/your-posts/status?reference={reference.lower()}").text
    officer.post(f"/requests/{reference}/close", page=f"/requests/{reference}", outcome="not_found", reason="nothing was ever collected")
    text = desk.nobody().get(f"/your-posts/status?reference={reference}").text
    assert "Dealt with on" in text
    assert "collected" not in text
    assert desk.nobody().get("/your-posts/status?reference=AAAAAAAAAA").status_code == 404


def test_a_link_leads_to_the_author_and_is_forgotten_when_the_request_is_closed(desk: RunningDesk, officer: Browser) -> None:
    stock(desk.engine, leads=1)
    reference = taken_in(officer, note="answer to the letter of 3 May")
    assert one_request(desk).link == LINK
    officer.post(f"/requests/{reference}/remove", page=f"/requests/{reference}", sure="yes", only_message="no")
    closed = one_request(desk)
    assert (closed.link, closed.note) == ("", "")
    assert closed.counts["post"] == 1
    assert count(desk, Post) == 2


def test_one_message_alone_can_be_erased(desk: RunningDesk, officer: Browser) -> None:
    stock(desk.engine, leads=1)
    reference = taken_in(officer, kind="erasure")
    officer.post(f"/requests/{reference}/remove", page=f"/requests/{reference}", sure="yes", only_message="yes")
    assert one_request(desk).outcome == "message_removed"
    assert (count(desk, Post), count(desk, Suppression)) == (2, 0)


def test_nothing_is_removed_before_the_box_is_ticked(desk: RunningDesk, officer: Browser) -> None:
    stock(desk.engine, leads=1)
    reference = taken_in(officer)
    answer = officer.post(f"/requests/{reference}/remove", page=f"/requests/{reference}", only_message="no")
    assert answer.status_code == 400
    assert count(desk, Post) == 3


def test_a_copy_is_made_taken_away_and_deleted_with_the_request(desk: RunningDesk, officer: Browser) -> None:
    stock(desk.engine, leads=1)
    reference = taken_in(officer, kind="access")
    officer.post(f"/requests/{reference}/copy", page=f"/requests/{reference}")
    desk.wait_for(f"copy {reference}")
    assert "The copy as a page" in officer.get(f"/requests/{reference}").text
    copy = officer.get(f"/requests/{reference}/copy/json").json()
    assert [message["body"] for message in copy["messages"]] == ["I can lend my van for the clean-up."]
    assert ("dora", "export_copy", reference) in desk.audited()
    officer.post(f"/requests/{reference}/close", page=f"/requests/{reference}", outcome="copy_given", reason="handed over")
    assert not (desk.office.settings.home / "answers" / reference).exists()


def test_a_request_of_another_council_is_not_there(desk: RunningDesk, officer: Browser) -> None:
    reference = taken_in(officer)
    other = desk.sign_in(Role.DATA_PROTECTION, username="otto", council=OTHER_COUNCIL)
    assert other.get(f"/requests/{reference}").status_code == 404
    assert reference not in other.get("/requests").text


@pytest.mark.parametrize("path", ["/requests", "/requests/new", "/audit", "/audit.csv", "/retention"])
def test_the_pages_of_the_data_protection_officer_are_closed_to_others(desk: RunningDesk, path: str) -> None:
    assert desk.sign_in(Role.OFFICER, Role.ANALYST, Role.ADMINISTRATOR).get(path).status_code == 403
    assert "Sign in" in desk.nobody().get(path).text


@pytest.mark.parametrize(
    ("received", "months", "due"),
    [("2027-01-31", 1, "2027-02-28"), ("2028-01-31", 1, "2028-02-29"), ("2026-12-05", 1, "2027-01-05"), ("2026-11-30", 3, "2027-02-28"),
     ("2027-03-31", -1, "2027-02-28"), ("2027-01-10", -1, "2026-12-10")],
)  # fmt: skip
def test_a_month_ends_on_the_same_day_or_on_the_last(received: str, months: int, due: str) -> None:
    assert months_after(date.fromisoformat(received), months) == date.fromisoformat(due)


def test_the_clock_can_be_extended_once_and_only_in_the_first_month(desk: RunningDesk) -> None:
    today = utc_now().date()
    with unit_of_work(desk.engine) as session:
        asked = {"council": "marlowick", "kind": Right.ACCESS, "origin": RequestOrigin.STAFF, "author_keys": [], "places": [], "link": LINK}
        new = request_actions.receive_request(session, received_on=today, by="dora", **asked)  # type: ignore[arg-type]
        old = request_actions.receive_request(session, received_on=today - timedelta(days=40), by="dora", **asked)  # type: ignore[arg-type]
        with pytest.raises(RefusedError, match="first month is over"):
            request_actions.extend_request(session, old, because="many messages", by="dora")
        request_actions.extend_request(session, new, because="many messages", by="dora")
        assert new.due_on == months_after(today, 3)
        with pytest.raises(RefusedError, match="extended once already"):
            request_actions.extend_request(session, new, because="more", by="dora")


def test_an_overdue_request_is_shown_as_such(desk: RunningDesk, officer: Browser) -> None:
    taken_in(officer, received_on=(utc_now().date() - timedelta(days=60)).isoformat())
    assert "Overdue by" in officer.get("/requests").text


def test_a_closed_request_cannot_be_acted_on_again(desk: RunningDesk, officer: Browser) -> None:
    stock(desk.engine, leads=1)
    reference = taken_in(officer)
    page = "/requests/new"
    officer.post(f"/requests/{reference}/close", page=page, outcome="refused", reason="not their own")
    answer = officer.post(f"/requests/{reference}/remove", page=page, sure="yes", only_message="no")
    assert answer.status_code == 400
    assert count(desk, Post) == 3


def test_no_label_of_a_persons_message_outlives_their_objection(desk: RunningDesk, officer: Browser) -> None:
    stock(desk.engine, leads=1)
    row = {"post_id": "p-m1-voice0", "labeller": "lea", "areas": [], "signals": [], "evidence": [], "is_sensitive": False}
    with unit_of_work(desk.engine) as session:
        store_labels(session, [row], by="lea", origin="desk")
    reference = taken_in(officer)
    officer.post(f"/requests/{reference}/remove", page=f"/requests/{reference}", sure="yes", only_message="no")
    assert count(desk, Label) == 0


def test_the_audit_log_is_filtered_paged_and_exported_without_formulas(desk: RunningDesk, officer: Browser) -> None:
    with unit_of_work(desk.engine) as session:
        for number in range(60):
            audit(session, by="run", action="expire_posts", subject=f"=cmd|{number}", counts={"post": number})
    first = officer.get("/audit?action=expire_posts")
    assert first.text.count("expire posts<span") == 50
    older = re.search(r'href="(/audit\?[^"]*before=\d+)"', first.text)
    assert older
    assert officer.get(older[1].replace("&amp;", "&")).text.count("expire posts<span") == 10
    table = officer.get("/audit.csv?action=expire_posts").text
    assert ",'=cmd|59," in table
    assert ",=cmd" not in table
    assert ("dora", "export_audit", "audit log") in desk.audited()


def test_what_another_councils_staff_did_is_not_in_the_audit_log(desk: RunningDesk, officer: Browser) -> None:
    other = desk.sign_in(Role.DATA_PROTECTION, username="otto", council=OTHER_COUNCIL)
    other.get("/audit.csv")
    assert "otto" not in officer.get("/audit").text
    assert "Otto" in other.get("/audit").text


def test_notices_are_written_down_for_a_community(desk: RunningDesk, officer: Browser) -> None:
    stock(desk.engine, leads=1)
    before = officer.get("/retention")
    assert "100 years" not in before.text
    officer.post("/retention/notices", page="/retention", communities=TOWN, outcome="exempt", reason="disproportionate effort")
    after = officer.get("/retention").text
    assert "none waits" in after
    assert ("dora", "notice_exempt", TOWN) in desk.audited()


def test_the_public_page_says_where_why_and_for_how_long(desk: RunningDesk) -> None:
    text = desk.nobody().get("/your-posts").text
    assert public.BASES["public_task"].split(" (")[0] in text.replace("&#39;", "'")
    assert "https://marlowick.example/privacy/listening" in text
    assert "36,500 days" in text


@pytest.mark.parametrize("outcome", [RequestOutcome.REMOVED, RequestOutcome.KEPT_OUT, RequestOutcome.MESSAGE_REMOVED])
def test_a_request_is_never_closed_as_removed_without_removing(desk: RunningDesk, officer: Browser, outcome: RequestOutcome) -> None:
    reference = taken_in(officer)
    answer = officer.post(f"/requests/{reference}/close", page=f"/requests/{reference}", outcome=outcome, reason="done")
    assert answer.status_code == 400
    assert one_request(desk).closed_at is None
