"""From labelled messages to an artefact: the encoder, the heads on it, the gate before it, thresholds and figures.

The encoder and the gate learn from five sixths of the corpus; heads and what joins the gate's two verdicts from two thirds of the
sixth that neither has seen, since what a network says of the messages it learned by heart is no guide to what it says of others. The last
third only checks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from coprod_nlp.reading.artefact import CARD, SHIPPED, Fitted, Heads, Manifest, load_encoder, load_manifest, save_artefact
from coprod_nlp.reading.encoder import Encoder, features
from coprod_nlp.reading.gate import Gate, best_sentence, look, sentences_of, stacked
from coprod_nlp.reading.labels import AREAS, FIRST_SPAN, LABELS, SENSITIVE, SPAN_LABELS, WILLING, WILLING_VALUES
from coprod_nlp.records import TITLE_END
from coprod_nlp.text.clean import prose
from coprod_nlp.text.wordpieces import Wordpieces
from coprod_nlp.training.card import model_card
from coprod_nlp.training.compare import CHECKED
from coprod_nlp.training.corpus import CORPUS_DIR, LabelledPost, corpus_digest, load_corpus, targets
from coprod_nlp.training.evaluate import evaluation, measure
from coprod_nlp.training.measure import Scored, histograms
from coprod_nlp.training.split import Split, split_corpus
from coprod_nlp.training.thresholds import Thresholds, load_thresholds

GATE_STRENGTH = 8.0
# A head is the mean of two: one on what the encoder itself says of the label, and one on everything it says, which an analyst's labels can
# bend to a meaning that the encoder never learned. How much each is trusted was tried on real messages (docs/reading.md).
OWN_STRENGTH, EVERYTHING_STRENGTH = 1.0, 0.003
OWN_SHARE = {"area": 0.75, SENSITIVE: 0.75, "signal": 0.5, WILLING: 0.5}
WEIGHT_DECIMALS = 2
# Share of an evidence span, or of the sentence, that must be shared for the sentence to carry the signal.
MINIMUM_OVERLAP = 0.4

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
Report = Callable[[str], None]


class FittingError(Exception):
    """Nothing can be fitted on these messages; the message says which label lacks what."""


@dataclass(frozen=True)
class Base:
    """What heads and gate are fitted on: an encoder's model, its wordpieces, and how it came about (`Manifest.lineage`)."""

    model: bytes
    definition: str
    lineage: tuple[str, ...]


def fit_reading(
    directory: Path = SHIPPED, *, made_on: date, corpus: Path = CORPUS_DIR, base: Base | None = None, report: Report = lambda _: None
) -> Manifest:
    """Fit the reading from the project's own corpus and write the artefact with its card.

    Parameters
    ----------
    base
        An encoder to fit heads and gate on; where there is none, one is fine-tuned, which needs PyTorch and hours.

    Raises
    ------
    CorpusError
        Where the corpus cannot be used.
    FittingError
        Where it has a label in every message of a share, or in none.
    BaseModelError
        Where a base model is to be fine-tuned and is not installed, or not whole.
    """
    thresholds = load_thresholds()
    split = split_corpus(load_corpus(corpus))
    for share in (split.learned, split.tuned):  # before the work of hours
        require_both(targets(share), LABELS)
    report(f"{len(split.learned):,} messages to learn from, {len(split.tuned):,} to tune with, {len(split.checked):,} to check with")
    base = base or fine_tuned(split.learned, report)
    report("gate")
    gates = fit_gate(split.learned)
    report("heads")
    encoder = Encoder(base.model, Wordpieces(base.definition))
    heads = fit_heads(encode_all(encoder, split.tuned), targets(split.tuned))
    scale(heads[WILLING], *thresholds.willing_scale)
    fitted = Fitted(*gates, join_gate(split.tuned, *gates), heads)
    scored = score(encode_all(encoder, split.checked), targets(split.checked), heads, thresholds.decide)
    manifest = save_artefact(
        directory,
        fitted,
        encoder=base.model,
        wordpieces=base.definition,
        lineage=base.lineage,
        **_facts(split, scored, thresholds, made_on=made_on, corpus=corpus),
    )
    (directory / CARD).write_text(model_card(manifest), encoding="utf-8", newline="\n")
    return manifest


def _facts(split: Split, scored: Scored, thresholds: Thresholds, *, made_on: date, corpus: Path) -> dict[str, Any]:
    """What the manifest says of an artefact."""
    return {
        "made_on": made_on.isoformat(),
        "sources": ("project",),
        "data": {"corpus": corpus_digest(corpus)},
        "messages": {"learned": len(split.learned), "tuned": len(split.tuned), "checked": len(split.checked)},
        "thresholds": thresholds.decide,
        "gate_thresholds": {label: thresholds.gate[label if label == WILLING else kind_of(label)] for label in LABELS},
        "uncertain": thresholds.uncertain,
        "figures": evaluation({CHECKED: measure(scored)}),
        "profile": dict(histograms(scored.chances)),
        "notes": (f"thresholds chosen on: {thresholds.chosen_on}",),
    }


def fine_tuned(learned: Sequence[LabelledPost], report: Report) -> Base:
    """A new encoder from the base models; this alone needs PyTorch."""
    from coprod_nlp.training.bases import minilm_definition
    from coprod_nlp.training.distil import DISTILLATION, distil, lineage
    from coprod_nlp.training.export import to_onnx

    return Base(to_onnx(distil(learned, recipe=DISTILLATION, report=report)), minilm_definition(), lineage(DISTILLATION))


def shipped_base() -> Base:
    return Base(*load_encoder(), load_manifest().lineage)


def encode_all(encoder: Encoder, posts: Sequence[LabelledPost]) -> Floats:
    """(posts, FEATURES) what the heads see of labelled messages."""
    return features([encoder.encode(prose(item.post.title), prose(item.post.body)) for item in posts])


def fit_heads(encoded: Floats, truth: Bools, weights: Floats | None = None) -> dict[str, LogisticRegression]:
    """One classifier a label, as (1, FEATURES) weights for features as they come.

    Parameters
    ----------
    weights
        (posts,) how much each message counts; all alike where None.

    Raises
    ------
    FittingError
        Where every message has a label, or none.
    """
    require_both(truth, LABELS)
    centre, scale = encoded.mean(axis=0), encoded.std(axis=0) + 1e-6
    level = ((encoded - centre) / scale).astype(np.float32)
    heads = {}
    for place, label in enumerate(LABELS):
        own, wanted = _own_features(place), truth[:, place]
        narrow = LogisticRegression(C=OWN_STRENGTH, max_iter=1000).fit(level[:, own], wanted, sample_weight=weights)
        wide = LogisticRegression(C=EVERYTHING_STRENGTH, max_iter=1000).fit(level, wanted, sample_weight=weights)
        share = OWN_SHARE[kind_of(label)]
        joined = (1 - share) * wide.coef_[0]
        joined[own] += share * narrow.coef_[0]
        constant = (1 - share) * wide.intercept_[0] + share * narrow.intercept_[0]
        wide.coef_ = (joined / scale)[None].astype(np.float32)
        wide.intercept_ = np.array([constant - float((joined / scale) @ centre)], dtype=np.float32)
        heads[label] = wide
    return heads


def require_both(truth: Bools, labels: Sequence[str]) -> None:
    """Raise a FittingError where every row has a label, or none."""
    cases = dict(zip(labels, truth.sum(axis=0).tolist(), strict=True))
    if wrong := [f"{label} in {count:,}" for label, count in cases.items() if count in (0, len(truth))]:
        raise FittingError(
            f"of {len(truth):,} messages or sentences to learn from: {', '.join(wrong)}; wanted each label in some and not in all: "
            "write or label messages of the kind that is missing"
        )


def scale(head: LogisticRegression, factor: float, summand: float) -> None:
    """Change what a head says by two numbers: the log-odds times `factor`, plus `summand` (Platt 1999)."""
    head.coef_ = (head.coef_ * factor).astype(np.float32)
    head.intercept_ = (head.intercept_ * factor + summand).astype(np.float32)


def _own_features(place: int) -> list[int]:
    """Where the features stand that the encoder made for a label: its log-odds, for a signal also its best wordpiece and `willing`."""
    if place < FIRST_SPAN:
        return [place]
    own = [place, len(LABELS) + place - FIRST_SPAN]
    return own if LABELS[place] == WILLING else [*own, LABELS.index(WILLING)]


def fit_gate(
    posts: Sequence[LabelledPost],
) -> tuple[dict[str, LogisticRegression], dict[str, LogisticRegression]]:
    """Classifiers of posts and of their sentences."""
    batch = look([_words(item) for item in posts])
    truth = targets(posts)
    spans = np.array([_carried(item, start, end) for item in posts for start, end in sentences_of(_words(item))], dtype=bool)
    require_both(spans.reshape(-1, len(SPAN_LABELS)), SPAN_LABELS)
    return (
        {label: _gate_head(batch.posts, truth[:, place]) for place, label in enumerate(LABELS)},
        {label: _gate_head(batch.sentences, spans[:, place]) for place, label in enumerate(SPAN_LABELS)},
    )


def join_gate(
    held: Sequence[LabelledPost], posts: Mapping[str, LogisticRegression], sentences: Mapping[str, LogisticRegression]
) -> dict[str, LogisticRegression]:
    """What joins the verdict on a post with that on its best sentence."""
    nothing = np.zeros((len(SPAN_LABELS), 3), dtype=np.float32)
    gate = Gate(*stacked(posts), *stacked(sentences), nothing, np.ones(len(LABELS), dtype=np.float32))
    batch = look([_words(item) for item in held])
    whole = gate.post_logits(batch)[:, FIRST_SPAN:]
    best = best_sentence(gate.sentence_logits(batch), batch.of_post, whole)
    truth = targets(held)[:, FIRST_SPAN:]
    return {
        label: LogisticRegression(max_iter=1000).fit(np.stack([whole[:, place], best[:, place]], axis=1), truth[:, place])
        for place, label in enumerate(SPAN_LABELS)
    }


def score(encoded: Floats, truth: Bools, heads: Mapping[str, LogisticRegression], decide: Mapping[str, float]) -> Scored:
    """Probabilities and decisions of the deep reading beside the truth."""
    chances = Heads(*stacked(heads)).chances(encoded)
    return Scored(chances, chances >= np.array([decide[label] for label in LABELS]), truth)


def kind_of(label: str) -> str:
    """What a label is: an area, a signal, sensitive or willing."""
    return "area" if label in AREAS else label if label in {SENSITIVE, WILLING} else "signal"


def _words(item: LabelledPost) -> str:
    """Prose as the reader hands it to the gate."""
    return prose(item.post.title) + TITLE_END + prose(item.post.body)


def _gate_head(matrix: Any, truth: Bools) -> LogisticRegression:
    """Weights are rounded: a third of the size, and the same on processors that add up in another order."""
    head = LogisticRegression(solver="liblinear", C=GATE_STRENGTH).fit(matrix, truth)
    head.coef_ = head.coef_.round(WEIGHT_DECIMALS).astype(np.float32)
    return head


def _carried(item: LabelledPost, start: int, end: int) -> list[bool]:
    """For each of SPAN_LABELS, whether a sentence of `_words` holds enough of the evidence."""
    # Without a title, `PostText.text` begins where the body does.
    shift = 0 if item.post.title else len(TITLE_END)
    carried = set()
    for found in item.evidence:
        first, last = found.start + shift, found.end + shift
        shared = min(last, end) - max(first, start)
        if shared > 0 and shared >= MINIMUM_OVERLAP * min(last - first, end - start):
            carried.add(found.signal.value)
    return [label in carried or (label == WILLING and bool(carried & set(WILLING_VALUES))) for label in SPAN_LABELS]
