"""Labelling at the desk: what comes next, what is kept, how far people agree; without a script."""

import re
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from coprod_nlp.training.agreement import compare_judgements
from coprod_nlp.training.label_quality import Judgement
from coprod_nlp.vocabulary import Signal
from models.desk_words import Role
from models.label import Label
from models.post import Post
from tests.desk.conftest import Browser, RunningDesk
from tests.desk.stock import OTHER_COUNCIL, TOWN, stock

BODY = "I can lend my van for the clean-up."


@pytest.fixture
def lea(desk: RunningDesk) -> Browser:
    stock(desk.engine, leads=4, body=BODY)
    return desk.sign_in(Role.ANALYST, username="lea")


def shown(browser: Browser, address: str = "/labels") -> dict[str, str]:
    text = browser.get(address).text
    return {name: re.search(rf'name="{name}" value="([^"]+)"', text)[1] for name in ("post_id", "shown")}  # type: ignore[index]


def put(browser: Browser, address: str = "/labels", **fields: Any) -> Any:
    return browser.post("/labels", page=address, **({"action": "save"} | shown(browser, address) | fields))


def labels(desk: RunningDesk) -> list[Any]:
    with desk.engine.connect() as connection:
        return list(connection.execute(select(*Label.__table__.columns).order_by(col(Label.post_id), col(Label.labeller))))  # type: ignore[attr-defined]


def test_a_label_is_kept_with_its_evidence_and_the_next_message_comes(desk: RunningDesk, lea: Browser) -> None:
    first = shown(lea)["post_id"]
    put(lea, areas=["waste", "environment"], signals="offer", mark="offer 0 I can lend my van")
    [label] = labels(desk)
    assert (label.post_id, label.labeller, label.labelled_by, label.origin) == (first, "lea", "lea", "desk")
    assert (label.areas, label.signals, label.evidence, label.is_sensitive) == (
        ["environment", "waste"],
        ["offer"],
        [["offer", 0, 17]],
        False,
    )
    assert shown(lea)["post_id"] != first
    assert {("lea", "store_labels", "desk"), ("lea", "view_evidence", TOWN)} <= set(desk.audited())


def test_evidence_can_be_typed_and_ticks_its_signal(desk: RunningDesk, lea: Browser) -> None:
    put(lea, words="offer: lend my van\nORGANISE: the clean-up")
    [label] = labels(desk)
    assert label.signals == ["offer", "organise"]
    assert [BODY[start:end] for _, start, end in label.evidence] == ["lend my van", "the clean-up"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "nothing is ticked"),
        ({"action": "none", "signals": "offer"}, "something is ticked"),
        ({"words": "offer: lend my lorry"}, "are not in the message"),
        ({"words": "lend my van"}, "begins with a signal and a colon"),
        ({"mark": "offer 3 lorry"}, "that are not in the message"),
        ({"mark": "offer x"}, "that are not in the message"),
        ({"areas": ["waste", "parks", "health", "safety"]}, "at most 3"),
        ({"areas": "moon"}, "not in the codebook"),
        ({"signals": "willing"}, "not in the codebook"),
        ({"signals": "offer", "shown": "0" * 32}, "was changed at its source"),
    ],
    ids=["nothing", "both", "other words", "no signal", "marked elsewhere", "no place", "four areas", "area", "signal", "changed"],
)
def test_a_label_that_cannot_be_right_is_shown_again(desk: RunningDesk, lea: Browser, fields: dict[str, Any], words: str) -> None:
    answer = put(lea, **fields)
    assert answer.status_code == 400
    assert words in answer.text
    assert labels(desk) == []


def test_nothing_applies_is_a_label_and_later_is_none(desk: RunningDesk, lea: Browser) -> None:
    first = shown(lea)["post_id"]
    put(lea, action="later")
    second = shown(lea)["post_id"]
    assert first != second
    put(lea, action="none")
    [label] = labels(desk)
    assert (label.post_id, label.areas, label.signals) == (second, [], [])


def test_every_fifth_message_is_one_that_a_colleague_has_labelled(desk: RunningDesk, lea: Browser) -> None:
    first = shown(lea)["post_id"]
    put(lea, signals="offer")
    max_ = desk.sign_in(Role.ANALYST, username="max")
    seen = []
    for _ in range(5):
        seen.append(shown(max_)["post_id"])
        put(max_, signals="offer")
    assert seen[4] == first
    assert first not in seen[:4]


def test_two_who_differ_on_willing_are_shown_as_disputed_and_a_third_settles_it(desk: RunningDesk, lea: Browser) -> None:
    post_id = shown(lea)["post_id"]
    address = f"/labels?post={post_id}"
    put(lea, address, signals="offer")
    max_ = desk.sign_in(Role.ANALYST, username="max")
    assert "Colleagues have labelled" not in max_.get(address).text
    put(max_, address, signals="request")
    agreement = lea.get("/labels/agreement").text
    assert "Settle message 1" in agreement
    assert "Lea and Max" in agreement
    ida = desk.sign_in(Role.ANALYST, username="ida")
    assert "Colleagues have labelled" in ida.get(address).text
    put(ida, address, signals="offer")
    assert "Settle message" not in lea.get("/labels/agreement").text


def test_a_voice_seen_too_often_is_held_back(desk: RunningDesk, lea: Browser) -> None:
    address = f"/labels?post={shown(lea)['post_id']}"
    limit = desk.office.desk("marlowick").voice_views_a_week
    codes = [lea.get(address).status_code for _ in range(limit)]
    assert "held back" in lea.get(address).text
    assert codes == [200] * (limit - 1) + [429]


def test_messages_of_another_council_are_not_there(desk: RunningDesk, lea: Browser) -> None:
    post_id = shown(lea)["post_id"]
    other = desk.sign_in(Role.ANALYST, username="otto", council=OTHER_COUNCIL)
    assert other.get(f"/labels?post={post_id}").status_code == 404
    assert "no message for you to label" in other.get("/labels").text


def test_a_hostile_message_is_shown_as_text(desk: RunningDesk) -> None:
    stock(desk.engine, leads=1, body="<script>alert(1)</script>")
    assert "<script>alert(1)" not in desk.sign_in(Role.ANALYST).get("/labels").text


@pytest.mark.parametrize("path", ["/labels", "/labels/agreement", "/classifiers", "/runs"])
def test_the_analysts_pages_are_closed_to_others(desk: RunningDesk, path: str) -> None:
    assert desk.sign_in(Role.OFFICER, Role.DATA_PROTECTION, Role.ADMINISTRATOR).get(path).status_code == 403


def test_a_deleted_message_is_not_labelled(desk: RunningDesk, lea: Browser) -> None:
    given = shown(lea)
    with desk.engine.begin() as connection:
        connection.execute(update(Post).where(col(Post.post_id) == given["post_id"]).values(state="deleted"))
    answer = lea.post("/labels", page="/account", signals="offer", action="save", **given)
    assert answer.status_code == 404


def test_a_comparison_names_the_posts_that_are_disputed() -> None:
    def judged(post_id: str, labeller: str, *signals: Signal) -> Judgement:
        return Judgement(post_id, labeller, frozenset(), frozenset(signals))

    found = compare_judgements([
        judged("b", "x", Signal.OFFER), judged("a", "x", Signal.OFFER), judged("a", "y", Signal.REQUEST), judged("b", "y", Signal.SEEK),
        judged("c", "x"),
    ])  # fmt: skip
    assert (found.several, found.disputed_posts) == (2, ("a",))
