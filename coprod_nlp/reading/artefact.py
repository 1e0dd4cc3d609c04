"""The fitted classifiers on disk: a manifest in JSON, the encoder in ONNX, its wordpieces in JSON, and the scikit-learn estimators in
skops' format. Loading any of them runs no code. An artefact that was fitted on another's encoder names it and holds none of its own.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import skops.io
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from skops.io.exceptions import UntrustedTypesFoundException

from coprod_nlp.reading.encoder import FEATURES, Encoder
from coprod_nlp.reading.gate import BITS, Gate, stacked
from coprod_nlp.reading.labels import LABELS, SPAN_LABELS
from coprod_nlp.text.wordpieces import Wordpieces

SHIPPED = Path(__file__).parent.parent / "artefacts" / "reading"
MANIFEST, ESTIMATORS, ENCODER, WORDPIECES, CARD = "manifest.json", "estimators.skops", "encoder.onnx", "wordpieces.json", "model_card.md"
# The types an artefact may hold beyond those that skops knows to be harmless: none.
TRUSTED: tuple[str, ...] = ()
REBUILD = "rebuild it: coprod retrain --from-scratch"
# Everything about how texts become features; an artefact fitted under another number is refused.
FEATURES_VERSION = 3

Floats = NDArray[np.float32]


class ArtefactError(Exception):
    """An artefact is missing, damaged, or was made for another version of this code."""


@dataclass(frozen=True)
class Manifest:
    """What an artefact is.

    `version` names it in every reading. `sources` says where its labels came from, `data` the hash of each data set. `thresholds` are
    the probabilities from which on a label is decided for, `uncertain` the band of `willing` that goes to the label queue. `figures`
    are what it scored when it was made, and `profile` the share of messages in each tenth of each label's probability, to tell drift by.
    `lineage` says how the encoder came about, in a few sentences.
    """

    version: str
    made_on: str
    sources: tuple[str, ...]
    data: dict[str, str]
    messages: dict[str, int]
    labels: tuple[str, ...]
    thresholds: dict[str, float]
    gate_thresholds: dict[str, float]
    uncertain: tuple[float, float]
    figures: dict[str, Any]
    profile: dict[str, list[float]]
    features_version: int
    encoder_sha256: str
    wordpieces_sha256: str
    estimators_sha256: str
    notes: tuple[str, ...] = field(default=())
    lineage: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Fitted:
    """What fitting gives, a classifier a label: of the gate on posts, on sentences and joining both; of the deep reading."""

    gate_posts: Mapping[str, LogisticRegression]
    gate_sentences: Mapping[str, LogisticRegression]
    gate_joint: Mapping[str, LogisticRegression]
    heads: Mapping[str, LogisticRegression]


@dataclass(frozen=True)
class Heads:
    """The deep reading's classifiers as one matrix: (FEATURES, LABELS) and (LABELS,)."""

    weights: Floats
    intercepts: Floats

    def chances(self, features: Floats) -> Floats:
        """(posts, LABELS) probabilities from (posts, FEATURES); a row's do not depend on the other rows."""
        logits = [row @ self.weights + self.intercepts for row in features]
        return np.asarray(expit(np.stack(logits)), dtype=np.float32) if logits else np.zeros((0, len(LABELS)), dtype=np.float32)


@dataclass(frozen=True)
class Artefact:
    """Everything a reader needs."""

    manifest: Manifest
    wordpieces: Wordpieces
    gate: Gate
    encoder: Encoder
    heads: Heads


def save_artefact(directory: Path, fitted: Fitted, *, encoder: bytes, wordpieces: str, whole: bool = True, **manifest: Any) -> Manifest:
    """Write an artefact; its version is the hash of what was fitted, so that equal versions read equally.

    A folder whose writing was cut off holds what it held before; at worst, both files old and new, which loading refuses.

    Parameters
    ----------
    whole
        Whether encoder and wordpieces are written too; where not, the shipped ones must be these when it is loaded.
    manifest
        The fields of `Manifest` that fitting decides.
    """
    parts = {name: dict(getattr(fitted, name)) for name in Fitted.__dataclass_fields__}
    estimators = skops.io.dumps(parts, compression=zipfile.ZIP_DEFLATED, compresslevel=9)
    hashes: dict[str, Any] = {
        "encoder_sha256": _sha256(encoder),
        "wordpieces_sha256": _sha256(wordpieces.encode()),
        "estimators_sha256": _sha256(estimators),
    }
    decided = {name: manifest[name] for name in ("thresholds", "gate_thresholds", "uncertain")}
    digest = hashlib.sha256(json.dumps([decided, hashes["encoder_sha256"], hashes["wordpieces_sha256"]], sort_keys=True).encode())
    for heads in parts.values():
        digest.update(b"".join(head.coef_.tobytes() + head.intercept_.tobytes() for head in heads.values()))
    made = Manifest(version=f"reading-{digest.hexdigest()[:10]}", labels=LABELS, features_version=FEATURES_VERSION, **hashes, **manifest)
    files = {ENCODER: encoder, WORDPIECES: wordpieces.encode()} if whole else {}
    described = json.dumps(asdict(made), indent=1, sort_keys=True) + "\n"
    _put(directory, {**files, ESTIMATORS: estimators, MANIFEST: described.encode()})
    return made


def _put(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write files beside a folder, then move them into it in their order: it is never half old and half new for longer than that takes."""
    directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=directory.parent, prefix=f".{directory.name}-", ignore_cleanup_errors=True) as draft:
        for name, raw in files.items():
            (Path(draft) / name).write_bytes(raw)
        for name in files:
            (Path(draft) / name).replace(directory / name)


def load_manifest(directory: Path = SHIPPED) -> Manifest:
    """What an artefact says of itself, without loading it.

    Raises
    ------
    ArtefactError
        Where there is none, or it does not say what this code needs to know.
    """
    try:
        fields: dict[str, Any] = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        lists: dict[str, Any] = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        return Manifest(**(fields | lists))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ArtefactError(f"{directory}: no usable artefact ({type(error).__name__}); {REBUILD}") from None


def load_artefact(directory: Path = SHIPPED) -> Artefact:
    """Read an artefact back.

    Raises
    ------
    ArtefactError
        Where it is not there, its bytes are not those of its manifest, or it was made for other labels or features.
    """
    manifest = load_manifest(directory)
    if manifest.labels != LABELS or manifest.features_version != FEATURES_VERSION:
        raise ArtefactError(f"{directory}: made for other labels or features than this code's; {REBUILD}")
    if set(manifest.thresholds) != set(LABELS) or set(manifest.gate_thresholds) != set(LABELS):
        raise ArtefactError(f"{directory}: has no threshold for each label; {REBUILD}")
    definition = _checked(directory, WORDPIECES, manifest.wordpieces_sha256)
    model = _checked(directory, ENCODER, manifest.encoder_sha256)
    fitted = load_fitted(directory)
    try:
        gate = _gate(fitted, manifest)
        heads = Heads(*stacked(fitted.heads))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ArtefactError(f"{directory}: its estimators cannot be used ({type(error).__name__}); {REBUILD}") from None
    names = [tuple(getattr(fitted, name)) for name in ("gate_posts", "heads", "gate_sentences", "gate_joint")]
    if names != [LABELS, LABELS, SPAN_LABELS, SPAN_LABELS]:
        raise ArtefactError(f"{directory}: its classifiers are not those of this code's labels; {REBUILD}")
    sizes = (len(gate.post_weights), len(gate.sentence_weights), len(heads.weights), gate.joint.shape[1])
    if sizes != (1 << BITS, 1 << BITS, FEATURES, 3):
        raise ArtefactError(f"{directory}: its classifiers do not fit its features; {REBUILD}")
    try:
        wordpieces = Wordpieces(definition.decode())
        encoder = Encoder(model, wordpieces)
    except Exception as error:  # noqa: BLE001  (what is written in Rust and C++ raises nothing narrower)
        raise ArtefactError(f"{directory}: its encoder cannot be loaded ({type(error).__name__}); {REBUILD}") from None
    return Artefact(manifest, wordpieces, gate, encoder, heads)


def load_fitted(directory: Path = SHIPPED) -> Fitted:
    """An artefact's estimators as they were fitted, to fit some of them anew.

    Raises
    ------
    ArtefactError
        Where they are not there, not those of the manifest, or hold anything but estimators.
    """
    raw = _checked(directory, ESTIMATORS, load_manifest(directory).estimators_sha256)
    try:
        parts = skops.io.loads(raw, trusted=list(TRUSTED))
        return Fitted(**{name: parts[name] for name in Fitted.__dataclass_fields__})
    except UntrustedTypesFoundException as error:
        raise ArtefactError(f"{directory}: {error}; {REBUILD}") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        raise ArtefactError(f"{directory}: its estimators cannot be loaded ({type(error).__name__}); {REBUILD}") from None


def load_encoder(directory: Path = SHIPPED) -> tuple[bytes, str]:
    """The encoder's model and its wordpieces, as `save_artefact` takes them."""
    manifest = load_manifest(directory)
    return _checked(directory, ENCODER, manifest.encoder_sha256), _checked(directory, WORDPIECES, manifest.wordpieces_sha256).decode()


def _gate(fitted: Fitted, manifest: Manifest) -> Gate:
    joint, constants = stacked(fitted.gate_joint)
    thresholds = np.array([manifest.gate_thresholds[label] for label in LABELS], dtype=np.float32)
    return Gate(
        *stacked(fitted.gate_posts), *stacked(fitted.gate_sentences), np.concatenate([joint.T, constants[:, None]], axis=1), thresholds
    )


def _checked(directory: Path, name: str, digest: str) -> bytes:
    """The bytes of one file of an artefact, its own or the shipped one's, that are those the manifest describes."""
    for place in (directory, SHIPPED):
        try:
            raw = (place / name).read_bytes()
        except OSError:
            continue
        raw = raw.replace(b"\r\n", b"\n") if name == WORDPIECES else raw
        if _sha256(raw) == digest:
            return raw
    raise ArtefactError(f"{directory}: {name} is not there, or not the one the manifest describes; restore both, or {REBUILD}")


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
