"""The fitted classifiers on disk: a manifest in JSON and the estimators in skops' format, which runs no code when loaded."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import skops.io
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

SHIPPED = Path(__file__).parent.parent / "artefacts" / "reading"
MANIFEST, ESTIMATORS = "manifest.json", "estimators.skops"
# The only types an artefact may hold beyond skops' own list of harmless ones.
TRUSTED: tuple[str, ...] = ()

Floats = NDArray[np.float32]


class ArtefactError(Exception):
    """An artefact is missing, damaged, or was made for another version of this code."""


@dataclass(frozen=True)
class Manifest:
    """What an artefact is: `version` names it in every reading; figures are from the corpus, out of fold."""

    version: str
    corpus_sha256: str
    messages: int
    sources: tuple[str, ...]
    post_labels: tuple[str, ...]
    sentence_labels: tuple[str, ...]
    thresholds: dict[str, float]
    figures: dict[str, float]
    estimators_sha256: str


@dataclass(frozen=True)
class Heads:
    """One linear classifier a label over the same features, as one matrix: (features, labels) and (labels,)."""

    labels: tuple[str, ...]
    vectoriser: TfidfVectorizer
    weights: Floats
    intercepts: Floats

    @classmethod
    def of(cls, vectoriser: TfidfVectorizer, estimators: dict[str, LogisticRegression]) -> "Heads":
        weights = np.vstack([estimator.coef_[0] for estimator in estimators.values()]).T
        intercepts = np.array([estimator.intercept_[0] for estimator in estimators.values()])
        return cls(tuple(estimators), vectoriser, np.ascontiguousarray(weights, np.float32), intercepts.astype(np.float32))

    def logits(self, texts: list[str]) -> Floats:
        """(texts, labels) log-odds."""
        features: csr_matrix = self.vectoriser.transform(texts)
        return np.asarray(features @ self.weights + self.intercepts, dtype=np.float32)


@dataclass(frozen=True)
class Artefact:
    """Everything a reader needs."""

    manifest: Manifest
    posts: Heads
    sentences: Heads
    stackers: dict[str, LogisticRegression]

    def probability(self, label: str, features: Floats) -> Floats:
        """(rows,) calibrated probability of a label from (rows, features) log-odds."""
        stacker = self.stackers[label]
        return np.asarray(expit(features @ stacker.coef_[0] + stacker.intercept_[0]), dtype=np.float32)


def save_artefact(
    directory: Path, *, manifest: dict[str, Any], posts: tuple[TfidfVectorizer, dict[str, LogisticRegression]],
    sentences: tuple[TfidfVectorizer, dict[str, LogisticRegression]], stackers: dict[str, LogisticRegression],
) -> Manifest:  # fmt: skip
    """Write an artefact; its version carries the hash of what was fitted, so that equal versions read equally."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / ESTIMATORS
    content = {"posts": posts, "sentences": sentences, "stackers": stackers}
    skops.io.dump(content, path, compression=8, compresslevel=9)
    fitted = hashlib.sha256()
    for vectoriser, heads in (posts, sentences):
        fitted.update(json.dumps(sorted(vectoriser.vocabulary_.items()), default=int).encode())
        for estimator in heads.values():
            fitted.update(estimator.coef_.tobytes() + estimator.intercept_.tobytes())
    for stacker in stackers.values():
        fitted.update(stacker.coef_.tobytes() + stacker.intercept_.tobytes())
    fitted.update(json.dumps(manifest["thresholds"], sort_keys=True).encode())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    made = Manifest(version=f"reading-{fitted.hexdigest()[:10]}", estimators_sha256=digest, **manifest)
    (directory / MANIFEST).write_text(json.dumps(asdict(made), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return made


def load_artefact(directory: Path = SHIPPED) -> Artefact:
    """Read an artefact back.

    Raises
    ------
    ArtefactError
        Where it is not there, its bytes are not those of its manifest, or its labels are not those of its heads.
    """
    try:
        fields: dict[str, Any] = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        raw = (directory / ESTIMATORS).read_bytes()
        lists: dict[str, Any] = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        manifest = Manifest(**(fields | lists))
    except (OSError, ValueError, TypeError) as error:
        raise ArtefactError(
            f"{directory}: no usable artefact ({type(error).__name__}); rebuild it: python -m coprod_nlp.training"
        ) from None
    if hashlib.sha256(raw).hexdigest() != manifest.estimators_sha256:
        raise ArtefactError(f"{directory}: the estimators are not those the manifest describes; restore both, or rebuild them")
    content = skops.io.loads(raw, trusted=list(TRUSTED))
    posts, sentences = Heads.of(*content["posts"]), Heads.of(*content["sentences"])
    if posts.labels != manifest.post_labels or sentences.labels != manifest.sentence_labels:
        raise ArtefactError(f"{directory}: its heads are not the ones this code expects; rebuild it: python -m coprod_nlp.training")
    return Artefact(manifest, posts, sentences, content["stackers"])
