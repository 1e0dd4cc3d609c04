"""Messages as they are shown: the words around the evidence, why they are shown, and the way back to their place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coprod_nlp.reading.reasons import reason_for
from coprod_nlp.records import TITLE_END
from coprod_nlp.vocabulary import WILLING_SIGNALS, Signal
from coprod_nlp.words import SIGNAL_WORDS

QUOTE_CHARS = 420
QUOTE_LEAD_CHARS = 140


@dataclass(frozen=True)
class Quote:
    """One message behind a lead: the words around its evidence, what they show, and why in a plain sentence each."""

    before: str
    marked: str
    after: str
    signals: tuple[str, ...]
    reasons: tuple[str, ...]
    willing: float
    posted: datetime | None
    community: str
    link: str


def varied(messages: Iterable[Any], limit: int) -> list[Any]:
    """The strongest message of each voice first, then their others: a lead is more than its loudest voice."""
    seen: dict[str, int] = {}
    ordered = []
    for place, message in enumerate(messages):
        ordered.append((seen.get(message.author_key, 0), place, message))
        seen[message.author_key] = seen.get(message.author_key, 0) + 1
    return [message for _, _, message in sorted(ordered, key=lambda item: item[:2])][:limit]


def quote(message: Any, titles: Mapping[str, str]) -> Quote:
    text = TITLE_END.join(part for part in (message.title, message.body) if part)
    names = [Signal(name) for name in message.signals]
    order = {signal.value: place for place, signal in enumerate((*WILLING_SIGNALS, *Signal))}
    spans = sorted(message.evidence, key=lambda span: (order[span[0]] >= len(WILLING_SIGNALS), -message.signals.get(span[0], 0)))
    start, end = (spans[0][1], spans[0][2]) if spans else (0, 0)
    begin = max(0, start - QUOTE_LEAD_CHARS)
    begin = text.rfind(" ", 0, begin) + 1 if begin else 0
    finish = min(len(text), max(end, begin + QUOTE_CHARS))
    finish = finish if finish == len(text) else max(end, text.rfind(" ", 0, finish))
    return Quote(
        before=("… " if begin else "") + text[begin:start],
        marked=text[start:end],
        after=text[end:finish] + (" …" if finish < len(text) else ""),
        signals=tuple(SIGNAL_WORDS[name] for name in names),
        reasons=tuple(reason_for(Signal(name), text[first:last]) for name, first, last in spans) or ("willing as a whole",),
        willing=message.willing,
        posted=message.created_at,
        community=title_of(message.community_id, titles),
        link=safe_link(message.permalink),
    )


def title_of(community_id: str, titles: Mapping[str, str]) -> str:
    return titles.get(community_id, community_id.partition(":")[2])


def safe_link(permalink: str) -> str:
    """An address that can be opened safely; Reddit's dumps leave its host out."""
    if permalink.startswith("/r/"):
        return f"https://www.reddit.com{permalink}"
    return permalink if permalink.startswith("https://") else ""


def counted(words: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Each word with how often it comes, the most common first."""
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
