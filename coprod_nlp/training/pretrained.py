"""Networks that begin with the weights of a base model: the small one of the deep reading, and the large one of the close reading.

MiniLM (all-MiniLM-L6-v2; Wang et al. 2020, arXiv:2002.10957) and MPNet (all-mpnet-base-v2; Song et al. 2020, arXiv:2004.09297) are
Apache-2.0 and read the same wordpieces, so that a window of one is a window of the other.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load as load_safetensors
from torch import Tensor, nn

from coprod_nlp.reading import base_model
from coprod_nlp.training.bases import minilm_weights
from coprod_nlp.training.network import Geometry, Network

MINILM = Geometry(
    width=384, inner=1536, heads=12, layers=6, frozen_layers=2, vocabulary=30_522, positions=512, epsilon=1e-12, is_short=True
)
MPNET = Geometry(
    width=base_model.WIDTH, inner=base_model.INNER, heads=base_model.HEADS, layers=base_model.LAYERS, frozen_layers=4,
    vocabulary=base_model.VOCABULARY, positions=512, epsilon=base_model.EPSILON, distances=base_model.DISTANCES, is_short=True, rank=32,
)  # fmt: skip
# What the parts of a layer are called in the stored weights.
MINILM_NAMES = {
    "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value", "out": "attention.output.dense",
    "norm_attention": "attention.output.LayerNorm",
    "inner": "intermediate.dense", "outer": "output.dense", "norm_output": "output.LayerNorm",
}  # fmt: skip

Stored = Mapping[str, NDArray[np.float32]]


def minilm(*, seed: int) -> Network:
    """The small network; what is new in it begins at random."""
    torch.manual_seed(seed)
    network = Network(MINILM)
    stored = load_safetensors(minilm_weights())
    load_layers(network, stored, MINILM_NAMES)
    for part, name in ((network.words, "word"), (network.positions, "position"), (network.kinds, "token_type")):
        _fill(part.weight, stored[f"embeddings.{name}_embeddings.weight"])
    return network


def mpnet(*, seed: int) -> Network:
    """The large network; what is new in it begins at random."""
    torch.manual_seed(seed)
    network = Network(MPNET)
    load_mpnet(network, base_model.load_base())
    return network


def load_mpnet(network: Network, stored: Stored) -> None:
    """Put MPNet's weights into a network of its geometry, under BERT's numbers of wordpieces."""
    load_layers(network, stored, base_model.NAMES)
    _fill(network.words.weight, stored["embeddings.word_embeddings.weight"][base_model.rows_of_words(network.geometry.vocabulary)])
    _fill(network.positions.weight, stored["embeddings.position_embeddings.weight"][base_model.FIRST_POSITION :])
    nn.init.zeros_(network.kinds.weight)  # it has none
    _fill(network.distances, stored["encoder.relative_attention_bias.weight"])


def load_layers(network: Network, stored: Stored, names: Mapping[str, str]) -> None:
    """Put what all base models have into a network."""
    pairs = [("embeddings.LayerNorm", network.norm)]
    for place, layer in enumerate(network.layers):
        pairs += [(f"encoder.layer.{place}.{name}", getattr(layer, part)) for part, name in names.items()]
    for name, part in pairs:
        for key in ("weight", "bias"):
            _fill(getattr(part, key), stored[f"{name}.{key}"])


def _fill(part: Tensor, value: NDArray[np.float32]) -> None:
    with torch.no_grad():
        part.copy_(torch.from_numpy(np.array(value)))
