"""Messages as they are shown: the words around the evidence, why they are shown, and the way back to their place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coprod_nlp.excerpt import excerpt, safe_link, strongest_first
from coprod_nlp.reading.reasons import reason_for
from coprod_nlp.records import whole_text
from coprod_nlp.vocabulary import Signal
from coprod_nlp.words import SIGNAL_WORDS


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


def quote(message: Any, titles: Mapping[str, str]) -> Quote:
    text, names = whole_text(message.title, message.body), [Signal(name) for name in message.signals]
    spans = strongest_first(message.evidence, message.signals)
    shown = excerpt(text, spans)
    return Quote(
        before=shown.before,
        marked=shown.marked,
        after=shown.after,
        signals=tuple(SIGNAL_WORDS[name] for name in names),
        reasons=tuple(reason_for(Signal(name), text[first:last]) for name, first, last in spans) or ("willing as a whole",),
        willing=message.willing,
        posted=message.created_at,
        community=title_of(message.community_id, titles),
        link=safe_link(message.permalink),
    )


def title_of(community_id: str, titles: Mapping[str, str]) -> str:
    return titles.get(community_id, community_id.partition(":")[2])


def counted(words: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Each word with how often it comes, the most common first."""
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
