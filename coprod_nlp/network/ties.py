"""Interactions to weighted ties: what happened between two voices, by kind, added up, recent things counting more.

Voices are numbers here, and everything is a column: a council's communities can hold millions of interactions.
"""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from coprod_nlp.records import INTERACTION_KINDS, TIE_KINDS, Interactions, Ties
from coprod_nlp.vocabulary import InteractionKind, TieKind

SECONDS_A_DAY = 86_400
# What something without a time weighs: neither new nor forgotten.
UNTIMED = 0.5

Floats = NDArray[np.float64]
Numbers = NDArray[np.int32]


def decay(happened_at: datetime | None, *, as_of: datetime | None, half_life_days: float) -> float:
    """What something weighs now: 1 when new, half after each half-life; half where its time is not known.

    A time after `as_of` counts as new.
    """
    if happened_at is None or as_of is None:
        return UNTIMED
    return float(0.5 ** (age_in_days(happened_at, as_of=as_of) / half_life_days))


def age_in_days(happened_at: datetime, *, as_of: datetime) -> float:
    return max(0.0, (as_of - happened_at).total_seconds() / SECONDS_A_DAY)


def decays(age_days: Floats, *, half_life_days: float) -> Floats:
    """`decay` of many ages at once; NaN is an age that is not known."""
    return np.where(np.isnan(age_days), UNTIMED, 0.5 ** (np.maximum(np.nan_to_num(age_days), 0) / half_life_days))


def build_ties(interactions: Interactions, *, weights: Mapping[InteractionKind, float], half_life_days: float) -> Ties:
    """One undirected tie a pair of voices that met, smaller number first, in the order of the numbers.

    The sums do not depend on the order of the interactions.
    """
    met = interactions.sources != interactions.targets
    sources, targets = interactions.sources[met].astype(np.int64), interactions.targets[met].astype(np.int64)
    kinds, ages = interactions.kinds[met], interactions.age_days[met]
    pairs = np.minimum(sources, targets) << 32 | np.maximum(sources, targets)
    order = np.argsort(ages)
    order = order[np.argsort(pairs[order], kind="stable")]
    pairs, kinds, ages = pairs[order], kinds[order], ages[order]
    by_kind = np.array([weights.get(kind, 0.0) for kind in INTERACTION_KINDS])
    weighed = by_kind[kinds] * decays(ages, half_life_days=half_life_days)
    is_first = np.diff(pairs, prepend=-1) != 0
    found, place = pairs[is_first], np.cumsum(is_first) - 1
    columns = np.array([TIE_KINDS.index(TieKind(kind)) for kind in INTERACTION_KINDS])[kinds]
    flat = np.bincount(place * len(TIE_KINDS) + columns, weights=weighed, minlength=len(found) * len(TIE_KINDS))
    return _ties(found, np.asarray(flat, dtype=np.float64).reshape(len(found), len(TIE_KINDS)))


def area_ties(
    voices: Numbers, communities: Numbers, age_days: Floats, *, weight: float, half_life_days: float, reach: int, window_days: float
) -> Ties:
    """Ties of voices who would help in the same policy area and community at about the same time.

    Each message (one row of the columns) is joined to the next `reach` messages of its community within `window_days`, not to all of
    them: everybody would know everybody. Messages without a time join nobody.
    """
    timed = ~np.isnan(age_days)
    voices, communities, ages = voices[timed], communities[timed], age_days[timed]
    order = np.lexsort((voices, -ages, communities))
    voices, communities, ages = voices[order].astype(np.int64), communities[order], ages[order]
    pairs, weighed = [], []
    for step in range(1, reach + 1):
        one, other = slice(None, -step), slice(step, None)
        near = (communities[one] == communities[other]) & (ages[one] - ages[other] <= window_days) & (voices[one] != voices[other])
        first, second = np.minimum(voices[one], voices[other])[near], np.maximum(voices[one], voices[other])[near]
        pairs.append(first << 32 | second)
        weighed.append(weight * decays(ages[other][near], half_life_days=half_life_days))
    every, values = np.concatenate(pairs), np.concatenate(weighed)
    order = np.lexsort((values, every))
    found, place = np.unique(every[order], return_inverse=True)
    table = np.zeros((len(found), len(TIE_KINDS)))
    table[:, TIE_KINDS.index(TieKind.AREA)] = np.minimum(weight, np.bincount(place, weights=values[order], minlength=len(found)))
    return _ties(found, table)


def _ties(pairs: NDArray[np.int64], weights: Floats) -> Ties:
    heavy = weights.sum(axis=1) > 0
    pairs, weights = pairs[heavy], weights[heavy]
    return Ties((pairs >> 32).astype(np.int32), (pairs & 0xFFFFFFFF).astype(np.int32), weights)
