"""Messages behind a lead as they are shown: the words around what supports it, and how often one may see a voice's words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coprod_nlp.records import TITLE_END
from coprod_nlp.vocabulary import WILLING_SIGNALS, Signal
from coprod_nlp.words import SIGNAL_WORDS

CHARS, LEAD_CHARS = 420, 140


@dataclass(frozen=True)
class Quote:
    """One message: the words before, at and after its strongest evidence, and what they show. `link` is the way back to the source."""

    before: str
    marked: str
    after: str
    signals: tuple[str, ...]
    posted: datetime | None
    community_id: str
    link: str


@dataclass(frozen=True)
class Shown:
    """What of a lead's evidence is shown now, whose words were counted for it, and how much is held back."""

    quotes: tuple[Quote, ...]
    voices: tuple[str, ...]
    held_back: int


def choose(messages: Sequence[Any], *, views: Mapping[str, int], views_a_week: int, shown: int) -> Shown:
    """The strongest message of each voice first, then their others; voices seen too often this week are held back."""
    allowed = [message for message in messages if views.get(message.author_key or "", 0) < views_a_week]
    seen: dict[str, int] = {}
    ordered = []
    for place, message in enumerate(allowed):
        key = message.author_key or ""
        ordered.append((seen.get(key, 0), place, message))
        seen[key] = seen.get(key, 0) + 1
    chosen = [message for _, _, message in sorted(ordered, key=lambda item: item[:2])][:shown]
    voices = tuple(sorted({message.author_key for message in chosen if message.author_key}))
    return Shown(tuple(_quote(message) for message in chosen), voices, len(messages) - len(allowed))


def _quote(message: Any) -> Quote:
    text = TITLE_END.join(part for part in (message.title, message.body) if part)
    order = {signal.value: place for place, signal in enumerate((*WILLING_SIGNALS, *Signal))}
    spans = sorted(message.evidence, key=lambda span: (order[span[0]] >= len(WILLING_SIGNALS), -message.signals.get(span[0], 0)))
    start, end = (spans[0][1], spans[0][2]) if spans else (0, 0)
    begin = max(0, start - LEAD_CHARS)
    begin = text.rfind(" ", 0, begin) + 1 if begin else 0
    finish = min(len(text), max(end, begin + CHARS))
    finish = finish if finish == len(text) else max(end, text.rfind(" ", 0, finish))
    return Quote(
        before=("… " if begin else "") + text[begin:start],
        marked=text[start:end],
        after=text[end:finish] + (" …" if finish < len(text) else ""),
        signals=tuple(SIGNAL_WORDS[Signal(name)] for name in message.signals),
        posted=message.created_at,
        community_id=message.community_id,
        link=safe_link(message.permalink),
    )


def safe_link(permalink: str) -> str:
    """An address that can be opened safely; Reddit's dumps leave its host out."""
    if permalink.startswith("/r/"):
        return f"https://www.reddit.com{permalink}"
    return permalink if permalink.startswith("https://") else ""
