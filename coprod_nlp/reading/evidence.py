"""The words that support a signal: the sentence in which the encoder sees most of its evidence."""

from collections.abc import Sequence

import numpy as np

from coprod_nlp.reading.encoder import Encoded
from coprod_nlp.reading.labels import SPAN_LABELS
from coprod_nlp.records import TITLE_END, Evidence
from coprod_nlp.text.tokens import Tokeniser
from coprod_nlp.vocabulary import Signal

# A sentence speaks for a signal by its best pieces, so that one word alone does not carry it.
BEST_PIECES = 3


def find_evidence(tokeniser: Tokeniser, title: str, body: str, encoded: Encoded, signals: Sequence[Signal]) -> tuple[Evidence, ...]:
    """One span a signal, in the characters of `PostText.text`; none where a post has no sentence."""
    text = TITLE_END.join(part for part in (title, body) if part)
    tokens = tokeniser.tokens([text])
    found = []
    for signal in signals:
        column = encoded.spans[:, SPAN_LABELS.index(signal.value)]
        best = max(
            ((_strength(column, encoded, int(start), int(end)), int(start), int(end))
             for start, end in zip(tokens.sentence_start, tokens.sentence_end, strict=True)),
            default=None,
        )  # fmt: skip
        if best is not None:
            found.append(Evidence(signal, best[1], best[2]))
    return tuple(found)


def _strength(column: np.ndarray, encoded: Encoded, start: int, end: int) -> float:
    inside = column[(encoded.starts >= start) & (encoded.ends <= end)]
    return float(np.sort(inside)[-BEST_PIECES:].mean()) if len(inside) else -np.inf
