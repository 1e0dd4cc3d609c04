"""The shipped classifier, built anew from the repository alone: `coprod retrain --from-scratch`."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from coprod_nlp.reading.artefact import SHIPPED, Manifest
from coprod_nlp.reading.base_model import BaseModelError
from coprod_nlp.training.bases import require_packages
from coprod_nlp.training.corpus import CORPUS_DIR
from coprod_nlp.training.fit import fit_reading, shipped_base
from flows.job import RequestError
from models.base import utc_now


def rebuild(
    *, out: Path = SHIPPED, corpus: Path = CORPUS_DIR, is_encoder_kept: bool, report: Callable[[str], None] = lambda _: None
) -> Manifest:
    """Fit gate, heads and thresholds on the corpus, and fine-tune the networks before it or keep the shipped ones.

    Raises
    ------
    RequestError
        Where what fine-tuning needs is not installed or not whole, with what to install, or the folder cannot be written.
    """
    base = shipped_base() if is_encoder_kept else None
    try:
        if not is_encoder_kept:
            require_packages()
        out.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out.parent).close()  # before the work of hours
        made = fit_reading(out, made_on=utc_now().date(), corpus=corpus, base=base, report=report)
    except BaseModelError as error:
        raise RequestError(
            str(error) if is_encoder_kept else f"--from-scratch fine-tunes the networks: {error}, or give --keep-encoder"
        ) from None
    except OSError as error:
        raise RequestError(f"--out {out}: cannot be written ({error.strerror}); choose a folder that can be") from None
    return made
