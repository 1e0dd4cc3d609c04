"""Which ids a run has met, in 8 bytes each: a set of strings would grow with the archive."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from flows.sources.base import Placed, ProblemKind, Problems

Hashes = NDArray[np.uint64]


def hashes(ids: Sequence[str]) -> Hashes:
    joined = b"".join(blake2b(item.encode("utf-8", "surrogatepass"), digest_size=8).digest() for item in ids)
    return np.frombuffer(joined, dtype=np.uint64)


def id_in(community: str, fullname: str) -> str:
    """What makes a post one: forums may number their posts alike."""
    return f"{community}\0{fullname}"


class SeenIds:
    """A growing set of hashed ids, kept as sorted runs, each more than twice as long as the next."""

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

    def only_new(self, batch: Sequence[Placed], problems: Problems) -> list[Placed]:
        """The posts of a batch that have not been met, which now have been; the others are counted as duplicates."""
        own = hashes([id_in(post.community, post.fullname) for post, _, _ in batch])
        is_new = np.zeros(len(batch), dtype=bool)
        is_new[np.unique(own, return_index=True)[1]] = True
        is_new &= ~self.contains(own)
        for (_, place, line), is_kept in zip(batch, is_new, strict=True):
            if not is_kept:
                problems.add(ProblemKind.DUPLICATE_ID, place, line)
        self.add(own[is_new])
        return [placed for placed, is_kept in zip(batch, is_new, strict=True) if is_kept]

    def add(self, new: Hashes) -> None:
        """Add hashes that are not in the set yet."""
        if not len(new):
            return
        run = np.sort(new)
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]))
        self._runs.append(run)
