"""Upsert: rows go in once, are overwritten by newer ones, and are left alone where nothing changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlmodel import SQLModel, col

from models.base import utc_now
from models.bulk import among, upsert
from models.interaction import Interaction
from models.lead import Network, NetworkVoice
from models.post import Post, PostReading

THEN = datetime(2026, 5, 1, 9, 30, 0, 123456, tzinfo=UTC)
LATER = THEN + timedelta(days=3)


def post(post_id: str, **changed: Any) -> dict[str, Any]:
    return {
        "post_id": post_id, "platform": "sample", "community_id": "sample:town", "kind": "comment", "state": "visible", "author_key": "a",
        "parent_id": None, "thread_id": None, "title": "", "body": "Bin day", "permalink": "", "score": 3, "created_at": THEN,
        "content_hash": "h1", "fetched_at": THEN,
    } | changed  # fmt: skip


def put(engine: Engine, *rows: dict[str, Any], table: type[SQLModel] = Post, unless_same: tuple[str, ...] = ()) -> None:
    with engine.begin() as connection:
        upsert(connection, table, rows, unless_same=unless_same)


def stored(engine: Engine, table: type[SQLModel] = Post) -> dict[str, dict[str, Any]]:
    """Rows by their first column."""
    with engine.connect() as connection:
        rows = [dict(row._mapping) for row in connection.execute(select(table.__table__))]  # type: ignore[attr-defined]
    return {next(iter(row.values())): row for row in rows}


def test_new_rows_are_inserted_as_they_are(engine: Engine) -> None:
    rows = [post("p1"), post("p2", author_key=None, score=None, created_at=None)]
    put(engine, *rows)
    assert stored(engine) == {row["post_id"]: row for row in rows}


def test_a_row_with_a_known_key_is_overwritten_in_every_other_column(engine: Engine) -> None:
    put(engine, post("p1"), post("p2"))
    newer = post(
        "p1", body="Bin day moved", author_key=None, score=-1, created_at=None, content_hash="h2", fetched_at=LATER, state="removed"
    )
    put(engine, newer, post("p3"))
    assert stored(engine) == {"p1": newer, "p2": post("p2"), "p3": post("p3")}


def test_a_row_whose_telling_column_is_the_same_is_left_alone(engine: Engine) -> None:
    put(engine, post("p1"))
    put(engine, post("p1", fetched_at=LATER, score=99), unless_same=("content_hash",))
    assert stored(engine)["p1"] == post("p1")


def test_a_row_whose_telling_column_changed_is_overwritten_whole(engine: Engine) -> None:
    put(engine, post("p1"), post("p2"))
    newer = post("p1", content_hash="h2", fetched_at=LATER, score=99)
    put(engine, newer, post("p2", fetched_at=LATER), unless_same=("content_hash",))
    assert stored(engine) == {"p1": newer, "p2": post("p2")}


def test_an_empty_telling_column_equals_only_an_empty_one(engine: Engine) -> None:
    cases = {"empty stays empty": (None, None), "filled": (None, "a"), "emptied": ("a", None), "same": ("a", "a"), "other": ("a", "b")}
    put(engine, *(post(name, author_key=before) for name, (before, _) in cases.items()))
    put(engine, *(post(name, author_key=after, score=99) for name, (_, after) in cases.items()), unless_same=("author_key",))
    assert {name for name, row in stored(engine).items() if row["score"] == 99} == {"filled", "emptied", "other"}


def test_with_several_telling_columns_one_that_differs_is_enough(engine: Engine) -> None:
    put(engine, post("p1"), post("p2"), post("p3"))
    changed = (post("p1", score=99, content_hash="h2"), post("p2", score=99, state="removed"), post("p3", score=99))
    put(engine, *changed, unless_same=("content_hash", "state"))
    assert {name for name, row in stored(engine).items() if row["score"] == 99} == {"p1", "p2"}


def test_keys_of_several_columns_are_compared_as_a_whole(engine: Engine) -> None:
    def meeting(target: str, moment: datetime | None) -> dict[str, Any]:
        return {"kind": "reply", "anchor_id": "p1", "source_key": "a", "target_key": target, "community_id": "c", "happened_at": moment}

    put(engine, meeting("b", THEN), meeting("c", None), table=Interaction)
    put(engine, meeting("b", LATER), table=Interaction)
    with engine.connect() as connection:
        rows = connection.execute(select(col(Interaction.target_key), col(Interaction.happened_at)).order_by(col(Interaction.target_key)))
        assert [tuple(row) for row in rows] == [("b", LATER), ("c", None)]


def test_a_table_of_keys_only_takes_the_same_row_twice(engine: Engine) -> None:
    network = {"network_id": "n1", "scope": "s", "council": "c", "area": "parks", "voices": 3, "willing_voices": 3, "ties": 3}
    put(engine, network | {"first_seen_at": utc_now(), "change": "new", "origins": []}, table=Network)
    for _ in range(2):
        put(engine, {"network_id": "n1", "author_key": "a"}, {"network_id": "n1", "author_key": "b"}, table=NetworkVoice)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(NetworkVoice)) == 2


def test_no_rows_change_nothing(engine: Engine) -> None:
    put(engine, post("p1"))
    put(engine)
    assert stored(engine) == {"p1": post("p1")}


def test_structured_columns_come_back_as_they_went_in(engine: Engine) -> None:
    put(engine, post("p1"))
    reading = {
        "post_id": "p1", "version": "v", "content_hash": "h1", "status": "read", "language": "en", "willing": 0.25, "is_willing": True,
        "areas": {"parks": 0.5}, "signals": {}, "evidence": [["offer", 0, 7]],
    }  # fmt: skip
    put(engine, reading, table=PostReading)
    put(engine, reading | {"areas": {}, "evidence": [], "willing": None}, table=PostReading)
    assert stored(engine, PostReading) == {"p1": reading | {"areas": {}, "evidence": [], "willing": None}}


def test_a_row_that_lacks_what_the_first_one_has_is_refused_and_none_is_stored(engine: Engine) -> None:
    with pytest.raises(KeyError, match="score"):
        put(engine, post("p1"), {name: value for name, value in post("p2").items() if name != "score"})
    assert stored(engine) == {}


def test_a_column_that_every_row_leaves_out_takes_its_default_and_stays_as_it_is(engine: Engine) -> None:
    put(engine, *({name: value for name, value in post(post_id).items() if name != "permalink"} for post_id in ("p1", "p2")))
    assert {row["permalink"] for row in stored(engine).values()} == {""}
    put(engine, post("p1", permalink="/r/town/p1"))
    put(engine, {name: value for name, value in post("p1", score=99).items() if name != "permalink"})
    assert stored(engine)["p1"] == post("p1", score=99, permalink="/r/town/p1")


def test_columns_that_are_to_be_kept_stay_as_they_are(engine: Engine) -> None:
    put(engine, post("p1"))
    with engine.begin() as connection:
        upsert(connection, Post, [post("p1", body="Bin day moved", fetched_at=LATER), post("p2")], kept=("fetched_at",))
    assert stored(engine) == {"p1": post("p1", body="Bin day moved"), "p2": post("p2")}


def test_any_ids_are_found_however_many_are_asked_for(engine: Engine) -> None:
    here = ["'); DROP TABLE post; --", '"quoted"', "naïve 🌳 好", "back\\slash", "%(body)s", ""]
    put(engine, *map(post, here), post("other"))
    with engine.connect() as connection:
        for wanted, found in ((here, here), ([*here, *(f"absent {number}" for number in range(40_000))], here), ([], [])):
            ids = connection.scalars(select(col(Post.post_id)).where(among(connection, col(Post.post_id), wanted)))
            assert sorted(ids) == sorted(found)


def test_any_words_come_back_as_they_went_in(engine: Engine) -> None:
    hostile = ["'); DROP TABLE post; --", "100 % of :us", "naïve 🌳 好", "a\nb\r\n\tc", "\\N \\' %(body)s", "x" * 100_000, ""]
    rows = [post(f"p{place}", title=words, body=words) for place, words in enumerate(hostile)]
    put(engine, *(row | {"body": "before"} for row in rows))
    put(engine, *rows)
    assert stored(engine) == {row["post_id"]: row for row in rows}


def test_thousands_of_rows_go_in_and_are_overwritten_at_once(engine: Engine) -> None:
    put(engine, *(post(f"p{number}") for number in range(3_000)))
    put(engine, *(post(f"p{number}", content_hash=f"h{number % 2}") for number in range(1_000, 4_000)), unless_same=("content_hash",))
    with engine.connect() as connection:
        counts = connection.execute(select(col(Post.content_hash), func.count()).group_by(col(Post.content_hash)))
        assert {row[0]: row[1] for row in counts} == {"h0": 1_500, "h1": 2_500}
