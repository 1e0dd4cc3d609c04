"""The fitted classifiers on disk: a manifest in JSON, two networks in ONNX, their wordpieces in JSON, and the scikit-learn estimators in
skops' format. Loading any of them runs no code. An artefact that was fitted on another's networks names them and holds none of its own.
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

from coprod_nlp.reading.base_model import hash_of, prepared
from coprod_nlp.reading.encoder import CLOSE_FEATURES, FEATURES, Encoder
from coprod_nlp.reading.gate import BITS, Gate, stacked
from coprod_nlp.reading.labels import LABELS, SPAN_LABELS, WILLING
from coprod_nlp.text.wordpieces import Wordpieces

SHIPPED = Path(__file__).parent.parent / "artefacts" / "reading"
MANIFEST, ESTIMATORS, WORDPIECES, CARD = "manifest.json", "estimators.skops", "wordpieces.json", "model_card.md"
ENCODER, CLOSE = "encoder.onnx", "close.onnx"
NETWORK_HASHES = ("encoder_sha256", "close_sha256", "wordpieces_sha256")
# The types an artefact may hold beyond those that skops knows to be harmless: none.
TRUSTED: tuple[str, ...] = ()
REBUILD = "restore the folder (git restore), or rebuild it: coprod retrain --from-scratch"
# Everything about how texts become features; an artefact fitted under another number is refused.
FEATURES_VERSION = 5

Floats = NDArray[np.float32]


class ArtefactError(Exception):
    """An artefact is missing, damaged, or was made for another version of this code."""


@dataclass(frozen=True)
class Manifest:
    """What an artefact is.

    `version` names it in every reading. `sources` says where its labels came from, `data` the hash of each data set. `thresholds` are
    the probabilities from which on a label is decided for, `gate_thresholds` those at a glance from which on a post is read deeply, and
    `close_from` that of `willing` in the deep reading from which on it is read closely; `uncertain` is the band of `willing` that goes to
    the label queue. `figures` are what it scored when it was made, and `profile` the share of messages in each tenth of each label's
    probability, to tell drift by. `lineage` says how the networks came about, in a few sentences.
    """

    version: str
    made_on: str
    sources: tuple[str, ...]
    data: dict[str, str]
    messages: dict[str, int]
    labels: tuple[str, ...]
    thresholds: dict[str, float]
    gate_thresholds: dict[str, float]
    close_from: float
    uncertain: tuple[float, float]
    figures: dict[str, Any]
    profile: dict[str, list[float]]
    features_version: int
    encoder_sha256: str
    close_sha256: str
    wordpieces_sha256: str
    estimators_sha256: str
    notes: tuple[str, ...] = field(default=())
    lineage: tuple[str, ...] = field(default=())

    @property
    def network_hashes(self) -> dict[str, str]:
        """Those of `Networks.hashes`."""
        return {name: getattr(self, name) for name in NETWORK_HASHES}


@dataclass(frozen=True)
class Fitted:
    """What fitting gives, a classifier a label: of the gate on posts, on sentences and joining both; of the deep and the close reading."""

    gate_posts: Mapping[str, LogisticRegression]
    gate_sentences: Mapping[str, LogisticRegression]
    gate_joint: Mapping[str, LogisticRegression]
    heads: Mapping[str, LogisticRegression]
    close_heads: Mapping[str, LogisticRegression]


@dataclass(frozen=True)
class Networks:
    """What reads: the small network of the deep reading, what the large one of the close reading learned, and their wordpieces."""

    encoder: bytes
    close: bytes
    wordpieces: str

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of each, as the manifest has it."""
        return dict(zip(NETWORK_HASHES, map(hash_of, (self.encoder, self.close, self.wordpieces.encode())), strict=True))


@dataclass(frozen=True)
class Heads:
    """The classifiers of a reading as one matrix: (features, LABELS) and (LABELS,)."""

    weights: Floats
    intercepts: Floats

    def chances(self, features: Floats) -> Floats:
        """(posts, LABELS) probabilities from (posts, features); a row's do not depend on the other rows."""
        logits = [row @ self.weights + self.intercepts for row in features]
        return np.asarray(expit(np.stack(logits)), dtype=np.float32) if logits else np.zeros((0, len(LABELS)), dtype=np.float32)


@dataclass(frozen=True)
class Artefact:
    """Everything a reader needs."""

    manifest: Manifest
    gate: Gate
    encoder: Encoder
    heads: Heads
    close: Encoder
    close_heads: Heads


def save_artefact(directory: Path, fitted: Fitted, *, networks: Networks, whole: bool = True, **manifest: Any) -> Manifest:
    """Write an artefact; its version is the hash of what was fitted, so that equal versions read equally.

    A folder whose writing was cut off holds what it held before; at worst, both files old and new, which loading refuses.

    Parameters
    ----------
    whole
        Whether the networks are written too; where not, the shipped ones must be these when it is loaded.
    manifest
        The fields of `Manifest` that fitting decides.
    """
    parts = {name: dict(getattr(fitted, name)) for name in Fitted.__dataclass_fields__}
    estimators = skops.io.dumps(parts, compression=zipfile.ZIP_DEFLATED, compresslevel=9)
    hashes: dict[str, Any] = {**networks.hashes, "estimators_sha256": hash_of(estimators)}
    decided = {name: manifest[name] for name in ("thresholds", "gate_thresholds", "close_from", "uncertain")}
    digest = hashlib.sha256(json.dumps([decided, *networks.hashes.values()], sort_keys=True).encode())
    for heads in parts.values():
        digest.update(b"".join(head.coef_.tobytes() + head.intercept_.tobytes() for head in heads.values()))
    made = Manifest(version=f"reading-{digest.hexdigest()[:10]}", labels=LABELS, features_version=FEATURES_VERSION, **hashes, **manifest)
    files = {ENCODER: networks.encoder, CLOSE: networks.close, WORDPIECES: networks.wordpieces.encode()} if whole else {}
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
    BaseModelError
        Where the base model of the close reading is not installed, or cannot be kept.
    """
    manifest = load_manifest(directory)
    if manifest.labels != LABELS or manifest.features_version != FEATURES_VERSION:
        raise ArtefactError(f"{directory}: made for other labels or features than this code's; {REBUILD}")
    try:
        if any(set(table) != set(LABELS) for table in (manifest.thresholds, manifest.gate_thresholds)):
            raise ArtefactError(f"{directory}: has no threshold for each label; {REBUILD}")
        if not 0 < manifest.close_from <= manifest.thresholds[WILLING]:
            raise ArtefactError(f"{directory}: decides for {WILLING} without a close reading; {REBUILD}")
    except TypeError:
        raise ArtefactError(f"{directory}: its thresholds are no numbers; {REBUILD}") from None
    networks, fitted = load_networks(directory), load_fitted(directory)
    try:
        gate = _gate(fitted, manifest)
        heads, close_heads = Heads(*stacked(fitted.heads)), Heads(*stacked(fitted.close_heads))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ArtefactError(f"{directory}: its estimators cannot be used ({type(error).__name__}); {REBUILD}") from None
    names = [tuple(getattr(fitted, name)) for name in ("gate_posts", "heads", "close_heads", "gate_sentences", "gate_joint")]
    if names != [LABELS, LABELS, LABELS, SPAN_LABELS, SPAN_LABELS]:
        raise ArtefactError(f"{directory}: its classifiers are not those of this code's labels; {REBUILD}")
    sizes = (len(gate.post_weights), len(gate.sentence_weights), len(heads.weights), len(close_heads.weights), gate.joint.shape[1])
    if sizes != (1 << BITS, 1 << BITS, FEATURES, CLOSE_FEATURES, 3):
        raise ArtefactError(f"{directory}: its classifiers do not fit its features; {REBUILD}")
    base = prepared()
    try:
        wordpieces = Wordpieces(networks.wordpieces)
        encoder, close = Encoder(networks.encoder, wordpieces), Encoder(networks.close, wordpieces, base)
    except Exception as error:  # noqa: BLE001  (what is written in Rust and C++ raises nothing narrower)
        raise ArtefactError(f"{directory}: its networks cannot be loaded ({type(error).__name__}); {REBUILD}") from None
    return Artefact(manifest, gate, encoder, heads, close, close_heads)


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


def load_networks(directory: Path = SHIPPED) -> Networks:
    """The networks of an artefact, as `save_artefact` takes them."""
    manifest = load_manifest(directory)
    encoder, close = _checked(directory, ENCODER, manifest.encoder_sha256), _checked(directory, CLOSE, manifest.close_sha256)
    try:
        return Networks(encoder, close, _checked(directory, WORDPIECES, manifest.wordpieces_sha256).decode())
    except UnicodeDecodeError:
        raise ArtefactError(f"{directory}: {WORDPIECES} is not UTF-8; {REBUILD}") from None


def _gate(fitted: Fitted, manifest: Manifest) -> Gate:
    joint, constants = stacked(fitted.gate_joint)
    thresholds = np.array([manifest.gate_thresholds[label] for label in LABELS], dtype=np.float32)
    return Gate(
        *stacked(fitted.gate_posts), *stacked(fitted.gate_sentences), np.concatenate([joint.T, constants[:, None]], axis=1), thresholds
    )


def calls_for_close(chances: Floats, close_from: float) -> NDArray[np.bool_]:
    """(posts,) whether what the deep reading says, (posts, LABELS), is worth a close one."""
    called: NDArray[np.bool_] = chances[:, LABELS.index(WILLING)] >= close_from
    return called


def _checked(directory: Path, name: str, digest: str) -> bytes:
    """The bytes of one file of an artefact, its own or the shipped one's, that are those the manifest describes."""
    for place in (directory, SHIPPED):
        try:
            raw = (place / name).read_bytes()
        except OSError:
            continue
        raw = raw.replace(b"\r\n", b"\n") if name == WORDPIECES else raw
        if hash_of(raw) == digest:
            return raw
    raise ArtefactError(f"{directory}: {name} is not there, or not the one the manifest describes; {REBUILD}")
