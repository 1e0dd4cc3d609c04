"""Looks for words that must be gone: in every table, in every file and what is packed in it, in every form in which they may be written."""

import gzip
import html
import json
from collections.abc import Iterable
from pathlib import Path

import sqlalchemy
import zstandard
from sqlalchemy import Engine


def traces(words: str, *, engine: Engine | None = None, folders: Iterable[Path] = ()) -> set[str]:
    """Where some words still are: `table.column` for the database, the path for a file. Database files are searched byte by byte too."""
    found = _in_tables(words, engine) if engine else set()
    for folder in folders:
        found |= {str(path) for path in sorted(folder.rglob("*")) if path.is_file() and _is_in(words, path)}
    return found


def _in_tables(words: str, engine: Engine) -> set[str]:
    """Every table that the database knows of, also one that the code has forgotten."""
    forms = {form.decode("utf-8", "replace") for form in _forms(words)}
    found = set()
    with engine.connect() as connection:
        for table in sqlalchemy.inspect(connection).get_table_names():
            for row in connection.execute(sqlalchemy.text(f'SELECT * FROM "{table}"')).mappings():
                found |= {f"{table}.{column}" for column, value in row.items() if any(form in str(value) for form in forms)}
    return found


def _is_in(words: str, path: Path) -> bool:
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    elif path.suffix == ".zst":
        content = zstandard.ZstdDecompressor().decompress(content, max_output_size=1 << 28)
    return any(form in content for form in _forms(words))


def _forms(words: str) -> set[bytes]:
    escaped = html.escape(words)
    texts = {words, escaped, html.escape(words, quote=False), escaped.replace("&quot;", "&#34;").replace("&#x27;", "&#39;")}
    texts |= {json.dumps(words)[1:-1], json.dumps(words, ensure_ascii=False)[1:-1], words.replace('"', '""')}
    return {text.encode() for text in texts} | {words.encode("utf-16-le"), words.encode("utf-16-be")}
