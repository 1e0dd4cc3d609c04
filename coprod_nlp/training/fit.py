"""From the corpus to an artefact: linear heads on posts and on sentences, stacked, calibrated and given thresholds out of fold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold

from coprod_nlp.reading.artefact import SHIPPED, Floats, Heads, Manifest, save_artefact
from coprod_nlp.reading.features import Sentence, post_vectoriser, sentence_vectoriser, split
from coprod_nlp.reading.reader import GATE, POST_LABELS, SENSITIVE, SENTENCE_LABELS, STACKED_LABELS, WILLING, stack_features
from coprod_nlp.text.clean import prose
from coprod_nlp.text.pipeline import build_nlp
from coprod_nlp.training.corpus import LabelledPost, corpus_digest, load_corpus
from coprod_nlp.vocabulary import WILLING_SIGNALS, PolicyArea, Signal

SEED = 20260401
FOLDS = 5
REGULARISATION = 4.0
# Share of an evidence span, or of the sentence, that must be shared for the sentence to carry the signal.
MINIMUM_OVERLAP = 0.4
# The corpus holds far more willing messages than life does; probabilities are calibrated to this share instead.
WILLING_PRIOR = 0.12
SENSITIVE_PRIOR = 0.05
# A missed sensitive message weighs this much against a wrongly withheld one.
SENSITIVE_BETA = 2.0
# Share of the corpus' messages with a signal that the gate must let through.
GATE_RECALL = 0.99
LABEL_SOURCES = ("project",)

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class _Material:
    """The corpus as arrays: texts, sentences and, for each sentence, the row of its post."""

    posts: list[LabelledPost]
    texts: list[str]
    sentences: list[list[Sentence]]

    def post_targets(self, label: str) -> Bools:
        return np.array([_has(post, label) for post in self.posts])

    def sentence_targets(self, label: str, rows: Sequence[int]) -> Bools:
        return np.array([_carries(self.posts[row], sentence, label) for row in rows for sentence in self.sentences[row]])


def fit_reading(directory: Path = SHIPPED, *, report: Callable[[str], None] = lambda _: None) -> Manifest:
    """Fit everything from the project's own corpus and write the artefact; the same corpus gives the same artefact."""
    posts = load_corpus()
    nlp = build_nlp()
    material = _Material(posts, [prose(post.post.text) for post in posts], [split(nlp, post.post) for post in posts])
    report(f"{len(posts):,} messages, {sum(map(len, material.sentences)):,} sentences")
    post_logits, features = _out_of_fold(material, report)
    willing = material.post_targets(WILLING)
    stackers = {label: _stacker(features[label], material.post_targets(label), willing) for label in STACKED_LABELS}
    thresholds, figures = _decide(material, post_logits, features, stackers)
    report("fitting on the whole corpus")
    everything = range(len(posts))
    heads = _fit_heads(material, list(everything))
    return save_artefact(
        directory,
        manifest={
            "corpus_sha256": corpus_digest(),
            "messages": len(posts),
            "sources": LABEL_SOURCES,
            "post_labels": POST_LABELS,
            "sentence_labels": SENTENCE_LABELS,
            "thresholds": thresholds,
            "figures": figures,
        },
        posts=heads[0],
        sentences=heads[1],
        stackers=stackers,
    )


Fitted = tuple[TfidfVectorizer, dict[str, LogisticRegression]]


def _fit_heads(material: _Material, rows: list[int]) -> tuple[Fitted, Fitted]:
    """Post heads and sentence heads on some rows of the corpus."""
    post_vectors, sentence_vectors = post_vectoriser(), sentence_vectoriser()
    post_features = post_vectors.fit_transform([material.texts[row] for row in rows])
    sentence_features = sentence_vectors.fit_transform([sentence.seen for row in rows for sentence in material.sentences[row]])
    posts = {label: _linear().fit(post_features, material.post_targets(label)[rows]) for label in POST_LABELS}
    sentences = {label: _linear().fit(sentence_features, material.sentence_targets(label, rows)) for label in SENTENCE_LABELS}
    return (post_vectors, posts), (sentence_vectors, sentences)


def _out_of_fold(material: _Material, report: Callable[[str], None]) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Log-odds of posts by label, and stacking features by label, each from heads that never saw the post."""
    count = len(material.posts)
    post_logits = np.zeros((count, len(POST_LABELS)), dtype=np.float32)
    features = {label: np.zeros((count, 3), dtype=np.float32) for label in STACKED_LABELS}
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    for number, (train, held) in enumerate(folds.split(np.zeros(count), material.post_targets(WILLING)), start=1):
        report(f"fold {number} of {FOLDS}")
        fitted_posts, fitted_sentences = _fit_heads(material, list(train))
        posts, sentences = Heads.of(*fitted_posts), Heads.of(*fitted_sentences)
        post_logits[held] = posts.logits([material.texts[row] for row in held])
        for row in held:
            found = material.sentences[row]
            logits = sentences.logits([sentence.seen for sentence in found]) if found else None
            for label in STACKED_LABELS:
                features[label][row] = stack_features(label, post_logits[row, POST_LABELS.index(label)], logits)
    return {label: post_logits[:, place] for place, label in enumerate(POST_LABELS)}, features


def _stacker(features: Floats, target: Bools, willing: Bools) -> LogisticRegression:
    return LogisticRegression(C=1.0, max_iter=1000).fit(features, target, sample_weight=_weights(willing))


def _weights(target: Bools, prior: float = WILLING_PRIOR) -> Floats:
    """Weights under which the corpus has the share of a label's messages that life has."""
    share = target.mean()
    weights: Floats = np.where(target, prior / share, (1 - prior) / (1 - share)).astype(np.float32)
    return weights


def _decide(
    material: _Material, post_logits: dict[str, Floats], features: dict[str, Floats], stackers: dict[str, LogisticRegression]
) -> tuple[dict[str, float], dict[str, float]]:
    """Thresholds by label, and the figures they give out of fold."""
    weights = _weights(material.post_targets(WILLING))
    chances = {area.value: expit(post_logits[area.value]) for area in PolicyArea}
    chances |= {label: stackers[label].predict_proba(features[label])[:, 1] for label in STACKED_LABELS}
    chances[SENSITIVE] = expit(post_logits[SENSITIVE])
    thresholds: dict[str, float] = {}
    figures: dict[str, float] = {}
    for label, chance in chances.items():
        target = material.post_targets(label)
        if label == SENSITIVE:
            some, beta = _weights(target, SENSITIVE_PRIOR), SENSITIVE_BETA
        else:
            some, beta = weights, 1.0
        thresholds[label], figures[f"f{beta:g}_{label}"] = best_threshold(chance, target, some, beta=beta)
    figures["ap_willing"] = round(
        float(average_precision_score(material.post_targets(WILLING), chances[WILLING], sample_weight=weights)), 4
    )
    has_signal = np.logical_or.reduce([material.post_targets(signal.value) for signal in Signal])
    strongest = np.max([expit(post_logits[label]) for label in SENTENCE_LABELS], axis=0)
    thresholds[GATE] = round(float(np.quantile(strongest[has_signal], 1 - GATE_RECALL)), 4)
    figures["gate_passes"] = round(float(np.average(strongest >= thresholds[GATE], weights=weights)), 4)
    return thresholds, figures


def best_threshold(chance: Floats, target: Bools, weights: Floats, *, beta: float) -> tuple[float, float]:
    """The threshold of the best weighted F-beta, and that figure."""
    best = (0.5, 0.0)
    for threshold in np.round(np.arange(0.05, 0.96, 0.01), 2):
        said = chance >= threshold
        hits = weights[said & target].sum()
        figure = (1 + beta**2) * hits / (weights[said].sum() + beta**2 * weights[target].sum())
        if figure > best[1]:
            best = (float(threshold), float(figure))
    return best[0], round(best[1], 4)


def _linear() -> LogisticRegression:
    return LogisticRegression(C=REGULARISATION, class_weight="balanced", max_iter=2000)


def _has(post: LabelledPost, label: str) -> bool:
    if label == SENSITIVE:
        return post.is_sensitive
    if label == WILLING:
        return bool(post.signals & set(WILLING_SIGNALS))
    return label in post.areas or label in post.signals


def _carries(post: LabelledPost, sentence: Sentence, label: str) -> bool:
    """Whether a sentence holds enough of the evidence for a signal."""
    for item in post.evidence:
        if item.signal == label or (label == WILLING and item.signal in WILLING_SIGNALS):
            shared = min(item.end, sentence.end) - max(item.start, sentence.start)
            if shared > 0 and shared >= MINIMUM_OVERLAP * min(item.end - item.start, sentence.end - sentence.start):
                return True
    return False
