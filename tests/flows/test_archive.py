"""Archives of every shape: what is good comes whole, what is bad is counted with its line, and the rest goes on."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard

from coprod_nlp.vocabulary import PostKind, PostState
from flows.sources.archive import ArchiveSource
from flows.sources.base import CollectedPost, ProblemKind, Problems, SourceRefusedError
from flows.sources.row import Row
from flows.steps.export import write_readings

PACKINGS: dict[str, Callable[[bytes], bytes]] = {".gz": lambda data: gzip.compress(data, 1), ".zst": zstandard.compress}
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
NOON_S = int(NOON.timestamp())


def submission(**changes: Any) -> dict[str, Any]:
    """A row as a dump has it; None leaves a key out."""
    row = {
        "id": "s1", "name": "t3_s1", "author": "quillfeather", "subreddit": "thornby", "created_utc": NOON_S, "title": "Bins again",
        "selftext": "Nobody came on Tuesday.", "score": 4, "permalink": "/r/thornby/comments/s1/bins_again/",
    } | changes  # fmt: skip
    return {key: value for key, value in row.items() if value is not None}


def comment(**changes: Any) -> dict[str, Any]:
    row = {
        "id": "c1", "name": "t1_c1", "author": "mossgather", "subreddit": "thornby", "created_utc": NOON_S, "body": "Nor here.",
        "link_id": "t3_s1", "parent_id": "t3_s1", "score": "2", "permalink": "/r/thornby/comments/s1/_/c1/",
    } | changes  # fmt: skip
    return {key: value for key, value in row.items() if value is not None}


def ndjson(*rows: dict[str, Any] | bytes) -> bytes:
    return b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)


def gather(pattern: Path | str, columns: dict[str, str] | None = None) -> tuple[list[CollectedPost], Problems]:
    problems = Problems()
    return [post for post, _, _ in ArchiveSource(str(pattern), columns=columns).posts(problems)], problems


def gather_bytes(folder: Path, content: bytes, name: str = "thornby.ndjson", **columns: str) -> tuple[list[CollectedPost], Problems]:
    (folder / name).write_bytes(content)
    return gather(folder / name, columns)


def test_no_field_of_a_post_holds_its_authors_name_but_the_one_that_becomes_a_key(tmp_path: Path) -> None:
    (post,), _ = gather_bytes(tmp_path, ndjson(submission(permalink="https://www.reddit.com/user/Quillfeather/comments/s1/bins_again/")))
    assert post.permalink == "https://www.reddit.com/comments/s1/bins_again/"
    assert [name for name in post.__struct_fields__ if "quillfeather" in str(getattr(post, name)).lower()] == ["author_id"]


def lines_of(problems: Problems) -> dict[ProblemKind, list[int]]:
    """Line numbers of each kind, of the one file there was."""
    assert len({place for _, place in problems.counts}) <= 1
    assert {kind: len(found) for kind, found in problems.lines.items()} == problems.counts
    return {ProblemKind(kind): found for (kind, _), found in problems.lines.items()}


def test_a_submission_and_a_comment_become_posts_with_everything_they_said(tmp_path: Path) -> None:
    posts, problems = gather_bytes(tmp_path, ndjson(submission(), comment()))
    assert posts == [
        CollectedPost("t3_s1", "thornby", PostKind.SUBMISSION, PostState.VISIBLE, "quillfeather", "Bins again", "Nobody came on Tuesday.",
                      None, "t3_s1", "/r/thornby/comments/s1/bins_again/", 4, NOON),
        CollectedPost("t1_c1", "thornby", PostKind.COMMENT, PostState.VISIBLE, "mossgather", "", "Nor here.",
                      "t3_s1", "t3_s1", "/r/thornby/comments/s1/_/c1/", 2, NOON),
    ]  # fmt: skip
    assert lines_of(problems) == {}


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Archives of every ending in a folder and one below it, each with one post named after its file; and what is none."""
    (tmp_path / "deep").mkdir()
    for name in ("a.ndjson", "b.jsonl.gz", "c.JSON", "deep/d.ndjson.zst", "deep/e.csv.gz"):
        post_id = Path(name).name[0]
        text = f"id,body\n{post_id},Hello\n".encode() if ".csv" in name else ndjson(submission(id=post_id, name=None))
        (tmp_path / name).write_bytes(PACKINGS.get(Path(name).suffix, bytes)(text))
    (tmp_path / "notes.txt").write_text("not an archive")
    (tmp_path / "deep" / "picture.png.gz").write_bytes(b"not an archive")
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "ids"),
    [
        pytest.param("a.ndjson", "a", id="file"),
        pytest.param("deep/d.ndjson.zst", "d", id="packed_file"),
        pytest.param("", "abcde", id="folder"),
        pytest.param("deep", "de", id="folder_below"),
        pytest.param("*", "abc", id="glob"),
        pytest.param("**/*.zst", "d", id="glob_below"),
        pytest.param("[bc].*", "bc", id="glob_of_letters"),
    ],
)
def test_a_file_a_folder_or_a_glob_gives_its_archives_in_order(pattern: str, ids: str, shelf: Path) -> None:
    posts, _ = gather(shelf / pattern)
    assert [post.fullname[3:] for post in posts] == list(ids)


@pytest.mark.parametrize("pattern", ["missing.ndjson", "empty", "*.csv", "notes/*"])
def test_where_there_is_no_archive_the_source_is_refused_with_what_was_looked_for(pattern: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("not an archive")
    with pytest.raises(SourceRefusedError, match=r"no archive there; wanted a file, a folder or a glob of \.ndjson") as caught:
        ArchiveSource(str(tmp_path / pattern))
    assert str(tmp_path / pattern) in str(caught.value)


@pytest.mark.parametrize(("pattern", "ids"), [("RC_2015-01.zst", "a"), *(pytest.param(pattern, "ab") for pattern in ("", "RC_*", "*.zst"))])
def test_monthly_dumps_are_found_by_their_own_names(pattern: str, ids: str, tmp_path: Path) -> None:
    for post_id, month in (("a", "RC_2015-01.zst"), ("b", "RC_2015-02.zst")):
        (tmp_path / month).write_bytes(zstandard.compress(ndjson(comment(id=post_id, name=None))))
    assert [post.fullname[3:] for post in gather(tmp_path / pattern)[0]] == list(ids)


def test_an_archive_that_vanished_is_named(tmp_path: Path) -> None:
    path = tmp_path / "thornby.ndjson"
    path.write_bytes(ndjson(submission()))
    source = ArchiveSource(str(path))
    path.unlink()
    with pytest.raises(SourceRefusedError, match=r"thornby\.ndjson: cannot be read \(No such file"):
        list(source.posts(Problems()))


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file here that opens and cannot be read")
def test_an_archive_that_opens_and_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(ndjson(submission()))
    (tmp_path / "b.ndjson").symlink_to("/proc/self/mem")
    with pytest.raises(SourceRefusedError, match=r"b\.ndjson: cannot be read \(Input/output error\)"):
        list(ArchiveSource(str(tmp_path)).posts(Problems()))
    with pytest.raises(SourceRefusedError, match=r"b\.ndjson: cannot be read"):
        write_readings(str(tmp_path / "b.ndjson"), tmp_path / "out.jsonl", columns={}, processes=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ndjson", "b.ndjson"]


def test_the_position_comes_to_the_size_of_all_files_together(shelf: Path) -> None:
    source = ArchiveSource(str(shelf))
    positions = [source.position for _ in source.posts(Problems())]
    assert positions == sorted(positions)
    assert source.position == source.size


# Each stands between two good lines.
MALFORMED, MISSING = ProblemKind.MALFORMED_LINE, ProblemKind.MISSING_KEY
NESTED = b'{"id": "b", "title": "x", "media": ' + b"[" * 60_000 + b"]" * 60_000 + b"}"
LOST = [
    pytest.param(b'{"id": "b", "title": "Oh', MALFORMED, id="broken_json"),
    pytest.param(b'{"id": "b", "title": NaN}', MALFORMED, id="not_a_number"),
    pytest.param(b"<html>429 Too Many Requests</html>", MALFORMED, id="no_json"),
    pytest.param(b'{"id": "b", "title": "x"} {"id": "c", "title": "y"}', MALFORMED, id="two_objects"),
    *(pytest.param(line, MALFORMED, id=line.decode()) for line in (b'["b", "title"]', b'"b"', b"7", b"null", b"[]")),
    pytest.param(b'{"id": "b", "title": "\\ud83d", "subreddit": "thornby"}', MALFORMED, id="half_a_surrogate_pair"),
    pytest.param(NESTED, MALFORMED, id="nested_too_deep"),
    pytest.param(b"{}", MISSING, id="nothing"),
    pytest.param(submission(id=None, name=None), MISSING, id="no_id"),
    pytest.param(submission(id="  ", name=""), MISSING, id="empty_id"),
    pytest.param(submission(title=None, selftext=None), MISSING, id="submission_without_text"),
    pytest.param(comment(body=None), MISSING, id="comment_without_text"),
    pytest.param(comment(body=None, name=None), MISSING, id="nameless_comment_without_text"),
]


@pytest.mark.parametrize(("line", "kind"), LOST)
def test_a_line_that_cannot_be_a_post_is_counted_and_the_next_is_read(
    line: bytes | dict[str, Any], kind: ProblemKind, tmp_path: Path
) -> None:
    posts, problems = gather_bytes(tmp_path, ndjson(submission(), line, comment()))
    assert [post.fullname for post in posts] == ["t3_s1", "t1_c1"]
    assert lines_of(problems) == {kind: [2]}


@pytest.mark.parametrize("value", [["x"], {"x": 1}, 7, -1.5, True, False, None, "", "x", 10**40, [[]]], ids=repr)
@pytest.mark.parametrize("key", Row.__struct_fields__)
def test_no_value_of_any_key_stops_the_run(key: str, value: object, tmp_path: Path) -> None:
    posts, _ = gather_bytes(tmp_path, ndjson(submission() | {key: value}, comment() | {key: value}, submission(id="s9", name="t3_s9")))
    assert posts[-1].fullname == "t3_s9"


def test_blank_lines_are_passed_over_and_count_as_lines(tmp_path: Path) -> None:
    posts, problems = gather_bytes(tmp_path, b"\n  \r\n" + ndjson(submission()) + b"\n" + ndjson(b"{"))
    assert len(posts) == 1
    assert lines_of(problems) == {ProblemKind.MALFORMED_LINE: [5]}


def test_a_line_that_is_not_utf_8_is_counted_and_read_as_windows_1252(tmp_path: Path) -> None:
    odd = json.dumps(comment(body="A café for €2"), ensure_ascii=False).encode("cp1252")
    posts, problems = gather_bytes(tmp_path, ndjson(submission(), odd))
    assert posts[1].body == "A café for €2"
    assert lines_of(problems) == {ProblemKind.WRONG_ENCODING: [2]}


@pytest.mark.parametrize("community", [None, "", "  "], ids=["missing", "empty", "blank"])
def test_a_post_without_a_community_is_counted_and_kept_under_the_files_name(community: str | None, tmp_path: Path) -> None:
    posts, problems = gather_bytes(tmp_path, gzip.compress(ndjson(submission(subreddit=community))), "hallow_green.ndjson.gz")
    assert posts[0].community == "hallow_green"
    assert lines_of(problems) == {ProblemKind.MISSING_KEY: [1]}


@pytest.mark.parametrize("ending", PACKINGS)
def test_a_truncated_archive_is_counted_and_the_next_one_is_read(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"a.ndjson{ending}").write_bytes(PACKINGS[ending](ndjson(submission()))[:-3])
    (tmp_path / "b.ndjson").write_bytes(ndjson(comment()))
    posts, problems = gather(tmp_path)
    assert posts[-1].fullname == "t1_c1"
    assert problems.named(ProblemKind.TRUNCATED_ARCHIVE) == [f"a.ndjson{ending}"]


TIMES: dict[str, tuple[Any, datetime | ProblemKind]] = {
    "integer": (NOON_S, NOON), "string": (str(NOON_S), NOON), "float": (NOON_S + 0.5, NOON.replace(microsecond=500_000)),
    "string_of_float": (f"{NOON_S}.0", NOON), "milliseconds": (NOON_S * 1000, NOON), "string_of_milliseconds": (f"{NOON_S}000", NOON),
    "iso_utc": ("2024-05-01T12:00:00Z", NOON), "iso_zone": ("2024-05-01T14:00:00+02:00", NOON), "iso_bare": ("2024-05-01 12:00:00", NOON),
    "iso_day": ("2024-05-01", NOON.replace(hour=0)), "last_second": (4102444799, datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)),
    "null": (None, ProblemKind.NULL_TIME), "empty": ("", ProblemKind.NULL_TIME), "word": ("yesterday", ProblemKind.BAD_TIME),
    "far_future": (4102444800, ProblemKind.BAD_TIME), "iso_future": ("9999-12-31T23:59:59-10:00", ProblemKind.BAD_TIME),
    "microseconds": (NOON_S * 10**6, ProblemKind.BAD_TIME), "too_big": (10**400, ProblemKind.BAD_TIME), "zero": (0, ProblemKind.BAD_TIME),
    "negative": (-NOON_S, ProblemKind.BAD_TIME), "nan": ("nan", ProblemKind.BAD_TIME), "infinity": ("inf", ProblemKind.BAD_TIME),
    "list": ([NOON_S], ProblemKind.BAD_TIME), "object": ({"$date": NOON_S}, ProblemKind.BAD_TIME), "true": (True, ProblemKind.BAD_TIME),
}  # fmt: skip


@pytest.mark.parametrize(("value", "wanted"), TIMES.values(), ids=TIMES)
def test_a_time_is_understood_or_counted_and_the_post_is_kept(value: Any, wanted: datetime | ProblemKind, tmp_path: Path) -> None:
    posts, problems = gather_bytes(tmp_path, ndjson(submission() | {"created_utc": value}))
    is_problem = isinstance(wanted, ProblemKind)
    assert [post.created_at for post in posts] == [None if is_problem else wanted]
    assert lines_of(problems) == ({wanted: [1]} if is_problem else {})


IDS: dict[str, tuple[dict[str, Any], str]] = {
    "submission_without_name": (submission(name=None), "t3_s1"), "comment_without_name": (comment(name=None), "t1_c1"),
    "number": (submission(id=4711, name=None), "t3_4711"), "comment_number": (comment(id=4711, name=None), "t1_4711"),
    "name_for_id": (comment(id="t1_c1", name=None), "t1_c1"), "name_without_id": (comment(id=None), "t1_c1"),
    "nameless_comment_without_parent": (comment(name=None, parent_id=None, link_id=None), "t1_c1"),
}  # fmt: skip


@pytest.mark.parametrize(("row", "fullname"), IDS.values(), ids=IDS)
def test_a_fullname_is_made_of_what_there_is(row: dict[str, Any], fullname: str, tmp_path: Path) -> None:
    posts, _ = gather_bytes(tmp_path, ndjson(row))
    assert [(post.fullname, post.kind is PostKind.COMMENT) for post in posts] == [(fullname, fullname.startswith("t1_"))]


def test_a_table_with_our_own_column_names_needs_no_mapping(tmp_path: Path) -> None:
    table = f"created_utc,subreddit,id,title,selftext,author\r\n{NOON_S},thornby,s1,Bins again,Nobody came.,quillfeather\r\n"
    (post,), problems = gather_bytes(tmp_path, table.encode("utf-8-sig"), "table.csv")
    assert (post.fullname, post.community, post.title, post.body) == ("t3_s1", "thornby", "Bins again", "Nobody came.")
    assert (post.author_id, post.created_at, lines_of(problems)) == ("quillfeather", NOON, {})


def test_a_table_is_read_by_its_mapping_with_line_breaks_and_quotes_in_its_cells(tmp_path: Path) -> None:
    table = b'Who,No.,subreddit,When,Said\nann,7,thornby,2024-05-01T12:00Z,"One, two\n\n""three"""\nben,8,thornby,2024-05-01T12:00Z,\n'
    columns = {"id": "No.", "body": "Said", "author": "Who", "created_utc": "When"}
    posts, problems = gather_bytes(tmp_path, table, "table.csv", **columns)
    assert [(post.fullname, post.author_id, post.created_at) for post in posts] == [("t1_7", "ann", NOON), ("t1_8", "ben", NOON)]
    assert [post.body for post in posts] == ['One, two\n\n"three"', ""]
    assert lines_of(problems) == {ProblemKind.EMPTY_TEXT: [5]}


TABLE_START = "id,body,subreddit,created_utc\n"
BROKEN_ROWS = {
    "too_few_cells": "b,Hello\n", "too_many_cells": "b,Hello,there,thornby,\n", "text_after_a_quote": 'b,"Hello" there,thornby,\n',
}  # fmt: skip


@pytest.mark.parametrize("row", BROKEN_ROWS.values(), ids=BROKEN_ROWS)
def test_a_broken_row_is_counted_and_the_next_is_read(row: str, tmp_path: Path) -> None:
    good = f"{{}},Hello,thornby,{NOON_S}\n"
    posts, problems = gather_bytes(tmp_path, (TABLE_START + good.format("a") + row + "\n" + good.format("c")).encode(), "table.csv")
    assert [post.fullname for post in posts] == ["t1_a", "t1_c"]
    assert lines_of(problems) == {ProblemKind.MALFORMED_LINE: [3]}


@pytest.mark.parametrize(
    ("table", "columns", "message"),
    [
        pytest.param(b"Nr,body\n1,Hello\n", {}, "needs a column for id .* it has: Nr, body", id="no_id"),
        pytest.param(b"id,Text\n1,Hello\n", {}, "needs .* one for title, body or selftext; it has: id, Text", id="no_text"),
        pytest.param(b"id,Text\n1,Hello\n", {"body": "Words"}, "no column 'Words'; it has: id, Text", id="mapped_to_nothing"),
        pytest.param(b"id,Text\n1,Hello\n", {"words": "Text"}, "unknown words; allowed: id, name, author", id="unknown_key"),
        pytest.param(b"", {}, "it has: none", id="empty"),
        pytest.param(b'"id"x,body\n1,Hello\n', {}, r"table\.csv", id="broken_header"),
    ],
)
def test_a_table_that_cannot_be_understood_is_refused_with_what_it_has(
    table: bytes, columns: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(SourceRefusedError, match=message):
        gather_bytes(tmp_path, table, "table.csv", **columns)


def test_a_comment_in_a_table_with_titles_is_a_comment(tmp_path: Path) -> None:
    table = f"id,title,body,parent_id,subreddit,created_utc\ns1,Bins,Again,,thornby,{NOON_S}\nc1,,Here too,t3_s1,thornby,{NOON_S}\n"
    posts, _ = gather_bytes(tmp_path, table.encode(), "table.csv")
    assert [(post.fullname, post.parent) for post in posts] == [("t3_s1", None), ("t1_c1", "t3_s1")]
