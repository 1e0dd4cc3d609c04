"""One grouping out of many: what most of several runs of Leiden agree on, so that none of it hangs on one seed.

Two voices that most runs put together stay together (consensus clustering, Lancichinetti and Fortunato 2012, doi:10.1038/srep00336).
"""

from collections.abc import Sequence
from itertools import combinations, starmap
from statistics import fmean

import graspologic_native
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

# Share of the tries that must put two voices together for their tie to count in the end.
AGREED = 0.5

Labels = NDArray[np.int64]


def stablest(matrix: sp.csr_array, resolutions: Sequence[float], *, tries: int, seed: int, iterations: int) -> tuple[Labels, float]:
    """Groups at the one of `resolutions` whose tries are most alike, the first where two are; and how alike these are.

    The likeness is the mean adjusted Rand index of two tries. In the end each tie counts by the share of tries that agree with it.
    """
    stability, resolution, tried = -2.0, 0.0, list[Labels]()
    for one in resolutions:
        groupings = [_leiden(matrix, one, seed + place, iterations) for place in range(tries)]
        alike = fmean(starmap(likeness, combinations(groupings, 2))) if tries > 1 else 1.0
        if alike > stability + 1e-9:
            stability, resolution, tried = alike, one, groupings
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    agreed = np.mean([labels[rows] == labels[matrix.indices] for labels in tried], axis=0)
    counted = matrix.copy()
    counted.data = np.where(agreed > AGREED, matrix.data * agreed, 0)
    counted.eliminate_zeros()
    return _leiden(counted, resolution, seed, iterations), stability


def likeness(one: Labels, other: Labels) -> float:
    """The adjusted Rand index of two groupings (Hubert and Arabie 1985): 1 for the same groups, 0 for what chance would give.

    scikit-learn's takes 13 ms to look at its arguments, and this is asked a thousand times.
    """
    both = np.unique(one << 32 | other, return_counts=True)[1]
    pairs, ones, others = (_pairs(counts) for counts in (both, np.bincount(one), np.bincount(other)))
    expected, most = ones * others / max(1.0, _pairs(np.array([len(one)]))), (ones + others) / 2
    return 1.0 if most == expected else (pairs - expected) / (most - expected)


def _pairs(counts: Labels) -> float:
    return float((counts * (counts - 1.0) / 2).sum())


def _leiden(matrix: sp.csr_array, resolution: float, seed: int, iterations: int) -> Labels:
    if not matrix.nnz:  # it cannot be asked about nobody's ties
        return np.arange(matrix.shape[0], dtype=np.int64)
    _, group_of = graspologic_native.leiden_csr(
        matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float64), matrix.shape[0],
        resolution=resolution, iterations=iterations, seed=seed,
    )  # fmt: skip
    return np.array([group_of[place] for place in range(matrix.shape[0])], dtype=np.int64)
