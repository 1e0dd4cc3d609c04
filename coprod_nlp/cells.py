"""Cells of tables that people open in a spreadsheet."""

from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet could take a cell for a formula and run it."""
    return text.lstrip().startswith(FORMULA_STARTS) or text.startswith(("\t", "\r", "\n"))


def guarded(value: Any) -> Any:
    """A cell with an apostrophe before what a spreadsheet would take for a formula, or for an apostrophe of ours; numbers stay.

    Examples
    --------
    >>> guarded("=1+1"), guarded("'=1+1"), guarded(-1.5)
    ("'=1+1", "''=1+1", -1.5)
    """
    return f"'{value}" if isinstance(value, str) and is_formula(value.lstrip("'")) else value


def unguarded(cell: str) -> str:
    """What `guarded` was given."""
    return cell[1:] if cell.startswith("'") and is_formula(cell.lstrip("'")) else cell
