"""Willing voices of a policy area to candidate networks.

The groups are those of the Leiden algorithm (Traag, Waltman and van Eck 2019, doi:10.1038/s41598-019-41695-z), at the resolution that
gives the most alike groups whatever seed it starts from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from coprod_nlp.network.consensus import stablest
from coprod_nlp.network.gather import Wills, gather
from coprod_nlp.network.graph import Graph, Neighbourhood, graph_of, neighbourhood, with_ties
from coprod_nlp.network.ties import area_ties
from coprod_nlp.records import CandidateNetwork, Ties
from coprod_nlp.vocabulary import PolicyArea

# A voice belongs to a group with which it shares this much of all its meetings, or of whose voices it met this much itself.
SHARE_OF_LIFE, SHARE_OF_GROUP, FEWEST_MET = 0.1, 0.2, 2
# Somebody stands between them who met two of them, and gives them this much of all meetings.
SHARE_BETWEEN = 0.2
# A group is divided only where the division does not depend on the seed for the most part, and leaves most of its voices in networks.
STABLE, KEPT = 0.5, 0.6
DEEPEST = 6

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class GroupRules:
    """How groups are found.

    `resolutions` are tried from the lowest on; groups of more than `divide_above` willing voices are divided where that can be done
    well. `area_weight`, `area_reach` and `area_days` are for ties of those who would help at about the same time.
    """

    minimum_voices: int
    resolutions: Sequence[float]
    seeds: int
    seed: int
    iterations: int
    divide_above: int
    half_life_days: float
    area_weight: float
    area_reach: int
    area_days: float


def find_networks(ties: Ties, wills: Mapping[PolicyArea, Wills], *, voices: int, rules: GroupRules) -> list[CandidateNetwork]:
    """Candidate networks of every area, in the order of the areas, largest first, each with enough willing voices.

    Parameters
    ----------
    ties
        Among `voices` numbered voices. The result depends on their numbers, so these must not come from anything secret or random.
    wills
        By policy area, who would help there.
    """
    graph = graph_of(ties, voices=voices)
    found: list[CandidateNetwork] = []
    for area, will in sorted(wills.items()):
        willing = np.unique(will.voices).astype(np.int64)
        if len(willing) >= rules.minimum_voices:
            met = _networks_that_met(graph, area, willing, will, rules)
            rest = np.setdiff1d(willing, np.array([voice for network in met for voice in network.willing], dtype=np.int64))
            some = met + gather(area, will, rest, minimum_voices=rules.minimum_voices)
            found += sorted(some, key=lambda network: (-len(network.willing), network.willing))
    return found


def _networks_that_met(graph: Graph, area: PolicyArea, willing: Labels, will: Wills, rules: GroupRules) -> list[CandidateNetwork]:
    near = neighbourhood(graph, willing)
    shared = area_ties(
        will.voices, will.communities, will.age_days, weight=rules.area_weight, half_life_days=rules.half_life_days,
        reach=rules.area_reach, window_days=rules.area_days,
    )  # fmt: skip
    matrix = with_ties(near, shared)
    if near.joined.nnz == 0:
        return []
    labels, _ = _stablest(matrix, rules.resolutions, rules)
    labels = _only_attached(near, labels)
    labels = _divided(near, matrix, labels, rules)
    sizes = np.bincount(labels + 1)
    homes = _homes(near, labels)
    return [
        _network(graph, near, area, np.flatnonzero(labels == label), near.between[homes == label])
        for label in range(labels.max() + 1)
        if sizes[label + 1] >= rules.minimum_voices
    ]


def _homes(near: Neighbourhood, labels: Labels) -> Labels:
    """For each of the people between, the group with whose voices they met most; -1 where these are too small a part of all they met."""
    member = sp.csr_array((np.ones(len(labels)), (np.arange(len(labels)), labels + 1)), shape=(len(labels), labels.max() + 2))
    weights = (near.met_by.T @ member).toarray()
    known = ((near.met_by.T > 0).astype(np.int64) @ member).toarray()
    weights[known < FEWEST_MET] = 0
    weights[:, 0] = 0
    belongs = weights.max(axis=1, initial=0) >= SHARE_BETWEEN * near.between_strength
    return np.where(belongs, weights.argmax(axis=1) - 1, -1)


def _stablest(matrix: sp.csr_array, resolutions: Sequence[float], rules: GroupRules) -> tuple[Labels, float]:
    return stablest(matrix, resolutions, tries=rules.seeds, seed=rules.seed, iterations=rules.iterations)


def _only_attached(near: Neighbourhood, labels: Labels) -> Labels:
    """Labels with -1 for voices that only brush past their group."""
    joined, direct = near.joined.tocoo(), near.direct.tocoo()
    inside, met = labels[joined.row] == labels[joined.col], labels[direct.row] == labels[direct.col]
    share = np.bincount(joined.row[inside], weights=joined.data[inside], minlength=len(labels)) / near.strength
    known = np.bincount(direct.row[met], minlength=len(labels))
    others = np.bincount(labels, minlength=labels.max() + 1)[labels] - 1
    belongs = (share >= SHARE_OF_LIFE) | ((known >= FEWEST_MET) & (known >= SHARE_OF_GROUP * others))
    return np.where(belongs, labels, -1)


def _divided(near: Neighbourhood, matrix: sp.csr_array, labels: Labels, rules: GroupRules) -> Labels:
    """Labels with large groups divided, again and again, as long as the parts hold together."""
    labels = labels.copy()
    waiting = [(label, 0) for label in range(labels.max() + 1)]
    while waiting:
        label, depth = waiting.pop()
        members = np.flatnonzero(labels == label)
        if len(members) <= rules.divide_above or depth >= DEEPEST:
            continue
        parts = _division(_part(near, members), matrix[members][:, members].tocsr(), rules)
        if parts is None:
            continue
        labels[members] = np.where(parts >= 0, parts + labels.max() + 1, -1)
        waiting += [(int(new), depth + 1) for new in np.unique(labels[members]) if new >= 0]
    return labels


def _division(near: Neighbourhood, matrix: sp.csr_array, rules: GroupRules) -> Labels | None:
    """The coarsest stable division of a group into at least two networks that keep most of it."""
    for resolution in sorted({*rules.resolutions, *(2 * value for value in rules.resolutions)}):
        labels, stability = _stablest(matrix, [resolution], rules)
        parts = _only_attached(near, labels)
        sizes = np.bincount(parts[parts >= 0], minlength=1)
        kept = sizes[sizes >= rules.minimum_voices]
        if len(kept) >= 2 and stability >= STABLE and kept.sum() >= KEPT * len(labels):
            return parts
    return None


def _part(near: Neighbourhood, members: Labels) -> Neighbourhood:
    return Neighbourhood(
        near.willing[members], near.direct[members][:, members].tocsr(), near.joined[members][:, members].tocsr(),
        near.strength[members], near.between, near.between_strength, near.met_by[members].tocsr(),
    )  # fmt: skip


def _network(graph: Graph, near: Neighbourhood, area: PolicyArea, members: Labels, between: Labels) -> CandidateNetwork:
    meetings = np.asarray(near.direct[members][:, members].sum(axis=1)).ravel()
    everybody = np.concatenate([near.willing[members], between])
    ties = int(graph.meetings[everybody][:, everybody].nnz // 2)
    return CandidateNetwork(area, tuple(map(int, near.willing[members])), tuple(map(int, between)), tuple(map(float, meetings)), ties)
