"""The training corpus: messages this project wrote and labelled under the codebook, one JSON object a line."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from coprod_nlp.reading.labels import LABELS, SENSITIVE, WILLING
from coprod_nlp.records import Evidence, PostText
from coprod_nlp.vocabulary import WILLING_SIGNALS, PolicyArea, Signal

T = TypeVar("T")
CORPUS_DIR = Path(__file__).parent.parent / "corpus"


class CorpusError(Exception):
    """A line of the corpus cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class LabelledPost:
    """A message and what readers agreed it is. `part` is the file of the corpus it stands in; what residents wrote stands in none."""

    post: PostText
    areas: frozenset[PolicyArea]
    evidence: tuple[Evidence, ...]
    is_sensitive: bool
    part: str = ""

    @property
    def signals(self) -> frozenset[Signal]:
        return frozenset(item.signal for item in self.evidence)

    def has(self, label: str) -> bool:
        if label == SENSITIVE:
            return self.is_sensitive
        if label == WILLING:
            return bool(self.signals & set(WILLING_SIGNALS))
        return label in self.areas or label in self.signals


def load_corpus(directory: Path = CORPUS_DIR) -> list[LabelledPost]:
    """Every message of every part, in the order of files and lines.

    Raises
    ------
    CorpusError
        At the first line that is not valid, with its file and number, or the first file that cannot be read.
    """
    found: list[LabelledPost] = []
    for path in sorted(directory.glob("*.jsonl")):
        try:
            lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        except UnicodeDecodeError as error:
            number = error.object[: error.start].count(b"\n") + 1
            raise CorpusError(f"{path.name}:{number}: not UTF-8 ({error.reason})") from None
        except OSError as error:
            raise CorpusError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
        for number, line in enumerate(lines, start=1):
            try:
                found.append(_labelled(json.loads(line), part=path.stem))
            except (ValueError, KeyError, TypeError) as error:
                raise CorpusError(f"{path.name}:{number}: {error}") from None
    if not found:
        raise CorpusError(f"{directory}: no corpus there; wanted *.jsonl")
    return found


def targets(posts: Sequence[LabelledPost]) -> NDArray[np.bool_]:
    """(posts, LABELS) what each message is."""
    return np.array([[post.has(label) for label in LABELS] for post in posts], dtype=bool).reshape(len(posts), len(LABELS))


def corpus_digest(directory: Path = CORPUS_DIR) -> str:
    """SHA-256 over the corpus, whatever the line ends of the checkout."""
    digest = hashlib.sha256()
    for path in sorted(directory.glob("*.jsonl")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def _labelled(row: dict[str, object], *, part: str) -> LabelledPost:
    post = PostText(_typed(row, "id", str), _typed(row, "title", str), _typed(row, "body", str))
    evidence = tuple(_span(post.text, Signal(entry["signal"]), entry["text"]) for entry in _typed(row, "evidence", list))
    if {item.signal for item in evidence} != set(map(Signal, _typed(row, "signals", list))):
        raise ValueError("`signals` and `evidence` name different signals")
    areas = frozenset(map(PolicyArea, _typed(row, "areas", list)))
    return LabelledPost(post, areas, evidence, _typed(row, "sensitive", bool), part)


def _typed(row: dict[str, object], key: str, kind: type[T]) -> T:
    value = row[key]
    if not isinstance(value, kind):
        raise TypeError(f"`{key}` should be a {kind.__name__}")
    return value


def _span(text: str, signal: Signal, words: str) -> Evidence:
    start = text.find(words)
    if start < 0 or not words:
        raise ValueError(f"the evidence for {signal} is not in the text")
    return Evidence(signal, start, start + len(words))
