"""Cells of tables that people open in a spreadsheet."""

FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet could take a cell for a formula and run it."""
    return text.lstrip().startswith(FORMULA_STARTS) or text.startswith(("\t", "\r"))
