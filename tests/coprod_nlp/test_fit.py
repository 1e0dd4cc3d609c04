"""Fitting: the same corpus gives the same artefact, and a corpus that cannot be used says where."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coprod_nlp.reading.artefact import Manifest, load_artefact
from coprod_nlp.reading.labels import POST_LABELS, SENTENCE_LABELS
from coprod_nlp.reading.reader import Reader
from coprod_nlp.records import PostText, Reading
from coprod_nlp.training.corpus import CorpusError, corpus_digest, load_corpus
from coprod_nlp.training.fit import best_threshold, fit_reading
from coprod_nlp.vocabulary import PolicyArea, Signal

ROUNDS = 8
POSTS = [
    PostText("t1_a", "", "About parks in our street. We offer it on Monday. Rain today."),
    PostText("t1_b", "Waste in our street", "Rain today. We organise it on Friday!"),
    PostText("t1_c", "", "Nothing of the kind."),
]

Row = dict[str, Any]


def tiny_corpus() -> list[Row]:
    """Each policy area and each signal several times, in sentences as plain as can be."""
    rows: list[Row] = []
    signals = list(Signal)
    for turn in range(ROUNDS):
        for place, area in enumerate(PolicyArea):
            signal = signals[(place + 3 * turn) % len(signals)] if (place + turn) % 3 else None
            evidence = f"We {signal} it on Monday." if signal else ""
            rows.append({
                "id": f"made-{len(rows)}", "title": f"{area} again" if place % 2 else "", "areas": [area.value],
                "body": " ".join(filter(None, [f"About {area} in our street.", evidence, "Rain today."])),
                "signals": [signal.value] if signal else [], "sensitive": len(rows) % 9 == 4,
                "evidence": [{"signal": signal.value, "text": evidence}] if signal else [],
            })  # fmt: skip
    return rows


def write_corpus(directory: Path, parts: Mapping[str, list[Row]], *, end: str = "\n") -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    for name, rows in parts.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + end for row in rows)
        (directory / name).write_bytes(text.encode())
    return directory


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = tiny_corpus()
    return write_corpus(tmp_path_factory.mktemp("corpus"), {"a.jsonl": rows[:70], "b.jsonl": rows[70:]})


@pytest.fixture(scope="module")
def fitted(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    directory = tmp_path_factory.mktemp("fitted")
    return directory, fit_reading(directory, corpus=corpus)


def readings(directory: Path) -> list[Reading]:
    return Reader(load_artefact(directory)).read(POSTS)


def test_fitting_twice_gives_the_same_version_the_same_figures_and_the_same_readings(
    fitted: tuple[Path, Manifest], corpus: Path, tmp_path: Path
) -> None:
    directory, manifest = fitted
    again = fit_reading(tmp_path / "again", corpus=corpus)
    assert (again.version, again.thresholds, again.figures) == (manifest.version, manifest.thresholds, manifest.figures)
    assert readings(tmp_path / "again") == readings(directory)
    assert {reading.version for reading in readings(directory)} == {manifest.version}


def test_what_was_fitted_tells_what_the_corpus_taught(fitted: tuple[Path, Manifest]) -> None:
    offer, organise, nothing = readings(fitted[0])
    assert (offer.is_willing, organise.is_willing, nothing.is_willing) == (True, True, False)
    assert Signal.OFFER in offer.signals
    assert Signal.ORGANISE in organise.signals
    assert PolicyArea.PARKS in offer.areas
    assert PolicyArea.WASTE in organise.areas


def test_a_changed_label_gives_another_version(fitted: tuple[Path, Manifest], tmp_path: Path) -> None:
    rows = tiny_corpus()
    rows[0]["areas"] = [PolicyArea.WASTE.value]
    other = write_corpus(tmp_path / "corpus", {"a.jsonl": rows[:70], "b.jsonl": rows[70:]})
    assert fit_reading(tmp_path / "out", corpus=other).version != fitted[1].version


def test_the_manifest_says_what_was_learned_from_and_how_well(fitted: tuple[Path, Manifest], corpus: Path) -> None:
    manifest = fitted[1]
    assert (manifest.corpus_sha256, manifest.messages) == (corpus_digest(corpus), len(tiny_corpus()))
    assert (manifest.post_labels, manifest.sentence_labels) == (POST_LABELS, SENTENCE_LABELS)
    assert set(manifest.thresholds) == set(POST_LABELS)
    named = {f"f1_{label}" for label in POST_LABELS if label != "sensitive"} | {"f2_sensitive", "ap_willing"}
    assert set(manifest.figures) == named
    assert all(0 <= figure <= 1 for figure in manifest.figures.values())
    assert load_artefact(fitted[0]).manifest == manifest


def test_line_ends_of_the_checkout_change_neither_digest_nor_messages(corpus: Path, tmp_path: Path) -> None:
    rows = tiny_corpus()
    windows = write_corpus(tmp_path, {"a.jsonl": rows[:70], "b.jsonl": rows[70:]}, end="\r\n")
    assert corpus_digest(windows) == corpus_digest(corpus)
    assert load_corpus(windows) == load_corpus(corpus)


def test_the_digest_sees_a_message_that_moves_to_another_part(corpus: Path, tmp_path: Path) -> None:
    rows = tiny_corpus()
    assert corpus_digest(write_corpus(tmp_path, {"a.jsonl": rows[:71], "b.jsonl": rows[71:]})) != corpus_digest(corpus)


GOOD: Row = {
    "id": "m1", "title": "", "body": "I can lend my van.", "areas": ["waste"], "signals": ["offer"],
    "evidence": [{"signal": "offer", "text": "I can lend"}], "sensitive": False,
}  # fmt: skip


def test_a_good_line_becomes_a_message_with_its_evidence_in_place(tmp_path: Path) -> None:
    found = load_corpus(write_corpus(tmp_path, {"p1.jsonl": [GOOD | {"title": "Van"}]}))
    assert [(item.post.post_id, item.part, item.areas, item.signals, item.is_sensitive) for item in found] == [
        ("m1", "p1", frozenset({PolicyArea.WASTE}), frozenset({Signal.OFFER}), False)
    ]
    (evidence,) = found[0].evidence
    assert found[0].post.text[evidence.start : evidence.end] == "I can lend"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("{", id="cut off"),
        pytest.param("", id="empty line"),
        pytest.param('["m1"]', id="not an object"),
        pytest.param(json.dumps({key: value for key, value in GOOD.items() if key != "areas"}), id="a key missing"),
        pytest.param(json.dumps(GOOD | {"areas": ["gardens"]}), id="an area that is none"),
        pytest.param(json.dumps(GOOD | {"areas": "waste"}), id="areas not a list"),
        pytest.param(json.dumps(GOOD | {"signals": ["offer", "seek"]}), id="a signal without evidence"),
        pytest.param(json.dumps(GOOD | {"signals": []}), id="evidence without its signal"),
        pytest.param(json.dumps(GOOD | {"evidence": [{"signal": "offer", "text": "my bike"}]}), id="evidence not in the text"),
        pytest.param(json.dumps(GOOD | {"evidence": [{"signal": "offer", "text": ""}]}), id="evidence empty"),
        pytest.param(json.dumps(GOOD | {"evidence": [{"signal": "offer"}]}), id="evidence without words"),
        pytest.param(json.dumps(GOOD | {"evidence": "offer"}), id="evidence a text"),
        pytest.param(json.dumps(GOOD | {"evidence": None}), id="evidence null"),
        pytest.param(json.dumps(GOOD | {"sensitive": "false"}), id="sensitive a text"),
        pytest.param(json.dumps(GOOD | {"title": None}), id="title null"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_with_file_and_line(tmp_path: Path, line: str) -> None:
    write_corpus(tmp_path, {"good.jsonl": [GOOD]})
    (tmp_path / "part.jsonl").write_text(f"{json.dumps(GOOD)}\n{line}\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"part\.jsonl:2: \S"):
        load_corpus(tmp_path)


def test_a_part_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "part.jsonl").write_bytes(json.dumps(GOOD).encode() + b"\n\xff\n")
    with pytest.raises(CorpusError, match=r"part\.jsonl:2"):
        load_corpus(tmp_path)


@pytest.mark.parametrize("mark", ["\u2028", "\x85"], ids=["line separator", "next line"])
def test_a_line_ends_only_at_a_line_feed(tmp_path: Path, mark: str) -> None:
    found = load_corpus(write_corpus(tmp_path, {"part.jsonl": [GOOD | {"title": f"Van{mark}here"}, GOOD]}))
    assert [item.post.title for item in found] == [f"Van{mark}here", ""]


def test_a_folder_without_a_corpus_says_what_was_wanted(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"wanted \*\.jsonl"):
        load_corpus(tmp_path)


@pytest.mark.parametrize(("beta", "expected"), [pytest.param(1.0, 0.61, id="balanced"), pytest.param(3.0, 0.31, id="a miss weighs more")])
def test_the_threshold_is_the_one_of_the_best_weighted_figure(beta: float, expected: float) -> None:
    chance = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3], dtype=np.float32)
    target = np.array([True, True, True, False, False, True, False])
    threshold, figure = best_threshold(chance, target, np.ones(7, dtype=np.float32), beta=beta)
    said = chance >= threshold
    hits = (said & target).sum()
    assert threshold == expected
    assert figure == pytest.approx((1 + beta**2) * hits / (said.sum() + beta**2 * target.sum()), abs=1e-4)
