"""Exported files when a post in them goes: its words leave the file, however it was saved since, or the file goes whole."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from coprod_nlp.vocabulary import PostState
from flows.exports import cut_export
from flows.labels.export import export_labelled
from flows.labels.formats import read_labels
from flows.labels.rows import LabelFormat
from flows.sources.base import Problems
from models import actions, removal, right_queries
from models.base import utc_now
from models.session import unit_of_work


def _pretty(text: str, *, is_list: bool = True) -> str:
    items = [json.loads(line) for line in text.rstrip().split("\n")]
    return "\n".join(json.dumps(item, indent=2, ensure_ascii=False) for item in ([items] if is_list else items))


def _by(delimiter: str) -> Callable[[str], str]:
    def saved(text: str) -> str:
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter).writerows(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
        return out.getvalue()

    return saved


# What programs make of a file when they save it: format, change of the text, encoding.
SAVED: dict[str, tuple[LabelFormat, Callable[[str], str], str]] = {
    "as_exported": (LabelFormat.JSONL, str, "utf-8"),
    "notepad_with_a_mark": (LabelFormat.JSONL, str, "utf-8-sig"),
    "notepad_utf_16": (LabelFormat.JSONL, str, "utf-16"),
    "an_empty_line_first": (LabelFormat.JSONL, "\n{}".format, "utf-8"),
    "lines_as_a_pretty_list": (LabelFormat.JSONL, _pretty, "utf-8"),
    "a_list_with_a_mark": (LabelFormat.ARGILLA, str, "utf-8-sig"),
    "ids_escaped": (LabelFormat.JSONL, lambda text: text.replace("archive:", "archive\\u003a"), "utf-8"),
    "excel_utf_8": (LabelFormat.CSV, _by(","), "utf-8-sig"),
    "excel_with_semicolons": (LabelFormat.CSV, _by(";"), "utf-8-sig"),
    "excel_unicode_text": (LabelFormat.CSV, _by("\t"), "utf-16"),
    "a_table_after_an_empty_line": (LabelFormat.CSV, lambda text: "\r\n" + _by(";")(text), "utf-8"),
}


@pytest.mark.parametrize(("format_", "change", "encoding"), SAVED.values(), ids=SAVED)
def test_what_had_to_go_leaves_a_file_however_it_was_saved_and_the_rest_can_be_imported(
    engine: Engine, format_: LabelFormat, change: Callable[[str], str], encoding: str, tmp_path: Path
) -> None:
    path = labelled_file(engine, tmp_path, format_)
    path.write_bytes(change(path.read_text(encoding="utf-8")).encode(encoding))
    assert lose(engine, path, "archive:t1_1")
    text = path.read_bytes().decode(encoding)
    assert ("I can lend my van, archive:t1_1" in text, text.count("I can lend my van")) == (False, 2)
    assert sorted({row.post_id for _, row in read_labels(path, Problems()).rows}) == ["archive:t1_0", "archive:t1_2"]


# Formats and changes after which nobody can say whose words stand where.
UNCLEAR: dict[str, tuple[LabelFormat, Callable[[str], str]]] = {
    "a_pretty_record_after_another": (LabelFormat.JSONL, lambda text: _pretty(text, is_list=False)),
    "a_line_cut_in_two": (LabelFormat.JSONL, lambda text: text.replace(', "body"', ',\n"body"')),
    "without_ids": (LabelFormat.JSONL, lambda text: text.replace("archive:t1_1", "")),
    "a_table_without_ids": (LabelFormat.CSV, lambda text: text.replace("archive:t1_", "")),
    "a_table_without_a_header": (LabelFormat.CSV, lambda text: text.partition("\n")[2]),
    "another_delimiter": (LabelFormat.CSV, _by("|")),
    "a_quote_that_does_not_close": (LabelFormat.CSV, lambda text: text.replace('yes"', "yes", 1)),
    "a_list_that_ends_in_the_middle": (LabelFormat.ARGILLA, lambda text: text[:-9]),
    "empty": (LabelFormat.JSONL, lambda _: "\n"),
}  # fmt: skip


@pytest.mark.parametrize(("format_", "change"), UNCLEAR.values(), ids=UNCLEAR)
def test_a_file_in_which_records_cannot_be_told_apart_is_removed_whole(
    engine: Engine, format_: LabelFormat, change: Callable[[str], str], tmp_path: Path
) -> None:
    path = labelled_file(engine, tmp_path, format_)
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8", newline="")
    assert not lose(engine, path, "archive:t1_1")
    assert not path.exists()


def labelled_file(engine: Engine, folder: Path, format_: LabelFormat) -> Path:
    """An exported file of three posts, each with a label."""
    names = [f"archive:t1_{number}" for number in range(3)]
    posts = [
        actions.post_row(
            post_id=name, platform="archive", community_id="archive:town", kind="comment", state=PostState.VISIBLE, author_key="anna",
            parent_id=None, thread_id=None, title="", body=f"I can lend my van, {name}\u2028or two;\tyes", permalink="", score=None,
            created_at=None, content_hash="h", fetched_at=utc_now(),
        )
        for name in names
    ]  # fmt: skip
    label: dict[str, Any] = {"labeller": "ana", "areas": ["waste"], "signals": [], "evidence": [], "is_sensitive": False}
    with unit_of_work(engine) as session:
        actions.store_posts(session.connection(), posts)
        actions.store_labels(session, [label | {"post_id": name} for name in names], by="ana", origin="desk")
    path = folder / "labelled"
    export_labelled(engine, path, limit=None, given=format_)
    return path


def lose(engine: Engine, path: Path, post_id: str) -> bool:
    """Whether the file was cut, after a post in it was deleted at its source."""
    with engine.begin() as connection:
        removal.empty_posts(connection, {post_id: PostState.DELETED})
        (export,) = right_queries.stale_exports(connection)
    return cut_export(engine, export, by="dpo")
