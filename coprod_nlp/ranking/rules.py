"""What people decided about ranking, as this package takes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from coprod_nlp.vocabulary import PolicyArea


@dataclass(frozen=True, slots=True)
class Fit:
    """A council's view of one policy area; None where it has not judged it."""

    substitutability: float | None
    interdependence: float | None
    programmes: int | None


@dataclass(frozen=True, slots=True)
class RankingRules:
    """Weights by part key, the smallest network shown, resampling, and what age and fit mean here.

    `as_of` is the moment that ages are counted from: the end of the period, else the newest post.
    """

    weights: Mapping[str, float]
    minimum_voices: int
    resamples: int
    seed: int
    half_life_days: float
    as_of: datetime | None
    fits: Mapping[PolicyArea, Fit]
