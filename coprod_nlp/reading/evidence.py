"""The words that support a signal: the sentence in which the encoder sees most of its evidence."""

from collections.abc import Sequence

import numpy as np

from coprod_nlp.reading.encoder import Encoded, Floats
from coprod_nlp.reading.labels import SPAN_LABELS
from coprod_nlp.records import Evidence, whole_text
from coprod_nlp.text.sentences import sentences
from coprod_nlp.vocabulary import Signal

# A sentence longer than this, in characters, is a rant without stops: only what stands around the best pieces is shown.
LONGEST_SPAN, AROUND = 300, 120
# A sentence speaks for a signal by its best pieces, so that one word alone does not carry it.
BEST_PIECES = 3


def find_evidence(title: str, body: str, encoded: Encoded, signals: Sequence[Signal]) -> tuple[Evidence, ...]:
    """One span a signal, in the characters of `PostText.text`; none where a post has no sentence."""
    text = whole_text(title, body)
    places = sentences(text)
    if not places:
        return ()
    columns = encoded.spans[:, [SPAN_LABELS.index(signal.value) for signal in signals]]
    strengths = np.stack([_strengths(columns, encoded, *place) for place in places]).tolist()
    found = []
    for column, signal in enumerate(signals):
        _, (start, end) = max(zip((row[column] for row in strengths), places, strict=True))
        found.append(Evidence(signal, *_narrowed(text, columns[:, column], encoded, start, end)))
    return tuple(found)


def _narrowed(text: str, column: Floats, encoded: Encoded, start: int, end: int) -> tuple[int, int]:
    """The same span, or of a very long one the words around its best pieces."""
    if end - start <= LONGEST_SPAN:
        return start, end
    inside = np.flatnonzero((encoded.starts >= start) & (encoded.ends <= end))
    if not len(inside):
        return start, end
    best = inside[np.argsort(column[inside])[-BEST_PIECES:]]
    middle = int(np.median(encoded.starts[best]))
    first, last = max(start, middle - AROUND), min(end, middle + AROUND)
    if first > start:
        first = text.find(" ", first, middle) + 1 or first
    if last < end:
        space = text.rfind(" ", middle, last)
        last = space if space > middle else last
    return first, last


def _strengths(columns: Floats, encoded: Encoded, start: int, end: int) -> Floats:
    """(signals,) what a sentence holds of each signal."""
    inside = columns[(encoded.starts >= start) & (encoded.ends <= end)]
    return np.sort(inside, axis=0)[-BEST_PIECES:].mean(axis=0) if len(inside) else np.full(columns.shape[1], -np.inf, dtype=np.float32)
