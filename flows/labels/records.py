"""The records of a file: objects of a JSON list or of JSON lines, rows of a table; each with its number."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.labels.rows import LabelFileError, RowProblem
from flows.sources.archive import place_of
from flows.sources.base import Problems
from flows.sources.lines import UNPACKERS, CountedFile, TruncatedError, decoded, lines_of

LIST, LINES, TABLE = "list", "lines", "table"
DELIMITERS = (",", ";", "\t")
_BETWEEN = re.compile(r"[\s,]*")


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A file's records with their numbers: that of the item in a list, else of the line it begins on."""

    kind: str
    records: list[tuple[int, dict[str, Any]]]


def read_records(path: Path, problems: Problems) -> RecordFile:
    """Everything in the file that is a record; the rest is counted.

    Raises
    ------
    LabelFileError
        Where the file cannot be read, or is empty.
    """
    lines = _lines(path, problems)
    kind = kind_of(lines)
    if not kind:
        raise LabelFileError(f"{path}: holds nothing; give a file with labels")
    readers = {LIST: _list_items, LINES: _json_lines, TABLE: _table_rows}
    return RecordFile(kind, list(readers[kind](lines, place_of(path), problems)))


def kind_of(lines: Iterable[str]) -> str:
    """What a file is by its first sign; "" where it has none."""
    start = next((text.lstrip()[:1] for text in lines if text.strip()), "")
    return {"": "", "[": LIST, "{": LINES}.get(start, TABLE)


def delimiter_of(lines: Iterable[str]) -> str:
    """What stands between the cells of a table: the sign that its first line has most of."""
    return max(DELIMITERS, key=next(line for line in lines if line.strip()).count)


def _lines(path: Path, problems: Problems) -> list[str]:
    packing = path.suffix.lower() if path.suffix.lower() in UNPACKERS else ""
    found: list[str] = []
    try:
        file = CountedFile(path)
    except OSError as error:
        raise LabelFileError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from None
    try:
        for number, line in enumerate(lines_of(file, packing), start=1):
            found.append(decoded(line, problems, RowProblem.WRONG_ENCODING, place_of(path), number))
    except TruncatedError:
        problems.add(RowProblem.TRUNCATED_FILE, place_of(path), len(found))
    finally:
        file.close()
    return found


def _list_items(lines: Sequence[str], place: str, problems: Problems) -> Iterator[tuple[int, dict[str, Any]]]:
    text, decoder, number = "\n".join(lines), json.JSONDecoder(), 0
    at = text.index("[") + 1
    while True:
        between = _BETWEEN.match(text, at)
        at = between.end() if between else at
        if text[at : at + 1] == "]":
            return
        number += 1
        try:
            item, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            problems.add(RowProblem.TRUNCATED_FILE, place, number)
            return
        if isinstance(item, dict):
            yield number, item
        else:
            problems.add(RowProblem.MALFORMED_ROW, place, number)


def _json_lines(lines: Sequence[str], place: str, problems: Problems) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError):
            item = None
        if isinstance(item, dict):
            yield number, item
        else:
            problems.add(RowProblem.MALFORMED_ROW, place, number)


def _table_rows(lines: Sequence[str], place: str, problems: Problems) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter_of(lines), strict=True)
    header: list[str] = []
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error:
            problems.add(RowProblem.MALFORMED_ROW, place, number)
            continue
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if not header:
            header = [name.strip().lower() for name in cells]
        elif len(cells) == len(header):
            yield number, dict(zip(header, cells, strict=True))
        else:
            problems.add(RowProblem.MALFORMED_ROW, place, number)


def as_list(records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Parts of a JSON list, a line each."""
    start = "["
    for record in records:
        yield start + json.dumps(record, ensure_ascii=False)
        start = ",\n"
    yield "[]\n" if start == "[" else "]\n"


def as_lines(records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for record in records:
        yield json.dumps(record, ensure_ascii=False) + "\n"
