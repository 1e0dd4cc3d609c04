"""doccano's JSON lines: `text`, categories in `cats`, spans in `entities` (its projects for intent detection and slot filling).

Those of its other projects, `label` or `labels` as categories or as spans, are read too. An empty list cannot be told from a message that
nobody has looked at: one with nothing to tick has the category `none`. Offsets are in UTF-16 units, as in the browser.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from coprod_nlp.text.spans import units, words_at
from flows.labels.records import as_lines
from flows.labels.rows import (
    NOTHING,
    SENSITIVE,
    GivenLabels,
    LabelRow,
    PostToWrite,
    Record,
    RowError,
    RowProblem,
    Span,
    list_in,
    names_in,
    text_in,
)

KEYS = ("label", "labels", "cats", "entities")
CATEGORY_KEYS = ("label", "labels", "cats", "areas", "signals")
SPAN_KEYS = ("label", "labels", "entities")


def is_doccano(record: Record) -> bool:
    return "text" in record and any(key in record for key in KEYS)


def read_doccano(record: Record) -> list[LabelRow]:
    """One row; extra columns that a project carried along, `post_id` and `by`, are kept by doccano."""
    text = text_in(record.get("text"))
    ticks = [name for key in CATEGORY_KEYS for item in list_in(record.get(key)) if isinstance(item, str) for name in names_in([item])]
    marks = [item for key in SPAN_KEYS for item in list_in(record.get(key)) if not isinstance(item, str)]
    if not ticks and not marks:
        raise RowError(RowProblem.NOT_LABELLED)
    # Its own id is a number, which says nothing here.
    own_id = record.get("id")
    row = LabelRow(
        post_id=text_in(record.get("post_id") or (own_id if isinstance(own_id, str) else None)).strip(),
        title="",
        body=text,
        labeller=text_in(record.get("by")).strip(),
        ticks=tuple(name for name in ticks if name.lower() not in {NOTHING, SENSITIVE}),
        evidence=tuple(_span(text, mark) for mark in marks),
        is_sensitive=any(name.lower() == SENSITIVE for name in ticks),
    )
    return [row]


def _span(text: str, mark: Any) -> Span:
    """`[start, end, label]`, or the object that projects with relations export."""
    if isinstance(mark, dict):
        mark = [mark.get("start_offset"), mark.get("end_offset"), mark.get("label")]
    if not isinstance(mark, list) or len(mark) != 3:
        raise RowError(RowProblem.MALFORMED_ROW)
    words, place = words_at(text, mark[0], mark[1], in_units=True)
    return Span(text_in(mark[2]).strip(), words, place)


def write_doccano(items: Iterable[PostToWrite]) -> Iterator[str]:
    return as_lines(_row(item, given) for item in items for given in item.given or (None,))


def _row(item: PostToWrite, given: GivenLabels | None) -> dict[str, Any]:
    text = item.post.text
    row: dict[str, Any] = {"text": text, "post_id": item.post.post_id, "cats": [], "entities": []}
    if given is None:
        return row
    ticks = [*given.areas, *given.signals, *([SENSITIVE] if given.is_sensitive else [])]
    marks = [[units(text, start), units(text, end), signal] for signal, start, end in given.evidence]
    return row | {"cats": ticks or [NOTHING], "entities": marks, "by": given.labeller}
