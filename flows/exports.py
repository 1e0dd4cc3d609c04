"""Exported files are cut when posts in them go: the rest of a file stays as it is, also where somebody has worked on it."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from flows.labels.records import LINES, LIST, TABLE, as_list, delimiter_of, kind_of
from flows.sources.lines import UTF8_MARK, UTF16_MARKS
from models import right_queries, written_actions
from models.session import unit_of_work
from models.written import LABELS


def cut_export(engine: Engine, export: Any, *, by: str) -> bool:
    """Take from a file what has gone from the store; False where the file had to be removed whole.

    An answer to an access request that is not there was deleted, as everybody is asked to. A file of labels may be on a drive that is away.

    Raises
    ------
    OSError
        Where the file is not found or cannot be changed.
    """
    path = Path(export.path)
    if export.kind == LABELS:
        path.stat()
    with engine.connect() as connection:
        held = right_queries.exported_in(connection, export.path)
        gone = right_queries.vanished_from(connection, export.path)
    rest = _Cut(held, gone).rest(path) if export.kind == LABELS else None
    draft = path.with_name(f".{path.name}.part")
    if rest is None:
        for each in (draft, path):
            if each.exists():
                each.unlink()
        with unit_of_work(engine) as session:
            written_actions.forget_export(session, export.path, by=by)
        return False
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_bytes(rest)
    draft.replace(path)
    with unit_of_work(engine) as session:
        written_actions.keep_export(session, export.path, cut=gone, by=by)
    return True


@dataclass(frozen=True)
class _Cut:
    """Takes records of the posts that are `gone` from a file of those `held`, which programs may have saved in their own ways since."""

    held: set[str]
    gone: set[str]

    def rest(self, path: Path) -> bytes | None:
        """What stays of a file; None where it cannot be told apart into records that each name a post it holds."""
        try:
            data = path.read_bytes()
            encoding = "utf-16" if data.startswith(UTF16_MARKS) else "utf-8-sig" if data.startswith(UTF8_MARK) else "utf-8"
            # Parted at line feeds alone, as files of labels are read: what people write may hold other ends of lines.
            lines = list(io.StringIO(data.decode(encoding)))
            without = {LIST: self._list_without, LINES: self._lines_without, TABLE: self._table_without}[kind_of(lines)]
            return "".join(without(lines)).encode(encoding)
        except (OSError, LookupError, ValueError, RecursionError, csv.Error):
            return None

    def _stays(self, values: Iterable[str]) -> bool:
        named = self.held.intersection(value.strip().lstrip("'") for value in values)
        if not named:
            raise ValueError("a record of no post that the file is known to hold")
        return named.isdisjoint(self.gone)

    def _list_without(self, lines: Sequence[str]) -> Iterator[str]:
        return as_list(item for item in json.loads("".join(lines)) if self._stays(_texts_in(item)))

    def _lines_without(self, lines: Sequence[str]) -> Iterator[str]:
        return (line for line in lines if not line.strip() or self._stays(_texts_in(json.loads(line))))

    def _table_without(self, lines: Sequence[str]) -> Iterator[str]:
        delimiter = delimiter_of(lines)
        rows = csv.reader(lines, delimiter=delimiter, strict=True)
        header, *records = (row for row in rows if any(cell.strip() for cell in row))
        if self.held.intersection(header) or any(len(row) != len(header) for row in records):
            raise ValueError("no header, or a row that is longer or shorter")
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter).writerows([header, *(row for row in records if self._stays(row))])
        yield out.getvalue()


def _texts_in(value: Any) -> Iterator[str]:
    """Every text of a record, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(part)
