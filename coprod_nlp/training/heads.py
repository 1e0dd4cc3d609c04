"""The classifiers on what the encoders say of messages: how they are fitted, and what they say of others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from coprod_nlp.reading import decisions
from coprod_nlp.reading.artefact import Fitted, Heads, calls_for_close
from coprod_nlp.reading.encoder import FEATURES
from coprod_nlp.reading.gate import stacked
from coprod_nlp.reading.labels import AREAS, FIRST_SPAN, LABELS, SENSITIVE, WILLING
from coprod_nlp.training.features import Seen
from coprod_nlp.training.measure import Scored
from coprod_nlp.training.thresholds import Thresholds

# A head is the mean of two: one on what the encoders themselves say of the label, and one on everything they say, which an analyst's labels
# can bend to a meaning that no encoder learned. How much each is trusted was tried on real messages (docs/reading.md).
OWN_STRENGTH, EVERYTHING_STRENGTH = 1.0, 0.003
OWN_SHARE = {"area": 0.75, SENSITIVE: 0.75, "signal": 0.5, WILLING: 0.5}

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
Fits = dict[str, LogisticRegression]


class FittingError(Exception):
    """Nothing can be fitted on these messages; the message says which label lacks what."""


@dataclass(frozen=True)
class BothHeads:
    """One classifier a label for the deep reading, and one for the close reading."""

    deep: Mapping[str, LogisticRegression]
    close: Mapping[str, LogisticRegression]

    @classmethod
    def of(cls, fitted: Fitted) -> "BothHeads":
        """Those of an artefact."""
        return cls(fitted.heads, fitted.close_heads)

    def chances(self, seen: Seen, close_from: float) -> Floats:
        """(messages, LABELS) probabilities that a reading decides by: those of the close reading where the deep one calls for it."""
        chances = Heads(*stacked(self.deep)).chances(seen.deep)
        called = calls_for_close(chances, close_from)
        chances[called] = Heads(*stacked(self.close)).chances(seen.close[called])
        return chances


def fit_both(seen: Seen, truth: Bools, thresholds: Thresholds, weights: Floats | None = None) -> BothHeads:
    """Classifiers of both readings, as `fit_heads` fits them, `willing` scaled as people chose."""
    deep, close = fit_heads(seen.deep, truth, weights), fit_heads(seen.close, truth, weights)
    scale(deep[WILLING], *thresholds.willing_scale)
    scale(close[WILLING], *thresholds.close_willing_scale)
    return BothHeads(deep, close)


def fit_heads(encoded: Floats, truth: Bools, weights: Floats | None = None) -> Fits:
    """One classifier a label, as (1, features) weights for features as they come.

    Parameters
    ----------
    encoded
        (posts, FEATURES), or (posts, CLOSE_FEATURES).
    weights
        (posts,) how much each message counts; all alike where None.

    Raises
    ------
    FittingError
        Where every message has a label, or none.
    """
    require_both(truth, LABELS)
    centre, scale = encoded.mean(axis=0), encoded.std(axis=0) + 1e-6
    level = ((encoded - centre) / scale).astype(np.float32)
    heads = {}
    for place, label in enumerate(LABELS):
        own, wanted = _own_features(place, encoded.shape[1]), truth[:, place]
        narrow = LogisticRegression(C=OWN_STRENGTH, max_iter=1000).fit(level[:, own], wanted, sample_weight=weights)
        wide = LogisticRegression(C=EVERYTHING_STRENGTH, max_iter=1000).fit(level, wanted, sample_weight=weights)
        share = OWN_SHARE[kind_of(label)]
        joined = (1 - share) * wide.coef_[0]
        joined[own] += share * narrow.coef_[0]
        constant = (1 - share) * wide.intercept_[0] + share * narrow.intercept_[0]
        wide.coef_ = (joined / scale)[None].astype(np.float32)
        wide.intercept_ = np.array([constant - float((joined / scale) @ centre)], dtype=np.float32)
        heads[label] = wide
    return heads


def scale(head: LogisticRegression, factor: float, summand: float) -> None:
    """Change what a head says by two numbers: the log-odds times `factor`, plus `summand` (Platt 1999)."""
    head.coef_ = (head.coef_ * factor).astype(np.float32)
    head.intercept_ = (head.intercept_ * factor + summand).astype(np.float32)


def score(seen: Seen, truth: Bools, heads: BothHeads, decide: Mapping[str, float], close_from: float) -> Scored:
    """Probabilities and decisions of the deep and the close reading, as the reader makes them, beside the truth."""
    chances, thresholds = heads.chances(seen, close_from), np.array([decide[label] for label in LABELS])
    decided = decisions.decide(chances, thresholds)
    return Scored(decisions.agreed(chances, decided, thresholds), decided, truth)


def require_both(truth: Bools, labels: Sequence[str]) -> None:
    """Raise a FittingError where every row has a label, or none."""
    cases = dict(zip(labels, truth.sum(axis=0).tolist(), strict=True))
    if wrong := [f"{label} in {count:,}" for label, count in cases.items() if count in (0, len(truth))]:
        raise FittingError(
            f"of {len(truth):,} messages or sentences to learn from: {', '.join(wrong)}; wanted each label in some and not in all: "
            "write or label messages of the kind that is missing"
        )


def kind_of(label: str) -> str:
    """What a label is: an area, a signal, sensitive or willing."""
    return "area" if label in AREAS else label if label in {SENSITIVE, WILLING} else "signal"


def _own_features(place: int, features: int) -> list[int]:
    """Where the features stand that each encoder made for a label: its log-odds, for a signal also its best wordpiece and `willing`."""
    own = [place]
    if place >= FIRST_SPAN:
        own.append(len(LABELS) + place - FIRST_SPAN)
    if place >= FIRST_SPAN and LABELS[place] != WILLING:
        own.append(LABELS.index(WILLING))
    return own if features == FEATURES else [*own, *(FEATURES + one for one in own)]
