"""Messages behind a lead as they are shown: the words around what supports it, and how often one may see a voice's words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coprod_nlp.excerpt import excerpt, safe_link, strongest_first, varied
from coprod_nlp.records import whole_text
from coprod_nlp.vocabulary import Signal
from coprod_nlp.words import SIGNAL_WORDS


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
    chosen = varied(allowed, shown)
    voices = tuple(sorted({message.author_key for message in chosen if message.author_key}))
    return Shown(tuple(_quote(message) for message in chosen), voices, len(messages) - len(allowed))


def _quote(message: Any) -> Quote:
    found = excerpt(whole_text(message.title, message.body), strongest_first(message.evidence, message.signals))
    return Quote(
        before=found.before,
        marked=found.marked,
        after=found.after,
        signals=tuple(SIGNAL_WORDS[Signal(name)] for name in message.signals),
        posted=message.created_at,
        community_id=message.community_id,
        link=safe_link(message.permalink),
    )
