"""Which ids a run has met, in 8 bytes each: a set of strings would grow with the archive."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]


def hashes(ids: Sequence[str]) -> Hashes:
    joined = b"".join(blake2b(item.encode("utf-8", "surrogatepass"), digest_size=8).digest() for item in ids)
    return np.frombuffer(joined, dtype=np.uint64)


class SeenIds:
    """A growing set of hashed ids, kept as sorted runs of which none is more than twice as long as the next."""

    def __init__(self) -> None:
        self._runs: list[Hashes] = []

    def __len__(self) -> int:
        return sum(map(len, self._runs))

    def contains(self, wanted: Hashes) -> NDArray[np.bool_]:
        found = np.zeros(len(wanted), dtype=bool)
        for run in self._runs:
            places = np.searchsorted(run, wanted)
            found |= run[np.minimum(places, len(run) - 1)] == wanted
        return found

    def add(self, new: Hashes) -> None:
        """Add hashes that are not in the set yet."""
        if not len(new):
            return
        run = np.sort(new)
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]))
        self._runs.append(run)
