"""The close reading: of what the deep reading may find willing, and of nothing else; it decides what it reads, in one window of it."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from coprod_nlp.reading.artefact import Artefact, Heads, load_artefact
from coprod_nlp.reading.encoder import CLOSE_FEATURES, seen_by_both
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
ANYTHING, NOTHING = 0.0, 1.1


@cache
def artefact() -> Artefact:
    return load_artefact()


def reader(*, close_from: float | None = None, **changed: Any) -> Reader:
    """The shipped artefact, changed in part, with the gate open."""
    manifest = artefact().manifest
    if close_from is not None:
        manifest = replace(manifest, close_from=close_from)
    return Reader(replace(artefact(), manifest=manifest, **changed), is_always_deep=True)


def constant(label: str) -> Heads:
    """Heads that are sure of one label, and that there is no other, whatever they see."""
    intercepts = np.where([one == label for one in LABELS], 9, -9).astype(np.float32)
    return Heads(np.zeros((CLOSE_FEATURES, len(LABELS)), np.float32), intercepts)


def chances(explanation: Explanation) -> NDArray[np.float64]:
    return np.array([explanation.chances[label] for label in LABELS])


def test_what_may_be_willing_is_read_closely_and_the_rest_is_not() -> None:
    explained = [reader().explain(post) for post in POSTS]
    assert [one.close is not None for one in explained] == [True, False, False, False]
    for one in explained:
        assert ((one.deep or {})["willing"] >= artefact().manifest.close_from) == (one.close is not None)
        assert one.chances == (one.close or one.deep)
    assert explained[POSTS.index(ILL)].reading.status == ReadingStatus.SENSITIVE


def test_a_post_that_the_gate_passes_over_is_read_neither_deeply_nor_closely() -> None:
    explained = Reader(artefact()).explain(CHAT)
    assert (explained.deep, explained.close) == (None, None)
    assert explained.chances == explained.glances


@pytest.mark.parametrize("post", POSTS, ids=lambda post: post.post_id)
def test_below_the_threshold_the_deep_reading_decides_as_if_there_were_no_other(post: PostText) -> None:
    plain = reader(close_from=NOTHING).explain(post)
    assert (plain.close, plain.chances) == (None, plain.deep)
    encoded = artefact().encoder.encode(prose(post.title), prose(post.body))
    assert chances(plain) == pytest.approx(artefact().heads.chances(encoded.features[None])[0], abs=1e-4)
    if reader().explain(post).close is None:
        assert reader().explain(post) == plain
        assert reader(close_heads=constant(PolicyArea.ANIMALS)).explain(post) == plain


@pytest.mark.parametrize("post", POSTS, ids=lambda post: post.post_id)
def test_above_the_threshold_the_heads_of_the_close_reading_decide_on_what_both_networks_say(post: PostText) -> None:
    explained = reader(close_from=ANYTHING).explain(post)
    assert explained.deep == reader(close_from=NOTHING).explain(post).deep
    both = [network.encode(prose(post.title), prose(post.body)) for network in (artefact().encoder, artefact().close)]
    expected = artefact().close_heads.chances(np.concatenate([one.features for one in both])[None])[0]
    assert explained.close == explained.chances
    assert chances(explained) == pytest.approx(expected, abs=1e-4)
    sure = reader(close_from=ANYTHING, close_heads=constant(PolicyArea.ANIMALS)).read([post])[0]
    assert (sure.status, set(sure.areas), set(sure.signals), sure.is_willing) == (
        ReadingStatus.READ, {PolicyArea.ANIMALS}, set(), False,
    )  # fmt: skip


def test_a_post_is_read_closely_from_the_threshold_on() -> None:
    willing = (reader(close_from=NOTHING).explain(OFFER).deep or {})["willing"]
    for close_from, is_close in ((willing - 1e-3, True), (willing + 1e-3, False)):
        assert (reader(close_from=close_from).explain(OFFER).close is not None) == is_close


LONG_CHAT = " ".join(f"The number {line} tram was late again and nobody at the stop knew why." for line in range(2, 18))


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (f"{OFFER.body} {LONG_CHAT} {LONG_CHAT}", 0),
        (f"{LONG_CHAT} {OFFER.body} {LONG_CHAT}", 1),
        (f"{LONG_CHAT} {LONG_CHAT} {OFFER.body}", 2),
    ],
    ids=["the first", "one between", "the last"],
)
def test_of_a_long_post_the_window_that_may_be_willing_is_read_closely(body: str, place: int) -> None:
    encoder, close = artefact().encoder, artefact().close
    windows = encoder.windows("Van", body)
    assert len(windows) == 3
    deep = encoder.read(windows)
    window = windows[deep.most_willing]
    offered = body.index(OFFER.body) + len("Van\n\n")
    assert deep.most_willing == place
    in_body = window.starts[window.starts >= len("Van\n\n")]
    assert in_body.min() <= offered
    assert in_body.max() >= offered + len(OFFER.body) - len(" help.")
    closely = close.read([window])
    explained = reader(close_from=ANYTHING).explain(PostText("t1_long", "Van", body))
    expected = artefact().close_heads.chances(np.concatenate([deep.features, closely.features])[None])[0]
    assert chances(explained) == pytest.approx(expected, abs=1e-4)
    joined = seen_by_both(windows, deep, closely)
    is_inside = np.concatenate([np.full(len(one.ids), one is window) for one in windows])
    assert np.array_equal(joined.spans[~is_inside], deep.spans[~is_inside])
    assert joined.spans[is_inside] == pytest.approx((deep.spans[is_inside] + closely.spans) / 2, abs=1e-5)
    assert np.array_equal(joined.features, deep.features)


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
        turned = reader(close_from=ANYTHING, **{name: Pointing(getattr(artefact(), name), body)}).read([PostText("t1_x", "Van", body)])[0]
        assert {("Van\n\n" + body)[item.start : item.end] for item in turned.evidence} == {"How do I sign up?"}


def test_evidence_of_a_long_post_stands_where_the_window_read_closely_has_it() -> None:
    body = f"{LONG_CHAT} {OFFER.body} How do I sign up? {LONG_CHAT}"
    turned = reader(close_from=ANYTHING, close=Pointing(artefact().close, body)).read([PostText("t1_x", "Van", body)])[0]
    assert turned.signals
    assert {("Van\n\n" + body)[item.start : item.end] for item in turned.evidence} == {"How do I sign up?"}


class Pointing:
    """A network that says what another says, but is sure that all evidence stands in one question."""

    def __init__(self, network: Any, body: str) -> None:
        self.network = network
        self.place = body.index("How")

    def windows(self, title: str, body: str) -> Any:
        return self.network.windows(title, body)

    def read(self, windows: Any) -> Any:
        said = self.network.read(windows)
        spans = said.spans.copy()
        start = len("Van") + 2 + self.place
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
    reading = reader(close_from=ANYTHING, close_heads=constant("sensitive")).read([OFFER])[0]
    assert (reading.status, reading.evidence, reading.is_willing) == (ReadingStatus.SENSITIVE, (), False)
