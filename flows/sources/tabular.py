"""Tables: CSV and Excel workbooks, such as a council exports from a consultation, with a mapping of columns."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from flows.sources.base import ProblemKind, Problems, SourceRefusedError
from flows.sources.row import Row

# What a formula gives in Excel where it has no value.
ERRORS = frozenset({
    "#BLOCKED!", "#BUSY!", "#CALC!", "#CONNECT!", "#DIV/0!", "#EXTERNAL!", "#FIELD!", "#GETTING_DATA", "#N/A", "#NAME?", "#NULL!",
    "#NUM!", "#PYTHON!", "#REF!", "#SPILL!", "#UNKNOWN!", "#VALUE!",
})  # fmt: skip
UNREADABLE = (BadZipFile, InvalidFileException, KeyError, ValueError)


def csv_rows(path: Path, lines: Iterator[str], *, columns: Mapping[str, str], place: str, problems: Problems) -> Iterator[Row]:
    """Rows of a CSV file; their lines are counted by whoever gives them.

    Raises
    ------
    SourceRefusedError
        Where the first line is no header, or lacks a column that is needed.
    """
    reader = csv.reader(lines, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise SourceRefusedError(f"{path}: its first line is no CSV header ({error}); mend it") from None
    places = _places(path, header, columns)
    while True:
        first_line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            problems.add(ProblemKind.MALFORMED_LINE, place, first_line)
            continue
        if len(cells) != len(header):
            if cells:
                problems.add(ProblemKind.MALFORMED_LINE, place, first_line)
            continue
        yield Row(**{key: cells[place_in] for key, place_in in places.items()})


def workbook_rows(path: Path, *, columns: Mapping[str, str]) -> Iterator[tuple[Row, int]]:
    """Rows of the first sheet of a workbook, with their numbers there. Formulas give the value they had when it was saved.

    Raises
    ------
    SourceRefusedError
        Where it is no workbook, or its first row lacks a column that is needed.
    """
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except UNREADABLE as error:
        raise SourceRefusedError(f"{path}: is no Excel workbook ({type(error).__name__}); save it as .xlsx again, or as CSV") from None
    try:
        yield from _sheet_rows(path, book.worksheets[0].iter_rows(values_only=True), columns)
    finally:
        book.close()


def _sheet_rows(path: Path, rows: Iterable[Sequence[Any]], columns: Mapping[str, str]) -> Iterator[tuple[Row, int]]:
    numbered = enumerate(rows, start=1)
    _, first = next(numbered, (1, ()))
    places = _places(path, [str(_cell(value) or "").strip() for value in first], columns)
    for number, cells in numbered:
        values = {key: _cell(cells[place]) for key, place in places.items() if place < len(cells)}
        if any(value is not None for value in values.values()):
            yield Row(**values), number


def _places(path: Path, header: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Where each of our keys stands in a row."""
    places = {key: header.index(column) for key in Row.__struct_fields__ if (column := columns.get(key, key)) in header}
    names = ", ".join(filter(None, header)) or "none"
    if missing := sorted(column for column in columns.values() if column not in header):
        raise SourceRefusedError(f"{path}: no column {', '.join(map(repr, missing))}; it has: {names}")
    if not places.keys() & {"id", "name"} or not places.keys() & {"title", "body", "selftext"}:
        raise SourceRefusedError(
            f"{path}: needs a column for id and one for title, body or selftext; it has: {names}. "
            "Say which is which, as in --columns id=ID,body=Comment"
        )
    return places


def _cell(value: Any) -> Any:
    """Times as the text that they would be in CSV; errors of a formula as nothing."""
    if isinstance(value, date):
        return value.isoformat()
    return None if value in ERRORS else value
