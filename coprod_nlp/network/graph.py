"""Ties as a graph: who is joined to whom, directly and through the people between them."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from coprod_nlp.records import TIE_KINDS, Ties
from coprod_nlp.vocabulary import TieKind

# Somebody who met more of the voices than this is everybody's acquaintance and says nothing about who belongs together.
MOST_ACQUAINTED = 300
AREA_COLUMN = TIE_KINDS.index(TieKind.AREA)
TINY = 1e-12

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """All meetings, without shared areas, as a symmetric matrix; `strength` is what each voice's meetings weigh together."""

    meetings: sp.csr_array
    strength: Floats


def graph_of(ties: Ties, *, voices: int) -> Graph:
    met = np.delete(ties.weights, AREA_COLUMN, axis=1).sum(axis=1)
    some = met > 0
    matrix = _symmetric(ties.firsts[some], ties.seconds[some], met[some], voices)
    return Graph(matrix, np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), TINY))


@dataclass(frozen=True, slots=True, eq=False)
class Neighbourhood:
    """The willing voices of one policy area and what joins them. Rows and columns are places in `willing`.

    `direct` holds their own meetings. `joined` adds what they share with people between them: somebody who met two of them joins
    these by the product of both meetings, over the weight of all of that person's meetings, so that those who meet everybody join nobody.
    """

    willing: Places
    direct: sp.csr_array
    joined: sp.csr_array
    strength: Floats
    between: Places
    between_strength: Floats
    met_by: sp.csr_array


def neighbourhood(graph: Graph, willing: Places) -> Neighbourhood:
    """`willing` are numbers of voices, ascending; `between` the others who met at least two of them, with `met_by` their meetings."""
    rows = graph.meetings[willing]
    direct = rows[:, willing].tocsr()
    known = np.bincount(rows.indices, minlength=graph.meetings.shape[0])
    known[willing] = 0
    between = np.flatnonzero((known >= 2) & (known <= MOST_ACQUAINTED))
    met_by = rows[:, between].tocsr()
    shared = (met_by @ sp.diags_array(1 / graph.strength[between]) @ met_by.T).tocsr()
    shared.setdiag(0)
    shared.eliminate_zeros()
    return Neighbourhood(willing, direct, (direct + shared).tocsr(), graph.strength[willing], between, graph.strength[between], met_by)


def with_ties(near: Neighbourhood, ties: Ties) -> sp.csr_array:
    """What Leiden sees: `joined` and the ties of the shared area, each over the root of both voices' strength."""
    places = np.searchsorted(near.willing, ties.firsts), np.searchsorted(near.willing, ties.seconds)
    area = _symmetric(*places, ties.weights.sum(axis=1), len(near.willing))
    whole = near.joined + area
    strength = np.maximum(np.maximum(near.strength, np.asarray(whole.sum(axis=1)).ravel()), TINY)
    scale = sp.diags_array(strength**-0.5)
    scaled = (scale @ whole @ scale).tocsr()
    scaled.sort_indices()
    return scaled


def _symmetric(firsts: NDArray[np.integer], seconds: NDArray[np.integer], weights: Floats, size: int) -> sp.csr_array:
    rows, columns = np.concatenate([firsts, seconds]), np.concatenate([seconds, firsts])
    matrix = sp.coo_array((np.concatenate([weights, weights]), (rows, columns)), shape=(size, size)).tocsr()
    matrix.sort_indices()
    return matrix
