"""What a network is shown: a window of a message, and what it should say of it, by labels, by a teacher's verdict or by both."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from coprod_nlp.reading.encoder import Window, windows_of
from coprod_nlp.reading.labels import FIRST_SPAN, SPAN_LABELS, WILLING, WILLING_VALUES
from coprod_nlp.text.clean import prose
from coprod_nlp.text.wordpieces import Wordpieces
from coprod_nlp.training.corpus import LabelledPost, targets

# A wordpiece in evidence weighs this much against one outside it, which are many more.
EVIDENCE_WEIGHT = 3.0

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What networks say of a window, in log-odds: (LABELS,) what it is, (pieces, SPAN_LABELS) which pieces stand in evidence."""

    logits: Floats
    spans: Floats


@dataclass(frozen=True, slots=True)
class Example:
    """One window and what is wanted of it, as probabilities.

    Attributes
    ----------
    targets
        (LABELS,) what it is.
    evidence, weight
        (pieces, SPAN_LABELS) which pieces stand in evidence, and how much each counts.
    """

    window: Window
    targets: Floats
    evidence: Floats
    weight: Floats


def examples_of(wordpieces: Wordpieces, labelled: LabelledPost) -> Iterator[Example]:
    """A message as windows with its labels; in a window without the evidence for a signal, the signal is not there."""
    post = labelled.post
    windows = windows_of(wordpieces, prose(post.title), prose(post.body))
    whole = targets([labelled])[0].astype(np.float32)
    for window in windows:
        evidence = np.zeros((len(window.ids), len(SPAN_LABELS)), dtype=np.float32)
        for item in labelled.evidence:
            inside = (window.starts >= 0) & (window.starts < item.end) & (window.ends > item.start)
            evidence[inside, SPAN_LABELS.index(item.signal.value)] = 1
            if item.signal.value in WILLING_VALUES:
                evidence[inside, SPAN_LABELS.index(WILLING)] = 1
        here = whole.copy()
        if len(windows) > 1:
            here[FIRST_SPAN:] = evidence.max(axis=0)
        yield Example(window, here, evidence, 1 + (EVIDENCE_WEIGHT - 1) * evidence)


def taught(window: Window, verdict: Verdict) -> Example:
    """A window of which nothing is wanted but a verdict (Hinton et al. 2015, arXiv:1503.02531)."""
    return Example(window, expit(verdict.logits), expit(verdict.spans), np.ones_like(verdict.spans))


def joined(labelled: Example, verdict: Verdict, share: float) -> Example:
    """What labels and a verdict want together: the loss on it is the mean of the losses on either, the verdict's counting `share`."""
    second = taught(labelled.window, verdict)
    weight = (1 - share) * labelled.weight + share * second.weight
    evidence = ((1 - share) * labelled.weight * labelled.evidence + share * second.weight * second.evidence) / weight
    whole = (1 - share) * labelled.targets + share * second.targets
    return Example(labelled.window, whole, np.asarray(evidence, dtype=np.float32), np.asarray(weight, dtype=np.float32))
