"""Fitting: the same corpus gives the same artefact, each message has one use, and a corpus that cannot be used says where."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coprod_nlp.reading.artefact import CARD, Manifest, load_artefact, load_manifest
from coprod_nlp.reading.labels import AREAS, LABELS, SENSITIVE, SIGNALS, WILLING, WILLING_VALUES
from coprod_nlp.reading.reader import Reader
from coprod_nlp.records import Evidence, PostText, Reading
from coprod_nlp.training.corpus import CorpusError, LabelledPost, corpus_digest, load_corpus, targets
from coprod_nlp.training.fit import fit_reading, shipped_base
from coprod_nlp.training.heads import FittingError, kind_of
from coprod_nlp.training.split import CHECKS, SHARES, TUNES, share_of, split_corpus
from coprod_nlp.training.thresholds import load_thresholds
from coprod_nlp.vocabulary import PolicyArea, Signal

MADE_ON = date(2024, 5, 1)
# Cases of every label among the messages that tune, and among those that check.
MINIMUM_SHARE_CASES = 8
# How often each area occurs among what is learned from, tuned with and checked with.
ROUNDS = {"learned": 8, "tuned": 4, "checked": 2}
POSTS = [
    PostText("t1_a", "", "About parks in our street. We offer it on Monday. Rain today."),
    PostText("t1_b", "Waste in our street", "Rain today. We organise it on Friday!"),
    PostText("t1_c", "", "Nothing of the kind."),
]

Row = dict[str, Any]


def ids() -> dict[str, Iterator[str]]:
    """Endless identifiers, by what the split uses their messages for."""

    def of(shares: Sequence[int]) -> Iterator[str]:
        return (name for name in (f"made-{number}" for number in count()) if share_of(name) in shares)

    return {"learned": of([s for s in range(SHARES) if s not in (*TUNES, *CHECKS)]), "tuned": of(TUNES), "checked": of(CHECKS)}


def tiny_corpus() -> list[Row]:
    """Each policy area and each signal several times in every share, in sentences as plain as can be."""
    rows: list[Row] = []
    signals, names = list(Signal), ids()
    for use, rounds in ROUNDS.items():
        for turn in range(rounds):
            for place, area in enumerate(PolicyArea):
                signal = signals[(place + 3 * turn) % len(signals)] if (place + turn) % 3 else None
                evidence = f"We {signal} it on Monday." if signal else ""
                rows.append({
                    "id": next(names[use]), "title": f"{area} again" if place % 2 else "", "areas": [area.value],
                    "body": " ".join(filter(None, [f"About {area} in our street.", evidence, "Rain today."])),
                    "signals": [signal.value] if signal else [], "sensitive": len(rows) % 9 == 4,
                    "evidence": [{"signal": signal.value, "text": evidence}] if signal else [],
                })  # fmt: skip
    return rows


def use_of(row: Row) -> str:
    share = share_of(row["id"])
    return "tuned" if share in TUNES else "checked" if share in CHECKS else "learned"


def write_corpus(directory: Path, parts: Mapping[str, list[Row]], *, end: str = "\n") -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    for name, rows in parts.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + end for row in rows)
        (directory / name).write_bytes(text.encode())
    return directory


def fit(directory: Path, corpus: Path) -> Manifest:
    """On the shipped networks, which needs no PyTorch."""
    return fit_reading(directory, made_on=MADE_ON, corpus=corpus, base=shipped_base())


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = tiny_corpus()
    return write_corpus(tmp_path_factory.mktemp("corpus"), {"a.jsonl": rows[:70], "b.jsonl": rows[70:]})


@pytest.fixture(scope="module")
def fitted(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    directory = tmp_path_factory.mktemp("fitted")
    return directory, fit(directory, corpus)


def readings(directory: Path) -> list[Reading]:
    return Reader(load_artefact(directory)).read(POSTS)


def test_fitting_twice_gives_the_same_version_the_same_figures_and_the_same_readings(
    fitted: tuple[Path, Manifest], corpus: Path, tmp_path: Path
) -> None:
    directory, manifest = fitted
    again = fit(tmp_path / "again", corpus)
    assert (again.version, again.gate_thresholds, again.figures) == (manifest.version, manifest.gate_thresholds, manifest.figures)
    assert readings(tmp_path / "again") == readings(directory)
    assert {reading.version for reading in readings(directory)} == {manifest.version}


def test_what_was_fitted_tells_what_the_corpus_taught(fitted: tuple[Path, Manifest]) -> None:
    reader = Reader(load_artefact(fitted[0]), is_always_deep=True)
    assert [reading.is_willing for reading in reader.read(POSTS)] == [True, True, False]
    offer, organise, nothing = (reader.explain(post).chances for post in POSTS)
    assert offer[Signal.OFFER] > 10 * nothing[Signal.OFFER]
    assert organise[Signal.ORGANISE] > 10 * nothing[Signal.ORGANISE]
    assert [reading.is_deep for reading in readings(fitted[0])[:2]] == [True, True], "the gate keeps back what it was taught to let pass"


def test_a_changed_label_gives_another_version(fitted: tuple[Path, Manifest], tmp_path: Path) -> None:
    rows = tiny_corpus()
    rows[0]["areas"] = [PolicyArea.WASTE.value]
    other = write_corpus(tmp_path / "corpus", {"a.jsonl": rows[:70], "b.jsonl": rows[70:]})
    assert fit(tmp_path / "out", other).version != fitted[1].version


@pytest.mark.parametrize("everywhere", [True, False], ids=["in every message", "in none"])
@pytest.mark.parametrize("use", ["learned", "tuned"])
def test_a_label_that_a_share_has_everywhere_or_nowhere_is_named_before_anything_is_fitted(
    tmp_path: Path, use: str, everywhere: bool
) -> None:
    rows = [row | {"sensitive": everywhere} if use_of(row) == use else row for row in tiny_corpus()]
    count = sum(use_of(row) == use for row in rows)
    said = rf"of {count} messages .*: sensitive in {count if everywhere else 0}; wanted .*: write or label messages"
    with pytest.raises(FittingError, match=said):
        fit_reading(tmp_path / "out", made_on=MADE_ON, corpus=write_corpus(tmp_path / "corpus", {"a.jsonl": rows}))
    assert not (tmp_path / "out").exists()


def test_the_manifest_says_what_was_learned_from_and_how_well(fitted: tuple[Path, Manifest], corpus: Path) -> None:
    directory, manifest = fitted
    assert manifest == load_manifest(directory)
    assert (manifest.made_on, manifest.sources, manifest.data) == ("2024-05-01", ("project",), {"corpus": corpus_digest(corpus)})
    assert manifest.messages == {use: rounds * len(AREAS) for use, rounds in ROUNDS.items()}
    assert (manifest.thresholds, manifest.uncertain) == (load_thresholds().decide, load_thresholds().uncertain)
    assert manifest.gate_thresholds == {label: load_thresholds().gate[kind_of(label)] for label in LABELS}
    assert manifest.close_from == load_thresholds().close_from
    figures = manifest.figures["checked"]
    assert figures["messages"] == manifest.messages["checked"]
    assert figures["willing_messages"] == sum(post.has(WILLING) for post in split_corpus(load_corpus(corpus)).checked)
    assert all(0 <= value <= 1 for name, value in figures.items() if value is not None and not name.endswith("messages"))
    assert manifest.version in (directory / CARD).read_text(encoding="utf-8")
    assert manifest.lineage == load_manifest().lineage, "the networks are the shipped ones"
    for shares in manifest.profile.values():
        assert sum(shares) == pytest.approx(1, abs=1e-3)


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


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file here that opens and cannot be read")
def test_a_part_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "part.jsonl").symlink_to("/proc/self/mem")
    with pytest.raises(CorpusError, match=r"part\.jsonl: cannot be read \(Input/output error\); check"):
        load_corpus(tmp_path)


@pytest.mark.parametrize("mark", ["\u2028", "\x85"], ids=["line separator", "next line"])
def test_a_line_ends_only_at_a_line_feed(tmp_path: Path, mark: str) -> None:
    found = load_corpus(write_corpus(tmp_path, {"part.jsonl": [GOOD | {"title": f"Van{mark}here"}, GOOD]}))
    assert [item.post.title for item in found] == [f"Van{mark}here", ""]


def test_a_folder_without_a_corpus_says_what_was_wanted(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"wanted \*\.jsonl"):
        load_corpus(tmp_path)


def labelled(post_id: str, *, areas: Sequence[str] = (), signals: Sequence[str] = (), is_sensitive: bool = False) -> LabelledPost:
    evidence = tuple(Evidence(Signal(signal), 0, 4) for signal in signals)
    return LabelledPost(PostText(post_id, "", "some words"), frozenset(map(PolicyArea, areas)), evidence, is_sensitive, "part")


@given(st.sets(st.sampled_from(AREAS), max_size=3), st.sets(st.sampled_from(SIGNALS), max_size=4), st.booleans())
@example(set(), {"propose"}, False)
def test_targets_say_what_a_message_is_and_willing_follows_from_its_signals(areas: set[str], signals: set[str], is_sensitive: bool) -> None:
    post = labelled("a", areas=sorted(areas), signals=sorted(signals), is_sensitive=is_sensitive)
    table = targets([post, labelled("b")])
    said = {label for label, is_so in zip(LABELS, table[0], strict=True) if is_so}
    wanted = areas | signals | ({SENSITIVE} if is_sensitive else set()) | ({WILLING} if signals & set(WILLING_VALUES) else set())
    assert said == wanted
    assert not table[1].any()


def test_targets_of_no_messages_have_a_column_for_every_label() -> None:
    assert targets([]).shape == (0, len(LABELS))
    assert targets([]).dtype == np.bool_


NAMES = st.lists(st.text(max_size=8), unique=True, max_size=40)


@given(NAMES)
def test_every_message_has_exactly_one_use(names: list[str]) -> None:
    split = split_corpus([labelled(name) for name in names])
    shares = [[post.post.post_id for post in share] for share in (split.learned, split.tuned, split.checked)]
    assert Counter(name for share in shares for name in share) == Counter(names)
    assert all(share == [name for name in names if name in share] for share in shares)


@given(NAMES, NAMES)
def test_a_message_keeps_its_use_whatever_is_added_and_in_whatever_order(names: list[str], added: list[str]) -> None:
    before = split_corpus([labelled(name) for name in names])
    after = split_corpus([labelled(name) for name in dict.fromkeys([*added, *reversed(names)])])
    for use in ("learned", "tuned", "checked"):
        assert {post.post.post_id for post in getattr(before, use)} <= {post.post.post_id for post in getattr(after, use)}


def test_the_use_of_a_message_is_the_same_on_every_machine() -> None:
    """By the first four bytes of the SHA-256 of its identifier; were it another, the figures of old versions could not be compared."""
    assert [share_of(name) for name in ("c01-001", "c07-354", "c34-037", "")] == [11, 14, 3, 14]
    assert share_of("Zoë") == int(hashlib.sha256("Zoë".encode()).hexdigest()[:8], 16) % SHARES


def test_of_the_corpus_fifteen_parts_teach_two_tune_and_one_checks() -> None:
    posts = load_corpus()
    split = split_corpus(posts)
    parts = [len(share) * 18 / len(posts) for share in (split.learned, split.tuned, split.checked)]
    assert parts == pytest.approx([15, 2, 1], rel=0.1)


@pytest.mark.parametrize("label", LABELS)
def test_every_label_has_cases_to_tune_and_to_check_with(label: str) -> None:
    split = split_corpus(load_corpus())
    for share in (split.tuned, split.checked):
        cases = sum(post.has(label) for post in share)
        assert MINIMUM_SHARE_CASES <= cases < len(share)
