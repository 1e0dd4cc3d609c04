"""Argilla's records as JSON: fields, responses by question, suggestions.

The data set has a text field `text`, multi-label questions `areas` and `signals`, a label question `sensitive` (yes, no) and a span
question `evidence`. Offsets are in UTF-16 units, as in the browser. Records of version 1 are read too.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from coprod_nlp.text.spans import units, words_at
from flows.labels.records import as_list
from flows.labels.rows import (
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
    object_in,
    text_in,
    truth_in,
)

PREFIX = "argilla:"
# A status may be anything in a file, also what no set can be asked for.
DONE = (None, "submitted")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
Answers = dict[str, dict[str, Any]]


def is_argilla(record: Record) -> bool:
    return isinstance(record.get("fields"), dict)


def read_argilla(record: Record) -> list[LabelRow]:
    """A row for each user who submitted an answer."""
    fields = object_in(record.get("fields"))
    title, body = text_in(fields.get("title")), text_in(fields.get("body"))
    if text := text_in(fields.get("text")):
        title, body = "", text
    answers = _answers(record.get("responses"))
    if not answers:
        raise RowError(RowProblem.NOT_LABELLED)
    post_id = text_in(record.get("id") or record.get("external_id")).strip()
    return [_row(LabelRow(post_id, title, body), user, given) for user, given in answers.items()]


def _answers(responses: Any) -> Answers:
    """What each user answered to each question."""
    found: Answers = {}
    if isinstance(responses, dict):
        for question, given in responses.items():
            for response in map(object_in, list_in(given)):
                if response.get("status") in DONE:
                    found.setdefault(text_in(response.get("user_id")), {})[question] = response.get("value")
        return found
    for response in map(object_in, list_in(responses)):
        if response.get("status") in DONE:
            values = object_in(response.get("values") or {})
            found[text_in(response.get("user_id"))] = {name: object_in(value).get("value") for name, value in values.items()}
    return found


def _row(row: LabelRow, user: str, given: dict[str, Any]) -> LabelRow:
    return LabelRow(
        row.post_id, row.title, row.body, labeller=_labeller(user), areas=names_in(given.get("areas")),
        signals=names_in(given.get("signals")),
        evidence=tuple(_span(row.text, object_in(mark)) for mark in list_in(given.get("evidence"))),
        is_sensitive=truth_in(given.get(SENSITIVE)),
    )  # fmt: skip


def _span(text: str, mark: Record) -> Span:
    words, place = words_at(text, mark.get("start"), mark.get("end"), in_units=True)
    return Span(text_in(mark.get("label")).strip(), words, place)


def _labeller(user: str) -> str:
    """Its own users are known by a UUID, never by a name."""
    return f"{PREFIX}{user}" if _UUID.fullmatch(user) else user


def write_argilla(items: Iterable[PostToWrite]) -> Iterator[str]:
    return as_list(map(_record, items))


def _record(item: PostToWrite) -> dict[str, Any]:
    text = item.post.text
    responses: dict[str, list[dict[str, Any]]] = {}
    for given in item.given:
        values = _values(text, given) | {SENSITIVE: "yes" if given.is_sensitive else "no"}
        for question, value in values.items():
            user = given.labeller.removeprefix(PREFIX)
            responses.setdefault(question, []).append({"value": value, "user_id": user, "status": "submitted"})
    suggestions = {}
    if item.suggested:
        values = _values(text, item.suggested)
        suggestions = {name: {"value": value, "score": None, "agent": item.suggested.labeller} for name, value in values.items()}
    record = {"id": item.post.post_id, "fields": {"text": text}, "metadata": {}, "vectors": {}}
    return record | {"suggestions": suggestions, "responses": responses}


def _values(text: str, given: GivenLabels) -> dict[str, Any]:
    """Answers by question; Argilla takes no empty list for one."""
    marks = [{"start": units(text, start), "end": units(text, end), "label": signal} for signal, start, end in given.evidence]
    return {name: value for name, value in (("areas", list(given.areas)), ("signals", list(given.signals)), ("evidence", marks)) if value}
