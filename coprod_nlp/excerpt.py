"""Stored messages as pages show them: the words around the strongest evidence, each voice in turn, a way back that is safe to open."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coprod_nlp.vocabulary import PROGRAMS_ADDRESS, WILLING_SIGNALS, Signal

CHARS, LEAD_CHARS = 420, 140
_ORDER = {signal.value: place for place, signal in enumerate((*WILLING_SIGNALS, *Signal))}

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
    return sorted(evidence, key=lambda span: (_ORDER[span[0]] >= len(WILLING_SIGNALS), -signals.get(span[0], 0)))


def excerpt(text: str, spans: Sequence[Span]) -> Excerpt:
    """Some 420 characters around the first span; the beginning where there is none. Words are not cut."""
    start, end = (spans[0][1], spans[0][2]) if spans else (0, 0)
    begin = max(0, start - LEAD_CHARS)
    begin = text.rfind(" ", 0, begin) + 1 if begin else 0
    finish = min(len(text), max(end, begin + CHARS))
    finish = finish if finish == len(text) else max(end, text.rfind(" ", 0, finish))
    return Excerpt(("… " if begin else "") + text[begin:start], text[start:end], text[end:finish] + (" …" if finish < len(text) else ""))


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
