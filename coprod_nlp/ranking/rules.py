"""What people decided about ranking, as this package takes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

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

    `as_of` is the moment that ages are counted from: the end of the period, else the newest post. `welcome` says by community how
    far the council may approach people there, 0 to 1; communities it leaves out are not known. Each `kept_every`th place of the list
    is kept for an under-heard area or community; 0 keeps none.
    """

    weights: Mapping[str, float]
    minimum_voices: int
    resamples: int
    seed: int
    half_life_days: float
    as_of: datetime | None
    fits: Mapping[PolicyArea, Fit]
    welcome: Mapping[str, float] = field(default_factory=dict)
    kept_every: int = 0


def weights_digest(weights: Mapping[str, float]) -> str:
    """Twelve characters that are others as soon as one weight is."""
    text = "\n".join(f"{key}={float(value)!r}" for key, value in sorted(weights.items()))
    return sha256(text.encode()).hexdigest()[:12]
