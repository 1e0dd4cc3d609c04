"""What the encoders say of messages; of the corpus it is worked out once, since reading it closely takes minutes."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from coprod_nlp.files import read_arrays, write_arrays
from coprod_nlp.reading.artefact import FEATURES_VERSION
from coprod_nlp.reading.base_model import PREPARED, PREPARED_SHA256, hash_of
from coprod_nlp.reading.encoder import CLOSE_FEATURES, FEATURES, Encoder, features, read_closely
from coprod_nlp.text.clean import prose
from coprod_nlp.training.corpus import LabelledPost

# Beside the base model's file, which no repository keeps either; those used last, so that an older encoder's do not pile up.
KEPT, MOST_KEPT = PREPARED.parent, 12

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Seen:
    """What the encoders say of some messages: `deep` (messages, FEATURES) and `close` (messages, CLOSE_FEATURES)."""

    deep: Floats
    close: Floats

    def __len__(self) -> int:
        return len(self.deep)

    def rows(self, rows: Sequence[int] | NDArray[np.int64]) -> "Seen":
        return Seen(self.deep[rows], self.close[rows])

    def and_also(self, other: "Seen") -> "Seen":
        return Seen(np.concatenate([self.deep, other.deep]), np.concatenate([self.close, other.close]))


def see(encoder: Encoder, close: Encoder, posts: Sequence[LabelledPost]) -> Seen:
    """What the encoders say of labelled messages."""
    windows = [encoder.windows(*words) for words in _texts(posts)]
    deep = [encoder.read(some) for some in windows]
    closely = [read_closely(close, some, said) for some, said in zip(windows, deep, strict=True)]
    return _seen(features(deep), features(closely, columns=CLOSE_FEATURES - FEATURES))


def see_corpus(
    encoder: Encoder, close: Encoder, posts: Sequence[LabelledPost], *, hashes: Mapping[str, str], folder: Path | None = None
) -> Seen:
    """The same of messages of the corpus, kept in a file for the next time.

    Parameters
    ----------
    posts
        All of parts of the corpus: what residents wrote would stay there.
    hashes
        Those of the networks (`Networks.hashes`): what others said is not theirs.
    folder
        Where to keep it, `KEPT` where None.

    Raises
    ------
    ValueError
        Where a message is of no part.
    """
    if not all(item.part for item in posts):
        raise ValueError("what is seen of messages is kept of the corpus alone; some of these are of no part of it")
    of_what = json.dumps([FEATURES_VERSION, onnxruntime.__version__, PREPARED_SHA256, sorted(hashes.items()), _texts(posts)])
    path = (folder or KEPT) / f"seen-{hash_of(of_what.encode())[:16]}.npz"
    kept = _kept(path, len(posts))
    # The longest shows whether code that makes features of texts changed since then.
    longest = sorted(range(len(posts)), key=lambda row: len(posts[row].post.body))[-1:]
    if kept is None or not np.array_equal(kept.rows(longest).close, see(encoder, close, [posts[row] for row in longest]).close):
        kept = see(encoder, close, posts)
        _keep(path, kept)
    return kept


def _texts(posts: Sequence[LabelledPost]) -> list[tuple[str, str]]:
    return [(prose(item.post.title), prose(item.post.body)) for item in posts]


def _seen(deep: Floats, own: Floats) -> Seen:
    return Seen(deep, np.concatenate([deep, own], axis=1))


def _kept(path: Path, count: int) -> Seen | None:
    """What a file holds; None where there is none, or it is not whole."""
    arrays = read_arrays(path)
    if arrays is None or (arrays["deep"].shape, arrays["own"].shape) != ((count, FEATURES), (count, CLOSE_FEATURES - FEATURES)):
        return None
    with suppress(OSError):
        os.utime(path)  # it was used
    return _seen(arrays["deep"], arrays["own"])


def _keep(path: Path, seen: Seen) -> None:
    """Write the file, and take away the oldest; where it cannot be written the work is done anew next time, no more."""
    with suppress(OSError):
        write_arrays(path, {"deep": seen.deep, "own": seen.close[:, FEATURES:]})
        newest_first = sorted(path.parent.glob("seen-*.npz"), key=lambda kept: kept.stat().st_mtime, reverse=True)
        for old in newest_first[MOST_KEPT:]:
            old.unlink(missing_ok=True)
