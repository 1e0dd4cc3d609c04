"""Formats of labels: what one writes it reads, whatever people wrote; and what the tools themselves export is understood."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coprod_nlp.records import PostText
from coprod_nlp.vocabulary import PolicyArea, Signal
from flows.job import RequestError
from flows.labels.formats import FORMATS, LabelFile, read_labels, write_labels
from flows.labels.rows import (
    ROW_PROBLEM_WORDS,
    GivenLabels,
    LabelFileError,
    LabelFormat,
    LabelRow,
    PostToWrite,
    RowProblem,
    Span,
)
from flows.labels.spans import characters, find_words, units, words_at
from flows.sources.base import Problems

SECRET = "behind the third shed from the weir"
ENDINGS = {LabelFormat.JSONL: ".jsonl", LabelFormat.CSV: ".csv"}
Reader = Callable[..., tuple[LabelFile, dict[str, int]]]

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40) | st.sampled_from(
    ["=1+1", "'=1", "''", "a, b; c", '"', "🙂 here 🙂 here", "line\r\nend", "\ttab", "-", " spaces  inside ", "[deleted]"]
)


@st.composite
def posts_to_write(draw: st.DrawFn) -> PostToWrite:
    post = PostText(draw(st.sampled_from(["reddit:t3_a", "t1_b", "labels:0"])), draw(words), draw(words) + "x")
    labellers = draw(st.lists(st.sampled_from(["ana", "Ben Ö.", "label_studio:7"]), unique=True, max_size=2))
    return PostToWrite(post, tuple(draw(given_labels(post.text, labeller)) for labeller in labellers))


@st.composite
def given_labels(draw: st.DrawFn, text: str, labeller: str) -> GivenLabels:
    signals = draw(st.sets(st.sampled_from(list(Signal)), max_size=3))
    evidence = []
    for signal in sorted(signals):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        if text[start:end].strip() == text[start:end]:
            evidence.append((signal.value, start, end))
    areas = draw(st.sets(st.sampled_from(list(PolicyArea)), max_size=3))
    return GivenLabels(
        labeller, tuple(sorted(areas)), tuple(sorted(signals)), tuple(evidence), is_sensitive=draw(st.booleans())
    )  # fmt: skip


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


@pytest.mark.parametrize("format_", LabelFormat)
@given(items=st.lists(posts_to_write(), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
def test_what_a_format_writes_it_reads(format_: LabelFormat, items: list[PostToWrite], tmp_path: Path) -> None:
    path = tmp_path / f"labels{ENDINGS.get(format_, '.json')}"
    path.unlink(missing_ok=True)
    assert write_labels(path, items, given=format_) == format_
    problems = Problems()
    if not items and format_ is not LabelFormat.CSV:
        return
    found = read_labels(path, problems, given=format_)
    expected = [(item.post, labels) for item in items for labels in item.given]
    unlabelled = sum(not item.given for item in items)
    assert problems.by_kind() == ({"not_labelled": unlabelled} if unlabelled else {})
    assert len(found.rows) == len(expected)
    for (_, row), (post, labels) in zip(found.rows, expected, strict=True):
        assert (row.post_id, row.labeller, row.is_sensitive) == (post.post_id, labels.labeller, labels.is_sensitive)
        assert row.text.split() == post.text.split()
        assert {*row.areas, *row.signals, *row.ticks} == {*labels.areas, *labels.signals}
        places = [(span.signal, find_words(post.text, span.words, span.start)) for span in row.evidence]
        if format_ is LabelFormat.CSV:  # it does not say which of several equal places
            assert [post.text[s:e].split() for _, (s, e) in places] == [post.text[s:e].split() for _, s, e in labels.evidence]  # type: ignore[misc]
        else:
            assert places == [(signal, (start, end)) for signal, start, end in labels.evidence]


@pytest.mark.parametrize("format_", [LabelFormat.JSONL, LabelFormat.CSV])
@given(post=st.builds(PostText, st.just("t3_a"), words, words.map(lambda text: text + "x")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
def test_our_own_formats_keep_every_character_of_title_and_body(format_: LabelFormat, post: PostText, tmp_path: Path) -> None:
    path = tmp_path / "own"
    path.unlink(missing_ok=True)
    write_labels(path, [PostToWrite(post, (GivenLabels("ana", (), ()),))], given=format_)
    ((_, row),) = read_labels(path, Problems(), given=format_).rows
    assert (row.title, row.body) == (post.title, post.body)


@pytest.mark.parametrize("format_", LabelFormat)
def test_every_format_is_found_from_its_content(format_: LabelFormat, tmp_path: Path) -> None:
    item = PostToWrite(PostText("t3_a", "", "I can help"), (GivenLabels("ana", ("parks",), ("offer",), (("offer", 0, 5),)),))
    path = tmp_path / "labels.txt"
    write_labels(path, [item], given=format_)
    assert read_labels(path, Problems()).format == format_
    packed = tmp_path / "labels.txt.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_labels(packed, Problems()).rows == read_labels(path, Problems()).rows


def test_a_cell_that_a_spreadsheet_would_run_is_guarded(tmp_path: Path) -> None:
    for place, body in enumerate(["=HYPERLINK(1)", "+1", "@x", "\t=1", "＝1", "'=1"]):
        path = tmp_path / f"{place}.csv"
        write_labels(path, [PostToWrite(PostText("t3_a", "", body))])
        assert f"'{body}" in path.read_bytes().decode()


@pytest.mark.parametrize("ending", [".jsonl", ".ndjson", ".csv"])
def test_a_format_follows_from_the_name_of_a_file_to_write(ending: str, tmp_path: Path) -> None:
    format_ = write_labels(tmp_path / f"queue{ending}", [])
    assert format_ is (LabelFormat.CSV if ending == ".csv" else LabelFormat.JSONL)


def test_a_file_to_write_is_for_its_owner_whole_or_not_at_all_and_never_in_the_place_of_another(tmp_path: Path) -> None:
    path = tmp_path / "new" / "queue.jsonl"
    write_labels(path, [PostToWrite(PostText("t3_a", "", "x"))])
    before = path.read_bytes()
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(RequestError, match="is there already, perhaps with labels in it"):
        write_labels(path, [])
    with pytest.raises(RequestError, match=r"give --format, one of jsonl, csv, label_studio, doccano, argilla"):
        write_labels(tmp_path / "queue.json", [])
    with pytest.raises(RequestError, match="cannot be written"):
        write_labels(path / "below a file.csv", [])

    def broken() -> Any:
        yield PostToWrite(PostText("t3_b", "", "y"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_labels(tmp_path / "broken.csv", broken())
    assert path.read_bytes() == before
    assert sorted(found.name for found in tmp_path.rglob("*")) == ["new", "queue.jsonl"]


# --- our own shape


@pytest.mark.parametrize(
    ("record", "row"),
    [
        pytest.param(
            {"id": "t3_a", "areas": ["parks"], "signals": ["offer"], "sensitive": True, "by": " ana "},
            LabelRow("t3_a", "", "", "ana", ("parks",), ("offer",), is_sensitive=True), id="about a stored post",
        ),
        pytest.param({"title": "T", "body": "B", "areas": []}, LabelRow("", "T", "B"), id="a text of its own, with nothing to tick"),
        pytest.param({"text": "B", "signals": "offer; seek"}, LabelRow("", "", "B", signals=("offer", "seek")), id="one text, one list"),
        pytest.param({"id": 7, "sensitive": "no"}, LabelRow("7", "", ""), id="a number for an id"),
        pytest.param(
            {"id": "a", "signals": [], "evidence": [{"signal": "offer", "text": "I can", "start": 3}, {"signal": "seek", "text": "how"}]},
            LabelRow("a", "", "", evidence=(Span("offer", "I can", 3), Span("seek", "how"))), id="evidence with and without its place",
        ),
        pytest.param({"id": "a", "areas": [], "body": "half \ud83d\0 pair"}, LabelRow("a", "", "half ? pair"), id="what no store takes"),
    ],
)  # fmt: skip
def test_a_line_of_our_own_is_read(record: dict[str, Any], row: LabelRow, read: Reader) -> None:
    for content in (json.dumps(record), json.dumps([record])):
        assert one(read(content, given=LabelFormat.JSONL)) == row


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        pytest.param({"id": "a", "body": SECRET}, RowProblem.NOT_LABELLED, id="no answer"),
        pytest.param({"id": "a", "areas": None, "signals": "", "sensitive": None}, RowProblem.NOT_LABELLED, id="blank answers"),
        pytest.param({"id": "a", "areas": [], "sensitive": SECRET}, RowProblem.BAD_SENSITIVE, id="sensitive is some text"),
        pytest.param({"id": "a", "areas": {"parks": 1}}, RowProblem.MALFORMED_ROW, id="areas no list"),
        pytest.param({"id": "a", "areas": [["parks"]]}, RowProblem.MALFORMED_ROW, id="areas of lists"),
        pytest.param({"id": ["a"], "areas": []}, RowProblem.MALFORMED_ROW, id="id a list"),
        pytest.param({"id": "a", "areas": [], "body": True}, RowProblem.MALFORMED_ROW, id="body a truth value"),
        pytest.param({"id": "a", "areas": [], "evidence": "offer"}, RowProblem.MALFORMED_ROW, id="evidence no list"),
        pytest.param({"id": "a", "areas": [], "evidence": ["offer"]}, RowProblem.MALFORMED_ROW, id="evidence of texts"),
    ],
)
def test_a_line_that_cannot_be_used_is_counted_with_its_number_and_the_rest_is_read(
    record: dict[str, Any], kind: RowProblem, tmp_path: Path
) -> None:
    good = {"id": "b", "areas": ["parks"]}
    path, problems = tmp_path / "labels.jsonl", Problems()
    path.write_text("\n".join(map(json.dumps, [good, record, good])), encoding="utf-8")
    assert [number for number, _ in read_labels(path, problems).rows] == [1, 3]
    assert problems.lines == {(kind, "labels.jsonl"): [2]}


def test_broken_lines_encodings_and_ends_are_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    good = b'{"id": "b", "areas": [], "body": "caf\xc3\xa9"}'
    path, problems = tmp_path / "labels.jsonl", Problems()
    lines = [b"\xef\xbb\xbf" + good, b"", b"{ half a line", good.replace(b"\xc3\xa9", b"\xe9"), b"[1]", b"[" * 5_000, good]
    path.write_bytes(b"\r\n".join(lines))
    found = read_labels(path, problems)
    assert [(number, row.body) for number, row in found.rows] == [(1, "café"), (4, "café"), (7, "café")]
    assert problems.lines == {(RowProblem.MALFORMED_ROW, path.name): [3, 5, 6], (RowProblem.WRONG_ENCODING, path.name): [4]}


def test_utf_16_is_read_as_what_it_is(read: Reader) -> None:
    assert one(read('{"id": "b", "areas": [], "body": "café"}'.encode("utf-16"))).body == "café"


@pytest.mark.parametrize("ending", ["", ",", ', {"id": "c", "ar'], ids=["no end", "a comma", "in an item"])
def test_a_list_that_ends_in_the_middle_is_read_as_far_as_it_goes(ending: str, read: Reader) -> None:
    file, problems = read('[{"id": "a", "areas": []},\n 7, {"id": "b", "areas": []}' + ending)
    assert [(number, row.post_id) for number, row in file.rows] == [(1, "a"), (3, "b")]
    assert (file.unit, problems) == ("item", {"malformed_row": 1, "truncated_file": 1})


def test_a_packed_file_that_ends_in_the_middle_is_read_as_far_as_it_goes(read: Reader) -> None:
    lines = [json.dumps({"id": f"id{number}-{os.urandom(40).hex()}", "areas": []}) for number in range(400)]
    packed = gzip.compress("\n".join(lines).encode())
    file, problems = read(packed[: len(packed) // 2], "labels.jsonl.gz")
    assert 0 < len(file.rows) < 400
    assert problems == {"truncated_file": 1}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("", "holds nothing", id="empty"),
        pytest.param(" \n\n", "holds nothing", id="blank"),
        pytest.param('{"a": 1}\n{"b": 2}', "not recognised as a file of labels; give --format, one of jsonl", id="other JSON"),
        pytest.param("[]", "not recognised", id="an empty list"),
        pytest.param("Nummer,Text\n1,Hallo\n", r"needs columns such as id, title, .*; it has: nummer, text", id="another table"),
        pytest.param(f"{SECRET} and I can help,x\n1,2\n", "its first line is no line of names", id="a table without a header"),
    ],
)
def test_what_is_no_file_of_labels_is_refused_in_words(content: str, said: str, read: Reader) -> None:
    with pytest.raises(LabelFileError, match=said) as caught:
        read(content)
    assert SECRET not in str(caught.value)


def test_a_format_that_the_file_does_not_have_is_refused(read: Reader, tmp_path: Path) -> None:
    with pytest.raises(LabelFileError, match="is a table, not doccano; leave --format out"):
        read("id,areas\na,parks\n", given=LabelFormat.DOCCANO)
    with pytest.raises(LabelFileError, match="is JSON, not csv"):
        read("[]", given=LabelFormat.CSV)
    with pytest.raises(LabelFileError, match=r"gone\.csv: cannot be read"):
        read_labels(tmp_path / "gone.csv", Problems())


# --- tables


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_a_table_is_read_whatever_is_between_its_cells(delimiter: str, read: Reader) -> None:
    lines = [["ID", " Body ", "areas", "signals", "evidence", "sensitive", "mood"], ["t3_a", "x", '"parks; waste"', "", "", "TRUE", "!"]]
    content = "\r\n".join(delimiter.join(cells) for cells in lines)
    assert one(read(content, "labels.csv")) == LabelRow("t3_a", "", "x", areas=("parks", "waste"), is_sensitive=True)


def test_a_table_is_read_with_its_evidence_and_its_odd_rows_counted(tmp_path: Path) -> None:
    path, problems = tmp_path / "labels.csv", Problems()
    rows = [
        "id,body,areas,signals,evidence,sensitive,by",
        't3_a,"two\nlines",parks,offer;seek,"offer: I can: help\nseek:how",false,ana',
        "",
        "t3_b,x,,,,,",
        "t3_c,x,,,,no,",
        "t3_d,x,parks",
        't3_e,"x"y,parks,,,,',
        "t3_f,x,parks,,,maybe,",
        "t3_g,'=x,parks,,,,",
    ]
    path.write_text("\n".join(rows), encoding="utf-8")
    found = read_labels(path, problems)
    assert found.rows == [
        (2, LabelRow("t3_a", "", "two\nlines", "ana", ("parks",), ("offer", "seek"), evidence=(
            Span("offer", " I can: help"), Span("seek", "how")))),
        (7, LabelRow("t3_c", "", "x")),
        (11, LabelRow("t3_g", "", "=x", areas=("parks",))),
    ]  # fmt: skip
    assert {kind: lines for (kind, _), lines in problems.lines.items()} == {
        RowProblem.NOT_LABELLED: [6], RowProblem.MALFORMED_ROW: [8, 9], RowProblem.BAD_SENSITIVE: [10]
    }  # fmt: skip


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


def test_a_suggestion_goes_along_where_a_format_knows_the_word(tmp_path: Path) -> None:
    suggested = GivenLabels("reading-3", ("parks",), ("offer",), (("offer", 3, 6),))
    item = PostToWrite(PostText("t3_a", "", "🙂🙂 can"), suggested=suggested)
    written = {}
    for format_ in LabelFormat:
        write_labels(tmp_path / format_, [item], given=format_)
        written[format_] = (tmp_path / format_).read_text(encoding="utf-8")
    assert [format_ for format_, text in written.items() if "reading-3" in text] == [LabelFormat.LABEL_STUDIO, LabelFormat.ARGILLA]
    prediction = json.loads(written[LabelFormat.LABEL_STUDIO])[0]["predictions"][0]
    assert prediction["model_version"] == "reading-3"
    assert prediction["result"][-1]["value"] == {"start": 3, "end": 6, "text": "can", "labels": ["offer"]}
    suggestions = json.loads(written[LabelFormat.ARGILLA])[0]["suggestions"]
    assert suggestions["areas"] == {"value": ["parks"], "score": None, "agent": "reading-3"}
    assert suggestions["evidence"]["value"] == [{"start": 5, "end": 8, "label": "offer"}]
    for format_ in LabelFormat:
        problems = Problems()
        assert read_labels(tmp_path / format_, problems, given=format_).rows == []
        assert problems.by_kind() == {"not_labelled": 1}


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
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
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


def test_every_format_and_every_kind_of_problem_is_in_the_tables_and_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "labels.md").read_text(encoding="utf-8")
    assert set(FORMATS) == set(LabelFormat)
    assert set(ROW_PROBLEM_WORDS) == set(RowProblem)
    assert not [name for name in (*LabelFormat, *RowProblem) if f"`{name}`" not in page]
