"""Artefacts: what was saved is what is loaded, and anything else is refused with what to do about it."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression

from coprod_nlp.reading.artefact import ESTIMATORS, MANIFEST, ArtefactError, Fitted, Heads, Manifest, load_artefact, save_artefact
from coprod_nlp.reading.features import POST_LEXICONS, SENTENCE_CUES
from coprod_nlp.reading.labels import POST_LABELS, SENTENCE_LABELS
from coprod_nlp.reading.reader import Reader
from coprod_nlp.text.ngrams import NgramVectoriser
from coprod_nlp.training.corpus import corpus_digest

IDS, ROWS, COUNT = np.array([5, 7, 5, 9, 7, 5], dtype=np.uint64), np.array([0, 0, 1, 1, 2, 3]), 4


def heads(labels: Sequence[str], features: int) -> dict[str, LogisticRegression]:
    values = np.random.default_rng(7).random((8, features))
    return {label: LogisticRegression().fit(values, (np.arange(8) + place) % 2) for place, label in enumerate(labels)}


def fitted(post_labels: Sequence[str] = POST_LABELS, sentence_labels: Sequence[str] = SENTENCE_LABELS) -> Fitted:
    """A small but whole set of estimators."""
    posts, sentences = NgramVectoriser(2, 1).fit(IDS, ROWS, COUNT), NgramVectoriser(3, 1).fit(IDS, ROWS, COUNT)
    return Fitted(
        posts, heads(post_labels, posts.vocabulary_.size + POST_LEXICONS),
        sentences, heads(sentence_labels, sentences.vocabulary_.size + SENTENCE_CUES),
        heads(sentence_labels, 3),
    )  # fmt: skip


def save(directory: Path, made: Fitted, **changed: Any) -> Manifest:
    facts = {
        "corpus_sha256": "0" * 64, "messages": 4, "sources": ("project",), "post_labels": tuple(made.posts),
        "sentence_labels": tuple(made.sentences), "thresholds": dict.fromkeys(made.posts, 0.5), "figures": {"f1_willing": 0.5},
    }  # fmt: skip
    return save_artefact(directory, made, **(facts | changed))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("artefact")
    save(directory, fitted())
    return directory


@pytest.fixture
def saved(whole: Path, tmp_path: Path) -> Path:
    """An artefact that a test may damage."""
    return shutil.copytree(whole, tmp_path / "reading")


def rewrite(directory: Path, **changed: Any) -> None:
    """Change fields of a manifest; None takes the field away."""
    path = directory / MANIFEST
    fields = json.loads(path.read_text(encoding="utf-8")) | changed
    path.write_text(json.dumps({key: value for key, value in fields.items() if value is not None}), encoding="utf-8")


def agree(directory: Path, raw: bytes) -> None:
    """Put other estimators there, with a manifest that vouches for them."""
    (directory / ESTIMATORS).write_bytes(raw)
    rewrite(directory, estimators_sha256=hashlib.sha256(raw).hexdigest())


def wide(words: Any) -> Any:
    """Features of posts as the classifiers take them: runs of words, then the lexicons' columns."""
    return hstack([words, csr_matrix((words.shape[0], POST_LEXICONS))], format="csr")


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    made = fitted()
    manifest = save(tmp_path / "new" / "folder", made)
    loaded = load_artefact(tmp_path / "new" / "folder")
    assert loaded.manifest == manifest
    assert (loaded.posts.labels, loaded.sentences.labels, loaded.stackers.labels) == (POST_LABELS, SENTENCE_LABELS, SENTENCE_LABELS)
    for ours, before in ((loaded.post_vectoriser, made.post_vectoriser), (loaded.sentence_vectoriser, made.sentence_vectoriser)):
        assert (ours.transform(IDS, ROWS, COUNT) != before.transform(IDS, ROWS, COUNT)).nnz == 0
    features = wide(loaded.post_vectoriser.transform(IDS, ROWS, COUNT))
    assert np.array_equal(loaded.posts.logits(features), Heads.of(made.posts).logits(features))


def test_heads_give_the_log_odds_of_their_estimators() -> None:
    made = fitted()
    features = wide(made.post_vectoriser.transform(IDS, ROWS, COUNT))
    expected = np.column_stack([estimator.decision_function(features) for estimator in made.posts.values()])
    assert Heads.of(made.posts).logits(features) == pytest.approx(expected, abs=1e-5)


def test_equal_estimators_have_equal_versions_and_others_another(tmp_path: Path) -> None:
    first, same = save(tmp_path / "a", fitted()), save(tmp_path / "b", fitted(), messages=5, figures={})
    stricter = save(tmp_path / "c", fitted(), thresholds=dict.fromkeys(POST_LABELS, 0.6))
    made = fitted()
    made.posts[POST_LABELS[0]].coef_[0, 0] += 1
    heavier = save(tmp_path / "d", made)
    assert first.version == same.version
    assert len({first.version, stricter.version, heavier.version}) == 3


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda folder: [path.unlink() for path in folder.iterdir()], id="both files missing"),
        pytest.param(lambda folder: (folder / MANIFEST).unlink(), id="manifest missing"),
        pytest.param(lambda folder: (folder / ESTIMATORS).unlink(), id="estimators missing"),
        pytest.param(lambda folder: (folder / MANIFEST).write_text("", encoding="utf-8"), id="manifest empty"),
        pytest.param(lambda folder: (folder / MANIFEST).write_text('{"version": "x"', encoding="utf-8"), id="manifest cut off"),
        pytest.param(lambda folder: (folder / MANIFEST).write_bytes(b"\xff\xfe\x00"), id="manifest not UTF-8"),
        pytest.param(lambda folder: rewrite(folder, thresholds=None), id="manifest of an older version"),
        pytest.param(lambda folder: rewrite(folder, colour="green"), id="manifest of a newer version"),
        pytest.param(
            lambda folder: (folder / MANIFEST).write_text("[]", encoding="utf-8"),
            id="manifest not an object",
        ),
        pytest.param(lambda folder: (folder / ESTIMATORS).write_bytes((folder / ESTIMATORS).read_bytes()[:-1]), id="estimators cut off"),
        pytest.param(lambda folder: (folder / ESTIMATORS).write_bytes(b"PK"), id="estimators replaced"),
        pytest.param(lambda folder: rewrite(folder, estimators_sha256="0" * 64), id="whole estimators that are not the ones described"),
        pytest.param(lambda folder: rewrite(folder, post_labels=[*POST_LABELS[1:], POST_LABELS[0]]), id="post labels in another order"),
        pytest.param(lambda folder: rewrite(folder, sentence_labels=["offer"]), id="other sentence labels"),
    ],
)
def test_a_damaged_artefact_is_refused_with_a_remedy(saved: Path, damage: Callable[[Path], object]) -> None:
    damage(saved)
    with pytest.raises(ArtefactError, match=r"rebuild (it|them)") as caught:
        load_artefact(saved)
    assert str(saved) in str(caught.value)


def test_the_remedy_names_the_command_where_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"python -m coprod_nlp\.training"):
        load_artefact(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="no skops file"),
        pytest.param({"heads": {}, "vectorisers": {}}, id="nothing in it"),
        pytest.param([1, 2], id="something else"),
        pytest.param({"heads": {"posts": Fraction(1, 2)}, "vectorisers": {}}, id="a type that is not trusted"),
    ],
)
def test_estimators_that_cannot_be_opened_are_refused_though_the_manifest_vouches_for_them(saved: Path, content: Any) -> None:
    agree(saved, b"not a zip file" if content is None else skops.io.dumps(content))
    with pytest.raises(ArtefactError, match="rebuild"):
        load_artefact(saved)


def test_a_type_that_is_not_trusted_is_never_built(saved: Path) -> None:
    agree(saved, skops.io.dumps({"heads": {"posts": Fraction(1, 2)}, "vectorisers": {}}))
    with pytest.raises(Exception, match="Fraction"):
        load_artefact(saved)


@pytest.mark.parametrize(
    ("post_labels", "sentence_labels"),
    [
        pytest.param((POST_LABELS[1], POST_LABELS[0], *POST_LABELS[2:]), SENTENCE_LABELS, id="two areas swapped"),
        pytest.param((*POST_LABELS[:-1], "enthusiasm"), SENTENCE_LABELS, id="a label this code does not know"),
        pytest.param(POST_LABELS, SENTENCE_LABELS[::-1], id="signals in another order"),
        pytest.param(POST_LABELS[:-1], SENTENCE_LABELS, id="a label short"),
    ],
)
def test_an_artefact_made_for_other_labels_reads_nothing(
    tmp_path: Path, post_labels: tuple[str, ...], sentence_labels: tuple[str, ...]
) -> None:
    save(tmp_path, fitted(post_labels, sentence_labels))
    with pytest.raises(ArtefactError, match="rebuild"):
        Reader(load_artefact(tmp_path))


def test_heads_that_do_not_fit_their_features_are_refused(tmp_path: Path) -> None:
    made = fitted()
    save(tmp_path, replace(made, posts=heads(POST_LABELS, made.post_vectoriser.vocabulary_.size - 1)))
    with pytest.raises(ArtefactError, match="rebuild"):
        Reader(load_artefact(tmp_path))


def test_the_shipped_artefact_knows_every_label_and_learned_only_from_the_projects_own_text() -> None:
    manifest = load_artefact().manifest
    assert (manifest.post_labels, manifest.sentence_labels) == (POST_LABELS, SENTENCE_LABELS)
    assert set(manifest.thresholds) == set(POST_LABELS)
    assert all(0 < threshold < 1 for threshold in manifest.thresholds.values())
    assert manifest.sources == ("project",)


def test_the_shipped_artefact_was_fitted_on_the_corpus_beside_it() -> None:
    assert load_artefact().manifest.corpus_sha256 == corpus_digest()
