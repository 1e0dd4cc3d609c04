"""Figures of a reading against labels: what they are for one set, and how sure one can be of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coprod_nlp.reading.labels import AREAS, LABELS, SENSITIVE, SIGNALS, WILLING

MINIMUM_CASES = 5
BINS = 10
TOP = 50

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scored:
    """Some messages as they were judged and as they are: (messages, LABELS) probabilities, decisions and truth."""

    chances: Floats
    decided: Bools
    truth: Bools

    def rows(self, chosen: NDArray[np.int64]) -> "Scored":
        return Scored(self.chances[chosen], self.decided[chosen], self.truth[chosen])


def precision_recall_f1(decided: Bools, truth: Bools) -> tuple[float, float, float]:
    """Of one label; 0 where nothing was decided for or nothing is true."""
    hits = float((decided & truth).sum())
    precision = hits / decided.sum() if decided.any() else 0.0
    recall = hits / truth.sum() if truth.any() else 0.0
    return precision, recall, 2 * precision * recall / (precision + recall) if hits else 0.0


def figures_of(scored: Scored) -> dict[str, float | None]:
    """The figures that are guarded; None where a set has too few cases to say.

    `willing_ap` is the area under the precision-recall curve, `willing_ece` the expected calibration error in ten bins of equal width,
    `areas_macro_f1` and `signals_macro_f1` the mean over labels with at least `MINIMUM_CASES` cases.
    """
    willing = LABELS.index(WILLING)
    chance, truth = scored.chances[:, willing], scored.truth[:, willing]
    precision, recall, f1 = precision_recall_f1(scored.decided[:, willing], truth)
    sensitive = precision_recall_f1(*(table[:, LABELS.index(SENSITIVE)] for table in (scored.decided, scored.truth)))
    top = np.argsort(-chance, kind="stable")[:TOP]
    found = {
        "messages": float(len(chance)),
        "willing_messages": float(truth.sum()),
        "willing_ap": average_precision(chance, truth) if truth.any() else None,
        "willing_p_at_50": float(truth[top].mean()) if len(chance) >= TOP else None,
        "willing_precision": precision,
        "willing_recall": recall,
        "willing_f1": f1,
        "willing_ece": calibration_error(chance, truth),
        "areas_macro_f1": _macro(scored, AREAS),
        "signals_macro_f1": _macro(scored, SIGNALS),
        "sensitive_precision": sensitive[0],
        "sensitive_recall": sensitive[1],
    }
    return {name: None if value is None else round(float(value), 4) for name, value in found.items()}


def by_label(scored: Scored) -> dict[str, dict[str, float]]:
    """Cases, precision, recall and F1 of every label that has a case."""
    found = {}
    for place, label in enumerate(LABELS):
        if scored.truth[:, place].any():
            values = precision_recall_f1(scored.decided[:, place], scored.truth[:, place])
            found[label] = dict(zip(("precision", "recall", "f1"), values, strict=True)) | {"cases": float(scored.truth[:, place].sum())}
    return found


def average_precision(chance: Floats, truth: Bools) -> float:
    """Mean precision over the steps in recall, equal probabilities taken together; as scikit-learn's, which checks its input for longer
    than it counts, and resampling asks for thousands. Some message must be true."""
    order = np.argsort(-chance, kind="stable")
    hits = np.cumsum(truth[order])
    ends = np.flatnonzero(np.diff(chance[order], append=np.nan))
    found: float = (hits[ends] / (ends + 1) * np.diff(hits[ends], prepend=0)).sum() / hits[-1]
    return float(found)


def calibration_error(chance: Floats, truth: Bools) -> float:
    """Expected calibration error (Naeini et al. 2015): mean distance of share and probability over ten bins, by their size."""
    bins = np.minimum((chance * BINS).astype(int), BINS - 1)
    return float(sum(abs(truth[bins == b].sum() - chance[bins == b].sum()) for b in range(BINS)) / max(1, len(chance)))


def interval(
    scored: Scored, figure: Callable[[Scored], float | None], *, resamples: int = 200, seed: int = 7, share: float = 0.9
) -> tuple[float, float] | None:
    """The middle `share` of a figure when the messages are drawn again with replacement; None where it cannot be said."""
    rng = np.random.default_rng(seed)
    count = len(scored.chances)
    drawn = [figure(scored.rows(rng.integers(0, count, count))) for _ in range(resamples)] if count else []
    values = [value for value in drawn if value is not None]
    if not values:
        return None
    low, high = np.quantile(values, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def histograms(chances: Floats, names: Sequence[str] = LABELS) -> Mapping[str, list[float]]:
    """The share of messages in each tenth of a label's probability: what drift is told by."""
    count = max(1, len(chances))
    return {name: [round(float(n) / count, 5) for n in np.histogram(chances[:, LABELS.index(name)], BINS, (0, 1))[0]] for name in names}


def _macro(scored: Scored, names: Sequence[str]) -> float | None:
    values = []
    for name in names:
        place = LABELS.index(name)
        if scored.truth[:, place].sum() >= MINIMUM_CASES:
            values.append(precision_recall_f1(scored.decided[:, place], scored.truth[:, place])[2])
    return float(np.mean(values)) if values else None
