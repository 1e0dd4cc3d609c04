"""The artefact that comes with the project."""

from coprod_nlp.reading.artefact import load_artefact
from coprod_nlp.reading.labels import LABELS
from coprod_nlp.training.corpus import corpus_digest


def test_the_shipped_artefact_knows_every_label_and_learned_only_from_the_projects_own_text() -> None:
    manifest = load_artefact().manifest
    assert manifest.labels == LABELS
    for thresholds in (manifest.thresholds, manifest.gate_thresholds):
        assert set(thresholds) == set(LABELS)
        assert all(0 < threshold <= 1 for threshold in thresholds.values())
    assert 0 < manifest.close_from <= manifest.thresholds["willing"]
    low, high = manifest.uncertain
    assert 0 < low < manifest.thresholds["willing"] < high < 1
    assert set(manifest.profile) == set(LABELS)
    assert manifest.sources == ("project",)
    assert set(manifest.data) == {"corpus"}


def test_the_shipped_artefact_was_fitted_on_the_corpus_beside_it() -> None:
    assert load_artefact().manifest.data["corpus"] == corpus_digest()
