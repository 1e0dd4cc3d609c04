"""Figures of a reading against labels: what they are for one set, and how sure one can be of them."""

from collections.abc import Mapping, Sequence
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


def f1_of(decided: Bools, truth: Bools) -> float:
    """Of one label; some message must be true."""
    return float(2 * (decided & truth).sum() / (decided.sum() + truth.sum()))


def precision_recall_f1(decided: Bools, truth: Bools) -> tuple[float | None, float | None, float | None]:
    """Of one label: no precision where nothing was decided for, no recall and no F1 where nothing is true."""
    hits = float((decided & truth).sum())
    precision = hits / float(decided.sum()) if decided.any() else None
    return (precision, hits / float(truth.sum()), f1_of(decided, truth)) if truth.any() else (precision, None, None)


def figures_of(scored: Scored) -> dict[str, float | None]:
    """The figures that are guarded, and some beside them; None where a set has too few cases to say.

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
        "willing_ece": calibration_error(chance, truth) if len(chance) else None,
        "areas_macro_f1": _macro(scored, AREAS),
        "signals_macro_f1": _macro(scored, SIGNALS),
        "sensitive_precision": sensitive[0],
        "sensitive_recall": sensitive[1],
    }
    return {name: None if value is None else round(float(value), 4) for name, value in found.items()}


def by_label(scored: Scored) -> dict[str, dict[str, float | None]]:
    """Cases, precision, recall and F1 of every label that has a case."""
    found = {}
    for place, label in enumerate(LABELS):
        decided, truth = scored.decided[:, place], scored.truth[:, place]
        if truth.any():
            precision, recall, f1 = precision_recall_f1(decided, truth)
            found[label] = {"precision": precision, "recall": recall, "f1": f1, "cases": float(truth.sum())}
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
    """Expected calibration error (Naeini et al. 2015): mean distance of share and probability over ten bins, by their size. Some message
    must be there."""
    bins = np.minimum((chance * BINS).astype(int), BINS - 1)
    return float(sum(abs(truth[bins == b].sum() - chance[bins == b].sum()) for b in range(BINS)) / len(chance))


def histograms(chances: Floats, names: Sequence[str] = LABELS) -> Mapping[str, list[float]]:
    """The share of messages in each tenth of a label's probability: what drift is told by."""
    count = max(1, len(chances))
    return {name: [round(float(n) / count, 5) for n in np.histogram(chances[:, LABELS.index(name)], BINS, (0, 1))[0]] for name in names}


def _macro(scored: Scored, names: Sequence[str]) -> float | None:
    columns = [(scored.decided[:, place], scored.truth[:, place]) for place in map(LABELS.index, names)]
    values = [f1_of(decided, truth) for decided, truth in columns if truth.sum() >= MINIMUM_CASES]
    return float(np.mean(values)) if values else None
