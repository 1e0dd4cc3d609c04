"""What is kept of a training: whole weights of that very training, or nothing."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coprod_nlp.reading.artefact import load_networks
from coprod_nlp.text.wordpieces import Wordpieces
from coprod_nlp.training.corpus import load_corpus
from coprod_nlp.training.examples import Example, examples_of
from coprod_nlp.training.milestones import STALE_S, Milestones, Weights, forget, training_of

WEIGHTS = {"layers.0.inner.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "bias": np.ones(2, np.float32)}


def same(ours: object, theirs: Weights) -> bool:
    return isinstance(ours, dict) and ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in theirs)


def test_weights_come_back_by_name(tmp_path: Path) -> None:
    done = Milestones("a", tmp_path)
    assert done.weights("large network", WEIGHTS) is None
    done.reached("large network", WEIGHTS)
    done.reached("small network", {"bias": WEIGHTS["bias"]})
    again = Milestones("a", tmp_path)
    assert same(again.weights("large network", WEIGHTS), WEIGHTS)
    assert same(again.weights("small network", {"bias": WEIGHTS["bias"]}), {"bias": WEIGHTS["bias"]})


def test_another_training_takes_none_of_them(tmp_path: Path) -> None:
    Milestones("a", tmp_path).reached("large network", WEIGHTS)
    assert Milestones("b", tmp_path).weights("large network", WEIGHTS) is None


def test_weights_of_other_names_or_shapes_than_the_networks_are_not_taken(tmp_path: Path) -> None:
    done = Milestones("a", tmp_path)
    done.reached("large network", WEIGHTS)
    for wanted in ({"bias": WEIGHTS["bias"]}, WEIGHTS | {"bias": np.ones(3, np.float32)}, WEIGHTS | {"more": np.ones(1, np.float32)}):
        assert done.weights("large network", wanted) is None


def test_milestones_of_a_training_that_nobody_went_on_with_are_removed_and_newer_ones_stay(tmp_path: Path) -> None:
    for training in ("old", "new"):
        Milestones(training, tmp_path).reached("large network", WEIGHTS)
    (old,) = tmp_path.glob("old-*")
    long_ago = old.stat().st_mtime - STALE_S - 60
    os.utime(old, (long_ago, long_ago))
    Milestones("b", tmp_path).reached("large network", WEIGHTS)
    assert sorted(path.name.partition("-")[0] for path in tmp_path.iterdir()) == ["b", "new"]


def test_where_nothing_can_be_kept_it_says_so(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no folder", encoding="utf-8")
    with pytest.raises(OSError, match="file"):
        Milestones("a", in_the_way).reached("large network", WEIGHTS)
    assert Milestones("a", in_the_way).weights("large network", WEIGHTS) is None


def test_after_the_end_nothing_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "training"
    Milestones("a", folder).reached("large network", WEIGHTS)
    forget(folder)
    assert list(folder.iterdir()) == []
    forget(tmp_path / "nowhere")


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    wordpieces = Wordpieces(load_networks().wordpieces)
    return [example for post in load_corpus()[::8000] for example in examples_of(wordpieces, post)]


def test_a_training_is_the_same_for_the_same_recipe_and_texts_alone(examples: list[Example]) -> None:
    made = [examples[1].window]
    named = training_of("recipe", examples, made)
    assert named == training_of("recipe", [replace(example) for example in examples], made)
    other_ids = replace(examples[0], window=replace(examples[0].window, ids=examples[0].window.ids + 1))
    changed = [
        training_of("another", examples, made),
        training_of("recipe", examples[1:], made),
        training_of("recipe", examples[::-1], made),
        training_of("recipe", examples, []),
        training_of("recipe", [other_ids, *examples[1:]], made),
        *(
            training_of("recipe", [replace(examples[0], **{name: getattr(examples[0], name) + 1}), *examples[1:]], made)
            for name in ("targets", "evidence", "weight")
        ),
    ]
    assert len({named, *changed}) == len(changed) + 1
