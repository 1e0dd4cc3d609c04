"""The archive source: Reddit-shaped NDJSON, CSV (both also .gz, .zst), Excel and Stack Exchange dumps, from a file, a folder or a glob."""

import glob
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from coprod_nlp.vocabulary import PostKind, PostState
from flows.sources.base import CollectedPost, Placed, ProblemKind, Problems, SourceRefusedError
from flows.sources.lines import CountedFile, TruncatedError, decoded, lines_of
from flows.sources.row import Row
from flows.sources.stack_exchange import dump_rows, is_dump
from flows.sources.tabular import csv_rows, workbook_rows

ARCHIVE = "archive"
ENDINGS = (".ndjson", ".jsonl", ".json", ".csv", ".xlsx", "posts.xml")
PACKINGS = (".gz", ".zst")
NO_AUTHOR = frozenset({"", "[deleted]", "[removed]", "[unknown]", "None", "null"})
AUTOMATED_AUTHORS = frozenset({"automoderator", "[facilitator]"})
GONE = {"[deleted]": PostState.DELETED, "[removed]": PostState.REMOVED, "[ removed by reddit ]": PostState.REMOVED}
GONE_KINDS = {PostState.DELETED: ProblemKind.DELETED, PostState.REMOVED: ProblemKind.REMOVED, PostState.FILTERED: ProblemKind.FILTERED}
# Who took a submission away, in Reddit's words; a moderator or Reddit itself where not listed.
REMOVERS = {"deleted": PostState.DELETED, "author": PostState.DELETED, "automod_filtered": PostState.FILTERED, "reddit": PostState.FILTERED}
FIRST_YEAR, LAST_YEAR = 1990, 2100
LARGEST_SCORE, MILLISECONDS_FROM = 2**31 - 1, 10**11
SUBMISSION, COMMENT = "t3_", "t1_"


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
        self.paths = find_archives(pattern)
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
        for path in self.paths:
            place = place_of(path)
            try:
                self._file = CountedFile(path)
            except OSError as error:
                raise _unreadable(path, error) from None
            try:
                for row, line in self._rows(path, problems):
                    post = to_post(row, place, line, problems)
                    if post:
                        yield post, place, line
            except OSError as error:
                raise _unreadable(path, error) from None
            finally:
                self._before += path.stat().st_size
                self._file.close()
                self._file = None

    def _check_table(self, path: Path) -> None:
        """A table without the columns we need is refused before anything else is done."""
        packing, kind = _kind(path)
        if kind == ".xlsx":
            next(workbook_rows(path, columns=self.columns), None)
        if kind == ".csv":
            try:
                file = CountedFile(path)
            except OSError as error:
                raise _unreadable(path, error) from None
            try:
                lines = (f"{line.decode('utf-8', 'replace')}\n" for line in lines_of(file, packing))
                next(csv_rows(path, lines, columns=self.columns, place="", problems=Problems()), None)
            except TruncatedError:
                pass  # counted when the rows are read
            finally:
                file.close()

    def _rows(self, path: Path, problems: Problems) -> Iterator[tuple[Row, int]]:
        assert self._file is not None  # noqa: S101  (set by `posts` just before)
        packing, kind = _kind(path)
        try:
            if kind == ".xlsx":
                yield from workbook_rows(path, columns=self.columns)
            elif is_dump(path):
                yield from dump_rows(path, self._file)
            else:
                yield from self._lines(path, packing, kind, problems)
        except TruncatedError:
            problems.add(ProblemKind.TRUNCATED_ARCHIVE, place_of(path))

    def _lines(self, path: Path, packing: str, kind: str, problems: Problems) -> Iterator[tuple[Row, int]]:
        number, place = 0, place_of(path)

        def texts() -> Iterator[str]:
            nonlocal number
            try:
                for line in lines_of(self._file, packing):  # type: ignore[arg-type]
                    number += 1
                    yield decoded(line, problems, ProblemKind.WRONG_ENCODING, place, number)
            except TruncatedError:
                problems.add(ProblemKind.TRUNCATED_ARCHIVE, place, number)

        if kind == ".csv":
            lines = (text + "\n" for text in texts())
            yield from csv_rows(path, lines, columns=self.columns, place=place, problems=problems)
            return
        decoder = msgspec.json.Decoder(Row)
        for text in texts():
            if not text.strip():
                continue
            try:
                yield decoder.decode(text), number
            except (msgspec.DecodeError, RecursionError):
                problems.add(ProblemKind.MALFORMED_LINE, place, number)


def find_archives(pattern: str) -> list[Path]:
    """Archive files of a path, a folder or a glob, in a fixed order.

    Raises
    ------
    SourceRefusedError
        Where there is none, with what was looked for.
    """
    if not pattern.strip():
        raise SourceRefusedError("the source is empty; give `sample` or the path of an archive")
    path = Path(pattern)
    if path.is_file():
        found = [path]
    elif path.is_dir():
        found = [child for child in path.rglob("*") if child.is_file() and _is_archive(child)]
    else:
        found = [Path(name) for name in glob.glob(pattern, recursive=True) if _is_archive(Path(name))]  # noqa: PTH207  (any path, not one folder)
    if not found:
        endings = ", ".join(ENDINGS)
        raise SourceRefusedError(
            f"{pattern}: no archive there; wanted a file, a folder or a glob of {endings} (lines also with .gz or .zst)"
        )
    return sorted(found)


def _kind(path: Path) -> tuple[str, str]:
    """Packing (or "") and kind of an archive by its name."""
    packing = path.suffix.lower() if path.suffix.lower() in PACKINGS else ""
    return packing, Path(path.stem).suffix.lower() if packing else path.suffix.lower()


def _unreadable(path: Path, error: OSError) -> SourceRefusedError:
    return SourceRefusedError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions")


def _is_archive(path: Path) -> bool:
    name = path.name.lower()
    packed = name.endswith(PACKINGS)
    for packing in PACKINGS:
        name = name.removesuffix(packing)
    return name.endswith(ENDINGS) or (packed and not Path(name).suffix)


def to_post(row: Row, place: str, line: int | None, problems: Problems) -> CollectedPost | None:
    """A row as a post, or None where it cannot be one; what is odd about it is counted."""
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
        permalink=_text(row.permalink),
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
