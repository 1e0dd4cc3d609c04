"""Champion beside challenger: what is better, what is worse, and what chance alone can do."""

import json
import re

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from coprod_nlp.reading.labels import LABELS, SENSITIVE, WILLING
from coprod_nlp.training.compare import GUARDED, Difference, as_rows, compare, from_rows, verdict, worse_figures
from coprod_nlp.training.evaluate import MINIMUM_MESSAGES, Measured, evaluation, measure
from coprod_nlp.training.measure import Scored, average_precision, figures_of


def scored(*, right: float, messages: int = 300, seed: int = 5) -> Scored:
    """Messages of which a share is judged rightly, label by label."""
    rng = np.random.default_rng(seed)
    truth = rng.random((messages, len(LABELS))) < 0.3
    is_right = np.random.default_rng(seed + 1).random(truth.shape) < right
    chances = np.where(truth == is_right, 0.8, 0.1).astype(np.float32)
    return Scored(chances, chances >= 0.5, truth)


def judged(*, right: float, messages: int = 300, seed: int = 5) -> Measured:
    return measure(scored(right=right, messages=messages, seed=seed))


def test_a_classifier_is_no_worse_than_itself() -> None:
    same = {"checked": judged(right=0.8)}
    differences = compare(same, same)
    assert {difference.figure for difference in differences} == set(GUARDED)
    assert [(d.gain, d.low, d.high) for d in differences] == [(0.0, 0.0, 0.0)] * len(GUARDED)
    assert worse_figures(differences) == []
    assert verdict(differences)[-1] == f"None of {len(GUARDED)} guarded figures is worse."


def test_a_much_better_one_is_better_beyond_chance_in_everything_and_the_other_way_round_worse() -> None:
    good, bad = {"recent": judged(right=0.97)}, {"recent": judged(right=0.7)}
    better, worse = compare(bad, good), compare(good, bad)
    assert all(d.gain > 0 and d.is_beyond_chance and not d.is_worse for d in better)
    assert all(d.gain < 0 and d.is_beyond_chance and d.is_worse for d in worse)
    assert [round(d.gain + e.gain, 4) for d, e in zip(better, worse, strict=True)] == [0.0] * len(better)
    assert worse_figures(worse) == [f"recent.{figure}" for figure in GUARDED]
    assert verdict(worse)[-1].startswith(f"{len(GUARDED)} of {len(GUARDED)} guarded figures are worse: promoting it needs a person's name")


def test_a_lower_calibration_error_is_the_better_one() -> None:
    sure, honest = judged(right=0.8), scored(right=0.8)
    place = LABELS.index(WILLING)
    chances = honest.chances.copy()
    share = [honest.truth[honest.chances[:, place] == level, place].mean() for level in np.array([0.1, 0.8], dtype=np.float32)]
    chances[:, place] = np.where(honest.chances[:, place] > 0.5, share[1], share[0])
    found = {d.figure: d for d in compare({"checked": sure}, {"checked": measure(Scored(chances, honest.decided, honest.truth))})}
    assert found["willing_ece"].challenger < found["willing_ece"].champion
    assert found["willing_ece"].gain > 0


def test_a_small_loss_on_few_messages_is_worse_but_not_beyond_chance() -> None:
    champion = scored(right=0.8, messages=60)
    decided = champion.decided.copy()
    place = LABELS.index(SENSITIVE)
    decided[np.flatnonzero(champion.decided[:, place] & champion.truth[:, place])[0], place] = False
    differences = compare({"recent": measure(champion)}, {"recent": measure(Scored(champion.chances, decided, champion.truth))})
    assert worse_figures(differences) == ["recent.sensitive_recall"]
    found = next(d for d in differences if d.figure == "sensitive_recall")
    assert not found.is_beyond_chance
    sentences = verdict(differences)
    assert sentences[0].startswith("Worse, but by no more than chance can give: recall of sensitive on the recent set, ")
    assert sentences[-1].startswith(f"1 of {len(GUARDED)} guarded figures are worse")


def test_sentences_say_both_values_the_range_and_how_many_messages() -> None:
    for d, words in (
        (Difference("checked", "willing_f1", 725, 0.8, 0.7, -0.1, -0.15, -0.05), "0.050 to 0.150 worse when its 725 messages"),
        (Difference("checked", "willing_f1", 1725, 0.8, 0.9, 0.1, 0.05, 0.15), "0.050 to 0.150 better when its 1,725 messages"),
        (Difference("recent", "willing_ece", 90, 0.1, 0.09, 0.01, -0.02, 0.03), "from 0.020 worse to 0.030 better when its 90 messages"),
    ):
        assert words in d.sentence()
        assert f"{d.champion:.3f} to {d.challenger:.3f}" in d.sentence()
        assert not re.search(r"-\d", d.sentence())


def test_a_figure_with_too_few_cases_is_left_out_and_nothing_measured_is_said() -> None:
    empty = Scored(np.zeros((30, len(LABELS)), np.float32), np.zeros((30, len(LABELS)), bool), np.zeros((30, len(LABELS)), bool))
    differences = compare({"recent": measure(empty)}, {"recent": measure(empty)})
    assert {d.figure for d in differences} == {"willing_ece"}
    assert verdict([]) == ["No guarded figure can be measured in both: there are too few labelled messages."]


@pytest.mark.parametrize("other", [judged(right=0.8, messages=299), judged(right=0.8, seed=9)], ids=["fewer", "other messages"])
def test_only_the_same_messages_are_compared(other: Measured) -> None:
    with pytest.raises(ValueError, match="the same messages"):
        compare({"checked": judged(right=0.8)}, {"checked": other})


def test_differences_survive_the_store() -> None:
    differences = compare({"checked": judged(right=0.7)}, {"checked": judged(right=0.9)})
    assert from_rows(json.loads(json.dumps(as_rows(differences)))) == differences


def test_an_evaluation_has_figures_with_intervals_around_them_labels_and_communities() -> None:
    some = scored(right=0.8)
    where = ["archive:town"] * 200 + ["archive:river"] * 90 + ["archive:hill"] * 10
    found = evaluation({"recent": measure(some)}, communities={"recent": where})
    assert found["recent"] == figures_of(some)
    for figure, (low, high) in found["intervals"]["recent"].items():
        assert low <= found["recent"][figure] <= high or figure == "willing_ece"
    assert set(found["intervals"]["recent"]) == {name for name in found["recent"] if not name.endswith("messages")}
    assert found["labels"]["recent"][WILLING]["cases"] == some.truth[:, LABELS.index(WILLING)].sum()
    towns = found["communities"]["recent"]
    assert {name: figures["messages"] for name, figures in towns.items()} == {"archive:hill": 10, "archive:river": 90, "archive:town": 200}
    assert [set(towns["archive:hill"]), len(towns["archive:town"]) > 5] == [{"messages"}, True]
    assert MINIMUM_MESSAGES > 10
    assert evaluation({"recent": measure(some)}, communities={"recent": where}) == found
    json.dumps(found)


@pytest.mark.parametrize("levels", [3, 1000], ids=["many ties", "few ties"])
def test_average_precision_is_scikit_learns(levels: int) -> None:
    rng = np.random.default_rng(levels)
    for _ in range(20):
        chance = (rng.integers(0, levels, 80) / levels).astype(np.float32)
        truth = rng.random(80) < 0.2
        assert average_precision(chance, truth | (np.arange(80) == 3)) == pytest.approx(
            average_precision_score(truth | (np.arange(80) == 3), chance)
        )
