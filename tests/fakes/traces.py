"""Looks for words that must be gone: in every table, in every file and what is packed in it, in every form in which they may be written."""

import gzip
import html
import json
from collections.abc import Iterable
from pathlib import Path

import sqlalchemy
import zstandard
from sqlalchemy import Engine


def traces(*words: str, engine: Engine | None = None, folders: Iterable[Path] = ()) -> set[str]:
    """Where any of some words still are: `table.column` for the database, the path for a file, a database's own too."""
    forms = {form for one in words for form in _forms(one)}
    found = _in_tables(forms, engine) if engine else set()
    for folder in folders:
        found |= {str(path) for path in sorted(folder.rglob("*")) if path.is_file() and _is_in(forms, path)}
    return found


def _in_tables(forms: set[bytes], engine: Engine) -> set[str]:
    """Every table that the database knows of, also one that the code has forgotten."""
    found = set()
    with engine.connect() as connection:
        for table in sqlalchemy.inspect(connection).get_table_names():
            columns: dict[str, list[str]] = {}
            for row in connection.execute(sqlalchemy.text(f'SELECT * FROM "{table}"')).mappings():
                for column, value in row.items():
                    columns.setdefault(column, []).append(str(value))
            contents = {column: "\n".join(values).encode("utf-8", "surrogatepass") for column, values in columns.items()}
            found |= {f"{table}.{column}" for column, content in contents.items() if any(form in content for form in forms)}
    return found


def _is_in(forms: set[bytes], path: Path) -> bool:
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    elif path.suffix == ".zst":
        content = zstandard.ZstdDecompressor().decompress(content, max_output_size=1 << 28)
    return any(form in content for form in forms)


def _forms(words: str) -> set[bytes]:
    escaped = html.escape(words)
    texts = {words, escaped, html.escape(words, quote=False), escaped.replace("&quot;", "&#34;").replace("&#x27;", "&#39;")}
    texts |= {json.dumps(words)[1:-1], json.dumps(words, ensure_ascii=False)[1:-1], words.replace('"', '""')}
    return {text.encode() for text in texts} | {words.encode("utf-16-le"), words.encode("utf-16-be")}
