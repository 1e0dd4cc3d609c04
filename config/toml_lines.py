"""Where in a TOML file a key stands: the standard parser does not say."""

import re
from collections import Counter

Path = tuple[str | int, ...]

TEXT_MARKS = ('"""', "'''")
_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_ASSIGNMENT = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")


def line_numbers(text: str) -> dict[Path, int]:
    """Line (from 1) of each table and key of a TOML text, by its path; items of inline values share their key's line."""
    lines: dict[Path, int] = {}
    tables: Counter[str] = Counter()
    here: Path = ()
    inside = ""
    for number, line in enumerate(text.split("\n"), start=1):
        before, inside = inside, _left_open(line, inside)
        if before:
            continue
        if header := _HEADER.match(line):
            here = _parts(header[2])
            if header[1] == "[[":
                here = (*here, tables[header[2]])
                tables[header[2]] += 1
            lines.setdefault(here, number)
        elif assignment := _ASSIGNMENT.match(line):
            lines.setdefault((*here, *_parts(assignment[1])), number)
    return lines


def _left_open(line: str, inside: str) -> str:
    """Which mark of a text of several lines is open after a line, if any."""
    rest = line
    while rest:
        if inside:
            _, closed, rest = rest.partition(inside)
            inside = "" if closed else inside
        else:
            found = [(rest.find(mark), mark) for mark in TEXT_MARKS if mark in rest]
            comment = rest.find("#")
            if not found or 0 <= comment < min(found)[0]:
                return ""
            place, inside = min(found)
            rest = rest[place + len(inside) :]
    return inside


def nearest_line(lines: dict[Path, int], path: Path) -> int:
    """Line of the path, or of the closest table or key above it; 1 where nothing is."""
    for end in range(len(path), 0, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return 1


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
