"""What charts of a classifier are drawn from: how often it is right at each probability, and what each threshold costs."""

from typing import Any

import numpy as np

from coprod_nlp.reading.labels import LABELS, WILLING
from coprod_nlp.training.measure import BINS, Scored

POINTS = 40


def curves_of(scored: Scored, label: str = WILLING) -> dict[str, Any]:
    """Numbers only, for one label; {} where no message has it, or none lacks it.

    Returns
    -------
    dict
        `calibration`: for each tenth of the probability that has messages, [mean probability, share with the label, messages].
        `precision_recall`: at most `POINTS` of [threshold, precision, recall], the highest threshold first.
    """
    place = LABELS.index(label)
    chance, truth = scored.chances[:, place].astype(float), scored.truth[:, place]
    if truth.all() or not truth.any():
        return {}
    bins = np.minimum((chance * BINS).astype(int), BINS - 1)
    calibration = [
        [round(float(chance[bins == b].mean()), 4), round(float(truth[bins == b].mean()), 4), int((bins == b).sum())]
        for b in range(BINS)
        if (bins == b).any()
    ]
    order = np.argsort(-chance, kind="stable")
    hits, ends = np.cumsum(truth[order]), np.flatnonzero(np.diff(chance[order], append=np.nan))
    chosen = ends[np.unique(np.linspace(0, len(ends) - 1, min(POINTS, len(ends))).round().astype(int))]
    points = [[round(float(v), 4) for v in (chance[order][end], hits[end] / (end + 1), hits[end] / hits[-1])] for end in chosen]
    return {"calibration": calibration, "precision_recall": points}
