"""Where in a TOML file a key stands: the standard parser does not say."""

import re
from collections import Counter

Path = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_ASSIGNMENT = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")


def line_numbers(text: str) -> dict[Path, int]:
    """Line (from 1) of each table and key of a TOML text, by its path; items of inline values share their key's line."""
    lines: dict[Path, int] = {}
    tables: Counter[str] = Counter()
    here: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            here = _parts(header[2])
            if header[1] == "[[":
                here = (*here, tables[header[2]])
                tables[header[2]] += 1
            lines.setdefault(here, number)
        elif assignment := _ASSIGNMENT.match(line):
            lines.setdefault((*here, *_parts(assignment[1])), number)
    return lines


def nearest_line(lines: dict[Path, int], path: Path) -> int:
    """Line of the path, or of the closest table or key above it; 1 where nothing is."""
    for end in range(len(path), 0, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return 1


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
