"""Files that are whole or not there."""

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What a process that was killed had begun to write is cleared away after a day: nothing takes that long.
ABANDONED_S = 86_400
DIGEST_BYTES = 32

Arrays = dict[str, NDArray[Any]]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write what stands at `path` once it is whole; what stood there before stays until then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob(f".*-{path.name}"):
        with suppress(OSError):
            if old.stat().st_mtime < time.time() - ABANDONED_S:
                old.unlink()
    draft = path.with_name(f".{secrets.token_hex(4)}-{path.name}")
    try:
        yield draft
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Keep arrays by name, in a file that shows whether it is whole.

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    raw = BytesIO()
    np.savez(raw, allow_pickle=False, **arrays)
    with replacing(path) as draft:
        draft.write_bytes(sha256(raw.getvalue()).digest() + raw.getvalue())


def read_arrays(path: Path) -> Arrays | None:
    """What `write_arrays` kept; None where there is no such file, or it is not whole."""
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    digest, kept = raw[:DIGEST_BYTES], raw[DIGEST_BYTES:]
    if sha256(kept).digest() != digest:
        return None
    with np.load(BytesIO(kept), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
