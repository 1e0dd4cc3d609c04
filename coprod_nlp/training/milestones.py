"""What is done of a training of hours, kept until its end: one that was killed goes on from there."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coprod_nlp.files import read_arrays, write_arrays
from coprod_nlp.reading.base_model import PREPARED
from coprod_nlp.reading.encoder import Window
from coprod_nlp.training.examples import Example

# Beside the base model's file, which no repository keeps either; those of a training that nobody went on with for two weeks are removed.
FOLDER, STALE_S = PREPARED.parent / "training", 14 * 86_400

Weights = Mapping[str, NDArray[np.float32]]


class Milestones:
    """What networks learned whose training has ended, by name.

    Parameters
    ----------
    training
        What they learn, and how (`training_of`): those of another training are not taken.
    """

    def __init__(self, training: str, folder: Path) -> None:
        self._training, self._folder = training, folder

    def weights(self, name: str, wanted: Weights) -> Weights | None:
        """What a network learned, of the names and shapes that are wanted; None where there is nothing like it."""
        found = read_arrays(self._path(name))
        if found is None or {key: value.shape for key, value in found.items()} != {key: value.shape for key, value in wanted.items()}:
            return None
        return found

    def reached(self, name: str, weights: Weights) -> None:
        """Keep what a network learned.

        Raises
        ------
        OSError
            Where it cannot be written.
        """
        write_arrays(self._path(name), weights)
        for other in self._folder.glob("*.npz"):
            with suppress(OSError):
                if not other.name.startswith(self._training) and other.stat().st_mtime < time.time() - STALE_S:
                    other.unlink()

    def _path(self, name: str) -> Path:
        return self._folder / f"{self._training}-{name.replace(' ', '-')}.npz"


def forget(folder: Path) -> None:
    """The training has ended."""
    for kept in folder.glob("*.npz"):
        kept.unlink(missing_ok=True)


def training_of(how: object, examples: Sequence[Example], made: Sequence[Window]) -> str:
    """A name for a training: equal where `how` is written alike and networks learn from the same."""
    digest = sha256(repr(how).encode())
    for example in examples:
        for array in (example.window.ids, example.targets, example.evidence, example.weight):
            digest.update(array.tobytes())
    for window in made:
        digest.update(window.ids.tobytes())
    return digest.hexdigest()[:16]
