"""The close reading: of what the deep reading finds willing or sensitive, and of nothing else; it decides what it reads."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from coprod_nlp.reading.artefact import Artefact, Heads, load_artefact
from coprod_nlp.reading.encoder import CLOSE_FEATURES
from coprod_nlp.reading.evidence import find_evidence
from coprod_nlp.reading.labels import LABELS
from coprod_nlp.reading.reader import Explanation, Reader
from coprod_nlp.records import PostText
from coprod_nlp.text.clean import prose
from coprod_nlp.vocabulary import PolicyArea, ReadingStatus

OFFER = PostText("t1_offer", "Litter pick", "I can lend my van for the clean-up on Saturday, happy to help.")
ILL = PostText("t1_ill", "", "I was diagnosed with bipolar disorder last year and my psychiatrist at the clinic changed my pills.")
COMPLAINT = PostText("t1_complaint", "", "Bins late again on Saltmarsh Road, third week running.")
CHAT = PostText("t1_chat", "", "ok")
POSTS = [OFFER, ILL, COMPLAINT, CHAT]
ANYTHING, NOTHING = np.zeros(len(LABELS), np.float32), np.full(len(LABELS), 1.1, np.float32)


@cache
def artefact() -> Artefact:
    return load_artefact()


def reader(**changed: Any) -> Reader:
    """The shipped artefact, changed in part, with the gate open."""
    return Reader(replace(artefact(), **changed), is_always_deep=True)


def constant(label: str) -> Heads:
    """Heads that are sure of one label, and that there is no other, whatever they see."""
    intercepts = np.where([one == label for one in LABELS], 9, -9).astype(np.float32)
    return Heads(np.zeros((CLOSE_FEATURES, len(LABELS)), np.float32), intercepts)


def chances(explanation: Explanation) -> NDArray[np.float64]:
    return np.array([explanation.chances[label] for label in LABELS])


def test_what_may_be_willing_or_sensitive_is_read_closely_and_the_rest_is_not() -> None:
    explained = [reader().explain(post) for post in POSTS]
    assert [one.close is not None for one in explained] == [True, True, False, False]
    for one in explained:
        called = [label for label, chance in (one.deep or {}).items() if chance >= artefact().manifest.close_thresholds[label]]
        assert bool(called) == (one.close is not None)
        assert one.chances == (one.close or one.deep)


def test_a_post_that_the_gate_passes_over_is_read_neither_deeply_nor_closely() -> None:
    explained = Reader(artefact()).explain(CHAT)
    assert (explained.deep, explained.close) == (None, None)
    assert explained.chances == explained.glances


@pytest.mark.parametrize("post", POSTS, ids=lambda post: post.post_id)
def test_below_every_threshold_the_deep_reading_decides_as_if_there_were_no_other(post: PostText) -> None:
    plain = reader(close_thresholds=NOTHING).explain(post)
    assert (plain.close, plain.chances) == (None, plain.deep)
    encoded = artefact().encoder.encode(prose(post.title), prose(post.body))
    assert chances(plain) == pytest.approx(artefact().heads.chances(encoded.features[None])[0], abs=1e-4)
    if reader().explain(post).close is None:
        assert reader().explain(post) == plain
        assert reader(close_heads=constant(PolicyArea.ANIMALS)).explain(post) == plain


@pytest.mark.parametrize("post", POSTS, ids=lambda post: post.post_id)
def test_above_a_threshold_the_heads_of_the_close_reading_decide_on_what_both_networks_say(post: PostText) -> None:
    explained = reader(close_thresholds=ANYTHING).explain(post)
    assert explained.deep == reader(close_thresholds=NOTHING).explain(post).deep
    both = [network.encode(prose(post.title), prose(post.body)) for network in (artefact().encoder, artefact().close)]
    expected = artefact().close_heads.chances(np.concatenate([one.features for one in both])[None])[0]
    assert explained.close == explained.chances
    assert chances(explained) == pytest.approx(expected, abs=1e-4)
    sure = reader(close_thresholds=ANYTHING, close_heads=constant(PolicyArea.ANIMALS)).read([post])[0]
    assert (sure.status, set(sure.areas), set(sure.signals), sure.is_willing) == (
        ReadingStatus.READ, {PolicyArea.ANIMALS}, set(), False,
    )  # fmt: skip


@pytest.mark.parametrize("label", ["willing", "sensitive", "waste"])
def test_one_label_that_reaches_its_threshold_is_enough(label: str) -> None:
    deep = reader(close_thresholds=NOTHING).explain(OFFER).deep or {}
    for chance, is_close in ((deep[label] - 1e-3, True), (deep[label] + 1e-3, False)):
        thresholds = NOTHING.copy()
        thresholds[LABELS.index(label)] = chance
        assert (reader(close_thresholds=thresholds).explain(OFFER).close is not None) == is_close


def test_evidence_is_where_both_networks_together_see_it() -> None:
    body = " ".join([COMPLAINT.body, OFFER.body, "How do I sign up?", "We walk the old railway every Friday and pick up what we find."])
    deep, close = (network.encode("Van", body) for network in (artefact().encoder, artefact().close))
    reading = reader().read([PostText("t1_x", "Van", body)])[0]
    assert len(reading.signals) >= 2
    assert reading.evidence == find_evidence(
        "Van", body, replace(deep, spans=(deep.spans + close.spans) / np.float32(2)), tuple(reading.signals)
    )
    # Each network alone has its part in it: what the other has seen at the end outweighs what one has not.
    for name in ("encoder", "close"):
        turned = reader(close_thresholds=ANYTHING, **{name: Pointing(getattr(artefact(), name), body)}).read(
            [PostText("t1_x", "Van", body)]
        )[0]
        assert {("Van\n\n" + body)[item.start : item.end] for item in turned.evidence} == {"How do I sign up?"}


class Pointing:
    """A network that says what another says, but is sure that all evidence stands in one question."""

    def __init__(self, network: Any, body: str) -> None:
        self.network = network
        self.place = body.index("How")

    def encode(self, title: str, body: str) -> Any:
        said = self.network.encode(title, body)
        spans = said.spans.copy()
        start = len(title) + 2 + self.place
        spans[(said.starts >= start) & (said.ends <= start + 17)] = 99
        return replace(said, spans=spans)


@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_readings_at_every_stage_are_the_same_at_any_batch_size(size: int) -> None:
    some, ours = [*POSTS, *POSTS[::-1]], Reader(artefact())
    stages = {(explained.deep is not None, explained.close is not None) for explained in map(ours.explain, POSTS)}
    assert stages == {(False, False), (True, False), (True, True)}
    batches = [reading for start in range(0, len(some), size) for reading in ours.read(some[start : start + size])]
    assert batches == [ours.explain(post).reading for post in some]


def test_what_the_close_reading_takes_for_sensitive_shows_nothing() -> None:
    reading = reader(close_thresholds=ANYTHING, close_heads=constant("sensitive")).read([OFFER])[0]
    assert (reading.status, reading.evidence, reading.is_willing) == (ReadingStatus.SENSITIVE, (), False)
