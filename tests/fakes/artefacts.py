"""Artefacts made at random, in the shapes of real ones, on the shipped networks or on such of their own."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from coprod_nlp.reading.artefact import Fitted, Manifest, Networks, load_networks, save_artefact
from coprod_nlp.reading.encoder import CLOSE_FEATURES, FEATURES
from coprod_nlp.reading.gate import BITS
from coprod_nlp.reading.labels import LABELS, SPAN_LABELS

WORDS = 1 << BITS
# What `Networks` are made of.
PARTS = tuple(Networks.__dataclass_fields__)


def heads(labels: Sequence[str], features: int) -> dict[str, LogisticRegression]:
    """Fitted classifiers of some features, few of which weigh anything."""
    rng = np.random.default_rng(features)
    made = {}
    for label in labels:
        head = LogisticRegression()
        head.classes_, head.n_features_in_ = np.array([False, True]), features
        head.coef_, head.intercept_ = np.zeros((1, features), np.float32), rng.normal(size=1).astype(np.float32)
        head.coef_[0, rng.integers(0, features, 500)] = rng.normal(size=500)
        made[label] = head
    return made


def fitted(labels: Sequence[str] = LABELS, span_labels: Sequence[str] = SPAN_LABELS) -> Fitted:
    """A whole set of estimators, of the sizes that real ones have."""
    gate = heads(labels, WORDS), heads(span_labels, WORDS), heads(span_labels, 2)
    return Fitted(*gate, heads(labels, FEATURES), heads(labels, CLOSE_FEATURES))


@cache
def shipped_networks() -> Networks:
    return load_networks()


@cache
def own_networks() -> Networks:
    """The shipped networks with a remark (field 6 of an ONNX model is its description), and their wordpieces with a blank line: the same
    models in other bytes."""
    shipped, remark = shipped_networks(), b"\x32\x04mine"
    return Networks(shipped.encoder + remark, shipped.close + remark, shipped.wordpieces + "\n\n")


def with_own(part: str) -> Networks:
    """The shipped networks, but for one part."""
    return replace(shipped_networks(), **{part: getattr(own_networks(), part)})


def save(directory: Path, made: Fitted, *, is_own: bool = False, **changed: Any) -> Manifest:
    """An artefact of these estimators, with networks of its own or on the shipped ones."""
    facts: dict[str, Any] = {
        "networks": own_networks() if is_own else shipped_networks(), "whole": is_own, "made_on": "2024-05-01", "sources": ("project",),
        "data": {"corpus": "0" * 64}, "messages": {"learned": 4}, "thresholds": dict.fromkeys(LABELS, 0.5),
        "gate_thresholds": dict.fromkeys(LABELS, 0.25), "close_from": 0.375, "uncertain": (0.25, 0.5),
        "figures": {"checked": {"willing_f1": 0.5}}, "profile": {"willing": [1.0]}, "notes": ("made by a test",),
    }  # fmt: skip
    return save_artefact(directory, made, **(facts | changed))
