"""From the corpus to an artefact: linear heads on posts and on sentences, stacked, calibrated and given thresholds out of fold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold

from coprod_nlp.reading.artefact import SHIPPED, Fitted, Floats, Heads, Manifest, save_artefact
from coprod_nlp.reading.features import PostBatch, fit_vectorisers, look, post_features, sentence_features
from coprod_nlp.reading.labels import FIRST_STACKED, POST_LABELS, SENSITIVE, SENTENCE_LABELS, WILLING
from coprod_nlp.reading.reader import stack
from coprod_nlp.text.tokens import Tokeniser
from coprod_nlp.training.corpus import CORPUS_DIR, LabelledPost, corpus_digest, load_corpus
from coprod_nlp.vocabulary import WILLING_SIGNALS

SEED = 20260401
FOLDS = 5
REGULARISATION = 4.0
WEIGHT_DECIMALS = 2
# Share of an evidence span, or of the sentence, that must be shared for the sentence to carry the signal.
MINIMUM_OVERLAP = 0.4
# The corpus holds far more willing and sensitive messages than life does; probabilities and thresholds are set for these shares.
WILLING_PRIOR, SENSITIVE_PRIOR = 0.12, 0.05
# A missed sensitive message weighs this much against a wrongly withheld one.
SENSITIVE_BETA = 2.0
LABEL_SOURCES = ("project",)

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class _Material:
    """Labelled posts, what the classifiers see of them, and their labels: (posts, POST_LABELS) and (sentences, SENTENCE_LABELS)."""

    posts: list[LabelledPost]
    batch: PostBatch
    post_targets: Bools
    sentence_targets: Bools

    @classmethod
    def of(cls, tokeniser: Tokeniser, posts: list[LabelledPost]) -> "_Material":
        batch = look(tokeniser, [post.post for post in posts])
        post_targets = np.array([[_has(post, label) for label in POST_LABELS] for post in posts])
        tokens = batch.tokens
        sentence_targets = np.array(
            [
                [_carries(posts[post], int(start), int(end), label) for label in SENTENCE_LABELS]
                for post, start, end in zip(tokens.sentence_text, tokens.sentence_start, tokens.sentence_end, strict=True)
            ]
        )
        return cls(posts, batch, post_targets, sentence_targets)

    def target(self, label: str) -> Bools:
        found: Bools = self.post_targets[:, POST_LABELS.index(label)]
        return found


def fit_reading(directory: Path = SHIPPED, *, corpus: Path = CORPUS_DIR, report: Callable[[str], None] = lambda _: None) -> Manifest:
    """Fit everything from the project's own corpus and write the artefact; the same corpus gives the same artefact."""
    tokeniser = Tokeniser()
    material = _Material.of(tokeniser, load_corpus(corpus))
    report(f"{len(material.posts):,} messages, {material.batch.sentences:,} sentences")
    post_logits, stacked = _out_of_fold(tokeniser, material, report)
    willing = _weights(material.target(WILLING), WILLING_PRIOR)
    stackers = {
        label: LogisticRegression(max_iter=1000).fit(stacked[:, place], material.target(label), sample_weight=willing)
        for place, label in enumerate(SENTENCE_LABELS)
    }
    thresholds, figures = _decide(material, post_logits, stacked, stackers, willing)
    report("fitting on the whole corpus")
    return save_artefact(
        directory,
        _fit(material, stackers),
        corpus_sha256=corpus_digest(corpus),
        messages=len(material.posts),
        sources=LABEL_SOURCES,
        post_labels=POST_LABELS,
        sentence_labels=SENTENCE_LABELS,
        thresholds=thresholds,
        figures=figures,
    )


def _fit(material: _Material, stackers: dict[str, LogisticRegression]) -> Fitted:
    post_vectoriser, sentence_vectoriser = fit_vectorisers(material.batch)
    posts, sentences = post_features(post_vectoriser, material.batch), sentence_features(sentence_vectoriser, material.batch)
    return Fitted(
        post_vectoriser,
        {label: _head(posts, material.post_targets[:, place]) for place, label in enumerate(POST_LABELS)},
        sentence_vectoriser,
        {label: _head(sentences, material.sentence_targets[:, place]) for place, label in enumerate(SENTENCE_LABELS)},
        stackers,
    )


def _out_of_fold(tokeniser: Tokeniser, material: _Material, report: Callable[[str], None]) -> tuple[Floats, Floats]:
    """Log-odds of posts (posts, POST_LABELS) and what is stacked (posts, SENTENCE_LABELS, 3), from heads that never saw the post."""
    count = len(material.posts)
    post_logits = np.zeros((count, len(POST_LABELS)), dtype=np.float32)
    stacked = np.zeros((count, len(SENTENCE_LABELS), 3), dtype=np.float32)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    for number, (train, held) in enumerate(folds.split(np.zeros(count), material.target(WILLING)), start=1):
        report(f"fold {number} of {FOLDS}")
        fitted = _fit(_Material.of(tokeniser, [material.posts[row] for row in train]), {})
        batch = look(tokeniser, [material.posts[row].post for row in held])
        whole = Heads.of(fitted.posts).logits(post_features(fitted.post_vectoriser, batch))
        sentences = Heads.of(fitted.sentences).logits(sentence_features(fitted.sentence_vectoriser, batch))
        post_logits[held] = whole
        stacked[held] = stack(whole[:, FIRST_STACKED:], sentences, batch)
    return post_logits, stacked


def _weights(target: Bools, prior: float) -> Floats:
    """Weights under which the corpus has the share of a label's messages that life has."""
    share = target.mean()
    weights: Floats = np.where(target, prior / share, (1 - prior) / (1 - share)).astype(np.float32)
    return weights


def _decide(
    material: _Material, post_logits: Floats, stacked: Floats, stackers: dict[str, LogisticRegression], weights: Floats
) -> tuple[dict[str, float], dict[str, float]]:
    """Thresholds by label, and the figures they give out of fold."""
    chances = {label: expit(post_logits[:, place]) for place, label in enumerate(POST_LABELS[:FIRST_STACKED])}
    chances |= {label: stackers[label].predict_proba(stacked[:, place])[:, 1] for place, label in enumerate(SENTENCE_LABELS)}
    thresholds: dict[str, float] = {}
    figures: dict[str, float] = {}
    for label, chance in chances.items():
        target = material.target(label)
        if label == SENSITIVE:
            thresholds[label], figures["f2_sensitive"] = best_threshold(
                chance, target, _weights(target, SENSITIVE_PRIOR), beta=SENSITIVE_BETA
            )
        else:
            thresholds[label], figures[f"f1_{label}"] = best_threshold(chance, target, weights, beta=1.0)
    figures["ap_willing"] = round(float(average_precision_score(material.target(WILLING), chances[WILLING], sample_weight=weights)), 4)
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


def _head(features: csr_matrix, target: Bools) -> LogisticRegression:
    """A fitted linear classifier, its weights rounded: a third of the size, and the same on processors that add up in another order."""
    head = LogisticRegression(solver="liblinear", C=REGULARISATION, class_weight="balanced").fit(features, target)
    head.coef_ = head.coef_.round(WEIGHT_DECIMALS).astype(np.float32)
    return head


def _has(post: LabelledPost, label: str) -> bool:
    if label == SENSITIVE:
        return post.is_sensitive
    if label == WILLING:
        return bool(post.signals & set(WILLING_SIGNALS))
    return label in post.areas or label in post.signals


def _carries(post: LabelledPost, start: int, end: int, label: str) -> bool:
    """Whether a sentence holds enough of the evidence for a signal."""
    wanted: Sequence[str] = [signal.value for signal in WILLING_SIGNALS] if label == WILLING else [label]
    for item in post.evidence:
        shared = min(item.end, end) - max(item.start, start)
        if item.signal.value in wanted and shared > 0 and shared >= MINIMUM_OVERLAP * min(item.end - item.start, end - start):
            return True
    return False
