"""Our own shape, as JSON lines and as CSV: one row a judgement, or a row to fill in."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from coprod_nlp.cells import guarded, unguarded
from coprod_nlp.text.spans import is_place
from flows.labels.records import as_lines
from flows.labels.rows import (
    GivenLabels,
    LabelRow,
    PostToWrite,
    Record,
    RowError,
    RowProblem,
    Span,
    list_in,
    names_in,
    object_in,
    text_in,
    truth_in,
)

COLUMNS = ("id", "title", "body", "areas", "signals", "evidence", "sensitive", "by")
ANSWERS = ("areas", "signals", "sensitive")
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


def is_own(record: Record) -> bool:
    return any(key in record for key in ANSWERS)


def read_own(record: Record) -> list[LabelRow]:
    """A row in which nothing is answered is still to be labelled; an empty list is an answer."""
    if all(record.get(key) in (None, "") for key in ANSWERS):
        raise RowError(RowProblem.NOT_LABELLED)
    row = LabelRow(
        post_id=text_in(record.get("id")).strip(),
        title=text_in(record.get("title")),
        body=text_in(record.get("body") or record.get("text")),
        labeller=text_in(record.get("by")).strip(),
        areas=names_in(record.get("areas")),
        signals=names_in(record.get("signals")),
        evidence=tuple(map(_span, list_in(record.get("evidence")))),
        is_sensitive=truth_in(record.get("sensitive")),
    )
    return [row]


def read_table_row(record: Record) -> list[LabelRow]:
    cells = {name: unguarded(cell) for name, cell in record.items()}
    return read_own({**cells, "evidence": _evidence_in(cells.get("evidence", ""))})


def write_lines(items: Iterable[PostToWrite]) -> Iterator[str]:
    return as_lines(_row(item, given) for item in items for given in item.given or (None,))


def write_table(items: Iterable[PostToWrite]) -> Iterator[str]:
    """With a byte order mark, without which spreadsheets take the file for Windows-1252."""
    yield BYTE_ORDER_MARK + _line(COLUMNS)
    for item in items:
        for given in item.given or (None,):
            row = _row(item, given)
            cells = row | {"areas": ";".join(row["areas"] or ()), "signals": ";".join(row["signals"] or ())}
            cells["evidence"] = "\n".join(f"{span['signal']}: {' '.join(span['text'].split())}" for span in row["evidence"] or ())
            cells["sensitive"] = "" if given is None else str(given.is_sensitive).lower()
            yield _line([guarded(cells[name]) for name in COLUMNS])


def _row(item: PostToWrite, given: GivenLabels | None) -> dict[str, Any]:
    post = item.post
    row: dict[str, Any] = {"id": post.post_id, "title": post.title, "body": post.body}
    if given is None:
        return row | {"areas": None, "signals": None, "evidence": None, "sensitive": None, "by": ""}
    evidence = [{"signal": signal, "text": post.text[start:end], "start": start} for signal, start, end in given.evidence]
    return row | {
        "areas": list(given.areas), "signals": list(given.signals), "evidence": evidence, "sensitive": given.is_sensitive,
        "by": given.labeller,
    }  # fmt: skip


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _span(item: Any) -> Span:
    item = object_in(item)
    start = item.get("start")
    return Span(text_in(item.get("signal")).strip(), text_in(item.get("text")), start if is_place(start) else None)


def _evidence_in(cell: str) -> list[dict[str, Any]]:
    """From a cell: a line each, `signal: words`."""
    parts = (line.partition(":") for line in cell.splitlines() if line.strip())
    return [{"signal": signal, "text": words} for signal, _, words in parts]
