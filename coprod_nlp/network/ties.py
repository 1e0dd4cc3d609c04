"""Interactions to weighted ties: what happened between two author keys, added up, recent things counting more."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from coprod_nlp.records import Interaction, Tie
from coprod_nlp.vocabulary import InteractionKind

SECONDS_A_DAY = 86_400


def decay(happened_at: datetime | None, *, as_of: datetime | None, half_life_days: float) -> float:
    """What something weighs now: 1 when new, half after each half-life; half where its time is not known.

    A time after `as_of` counts as new.
    """
    if happened_at is None or as_of is None:
        return 0.5
    age_days = max(0.0, (as_of - happened_at).total_seconds() / SECONDS_A_DAY)
    return float(0.5 ** (age_days / half_life_days))


def build_ties(
    interactions: Iterable[Interaction], *, weights: Mapping[InteractionKind, float], as_of: datetime | None, half_life_days: float
) -> list[Tie]:
    """One undirected tie a pair of author keys that met, in the order of the keys."""
    totals: defaultdict[tuple[str, str], float] = defaultdict(float)
    for item in interactions:
        if item.source_key == item.target_key:
            continue
        pair = (item.source_key, item.target_key) if item.source_key < item.target_key else (item.target_key, item.source_key)
        totals[pair] += weights[item.kind] * decay(item.happened_at, as_of=as_of, half_life_days=half_life_days)
    return [Tie(first, second, weight) for (first, second), weight in sorted(totals.items()) if weight > 0]
