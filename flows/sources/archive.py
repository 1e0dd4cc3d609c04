"""The archive source: Reddit-shaped NDJSON, CSV (both also .gz, .zst), Excel and Stack Exchange dumps, from a file, a folder or a glob."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from config.handles import without_name
from coprod_nlp.vocabulary import PostKind, PostState
from flows.sources.base import CollectedPost, Placed, ProblemKind, Problems, SourceRefusedError
from flows.sources.files import find_archives, kind_of, unreadable
from flows.sources.lines import CountedFile, NotPackedError, TruncatedError, decoded, lines_of
from flows.sources.row import Row
from flows.sources.stack_exchange import dump_rows, is_dump
from flows.sources.tabular import csv_rows, workbook_rows

ARCHIVE = "archive"
NO_AUTHOR = frozenset({"", "[deleted]", "[removed]", "[unknown]", "None", "null"})
AUTOMATED_AUTHORS = frozenset({"automoderator", "[facilitator]"})
GONE = {"[deleted]": PostState.DELETED, "[removed]": PostState.REMOVED, "[ removed by reddit ]": PostState.REMOVED}
GONE_KINDS = {PostState.DELETED: ProblemKind.DELETED, PostState.REMOVED: ProblemKind.REMOVED, PostState.FILTERED: ProblemKind.FILTERED}
# Who took a submission away, in Reddit's words; a moderator or Reddit itself where not listed.
REMOVERS = {"deleted": PostState.DELETED, "author": PostState.DELETED, "automod_filtered": PostState.FILTERED, "reddit": PostState.FILTERED}
FIRST_YEAR, LAST_YEAR = 1990, 2100
LARGEST_SCORE, MILLISECONDS_FROM = 2**31 - 1, 10**11
SUBMISSION, COMMENT = "t3_", "t1_"
WANTED = (
    "wanted: JSON objects, one a line (a JSON array becomes that with: jq -c '.[]'), or CSV with a header; in UTF-8, or UTF-16 with its "
    "mark; plain, or packed as the ending .gz or .zst says; or an Excel workbook, or the Posts.xml of a Stack Exchange dump"
)


class ArchiveSource:
    """Posts of one or more archive files.

    Parameters
    ----------
    pattern
        A file, a folder (every archive below it) or a glob.
    columns
        For CSV and Excel: our key to the file's column, such as ``{"body": "Comment text"}``; a key left out is looked for by its own name.
    """

    def __init__(self, pattern: str, *, columns: Mapping[str, str] | None = None, platform: str = ARCHIVE) -> None:
        self.paths, self._broken_links = find_archives(pattern)
        self.columns = dict(columns or {})
        if unknown := sorted(set(self.columns) - set(Row.__struct_fields__)):
            raise SourceRefusedError(f"--columns: unknown {', '.join(unknown)}; allowed: {', '.join(Row.__struct_fields__)}")
        self.platform = platform
        self.name = pattern
        self.size: int | None = sum(path.stat().st_size for path in self.paths)
        for path in self.paths:
            self._check_table(path)
        self._before = 0
        self._file: CountedFile | None = None

    @property
    def position(self) -> int:
        return self._before + (self._file.position if self._file else 0)

    def posts(self, problems: Problems) -> Iterator[Placed]:
        """Posts of one file after another.

        Raises
        ------
        SourceRefusedError
            Where a file cannot be opened, or not one line of any could be read.
        """
        for path in self._broken_links:
            problems.add(ProblemKind.BROKEN_LINK, place_of(path))
        rows, failed = 0, None
        for path in self.paths:
            place, before, odd_before = place_of(path), rows, problems.counts.total()
            try:
                self._file = CountedFile(path)
            except OSError as error:
                raise unreadable(path, error) from None
            try:
                for row, line in self._rows(path, problems):
                    rows += 1
                    post = to_post(row, place, line, problems)
                    if post:
                        yield post, place, line
            except OSError as error:
                raise unreadable(path, error) from None
            finally:
                self._before += path.stat().st_size
                self._file.close()
                self._file = None
            if rows == before and problems.counts.total() > odd_before:
                problems.add(ProblemKind.UNREADABLE_FILE, place)
                failed = failed or path
        if failed and not rows:
            raise SourceRefusedError(f"{failed}: not one line could be read; {WANTED}")

    def _check_table(self, path: Path) -> None:
        """A table without the columns we need is refused before anything else is done."""
        packing, kind = kind_of(path)
        try:
            if kind == ".xlsx":
                next(workbook_rows(path, columns=self.columns), None)
            if kind == ".csv":
                with closing(CountedFile(path)) as file:
                    lines = (f"{line.decode('utf-8', 'replace')}\n" for line in lines_of(file, packing))
                    next(csv_rows(path, lines, columns=self.columns, place="", problems=Problems()), None)
        except OSError as error:
            raise unreadable(path, error) from None
        except TruncatedError:
            pass  # counted when the rows are read

    def _rows(self, path: Path, problems: Problems) -> Iterator[tuple[Row, int]]:
        assert self._file is not None  # noqa: S101  (set by `posts` just before)
        packing, kind = kind_of(path)
        try:
            if kind == ".xlsx":
                yield from workbook_rows(path, columns=self.columns)
            elif is_dump(path):
                yield from dump_rows(path, self._file)
            else:
                yield from self._lines(path, packing, kind, problems)
        except TruncatedError as error:
            kind_of_end = ProblemKind.NOT_PACKED if isinstance(error, NotPackedError) else ProblemKind.TRUNCATED_ARCHIVE
            problems.add(kind_of_end, place_of(path))

    def _lines(self, path: Path, packing: str, kind: str, problems: Problems) -> Iterator[tuple[Row, int]]:
        number, place = 0, place_of(path)

        def texts() -> Iterator[str]:
            nonlocal number
            try:
                for line in lines_of(self._file, packing):  # type: ignore[arg-type]
                    number += 1
                    yield decoded(line, problems, ProblemKind.WRONG_ENCODING, place, number)
            except TruncatedError:
                if not number:
                    raise
                problems.add(ProblemKind.TRUNCATED_ARCHIVE, place, number)

        if kind == ".csv":
            lines = (text + "\n" for text in texts())
            yield from csv_rows(path, lines, columns=self.columns, place=place, problems=problems)
            return
        decoder, is_list = msgspec.json.Decoder(Row), None
        for text in texts():
            if not text.strip():
                continue
            is_list = _opens_list(text) if is_list is None else is_list
            try:
                row = None if is_list else decoder.decode(text)
            except (msgspec.DecodeError, RecursionError):
                row = None
            if row is None:
                problems.add(ProblemKind.MALFORMED_LINE, place, number)
            else:
                yield row, number


def _opens_list(text: str) -> bool:
    """Whether a first line begins a JSON array that goes on: of its lines only the last could be taken for a row."""
    if not text.lstrip().startswith("["):
        return False
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return True
    return False


def to_post(row: Row, place: str, line: int | None, problems: Problems) -> CollectedPost | None:
    """A row as a post, or None where it cannot be one; what is odd about it is counted."""
    for key in ("title", "selftext", "body"):
        if isinstance(getattr(row, key), dict | list | bool):
            problems.add(ProblemKind.ODD_VALUE, place, line)
            setattr(row, key, None)
    is_comment = _is_comment(row)
    fullname = _fullname(row, is_comment=is_comment)
    text = row.body if is_comment else row.selftext if row.selftext is not None else row.body
    if not fullname or (text is None and row.title is None):
        problems.add(ProblemKind.MISSING_KEY, place, line)
        return None
    community = _text(row.subreddit).strip().removeprefix("/").removeprefix("r/").strip("/")
    if not community:
        problems.add(ProblemKind.MISSING_KEY, place, line)
        community = place.split(".")[0]
    title, body = ("" if is_comment else _text(row.title).strip()), _text(text)
    author = _text(row.author).strip()
    state = _state(row, author=author, title=title, body=body)
    if kind := GONE_KINDS.get(state):
        problems.add(kind, place, line)
    elif not title and not body.strip():
        problems.add(ProblemKind.EMPTY_TEXT, place, line)
    thread = _reference(row.link_id, SUBMISSION) if is_comment else fullname
    return CollectedPost(
        fullname=fullname,
        community=community,
        kind=PostKind.COMMENT if is_comment else PostKind.SUBMISSION,
        state=state,
        author_id=None if author in NO_AUTHOR else author,
        title=title,
        body="" if body.strip().lower() in GONE else body,
        parent=_parent(row, thread) or None if is_comment else None,
        thread=thread or None,
        permalink=without_name(_text(row.permalink)),
        score=_number(row.score),
        created_at=_time(row.created_utc, place, line, problems),
    )


def _is_comment(row: Row) -> bool:
    name = _text(row.name)
    if name.startswith((SUBMISSION, COMMENT)):
        return name.startswith(COMMENT)
    if row.title is None:
        return any(value is not None for value in (row.body, row.parent_id, row.link_id))
    return not _text(row.title) and any(map(_text, (row.body, row.parent_id, row.link_id)))


def _fullname(row: Row, *, is_comment: bool) -> str:
    for value in (row.name, row.id):
        if text := _text(value).strip():
            return text if text.startswith((SUBMISSION, COMMENT)) else (COMMENT if is_comment else SUBMISSION) + text
    return ""


def _state(row: Row, *, author: str, title: str, body: str) -> PostState:
    if row.removed_by_category:
        return REMOVERS.get(_text(row.removed_by_category), PostState.REMOVED)
    for text in (body, title):
        if found := GONE.get(text.strip().lower()):
            return found
    if author.lower() in AUTOMATED_AUTHORS or row.distinguished == "moderator":
        return PostState.AUTOMATED
    return PostState.VISIBLE


def _time(value: Any, place: str, line: int | None, problems: Problems) -> datetime | None:
    if value is None or value == "":
        problems.add(ProblemKind.NULL_TIME, place, line)
        return None
    try:
        moment = _moment(value)
        if not FIRST_YEAR <= moment.year < LAST_YEAR:
            raise ValueError
    except (ValueError, OverflowError, OSError, TypeError):
        problems.add(ProblemKind.BAD_TIME, place, line)
        return None
    return moment


def _moment(value: Any) -> datetime:
    try:
        seconds = float(value)
    except ValueError:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return datetime.fromtimestamp(seconds / 1000 if seconds > MILLISECONDS_FROM else seconds, tz=UTC)


def _number(value: Any) -> int | None:
    try:
        number = int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) <= LARGEST_SCORE else None


def _reference(value: Any, kind: str) -> str:
    """A fullname from a fullname or a bare id."""
    text = _text(value).strip()
    return text if not text or text.startswith((SUBMISSION, COMMENT)) else kind + text


def _parent(row: Row, thread: str) -> str:
    """A bare parent id is that of the thread's submission, or of a comment."""
    parent = _text(row.parent_id).strip()
    is_submission = SUBMISSION + parent == thread
    return _reference(parent, SUBMISSION if is_submission or not thread else COMMENT) or thread


def _text(value: Any) -> str:
    """Any value as text that a database takes: without NUL, and without half a surrogate pair."""
    text = value if isinstance(value, str) else "" if value is None else str(value)
    text = text.replace("\0", "") if "\0" in text else text
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def place_of(path: Path) -> str:
    """A file's name for counts and reports; names that are not UTF-8 are made so."""
    return path.name.encode("utf-8", "replace").decode()
