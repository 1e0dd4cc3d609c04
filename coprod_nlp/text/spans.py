"""Where in a text marked words stand. Tools count differently: some in characters, those that run in a browser in UTF-16 units."""

import re
from typing import Any


def characters(text: str, units: int) -> int:
    """A place in characters from one in UTF-16 units; between the halves of a pair, it is the character's start."""
    return len(text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore"))


def units(text: str, place: int) -> int:
    """A place in UTF-16 units from one in characters."""
    return len(text[:place].encode("utf-16-le")) // 2


def words_at(text: str, start: Any, end: Any, *, in_units: bool = False) -> tuple[str, int | None]:
    """The words from `start` to `end` and their place in characters; no words where there is no such place."""
    if not is_place(start) or not is_place(end):
        return "", None
    if in_units and not text.isascii():
        if end > units(text, len(text)):
            return "", None
        start, end = characters(text, start), characters(text, end)
    return (text[start:end], start) if start < end <= len(text) else ("", None)


def find_words(text: str, words: str, near: int | None = None) -> tuple[int, int] | None:
    """Where words stand in a text, without white space around them: at `near`, else at the nearest place, else at the first.

    Runs of white space count as one, so that line ends may differ. None where the words are not in the text.
    """
    wanted = words.split()
    if not wanted:
        return None
    pattern = re.compile(r"\s+".join(map(re.escape, wanted)))
    hint = 0 if near is None else near + len(words) - len(words.lstrip())
    found = pattern.match(text, hint) or min(pattern.finditer(text), key=lambda match: abs(match.start() - hint), default=None)
    return found.span() if found else None


def is_place(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
