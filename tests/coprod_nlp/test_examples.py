"""What a network is shown: labels, verdicts, and both together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from coprod_nlp.reading.artefact import load_networks
from coprod_nlp.reading.encoder import WINDOW, Window
from coprod_nlp.reading.labels import LABELS, SPAN_LABELS, WILLING
from coprod_nlp.records import Evidence, PostText
from coprod_nlp.text.wordpieces import Wordpieces
from coprod_nlp.training.corpus import LabelledPost
from coprod_nlp.training.examples import EVIDENCE_WEIGHT, Example, Verdict, examples_of, joined, taught
from coprod_nlp.vocabulary import PolicyArea, Signal

PIECES = 5
OFFER = "I can lend my van"

Floats = NDArray[np.float32]


def message(body: str) -> LabelledPost:
    start = body.index(OFFER)
    return LabelledPost(
        PostText("m1", "", body),
        frozenset({PolicyArea.WASTE}),
        (Evidence(Signal.OFFER, start, start + len(OFFER)),),
        is_sensitive=False,
        part="a",
    )


def examples(body: str) -> list[Example]:
    return list(examples_of(Wordpieces(load_networks().wordpieces), message(body)))


def window() -> Window:
    places = np.arange(PIECES)
    return Window(places, places, places + 1)


def labelled(seed: int) -> Example:
    rng = np.random.default_rng(seed)
    evidence = (rng.random((PIECES, len(SPAN_LABELS))) < 0.3).astype(np.float32)
    return Example(window(), (rng.random(len(LABELS)) < 0.3).astype(np.float32), evidence, 1 + (EVIDENCE_WEIGHT - 1) * evidence)


def verdict(seed: int) -> Verdict:
    rng = np.random.default_rng(seed)
    return Verdict(rng.normal(size=len(LABELS)).astype(np.float32), rng.normal(size=(PIECES, len(SPAN_LABELS))).astype(np.float32))


def losses(example: Example, said: Verdict) -> tuple[float, float]:
    """Cross-entropy of what is said with what is wanted, of labels and of wordpieces."""

    def entropy(wanted: Floats, logits: Floats) -> Floats:
        return np.asarray(-wanted * log_expit(logits) - (1 - wanted) * log_expit(-logits), dtype=np.float32)

    return float(entropy(example.targets, said.logits).sum()), float((example.weight * entropy(example.evidence, said.spans)).sum())


@given(st.integers(0, 1000), st.floats(0, 1))
def test_the_loss_on_labels_and_verdict_is_the_mean_of_the_losses_on_either(seed: int, share: float) -> None:
    first, second, said = labelled(seed), verdict(seed + 1), verdict(seed + 2)
    both = losses(joined(first, second, share), said)
    apart = zip(losses(first, said), losses(taught(first.window, second), said), strict=True)
    assert both == pytest.approx([(1 - share) * of_labels + share * of_verdict for of_labels, of_verdict in apart], rel=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_what_is_wanted_stays_a_probability_for_every_wordpiece(share: float) -> None:
    both = joined(labelled(1), verdict(2), share)
    assert both.window is not None
    assert both.targets.shape == (len(LABELS),)
    assert both.evidence.shape == both.weight.shape == (PIECES, len(SPAN_LABELS))
    for part in (both.targets, both.evidence):
        assert part.dtype == np.float32
        assert ((part >= 0) & (part <= 1)).all()


def test_a_verdict_alone_wants_what_it_says_and_every_wordpiece_alike() -> None:
    said = verdict(3)
    example = taught(window(), said)
    assert np.array_equal(example.targets, expit(said.logits))
    assert np.array_equal(example.evidence, expit(said.spans))
    assert (example.weight == 1).all()


def test_wordpieces_in_evidence_count_more_than_those_outside() -> None:
    (example,) = examples(f"Rain today. {OFFER}. See you there.")
    inside = example.evidence[:, SPAN_LABELS.index("offer")] == 1
    assert inside.sum() == len(OFFER.split())
    assert np.array_equal(example.evidence[:, SPAN_LABELS.index(WILLING)] == 1, inside)
    assert set(example.weight[inside, SPAN_LABELS.index("offer")]) == {EVIDENCE_WEIGHT}
    assert set(example.weight[~inside].ravel()) == {1.0}


def test_of_a_long_message_the_signal_is_wanted_only_where_its_evidence_stands() -> None:
    found = examples("rain " * (WINDOW + 20) + OFFER)
    assert [example.targets[LABELS.index("offer")] for example in found] == [0, 1]
    assert [example.targets[LABELS.index("waste")] for example in found] == [1, 1]
