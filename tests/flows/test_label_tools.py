"""What Label Studio, doccano and Argilla export is understood, whatever else their files hold; words are found where they count them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coprod_nlp.text.spans import characters, find_words, units, words_at
from flows.labels.formats import LabelFile, read_labels
from flows.labels.rows import LabelFormat, LabelRow, Span
from flows.sources.base import Problems

Reader = Callable[..., tuple[LabelFile, dict[str, int]]]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Reads content as a file; the problems by kind."""

    def read_content(content: str | bytes, name: str = "labels.json", **asked: Any) -> tuple[LabelFile, dict[str, int]]:
        path, problems = tmp_path / name, Problems()
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_labels(path, problems, **asked), problems.by_kind()

    return read_content


def one(found: tuple[LabelFile, dict[str, int]]) -> LabelRow:
    (file, problems) = found
    assert problems == {}
    ((_, row),) = file.rows
    return row


# --- Label Studio


def result(name: str, kind: str, **value: Any) -> dict[str, Any]:
    return {"id": "x1", "from_name": name, "to_name": "text", "type": kind, "origin": "manual", "value": value}


def task(*results: dict[str, Any], text: str = "I can help 🙂 on Saturday", **annotation: Any) -> dict[str, Any]:
    return {
        "id": 31, "project": 4, "data": {"text": text, "post_id": "reddit:t3_a"}, "predictions": [],
        "annotations": [{"id": 9, "completed_by": 7, "was_cancelled": False, "ground_truth": False, "result": list(results)} | annotation],
    }  # fmt: skip


def test_an_annotation_of_label_studio_is_read(read: Reader) -> None:
    exported = task(
        result("areas", "choices", choices=["parks", "waste"]),
        result("signals", "choices", choices=["offer"]),
        result("sensitive", "choices", choices=["sensitive"]),
        result("evidence", "labels", start=13, end=24, text="on Saturday", labels=["offer"]),
    )
    row = one(read(json.dumps([exported])))
    assert (row.post_id, row.body, row.labeller) == ("reddit:t3_a", "I can help 🙂 on Saturday", "label_studio:7")
    assert (row.areas, row.signals, row.ticks, row.is_sensitive) == (("parks", "waste"), ("offer",), (), True)
    assert row.evidence == (Span("offer", "on Saturday", 13),)


@pytest.mark.parametrize(
    ("value", "span"),
    [
        pytest.param({"start": 14, "end": 25, "text": "on Saturday"}, Span("offer", "on Saturday", 13), id="an old version counts pairs"),
        pytest.param({"start": 13, "end": 24}, Span("offer", "on Saturday", 13), id="no words given"),
        pytest.param({"start": 2, "end": 4, "text": "on Sunday"}, Span("offer", "on Sunday"), id="words that stand elsewhere"),
        pytest.param({"start": 90, "end": 99}, Span("offer", ""), id="beyond the end"),
        pytest.param({"start": "0", "end": None, "text": "I can"}, Span("offer", "I can"), id="places that are none"),
    ],
)
def test_words_count_for_more_than_places_in_label_studio(value: dict[str, Any], span: Span, read: Reader) -> None:
    assert one(read(json.dumps([task(result("evidence", "labels", labels=["offer"], **value))]))).evidence == (span,)


def test_choices_of_other_controls_are_told_by_their_own_names(read: Reader) -> None:
    row = one(read(json.dumps([task(result("topic", "choices", choices=["parks", "offer"]))])))
    assert (row.areas, row.ticks) == ((), ("parks", "offer"))


@pytest.mark.parametrize(
    ("user", "labeller"),
    [(7, "label_studio:7"), ({"id": 8, "email": "a@x.example", "first_name": "A"}, "label_studio:8"), (None, "")],
    ids=["a number", "a person", "nobody"],
)
def test_users_of_label_studio_are_known_by_their_number_alone(user: Any, labeller: str, read: Reader) -> None:
    assert one(read(json.dumps([task(completed_by=user)]))).labeller == labeller


def test_each_annotation_is_a_row_and_skipped_ones_are_none(read: Reader) -> None:
    twice = task()
    twice["annotations"] += [{"completed_by": 8, "result": []}, {"completed_by": 9, "was_cancelled": True, "result": []}]
    skipped, untouched = task(was_cancelled=True), {"data": {"text": "x"}}
    file, problems = read(json.dumps([skipped, twice, untouched]))
    assert [(number, row.labeller) for number, row in file.rows] == [(2, "label_studio:7"), (2, "label_studio:8")]
    assert problems == {"not_labelled": 2}


# --- doccano


@pytest.mark.parametrize(
    ("record", "row"),
    [
        pytest.param(
            {"id": 3, "text": "🙂 I can", "post_id": "reddit:t3_a", "cats": ["parks", "Sensitive"], "entities": [[3, 8, "offer"]]},
            LabelRow("reddit:t3_a", "", "🙂 I can", ticks=("parks",), evidence=(Span("offer", "I can", 2),), is_sensitive=True),
            id="intent detection and slot filling",
        ),
        pytest.param(
            {"id": 3, "text": "I can", "label": ["parks", "offer"]}, LabelRow("", "", "I can", ticks=("parks", "offer")), id="categories"
        ),
        pytest.param(
            {"id": "t3_a", "text": "I can", "label": [[0, 5, "offer"]], "areas": ["parks"], "by": "ana"},
            LabelRow("t3_a", "", "I can", "ana", ticks=("parks",), evidence=(Span("offer", "I can", 0),)), id="spans",
        ),
        pytest.param(
            {"id": 3, "text": "I can", "entities": [{"id": 1, "label": "offer", "start_offset": 2, "end_offset": 5}], "relations": []},
            LabelRow("", "", "I can", evidence=(Span("offer", "can", 2),)), id="spans with relations",
        ),
        pytest.param({"text": "Nice", "cats": ["none"], "entities": []}, LabelRow("", "", "Nice"), id="nothing to tick"),
        pytest.param({"text": "x", "label": [[0, 9, "offer"]]}, LabelRow("", "", "x", evidence=(Span("offer", ""),)), id="beyond the end"),
    ],
)  # fmt: skip
def test_a_line_of_doccano_is_read(record: dict[str, Any], row: LabelRow, read: Reader) -> None:
    assert one(read(json.dumps(record), "labels.jsonl")) == row


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        pytest.param({"text": "x", "cats": [], "entities": []}, "not_labelled", id="nobody has looked at it"),
        pytest.param({"text": "x", "label": [[0, 1]]}, "malformed_row", id="a span without its label"),
        pytest.param({"text": "x", "label": "parks"}, "malformed_row", id="no list"),
    ],
)
def test_a_line_of_doccano_that_cannot_be_used_is_counted(record: dict[str, Any], kind: str, read: Reader) -> None:
    assert read(json.dumps(record))[1] == {kind: 1}


# --- Argilla

USER, OTHER = "0b4a4d3c-2f5e-4b0e-9c53-1f6f2d1c7a10", "9e1c35a2-6a4f-4c3e-8a50-5d1f5d0c0b22"


def test_a_record_of_argilla_is_read_by_user_with_submitted_answers_alone(read: Reader) -> None:
    record = {
        "id": "reddit:t3_a", "fields": {"text": "🙂 I can"}, "metadata": {}, "vectors": {}, "_server_id": USER, "suggestions": {},
        "responses": {
            "areas": [{"value": ["parks"], "user_id": USER}, {"value": ["waste"], "user_id": OTHER, "status": "draft"}],
            "signals": [{"value": ["offer"], "user_id": USER, "status": "submitted"}],
            "evidence": [{"value": [{"start": 3, "end": 8, "label": "offer"}], "user_id": USER}],
            "sensitive": [{"value": "yes", "user_id": USER}, {"value": "no", "user_id": "ana"}],
        },
    }  # fmt: skip
    file, problems = read(json.dumps([record]))
    assert problems == {}
    assert [row for _, row in file.rows] == [
        LabelRow("reddit:t3_a", "", "🙂 I can", f"argilla:{USER}", ("parks",), ("offer",), evidence=(Span("offer", "I can", 2),),
                 is_sensitive=True),
        LabelRow("reddit:t3_a", "", "🙂 I can", "ana"),
    ]  # fmt: skip


def test_a_record_of_argilla_version_1_is_read(read: Reader) -> None:
    answered = {"user_id": USER, "status": "submitted", "values": {"areas": {"value": ["parks"]}, "sensitive": {"value": "no"}}}
    dropped = {"user_id": OTHER, "status": "discarded", "values": {}}
    record = {"external_id": "t3_a", "fields": {"title": "Park", "body": "I can"}, "responses": [answered, dropped]}
    assert one(read(json.dumps([record]))) == LabelRow("t3_a", "Park", "I can", f"argilla:{USER}", ("parks",))
    assert read(json.dumps([record | {"responses": [dropped]}, record | {"responses": []}]))[1] == {"not_labelled": 2}


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({"fields": {"text": "x"}, "responses": "all"}, id="responses no list"),
        pytest.param({"fields": {"text": "x"}, "responses": {"areas": ["parks"]}}, id="a response no object"),
        pytest.param({"fields": {"text": "x"}, "responses": {"evidence": [{"value": ["x"], "user_id": "a"}]}}, id="a span no object"),
        pytest.param({"fields": {"text": "x"}, "responses": [{"values": {"areas": 7}}]}, id="an answer no object"),
        pytest.param({"data": {"text": "x"}, "annotations": [{"result": [{"value": 7}]}]}, id="a result without its value"),
        pytest.param({"data": {"text": {}}, "annotations": [{}]}, id="a text no text"),
    ],
)
def test_a_record_of_another_shape_is_counted(record: dict[str, Any], read: Reader) -> None:
    assert read(json.dumps([record]))[1] == {"malformed_row": 1}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("id", "title", "body", "text", "areas", "signals", "sensitive", "evidence", "by", "label", "labels", "cats", "entities", "data",
        "annotations", "fields", "responses", "post_id", "external_id")  # fmt: skip


@pytest.mark.parametrize("format_", [name for name in LabelFormat if name is not LabelFormat.CSV])
@given(record=st.dictionaries(st.sampled_from(KEYS), anything | st.lists(st.dictionaries(st.sampled_from(
    ["result", "value", "values", "completed_by", "user_id", "status", "start", "end", "label"]), anything), max_size=2)))  # fmt: skip
@example(record={"fields": {}, "responses": [{"status": []}]})
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=50)
def test_no_record_whatever_stops_an_import(format_: LabelFormat, record: dict[str, Any], tmp_path: Path) -> None:
    path, problems = tmp_path / "labels.jsonl", Problems()
    path.write_text(json.dumps(record), encoding="utf-8")
    found = read_labels(path, problems, given=format_)
    assert found.rows or sum(problems.counts.values()) == 1


# --- places in texts


@given(text=st.text(), place=st.integers(0, 30))
def test_characters_and_utf_16_units_lead_to_each_other(text: str, place: int) -> None:
    text = text.encode("utf-8", "replace").decode()
    place = min(place, len(text))
    assert characters(text, units(text, place)) == place


def test_a_place_between_the_halves_of_a_character_is_its_start() -> None:
    assert [characters("🙂x", number) for number in range(4)] == [0, 0, 1, 2]
    assert words_at("🙂x", 2, 3, in_units=True) == ("x", 1)
    assert words_at("🙂x", 2, 4, in_units=True) == ("", None)
    assert words_at("x", 1, 1) == words_at("x", True, 2) == words_at("x", -1, 1) == ("", None)


@pytest.mark.parametrize(
    ("text", "words", "near", "found"),
    [
        pytest.param("a b a b", "a b", None, (0, 3), id="the first"),
        pytest.param("a b a b", "a b", 3, (4, 7), id="the nearest"),
        pytest.param("aaaa", "aa", 1, (1, 3), id="exactly there"),
        pytest.param("x  a\r\n b", " a b ", None, (3, 8), id="other white space"),
        pytest.param("a.b", "a+b", None, None, id="no pattern"),
        pytest.param("a", " ", 0, None, id="nothing"),
    ],
)
def test_words_are_found_at_the_nearest_place_whatever_the_white_space(text: str, words: str, near: int | None, found: Any) -> None:
    assert find_words(text, words, near) == found
