"""A challenger from labels that analysts gave: new heads on the champion's networks, its gate kept, both measured on the same messages."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coprod_nlp.reading.artefact import (
    CARD,
    SHIPPED,
    Artefact,
    Fitted,
    Manifest,
    load_artefact,
    load_fitted,
    load_manifest,
    load_networks,
    save_artefact,
)
from coprod_nlp.reading.gate import glanced, look
from coprod_nlp.reading.labels import LABELS, WILLING
from coprod_nlp.text.clean import prose
from coprod_nlp.training.card import model_card
from coprod_nlp.training.compare import CHECKED, RECENT, Difference, compare
from coprod_nlp.training.corpus import CORPUS_DIR, LabelledPost, corpus_digest, load_corpus, targets
from coprod_nlp.training.curves import curves_of
from coprod_nlp.training.evaluate import Measured, evaluation, measure
from coprod_nlp.training.features import Seen, see, see_corpus
from coprod_nlp.training.heads import BothHeads, fit_both, score
from coprod_nlp.training.holdout import NO_TIME, Case, HeldBack, folds, hold_back, may_be_seen, require_enough, without_seen
from coprod_nlp.training.measure import Scored, f1_of, histograms
from coprod_nlp.training.split import split_corpus
from coprod_nlp.training.thresholds import Thresholds, load_thresholds

# A labelled post counts as many messages of the corpus, fewer where there are so many that they would count for more than the corpus
# together; never less than one. Chosen by trying 1 to 12 on 300 labels: docs/classifiers.md.
LABEL_WEIGHT = 4.0
# A threshold is shifted for labels with so many new cases, by steps, and no further than this from the champion's.
SHIFT_CASES, SHIFT_STEP, SHIFT_MOST, SHIFT_LEAST = 25, 0.05, 0.15, 0.0001

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
Report = Callable[[str], None]


@dataclass(frozen=True)
class Side:
    """A classifier that is measured. `learned_until` is the time of the newest labelled message it learned from; None for none."""

    directory: Path = SHIPPED
    learned_until: datetime | None = None


@dataclass(frozen=True)
class Retrained:
    """A challenger as it was written.

    Attributes
    ----------
    learned_until
        Time of the newest labelled message it learned from.
    cases
        The labelled messages, in the order of `chances` and `truth`.
    chances, truth
        (cases, LABELS) probabilities from classifiers that did not learn from the case's author, and what people said.
    champion_curves
        What the champion's charts are drawn from, by set; the challenger's stand in its manifest.
    """

    manifest: Manifest
    differences: list[Difference]
    weight: float
    learned_until: datetime
    cases: list[Case]
    chances: Floats
    truth: Bools
    champion_curves: dict[str, Any]


def retrain(
    directory: Path,
    cases: Sequence[Case],
    *,
    made_on: date,
    champion: Side | None = None,
    corpus: Path = CORPUS_DIR,
    is_shifting: bool = False,
    report: Report = lambda _: None,
) -> Retrained:
    """Fit heads on the corpus's tuned share and the labelled messages, measure them beside the champion's, and write a challenger.

    Parameters
    ----------
    directory
        Where to write it; its networks are the champion's, and stay where they are.
    is_shifting
        Whether to shift thresholds for labels with enough new cases.

    Raises
    ------
    RetrainingError
        Where too few messages would be learned from or held back.
    ArtefactError
        Where the champion cannot be loaded.
    """
    champion = champion or Side()
    held = fair_test(hold_back(cases), champion)
    require_enough(held)
    material = _material(load_artefact(champion.directory), held, corpus, report)
    report("heads")
    heads = material.heads_without([])
    report("probabilities out of fold")
    fitted = load_fitted(champion.directory)
    thresholds = material.artefact.manifest.thresholds
    out_of_fold = _out_of_fold(material)
    decide = dict(thresholds)
    if is_shifting:
        decide = shifted(thresholds, out_of_fold, material.learned_truth, close_from=material.artefact.manifest.close_from)
    report("figures")
    before, after = material.measured(BothHeads.of(fitted), thresholds), material.measured(heads, decide)
    manifest = _write(
        directory,
        replace(fitted, heads=heads.deep, close_heads=heads.close),
        material,
        decide,
        after,
        champion,
        made_on=made_on,
        corpus=corpus,
    )
    return Retrained(
        manifest,
        compare(before, after),
        material.weight,
        max(case.written_at or NO_TIME for case in held.learned),
        [*held.learned, *held.recent],
        np.concatenate([out_of_fold, after[RECENT].scored.chances]),
        np.concatenate([material.learned_truth, after[RECENT].scored.truth]),
        {name: curves_of(measured.scored) for name, measured in before.items()},
    )


def measured_beside(champion: Side, challenger: Side, cases: Sequence[Case], *, corpus: Path = CORPUS_DIR) -> list[Difference]:
    """The guarded figures of any two artefacts on the corpus's fixed set and, where there are any, on the newest labelled messages."""
    held = fair_test(hold_back(cases), champion, challenger)
    checked, recent = split_corpus(load_corpus(corpus)).checked, [case.labelled for case in held.recent]
    sets = {CHECKED: checked, RECENT: recent}
    said: dict[tuple[str, ...], dict[str, Seen]] = {}  # by the networks that say it, which are most often the same on both sides
    sides = []
    for side in (champion, challenger):
        artefact, heads = load_artefact(side.directory), BothHeads.of(load_fitted(side.directory))
        manifest, networks = artefact.manifest, (artefact.encoder, artefact.close)
        whose = tuple(manifest.network_hashes.values())
        if whose not in said:
            fixed = see_corpus(*networks, checked, hashes=manifest.network_hashes)
            said[whose] = {CHECKED: fixed, **({RECENT: see(*networks, recent)} if recent else {})}
        sides.append(
            {
                name: measure(score(seen, targets(sets[name]), heads, manifest.thresholds, manifest.close_from))
                for name, seen in said[whose].items()
            }
        )
    return compare(*sides)


def fair_test(held: HeldBack, *sides: Side) -> HeldBack:
    """Without recent messages that a classifier may have learned from; one that was made from these very labels held the same ones back."""
    digest = labels_digest([*held.learned, *held.recent])
    for side in sides:
        if side.learned_until is not None and load_manifest(side.directory).data.get("labels") != digest:
            held = without_seen(held, side.learned_until)
    return held


def label_weight(*, corpus: int, labels: int) -> float:
    """How many messages of the corpus a labelled one counts for."""
    return max(1.0, min(LABEL_WEIGHT, corpus / max(1, labels)))


def shifted(thresholds: Mapping[str, float], chances: Floats, truth: Bools, *, close_from: float) -> dict[str, float]:
    """Thresholds at the best F1 of out-of-fold probabilities, near where they were, for labels with enough cases; the nearest of equals.

    That of `willing` does not fall below `close_from`: what is decided for has been read closely.
    """
    found = dict(thresholds)
    steps = round(SHIFT_MOST / SHIFT_STEP)
    for place, label in enumerate(LABELS):
        if truth[:, place].sum() < SHIFT_CASES:
            continue
        moves = sorted(range(-steps, steps + 1), key=abs)
        least = close_from if label == WILLING else SHIFT_LEAST
        near = [value for move in moves if least <= (value := round(thresholds[label] + move * SHIFT_STEP, 4)) < 1]
        found[label] = max(near, key=lambda value: round(f1_of(chances[:, place] >= value, truth[:, place]), 4))
    return found


def labels_digest(cases: Sequence[Case]) -> str:
    """SHA-256 over the labelled messages, in whatever order they come."""
    rows = sorted(
        json.dumps([case.labelled.post.post_id, case.labelled.post.text, *([label for label in LABELS if case.labelled.has(label)])])
        for case in cases
    )
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


@dataclass(frozen=True)
class _Material:
    """What the networks say of the corpus's tuned and checked shares, and of learned and recent cases; how people chose to decide."""

    artefact: Artefact
    chosen: Thresholds
    held: HeldBack
    tuned: Seen
    tuned_truth: Bools
    learned: Seen
    learned_truth: Bools
    weight: float
    sets: dict[str, tuple[list[LabelledPost], Seen]] = field(default_factory=dict)

    def heads_without(self, rows: Sequence[int]) -> BothHeads:
        """Heads fitted on the tuned share and the learned cases, but for some."""
        kept = np.setdiff1d(np.arange(len(self.learned)), np.asarray(rows, dtype=np.int64))
        weights = np.concatenate([np.ones(len(self.tuned)), np.full(len(kept), self.weight)]).astype(np.float32)
        truth = np.concatenate([self.tuned_truth, self.learned_truth[kept]])
        return fit_both(self.tuned.and_also(self.learned.rows(kept)), truth, self.chosen, weights)

    def scored(self, seen: Seen, truth: Bools, heads: BothHeads, decide: Mapping[str, float]) -> Scored:
        return score(seen, truth, heads, decide, self.artefact.manifest.close_from)

    def measured(self, heads: BothHeads, decide: Mapping[str, float]) -> dict[str, Measured]:
        return {name: measure(self.scored(seen, targets(posts), heads, decide)) for name, (posts, seen) in self.sets.items()}


def _material(artefact: Artefact, held: HeldBack, corpus: Path, report: Report) -> _Material:
    split = split_corpus(load_corpus(corpus))
    learned, recent = ([case.labelled for case in cases] for cases in (held.learned, held.recent))
    report(f"{len(split.tuned):,} messages of the corpus and {len(learned):,} labelled to learn from")
    report(f"{len(split.checked):,} messages of the corpus and {len(recent):,} labelled to test with")
    networks, hashes = (artefact.encoder, artefact.close), artefact.manifest.network_hashes
    tuned, checked = (see_corpus(*networks, posts, hashes=hashes) for posts in (split.tuned, split.checked))
    ours, newest = (see(*networks, posts) for posts in (learned, recent))
    return _Material(
        artefact, load_thresholds(), held, tuned, targets(split.tuned), ours, targets(learned),
        label_weight(corpus=len(tuned), labels=len(learned)),
        {CHECKED: (split.checked, checked), RECENT: (recent, newest)},
    )  # fmt: skip


def _out_of_fold(material: _Material) -> Floats:
    """(learned, LABELS) probabilities by heads that learned from no message of the same author."""
    chances = np.zeros((len(material.learned), len(LABELS)), dtype=np.float32)
    anything = dict.fromkeys(LABELS, 0.5)
    for rows in folds(material.held.learned):
        if rows:
            seen, truth = material.learned.rows(rows), material.learned_truth[rows]
            chances[rows] = material.scored(seen, truth, material.heads_without(rows), anything).chances
    return chances


def _write(
    directory: Path, fitted: Fitted, material: _Material, decide: dict[str, float], after: Mapping[str, Measured], champion: Side, *,
    made_on: date, corpus: Path,
) -> Manifest:  # fmt: skip
    """The challenger and its card."""
    before, held = material.artefact.manifest, material.held
    cases = [*held.learned, *held.recent]
    figures = evaluation(after, communities={RECENT: [case.community for case in held.recent]})
    figures["let_through"] = {name: _let_through(material.artefact, material.sets[name][0], ours.scored) for name, ours in after.items()}
    manifest = save_artefact(
        directory,
        fitted,
        networks=load_networks(champion.directory),
        whole=False,
        made_on=made_on.isoformat(),
        sources=tuple(sorted({*before.sources, *(case.community.partition(":")[0] for case in held.learned)})),
        data={"corpus": corpus_digest(corpus), "labels": labels_digest(cases)},
        messages={
            **{name: count for name, count in before.messages.items() if name == "learned"},
            "tuned": len(material.tuned), CHECKED: len(material.sets[CHECKED][0]),
            "labels learned": len(held.learned), "labels held back": len(held.recent),
        },
        thresholds=decide,
        gate_thresholds=before.gate_thresholds,
        close_from=before.close_from,
        uncertain=before.uncertain,
        figures=figures,
        profile=dict(histograms(after[CHECKED].scored.chances)),
        notes=_notes(material, decide, champion),
        lineage=before.lineage,
    )  # fmt: skip
    (directory / CARD).write_text(model_card(manifest, parent=before.version), encoding="utf-8", newline="\n")
    return manifest


def _notes(material: _Material, decide: Mapping[str, float], champion: Side) -> tuple[str, ...]:
    before = material.artefact.manifest
    moved = [label for label in LABELS if decide[label] != before.thresholds[label]]
    cases = [*material.held.learned, *material.held.recent]
    is_same = before.data.get("labels") == labels_digest(cases)
    seen = [] if is_same else [case for case in material.held.recent if may_be_seen(case, champion.learned_until)]
    notes = [
        *(note for note in before.notes if note.startswith("thresholds chosen on")),
        f"a labelled message counts as {material.weight:.1f} of the corpus",
    ]
    if moved:
        notes.append(f"shifted for the newly labelled messages, out of fold: {', '.join(moved)}")
    if seen:
        notes.append(
            f"the champion may have learned from {len(seen)} of the {len(material.held.recent)} recent messages, which flatters it"
        )
    return tuple(notes)


def _let_through(artefact: Artefact, posts: Sequence[LabelledPost], scored: Scored) -> dict[str, Any]:
    """Of the willing messages that are found with the gate open, how many it lets pass."""
    place = LABELS.index(WILLING)
    found = scored.decided[:, place] & scored.truth[:, place]
    words = [glanced(prose(item.post.title), prose(item.post.body)) for item in posts]
    passed = artefact.gate.passes(artefact.gate.chances(look(words)))
    return {"found": int(found.sum()), "let_through": int((found & passed).sum())}
