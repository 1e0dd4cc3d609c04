"""What is done of a training of hours, kept until its end: one that was killed goes on from there."""

import shutil
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coprod_nlp.files import replacing
from coprod_nlp.reading.base_model import PREPARED
from coprod_nlp.training.examples import Example
from coprod_nlp.training.features import DAMAGED

# Beside the base model's file, which no repository keeps either.
FOLDER = PREPARED.parent / "training"

Weights = dict[str, NDArray[np.float32]]


class Milestones:
    """Weights of networks whose training has ended, by name.

    Parameters
    ----------
    training
        What they learned, and how: those of another training are not taken, and are cleared away.
    """

    def __init__(self, training: str, folder: Path = FOLDER) -> None:
        self._folder = folder / training

    def weights(self, name: str) -> Weights | None:
        """The weights of a network; None where its training has not ended."""
        try:
            with self._path(name).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return {weight: arrays[weight] for weight in arrays.files}
        except DAMAGED:
            return None

    def reached(self, name: str, weights: Weights) -> None:
        """Keep the weights of a network; where that cannot be done, a training that is killed begins anew, no more."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for other in self._folder.parent.iterdir():
                if other != self._folder:
                    shutil.rmtree(other, ignore_errors=True)
            with replacing(self._path(name)) as draft:
                np.savez(draft, allow_pickle=False, **weights)
        except OSError:
            return

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.npz"


def forget(folder: Path = FOLDER) -> None:
    """The training has ended."""
    shutil.rmtree(folder, ignore_errors=True)


def training_of(recipe: object, examples: Sequence[Example]) -> str:
    """A name for a training: equal for equal recipes and examples."""
    digest = sha256(repr(recipe).encode())
    for example in examples:
        for array in (example.window.ids, example.targets, example.evidence, example.weight):
            digest.update(array.tobytes())
    return digest.hexdigest()[:16]
