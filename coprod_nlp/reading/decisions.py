"""Probabilities to decisions that agree with each other."""

import numpy as np
from numpy.typing import NDArray

from coprod_nlp.reading.labels import LABELS, WILLING, WILLING_VALUES
from coprod_nlp.vocabulary import Signal

WILLING_PLACE = LABELS.index(WILLING)
# What is not decided for as willing is no likelier to be than just short of its threshold.
JUST_SHORT = 0.001
_WILLING_SIGNALS = [LABELS.index(label) for label in WILLING_VALUES]
_SEEK, _REQUEST = LABELS.index(Signal.SEEK), LABELS.index(Signal.REQUEST)

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


def decide(chances: Floats, thresholds: NDArray[np.float64]) -> Bools:
    """(posts, LABELS) what is decided for, from probabilities of the same shape and (LABELS,) thresholds.

    A message is willing where both it as a whole and a willing signal in it reach their thresholds: of 99 real ones that as a whole did
    alone, 19 were, 14 perhaps. Without that, it has no willing signal either. Who asks, and more likely for help for themselves than how
    to take part, does not seek to take part: of 10 random messages called willing for that alone none was (docs/reading.md).
    """
    decided = chances >= thresholds
    signals = decided[:, _WILLING_SIGNALS]
    asks_for_itself = decided[:, _REQUEST] & (chances[:, _REQUEST] > chances[:, _SEEK])
    only_seeks = decided[:, _SEEK] & (signals.sum(axis=1) == 1)
    willing = decided[:, WILLING_PLACE] & signals.any(axis=1) & ~(only_seeks & asks_for_itself)
    decided[:, WILLING_PLACE] = willing
    decided[:, _WILLING_SIGNALS] = signals & willing[:, None]
    return decided


def agreed(chances: Floats, decided: Bools, thresholds: NDArray[np.float64]) -> Floats:
    """The probabilities with that of `willing` short of its threshold where it was not decided for."""
    said = chances.copy()
    short = np.float32(thresholds[WILLING_PLACE] - JUST_SHORT)
    said[:, WILLING_PLACE] = np.where(decided[:, WILLING_PLACE], said[:, WILLING_PLACE], np.minimum(said[:, WILLING_PLACE], short))
    return said
