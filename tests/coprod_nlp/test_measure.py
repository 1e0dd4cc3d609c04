"""Figures: what one works out by hand on small tables, and nothing where there is too little to say."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coprod_nlp.reading.labels import LABELS
from coprod_nlp.training.evaluate import measure
from coprod_nlp.training.measure import (
    BINS,
    MINIMUM_CASES,
    TOP,
    Scored,
    by_label,
    calibration_error,
    figures_of,
    histograms,
    precision_recall_f1,
)

CASES = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30)
JUDGED = st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), min_size=1, max_size=40)


def table(columns: Mapping[str, tuple[Sequence[float], Sequence[int]]], *, messages: int) -> Scored:
    """Messages of which some labels have a chance each and a truth each, decided from a half on; the rest is neither said nor true."""
    chances, truth = np.zeros((messages, len(LABELS)), np.float32), np.zeros((messages, len(LABELS)), bool)
    for label, (chance, is_true) in columns.items():
        chances[:, LABELS.index(label)], truth[:, LABELS.index(label)] = chance, np.array(is_true, bool)
    return Scored(chances, chances >= 0.5, truth)


def bools(*values: int) -> np.ndarray:
    return np.array(values, dtype=bool)


@pytest.fixture(scope="module")
def drawn() -> Scored:
    """Three hundred messages whose chances say something of the truth."""
    rng = np.random.default_rng(5)
    truth = rng.random((300, len(LABELS))) < 0.3
    chances = np.clip(truth * 0.35 + rng.random(truth.shape) * 0.6, 0, 1).astype(np.float32)
    return Scored(chances, chances >= 0.5, truth)


@pytest.fixture(scope="module")
def drawn_intervals(drawn: Scored) -> dict[str, list[float]]:
    return measure(drawn).intervals


@pytest.mark.parametrize(
    ("decided", "truth", "expected"),
    [
        pytest.param((1, 1, 1, 0, 0), (1, 1, 0, 1, 0), (2 / 3, 2 / 3, 2 / 3), id="two of three"),
        pytest.param((1, 1, 1, 1), (1, 0, 0, 0), (0.25, 1, 0.4), id="all said"),
        pytest.param((1, 0, 0, 0), (1, 1, 1, 1), (1, 0.25, 0.4), id="one said of four"),
        pytest.param((0, 0), (1, 0), (None, 0, 0), id="nothing said"),
        pytest.param((1, 0), (0, 0), (0, None, None), id="nothing true"),
        pytest.param((0, 0), (0, 0), (None, None, None), id="nothing said and nothing true"),
        pytest.param((1, 0), (0, 1), (0, 0, 0), id="no hit"),
        pytest.param((), (), (None, None, None), id="no messages"),
    ],
)
def test_precision_recall_and_f1_are_those_by_hand_and_not_known_where_they_cannot_be(
    decided: tuple[int, ...], truth: tuple[int, ...], expected: tuple[float | None, ...]
) -> None:
    assert precision_recall_f1(bools(*decided), bools(*truth)) == pytest.approx(expected)


@given(CASES)
def test_f1_lies_between_precision_and_recall_and_turns_with_them(cases: list[tuple[bool, bool]]) -> None:
    decided, truth = (bools(*column) for column in (zip(*cases, strict=True) if cases else ((), ())))
    precision, recall, f1 = precision_recall_f1(decided, truth)
    assert precision_recall_f1(truth, decided)[:2] == pytest.approx((recall, precision))
    if precision is None or recall is None:
        assert not f1
        return
    assert f1 is not None
    assert 0 <= min(precision, recall) <= f1 + 1e-9
    assert f1 <= max(precision, recall) + 1e-9 <= 1 + 1e-8
    assert precision_recall_f1(truth, decided)[2] == pytest.approx(f1)


def test_the_figures_of_a_small_table_are_those_by_hand() -> None:
    scored = table({"willing": ([0.9, 0.8, 0.4, 0.2], [1, 0, 1, 0]), "sensitive": ([0.6, 0.7, 0.8, 0.1], [1, 0, 0, 1])}, messages=4)
    assert figures_of(scored) == {
        "messages": 4, "willing_messages": 2,
        "willing_ap": pytest.approx((1 / 1 + 2 / 3) / 2, abs=1e-4),
        "willing_p_at_50": None,
        "willing_precision": 0.5, "willing_recall": 0.5, "willing_f1": 0.5,
        "willing_ece": pytest.approx((0.1 + 0.8 + 0.6 + 0.2) / 4, abs=1e-4),
        "areas_macro_f1": None, "signals_macro_f1": None,
        "sensitive_precision": pytest.approx(1 / 3, abs=1e-4), "sensitive_recall": 0.5,
    }  # fmt: skip


def test_where_nothing_is_willing_there_is_no_average_precision() -> None:
    figures = figures_of(table({"willing": ([0.9, 0.1], [0, 0])}, messages=2))
    assert [figures[f"willing_{name}"] for name in ("ap", "recall", "f1", "precision", "messages")] == [None, None, None, 0, 0]


def test_who_decides_for_nothing_has_missed_all_there_is_and_no_precision() -> None:
    figures = figures_of(table({"willing": ([0.4, 0.1], [1, 0])}, messages=2))
    assert [figures[f"willing_{name}"] for name in ("precision", "recall", "f1")] == [None, 0, 0]


def test_of_no_messages_nothing_is_said() -> None:
    figures = figures_of(table({}, messages=0))
    assert {name: value for name, value in figures.items() if value is not None} == {"messages": 0, "willing_messages": 0}


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        pytest.param([1, 1, 0, 0], 1.0, id="all at the top"),
        pytest.param([0, 0, 1, 1], (1 / 3 + 2 / 4) / 2, id="all at the bottom"),
        pytest.param([1, 0, 0, 1], (1 / 1 + 2 / 4) / 2, id="one at each end"),
    ],
)
def test_average_precision_is_the_mean_precision_at_each_willing_message(order: list[int], expected: float) -> None:
    assert figures_of(table({"willing": ([0.8, 0.6, 0.4, 0.2], order)}, messages=4))["willing_ap"] == pytest.approx(expected, abs=1e-4)


def test_precision_at_fifty_looks_at_the_fifty_likeliest() -> None:
    chances = np.linspace(1, 0, TOP + 10).tolist()
    truth = [place % 2 == 0 for place in range(TOP)] + [True] * 10
    for turn in (1, -1):
        scored = table({"willing": (chances[::turn], truth[::turn])}, messages=TOP + 10)
        assert figures_of(scored)["willing_p_at_50"] == 0.5
    assert figures_of(scored.rows(np.arange(TOP - 1)))["willing_p_at_50"] is None


def test_a_mean_over_labels_takes_those_with_enough_cases() -> None:
    count = 2 * MINIMUM_CASES
    half = [1] * MINIMUM_CASES + [0] * MINIMUM_CASES
    right, all_said, few = (half, half), ([1] * count, half), ([0] * count, [1] * (MINIMUM_CASES - 1) + [0] * (count - MINIMUM_CASES + 1))
    figures = figures_of(table({"parks": right, "waste": all_said, "housing": few, "offer": few}, messages=count))
    assert figures["areas_macro_f1"] == pytest.approx((1 + 2 / 3) / 2, abs=1e-4)
    assert figures["signals_macro_f1"] is None


def test_every_label_with_a_case_has_its_own_figures_and_no_other() -> None:
    found = by_label(table({"parks": ([1, 1, 0], [1, 0, 0]), "waste": ([1, 1, 1], [0, 0, 0]), "offer": ([0, 0, 0], [1, 1, 0])}, messages=3))
    assert set(found) == {"parks", "offer"}
    assert found["parks"] == {"precision": 0.5, "recall": 1, "f1": pytest.approx(2 / 3), "cases": 1}
    assert found["offer"] == {"precision": None, "recall": 0, "f1": 0, "cases": 2}


@pytest.mark.parametrize(
    ("chance", "truth", "expected"),
    [
        pytest.param([0.25] * 4, [1, 0, 0, 0], 0, id="right on average"),
        pytest.param([0.75] * 4, [1, 0, 0, 0], 0.5, id="too sure"),
        pytest.param([0.5, 0.5625], [1, 0], 0.03125, id="two of one bin are judged together"),
        pytest.param([0.25, 0.75], [1, 0], 0.75, id="two of two bins apart"),
        pytest.param([1.0, 1.0], [1, 1], 0, id="certain and right"),
        pytest.param([0.0, 1.0], [1, 0], 1, id="certain and wrong"),
    ],
)
def test_the_calibration_error_is_that_by_hand(chance: list[float], truth: list[int], expected: float) -> None:
    assert calibration_error(np.array(chance, np.float32), bools(*truth)) == pytest.approx(expected)


@given(JUDGED)
@example([(1.0, True), (0.0, False)])
def test_the_calibration_error_is_no_less_than_the_error_of_the_mean_and_no_more_than_one(judged: list[tuple[float, bool]]) -> None:
    chance, truth = np.array([c for c, _ in judged], np.float32), bools(*(t for _, t in judged))
    error = calibration_error(chance, truth)
    assert abs(float(chance.mean(dtype=np.float64)) - truth.mean()) - 1e-5 <= error <= 1 + 1e-5


@pytest.mark.parametrize("name", ["willing_f1", "willing_ap", "willing_ece", "areas_macro_f1", "signals_macro_f1", "sensitive_recall"])
def test_an_interval_holds_the_figure(drawn: Scored, drawn_intervals: dict[str, list[float]], name: str) -> None:
    low, high = drawn_intervals[name]
    figure = figures_of(drawn)[name]
    assert figure is not None
    assert low < figure < high


def test_intervals_are_the_same_again(drawn: Scored, drawn_intervals: dict[str, list[float]]) -> None:
    assert measure(drawn).intervals == drawn_intervals


def test_an_interval_is_wider_for_fewer_messages(drawn: Scored, drawn_intervals: dict[str, list[float]]) -> None:
    (low, high), (least, most) = drawn_intervals["willing_f1"], measure(drawn.rows(np.arange(40))).intervals["willing_f1"]
    assert most - least > high - low > 0


def test_where_every_draw_says_the_same_the_interval_is_a_point() -> None:
    assert measure(table({"willing": ([0.9] * 20, [1] * 20)}, messages=20)).intervals["willing_f1"] == [1, 1]


def test_draws_that_say_nothing_are_left_out() -> None:
    """With one willing message of three, some draws have none and so no average precision; the others have 1."""
    assert measure(table({"willing": ([0.9, 0.2, 0.1], [1, 0, 0])}, messages=3)).intervals["willing_ap"] == [1, 1]


@pytest.mark.parametrize("messages", [0, 3], ids=["no messages", "a figure that is never known"])
def test_where_nothing_can_be_said_there_is_no_interval(messages: int) -> None:
    assert "willing_ap" not in measure(table({}, messages=messages)).intervals


def test_a_profile_is_the_share_of_messages_in_each_tenth() -> None:
    scored = table({"willing": ([0.0, 0.05, 0.55, 1.0], [0, 0, 1, 1])}, messages=4)
    assert histograms(scored.chances, ["willing"]) == {"willing": [0.5, 0, 0, 0, 0, 0.25, 0, 0, 0, 0.25]}
    assert list(histograms(scored.chances)) == list(LABELS)


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30))
def test_a_profile_leaves_no_message_out(chances: list[float]) -> None:
    scored = table({"willing": (chances, [0] * len(chances))}, messages=len(chances))
    shares = histograms(scored.chances)["willing"]
    assert len(shares) == BINS
    assert sum(shares) == pytest.approx(1, abs=1e-3)


def test_the_profile_of_no_messages_is_nought() -> None:
    assert histograms(table({}, messages=0).chances, ["willing"]) == {"willing": [0] * BINS}
