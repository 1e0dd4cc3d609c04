"""Artefacts: what was saved is what is loaded, whatever changes a reading changes the version."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coprod_nlp.reading.artefact import (
    CLOSE,
    ENCODER,
    ESTIMATORS,
    MANIFEST,
    WORDPIECES,
    Fitted,
    Heads,
    load_artefact,
    load_fitted,
    load_manifest,
    load_networks,
)
from coprod_nlp.reading.encoder import CLOSE_FEATURES, FEATURES
from coprod_nlp.reading.gate import look, stacked
from coprod_nlp.reading.labels import LABELS, SPAN_LABELS
from coprod_nlp.reading.reader import Reader
from tests.fakes.artefacts import PARTS, fitted, heads, save, shipped_networks, with_own

TEXTS = ["I can lend my van on Saturday. Ask for Joan!", "Bins late again.", "The pool is shut. It is shut. Why?", ""]


@pytest.mark.parametrize("is_own", [False, True], ids=["the shipped networks", "networks of its own"])
def test_what_is_saved_is_what_is_loaded(tmp_path: Path, is_own: bool) -> None:
    made, folder = fitted(), tmp_path / "new" / "folder"
    manifest = save(folder, made, is_own=is_own)
    loaded = load_artefact(folder)
    assert loaded.manifest == load_manifest(folder) == manifest
    for ours, before in (
        ((loaded.gate.post_weights, loaded.gate.post_intercepts), made.gate_posts),
        ((loaded.gate.sentence_weights, loaded.gate.sentence_intercepts), made.gate_sentences),
        ((loaded.gate.joint[:, :2].T, loaded.gate.joint[:, 2]), made.gate_joint),
        ((loaded.heads.weights, loaded.heads.intercepts), made.heads),
        ((loaded.close_heads.weights, loaded.close_heads.intercepts), made.close_heads),
    ):
        assert all(np.array_equal(one, other) for one, other in zip(ours, stacked(before), strict=True))
    assert loaded.gate.thresholds.tolist() == [0.25] * len(LABELS)
    assert loaded.manifest.close_from == 0.375
    for again, shipped in ((loaded.encoder, load_artefact().encoder), (loaded.close, load_artefact().close)):
        assert np.array_equal(again.encode("Bins", TEXTS[0]).features, shipped.encode("Bins", TEXTS[0]).features)
    assert {path.name for path in folder.iterdir()} == {MANIFEST, ESTIMATORS} | ({ENCODER, CLOSE, WORDPIECES} if is_own else set())


def test_the_estimators_come_back_as_they_were_fitted(tmp_path: Path) -> None:
    made = fitted()
    save(tmp_path, made)
    again = load_fitted(tmp_path)
    for name in Fitted.__dataclass_fields__:
        ours, before = getattr(again, name), getattr(made, name)
        assert list(ours) == list(before)
        for label, head in before.items():
            assert np.array_equal(ours[label].coef_, head.coef_)
            assert np.array_equal(ours[label].intercept_, head.intercept_)


@pytest.mark.parametrize("features", [FEATURES, CLOSE_FEATURES], ids=["of the deep reading", "of the close reading"])
def test_heads_give_the_probabilities_of_their_estimators_whatever_other_posts_there_are(features: int) -> None:
    estimators = heads(LABELS, features)
    ours = Heads(*stacked(estimators))
    values = np.random.default_rng(3).normal(size=(9, features)).astype(np.float32)
    expected = np.column_stack([estimator.predict_proba(values)[:, 1] for estimator in estimators.values()])
    assert ours.chances(values) == pytest.approx(expected, abs=1e-5)
    assert np.array_equal(ours.chances(values), np.concatenate([ours.chances(row[None]) for row in values]))
    assert ours.chances(values[:0]).shape == (0, len(LABELS))


def test_a_gate_gives_the_log_odds_of_its_estimators(tmp_path: Path) -> None:
    made, batch = fitted(), look(TEXTS)
    save(tmp_path, made)
    gate = load_artefact(tmp_path).gate
    for ours, features, estimators in (
        (gate.post_logits(batch), batch.posts, made.gate_posts),
        (gate.sentence_logits(batch), batch.sentences, made.gate_sentences),
    ):
        assert ours == pytest.approx(np.column_stack([one.decision_function(features) for one in estimators.values()]), abs=1e-5)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"made_on": "2026-01-01", "messages": {"learned": 5}, "figures": {}, "notes": ()}, id="what it says of itself"),
        pytest.param({"whole": True}, id="the networks written too"),
    ],
)
def test_equal_estimators_have_equal_versions(tmp_path: Path, changed: dict[str, Any]) -> None:
    assert save(tmp_path / "a", fitted()).version == save(tmp_path / "b", fitted(), **changed).version


def test_whatever_changes_a_reading_changes_the_version(tmp_path: Path) -> None:
    def with_weight(name: str, attribute: str) -> Fitted:
        made = fitted()
        array = getattr(getattr(made, name)[SPAN_LABELS[0]], attribute)
        array[(0,) * array.ndim] += 1
        return made

    stricter = dict.fromkeys(LABELS, 0.5) | {LABELS[0]: 0.6}
    made = [
        save(tmp_path, fitted()),
        save(tmp_path, fitted(), thresholds=stricter),
        save(tmp_path, fitted(), gate_thresholds=stricter),
        save(tmp_path, fitted(), close_from=0.25),
        save(tmp_path, fitted(), uncertain=(0.25, 0.6)),
        *(save(tmp_path, fitted(), networks=with_own(part)) for part in PARTS),
        *(save(tmp_path, with_weight(name, "coef_")) for name in Fitted.__dataclass_fields__),
        *(save(tmp_path, with_weight(name, "intercept_")) for name in ("heads", "close_heads")),
    ]
    assert len({manifest.version for manifest in made}) == len(made)


def test_an_artefact_without_networks_of_its_own_reads_with_the_shipped_ones(tmp_path: Path) -> None:
    manifest = save(tmp_path, fitted())
    assert load_networks(tmp_path) == shipped_networks()
    assert Reader(load_artefact(tmp_path)).version == manifest.version
