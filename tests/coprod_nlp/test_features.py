"""What encoders say of the corpus is kept from one training to the next, and is what they would say anew; nobody else's text is kept."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from coprod_nlp.files import read_arrays, write_arrays
from coprod_nlp.reading.artefact import Artefact, load_artefact
from coprod_nlp.reading.encoder import Encoder
from coprod_nlp.reading.labels import LABELS
from coprod_nlp.training import features as module
from coprod_nlp.training.corpus import LabelledPost, load_corpus
from coprod_nlp.training.features import MOST_KEPT, Seen, see, see_corpus
from flows.labels.cases import case_of


class Counting:
    """An encoder that counts what it reads."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder, self.read_posts = encoder, 0

    def windows(self, title: str, body: str) -> Any:
        return self.encoder.windows(title, body)

    def read(self, windows: Any) -> Any:
        self.read_posts += 1
        return self.encoder.read(windows)


@pytest.fixture(scope="module")
def artefact() -> Artefact:
    return load_artefact()


@pytest.fixture
def encoders(artefact: Artefact) -> tuple[Any, Any]:
    return Counting(artefact.encoder), Counting(artefact.close)


@pytest.fixture
def hashes(artefact: Artefact) -> dict[str, str]:
    return artefact.manifest.network_hashes


def messages(first: int = 0) -> list[LabelledPost]:
    posts = load_corpus()
    return posts[first :: len(posts) // 6][:6]


def same(one: Seen, other: Seen) -> bool:
    return np.array_equal(one.deep, other.deep) and np.array_equal(one.close, other.close)


def read_posts(encoders: tuple[Any, Any]) -> list[int]:
    return [encoder.read_posts for encoder in encoders]


def test_the_second_time_nothing_is_read_and_the_same_is_said(encoders: tuple[Any, Any], hashes: dict[str, str], tmp_path: Path) -> None:
    first = see_corpus(*encoders, messages(), hashes=hashes, folder=tmp_path)
    assert read_posts(encoders) == [6, 6]
    again = see_corpus(*encoders, messages(), hashes=hashes, folder=tmp_path)
    assert read_posts(encoders) == [7, 7], "one message is, to see that the code is the same"
    assert same(first, again)
    assert same(first, see(*encoders, messages()))


def test_other_messages_and_other_networks_are_read(encoders: tuple[Any, Any], hashes: dict[str, str], tmp_path: Path) -> None:
    see_corpus(*encoders, messages(), hashes=hashes, folder=tmp_path)
    other = see_corpus(*encoders, messages(first=1), hashes=hashes, folder=tmp_path)
    assert same(other, see(*encoders, messages(first=1)))
    before = read_posts(encoders)
    for name in hashes:
        see_corpus(*encoders, messages(), hashes=hashes | {name: "0" * 64}, folder=tmp_path)
    assert read_posts(encoders) == [count + 6 * len(hashes) for count in before]


@pytest.mark.parametrize("what", ["onnxruntime.__version__", "FEATURES_VERSION", "PREPARED_SHA256"])
def test_another_runtime_code_or_base_model_reads_anew(
    encoders: tuple[Any, Any], hashes: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    see_corpus(*encoders, messages(), hashes=hashes, folder=tmp_path)
    monkeypatch.setattr(what if "." in what else f"{module.__name__}.{what}", "another")
    see_corpus(*encoders, messages(), hashes=hashes, folder=tmp_path)
    assert read_posts(encoders) == [12, 12]


def changed(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def fewer(path: Path) -> None:
    arrays = read_arrays(path) or {}
    write_arrays(path, {name: array[:-1] for name, array in arrays.items()})


@pytest.mark.parametrize("damage", [pytest.param(changed, id="a bit changed"), pytest.param(fewer, id="a message short")])
def test_a_damaged_file_is_not_believed_and_is_written_anew(
    encoders: tuple[Any, Any], hashes: dict[str, str], tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    first = see_corpus(*encoders, messages(), hashes=hashes, folder=tmp_path)
    (kept,) = tmp_path.iterdir()
    damage(kept)
    assert same(first, see_corpus(*encoders, messages(), hashes=hashes, folder=tmp_path))
    assert read_posts(encoders) == [12, 12]
    see_corpus(*encoders, messages(), hashes=hashes, folder=tmp_path)
    assert read_posts(encoders) == [13, 13]


def test_where_nothing_can_be_written_it_is_read_each_time(encoders: tuple[Any, Any], hashes: dict[str, str], tmp_path: Path) -> None:
    no_folder = tmp_path / "file"
    no_folder.write_text("in the way", encoding="utf-8")
    first = see_corpus(*encoders, messages(), hashes=hashes, folder=no_folder)
    assert same(first, see_corpus(*encoders, messages(), hashes=hashes, folder=no_folder))
    assert read_posts(encoders) == [12, 12]


def test_only_the_newest_files_stay(encoders: tuple[Any, Any], hashes: dict[str, str], tmp_path: Path) -> None:
    for number in range(MOST_KEPT + 2):
        old = tmp_path / f"seen-{number}.npz"
        old.write_bytes(b"old")
        os.utime(old, (number, number))
    (tmp_path / "all-mpnet-base-v2.bin").write_bytes(b"the base model")
    see_corpus(*encoders, messages(), hashes=hashes, folder=tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert {"seen-0.npz", "seen-1.npz", "seen-2.npz"}.isdisjoint(left)
    assert len(left) == MOST_KEPT + 1
    assert "all-mpnet-base-v2.bin" in left


def test_what_residents_wrote_is_never_kept(encoders: tuple[Any, Any], hashes: dict[str, str], tmp_path: Path) -> None:
    row = SimpleNamespace(
        post_id="forum:t1_a", title="", body="I can lend my van", labeller="ana", areas=[], signals=["offer"], evidence=[],
        is_sensitive=False, origin="desk", author_key="k", community_id="forum:town", created_at=None,
    )  # fmt: skip
    case = case_of([row])
    assert case is not None
    with pytest.raises(ValueError, match="of no part"):
        see_corpus(*encoders, [*messages(), case.labelled], hashes=hashes, folder=tmp_path)
    assert (read_posts(encoders), list(tmp_path.iterdir())) == ([0, 0], [])


def test_code_that_makes_other_features_is_not_given_those_of_before(
    encoders: tuple[Any, Any], hashes: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    see_corpus(*encoders, messages(), hashes=hashes, folder=tmp_path)
    monkeypatch.setattr(
        module, "read_closely", lambda close, windows, _: replace(close.read(windows), logits=np.zeros(len(LABELS), np.float32))
    )
    changed = see_corpus(*encoders, messages(), hashes=hashes, folder=tmp_path)
    assert same(changed, see(*encoders, messages()))


def test_that_there_are_no_messages_is_kept_too(encoders: tuple[Any, Any], hashes: dict[str, str], tmp_path: Path) -> None:
    for _ in range(2):
        assert len(see_corpus(*encoders, [], hashes=hashes, folder=tmp_path)) == 0
    assert len(list(tmp_path.iterdir())) == 1
