"""Labels from files into the store: about posts that are there, or with texts of their own; nothing that is gone comes back."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlmodel import col

from config.load import load_config
from coprod_nlp.vocabulary import PostState, Right
from flows.job import RequestError
from flows.labels.load import ImportResult, import_labels, lines_of_problems
from flows.labels.rows import LabelFileError, RowProblem
from flows.sources.base import Problems
from models import actions, label_queries, right_actions
from models.post import Post
from models.run import AuditEntry
from models.session import unit_of_work

SECRET = "behind the third shed from the weir"
NOW = datetime.now(UTC)


def post(post_id: str, *, body: str = "I can lend my van 🙂 on Saturday", **changed: Any) -> dict[str, Any]:
    platform = post_id.partition(":")[0]
    facts: dict[str, Any] = {
        "post_id": post_id, "platform": platform, "community_id": f"{platform}:town", "kind": "comment", "state": PostState.VISIBLE,
        "author_key": "anna", "parent_id": None, "thread_id": None, "title": "Clean-up", "body": body, "permalink": "", "score": None,
        "created_at": NOW, "content_hash": f"h-{body}", "fetched_at": NOW,
    }  # fmt: skip
    return actions.post_row(**(facts | changed))


def keep(engine: Engine, *rows: dict[str, Any]) -> None:
    with engine.begin() as connection:
        actions.store_posts(connection, rows)


@pytest.fixture
def file(tmp_path: Path) -> Any:
    """Writes records as JSON lines."""

    def write(*records: dict[str, Any], name: str = "labels.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        return path

    return write


def row(post_id: str | None = None, **changed: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {"areas": ["waste"], "signals": ["offer"], "evidence": [{"signal": "offer", "text": "lend my van"}]}
    return ({} if post_id is None else {"id": post_id}) | facts | {"sensitive": False} | changed


def load(engine: Engine, path: Path, by: str = "ana") -> ImportResult:
    return import_labels(engine, path, by=by)


def stored(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(label_queries.labelled_posts(connection))


def lines(result: ImportResult) -> dict[str, list[int]]:
    return {kind.value: numbers for (kind, _), numbers in result.problems.lines.items()}


def test_rows_about_stored_posts_are_found_by_id_or_fullname(engine: Engine, file: Any) -> None:
    keep(engine, post("reddit:t3_a"), post("archive:t1_b"), post("archive:town:t1_12"))
    result = load(engine, file(row("reddit:t3_a"), row("t1_b"), row("t1_12"), row("archive:town:t1_12", by="ben")))
    assert (result.labels, result.posts, result.own_texts, result.problems.by_kind()) == (4, 3, 0, {})
    found = stored(engine)
    assert [(item.post_id, item.labeller, item.origin) for item in found] == [
        ("archive:t1_b", "ana", "labels.jsonl"), ("archive:town:t1_12", "ana", "labels.jsonl"),
        ("archive:town:t1_12", "ben", "labels.jsonl"), ("reddit:t3_a", "ana", "labels.jsonl"),
    ]  # fmt: skip
    text = "Clean-up\n\nI can lend my van 🙂 on Saturday"
    start = text.index("lend")
    assert (found[0].areas, found[0].signals, found[0].evidence) == (["waste"], ["offer"], [["offer", start, start + len("lend my van")]])


def test_a_fullname_that_several_sources_have_is_left_out(engine: Engine, file: Any) -> None:
    keep(engine, post("reddit:t3_a"), post("archive:t3_a"), post("reddit:t3_b"))
    result = load(engine, file(row("t3_a"), row("t3_b"), row("archive:t3_a")))
    assert (result.labels, lines(result)) == (2, {"ambiguous_id": [1]})


def test_a_text_of_its_own_becomes_a_post_without_an_author_that_retention_reaches(engine: Engine, file: Any) -> None:
    result = load(engine, file(row(title="Van", body="I can lend my van"), row("c01-7", body="I can lend my van", sensitive=True)))
    assert (result.labels, result.posts, result.own_texts) == (2, 2, 2)
    found = stored(engine)
    assert {(item.platform, item.community_id) for item in found} == {("labels", "labels:labels.jsonl")}
    assert {(item.title, item.body, item.is_sensitive) for item in found} == {
        ("Van", "I can lend my van", False), ("", "I can lend my van", True)
    }  # fmt: skip
    with engine.connect() as connection:
        authors = connection.execute(select(col(Post.author_key), col(Post.permalink), col(Post.created_at)).distinct()).all()
    assert [tuple(author) for author in authors] == [(None, "", None)]
    with unit_of_work(engine) as session:
        assert right_actions.expire_posts(session, kept_days={"labels": 30}, default_days=30, by="retention").counts["post"] == 0
    keep_days = load_config().kept_days("labels")
    with engine.begin() as connection:
        connection.execute(Post.__table__.update().values(fetched_at=NOW - timedelta(days=keep_days + 1)))  # type: ignore[attr-defined]
    with unit_of_work(engine) as session:
        assert right_actions.expire_posts(session, kept_days={"labels": keep_days}, default_days=9999, by="retention").counts["post"] == 2
    assert stored(engine) == []


def test_texts_of_their_own_may_be_used_for_training_and_those_of_reddit_may_not(engine: Engine, file: Any) -> None:
    keep(engine, post("reddit:t3_a"))
    load(engine, file(row("reddit:t3_a"), row(body="I can lend my van")))
    config = load_config()
    with engine.connect() as connection:
        platforms = [name for name in label_queries.labelled_platforms(connection) if config.training_allowed(name)]
        assert platforms == ["labels"]
        assert [item.body for item in label_queries.labelled_posts(connection, platforms=platforms)] == ["I can lend my van"]
    assert not config.training_allowed("a platform that nobody has named")


def test_the_same_text_in_two_files_is_one_post_with_two_labellers(engine: Engine, file: Any) -> None:
    load(engine, file(row("7", body="I can lend my van"), name="ana.jsonl"), by="ana")
    load(engine, file(row("12", body="I can lend my van", signals=["seek"], evidence=[]), name="ben.jsonl"), by="ben")
    assert len({item.post_id for item in stored(engine)}) == 1
    assert [(item.labeller, item.signals, item.origin, item.community_id) for item in stored(engine)] == [
        ("ana", ["offer"], "ana.jsonl", "labels:ana.jsonl"), ("ben", ["seek"], "ben.jsonl", "labels:ana.jsonl")
    ]  # fmt: skip


def test_importing_twice_changes_nothing_and_an_amended_file_replaces(engine: Engine, file: Any) -> None:
    keep(engine, post("reddit:t3_a"))
    for areas in (["waste"], ["waste"], ["parks", "waste"]):
        load(engine, file(row("t3_a", areas=areas), row(body="I can lend my van", areas=areas)))
        assert [item.areas for item in stored(engine)] == [areas, areas]


def test_what_is_not_stored_any_more_does_not_come_back_with_its_text(engine: Engine, file: Any) -> None:
    keep(engine, post("reddit:t3_here"), post("reddit:t3_gone", state=PostState.DELETED), post("reddit:t3_blank", title="", body=" "))
    text = {"title": "", "body": SECRET}
    ids = ["reddit:t3_erased", "t3_erased", "archive:town:t1_9", "reddit:t3_gone", "reddit:t3_blank"]
    result = load(engine, file(row("reddit:t3_here"), *(row(post_id, **text) for post_id in ids), row("nobody's")))
    assert lines(result) == {"unknown_post": [2, 3, 4, 7], "gone_post": [5, 6]}
    with engine.connect() as connection:
        assert SECRET not in list(connection.scalars(select(col(Post.body))))


@pytest.mark.parametrize(
    "post_id",
    [
        "discourse:forum.example/12/3", "mastodon:social.example/114", "lemmy:lemmy.example/5/7", "rss:news.example/%2Ffeed/17-0a",
        "bluesky:public.api.bsky.app/did:plc:abc/3k", "sample:t1_b", "archive:the town:t1_9",
    ],
)  # fmt: skip
def test_a_removed_post_of_any_source_does_not_come_back_with_its_text(engine: Engine, file: Any, post_id: str) -> None:
    keep(engine, post(post_id, author_key="cara"), post("reddit:t3_here"))
    with unit_of_work(engine) as session:
        right_actions.keep_out(session, ["cara"], right=Right.OBJECTION, case="case 7", by="dpo")
    result = load(engine, file(row(post_id, title="Clean-up", body=SECRET), row("reddit:t3_here")))
    assert (lines(result), [item.post_id for item in stored(engine)]) == ({"unknown_post": [1]}, ["reddit:t3_here"])


def test_an_objection_is_not_undone_by_a_file_made_before(engine: Engine, file: Any) -> None:
    keep(engine, post("reddit:t3_a", author_key="cara"), post("reddit:t3_b", author_key="dan"))
    with unit_of_work(engine) as session:
        right_actions.keep_out(session, ["cara"], right=Right.OBJECTION, case="case 7", by="dpo")
    result = load(engine, file(row("reddit:t3_a", title="Clean-up", body="I can lend my van 🙂 on Saturday"), row("reddit:t3_b")))
    assert [item.post_id for item in stored(engine)] == ["reddit:t3_b"]
    assert lines(result) == {"unknown_post": [1]}


def test_a_row_with_other_words_than_the_post_holds_now_is_left_out(engine: Engine, file: Any) -> None:
    keep(engine, post("reddit:t3_a"), post("reddit:t3_b"))
    same, other = {"text": "Clean-up \r\n\r\n I can lend my van 🙂 on  Saturday"}, {"text": "Clean-up\n\nMy van is sold"}
    result = load(engine, file(row("reddit:t3_a", **other), row("reddit:t3_b", **same)))
    assert [item.post_id for item in stored(engine)] == ["reddit:t3_b"]
    assert lines(result) == {"changed_text": [1]}


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        pytest.param({"areas": ["gardening"]}, "unknown_area", id="area"),
        pytest.param({"areas": ["offer"]}, "unknown_area", id="a signal for an area"),
        pytest.param({"signals": ["willing"]}, "unknown_signal", id="signal"),
        pytest.param({"evidence": [{"signal": "shout", "text": "van"}]}, "unknown_signal", id="a signal in evidence"),
        pytest.param({"evidence": [{"text": "van"}]}, "unknown_signal", id="evidence for nothing"),
        pytest.param({"sensitive": "perhaps"}, "bad_sensitive", id="sensitive"),
        pytest.param({"id": None}, "missing_id", id="neither id nor text"),
        pytest.param({"areas": None, "signals": None, "sensitive": None}, "not_labelled", id="not labelled"),
    ],
)
def test_a_row_that_is_wrong_is_counted_and_the_rest_is_stored(engine: Engine, file: Any, wrong: dict[str, Any], kind: str) -> None:
    keep(engine, post("reddit:t3_a"), post("reddit:t3_b"))
    result = load(engine, file(row("reddit:t3_a"), row("reddit:t3_b", **wrong)))
    assert ([item.post_id for item in stored(engine)], lines(result)) == (["reddit:t3_a"], {kind: [2]})


def test_a_tick_of_a_tool_that_the_codebook_does_not_have_is_counted(engine: Engine, file: Any) -> None:
    rows = [{"text": f"I can help {number}", "cats": cats} for number, cats in enumerate([["parks", "offer"], ["parks", "later"]])]
    result = load(engine, file(*rows))
    assert (result.format, [(item.areas, item.signals) for item in stored(engine)]) == ("doccano", [(["parks"], ["offer"])])
    assert lines(result) == {"unknown_label": [2]}


def test_labels_may_be_written_as_people_write_them_and_are_kept_in_the_order_of_the_codebook(engine: Engine, file: Any) -> None:
    load(engine, file(row(body="x", areas="Waste; social-care;Parks;parks", signals=["Seek", " OFFER "], evidence=[])))
    ((item),) = stored(engine)
    assert (item.areas, item.signals) == (["parks", "waste", "social_care"], ["offer", "seek"])


def test_evidence_that_is_not_in_the_text_is_counted_and_the_label_stays(engine: Engine, file: Any) -> None:
    keep(engine, post("reddit:t3_a"))
    spans = [{"signal": "seek", "text": "how do I"}, {"signal": "offer", "text": " my  van "}, {"signal": "offer", "text": "my van"}]
    result = load(engine, file(row("reddit:t3_a", evidence=spans)))
    ((item),) = stored(engine)
    start = "Clean-up\n\nI can lend my van".index("my van")
    assert (item.signals, item.evidence) == (["offer", "seek"], [["offer", start, start + 6]])
    assert lines(result) == {"evidence_not_found": [1]}


def test_the_same_post_by_the_same_labeller_again_is_counted_and_the_first_kept(engine: Engine, file: Any) -> None:
    keep(engine, post("reddit:t3_a"))
    rows = [row("reddit:t3_a"), row("t3_a", areas=["parks"]), row("t3_a", by="ana", areas=[]), row("t3_a", by=" ben  b ")]
    result = load(engine, file(*rows, row(body="x"), row("other", body="x", areas=[])))
    assert lines(result) == {"duplicate_row": [2, 3, 6]} | {"evidence_not_found": [5]}
    assert [(item.labeller, item.areas) for item in stored(engine) if item.platform == "reddit"] == [
        ("ana", ["waste"]),
        ("ben b", ["waste"]),
    ]


def test_one_audit_row_says_who_brought_what_and_what_was_odd(engine: Engine, file: Any) -> None:
    load(engine, file(row(body=SECRET, evidence=[]), row(body="y", areas=["gardening"]), row(body="z", by="ben")), by="  A.  Shah ")
    with engine.connect() as connection:
        ((by, action, subject, counts),) = connection.execute(
            select(col(AuditEntry.by), col(AuditEntry.action), col(AuditEntry.subject), col(AuditEntry.counts))
        )
    assert (by, action, subject) == ("A. Shah", "store_labels", "labels.jsonl")
    problems = {"unknown_area": {"count": 1, "lines": [2]}, "evidence_not_found": {"count": 1, "lines": [3]}}
    assert counts == {"labels": 2, "posts": 2, "not_kept": 0, "problems": problems}
    assert SECRET not in str(counts)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        pytest.param([row("reddit:t3_a", title="", body=SECRET)], r"unknown post: 1 \(line 1\)", id="posts that are not stored"),
        pytest.param([row(body=SECRET, areas=[SECRET])] * 2, r"unknown area: 2 \(lines 1, 2\)", id="labels of no codebook"),
    ],
)
def test_a_file_of_which_nothing_can_be_stored_is_refused_with_its_counts(
    engine: Engine, file: Any, rows: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(LabelFileError, match=rf"labels\.jsonl: nothing could be imported \(jsonl\): {said}") as caught:
        load(engine, file(*rows))
    assert SECRET not in str(caught.value)
    with engine.connect() as connection:
        assert connection.execute(select(col(Post.post_id))).all() == connection.execute(select(col(AuditEntry.by))).all() == []


@pytest.mark.parametrize("by", ["", "  ", "x" * 81], ids=["empty", "blank", "too long"])
def test_whoever_brings_labels_in_gives_a_name(engine: Engine, file: Any, by: str) -> None:
    with pytest.raises(RequestError, match="--by: wanted a name of 1 to 80 characters"):
        load(engine, file(row(body="x")), by=by)


def test_many_rows_are_stored_in_one_go(engine: Engine, file: Any) -> None:
    keep(engine, *(post(f"reddit:t3_a{number}") for number in range(1_300)))
    result = load(engine, file(*(row(f"t3_a{number}") for number in range(1_300)), *(row(body=f"lend my van {n}") for n in range(700))))
    assert (result.labels, result.own_texts, result.problems.by_kind()) == (2_000, 700, {})
    assert len(stored(engine)) == 2_000


def test_problems_are_said_with_the_first_lines_of_each() -> None:
    problems = Problems()
    for number in range(1, 31):
        problems.add(RowProblem.UNKNOWN_AREA, "a.csv", number)
    problems.add(RowProblem.TRUNCATED_FILE, "a.csv", 30)
    problems.add(RowProblem.WRONG_ENCODING, "a.csv", 7)
    first = ", ".join(map(str, range(1, 21)))
    assert lines_of_problems(problems, "item") == [
        "truncated file: 1 (item 30)", f"unknown area: 30 (items {first}, …)", "wrong encoding: 1 (line 7)"
    ]  # fmt: skip
