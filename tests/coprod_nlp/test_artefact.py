"""Artefacts: what was saved is what is loaded, and anything else is refused with what to do about it."""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from coprod_nlp.reading.artefact import (
    ENCODER,
    ESTIMATORS,
    MANIFEST,
    WORDPIECES,
    ArtefactError,
    Fitted,
    Heads,
    Manifest,
    load_artefact,
    load_encoder,
    load_fitted,
    load_manifest,
    save_artefact,
)
from coprod_nlp.reading.encoder import FEATURES
from coprod_nlp.reading.gate import BITS, look, stacked
from coprod_nlp.reading.labels import LABELS, SPAN_LABELS
from coprod_nlp.reading.reader import Reader

REMEDY = r"coprod retrain --from-scratch"
TEXTS = ["I can lend my van on Saturday. Ask for Joan!", "Bins late again.", "The pool is shut. It is shut. Why?", ""]
WORDS = 1 << BITS


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
    return Fitted(heads(labels, WORDS), heads(span_labels, WORDS), heads(span_labels, 2), heads(labels, FEATURES))


@cache
def shipped_encoder() -> tuple[bytes, str]:
    return load_encoder()


@cache
def own_encoder() -> tuple[bytes, str]:
    """The shipped encoder with a remark (field 6 of an ONNX model is its description), and its wordpieces with a blank line: the same
    model in other bytes."""
    model, definition = shipped_encoder()
    return model + b"\x32\x04mine", definition + "\n\n"


def save(directory: Path, made: Fitted, *, with_encoder: bool = False, **changed: Any) -> Manifest:
    model, definition = own_encoder() if with_encoder else shipped_encoder()
    facts: dict[str, Any] = {
        "encoder": model, "wordpieces": definition, "whole": with_encoder, "made_on": "2024-05-01", "sources": ("project",),
        "data": {"corpus": "0" * 64}, "messages": {"learned": 4}, "thresholds": dict.fromkeys(LABELS, 0.5),
        "gate_thresholds": dict.fromkeys(LABELS, 0.25), "uncertain": (0.25, 0.5), "figures": {"checked": {"willing_f1": 0.5}},
        "profile": {"willing": [1.0]}, "notes": ("made by a test",),
    }  # fmt: skip
    return save_artefact(directory, made, **(facts | changed))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artefact that holds an encoder of its own."""
    directory = tmp_path_factory.mktemp("artefact")
    save(directory, fitted(), with_encoder=True)
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


def agree(directory: Path, name: str, raw: bytes) -> None:
    """Put another file there, with a manifest that vouches for it."""
    (directory / name).write_bytes(raw)
    rewrite(directory, **{f"{Path(name).stem}_sha256": hashlib.sha256(raw).hexdigest()})


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def refused(directory: Path) -> str:
    """What is said where an artefact is not loaded: where it lies and what to do."""
    with pytest.raises(ArtefactError, match=REMEDY) as caught:
        load_artefact(directory)
    assert str(directory) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("with_encoder", [False, True], ids=["the shipped encoder", "an encoder of its own"])
def test_what_is_saved_is_what_is_loaded(tmp_path: Path, with_encoder: bool) -> None:
    made, folder = fitted(), tmp_path / "new" / "folder"
    manifest = save(folder, made, with_encoder=with_encoder)
    loaded = load_artefact(folder)
    assert loaded.manifest == load_manifest(folder) == manifest
    for ours, before in (
        ((loaded.gate.post_weights, loaded.gate.post_intercepts), made.gate_posts),
        ((loaded.gate.sentence_weights, loaded.gate.sentence_intercepts), made.gate_sentences),
        ((loaded.gate.joint[:, :2].T, loaded.gate.joint[:, 2]), made.gate_joint),
        ((loaded.heads.weights, loaded.heads.intercepts), made.heads),
    ):
        assert all(np.array_equal(one, other) for one, other in zip(ours, stacked(before), strict=True))
    assert loaded.gate.thresholds.tolist() == [0.25] * len(LABELS)
    again, shipped = (artefact.encoder.encode("Bins", TEXTS[0]) for artefact in (loaded, load_artefact()))
    assert np.array_equal(again.features, shipped.features)
    assert {path.name for path in folder.iterdir()} == {MANIFEST, ESTIMATORS} | ({ENCODER, WORDPIECES} if with_encoder else set())


def test_the_estimators_come_back_as_they_were_fitted(whole: Path) -> None:
    made, again = fitted(), load_fitted(whole)
    for name in Fitted.__dataclass_fields__:
        ours, before = getattr(again, name), getattr(made, name)
        assert list(ours) == list(before)
        for label, head in before.items():
            assert np.array_equal(ours[label].coef_, head.coef_)
            assert np.array_equal(ours[label].intercept_, head.intercept_)


def test_heads_give_the_probabilities_of_their_estimators_whatever_other_posts_there_are() -> None:
    estimators = heads(LABELS, FEATURES)
    ours = Heads(*stacked(estimators))
    values = np.random.default_rng(3).normal(size=(9, FEATURES)).astype(np.float32)
    expected = np.column_stack([estimator.predict_proba(values)[:, 1] for estimator in estimators.values()])
    assert ours.chances(values) == pytest.approx(expected, abs=1e-5)
    assert np.array_equal(ours.chances(values), np.concatenate([ours.chances(row[None]) for row in values]))
    assert ours.chances(values[:0]).shape == (0, len(LABELS))


def test_a_gate_gives_the_log_odds_of_its_estimators(whole: Path) -> None:
    made, gate, batch = fitted(), load_artefact(whole).gate, look(TEXTS)
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
        pytest.param({"whole": True}, id="the encoder written too"),
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
        save(tmp_path, fitted(), uncertain=(0.25, 0.6)),
        save(tmp_path, fitted(), encoder=own_encoder()[0]),
        save(tmp_path, fitted(), wordpieces=own_encoder()[1]),
        *(save(tmp_path, with_weight(name, "coef_")) for name in Fitted.__dataclass_fields__),
        save(tmp_path, with_weight("heads", "intercept_")),
    ]
    assert len({manifest.version for manifest in made}) == len(made)


@pytest.mark.skipif(sys.platform == "win32", reason="no limit to the size of a file can be set")
def test_an_artefact_that_does_not_fit_on_the_disk_leaves_the_one_from_before(saved: Path) -> None:
    import resource

    content = {path.name: path.read_bytes() for path in saved.iterdir()}
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(shipped_encoder()[0]) // 2, usual[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            save(saved, fitted(), with_encoder=True, uncertain=(0.1, 0.9))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == content
    assert [path.name for path in saved.parent.iterdir()] == [saved.name], "what was written beside it is gone"


def test_an_artefact_of_which_only_some_files_came_into_place_is_refused(saved: Path) -> None:
    raw = (saved / ESTIMATORS).read_bytes()
    (saved / ESTIMATORS).unlink()
    (saved / ESTIMATORS).mkdir()  # no file can be moved there
    with pytest.raises(OSError, match=ESTIMATORS):
        save(saved, fitted(), encoder=shipped_encoder()[0], wordpieces=shipped_encoder()[1] + "\n", whole=True, uncertain=(0.1, 0.9))
    (saved / ESTIMATORS).rmdir()
    (saved / ESTIMATORS).write_bytes(raw)
    assert load_manifest(saved).uncertain == (0.25, 0.5), "what the manifest describes comes before it"
    refused(saved)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda folder: [path.unlink() for path in folder.iterdir()], id="every file missing"),
        pytest.param(lambda folder: (folder / MANIFEST).unlink(), id="manifest missing"),
        pytest.param(lambda folder: (folder / ESTIMATORS).unlink(), id="estimators missing"),
        pytest.param(lambda folder: (folder / ENCODER).unlink(), id="encoder missing"),
        pytest.param(lambda folder: (folder / WORDPIECES).unlink(), id="wordpieces missing"),
        pytest.param(lambda folder: (folder / MANIFEST).write_text("", encoding="utf-8"), id="manifest empty"),
        pytest.param(lambda folder: (folder / MANIFEST).write_bytes(b"\xff\xfe\x00"), id="manifest not UTF-8"),
        pytest.param(lambda folder: (folder / MANIFEST).write_text("[]", encoding="utf-8"), id="manifest a list"),
        pytest.param(lambda folder: (folder / MANIFEST).write_text("7", encoding="utf-8"), id="manifest a number"),
        pytest.param(lambda folder: rewrite(folder, thresholds=None), id="manifest of an older version"),
        pytest.param(lambda folder: rewrite(folder, colour="green"), id="manifest of a newer version"),
        pytest.param(lambda folder: cut_off(folder / ESTIMATORS), id="estimators cut off"),
        pytest.param(lambda folder: cut_off(folder / ENCODER), id="encoder cut off"),
        pytest.param(lambda folder: cut_off(folder / WORDPIECES), id="wordpieces cut off"),
        pytest.param(lambda folder: (folder / ESTIMATORS).write_bytes(b"PK"), id="estimators replaced"),
        pytest.param(lambda folder: (folder / ENCODER).write_bytes(shipped_encoder()[0]), id="another encoder"),
        pytest.param(lambda folder: rewrite(folder, estimators_sha256="0" * 64), id="whole estimators that are not the ones described"),
        pytest.param(lambda folder: rewrite(folder, encoder_sha256="0" * 64), id="a whole encoder that is not the one described"),
        pytest.param(lambda folder: rewrite(folder, encoder_sha256=7), id="a hash that is none"),
        pytest.param(lambda folder: rewrite(folder, labels=[*LABELS[1:], LABELS[0]]), id="labels in another order"),
        pytest.param(lambda folder: rewrite(folder, labels=[*LABELS, "enthusiasm"]), id="a label more"),
        pytest.param(lambda folder: rewrite(folder, features_version=1), id="features of an older version"),
        pytest.param(lambda folder: rewrite(folder, gate_thresholds={"willing": 0.5}), id="thresholds of the gate missing"),
        pytest.param(lambda folder: rewrite(folder, gate_thresholds=[0.5]), id="thresholds of the gate a list"),
    ],
)
def test_a_damaged_artefact_is_refused_with_a_remedy(saved: Path, damage: Callable[[Path], object]) -> None:
    load_manifest(saved)
    damage(saved)
    refused(saved)


def test_a_manifest_cut_off_anywhere_is_refused(saved: Path) -> None:
    path = saved / MANIFEST
    text = path.read_bytes().rstrip()
    for length in range(0, len(text), 41):
        path.write_bytes(text[:length])
        with pytest.raises(ArtefactError, match=REMEDY):
            load_manifest(saved)


def test_the_remedy_is_named_where_there_is_nothing(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere")
    for load in (load_encoder, load_fitted):
        with pytest.raises(ArtefactError, match=REMEDY):
            load(tmp_path / "nowhere")


class Trap:
    """A type that notices when it is built."""

    built = 0

    def __setstate__(self, state: dict[str, Any]) -> None:
        Trap.built += 1


def trapped() -> Trap:
    trap = Trap()
    trap.__dict__["bait"] = 1
    return trap


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="no skops file"),
        pytest.param({}, id="nothing in it"),
        pytest.param([1, 2], id="a list"),
        pytest.param(dict.fromkeys(Fitted.__dataclass_fields__, 7), id="numbers for classifiers"),
        pytest.param({name: {"willing": 7} for name in Fitted.__dataclass_fields__}, id="numbers for a classifier"),
        pytest.param({name: {"willing": LogisticRegression()} for name in Fitted.__dataclass_fields__}, id="a classifier never fitted"),
        pytest.param({name: {"willing": Fraction(1, 2)} for name in Fitted.__dataclass_fields__}, id="a type that is not trusted"),
    ],
)
def test_estimators_that_cannot_be_opened_are_refused_though_the_manifest_vouches_for_them(saved: Path, content: Any) -> None:
    agree(saved, ESTIMATORS, b"not a zip file" if content is None else skops.io.dumps(content))
    refused(saved)


def test_a_type_that_is_not_trusted_is_named_and_never_built(saved: Path) -> None:
    raw = skops.io.dumps({name: {"willing": trapped()} for name in Fitted.__dataclass_fields__})
    agree(saved, ESTIMATORS, raw)
    before = Trap.built
    assert "Trap" in refused(saved)
    assert Trap.built == before
    skops.io.loads(raw, trusted=skops.io.get_untrusted_types(data=raw))
    assert Trap.built > before, "a trap that nothing would spring shows nothing"


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        pytest.param(ENCODER, b"not a model", id="an encoder that is no model"),
        pytest.param(ENCODER, b"", id="an empty encoder"),
        pytest.param(WORDPIECES, b"not a vocabulary", id="wordpieces that are none"),
        pytest.param(WORDPIECES, b"\xff", id="wordpieces not UTF-8"),
    ],
)
def test_an_encoder_that_cannot_be_opened_is_refused_though_the_manifest_vouches_for_it(saved: Path, name: str, raw: bytes) -> None:
    agree(saved, name, raw)
    refused(saved)


def test_an_artefact_without_a_threshold_for_every_label_is_refused(saved: Path) -> None:
    rewrite(saved, thresholds=dict.fromkeys(LABELS[1:], 0.5))
    refused(saved)


@pytest.mark.parametrize(
    ("labels", "span_labels"),
    [
        pytest.param((LABELS[1], LABELS[0], *LABELS[2:]), SPAN_LABELS, id="two areas swapped"),
        pytest.param((*LABELS[:-1], "enthusiasm"), SPAN_LABELS, id="a label this code does not know"),
        pytest.param(LABELS, SPAN_LABELS[::-1], id="signals in another order"),
        pytest.param(LABELS[:-1], SPAN_LABELS, id="a label short"),
    ],
)
def test_classifiers_of_other_labels_are_refused(tmp_path: Path, labels: tuple[str, ...], span_labels: tuple[str, ...]) -> None:
    save(tmp_path, fitted(labels, span_labels))
    refused(tmp_path)


@pytest.mark.parametrize(
    ("part", "labels", "features"),
    [
        pytest.param("heads", LABELS, FEATURES - 1, id="heads of fewer features"),
        pytest.param("gate_posts", LABELS, WORDS // 2, id="a gate of fewer buckets for posts"),
        pytest.param("gate_sentences", SPAN_LABELS, WORDS * 2, id="a gate of more buckets for sentences"),
        pytest.param(
            "gate_joint", SPAN_LABELS, 3, id="a gate that joins three things",
        ),
    ],
)  # fmt: skip
def test_classifiers_that_do_not_fit_their_features_are_refused(tmp_path: Path, part: str, labels: tuple[str, ...], features: int) -> None:
    save(tmp_path, replace(fitted(), **{part: heads(labels, features)}))
    refused(tmp_path)


def test_an_artefact_without_an_encoder_of_its_own_reads_with_the_shipped_one(tmp_path: Path) -> None:
    manifest = save(tmp_path, fitted())
    assert load_encoder(tmp_path) == shipped_encoder()
    assert Reader(load_artefact(tmp_path)).version == manifest.version


@pytest.mark.parametrize("other", ["encoder", "wordpieces"])
def test_an_artefact_without_an_encoder_of_its_own_is_refused_where_the_shipped_one_is_another(tmp_path: Path, other: str) -> None:
    theirs: dict[str, Any] = dict(zip(("encoder", "wordpieces"), own_encoder(), strict=True))
    save(tmp_path, fitted(), **{other: theirs[other]})
    assert "not the one" in refused(tmp_path)


def test_line_ends_of_the_checkout_damage_nothing(saved: Path) -> None:
    for name in (MANIFEST, WORDPIECES):
        (saved / name).write_bytes((saved / name).read_bytes().replace(b"\n", b"\r\n"))
    load_artefact(saved)
