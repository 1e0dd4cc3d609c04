"""Model cards say what a manifest knows, and nothing is left out or made up."""

import re
from dataclasses import replace

import numpy as np
import pytest

from coprod_nlp.reading.artefact import CARD, SHIPPED, Manifest, load_manifest
from coprod_nlp.reading.labels import LABELS
from coprod_nlp.training.card import FIGURE_WORDS, model_card
from coprod_nlp.training.compare import GUARDED
from coprod_nlp.training.evaluate import evaluation, measure
from coprod_nlp.training.measure import Scored

SECTIONS = [
    "What it is for", "What it is not for", "Where it comes from", "What it scores", "Thresholds", "Weaknesses", "Licence and base models",
]  # fmt: skip


def scored(messages: int = 60) -> Scored:
    rng = np.random.default_rng(1)
    chances = rng.random((messages, len(LABELS))).astype(np.float32)
    return Scored(chances, chances >= 0.5, rng.random(chances.shape) < 0.3)


@pytest.fixture
def manifest() -> Manifest:
    figures = evaluation(
        {"checked": measure(scored()), "recent": measure(scored(40))}, communities={"recent": ["archive:town"] * 30 + ["archive:hill"] * 10}
    )
    return replace(
        load_manifest(), figures=figures, sources=("archive", "project"), data={"corpus": "c0ffee", "labels": "5eed"},
        messages={"tuned": 1432, "labels learned": 210}, notes=("thresholds chosen on: a set", "a labelled message counts as 4.0"),
    )  # fmt: skip


def test_a_card_has_every_part(manifest: Manifest) -> None:
    card = model_card(manifest, parent="reading-before")
    assert re.findall(r"(?m)^## (.*)$", card) == SECTIONS
    for words in (
        manifest.version, manifest.made_on, "reading-before", "archive, project", "`c0ffee`", "`5eed`", "1,432", "all-MiniLM-L6-v2",
        "Apache-2.0", "60 messages", "`archive:town`", "thresholds chosen on: a set", manifest.encoder_sha256, manifest.close_sha256,
        manifest.estimators_sha256, "all-mpnet-base-v2",
    ):  # fmt: skip
        assert words in card


def test_every_figure_stands_with_its_range_and_every_label_with_its_cases_and_threshold(manifest: Manifest) -> None:
    card = model_card(manifest)
    for name in ("checked", "recent"):
        for figure, words in FIGURE_WORDS.items():
            value, ends = manifest.figures[name][figure], manifest.figures["intervals"][name].get(figure)
            span = f"{ends[0]:.3f} to {ends[1]:.3f}" if ends else "not known"
            assert f"| {words} | {'too few cases' if value is None else f'{value:.3f}'} | {span} |" in card
    tables = (manifest.thresholds, manifest.gate_thresholds)
    for label in LABELS:
        assert f"| {label} | {' | '.join(f'{table[label]:.2f}' for table in tables)} |" in card
    assert f"finds it willing from {manifest.close_from:.2f} on" in card
    assert set(GUARDED) <= set(FIGURE_WORDS)


def test_what_is_not_known_is_said_to_be_so(manifest: Manifest) -> None:
    bare = replace(manifest, figures={"checked": {"willing_f1": 0.5, "willing_p_at_50": None}})
    card = model_card(bare)
    assert "| willing: F1 | 0.500 | not known |" in card
    assert "| willing: precision of the first 50 | too few cases | not known |" in card
    assert "Fitted from the project's corpus alone." in card


def test_a_card_says_how_the_encoder_came_about_where_the_manifest_does(manifest: Manifest) -> None:
    told = model_card(replace(manifest, lineage=("encoder: from a base", "texts: the corpus' own")))
    assert "\n- encoder: from a base\n- texts: the corpus' own\n\n| what |" in told
    assert told.replace("- encoder: from a base\n- texts: the corpus' own\n\n", "") == model_card(replace(manifest, lineage=()))


def test_tables_have_as_many_cells_in_every_row(manifest: Manifest) -> None:
    for table in re.findall(r"(?m)(?:^\|.*\n)+", model_card(manifest)):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_the_card_beside_the_shipped_artefact_is_the_one_of_its_manifest() -> None:
    card = SHIPPED / CARD
    if not card.exists():
        pytest.skip("this artefact was fitted before there were cards; coprod retrain --from-scratch writes one")
    assert card.read_text(encoding="utf-8") == model_card(load_manifest())
