"""Label Studio's JSON: tasks with annotations.

The project has a Text `text`, Choices for `areas`, `signals` and `sensitive`, and Labels for `evidence`; what a choice means is told by
its own name, so controls may be called otherwise.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from coprod_nlp.text.spans import words_at
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

PREFIX = "label_studio:"


def is_task(record: Record) -> bool:
    return isinstance(record.get("data"), dict)


def read_task(record: Record) -> list[LabelRow]:
    """A row for each annotation that was not skipped."""
    data = object_in(record.get("data"))
    title, body = text_in(data.get("title")), text_in(data.get("body"))
    if text := text_in(data.get("text")):
        title, body = "", text
    post_id = text_in(data.get("post_id") or data.get("id")).strip()
    done = [item for item in map(object_in, list_in(record.get("annotations"))) if not item.get("was_cancelled")]
    if not done:
        raise RowError(RowProblem.NOT_LABELLED)
    return [_row(LabelRow(post_id, title, body), item) for item in done]


def _row(row: LabelRow, annotation: Record) -> LabelRow:
    choices: dict[str, list[str]] = {"areas": [], "signals": [], "": []}
    evidence: list[Span] = []
    is_sensitive = False
    for result in map(object_in, list_in(annotation.get("result"))):
        name, value = text_in(result.get("from_name")), object_in(result.get("value") or {})
        ticked = names_in(value.get("choices"))
        if name == SENSITIVE:
            is_sensitive = is_sensitive or truth_in(list(ticked))
        else:
            choices[name if name in choices else ""] += ticked
        evidence += [_span(row.text, label, value) for label in names_in(value.get("labels"))]
    return LabelRow(
        row.post_id, row.title, row.body, labeller=_labeller(annotation), areas=tuple(choices["areas"]), signals=tuple(choices["signals"]),
        ticks=tuple(choices[""]), evidence=tuple(evidence), is_sensitive=is_sensitive,
    )  # fmt: skip


def _span(text: str, label: str, value: Record) -> Span:
    """By the words that the tool gives along; it counts in characters, and its older versions in UTF-16 units."""
    start, end, words = value.get("start"), value.get("end"), text_in(value.get("text"))
    for in_units in (False, True):
        found, place = words_at(text, start, end, in_units=in_units)
        if found and (not words or found == words):
            return Span(label, found, place)
    return Span(label, words)


def _labeller(annotation: Record) -> str:
    """Our own word for who it was, else the tool's number for its user, never a name or an address."""
    user = annotation.get("completed_by")
    number = user.get("id") if isinstance(user, dict) else user
    return text_in(annotation.get("labeller")).strip() or (f"{PREFIX}{number}" if isinstance(number, int) else "")


def write_tasks(items: Iterable[PostToWrite]) -> Iterator[str]:
    return as_list(map(_task, items))


def _task(item: PostToWrite) -> dict[str, Any]:
    text = item.post.text
    task: dict[str, Any] = {"data": {"text": text, "post_id": item.post.post_id}}
    if item.given:
        # Without `completed_by`: Label Studio refuses a whole file for one number that it does not know.
        task["annotations"] = [{"labeller": given.labeller, "result": list(_results(text, given))} for given in item.given]
    if item.suggested:
        task["predictions"] = [{"model_version": item.suggested.labeller, "result": list(_results(text, item.suggested))}]
    return task


def _results(text: str, given: GivenLabels) -> Iterator[dict[str, Any]]:
    answers = {"areas": given.areas, "signals": given.signals, SENSITIVE: (SENSITIVE,) if given.is_sensitive else ()}
    for name, choices in answers.items():
        if choices:
            yield {"id": name, "from_name": name, "to_name": "text", "type": "choices", "value": {"choices": list(choices)}}
    for number, (signal, start, end) in enumerate(given.evidence):
        value = {"start": start, "end": end, "text": text[start:end], "labels": [signal]}
        yield {"id": f"evidence-{number}", "from_name": "evidence", "to_name": "text", "type": "labels", "value": value}
