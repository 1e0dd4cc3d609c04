"""The desk on each kind of database: every page, an officer's morning, a label, a request to its end, the audit log."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from models.account import Account
from models.base import utc_now
from models.contact import ContactHold
from models.desk_words import Role
from models.post import Post
from tests.desk.conftest import Browser, RunningDesk, running
from tests.desk.stock import TOWN, lead_id, stock
from tests.desk.test_contact import LEAD, contact, hand_over, start, step
from tests.desk.test_labels import labels, put
from tests.desk.test_leads import decide, shown, standing
from tests.desk.test_requests import one_request, own_post, taken_in

# Every page that is asked for by filters rather than by an id, and what it shows of this store.
PAGES = {
    "/leads?area=parks&ward=W&community=c&status=all&assignee=nobody&new=yes": "No lead fits",
    f"/leads?community={TOWN}&page=1": "Parks",
    "/leads?status=rejected&assignee=amy": "1 lead",
    "/leads.csv?status=all": "parks",
    f"{LEAD}/network": "",
    f"{LEAD}/picture.svg": "svg",
    "/contacts": "lends tools",
    "/labels": "",
    "/labels/agreement": "",
    "/classifiers": "",
    "/runs": "",
    "/requests": "",
    "/retention": "",
    "/records/atrs": "",
    "/records/dpia.md": "",
    "/records/dpia.json": "",
    "/accounts": "amy",
    "/audit?who=amy&what=lead_reject": lead_id(2),
    "/audit.csv": "view_evidence",
    "/help": "",
}


@pytest.fixture
def desk(tmp_path: Path, address: str) -> Iterator[RunningDesk]:
    with running(tmp_path / "home", database_url=address) as running_desk:
        stock(running_desk.engine, leads=30, areas=("parks", "waste"))
        yield running_desk


def count_holds(desk: RunningDesk) -> int:
    with desk.engine.connect() as connection:
        return len(list(connection.execute(select(col(ContactHold.hold_id)).where(col(ContactHold.lifted_at).is_(None)))))


def morning(desk: RunningDesk, amy: Browser, ben: Browser) -> None:
    """Lists, decisions of two people, undo, and a message from its draft to what came of it."""
    assert (shown(amy), shown(amy, "?page=2")) == (list(range(1, 26)), list(range(26, 31)))
    assert shown(amy, "?area=waste")[:2] == [2, 4]
    assert decide(desk, amy, "reject", number=2, reason="not_ours") == 200
    assert decide(desk, ben, "shortlist", number=2, at=0) == 409
    assert standing(desk, 2)[0] == "rejected"
    later = utc_now().date() + timedelta(days=30)
    assert decide(desk, amy, "not_now", number=3, until=later.isoformat()) == 200
    assert standing(desk, 3) == ("not_now", None, later)
    page = f"/leads/{lead_id(3)}"
    assert amy.post(f"{page}/undo", page=page, version="1").status_code == 200
    assert standing(desk, 3) == ("new", None, None)
    assert decide(desk, amy, "assign", number=4, assignee="ben") == 200
    assert shown(ben, "?assignee=ben") == [4]
    message = start(desk, amy)
    assert hand_over(desk, amy, message)[0] == 200
    assert step(desk, amy, message, "sign_off")[0] == 400
    assert step(desk, ben, message, "sign_off")[0] == 200
    assert step(desk, amy, message, "sent", link="https://forum.example/our-post")[0] == 200
    assert step(desk, amy, message, "answer", answers="12", answer="They want tools.")[0] == 200
    assert step(desk, amy, message, "close", outcome="The parks team lends tools.")[0] == 200
    assert contact(desk).status == "closed"
    assert count_holds(desk) == 2


def test_every_page_and_the_work_of_every_role(desk: RunningDesk) -> None:
    amy = desk.sign_in(*Role, username="amy")
    morning(desk, amy, desk.sign_in(Role.OFFICER, username="ben"))
    put(amy, signals="offer")
    assert [label.labeller for label in labels(desk)] == ["amy"]
    for path, words in PAGES.items():
        answer = amy.get(path)
        assert answer.status_code == 200, path
        assert words.lower() in answer.text.lower(), path


def test_a_request_from_the_public_page_to_the_removal_and_one_from_a_letter(desk: RunningDesk) -> None:
    own_post(desk, "Ann")
    dora = desk.sign_in(Role.DATA_PROTECTION, username="dora")
    desk.nobody().post("/your-posts", handle="u/ann", places=TOWN)
    request = f"/requests/{one_request(desk).request_id}"
    assert "1 message in" in dora.get(request).text
    dora.post(f"{request}/extend", page=request, because="Many messages, and the officer is alone.")
    dora.post(f"{request}/remove", page=request, sure="yes", only_message="no")
    assert one_request(desk).outcome == "removed"
    with desk.engine.connect() as connection:
        assert connection.scalar(select(col(Post.post_id)).where(col(Post.post_id) == "p-m1-voice0")) is None
    letter = f"/requests/{taken_in(dora, kind='access')}"
    dora.post(f"{letter}/close", page=letter, outcome="not_found")
    done = {action for _, action, _ in desk.audited()}
    assert {"objection", "request_closed"} <= done
    desk.wait_for("renew")


def test_signing_in_locks_after_five_wrong_passwords(desk: RunningDesk) -> None:
    desk.account("cat", Role.OFFICER)
    nobody = desk.nobody()
    for _ in range(5):
        assert nobody.post("/sign-in", username="cat", password="not this one").status_code == 401
    with desk.engine.connect() as connection:
        locked = connection.scalar(select(col(Account.locked_until)).where(col(Account.username) == "cat"))
    assert locked is not None
    assert locked > utc_now()
