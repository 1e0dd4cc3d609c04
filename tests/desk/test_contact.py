"""The contact step: nothing goes out without the checks, a second person and an end."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from desk.contact import CHECKS, objection_page
from models.base import utc_now
from models.contact import Contact, ContactHold
from models.decision import LeadState
from models.desk_words import Role
from models.right_actions import expire_posts
from models.session import unit_of_work
from tests.desk.conftest import Browser, RunningDesk
from tests.desk.stock import OTHER_COUNCIL, lead_id, stock

LEAD = f"/leads/{lead_id(1)}"
NOTICE = "https://marlowick.example/privacy/listening"


@pytest.fixture
def officer(desk: RunningDesk) -> Browser:
    stock(desk.engine, leads=3)
    return desk.sign_in(Role.OFFICER, username="amy")


@pytest.fixture
def second(desk: RunningDesk) -> Browser:
    return desk.sign_in(Role.OFFICER, username="ben")


def contact(desk: RunningDesk) -> Contact:
    with desk.engine.connect() as connection:
        row = connection.execute(select(Contact.__table__).order_by(col(Contact.made_at).desc())).first()  # type: ignore[attr-defined]
    assert row is not None
    return Contact(**row._mapping)


def start(desk: RunningDesk, browser: Browser, lead: str = LEAD) -> str:
    answer = browser.post(f"{lead}/contact", page=lead)
    assert answer.url.path.startswith("/contacts/")
    return answer.url.path


def step(desk: RunningDesk, browser: Browser, address: str, name: str, *, at: int | None = None, **fields: Any) -> tuple[int, str]:
    version = contact(desk).version if at is None else at
    answer = browser.post(address, step=name, version=str(version), **fields)
    return answer.status_code, answer.text


def hand_over(desk: RunningDesk, browser: Browser, address: str) -> tuple[int, str]:
    return step(desk, browser, address, "submit", draft=contact(desk).draft, checklist=list(CHECKS))


def test_the_whole_way_from_draft_to_you_said_we_did(desk: RunningDesk, officer: Browser, second: Browser) -> None:
    address = start(desk, officer)
    assert NOTICE in contact(desk).draft
    assert objection_page(desk.office) in contact(desk).draft
    assert hand_over(desk, officer, address)[0] == 200
    assert step(desk, second, address, "sign_off")[0] == 200
    assert step(desk, officer, address, "sent", link="https://forum.example/our-post")[0] == 200
    assert step(desk, officer, address, "answer", answers="12", answer="They want tools.")[0] == 200
    status, page = step(desk, officer, address, "close", outcome="The parks team lends tools on Saturdays.")
    assert status == 200
    assert "12 people answered" in page
    assert "The parks team lends tools" in officer.get("/contacts").text
    found = contact(desk)
    assert (found.status, found.made_by, found.signed_by, found.sent_by) == ("closed", "amy", "ben", "amy")
    with desk.engine.connect() as connection:
        assert connection.scalar(select(col(LeadState.status))) == "closed"
    done = [action for _, action, _ in desk.audited() if action.startswith("contact_")]
    assert done == [f"contact_{name}" for name in ("start", "save", "submit", "sign_off", "sent", "answer", "close")]


def test_a_message_that_was_sent_is_closed_also_after_retention_took_its_lead(desk: RunningDesk, officer: Browser, second: Browser) -> None:
    address = start(desk, officer)
    hand_over(desk, officer, address)
    step(desk, second, address, "sign_off")
    step(desk, officer, address, "sent")
    with unit_of_work(desk.engine) as session:
        expire_posts(session, kept_days={}, default_days=0, by="run")
    assert officer.get(LEAD).status_code != 200
    assert step(desk, officer, address, "answer", answers="2", answer="They want tools.")[0] == 200
    status, page = step(desk, officer, address, "close", outcome="The parks team lends tools.")
    assert status == 200
    assert "The parks team lends tools" in page
    assert contact(desk).status == "closed"
    with desk.engine.connect() as connection:
        assert connection.scalar(select(col(LeadState.status))) == "closed"


def test_who_prepared_or_handed_over_a_message_cannot_sign_it_off(desk: RunningDesk, officer: Browser, second: Browser) -> None:
    address = start(desk, officer)
    assert hand_over(desk, second, address)[0] == 200
    for browser in (officer, second):
        status, page = step(desk, browser, address, "sign_off")
        assert status == 400
        assert "a second person signs off" in page
    assert step(desk, desk.sign_in(Role.OFFICER, username="cat"), address, "sign_off")[0] == 200


def test_who_last_wrote_a_draft_cannot_sign_it_off_whoever_hands_it_over(desk: RunningDesk, officer: Browser, second: Browser) -> None:
    address = start(desk, officer)
    step(desk, second, address, "save", draft=f"{contact(desk).draft}\nOn Saturday at ten.")
    unchanged = contact(desk).draft.replace("\n", "\r\n")
    assert step(desk, officer, address, "submit", draft=unchanged, checklist=list(CHECKS))[0] == 200
    status, page = step(desk, second, address, "sign_off")
    assert (status, contact(desk).status) == (400, "waiting")
    assert "a second person signs off" in page
    assert 'value="sign_off"' not in page
    assert step(desk, desk.sign_in(Role.OFFICER, username="cat"), address, "sign_off")[0] == 200


@pytest.mark.parametrize("missing", CHECKS)
def test_each_check_is_needed(desk: RunningDesk, officer: Browser, missing: str) -> None:
    address = start(desk, officer)
    ticked = [key for key in CHECKS if key != missing]
    status, page = step(desk, officer, address, "submit", draft=contact(desk).draft, checklist=ticked)
    assert status == 400
    assert "1 of the checks" in page
    assert contact(desk).status == "draft"


@pytest.mark.parametrize("cut", ["notice", "objection"])
def test_a_draft_without_privacy_notice_or_way_to_object_is_not_handed_over(desk: RunningDesk, officer: Browser, cut: str) -> None:
    address = start(desk, officer)
    words = {"notice": NOTICE, "objection": objection_page(desk.office)}[cut]
    draft = contact(desk).draft.replace(words, "somewhere")
    status, page = step(desk, officer, address, "submit", draft=draft, checklist=list(CHECKS))
    assert status == 400
    assert words in page


def test_what_is_sent_back_says_why_and_needs_a_new_sign_off(desk: RunningDesk, officer: Browser, second: Browser) -> None:
    address = start(desk, officer)
    hand_over(desk, officer, address)
    assert step(desk, second, address, "send_back", because="")[0] == 400
    assert step(desk, second, address, "send_back", because="Name the first step.")[0] == 200
    assert "Name the first step." in officer.get(address).text
    assert step(desk, officer, address, "sent")[0] == 400
    assert (contact(desk).status, contact(desk).submitted_by) == ("draft", None)


@pytest.mark.parametrize("name", ["sign_off", "sent", "answer", "close", "send_back", "nonsense"])
def test_no_step_comes_before_its_time(desk: RunningDesk, officer: Browser, second: Browser, name: str) -> None:
    address = start(desk, officer)
    assert step(desk, second, address, name, answers="1", outcome="x", because="x")[0] == 400
    assert contact(desk).status == "draft"


def test_after_a_message_nobody_writes_to_the_network_or_the_community_until_the_cool_off_ends(
    desk: RunningDesk, officer: Browser, second: Browser
) -> None:
    address = start(desk, officer)
    hand_over(desk, officer, address)
    step(desk, second, address, "sign_off")
    step(desk, officer, address, "sent")
    neighbour = f"/leads/{lead_id(2)}"
    assert "Nobody writes here until" in officer.get(neighbour).text
    assert officer.post(f"{neighbour}/contact", page="/help").status_code == 400
    with desk.engine.begin() as connection:
        connection.execute(update(ContactHold).values(until=utc_now() - timedelta(seconds=1)))
    assert start(desk, officer, neighbour).startswith("/contacts/")


def test_a_do_not_contact_stops_a_message_that_was_signed_off_already_and_can_be_lifted(
    desk: RunningDesk, officer: Browser, second: Browser
) -> None:
    address = start(desk, officer)
    hand_over(desk, officer, address)
    step(desk, second, address, "sign_off")
    until = (utc_now().date() + timedelta(days=30)).isoformat()
    assert second.post(f"{LEAD}/hold", until=until, reason="They are busy with their fête.").status_code == 200
    status, page = step(desk, officer, address, "sent")
    assert status == 400
    assert "nobody writes here until" in page
    assert second.post("/holds/1/lift", page="/contacts").url.params["done"] == "lifted"
    assert step(desk, officer, address, "sent")[0] == 200


@pytest.mark.parametrize(
    ("until", "reason"), [("2020-01-01", "x"), ("2100-01-01", "x"), ("soon", "x"), ("2027-06-01", " ")],
    ids=["past", "for ever", "no date", "no reason"],
)  # fmt: skip
def test_a_hold_has_an_end_and_a_reason(desk: RunningDesk, officer: Browser, until: str, reason: str) -> None:
    assert officer.post(f"{LEAD}/hold", until=until, reason=reason).status_code == 400
    assert "Nowhere." in officer.get("/contacts").text


def test_two_officers_on_one_draft_the_second_is_told(desk: RunningDesk, officer: Browser, second: Browser) -> None:
    address = start(desk, officer)
    assert step(desk, officer, address, "save", draft="mine", at=1)[0] == 200
    status, page = step(desk, second, address, "save", draft="theirs", at=1)
    assert status == 409
    assert "A colleague changed this message" in page
    assert contact(desk).draft == "mine"


def test_a_cancelled_message_keeps_no_words_and_makes_room_for_another(desk: RunningDesk, officer: Browser) -> None:
    address = start(desk, officer)
    assert officer.post(f"{LEAD}/contact", page="/help").status_code == 400
    assert step(desk, officer, address, "cancel")[0] == 200
    assert contact(desk).draft == ""
    assert start(desk, officer) != address


def test_the_address_of_a_post_is_an_https_address_or_none(desk: RunningDesk, officer: Browser, second: Browser) -> None:
    address = start(desk, officer)
    hand_over(desk, officer, address)
    step(desk, second, address, "sign_off")
    assert step(desk, officer, address, "sent", link="javascript:alert(1)")[0] == 400


def test_another_councils_messages_and_holds_are_not_there(desk: RunningDesk, officer: Browser) -> None:
    address = start(desk, officer)
    officer.post(f"{LEAD}/hold", until=(utc_now().date() + timedelta(days=9)).isoformat(), reason="x")
    stranger = desk.sign_in(Role.OFFICER, username="zed", council=OTHER_COUNCIL)
    assert stranger.get(address).status_code == 404
    assert stranger.post(address, page="/account", step="cancel", version="1").status_code == 404
    assert stranger.post("/holds/1/lift", page="/account").status_code == 404
