"""Voices who would help but have met nobody who would: gathered by policy area and community, so that nobody is lost for being new."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coprod_nlp.records import CandidateNetwork
from coprod_nlp.vocabulary import PolicyArea


@dataclass(frozen=True, slots=True, eq=False)
class Wills:
    """Willing messages of one policy area as columns: whose, in which community, how old in days (NaN where not known).

    `crowd` says by community how many different voices wrote about the area there, willing or not.
    """

    voices: NDArray[np.int32]
    communities: NDArray[np.int32]
    age_days: NDArray[np.float64]
    crowd: Mapping[int, int]


def gather(area: PolicyArea, will: Wills, rest: NDArray[np.int64], *, minimum_voices: int) -> list[CandidateNetwork]:
    """One network for each community in which enough of the `rest` wrote most of their willing messages about the area."""
    places: defaultdict[int, Counter[int]] = defaultdict(Counter)
    left = frozenset(map(int, rest))
    for voice, community in zip(will.voices.tolist(), will.communities.tolist(), strict=True):
        if voice in left:
            places[voice][community] += 1
    homes: defaultdict[int, list[int]] = defaultdict(list)
    for voice, counts in places.items():
        homes[min(counts, key=lambda community: (-counts[community], community))].append(voice)
    return [
        CandidateNetwork(area, tuple(sorted(some)), (), (0.0,) * len(some), 0, is_gathered=True, crowd=will.crowd.get(community, len(some)))
        for community, some in sorted(homes.items())
        if len(some) >= minimum_voices
    ]
