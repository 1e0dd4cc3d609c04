"""Archives that are no lines of JSON: workbooks of a consultation, and Stack Exchange dumps."""

import gzip
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from coprod_nlp.vocabulary import PostKind
from flows.sources.archive import ArchiveSource
from flows.sources.base import CollectedPost, ProblemKind, Problems, SourceRefusedError

# Workbooks know no time zones.
SUBMITTED = datetime.fromisoformat("2026-03-01T09:30:00")
HEADER = ["Response ID", "Submitted", "What would you do?", "Respondent"]
COLUMNS = {"id": "Response ID", "created_utc": "Submitted", "body": "What would you do?", "author": "Respondent"}
DUMP = """<?xml version="1.0" encoding="utf-8"?>
<posts>
  <row Id="7" PostTypeId="1" CreationDate="2026-03-01T10:00:00.000" Score="4" Title="Sharing a hedge trimmer"
    Body="&lt;p&gt;Our street wants to share one.&lt;/p&gt;" OwnerUserId="41" />
  <row Id="8" PostTypeId="2" ParentId="7" CreationDate="2026-03-01T11:00:00.000" Score="2"
    Body="&lt;blockquote&gt;share one&lt;/blockquote&gt;&lt;p&gt;I can store it &amp;amp; oil it.&lt;/p&gt;" OwnerDisplayName="user9" />
  <row Id="9" PostTypeId="5" CreationDate="2026-03-01T12:00:00.000" Body="About a tag" />
</posts>
"""


def workbook(path: Path, *rows: list[Any]) -> Path:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(path)
    return path


def read(path: Path, columns: dict[str, str] | None = None) -> tuple[list[tuple[CollectedPost, int | None]], Problems]:
    problems = Problems()
    return [(post, line) for post, _, line in ArchiveSource(str(path), columns=columns).posts(problems)], problems


def test_a_workbook_of_a_consultation_is_read_by_its_mapping(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "parks.xlsx", HEADER, [101, SUBMITTED, "I would look after the planters.", "R-1"], [None] * 4,
        [102, "2026-03-02", "Keep it open.", None], [103, None, "#N/A", "R-3"],
    )  # fmt: skip
    posts, problems = read(path, COLUMNS)
    assert [(post.fullname, post.body, post.author_id, line) for post, line in posts] == [
        ("t1_101", "I would look after the planters.", "R-1", 2),
        ("t1_102", "Keep it open.", None, 4),
    ]
    assert posts[0][0].created_at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert posts[0][0].community == "parks"
    assert problems.counts[ProblemKind.MISSING_KEY, "parks.xlsx"] == 3


@pytest.mark.parametrize("answer", ["#SaveOurLibrary now!", "#ParksForAll, why not?", "#Right2Roam N/A"])
def test_an_answer_that_begins_with_a_hashtag_is_no_error_of_a_formula(answer: str, tmp_path: Path) -> None:
    posts, problems = read(workbook(tmp_path / "parks.xlsx", HEADER, [1, SUBMITTED, answer, "R-1"]), COLUMNS)
    assert [post.body for post, _ in posts] == [answer]
    assert problems.by_kind() == {"missing_key": 1}


@pytest.mark.parametrize("error", ["#N/A", "#DIV/0!", "#NAME?", "#SPILL!", "#GETTING_DATA"])
def test_an_error_of_a_formula_is_no_answer(error: str, tmp_path: Path) -> None:
    posts, _ = read(workbook(tmp_path / "parks.xlsx", HEADER, [1, SUBMITTED, error, "R-1"]), COLUMNS)
    assert posts == []


REFUSED = [
    pytest.param({"id": "Response ID", "body": "Comment"}, "no column 'Comment'; it has: Response ID, Submitted", id="no such column"),
    pytest.param({}, "needs a column for id and one for title, body or selftext; it has: 4 column", id="no mapping"),
]


@pytest.mark.parametrize(("columns", "words"), REFUSED)
def test_a_workbook_without_the_columns_needed_is_refused_before_anything_is_read(
    columns: dict[str, str], words: str, tmp_path: Path
) -> None:
    path = workbook(tmp_path / "parks.xlsx", HEADER, [1, None, "Yes.", None])
    with pytest.raises(SourceRefusedError, match=words):
        ArchiveSource(str(path), columns=columns)


def test_a_file_that_only_claims_to_be_a_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "parks.xlsx"
    path.write_text("id,body\n1,Yes\n", encoding="utf-8")
    with pytest.raises(SourceRefusedError, match="is no Excel workbook"):
        ArchiveSource(str(path), columns=COLUMNS)


def test_questions_and_answers_of_a_stack_exchange_dump_are_read_and_linked(tmp_path: Path) -> None:
    folder = tmp_path / "gardening.stackexchange.com"
    folder.mkdir()
    (folder / "Posts.xml").write_text(DUMP, encoding="utf-8")
    (folder / "Users.xml").write_text("<users><row Id='41' DisplayName='Nobody'/></users>", encoding="utf-8")
    posts, problems = read(folder)
    (question, first), (answer, second) = posts
    assert (question.fullname, question.kind, question.title, question.body) == (
        "t3_7", PostKind.SUBMISSION, "Sharing a hedge trimmer", "Our street wants to share one.",
    )  # fmt: skip
    assert (answer.fullname, answer.parent, answer.thread, answer.body) == ("t1_8", "t3_7", "t3_7", "I can store it & oil it.")
    assert (question.author_id, answer.author_id, question.score, first, second) == ("41", "user9", 4, 1, 2)
    assert (question.community, answer.permalink) == ("gardening.stackexchange.com", "https://gardening.stackexchange.com/a/8")
    assert problems.counts == {}


def test_a_dump_that_breaks_off_is_read_as_far_as_it_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "Posts.xml"
    path.write_text(DUMP[: DUMP.index('Id="9"')], encoding="utf-8")
    posts, problems = read(path)
    assert len(posts) == 2
    assert problems.by_kind() == {"truncated_archive": 1}


ENTITIES = "<!DOCTYPE posts [<!ENTITY a 'b'>]>" + DUMP.partition("\n")[2]
JSON_LINE = b'{"id": "a", "title": "Bins", "subreddit": "parks", "created_utc": "2026-03-01"}\n'
UNREADABLE: dict[str, tuple[str, bytes]] = {
    "a JSON array": ("a.json", b"[\n" + JSON_LINE.replace(b"\n", b",\n") + JSON_LINE + b"]\n"),
    "a picture": ("a.ndjson", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\n\xff\n"),
    "text called gzip": ("a.ndjson.gz", JSON_LINE),
    "text called Zstandard": ("a.ndjson.zst", JSON_LINE),
    "UTF-16 without a mark": ("a.ndjson", JSON_LINE.decode().encode("utf-16-le")),
    "a dump with entities of its own": ("Posts.xml", ENTITIES.encode()),
    "a dump that is no XML": ("Posts.xml", b"no xml"),
}


@pytest.mark.parametrize(("name", "content"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_of_which_nothing_can_be_read_is_named_and_refused_where_there_is_no_other(
    name: str, content: bytes, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceRefusedError, match=rf"{name}: not one line could be read; wanted: JSON objects, one a line"):
        read(tmp_path / name)
    (tmp_path / "b.ndjson").write_bytes(JSON_LINE)
    posts, problems = read(tmp_path)
    assert len(posts) == 1
    assert problems.named(ProblemKind.UNREADABLE_FILE) == [name]


def test_a_dump_that_is_packed_is_not_read_as_lines(tmp_path: Path) -> None:
    (tmp_path / "Posts.xml.gz").write_bytes(gzip.compress(DUMP.encode()))
    with pytest.raises(SourceRefusedError, match="no archive there"):
        read(tmp_path)
    with pytest.raises(SourceRefusedError, match="not one line could be read"):
        read(tmp_path / "Posts.xml.gz")


@pytest.mark.parametrize("pattern", ["", "*.ndjson"], ids=["folder", "glob"])
def test_a_link_that_leads_nowhere_is_named_and_the_rest_is_read(pattern: str, tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").symlink_to(tmp_path / "gone.ndjson")
    with pytest.raises(SourceRefusedError, match=r"no archive there \(a\.ndjson is a link that leads nowhere\)"):
        read(tmp_path / pattern)
    (tmp_path / "b.ndjson").write_bytes(JSON_LINE)
    posts, problems = read(tmp_path / pattern)
    assert len(posts) == 1
    assert problems.named(ProblemKind.BROKEN_LINK) == ["a.ndjson"]


def test_a_path_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceRefusedError, match=r"cannot be read \(File name too long\)"):
        ArchiveSource(str(tmp_path / ("a" * 5_000)))


def damaged(path: Path, keep: float) -> Path:
    """A workbook whose first sheet ends in the middle."""
    with zipfile.ZipFile(path) as whole:
        names = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(path, "w") as file:
        for name, content in names.items():
            file.writestr(name, content[: int(len(content) * keep)] if "sheet1" in name else content)
    return path


def test_a_damaged_workbook_is_read_as_far_as_it_is_sound_or_refused(tmp_path: Path) -> None:
    rows = [[number, SUBMITTED, "I would help.", "R-1"] for number in range(500)]
    path = damaged(workbook(tmp_path / "parks.xlsx", HEADER, *rows), 0.5)
    posts, problems = read(path, COLUMNS)
    assert 100 < len(posts) < 400
    assert problems.named(ProblemKind.TRUNCATED_ARCHIVE) == ["parks.xlsx"]
    damaged(path, 0.001)
    with pytest.raises(SourceRefusedError, match="is damaged or has no sheet of cells"):
        read(path, COLUMNS)


def test_a_workbook_of_charts_alone_is_refused(tmp_path: Path) -> None:
    book = Workbook()
    book.remove(book.worksheets[0])
    book.create_chartsheet()
    book.save(tmp_path / "parks.xlsx")
    with pytest.raises(SourceRefusedError, match="has no sheet of cells"):
        read(tmp_path / "parks.xlsx", COLUMNS)


def test_a_first_row_that_is_no_header_is_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "parks.csv"
    path.write_text("1,dan@town.example,I can help Mrs Smith\n", encoding="utf-8")
    with pytest.raises(SourceRefusedError, match="it has: 3 column") as caught:
        read(path)
    assert "Smith" not in str(caught.value)


@pytest.mark.parametrize("value", ["{}", '{"text": "Hi"}', '["Hi"]', "true"])
def test_a_text_that_is_no_text_is_counted_and_not_kept(value: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(JSON_LINE.replace(b'"subreddit"', f'"selftext": {value}, "subreddit"'.encode()))
    posts, problems = read(path)
    assert [(post.title, post.body) for post, _ in posts] == [("Bins", "")]
    assert problems.by_kind() == {"odd_value": 1}


TABLE_HEADER = "id,body,author,subreddit,created_utc"
ANSWER = "{},I can help,ann,parks,2026-03-01"


def table(folder: Path, *lines: str) -> Path:
    path = folder / "parks.csv"
    path.write_text("\n".join([TABLE_HEADER, *lines]) + "\n", encoding="utf-8")
    return path


def answers(first: int, last: int) -> list[str]:
    return [ANSWER.format(number) for number in range(first, last + 1)]


OPEN = '1,"The 6" pipe,ann,parks,2026-03-01'
UNCLOSED = '1,"I can help,ann,parks,2026-03-01'
LONG_ANSWER = ['7,"Dear council,', "I would, and gladly", "", '",ann,parks,2026-03-01']
# What stands in the file, and which of its answers come; each other line is counted.
STRAY: dict[str, tuple[list[str], list[int], list[int]]] = {
    "within a line": ([OPEN, *answers(2, 9)], [2, 3, 4, 5, 6, 7, 8, 9], [2]),
    "to the end": ([UNCLOSED, *answers(2, 9)], [2, 3, 4, 5, 6, 7, 8, 9], [2]),
    "on the last line": ([*answers(2, 4), UNCLOSED], [2, 3, 4], [5]),
    "to another quote": ([UNCLOSED, *answers(2, 4), '5,"I can, and will",ann,parks,2026-03-01'], [2, 3, 4, 5], [2]),
    "to a long answer": ([UNCLOSED, *answers(2, 4), *LONG_ANSWER, *answers(8, 9)], [2, 3, 4, 7, 8, 9], [2]),
    "closed in a later row": ([UNCLOSED, *answers(2, 19), '20,I can",ann,parks,2026-03-01,', *answers(21, 22)],
                              [*range(2, 20), 21, 22], [2, 21]),
    "after a long answer": ([*LONG_ANSWER[:3], '","ann,parks,2026-03-01', *answers(8, 9)], [8, 9], [2, 3, 4, 5]),
    "each row": ([UNCLOSED, UNCLOSED, UNCLOSED, *answers(2, 3)], [2, 3], [2, 3, 4]),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "ids", "lost"), STRAY.values(), ids=STRAY)
def test_a_stray_quote_costs_its_row_and_no_other(lines: list[str], ids: list[int], lost: list[int], tmp_path: Path) -> None:
    posts, problems = read(table(tmp_path, *lines))
    assert [int(post.fullname[3:]) for post, _ in posts] == ids
    assert problems.lines == {(ProblemKind.MALFORMED_LINE, "parks.csv"): lost}
    assert problems.by_kind() == {"malformed_line": len(lost)}


INSIDE = ["a line of it", "another, with a comma", "the next", "as ever"]
TORN = {
    "quotes that are not doubled": ['1,"Dear council,', *INSIDE, 'he said "no" to me",ann,parks,2026-03-01'],
    "a file that is cut": ['1,"Dear council,', *INSIDE],
    "a cell too many": ['1,"Dear council,', *INSIDE, '",ann,parks,2026-03-01,'],
}


@pytest.mark.parametrize("lines", TORN.values(), ids=TORN)
def test_lines_of_a_long_answer_that_is_torn_are_lost_together_and_counted(lines: list[str], tmp_path: Path) -> None:
    posts, problems = read(table(tmp_path, *answers(7, 8), *lines))
    assert [post.fullname for post, _ in posts] == ["t1_7", "t1_8"]
    assert problems.lines == {(ProblemKind.MALFORMED_LINE, "parks.csv"): list(range(4, 4 + len(lines)))}


@pytest.mark.parametrize("line", ["I can help " * 20_000, "9,I can help,eve,parks,2026-03-01\n" * 10_000], ids=["one line", "many lines"])
def test_a_long_answer_comes_whole_whatever_its_lines_look_like(line: str, tmp_path: Path) -> None:
    posts, problems = read(table(tmp_path, f'1,"{line}",ann,parks,2026-03-01', *answers(2, 2)))
    assert [(post.fullname, post.body) for post, _ in posts] == [("t1_1", line), ("t1_2", "I can help")]
    assert problems.by_kind() == {}


def test_a_quote_that_is_not_closed_within_what_a_row_may_hold_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.sources.tabular.LARGEST_ROW_CHARS", 400)
    posts, problems = read(table(tmp_path, UNCLOSED, *answers(2, 90), *LONG_ANSWER[:1], "I would"))
    assert [int(post.fullname[3:]) for post, _ in posts] == list(range(2, 91))
    assert problems.lines == {(ProblemKind.MALFORMED_LINE, "parks.csv"): [2, 92, 93]}


def test_lines_after_a_stray_quote_are_counted_though_the_archive_breaks_off(tmp_path: Path) -> None:
    text = "\n".join([TABLE_HEADER, *answers(7, 8), '1,"Dear council,', *INSIDE, ""])
    path = tmp_path / "parks.csv.gz"
    path.write_bytes(gzip.compress(text.encode())[:-1])
    posts, problems = read(path)
    assert [post.fullname for post, _ in posts] == ["t1_7", "t1_8"]
    assert problems.lines == {(ProblemKind.MALFORMED_LINE, path.name): [4, 5, 6, 7, 8], (ProblemKind.TRUNCATED_ARCHIVE, path.name): [8]}
