"""The table of thresholds: one probability for every label, and a word about any that is none."""

import re
from pathlib import Path

import pytest

from coprod_nlp.reading.labels import LABELS
from coprod_nlp.training.thresholds import FILE, load_thresholds

KINDS = {"willing", "area", "sensitive", "signal"}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A copy that a test may change."""
    path = tmp_path / "thresholds.toml"
    path.write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    return path


def change(path: Path, pattern: str, replacement: str, *, under: str = "") -> Path:
    """Change the first line that fits, of the whole table or from a heading on."""
    text = path.read_text(encoding="utf-8")
    start = text.index(f"[{under}]") if under else 0
    changed, changes = re.subn(rf"(?m)^{pattern}$", replacement, text[start:], count=1)
    assert changes == 1
    path.write_text(text[:start] + changed, encoding="utf-8")
    return path


def test_the_projects_table_has_a_probability_for_every_label_and_says_where_it_was_chosen() -> None:
    thresholds = load_thresholds()
    assert tuple(thresholds.decide) == LABELS
    assert all(0 < value < 1 for value in thresholds.decide.values())
    assert 0 < thresholds.uncertain[0] < thresholds.uncertain[1] < 1
    assert set(thresholds.gate) == KINDS
    assert all(0 < value < 1 for value in thresholds.gate.values())
    assert 0 < thresholds.close_from <= thresholds.decide["willing"]
    assert min(thresholds.willing_scale[0], thresholds.close_willing_scale[0]) > 0
    assert thresholds.chosen_on.strip()


def test_what_is_written_is_what_is_read(table: Path) -> None:
    change(change(table, "willing = .*", "willing = 0.25"), "uncertain = .*", "uncertain = [0.125, 0.5]")
    found = load_thresholds(table)
    assert (found.decide["willing"], found.uncertain) == (0.25, (0.125, 0.5))


def test_each_stage_has_its_own_thresholds_and_scale(table: Path) -> None:
    for kind in KINDS:
        change(table, f"{kind} = .*", f"{kind} = 0.4", under="gate")
    change(table, "close_from = .*", "close_from = 0.125")
    change(change(table, "willing_scale = .*", "willing_scale = [0.5, 1]"), "close_willing_scale = .*", "close_willing_scale = [2, -1]")
    found = load_thresholds(table)
    assert (found.gate, found.close_from) == (dict.fromkeys(KINDS, 0.4), 0.125)
    assert (found.willing_scale, found.close_willing_scale) == ((0.5, 1.0), (2.0, -1.0))


@pytest.mark.parametrize("value", ["0", "0.0", "1", "1.0", "1.5", "-0.2", "nan", "inf", "40"])
@pytest.mark.parametrize("label", [LABELS[0], LABELS[-1]])
def test_a_threshold_that_is_no_probability_is_named(table: Path, label: str, value: str) -> None:
    with pytest.raises(ValueError, match=rf"thresholds\.toml: .*\b{label}$"):
        load_thresholds(change(table, rf"{label} = .*", f"{label} = {value}"))


def test_every_threshold_that_is_none_is_named_at_once(table: Path) -> None:
    with pytest.raises(ValueError, match=r"not so: parks, seek$"):
        load_thresholds(change(change(table, "parks = .*", "parks = 2"), "seek = .*", "seek = 0"))


@pytest.mark.parametrize("label", [LABELS[0], "sensitive", LABELS[-1]])
def test_a_label_without_a_threshold_is_named(table: Path, label: str) -> None:
    with pytest.raises(ValueError, match=rf"\b{label}\b"):
        load_thresholds(change(table, f"{label} = .*", ""))


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        pytest.param("parks = .*", 'parks = "often"', id="a word for a probability"),
        pytest.param("uncertain = .*", "uncertain = [0.3]", id="a band with one end"),
        pytest.param("uncertain = .*", "uncertain = [0.3, 0.4, 0.5]", id="a band with three"),
        pytest.param("parks = .*", "parks = ", id="not TOML"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(table: Path, pattern: str, replacement: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        load_thresholds(change(table, pattern, replacement))


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        pytest.param("uncertain = .*", "uncertain = [0.6, 0.3]", id="a band the wrong way round"),
        pytest.param("uncertain = .*", "uncertain = [-1, 2]", id="a band that is none of probabilities"),
    ],
)
def test_a_band_that_is_none_is_refused(table: Path, pattern: str, replacement: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        load_thresholds(change(table, pattern, replacement))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_gate_without_a_threshold_for_a_kind_of_label_is_named(table: Path, kind: str) -> None:
    with pytest.raises(ValueError, match=rf"^thresholds\.toml: `gate` has no threshold for {kind}$"):
        load_thresholds(change(table, f"{kind} = .*", "", under="gate"))


@pytest.mark.parametrize(("name", "under"), [("area", "gate"), ("close_from", "")])
@pytest.mark.parametrize("value", ["0", "1", "80", "nan"])
def test_a_threshold_of_a_stage_that_is_no_probability_is_named(table: Path, name: str, under: str, value: str) -> None:
    with pytest.raises(ValueError, match=rf"^thresholds\.toml: wanted probabilities between 0 and 1; not so: {name}$"):
        load_thresholds(change(table, f"{name} = .*", f"{name} = {value}", under=under))


@pytest.mark.parametrize("name", ["willing_scale", "close_willing_scale"])
@pytest.mark.parametrize("value", ["[0, 0.2]", "[-1, 0.2]", "[inf, 0]", "[nan, 0]", "[1, inf]"])
def test_a_scale_that_would_turn_or_lose_probabilities_is_refused(table: Path, name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"`{name}`"):
        load_thresholds(change(table, f"{name} = .*", f"{name} = {value}"))


def test_nothing_may_be_called_willing_that_is_not_read_closely(table: Path) -> None:
    change(change(table, "willing = .*", "willing = 0.3", under="decide"), "close_from = .*", "close_from = 0.31")
    with pytest.raises(ValueError, match=r"thresholds\.toml: `close_from` is above `decide` for willing: "):
        load_thresholds(table)
