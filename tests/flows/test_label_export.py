"""What leaves the store: a queue of doubtful and of drawn posts, and what is labelled; never a key, and never over another file."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlmodel import col

from coprod_nlp.training.queue import choose_queue, most_varied
from coprod_nlp.vocabulary import PostState
from flows.job import RequestError
from flows.labels.compare import compare_labellers
from flows.labels.export import export_labelled, export_queue
from flows.labels.formats import read_labels
from flows.labels.load import import_labels
from flows.labels.rows import LabelFormat
from flows.sources.base import Problems
from models import actions, label_queries
from models.run import AuditEntry
from models.session import unit_of_work
from models.written import ExportFile

NOW = datetime.now(UTC)
KEY = "0af3c1d2e4b5968778695a4b3c2d1e0f"
ids = st.lists(st.text("abc", min_size=1, max_size=4), unique=True, max_size=40)


def post(post_id: str) -> dict[str, Any]:
    """The part of an id before the dash is its community."""
    return actions.post_row(
        post_id=post_id, platform="archive", community_id=f"archive:{post_id.partition('-')[0]}", kind="comment", state=PostState.VISIBLE,
        author_key=KEY, parent_id=None, thread_id=None, title="", body=f"I can lend my van, {post_id}",
        permalink=f"https://x.example/{post_id}", score=3, created_at=NOW, content_hash="h", fetched_at=NOW,
    )  # fmt: skip


def to_read(engine: Engine, willing: dict[str, float | None]) -> None:
    readings = [
        {"post_id": post_id, "version": "reading-3", "content_hash": "h", "status": "read" if chance is not None else "sensitive",
         "language": "en", "willing": chance, "is_willing": False, "areas": {"parks": 0.9}, "signals": {"offer": 0.8},
         "evidence": [["offer", 0, 5]]}
        for post_id, chance in willing.items()
    ]  # fmt: skip
    with engine.begin() as connection:
        actions.store_posts(connection, list(map(post, willing)))
        actions.store_readings(connection, readings)


def judge(engine: Engine, *judged: tuple[str, str, list[str]], areas: tuple[str, ...] = ("waste",)) -> None:
    rows = [
        {"post_id": post_id, "labeller": labeller, "areas": list(areas), "signals": signals, "evidence": [[s, 0, 5] for s in signals],
         "is_sensitive": False}
        for post_id, labeller, signals in judged
    ]  # fmt: skip
    with unit_of_work(engine) as session:
        assert actions.store_labels(session, rows, by="ana", origin="desk") == len(rows)


def export(engine: Engine, out: Path, *, limit: int = 100, random_share: float = 0.2, **asked: Any) -> Any:
    doubt: dict[str, Any] = {"threshold": 0.5, "band": (0.0, 1.0), "is_blind": False}
    return export_queue(engine, out, limit=limit, random_share=random_share, **(doubt | asked))


@given(everything=ids, limit=st.integers(1, 50), random_share=st.floats(0.2, 1), data=st.data())
def test_a_queue_is_as_long_as_asked_without_a_post_twice_and_with_its_share_drawn(
    everything: list[str], limit: int, random_share: float, data: st.DataObject
) -> None:
    uncertain = data.draw(st.permutations(everything))[:limit]
    queue = choose_queue(uncertain, iter(everything), limit=limit, random_share=random_share)
    assert len(queue.post_ids) == len(set(queue.post_ids)) == min(limit, len(everything))
    assert set(queue.post_ids) <= set(everything)
    assert min(limit, len(everything)) >= queue.drawn >= min(random_share * limit, len(everything))
    assert queue == choose_queue(uncertain, sorted(everything), limit=limit, random_share=random_share)


def test_the_most_doubtful_comes_first_and_then_what_is_least_like_the_ones_before() -> None:
    alike = {f"waste{number}": {"area waste": 0.9, "signal offer": 0.01 * number} for number in range(8)}
    contents = alike | {"parks": {"area parks": 0.9}, "request": {"area waste": 0.9, "signal request": 0.8}, "nothing": {}}
    assert most_varied(contents, limit=4) == ["waste0", "parks", "nothing", "request"]
    assert sorted(most_varied(contents, limit=100)) == sorted(contents)
    assert most_varied(alike, limit=2) == ["waste0", "waste7"]
    assert most_varied({"a": {}, "b": {}, "c": {}}, limit=2) == ["a", "b"]
    assert most_varied({}, limit=2) == []


def test_the_drawn_part_has_nothing_to_do_with_doubt_and_the_rest_is_the_most_doubtful() -> None:
    everything = [f"p{number:04}" for number in range(1_000)]
    queue = choose_queue(everything[:100], everything, limit=100, random_share=0.2)
    assert queue.drawn == 20
    assert set(everything[:78]) <= set(queue.post_ids)
    far = [post_id for post_id in queue.post_ids if post_id >= "p0100"]
    assert len(far) >= 15
    assert len({post_id[2] for post_id in far}) >= 5
    assert list(queue.post_ids) != sorted(queue.post_ids)


def test_a_queue_takes_what_is_nearest_to_the_threshold_over_all_communities(engine: Engine, tmp_path: Path) -> None:
    far = {f"big-{number:03}": 0.001 * number for number in range(300)}
    near = {f"big-x{number}": 0.5 + 0.01 * number for number in range(8)} | {f"small{number}-1": 0.9 for number in range(8)}
    to_read(engine, far | near | {"big-sensitive": None})
    queue = export(engine, tmp_path / "queue.jsonl", limit=20)
    rows = [json.loads(line) for line in (tmp_path / "queue.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [item["id"] for item in rows] == list(queue.post_ids)
    assert (len(rows), queue.drawn) == (20, 4)
    communities = Counter(item["id"].partition("-")[0] for item in rows)
    assert all(communities[f"small{number}"] for number in range(8))
    assert len(set(near) & set(queue.post_ids)) >= 16
    for item in rows:
        assert set(item) == {"id", "title", "body", "areas", "signals", "evidence", "sensitive", "by"}
        assert (item["body"], item["areas"], item["by"]) == (f"I can lend my van, {item['id']}", None, "")


def test_a_queue_takes_what_is_within_the_band_before_anything_else(engine: Engine, tmp_path: Path) -> None:
    big: dict[str, float | None] = {f"big-{number:02}": 0.2 + 0.005 * number for number in range(40)}
    to_read(engine, big | {f"small{number}-1": 0.55 for number in range(8)})
    queue = export(engine, tmp_path / "queue.jsonl", limit=20, threshold=0.5, band=(0.2, 0.45))
    assert sum(post_id.startswith("big") for post_id in queue.post_ids) >= 16


def test_the_same_store_gives_the_same_queue_and_labelled_posts_leave_it(engine: Engine, tmp_path: Path) -> None:
    to_read(engine, {f"a-{number}": number / 50 for number in range(50)})
    first = export(engine, tmp_path / "1.jsonl", limit=10)
    assert export(engine, tmp_path / "2.jsonl", limit=10) == first
    judge(engine, *((post_id, "ana", []) for post_id in first.post_ids))
    assert not set(first.post_ids) & set(export(engine, tmp_path / "3.jsonl", limit=10).post_ids)


@pytest.mark.parametrize("format_", LabelFormat)
def test_no_key_and_no_place_of_a_person_leaves_the_store(engine: Engine, format_: LabelFormat, tmp_path: Path) -> None:
    to_read(engine, {"a-1": 0.5, "a-2": 0.5})
    judge(engine, ("a-2", "ana", ["offer"]))
    export(engine, tmp_path / "queue", given=format_)
    export_labelled(engine, tmp_path / "labelled", limit=None, given=format_)
    for name in ("queue", "labelled"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "I can lend my van" in text
        assert KEY not in text
        assert "x.example" not in text


def test_a_blind_queue_has_no_suggestions(engine: Engine, tmp_path: Path) -> None:
    to_read(engine, {"a-1": 0.5})
    for is_blind in (False, True):
        path = tmp_path / f"{is_blind}.json"
        export(engine, path, limit=1, is_blind=is_blind, given=LabelFormat.ARGILLA)
        suggestions = json.loads(path.read_text(encoding="utf-8"))[0]["suggestions"]
        assert set(suggestions) == (set() if is_blind else {"areas", "signals", "evidence"})


@pytest.mark.parametrize("format_", LabelFormat)
def test_what_is_labelled_leaves_and_comes_back_as_it_was(engine: Engine, format_: LabelFormat, tmp_path: Path) -> None:
    to_read(engine, {f"archive:t1_{number}": 0.5 for number in range(3)})
    judge(engine, ("archive:t1_0", "ana", ["offer", "seek"]), ("archive:t1_0", "ben", []), ("archive:t1_1", "ben", ["complaint"]))
    with engine.connect() as connection:
        before = [dict(row._mapping) for row in label_queries.labelled_posts(connection)]
    assert export_labelled(engine, tmp_path / "labelled", limit=None, given=format_) == 2
    judge(engine, ("archive:t1_0", "ana", []), ("archive:t1_1", "ben", []), areas=())
    result = import_labels(engine, tmp_path / "labelled", by="importer")
    assert (result.format, result.labels, result.problems.by_kind()) == (format_, 3, {})
    with engine.connect() as connection:
        after = [dict(row._mapping) for row in label_queries.labelled_posts(connection)]
    assert after == [row | {"origin": "labelled"} for row in before]


def test_as_many_labelled_posts_leave_as_asked_each_with_all_its_labels(engine: Engine, tmp_path: Path) -> None:
    to_read(engine, {f"a-{number}": 0.5 for number in range(9)})
    judge(engine, *((f"a-{number}", name, []) for number in range(9) for name in ("ana", "ben")))
    assert export_labelled(engine, tmp_path / "labelled.jsonl", limit=4) == 4
    rows = read_labels(tmp_path / "labelled.jsonl", Problems()).rows
    assert [(row.post_id, row.labeller) for _, row in rows] == [(f"a-{number}", name) for number in range(4) for name in ("ana", "ben")]


def test_an_empty_store_says_what_to_run(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"nothing to label: .* run: coprod listen"):
        export(engine, tmp_path / "queue.jsonl")
    with pytest.raises(RequestError, match=r"nothing is labelled yet; run: coprod labels export"):
        export_labelled(engine, tmp_path / "labelled.jsonl", limit=None)
    assert list(tmp_path.glob("*.jsonl")) == []


def test_a_file_whose_format_is_not_clear_is_refused_before_it_is_noted_as_exported(engine: Engine, tmp_path: Path) -> None:
    to_read(engine, {"a-1": 0.5, "a-2": 0.5})
    judge(engine, ("a-2", "ana", ["offer"]))
    with pytest.raises(RequestError, match="give --format"):
        export(engine, tmp_path / "queue.json")
    with pytest.raises(RequestError, match="give --format"):
        export_labelled(engine, tmp_path / "labelled.json", limit=None)
    with engine.connect() as connection:
        noted = list(connection.scalars(select(col(AuditEntry.action)))) + list(connection.scalars(select(col(ExportFile.path))))
    assert noted == ["store_labels"]


def test_labellers_are_compared_on_the_words_that_posts_hold_now(engine: Engine) -> None:
    to_read(engine, {f"a-{number}": 0.5 for number in range(4)})
    judge(
        engine, ("a-0", "ana", ["offer"]), ("a-0", "ben", ["offer"]), ("a-1", "ana", ["offer"]), ("a-1", "ben", []), ("a-2", "ana", []),
        ("a-2", "ben", []), ("a-3", "ana", []), ("a-2", "cara", ["seek"]),
    )  # fmt: skip
    found = compare_labellers(engine)
    assert set(found.agreements) == {("ana", "ben"), ("ana", "cara"), ("ben", "cara")}
    willing = found.agreements["ana", "ben"]["willing"]
    assert (willing.n, willing.both, willing.first_only, willing.second_only, round(willing.kappa, 2)) == (3, 1, 1, 0, 0.4)
    assert (found.several, found.disputed) == (3, 1)
    with engine.begin() as connection:
        actions.store_posts(connection, [post("a-1") | {"body": "sold", "content_hash": "i"}])
    again = compare_labellers(engine)
    assert (again.several, again.disputed) == (2, 0)
