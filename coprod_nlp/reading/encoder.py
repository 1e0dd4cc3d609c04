"""Encoders, transformers fine-tuned on the project's corpus: a small one of the deep reading (MiniLM, Wang et al. 2020, arXiv:2002.10957)
and a large one of the close reading (MPNet, Song et al. 2020, arXiv:2004.09297), which sees one of the windows that the small one saw.

Each reads one window of a post at a time, never several padded to one length: what it says of a post then cannot depend on
which other posts are read with it, in how many processes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from coprod_nlp.reading.labels import AREAS, LABELS, SPAN_LABELS, WILLING
from coprod_nlp.records import TITLE_END
from coprod_nlp.text.wordpieces import Ids, Pieces, Wordpieces

# Wordpieces of a window, and of the title that stands before each window of a long post; of a very long one the middle is skipped.
WINDOW, TITLE_PIECES, MOST_WINDOWS = 192, 40, 4
# Characters of the beginning and of the end of a text that are looked at: ten times what the windows hold, and more than any platform's
# longest message has.
REACH = 20_000
WIDTH, CLOSE_WIDTH = 384, 768

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a post: (pieces,) ids with marks, and the characters each covers in `PostText.text`; marks cover none (-1)."""

    ids: Ids
    starts: Ids
    ends: Ids


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the encoder says of a post.

    Attributes
    ----------
    logits
        (LABELS,) log-odds before calibration: of areas the mean over windows, of the rest the highest.
    best
        (SPAN_LABELS,) highest log-odds of any wordpiece to stand in evidence.
    pooled
        (384,) or (768,) the mean of what the last layer makes of the wordpieces.
    spans, starts, ends
        (pieces, SPAN_LABELS) log-odds of each wordpiece to stand in evidence, and the characters it covers.
    most_willing
        Which window it finds most of `willing` in.
    """

    logits: Floats
    best: Floats
    pooled: Floats
    spans: Floats
    starts: Ids
    ends: Ids
    most_willing: int = 0

    @property
    def features(self) -> Floats:
        """What heads see: (LABELS + SPAN_LABELS + 384 or 768,)."""
        return np.concatenate([self.logits, self.best, self.pooled])


FEATURES = len(LABELS) + len(SPAN_LABELS) + WIDTH
# The close reading's heads see what both encoders say.
CLOSE_FEATURES = FEATURES + len(LABELS) + len(SPAN_LABELS) + CLOSE_WIDTH


class Encoder:
    """An ONNX model from `input_ids` (pieces,) to `logits` (LABELS,), `spans` (pieces, SPAN_LABELS) and `pooled` (384,) or (768,).

    Parameters
    ----------
    base
        The file that holds what is the base model's own, for a model that names places in one.
    """

    def __init__(self, model: bytes, wordpieces: Wordpieces, base: Path | None = None) -> None:
        options = onnxruntime.SessionOptions()
        if base is not None:
            options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(base.parent))
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._wordpieces = wordpieces

    def encode(self, title: str, body: str) -> Encoded:
        """Read one post, its prose given as title and body."""
        return self.read(self.windows(title, body))

    def windows(self, title: str, body: str) -> list[Window]:
        """A post, its prose given as title and body, as the windows that are read."""
        return windows_of(self._wordpieces, title, body)

    def read(self, windows: Sequence[Window]) -> Encoded:
        """Read some windows of one post."""
        outputs = [self._session.run(("logits", "spans", "pooled"), {"input_ids": window.ids}) for window in windows]
        if len(windows) == 1:  # nearly always, and of one there is nothing to join
            (logits, spans, pooled), (window,) = outputs[0], windows
            return Encoded(logits, spans.max(axis=0), pooled, spans, window.starts, window.ends)
        logits = np.stack([output[0] for output in outputs])
        spans = np.concatenate([output[1] for output in outputs])
        pooled = np.asarray(np.mean([output[2] for output in outputs], axis=0), dtype=np.float32)
        starts, ends = (np.concatenate([getattr(window, name) for window in windows]) for name in ("starts", "ends"))
        joined = np.concatenate([logits[:, : len(AREAS)].mean(axis=0), logits[:, len(AREAS) :].max(axis=0)]).astype(np.float32)
        most_willing = int(logits[:, LABELS.index(WILLING)].argmax())
        return Encoded(joined, spans.max(axis=0), pooled, spans, starts, ends, most_willing)


def read_closely(close: Encoder, windows: Sequence[Window], deep: Encoded) -> Encoded:
    """What the close reading says of the one window in which the deep one finds most of `willing`."""
    return close.read([windows[deep.most_willing]])


def seen_by_both(windows: Sequence[Window], deep: Encoded, close: Encoded) -> Encoded:
    """What the deep reading says, with the evidence where both readings see it: in the window read closely the mean of theirs."""
    first = sum(len(window.ids) for window in windows[: deep.most_willing])
    spans = deep.spans.copy()
    shared = spans[first : first + len(close.spans)]
    shared += close.spans
    shared /= 2
    return replace(deep, spans=spans)


def windows_of(wordpieces: Wordpieces, title: str, body: str) -> list[Window]:
    """A post as windows: start, title, end mark, body, end mark; a long body goes on in further windows under the same title."""
    head, rest = _both_ends(wordpieces, title), _both_ends(wordpieces, body)
    offset = len(title) + len(TITLE_END) if title else 0
    if not len(rest):
        return [_window(wordpieces, _cut(head, 0, WINDOW - 2), None, 0)]
    if len(head) + len(rest) > WINDOW - 3:
        head = _cut(head, 0, TITLE_PIECES)
    size = WINDOW - 3 - len(head)
    first = list(range(0, len(rest), size))
    if len(first) > MOST_WINDOWS:
        first = [*first[: MOST_WINDOWS // 2], *first[-MOST_WINDOWS // 2 :]]
    return [_window(wordpieces, head, _cut(rest, start, start + size), offset) for start in first]


def _both_ends(wordpieces: Wordpieces, text: str) -> Pieces:
    """The pieces of a text; of one far longer than its windows, those of its beginning and its end."""
    if len(text) <= 2 * REACH:
        return wordpieces.pieces(text)
    first, last, skipped = wordpieces.pieces(text[:REACH]), wordpieces.pieces(text[-REACH:]), len(text) - REACH
    return Pieces(
        np.concatenate([first.ids, last.ids]),
        np.concatenate([first.starts, last.starts + skipped]),
        np.concatenate([first.ends, last.ends + skipped]),
    )


def _window(wordpieces: Wordpieces, head: Pieces, rest: Pieces | None, offset: int) -> Window:
    nowhere = np.array([-1])
    parts: list[tuple[Ids, Ids, Ids]] = [(np.array([wordpieces.start]), nowhere, nowhere)]
    mark = (np.array([wordpieces.end]), nowhere, nowhere)
    if len(head):
        parts += [(head.ids, head.starts, head.ends), mark]
    if rest is not None:
        parts += [(rest.ids, rest.starts + offset, rest.ends + offset), mark]
    elif not len(head):
        parts.append(mark)
    ids, starts, ends = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Window(ids, starts, ends)


def _cut(pieces: Pieces, start: int, end: int) -> Pieces:
    return Pieces(pieces.ids[start:end], pieces.starts[start:end], pieces.ends[start:end])


def features(encoded: Sequence[Encoded], *, columns: int = FEATURES) -> Floats:
    """(posts, columns) what an encoder says of some posts, as heads see it."""
    return np.stack([one.features for one in encoded]) if encoded else np.zeros((0, columns), dtype=np.float32)
