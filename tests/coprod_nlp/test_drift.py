"""Drift: still like what was, or not; and nothing that chance alone could give."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coprod_nlp.reading.artefact import Manifest
from coprod_nlp.reading.labels import LABELS, WILLING
from coprod_nlp.training.drift import (
    EARLIER_ALARM,
    MINIMUM_POSTS,
    TRAINING_ALARM,
    Profile,
    against_earlier,
    against_training,
    alarms,
    chance_index,
    stability_index,
    training_profile,
)

SHARES = [0.6, 0.05, 0.03, 0.02, 0.02, 0.02, 0.02, 0.04, 0.05, 0.15]
histograms = st.lists(st.integers(0, 5000), min_size=10, max_size=10)


def manifest(**changed: Any) -> Manifest:
    facts: dict[str, Any] = {
        "version": "reading-1", "made_on": "2026-05-01", "sources": ("project",), "data": {}, "messages": {"checked": 1000},
        "labels": LABELS, "thresholds": dict.fromkeys(LABELS, 0.4), "gate_thresholds": {}, "close_from": 0.1, "uncertain": (0.3, 0.6),
        "figures": {}, "profile": dict.fromkeys(LABELS, SHARES), "features_version": 2, "encoder_sha256": "", "close_sha256": "",
        "wordpieces_sha256": "", "estimators_sha256": "",
    }  # fmt: skip
    return Manifest(**(facts | changed))


def profile(shares: list[float], posts: int = 4000, **labels: int) -> Profile:
    counts = tuple(round(share * posts) for share in shares)
    return Profile(sum(counts), counts, labels)


@given(histograms, histograms)
def test_the_index_is_never_negative_the_same_both_ways_and_zero_for_equal_shares(one: list[int], other: list[int]) -> None:
    assert stability_index(one, other) >= 0
    assert stability_index(one, other) == pytest.approx(stability_index(other, one))
    assert stability_index(one, one) == 0
    assert stability_index([100 * count + 100 for count in one], [count + 1 for count in one]) == pytest.approx(0, abs=1e-9)


def test_the_index_of_a_textbook_case() -> None:
    expected = (0.8 - 0.5) * np.log(0.8 / 0.5) + (0.2 - 0.5) * np.log(0.2 / 0.5)
    assert stability_index([80, 20], [50, 50]) == pytest.approx(expected)


def test_chance_exceeds_its_bound_about_once_in_a_hundred_times() -> None:
    rng = np.random.default_rng(3)
    shares = np.array(SHARES) / sum(SHARES)
    pairs = [(rng.multinomial(800, shares).tolist(), rng.multinomial(800, shares).tolist()) for _ in range(1000)]
    above = sum(stability_index(one, other) > chance_index(one, other) for one, other in pairs)
    assert above < 30


def test_a_run_like_its_training_is_no_cause_for_alarm_however_few_are_willing() -> None:
    rare = [0.97, *(share * 0.03 / 0.4 for share in SHARES[1:])]
    found = against_training(profile(rare, 20_000), manifest())
    assert found is not None
    assert (found["is_alarm"], found["index"] < TRAINING_ALARM) == (False, True)
    assert alarms({"training": found, "earlier": None}) == []


def test_a_run_that_is_much_less_sure_raises_an_alarm_that_says_what_to_do() -> None:
    unsure = [0.9, 0.02, 0.01, 0.01, 0.03, 0.02, 0.01, 0.0, 0.0, 0.0]
    found = against_training(profile(unsure), manifest())
    assert found is not None
    assert found["posts"] == 240
    (sentence,) = alarms({"training": found})
    assert "240 posts it called willing" in sentence
    assert "retrain" in sentence


def test_posts_below_the_threshold_take_no_part_whatever_the_threshold() -> None:
    other_below = [0.1, 0.2, 0.2, 0.2, *SHARES[4:]]
    for threshold in (0.4, 0.37, 0.33):
        found = against_training(profile(other_below), manifest(thresholds=dict.fromkeys(LABELS, threshold)))
        assert found is not None
        assert found["index"] == pytest.approx(0, abs=0.02)


def test_too_few_posts_raise_no_alarm() -> None:
    few = profile([0.0] * 9 + [1.0], MINIMUM_POSTS - 1)
    many = profile([1.0] + [0.0] * 9, 5000)
    assert not against_earlier(few, many)["is_alarm"]
    assert against_earlier(few, many)["moved"] == []
    assert against_earlier(profile([0.0] * 9 + [1.0], MINIMUM_POSTS), many)["is_alarm"]


def test_labels_that_move_by_much_are_named_with_both_shares_and_chance_is_not() -> None:
    before = profile(SHARES, 4000, offer=40, waste=400, seek=2, willing=100)
    now = profile(SHARES, 1000, offer=60, waste=110, seek=2, willing=4)
    found = against_earlier(now, before)
    assert found["moved"] == ["offer", "willing"]
    assert found["labels"]["offer"] == [0.06, 0.01]
    assert not found["is_alarm"]
    assert alarms({"training": None, "earlier": found}) == [
        "offer was decided for in 6.0% of new posts, and in 1.0% in the run before.",
        "willing was decided for in 0.4% of new posts, and in 2.5% in the run before.",
    ]


def test_scores_spread_otherwise_than_before_raise_an_alarm() -> None:
    found = against_earlier(profile([0.5, 0.2, 0.1, 0.1, 0.1, 0, 0, 0, 0, 0], 1000), profile(SHARES))
    assert found["index"] > EARLIER_ALARM
    assert "spread otherwise than in the run before" in alarms({"earlier": found})[0]


def test_the_profile_of_training_counts_what_was_decided_for() -> None:
    found = training_profile(manifest(thresholds=dict.fromkeys(LABELS, 0.45)))
    assert found is not None
    assert found.posts == 1000
    assert found.willing[0] == 600
    assert found.labels[WILLING] == 290  # half of the fifth tenth, and all above
    assert training_profile(manifest(messages={"learned": 10})) is None
    assert against_training(profile(SHARES), manifest(messages={})) is None


def test_a_profile_survives_the_store_and_no_drift_is_none() -> None:
    kept = profile(SHARES, offer=3)
    assert Profile.from_dict(json.loads(json.dumps(kept.as_dict()))) == kept
    assert alarms({}) == []
    assert alarms({"training": None, "earlier": None}) == []
