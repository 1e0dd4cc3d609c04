"""Stored messages as pages show them: the words around the strongest evidence, each voice in turn, a way back that is safe to open."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coprod_nlp.vocabulary import PROGRAMS_ADDRESS, WILLING_SIGNALS

CHARS, LEAD_CHARS = 420, 140

# Signal, first character and end of a piece of evidence, as readings keep it.
Span = Sequence[Any]


@dataclass(frozen=True)
class Excerpt:
    """The words before, at and after what supports a message most."""

    before: str
    marked: str
    after: str


def strongest_first(evidence: Iterable[Span], signals: Mapping[str, float]) -> list[Span]:
    """Evidence of willing signals before that of others, the surer before the less sure."""
    return sorted(evidence, key=lambda span: (span[0] not in WILLING_SIGNALS, -signals.get(span[0], 0)))


def excerpt(text: str, spans: Sequence[Span]) -> Excerpt:
    """Some 420 characters around the first span; the beginning where there is none. Words are not cut, but for very long ones."""
    start, end = (spans[0][1], spans[0][2]) if spans else (0, 0)
    begin = max(0, start - LEAD_CHARS)
    begin = _gap(text, max(0, begin - LEAD_CHARS), begin) if begin else 0
    finish = min(len(text), max(end, begin + CHARS))
    finish = finish if finish in (end, len(text)) else _gap(text, max(end, finish - LEAD_CHARS), finish)
    before = "… " + text[begin:start].lstrip() if begin else text[:start]
    return Excerpt(before, text[start:end], text[end:finish] + (" …" if finish < len(text) else ""))


def _gap(text: str, first: int, last: int) -> int:
    """Where the last space before `last` stands; `last` where there is none from `first` on."""
    found = text.rfind(" ", first, last)
    return last if found < 0 else found


def varied(messages: Iterable[Any], limit: int) -> list[Any]:
    """The strongest message of each voice first, then their others: a lead is more than its loudest voice."""
    seen: dict[str | None, int] = {}
    ordered = []
    for place, message in enumerate(messages):
        ordered.append((seen.get(message.author_key, 0), place, message))
        seen[message.author_key] = seen.get(message.author_key, 0) + 1
    return [message for _, _, message in sorted(ordered, key=lambda item: item[:2])][:limit]


def safe_link(permalink: str) -> str:
    """An address that a person can open safely, without the one that programs ask by; Reddit's dumps leave its host out."""
    if permalink.startswith("/r/"):
        return f"https://www.reddit.com{permalink}"
    return permalink.partition(PROGRAMS_ADDRESS)[0] if permalink.startswith("https://") else ""
