"""Exported files are cut when posts in them go: the rest of a file stays as it is, also where somebody has worked on it."""

import csv
import io
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from flows.labels.records import as_list
from models import right_queries, written_actions
from models.session import unit_of_work
from models.written import LABELS

BYTE_ORDER_MARK = "\ufeff"


def cut_export(engine: Engine, export: Any, *, by: str) -> bool:
    """Take from a file what has gone from the store; False where the file had to be removed whole, or is not there."""
    path = Path(export.path)
    with engine.connect() as connection:
        gone = right_queries.vanished_from(connection, export.path)
    rest = _rest(path, gone) if export.kind == LABELS else None
    path.with_name(f".{path.name}.part").unlink(missing_ok=True)
    if rest is None:
        path.unlink(missing_ok=True)
        with unit_of_work(engine) as session:
            written_actions.forget_export(session, export.path, by=by)
        return False
    draft = path.with_name(f".{path.name}.part")
    draft.touch(mode=0o600)
    draft.write_text(rest, encoding="utf-8", newline="")
    draft.replace(path)
    with unit_of_work(engine) as session:
        written_actions.keep_export(session, export.path, cut=gone, by=by)
    return True


def _rest(path: Path, gone: Collection[str]) -> str | None:
    """A file without the records of these posts; None where it cannot be told apart into records."""
    try:
        text = path.read_text(encoding="utf-8")
        if text.startswith("["):
            return "".join(as_list(item for item in json.loads(text) if not _speaks_of(json.dumps(item, ensure_ascii=False), gone)))
        if text.startswith("{"):
            return "".join(line for line in text.splitlines(keepends=True) if not _speaks_of(line, gone))
        return _table_without(text, gone)
    except (OSError, ValueError, csv.Error):
        return None


def _speaks_of(record: str, post_ids: Collection[str]) -> bool:
    return any(json.dumps(post_id, ensure_ascii=False) in record for post_id in post_ids)


def _table_without(text: str, gone: Collection[str]) -> str:
    mark = BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else ""
    out = io.StringIO()
    rows = csv.reader(io.StringIO(text.removeprefix(mark), newline=""), strict=True)
    csv.writer(out).writerows(row for row in rows if not {cell.lstrip("'") for cell in row}.intersection(gone))
    return mark + out.getvalue()
