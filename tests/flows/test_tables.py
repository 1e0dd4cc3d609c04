"""Archives that are no lines of JSON: workbooks of a consultation, and Stack Exchange dumps."""

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
    pytest.param({"body": "Comment"}, "no column 'Comment'; it has: Response ID, Submitted", id="column that is not there"),
    pytest.param({}, "needs a column for id and one for title, body or selftext", id="no mapping"),
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


BROKEN = [
    pytest.param(DUMP[: DUMP.index('Id="9"')], 2, id="breaks off"),
    pytest.param("<!DOCTYPE posts [<!ENTITY a 'b'>]>" + DUMP.partition("\n")[2], 0, id="entities of its own"),
    pytest.param("no xml", 0, id="no XML"),
]


@pytest.mark.parametrize(("text", "count"), BROKEN)
def test_a_dump_that_is_broken_is_read_as_far_as_it_is_sound(text: str, count: int, tmp_path: Path) -> None:
    path = tmp_path / "Posts.xml"
    path.write_text(text, encoding="utf-8")
    posts, problems = read(path)
    assert len(posts) == count
    assert problems.by_kind() == {"truncated_archive": 1}
