"""The fitted classifiers on disk: a manifest in JSON and the estimators in skops' format, which runs no code when loaded."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import skops.io
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from skops.io.exceptions import UntrustedTypesFoundException

from coprod_nlp.reading.features import FEATURES_SHA256, POST_LEXICONS, SENTENCE_CUES
from coprod_nlp.reading.labels import POST_LABELS, SENTENCE_LABELS
from coprod_nlp.text.ngrams import NgramVectoriser, Vocabulary

SHIPPED = Path(__file__).parent.parent / "artefacts" / "reading"
MANIFEST, ESTIMATORS = "manifest.json", "estimators.skops"
# The types an artefact may hold beyond those that skops knows to be harmless: none.
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
    features_sha256: str
    estimators_sha256: str


@dataclass(frozen=True)
class Heads:
    """One linear classifier a label over the same features, as one matrix: (features, labels) and (labels,)."""

    labels: tuple[str, ...]
    weights: Floats
    intercepts: Floats

    @classmethod
    def of(cls, estimators: Mapping[str, LogisticRegression]) -> "Heads":
        weights = np.vstack([estimator.coef_[0] for estimator in estimators.values()]).T
        intercepts = np.array([estimator.intercept_[0] for estimator in estimators.values()])
        return cls(tuple(estimators), np.ascontiguousarray(weights, np.float32), intercepts.astype(np.float32))

    def logits(self, features: csr_matrix) -> Floats:
        """(rows, labels) log-odds of (rows, features)."""
        return np.asarray(features @ self.weights + self.intercepts, dtype=np.float32)


@dataclass(frozen=True)
class Fitted:
    """What fitting gives: a vectoriser and a classifier a label for posts, the same for sentences, and what joins them."""

    post_vectoriser: NgramVectoriser
    posts: dict[str, LogisticRegression]
    sentence_vectoriser: NgramVectoriser
    sentences: dict[str, LogisticRegression]
    stackers: dict[str, LogisticRegression]


@dataclass(frozen=True)
class Artefact:
    """Everything a reader needs. `stackers` has a row a label: the weights of a post's and its two best sentences' log-odds."""

    manifest: Manifest
    post_vectoriser: NgramVectoriser
    posts: Heads
    sentence_vectoriser: NgramVectoriser
    sentences: Heads
    stackers: Heads


def save_artefact(directory: Path, fitted: Fitted, **manifest: Any) -> Manifest:
    """Write an artefact; its version carries the hash of what was fitted, so that equal versions read equally."""
    directory.mkdir(parents=True, exist_ok=True)
    heads = {"posts": fitted.posts, "sentences": fitted.sentences, "stackers": fitted.stackers}
    vectorisers = {"posts": _plain(fitted.post_vectoriser), "sentences": _plain(fitted.sentence_vectoriser)}
    path = directory / ESTIMATORS
    skops.io.dump({"heads": heads, "vectorisers": vectorisers}, path, compression=8, compresslevel=9)
    digest = hashlib.sha256(json.dumps(manifest["thresholds"], sort_keys=True).encode())
    for vectoriser in vectorisers.values():
        digest.update(b"".join(array.tobytes() for array in (vectoriser["ids"], *vectoriser["runs"])))
    for estimators in heads.values():
        digest.update(b"".join(estimator.coef_.tobytes() + estimator.intercept_.tobytes() for estimator in estimators.values()))
    made = Manifest(
        f"reading-{digest.hexdigest()[:10]}", features_sha256=FEATURES_SHA256, estimators_sha256=_sha256(path.read_bytes()), **manifest
    )
    (directory / MANIFEST).write_text(json.dumps(asdict(made), indent=1, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
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
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ArtefactError(
            f"{directory}: no usable artefact ({type(error).__name__}); rebuild it: python -m coprod_nlp.training"
        ) from None
    if _sha256(raw) != manifest.estimators_sha256:
        raise ArtefactError(f"{directory}: the estimators are not those the manifest describes; restore both, or rebuild them")
    if manifest.features_sha256 != FEATURES_SHA256:
        raise ArtefactError(f"{directory}: fitted on other features than this code makes; rebuild it: python -m coprod_nlp.training")
    remedy = "rebuild it: python -m coprod_nlp.training"
    try:
        content = skops.io.loads(raw, trusted=list(TRUSTED))
        heads = {name: Heads.of(content["heads"][name]) for name in ("posts", "sentences", "stackers")}
        vectorisers = {name: _vectoriser(content["vectorisers"][name]) for name in ("posts", "sentences")}
    except UntrustedTypesFoundException as error:
        raise ArtefactError(f"{directory}: {error}; {remedy}") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        raise ArtefactError(f"{directory}: its estimators cannot be loaded ({type(error).__name__}); {remedy}") from None
    labels = (heads["posts"].labels, heads["sentences"].labels, heads["stackers"].labels)
    if labels != (POST_LABELS, SENTENCE_LABELS, SENTENCE_LABELS) or labels[:2] != (manifest.post_labels, manifest.sentence_labels):
        raise ArtefactError(f"{directory}: its labels are not those of this code and of its manifest; {remedy}")
    for name, more in (("posts", POST_LEXICONS), ("sentences", SENTENCE_CUES)):
        if len(heads[name].weights) != vectorisers[name].vocabulary_.size + more:
            raise ArtefactError(f"{directory}: its {name} classifiers do not fit its features; {remedy}")
    return Artefact(manifest, vectorisers["posts"], heads["posts"], vectorisers["sentences"], heads["sentences"], heads["stackers"])


def _plain(vectoriser: NgramVectoriser) -> dict[str, Any]:
    vocabulary = vectoriser.vocabulary_
    return {"ids": vocabulary.ids, "runs": list(vocabulary.runs), "transformer": vectoriser.transformer_}


def _vectoriser(plain: dict[str, Any]) -> NgramVectoriser:
    vectoriser = NgramVectoriser(longest=1 + len(plain["runs"]))
    vectoriser.vocabulary_ = Vocabulary(plain["ids"], tuple(plain["runs"]))
    vectoriser.transformer_ = plain["transformer"]
    return vectoriser


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
