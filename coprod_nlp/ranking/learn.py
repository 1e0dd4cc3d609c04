"""Weights from what officers decided on leads: a proposal, for people to look at."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.model_selection import StratifiedKFold

from coprod_nlp.ranking.reasons import PART_NAMES, count_of
from coprod_nlp.records import DecidedLead

PARTS = tuple(PART_NAMES)
# Below these numbers of decisions, chance would choose the weights.
FEWEST_OF_EACH = 10
# How strongly weights are held to the ones in use: as much as this many decisions.
HELD_BY = 20.0
FOLDS = 5
# A gain in agreement below this, or below twice its standard error over the folds, may be chance.
LEAST_GAIN = 0.02
STEEPNESS = 8.0
# Weights are rounded to so many steps of the power of ten below their sum: to halves where they add up to some hundred.
STEPS = 200

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Weights that agree better with the decisions, or None and why.

    `agreement` is how often an accepted lead scores above a rejected one with the weights in use, and `proposed_agreement` with weights
    learned without the decisions that it is measured on.
    """

    weights: Mapping[str, float] | None
    accepted: int
    rejected: int
    agreement: float | None
    proposed_agreement: float | None
    why: str


def propose_weights(decisions: Sequence[DecidedLead], weights: Mapping[str, float], *, seed: int) -> Proposal:
    """Learn weights from accepted and rejected leads, held to the ones in use, none below 0, with the same sum.

    Rejections for a reason that is not about the lead itself should be left out before.
    """
    accepted = np.array([decision.is_accepted for decision in decisions], dtype=bool)
    yes, no = int(accepted.sum()), int((~accepted).sum())
    counts = f"{count_of(yes, 'lead')} accepted and {count_of(no, 'lead')} rejected"
    if min(yes, no) < FEWEST_OF_EACH:
        return Proposal(None, yes, no, None, None, f"{counts}: at least {FEWEST_OF_EACH} of each are needed; the weights stay.")
    table = _table(decisions)
    now = np.array([weights[key] for key in PARTS]) / sum(weights.values())
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(table, accepted))
    before = np.array([_agreement(table[test] @ now, accepted[test]) for _, test in folds])
    after = np.array([_agreement(table[test] @ _fit(table[train], accepted[train], now), accepted[test]) for train, test in folds])
    agreement, proposed, gain = float(before.mean()), float(after.mean()), after - before
    if gain.mean() < max(LEAST_GAIN, 2 * gain.std(ddof=1) / FOLDS**0.5):
        why = f"{counts}: other weights would not agree with the decisions clearly better; the weights stay."
        return Proposal(None, yes, no, agreement, proposed, why)
    whole = sum(weights.values())
    step = 10 ** math.floor(math.log10(whole)) / STEPS
    learned = _fit(table, accepted, now) * whole
    rounded = {key: round(round(float(value) / step) * step, 9) for key, value in zip(PARTS, learned, strict=True)}
    return Proposal(rounded, yes, no, agreement, proposed, f"{counts}.")


def score_with(parts: Mapping[str, float | None], weights: Mapping[str, float]) -> float:
    """A score from the values of its parts, as `score_lead` adds them up: known parts only, 100 where all are at their best."""
    known = {key: value for key, value in parts.items() if value is not None and key in weights}
    possible = sum(weights[key] for key in known)
    return 100 * sum(weights[key] * value for key, value in known.items()) / possible if possible else 0.0


def _table(decisions: Sequence[DecidedLead]) -> Floats:
    """Values of the parts, a decision a row; what is not known is as good as the middle of the others."""
    rows = np.array([[np.nan if (value := one.parts.get(key)) is None else value for key in PARTS] for one in decisions], dtype=np.float64)
    known = ~np.isnan(rows)
    middle = np.where(known, rows, 0).sum(axis=0) / np.maximum(1, known.sum(axis=0))
    return np.where(known, rows, middle)


def _fit(table: Floats, accepted: NDArray[np.bool_], now: Floats) -> Floats:
    """Logistic regression with weights of at least 0 that sum to 1, pulled to the ones in use."""
    sign = np.where(accepted, 1.0, -1.0)

    def loss(values: Floats) -> tuple[float, Floats]:
        weights, middle = values[:-1], values[-1]
        margin = sign * (STEEPNESS * (table @ weights) - middle)
        slope = -sign / (1 + np.exp(margin))
        away = weights - now
        gradient = STEEPNESS * (table.T @ slope) + 2 * HELD_BY * STEEPNESS * away
        return float(np.logaddexp(0, -margin).sum() + HELD_BY * STEEPNESS * (away @ away)), np.append(gradient, -slope.sum())

    start = np.append(now, STEEPNESS * float(np.mean(table @ now)))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(now) + [(None, None)])
    weights = np.asarray(found.x[:-1], dtype=np.float64)
    return weights / weights.sum() if weights.sum() > 0 else now


def _agreement(scores: Floats, accepted: NDArray[np.bool_]) -> float:
    """How often an accepted lead scores above a rejected one; a tie counts half."""
    apart = scores[accepted][:, None] - scores[~accepted][None, :]
    return float(np.mean((apart > 0) + 0.5 * (apart == 0)))
