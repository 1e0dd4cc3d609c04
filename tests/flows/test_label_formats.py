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
from coprod_nlp.text.spans import find_words
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


def test_every_format_and_every_kind_of_problem_is_in_the_tables_and_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "labels.md").read_text(encoding="utf-8")
    assert set(FORMATS) == set(LabelFormat)
    assert set(ROW_PROBLEM_WORDS) == set(RowProblem)
    assert not [name for name in (*LabelFormat, *RowProblem) if f"`{name}`" not in page]
