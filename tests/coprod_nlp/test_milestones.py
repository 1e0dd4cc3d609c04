"""What is kept of a training: whole weights of that very training, or nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coprod_nlp.reading.artefact import load_networks
from coprod_nlp.text.wordpieces import Wordpieces
from coprod_nlp.training.corpus import load_corpus
from coprod_nlp.training.examples import Example, examples_of
from coprod_nlp.training.milestones import Milestones, forget, training_of

WEIGHTS = {"layers.0.inner.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "bias": np.ones(2, np.float32)}


def same(ours: object, theirs: dict[str, np.ndarray]) -> bool:
    return isinstance(ours, dict) and ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in theirs)


def test_weights_come_back_by_name(tmp_path: Path) -> None:
    done = Milestones("a", tmp_path)
    assert done.weights("large network") is None
    done.reached("large network", WEIGHTS)
    done.reached("small network", {"bias": WEIGHTS["bias"]})
    again = Milestones("a", tmp_path)
    assert same(again.weights("large network"), WEIGHTS)
    assert same(again.weights("small network"), {"bias": WEIGHTS["bias"]})


def test_another_training_takes_none_of_them_and_clears_them_away(tmp_path: Path) -> None:
    Milestones("a", tmp_path).reached("large network", WEIGHTS)
    other = Milestones("b", tmp_path)
    assert other.weights("large network") is None
    other.reached("large network", WEIGHTS)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_file_that_is_not_whole_is_as_good_as_none(tmp_path: Path) -> None:
    done = Milestones("a", tmp_path)
    done.reached("large network", WEIGHTS)
    (kept,) = (tmp_path / "a").iterdir()
    raw = kept.read_bytes()
    for part in (raw[:-40], b"", b"no archive"):
        kept.write_bytes(part)
        assert done.weights("large network") is None


def test_where_nothing_can_be_kept_training_goes_on(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no folder", encoding="utf-8")
    done = Milestones("a", in_the_way)
    done.reached("large network", WEIGHTS)
    assert done.weights("large network") is None


def test_after_the_end_nothing_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "training"
    Milestones("a", folder).reached("large network", WEIGHTS)
    forget(folder)
    assert not folder.exists()
    forget(folder)


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    wordpieces = Wordpieces(load_networks().wordpieces)
    return [example for post in load_corpus()[::8000] for example in examples_of(wordpieces, post)]


def test_a_training_is_the_same_for_the_same_recipe_and_examples_alone(examples: list[Example]) -> None:
    named = training_of("recipe", examples)
    assert named == training_of("recipe", [replace(example) for example in examples])
    changed = [
        training_of("another", examples),
        training_of("recipe", examples[1:]),
        training_of("recipe", examples[::-1]),
        *(
            training_of("recipe", [replace(examples[0], **{name: getattr(examples[0], name) + 1}), *examples[1:]])
            for name in ("targets", "evidence", "weight")
        ),
    ]
    assert len({named, *changed}) == len(changed) + 1
