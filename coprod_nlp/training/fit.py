"""From labelled messages to an artefact: the encoder, the heads on it, the gate before it, thresholds and figures.

The encoder and the gate learn from five sixths of the corpus; heads and the gate's thresholds from two thirds of the sixth that
neither has seen, since what a network says of the messages it learned by heart is no guide to what it says of others. The last
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

from coprod_nlp.reading.artefact import CARD, SHIPPED, Fitted, Heads, Manifest, load_encoder, save_artefact
from coprod_nlp.reading.encoder import Encoder, features
from coprod_nlp.reading.gate import Gate, best_sentence, look, sentences_of, stacked
from coprod_nlp.reading.labels import AREAS, FIRST_SPAN, LABELS, SENSITIVE, SPAN_LABELS, WILLING, WILLING_VALUES
from coprod_nlp.records import TITLE_END
from coprod_nlp.text.clean import prose
from coprod_nlp.text.wordpieces import Wordpieces
from coprod_nlp.training.card import model_card
from coprod_nlp.training.compare import CHECKED
from coprod_nlp.training.corpus import CORPUS_DIR, LabelledPost, corpus_digest, load_corpus, targets
from coprod_nlp.training.evaluate import evaluation
from coprod_nlp.training.measure import Scored, histograms
from coprod_nlp.training.split import split_corpus
from coprod_nlp.training.thresholds import Thresholds, load_thresholds

GATE_STRENGTH = 8.0
HEAD_STRENGTH = 0.01
WEIGHT_DECIMALS = 2
# Share of an evidence span, or of the sentence, that must be shared for the sentence to carry the signal.
MINIMUM_OVERLAP = 0.4

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
Report = Callable[[str], None]


@dataclass(frozen=True)
class Base:
    """What heads and gate are fitted on: an encoder's model and its wordpieces."""

    model: bytes
    definition: str


def fit_reading(
    directory: Path = SHIPPED, *, made_on: date, corpus: Path = CORPUS_DIR, base: Base | None = None, report: Report = lambda _: None
) -> Manifest:
    """Fit the reading from the project's own corpus and write the artefact with its card.

    Parameters
    ----------
    base
        An encoder to fit heads and gate on; where there is none, one is fine-tuned, which needs PyTorch and most of an hour.
    """
    split = split_corpus(load_corpus(corpus))
    report(f"{len(split.learned):,} messages to learn from, {len(split.tuned):,} to tune with, {len(split.checked):,} to check with")
    base = base or fine_tuned(split.learned, report)
    report("gate")
    gate_posts, gate_sentences = fit_gate(split.learned)
    report("heads")
    encoder = Encoder(base.model, Wordpieces(base.definition))
    tuned, checked = encode_all(encoder, split.tuned), encode_all(encoder, split.checked)
    heads = fit_heads(tuned, targets(split.tuned))
    thresholds = load_thresholds()
    joint, gate_thresholds = open_gate(
        split.tuned, gate_posts, gate_sentences, score(tuned, targets(split.tuned), heads, thresholds.decide), thresholds
    )
    scored = score(checked, targets(split.checked), heads, thresholds.decide)
    manifest = save_artefact(
        directory,
        Fitted(gate_posts, gate_sentences, joint, heads),
        encoder=base.model,
        wordpieces=base.definition,
        made_on=made_on.isoformat(),
        sources=("project",),
        data={"corpus": corpus_digest(corpus)},
        messages={"learned": len(split.learned), "tuned": len(split.tuned), "checked": len(split.checked)},
        thresholds=thresholds.decide,
        gate_thresholds=gate_thresholds,
        uncertain=thresholds.uncertain,
        figures=evaluation({CHECKED: scored}),
        profile=dict(histograms(scored.chances)),
        notes=(f"thresholds chosen on: {thresholds.chosen_on}",),
    )
    (directory / CARD).write_text(model_card(manifest), encoding="utf-8", newline="\n")
    return manifest


def fine_tuned(learned: Sequence[LabelledPost], report: Report) -> Base:
    """A new encoder from the base model; this alone needs PyTorch."""
    from coprod_nlp.training.encoder import Recipe, base_definition, fine_tune
    from coprod_nlp.training.export import to_onnx

    return Base(to_onnx(fine_tune(learned, recipe=Recipe(), report=report)), base_definition())


def shipped_base() -> Base:
    return Base(*load_encoder())


def encode_all(encoder: Encoder, posts: Sequence[LabelledPost]) -> Floats:
    """(posts, FEATURES) what the heads see of labelled messages."""
    return features([encoder.encode(prose(item.post.title), prose(item.post.body)) for item in posts])


def fit_heads(encoded: Floats, truth: Bools, weights: Floats | None = None) -> dict[str, LogisticRegression]:
    """One classifier a label over everything the encoder says, on features brought to one scale and back again.

    Parameters
    ----------
    weights
        (posts,) how much each message counts; all alike where None.
    """
    centre, scale = encoded.mean(axis=0), encoded.std(axis=0) + 1e-6
    heads = {}
    for place, label in enumerate(LABELS):
        head = LogisticRegression(C=HEAD_STRENGTH, max_iter=1000).fit((encoded - centre) / scale, truth[:, place], sample_weight=weights)
        heads[label] = _unscaled(head, centre, scale)
    return heads


def fit_gate(
    posts: Sequence[LabelledPost],
) -> tuple[dict[str, LogisticRegression], dict[str, LogisticRegression]]:
    """Classifiers of posts and of their sentences."""
    batch = look([_words(item) for item in posts])
    truth = targets(posts)
    spans = np.array([_carried(item, start, end) for item in posts for start, end in sentences_of(_words(item))], dtype=bool)
    return (
        {label: _gate_head(batch.posts, truth[:, place]) for place, label in enumerate(LABELS)},
        {label: _gate_head(batch.sentences, spans[:, place]) for place, label in enumerate(SPAN_LABELS)},
    )


def open_gate(
    held: Sequence[LabelledPost],
    posts: Mapping[str, LogisticRegression],
    sentences: Mapping[str, LogisticRegression],
    scored: Scored,
    thresholds: Thresholds,
) -> tuple[dict[str, LogisticRegression], dict[str, float]]:
    """What joins a post with its best sentence, and from which probability on the gate lets it pass.

    A label's threshold lets through the wanted share of the held back messages for which the deep reading decides for it.
    """
    nothing = np.zeros((len(SPAN_LABELS), 3), dtype=np.float32)
    gate = Gate(*stacked(posts), *stacked(sentences), nothing, np.ones(len(LABELS), dtype=np.float32))
    batch = look([_words(item) for item in held])
    whole = gate.post_logits(batch)[:, FIRST_SPAN:]
    best = best_sentence(gate.sentence_logits(batch), batch.of_post, whole)
    truth = scored.truth[:, FIRST_SPAN:]
    joint = {}
    for place, label in enumerate(SPAN_LABELS):
        joint[label] = LogisticRegression(max_iter=1000).fit(np.stack([whole[:, place], best[:, place]], axis=1), truth[:, place])
    weights, constants = stacked(joint)
    chances = Gate(*stacked(posts), *stacked(sentences), np.concatenate([weights.T, constants[:, None]], axis=1), gate.thresholds).chances(
        batch
    )
    found = {}
    for place, label in enumerate(LABELS):
        wanted = chances[scored.decided[:, place], place]
        found[label] = round(float(np.quantile(wanted, 1 - thresholds.gate[_kind(label)])), 4) if len(wanted) else 1.0
    return joint, found


def score(encoded: Floats, truth: Bools, heads: Mapping[str, LogisticRegression], decide: Mapping[str, float]) -> Scored:
    """Probabilities and decisions of the deep reading beside the truth."""
    chances = Heads(*stacked(heads)).chances(encoded)
    return Scored(chances, chances >= np.array([decide[label] for label in LABELS]), truth)


def _kind(label: str) -> str:
    return "area" if label in AREAS else label if label in (SENSITIVE, WILLING) else "willing" if label in WILLING_VALUES else "signal"


def _words(item: LabelledPost) -> str:
    """Prose as the reader hands it to the gate."""
    return prose(item.post.title) + TITLE_END + prose(item.post.body)


def _gate_head(matrix: Any, truth: Bools) -> LogisticRegression:
    """Weights are rounded: a third of the size, and the same on processors that add up in another order."""
    head = LogisticRegression(solver="liblinear", C=GATE_STRENGTH).fit(matrix, truth)
    head.coef_ = head.coef_.round(WEIGHT_DECIMALS).astype(np.float32)
    return head


def _unscaled(head: LogisticRegression, centre: Floats, scale: Floats) -> LogisticRegression:
    """The same classifier for features as they come."""
    weights = head.coef_[0] / scale
    head.intercept_ = np.array([head.intercept_[0] - float(weights @ centre)], dtype=np.float32)
    head.coef_ = weights[None].astype(np.float32)
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
