"""From labelled messages to an artefact: the networks, the heads on them, the gate before them, thresholds and figures.

The networks and the gate learn from five sixths of the corpus; heads and what joins the gate's two verdicts from two thirds of the
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

from coprod_nlp.files import replacing
from coprod_nlp.reading.artefact import CARD, SHIPPED, Fitted, Manifest, Networks, load_manifest, load_networks, save_artefact
from coprod_nlp.reading.base_model import prepared
from coprod_nlp.reading.encoder import Encoder
from coprod_nlp.reading.gate import Gate, best_sentence, glanced, look, sentences_of, stacked
from coprod_nlp.reading.labels import FIRST_SPAN, LABELS, SPAN_LABELS, WILLING, WILLING_VALUES
from coprod_nlp.records import TITLE_END
from coprod_nlp.text.clean import prose
from coprod_nlp.text.wordpieces import Wordpieces
from coprod_nlp.training.card import model_card
from coprod_nlp.training.compare import CHECKED
from coprod_nlp.training.corpus import CORPUS_DIR, LabelledPost, corpus_digest, load_corpus, targets
from coprod_nlp.training.evaluate import evaluation, measure
from coprod_nlp.training.features import see_corpus
from coprod_nlp.training.heads import fit_both, kind_of, require_both, score
from coprod_nlp.training.measure import Scored, histograms
from coprod_nlp.training.milestones import FOLDER, forget
from coprod_nlp.training.split import Split, split_corpus
from coprod_nlp.training.thresholds import Thresholds, load_thresholds

GATE_STRENGTH = 8.0
WEIGHT_DECIMALS = 2
# Share of an evidence span, or of the sentence, that must be shared for the sentence to carry the signal.
MINIMUM_OVERLAP = 0.4

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
Report = Callable[[str], None]


@dataclass(frozen=True)
class Base:
    """What heads are fitted on: the networks, and how they came about (`Manifest.lineage`)."""

    networks: Networks
    lineage: tuple[str, ...]


def fit_reading(
    directory: Path = SHIPPED, *, made_on: date, corpus: Path = CORPUS_DIR, base: Base | None = None, milestones: Path = FOLDER,
    report: Report = lambda _: None,
) -> Manifest:  # fmt: skip
    """Fit the reading from the project's own corpus and write the artefact with its card.

    Parameters
    ----------
    base
        Networks to fit heads on; where there are none, they are fine-tuned, which needs PyTorch and hours.
    milestones
        Where what they learn is kept meanwhile, so that a run that was killed goes on.

    Raises
    ------
    CorpusError
        Where the corpus cannot be used.
    FittingError
        Where it has a label in every message of a share, or in none.
    BaseModelError
        Where a base model is not installed, not whole, or cannot be written.
    """
    thresholds = load_thresholds()
    split = split_corpus(load_corpus(corpus))
    for share in (split.learned, split.tuned):  # before the work of hours
        require_both(targets(share), LABELS)
    report(f"{len(split.learned):,} messages to learn from, {len(split.tuned):,} to tune with, {len(split.checked):,} to check with")
    base_file = prepared()  # so, too
    report("gate")
    gates = fit_gate(split.learned)
    is_new = base is None
    base = base or fine_tuned(split.learned, milestones=milestones, report=report)
    report("heads")
    wordpieces = Wordpieces(base.networks.wordpieces)
    encoders = Encoder(base.networks.encoder, wordpieces), Encoder(base.networks.close, wordpieces, base_file)
    tuned, checked = (see_corpus(*encoders, posts, hashes=base.networks.hashes) for posts in (split.tuned, split.checked))
    heads = fit_both(tuned, targets(split.tuned), thresholds)
    fitted = Fitted(*gates, join_gate(split.tuned, *gates), heads.deep, heads.close)
    scored = score(checked, targets(split.checked), heads, thresholds.decide, thresholds.close_from)
    manifest = save_artefact(
        directory,
        fitted,
        networks=base.networks,
        lineage=base.lineage,
        **_facts(split, scored, thresholds, made_on=made_on, corpus=corpus),
    )
    with replacing(directory / CARD) as draft:
        draft.write_text(model_card(manifest), encoding="utf-8", newline="\n")
    if is_new:
        forget(milestones)
    return manifest


def _facts(split: Split, scored: Scored, thresholds: Thresholds, *, made_on: date, corpus: Path) -> dict[str, Any]:
    """What the manifest says of an artefact."""
    return {
        "made_on": made_on.isoformat(),
        "sources": ("project",),
        "data": {"corpus": corpus_digest(corpus)},
        "messages": {"learned": len(split.learned), "tuned": len(split.tuned), "checked": len(split.checked)},
        "thresholds": thresholds.decide,
        "gate_thresholds": {label: thresholds.gate[kind_of(label)] for label in LABELS},
        "close_from": thresholds.close_from,
        "uncertain": thresholds.uncertain,
        "figures": evaluation({CHECKED: measure(scored)}),
        "profile": dict(histograms(scored.chances)),
        "notes": (f"thresholds chosen on: {thresholds.chosen_on}",),
    }


def fine_tuned(learned: Sequence[LabelledPost], *, milestones: Path, report: Report) -> Base:
    """New networks from the base models; this alone needs PyTorch."""
    from coprod_nlp.training.bases import minilm_definition
    from coprod_nlp.training.distil import DISTILLATION, distil, lineage
    from coprod_nlp.training.export import to_adapter_onnx, to_onnx

    large, small = distil(learned, recipe=DISTILLATION, milestones=milestones, report=report)
    return Base(Networks(to_onnx(small), to_adapter_onnx(large), minilm_definition()), lineage(DISTILLATION))


def shipped_base() -> Base:
    return Base(load_networks(), load_manifest().lineage)


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


def _words(item: LabelledPost) -> str:
    """Prose as the reader hands it to the gate."""
    return glanced(prose(item.post.title), prose(item.post.body))


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
