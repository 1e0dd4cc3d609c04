"""Every format in which labels come and go, by the word that names it."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flows.job import RequestError
from flows.labels.argilla import is_argilla, read_argilla, write_argilla
from flows.labels.doccano import is_doccano, read_doccano, write_doccano
from flows.labels.label_studio import is_task, read_task, write_tasks
from flows.labels.own import COLUMNS, is_own, read_own, read_table_row, write_lines, write_table
from flows.labels.records import LIST, TABLE, RecordFile, read_records
from flows.labels.rows import LabelFileError, LabelFormat, LabelRow, PostToWrite, Record, RowError
from flows.sources.archive import place_of
from flows.sources.base import Problems


@dataclass(frozen=True)
class _Format:
    """Whether a record is of this format, its judgements, and posts as it is written."""

    is_it: Callable[[Record], bool]
    read: Callable[[Record], list[LabelRow]]
    write: Callable[[Iterable[PostToWrite]], Iterator[str]]


# In the order in which a record is tried: the more particular shapes first.
FORMATS: dict[LabelFormat, _Format] = {
    LabelFormat.ARGILLA: _Format(is_argilla, read_argilla, write_argilla),
    LabelFormat.LABEL_STUDIO: _Format(is_task, read_task, write_tasks),
    LabelFormat.DOCCANO: _Format(is_doccano, read_doccano, write_doccano),
    LabelFormat.JSONL: _Format(is_own, read_own, write_lines),
    LabelFormat.CSV: _Format(is_own, read_table_row, write_table),
}
# What may be shown of a first line that could be somebody's words.
_NAME = re.compile(r"[\w .-]{0,30}")
ENDINGS = {".jsonl": LabelFormat.JSONL, ".ndjson": LabelFormat.JSONL, ".csv": LabelFormat.CSV}


@dataclass(frozen=True, slots=True)
class LabelFile:
    """What was read of a file: its format, what its row numbers count ("line" or "item"), and its rows."""

    format: LabelFormat
    unit: str
    rows: list[tuple[int, LabelRow]]


def read_labels(path: Path, problems: Problems, *, given: LabelFormat | None = None) -> LabelFile:
    """Every judgement in a file; what cannot be one is counted.

    Raises
    ------
    LabelFileError
        Where the file cannot be read, or is of no format that is known.
    """
    found = read_records(path, problems)
    format_ = given or _format_of(path, found)
    _check_table(path, found, format_)
    rows: list[tuple[int, LabelRow]] = []
    for number, record in found.records:
        try:
            rows += [(number, row) for row in FORMATS[format_].read(record)]
        except RowError as error:
            problems.add(error.kind, place_of(path), number)
    return LabelFile(format_, "item" if found.kind == LIST else "line", rows)


def write_labels(path: Path, items: Iterable[PostToWrite], *, given: LabelFormat | None = None) -> LabelFormat:
    """Write a file, whole or not at all, that only its owner can read: it holds what people wrote.

    Raises
    ------
    RequestError
        Where the format is not clear from the name, the file is there already or the place cannot be written.
    """
    format_ = format_to_write(path, given=given)
    if path.exists():
        raise RequestError(f"--out {path}: is there already, perhaps with labels in it; choose another name")
    draft = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(draft, "w", encoding="utf-8", newline="", opener=_for_owner_only) as file:
            file.writelines(FORMATS[format_].write(items))
        draft.replace(path)
    except OSError as error:
        raise RequestError(f"--out {path}: cannot be written ({error.strerror}); choose another place") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return format_


def format_to_write(path: Path, *, given: LabelFormat | None = None) -> LabelFormat:
    """The format that was given, or that the ending of a name stands for.

    Raises
    ------
    RequestError
        Where there is none.
    """
    format_ = given or ENDINGS.get(path.suffix.lower())
    if format_ is None:
        raise RequestError(f"--out {path}: its format is not clear from its name; give --format, one of {', '.join(LabelFormat)}")
    return format_


def _format_of(path: Path, found: RecordFile) -> LabelFormat:
    if found.kind == TABLE:
        return LabelFormat.CSV
    for _, record in found.records:
        for name, format_ in FORMATS.items():
            if format_.is_it(record):
                return name
    raise LabelFileError(f"{path}: not recognised as a file of labels; give --format, one of {', '.join(LabelFormat)}")


def _check_table(path: Path, found: RecordFile, format_: LabelFormat) -> None:
    """A table whose columns say nothing to us is refused, rather than each of its rows."""
    if (found.kind == TABLE) != (format_ is LabelFormat.CSV):
        seen = "a table" if found.kind == TABLE else "JSON"
        raise LabelFileError(f"{path}: is {seen}, not {format_}; leave --format out or give the one it has")
    columns = found.records[0][1] if found.kind == TABLE and found.records else {}
    if columns and not (is_own(columns) and columns.keys() & {"id", "title", "body", "text"}):
        is_header = all(_NAME.fullmatch(name) for name in columns)
        seen = ", ".join(columns) if is_header else "none, as its first line is no line of names"
        raise LabelFileError(f"{path}: needs columns such as {', '.join(COLUMNS)}; it has: {seen}")


def _for_owner_only(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)
