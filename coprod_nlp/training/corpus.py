"""The training corpus: messages this project wrote and labelled under the codebook, one JSON object a line."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coprod_nlp.records import Evidence, PostText
from coprod_nlp.vocabulary import PolicyArea, Signal

CORPUS_DIR = Path(__file__).parent.parent / "corpus"


class CorpusError(Exception):
    """A line of the corpus cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class LabelledPost:
    """A message and what two readers agreed it is. `part` is the file it stands in."""

    post: PostText
    areas: frozenset[PolicyArea]
    evidence: tuple[Evidence, ...]
    is_sensitive: bool
    part: str

    @property
    def signals(self) -> frozenset[Signal]:
        return frozenset(item.signal for item in self.evidence)


def load_corpus(directory: Path = CORPUS_DIR) -> list[LabelledPost]:
    """Every message of every part, in the order of files and lines.

    Raises
    ------
    CorpusError
        At the first line that is not valid, with its file and number.
    """
    found: list[LabelledPost] = []
    for path in sorted(directory.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                found.append(_labelled(json.loads(line), part=path.stem))
            except (ValueError, KeyError, TypeError) as error:
                raise CorpusError(f"{path.name}:{number}: {error}") from None
    if not found:
        raise CorpusError(f"{directory}: no corpus there; wanted *.jsonl")
    return found


def corpus_digest(directory: Path = CORPUS_DIR) -> str:
    """SHA-256 over the corpus, whatever the line ends of the checkout."""
    digest = hashlib.sha256()
    for path in sorted(directory.glob("*.jsonl")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def _labelled(row: dict[str, object], *, part: str) -> LabelledPost:
    post = PostText(str(row["id"]), str(row["title"]), str(row["body"]))
    entries = row["evidence"]
    assert isinstance(entries, Sequence)  # noqa: S101  (narrows the type; a wrong one fails in the loop anyway)
    evidence = tuple(_span(post.text, Signal(entry["signal"]), entry["text"]) for entry in entries)
    if {item.signal for item in evidence} != {Signal(str(name)) for name in _list(row["signals"])}:
        raise ValueError("`signals` and `evidence` name different signals")
    areas = frozenset(PolicyArea(str(name)) for name in _list(row["areas"]))
    return LabelledPost(post, areas, evidence, bool(row["sensitive"]), part)


def _span(text: str, signal: Signal, words: str) -> Evidence:
    start = text.find(words)
    if start < 0 or not words:
        raise ValueError(f"the evidence for {signal} is not in the text")
    return Evidence(signal, start, start + len(words))


def _list(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise TypeError("wanted a list")
    return value
