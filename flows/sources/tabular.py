"""Tables: CSV and Excel workbooks, such as a council exports from a consultation, with a mapping of columns."""

import csv
import re
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from flows.sources.base import ProblemKind, Problems, SourceRefusedError
from flows.sources.lines import TruncatedError
from flows.sources.row import Row

# What a formula gives in Excel where it has no value.
ERRORS = frozenset({
    "#BLOCKED!", "#BUSY!", "#CALC!", "#CONNECT!", "#DIV/0!", "#EXTERNAL!", "#FIELD!", "#GETTING_DATA", "#N/A", "#NAME?", "#NULL!",
    "#NUM!", "#PYTHON!", "#REF!", "#SPILL!", "#UNKNOWN!", "#VALUE!",
})  # fmt: skip
# What openpyxl stumbles over where a workbook is damaged, or has nothing but charts.
UNREADABLE = (
    BadZipFile, InvalidFileException, ParseError, zlib.error, EOFError, KeyError, IndexError, ValueError, TypeError, AttributeError,
)  # fmt: skip
# No post is as long; a row that still goes on then has a quote that nobody closed.
LARGEST_ROW_CHARS = 1 << 24
csv.field_size_limit(LARGEST_ROW_CHARS)
FIELD = re.compile(r'(?:"[^"]*(?:""[^"]*)*"|[^",\r\n][^,\r\n]*|)[,\r\n]')
# Of ten rows, how many are whole where lines are rows of their own rather than the inside of a message.
WHOLE_OF_TEN = 9


def csv_rows(path: Path, lines: Iterable[str], *, columns: Mapping[str, str], place: str, problems: Problems) -> Iterator[tuple[Row, int]]:
    """Rows of a CSV file, with the number of the last line of each. Every line that is lost is counted.

    Raises
    ------
    SourceRefusedError
        Where the first line is no header, or lacks a column that is needed.
    """
    taken = _Taken(iter(lines))
    reader = csv.reader(taken, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise SourceRefusedError(f"{path}: its first line is no CSV header ({error}); mend it") from None
    places = _places(path, header, columns)
    while True:
        taken.row.clear()
        first = taken.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = None
        if cells is not None and len(cells) == len(header):
            yield Row(**{key: cells[place_in] for key, place_in in places.items()}), taken.number
        elif cells != []:
            taken.go_back(_damaged(taken.row, len(header)))
            for number in range(first, taken.number + 1):
                problems.add(ProblemKind.MALFORMED_LINE, place, number)


class _Taken:
    """Lines as a reader of CSV takes them. Those of the row at hand are kept, to go back to."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.row: list[str] = []
        self._chars = 0
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self._chars = self._chars if self.row else 0
        if self._chars > LARGEST_ROW_CHARS:
            raise csv.Error
        line = self._again.popleft() if self._again else next(self._lines)
        self.row.append(line)
        self._chars += len(line)
        self.number += 1
        return line

    def go_back(self, kept: int) -> None:
        """Give the lines of this row again, but for the first of them."""
        self._again.extendleft(reversed(self.row[kept:]))
        self.number -= len(self.row) - kept


def _damaged(lines: Sequence[str], width: int) -> int:
    """How many lines of a row that is none are lost: to where a stray quote stands, where what follows are rows; else all of them.

    To read on within a message would make posts of its lines.
    """
    text, end = "".join(lines), 0
    while end < len(text) and (field := FIELD.match(text, end)):
        end = field.end()
    opened = text.count("\n", 0, end) + 1 if end < len(text) else 1
    return opened if _are_rows(lines[opened:], width) else len(lines)


def _are_rows(lines: Sequence[str], width: int) -> bool:
    """Whether nearly all are rows; the last may go on after them."""
    reader = csv.reader(lines, strict=True)
    whole = rows = 0
    while reader.line_num < len(lines):
        try:
            cells = next(reader)
        except csv.Error as error:
            rows += reader.line_num < len(lines) or not _is_open(error)
        else:
            rows += cells != []
            whole += len(cells) == width
    return 10 * whole >= WHOLE_OF_TEN * rows


def _is_open(error: csv.Error) -> bool:
    return str(error) == "unexpected end of data"


def workbook_rows(path: Path, *, columns: Mapping[str, str]) -> Iterator[tuple[Row, int]]:
    """Rows of the first sheet of a workbook, with their numbers there. Formulas give the value they had when it was saved.

    Raises
    ------
    SourceRefusedError
        Where it is no workbook, has no sheet of cells, or its first row lacks a column that is needed.
    TruncatedError
        After the last row before damage.
    """
    with path.open("rb") as file:
        try:
            book = load_workbook(file, read_only=True, data_only=True)
        except UNREADABLE as error:
            raise _damaged_workbook(path, error) from None
        try:
            yield from _sheet_rows(path, book.worksheets, columns)
        finally:
            book.close()


def _damaged_workbook(path: Path, error: Exception) -> SourceRefusedError:
    return SourceRefusedError(
        f"{path}: is no Excel workbook, is damaged or has no sheet of cells ({type(error).__name__}); save it as .xlsx again, or as CSV"
    )


def _sheet_rows(path: Path, sheets: Sequence[Any], columns: Mapping[str, str]) -> Iterator[tuple[Row, int]]:
    try:
        rows = sheets[0].iter_rows(values_only=True)
        first = next(rows, ())
    except UNREADABLE as error:
        raise _damaged_workbook(path, error) from None
    places = _places(path, [str(_cell(value) or "").strip() for value in first], columns)
    number = 1
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except UNREADABLE as error:
            raise TruncatedError(type(error).__name__) from None
        number += 1
        values = {key: _cell(cells[place]) for key, place in places.items() if place < len(cells)}
        if any(value is not None for value in values.values()):
            yield Row(**values), number


def _places(path: Path, header: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Where each of our keys stands in a row. A first row with no name we know may be a person's: it is not repeated."""
    places = {key: header.index(column) for key in Row.__struct_fields__ if (column := columns.get(key, key)) in header}
    is_header = not {*columns.values(), *Row.__struct_fields__}.isdisjoint(header)
    names = (
        ", ".join(filter(None, header))
        if is_header
        else f"{len(header)} column(s), none with a name that was looked for"
        if header
        else "none"
    )
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
