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
    places, found = sentences(text), []
    for signal in signals:
        column = encoded.spans[:, SPAN_LABELS.index(signal.value)]
        best = max(((_strength(column, encoded, *place), *place) for place in places), default=None)
        if best is not None:
            found.append(Evidence(signal, *_narrowed(text, column, encoded, best[1], best[2])))
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


def _strength(column: Floats, encoded: Encoded, start: int, end: int) -> float:
    inside = column[(encoded.starts >= start) & (encoded.ends <= end)]
    return float(np.sort(inside)[-BEST_PIECES:].mean()) if len(inside) else -np.inf
