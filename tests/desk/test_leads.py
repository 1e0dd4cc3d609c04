"""Officers' pages: the list, a lead, decisions, undo, and two officers at once."""

from datetime import date, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import delete, event, select, update
from sqlmodel import col

from models import decision_actions
from models.account import Account
from models.base import utc_now
from models.decision import LeadDecision, LeadState
from models.desk_words import RejectReason, Role
from models.lead import LeadMessage
from models.post import PostReading
from models.run import Run
from models.session import unit_of_work
from tests.desk.conftest import Browser, RunningDesk
from tests.desk.stock import COUNCIL, OTHER_COUNCIL, THEN, lead_id, stock

LEAD = f"/leads/{lead_id(1)}"
WORDS = "an for the clean-up"
NEXT_YEAR = (utc_now().date() + timedelta(days=300)).isoformat()


@pytest.fixture
def officer(desk: RunningDesk) -> Browser:
    stock(desk.engine, leads=30, areas=("parks", "waste", "culture"))
    return desk.sign_in(Role.OFFICER, username="amy")


def version(desk: RunningDesk, number: int = 1) -> int:
    with desk.engine.connect() as connection:
        return connection.scalar(select(col(LeadState.version)).where(col(LeadState.lead_id) == lead_id(number))) or 0


def decide(desk: RunningDesk, browser: Browser, action: str, *, number: int = 1, at: int | None = None, **fields: str) -> int:
    fields |= {"action": action, "version": str(version(desk, number) if at is None else at)}
    address = f"/leads/{lead_id(number)}"
    return browser.post(f"{address}/decide", page=address, **fields).status_code


def shown(browser: Browser, query: str = "") -> list[int]:
    page = browser.get(f"/leads{query}").text
    return [number for number in range(1, 200) if f'href="/leads/{lead_id(number)}"' in page]


def standing(desk: RunningDesk, number: int = 1) -> tuple[str, str | None, date | None]:
    with desk.engine.connect() as connection:
        row = connection.execute(
            select(col(LeadState.status), col(LeadState.assignee), col(LeadState.not_before)).where(
                col(LeadState.lead_id) == lead_id(number)
            )
        ).one()
        return row.status, row.assignee, row.not_before


def test_an_empty_store_says_what_to_do(desk: RunningDesk) -> None:
    page = desk.sign_in(Role.OFFICER).get("/leads")
    assert page.status_code == 200
    assert "coprod listen" in page.text


def test_leads_come_in_their_order_a_page_at_a_time(officer: Browser) -> None:
    assert shown(officer) == list(range(1, 26))
    assert shown(officer, "?page=2") == [26, 27, 28, 29, 30]
    assert "30 leads" in officer.get("/leads").text


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("?area=waste", [2, 5, 8, 11, 14, 17, 20, 23, 26, 29]), ("?area=waste&status=shortlisted", []),
        ("?community=sample:marlowick&page=2", [28, 29, 30]), ("?community=sample:nowhere", []), ("?ward=E99999901", []),
        ("?status=shortlisted", [1]), ("?status=rejected", [3]), ("?status=not_now", [4]),
        ("?status=new&area=parks", [7, 10, 13, 16, 19, 22, 25, 28]),
        ("?assignee=amy", [1]), ("?assignee=nobody&status=all&page=2", [27, 28, 29, 30]), ("?status=nonsense&page=2", [28, 29, 30]),
    ],
    ids=["area", "area and status", "community", "no such community", "ward", "shortlisted", "rejected", "put off", "new in an area",
         "mine", "nobody's", "unknown status"],
)  # fmt: skip
def test_the_list_is_filtered(desk: RunningDesk, officer: Browser, query: str, numbers: list[int]) -> None:
    decide(desk, officer, "shortlist", number=1)
    decide(desk, officer, "assign", number=1, assignee="amy")
    decide(desk, officer, "reject", number=3, reason="not_ours")
    decide(desk, officer, "not_now", number=4, until=NEXT_YEAR)
    assert shown(officer, query) == numbers


def test_what_was_put_off_is_open_again_when_its_day_comes(desk: RunningDesk, officer: Browser) -> None:
    decide(desk, officer, "not_now", until=NEXT_YEAR)
    assert 1 not in shown(officer)
    with desk.engine.begin() as connection:
        connection.execute(update(LeadState).values(not_before=utc_now().date()))
    assert 1 in shown(officer)


def test_new_since_the_last_visit_are_the_leads_ranked_after_it(desk: RunningDesk, officer: Browser) -> None:
    with desk.engine.begin() as connection:
        connection.execute(update(Account).values(last_visit_at=utc_now()))
    assert shown(officer, "?new=yes") == []
    with desk.engine.begin() as connection:
        connection.execute(update(Account).values(last_visit_at=utc_now() - timedelta(days=1)))
    assert shown(officer, "?new=yes") == list(range(1, 26))


@pytest.mark.parametrize(
    ("action", "fields", "after"),
    [
        ("shortlist", {}, ("shortlisted", None, None)), ("reject", {"reason": "no_fit"}, ("rejected", None, None)),
        ("not_now", {"until": NEXT_YEAR}, ("not_now", None, date.fromisoformat(NEXT_YEAR))),
        ("assign", {"assignee": "amy"}, ("new", "amy", None)),
        ("note", {"note": "ask the parks team"}, ("new", None, None)),
    ],
    ids=["shortlist", "reject", "not now", "assign", "note"],
)  # fmt: skip
def test_a_decision_is_kept_with_its_history_and_audit_row(
    desk: RunningDesk, officer: Browser, action: str, fields: dict[str, Any], after: tuple[str, str | None, date | None]
) -> None:
    assert decide(desk, officer, action, **fields) == 200
    assert standing(desk) == after
    assert version(desk) == 1
    assert ("amy", f"lead_{action}", lead_id(1)) in desk.audited()
    page = officer.get(LEAD).text
    assert "Amy" in page
    assert all(value in page for name, value in fields.items() if name == "note")


@pytest.mark.parametrize(
    ("action", "fields", "said"),
    [
        ("", {}, "Choose what to do"), ("contact", {}, "Choose what to do"), ("reject", {}, "why this lead is rejected"),
        ("reject", {"reason": "because"}, "why this lead is rejected"), ("reject", {"reason": "other"}, "what the other reason is"),
        ("not_now", {}, "until when"), ("not_now", {"until": "2020-01-01"}, "until when"), ("not_now", {"until": "tomorrow"}, "is not one"),
        ("note", {"note": "  "}, "empty"), ("note", {"note": "x" * 2_001}, "2,001 characters"),
        ("assign", {"assignee": "stranger"}, "from the list"),
    ],
    ids=["nothing", "a step of contact", "no reason", "made-up reason", "other without note", "no date", "past", "no date at all",
         "empty note", "long note", "stranger"],
)  # fmt: skip
def test_half_a_decision_is_refused_and_says_what_is_missing(
    desk: RunningDesk, officer: Browser, action: str, fields: dict[str, str], said: str
) -> None:
    page = officer.post(f"{LEAD}/decide", page=LEAD, version="0", action=action, **fields)
    assert page.status_code == 400
    assert said in page.text
    assert version(desk) == 0


def test_every_reason_can_be_chosen(desk: RunningDesk, officer: Browser) -> None:
    for number, reason in enumerate(RejectReason, start=1):
        assert decide(desk, officer, "reject", number=number, reason=reason, note="said") == 200
    with desk.engine.connect() as connection:
        assert set(connection.scalars(select(col(LeadDecision.reason)))) == set(RejectReason)


def test_the_second_of_two_officers_is_told_and_nothing_is_overwritten(desk: RunningDesk, officer: Browser) -> None:
    second = desk.sign_in(Role.OFFICER, username="ben")
    assert decide(desk, officer, "shortlist", at=0) == 200
    page = second.post(f"{LEAD}/decide", page=LEAD, version="0", action="reject", reason="no_fit", note="what I wrote")
    assert page.status_code == 409
    assert "A colleague changed this lead" in page.text
    assert "shortlisted this lead" in page.text
    assert "what I wrote" in page.text
    assert standing(desk)[0] == "shortlisted"
    assert decide(desk, second, "reject", reason="no_fit") == 200


def test_the_last_decision_can_be_taken_back_and_only_that(desk: RunningDesk, officer: Browser) -> None:
    decide(desk, officer, "assign", assignee="amy")
    decide(desk, officer, "reject", reason="no_fit")
    assert officer.post(f"{LEAD}/undo", page=LEAD, version="2").status_code == 200
    assert standing(desk) == ("new", "amy", None)
    assert officer.post(f"{LEAD}/undo", page=LEAD, version="3").status_code == 400
    assert "Taken back by Amy" in officer.get(LEAD).text


def test_undoing_what_somebody_else_has_decided_since_is_told(desk: RunningDesk, officer: Browser) -> None:
    decide(desk, officer, "shortlist")
    decide(desk, desk.sign_in(Role.OFFICER, username="ben"), "reject", reason="no_fit")
    assert officer.post(f"{LEAD}/undo", page=LEAD, version="1").status_code == 409
    assert standing(desk)[0] == "rejected"


def test_decisions_outlive_the_next_ranking_and_a_lead_that_is_gone_keeps_its_history(desk: RunningDesk, officer: Browser) -> None:
    decide(desk, officer, "shortlist")
    decide(desk, officer, "shortlist", number=2, note="second")
    stock(desk.engine, leads=1)
    assert shown(officer, "?status=shortlisted") == [1]
    gone = officer.get(f"/leads/{lead_id(2)}")
    assert gone.status_code == 410
    assert "withdrawn" in gone.text
    assert officer.get(f"/leads/{lead_id(3)}").status_code == 404


def test_another_councils_lead_is_not_there(desk: RunningDesk, officer: Browser) -> None:
    stock(desk.engine, council=OTHER_COUNCIL)
    address = f"/leads/{lead_id(1, OTHER_COUNCIL)}"
    assert officer.get(address).status_code == 404
    for step in ("decide", "undo", "contact", "hold"):
        fields = {"version": "0", "action": "shortlist", "until": NEXT_YEAR, "reason": "x"}
        assert officer.post(f"{address}/{step}", page=LEAD, **fields).status_code == 404
    assert lead_id(1, OTHER_COUNCIL) not in officer.get("/leads?status=all").text


def test_opening_a_lead_is_written_down_and_counts_the_voices_that_were_shown(desk: RunningDesk, officer: Browser) -> None:
    officer.get(LEAD)
    assert desk.audited()[-1] == ("amy", "view_evidence", lead_id(1))
    with unit_of_work(desk.engine) as session:
        account = session.scalar(select(Account))
        assert account
        views = decision_actions.voice_views(session.connection(), account.account_id, [f"m1-voice{n}" for n in range(3)])
    assert views == {"m1-voice0": 1, "m1-voice1": 1, "m1-voice2": 1}


def test_messages_of_a_voice_seen_too_often_this_week_are_held_back_and_it_says_why(desk: RunningDesk, officer: Browser) -> None:
    limit = desk.office.desk(COUNCIL).voice_views_a_week
    pages = [officer.get(LEAD).text for _ in range(limit + 1)]
    assert all(WORDS in page for page in pages[:limit])
    assert WORDS not in pages[limit]
    assert "held back for you" in pages[limit]
    assert WORDS in desk.sign_in(Role.OFFICER, username="ben").get(LEAD).text


def test_no_page_shows_a_key_of_a_voice(officer: Browser) -> None:
    assert "m1-voice" not in officer.get(LEAD).text + officer.get(f"{LEAD}/network").text + officer.get(f"{LEAD}/picture.svg").text


def test_the_card_tells_of_messages_that_bear_on_the_lead_only_by_what_they_answer(desk: RunningDesk, officer: Browser) -> None:
    with desk.engine.begin() as connection:
        connection.execute(update(PostReading).where(col(PostReading.post_id).like("p-m1-%")).values(areas={}))
    text = officer.get(f"{LEAD}/network").text
    assert "3 messages of 3 people about this, in a network of 3." in text
    assert "of 3 willing voices" in text


def test_the_card_tells_of_the_period_of_the_run_in_the_zone_that_it_was_asked_in(desk: RunningDesk, officer: Browser) -> None:
    half_an_hour_before = (THEN - timedelta(minutes=30)).astimezone(timezone(timedelta(hours=2))).isoformat()
    with desk.engine.begin() as connection:
        connection.execute(update(Run).values(request={"since": half_an_hour_before}))
        connection.execute(delete(LeadMessage))
    assert "3 messages of 3 people about this" in officer.get(f"{LEAD}/network").text


def test_places_in_the_list_are_found_in_an_index_without_reading_a_lead(desk: RunningDesk, officer: Browser) -> None:
    asked: list[tuple[str, Any]] = []
    event.listen(desk.engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    for query in ("?page=2", "?page=2&area=parks"):
        officer.get(f"/leads{query}")
    counting = [one for one in asked if "count(" in one[0]]
    assert len(counting) == 2
    with desk.engine.connect() as connection:
        for statement, values in counting:
            plan = " ".join(str(row) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values))
            assert "SEARCH lead USING COVERING INDEX ix_lead_scope" in plan
