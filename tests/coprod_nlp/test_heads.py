"""The classifiers on what the encoders say: fitted on labels of both kinds, and the close ones heard where the deep ones call for them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from coprod_nlp.reading import decisions
from coprod_nlp.reading.artefact import Heads, load_artefact
from coprod_nlp.reading.encoder import CLOSE_FEATURES, FEATURES
from coprod_nlp.reading.gate import stacked
from coprod_nlp.reading.labels import AREAS, LABELS, SENSITIVE, SIGNALS, WILLING
from coprod_nlp.reading.reader import Reader
from coprod_nlp.training.corpus import LabelledPost, load_corpus
from coprod_nlp.training.features import Seen, see
from coprod_nlp.training.heads import BothHeads, FittingError, fit_both, fit_heads, kind_of, scale, score
from coprod_nlp.training.thresholds import load_thresholds
from tests.fakes.artefacts import heads

MESSAGES = 40
# No scale on `willing`.
PLAIN = replace(load_thresholds(), willing_scale=(1.0, 0.0), close_willing_scale=(1.0, 0.0))

Bools = NDArray[np.bool_]


def both() -> BothHeads:
    return BothHeads(heads(LABELS, FEATURES), heads(LABELS, CLOSE_FEATURES))


def seen(messages: int = MESSAGES, *, seed: int = 1) -> Seen:
    """What encoders might say of messages: the close reading's heads see what the deep one's do, and more."""
    close = np.random.default_rng(seed).normal(size=(messages, CLOSE_FEATURES)).astype(np.float32)
    return Seen(close[:, :FEATURES], close)


def truth() -> Bools:
    """Labels of both kinds, which what is seen tells."""
    return np.asarray(seen().deep[:, : len(LABELS)] > 0)


def said(some: dict[str, Any], features: NDArray[np.float32]) -> NDArray[np.float32]:
    return Heads(*stacked(some)).chances(features)


def test_the_close_heads_decide_where_the_deep_ones_find_enough_of_willing() -> None:
    ours, some = both(), seen()
    deep, close = said(dict(ours.deep), some.deep), said(dict(ours.close), some.close)
    place = LABELS.index(WILLING)
    edge = float(np.sort(deep[:, place])[MESSAGES // 2])
    found = ours.chances(some, edge)
    called = deep[:, place] >= edge
    assert 0 < called.sum() < MESSAGES
    assert np.array_equal(found, np.where(called[:, None], close, deep))


def test_the_close_heads_decide_everywhere_from_0_on_and_nowhere_above_1() -> None:
    ours, some = both(), seen()
    assert np.array_equal(ours.chances(some, 0.0), said(dict(ours.close), some.close))
    assert np.array_equal(ours.chances(some, 1.1), said(dict(ours.deep), some.deep))


def test_nothing_seen_has_no_chances_but_a_column_for_every_label() -> None:
    assert both().chances(seen(0), 0.5).shape == (0, len(LABELS))


def test_a_score_decides_as_the_reader_does_by_the_chances_of_the_reading_that_was_called_for() -> None:
    ours, some = both(), seen()
    decide = dict.fromkeys(LABELS, 0.5) | {LABELS[0]: 0.9}
    for close_from, expected in ((1.1, said(dict(ours.deep), some.deep)), (0.5, ours.chances(some, 0.5))):
        scored = score(some, truth(), ours, decide, close_from)
        decided = decisions.decide(expected, np.array(list(decide.values())))
        assert np.array_equal(scored.chances, decisions.agreed(expected, decided, np.array(list(decide.values()))))
        assert np.array_equal(scored.decided, decided)
        assert np.array_equal(scored.truth, truth())


def test_heads_of_both_readings_tell_what_they_were_taught() -> None:
    fitted = fit_both(seen(), truth(), PLAIN)
    for some, features in ((fitted.deep, seen().deep), (fitted.close, seen().close)):
        assert list(some) == list(LABELS)
        assert ((said(dict(some), features) >= 0.5) == truth()).mean() > 0.9
    one, other = fit_heads(seen().deep, truth()), fit_heads(seen().close, truth())
    for label in LABELS:
        assert np.array_equal(fitted.deep[label].coef_, one[label].coef_)
        assert np.array_equal(fitted.close[label].coef_, other[label].coef_)


@pytest.mark.parametrize(
    ("features", "starts"),
    [pytest.param(FEATURES, (0,), id="of the deep reading"), pytest.param(CLOSE_FEATURES, (0, FEATURES), id="of the close reading")],
)
def test_a_head_goes_most_by_what_each_encoder_itself_says_of_its_label(features: int, starts: tuple[int, ...]) -> None:
    fitted = fit_heads(seen().close[:, :features], np.random.default_rng(9).random((MESSAGES, len(LABELS))) < 0.5)
    for place, label in ((0, LABELS[0]), (LABELS.index(SENSITIVE), SENSITIVE), (LABELS.index("seek"), "seek")):
        weights = np.abs(fitted[label].coef_[0])
        others = [weights[start + one] for start in starts for one in range(len(AREAS)) if one != place]
        own = [weights[start + place] for start in starts]
        assert min(own) > 3 * float(np.median(others)), label


def test_a_message_that_counts_three_times_weighs_as_if_it_stood_there_three_times() -> None:
    rows = [*range(MESSAGES), 0, 0]
    weights = np.ones(MESSAGES, dtype=np.float32)
    weights[0] = 3
    level = seen().deep
    level = (level - level[rows].mean(axis=0)) / level[rows].std(axis=0)
    apart, once = fit_heads(level[rows], truth()[rows]), fit_heads(level, truth(), weights)
    plain = fit_heads(level, truth())
    distance = [np.abs(said(some, level[:1]) - said(apart, level[:1])).mean() for some in (once, plain)]
    assert distance[0] < distance[1]


@pytest.mark.parametrize("everywhere", [True, False], ids=["in every message", "in none"])
def test_heads_are_not_fitted_on_labels_of_one_kind(everywhere: bool) -> None:
    labels = truth()
    labels[:, LABELS.index(WILLING)] = everywhere
    for fit in (lambda: fit_heads(seen().deep, labels), lambda: fit_both(seen(), labels, PLAIN)):
        with pytest.raises(FittingError, match=rf"of 40 messages .*: willing in {MESSAGES if everywhere else 0}; wanted"):
            fit()


@given(st.floats(0.1, 3), st.floats(-2, 2))
def test_scaling_a_head_scales_its_log_odds(factor: float, summand: float) -> None:
    head, features = heads([WILLING], FEATURES)[WILLING], seen().deep
    before = head.decision_function(features)
    scale(head, factor, summand)
    assert head.decision_function(features) == pytest.approx(factor * before + summand, abs=1e-4)


def test_a_label_is_of_one_kind() -> None:
    assert {kind_of(label) for label in AREAS} == {"area"}
    assert {kind_of(label) for label in SIGNALS} == {"signal"}
    assert (kind_of(SENSITIVE), kind_of(WILLING)) == ("sensitive", "willing")


def test_rows_of_what_was_seen_stay_together() -> None:
    some, others = seen(5), seen(3, seed=2)
    picked = some.rows([4, 0])
    assert np.array_equal(picked.close, some.close[[4, 0]])
    assert np.array_equal(picked.deep, picked.close[:, :FEATURES])
    together = some.and_also(others)
    assert len(together) == 8
    assert np.array_equal(together.rows(range(5, 8)).close, others.close)
    assert np.array_equal(together.deep, together.close[:, :FEATURES])


def messages() -> list[LabelledPost]:
    """Some of the corpus, and the one with most to read."""
    posts = load_corpus()
    return [*posts[:: len(posts) // 12][:12], max(posts, key=lambda item: len(item.post.body))]


def test_training_and_reading_judge_a_message_alike() -> None:
    """What heads are measured by is what a reader says where the gate lets everything pass."""
    artefact, posts = load_artefact(), messages()
    reader = Reader(artefact, is_always_deep=True)
    some = see(artefact.encoder, artefact.close, posts)
    assert (some.deep.shape, some.close.shape) == ((len(posts), FEATURES), (len(posts), CLOSE_FEATURES))
    deep, close = artefact.heads.chances(some.deep), artefact.close_heads.chances(some.close)
    assert len(artefact.encoder.windows(posts[-1].post.title, posts[-1].post.body)) > 1
    explained = [reader.explain(post.post) for post in posts]
    assert {one.close is None for one in explained} == {True, False}
    for place, one in enumerate(explained):
        for ours, theirs in ((one.deep, deep), (one.close, close)):
            assert ours is None or list(ours.values()) == pytest.approx(theirs[place].tolist(), abs=1e-4)


def test_no_messages_are_seen_in_as_many_columns_as_any() -> None:
    artefact = load_artefact()
    some = see(artefact.encoder, artefact.close, [])
    assert (some.deep.shape, some.close.shape) == ((0, FEATURES), (0, CLOSE_FEATURES))


def test_willing_alone_is_scaled_as_people_chose_in_each_reading_by_its_own() -> None:
    chosen = replace(PLAIN, willing_scale=(0.5, 1.0), close_willing_scale=(2.0, -1.0))
    plain, scaled = fit_both(seen(), truth(), PLAIN), fit_both(seen(), truth(), chosen)
    for ours, theirs, (factor, summand) in (
        (scaled.deep, plain.deep, chosen.willing_scale),
        (scaled.close, plain.close, chosen.close_willing_scale),
    ):
        np.testing.assert_allclose(ours[WILLING].coef_, theirs[WILLING].coef_ * factor, rtol=1e-6)
        np.testing.assert_allclose(ours[WILLING].intercept_, theirs[WILLING].intercept_ * factor + summand, rtol=1e-5)
        assert all(np.array_equal(ours[label].coef_, theirs[label].coef_) for label in LABELS if label != WILLING)
