"""Networks that begin with the weights of a base model: the small one that is shipped, and the large one that teaches it.

MiniLM (all-MiniLM-L6-v2; Wang et al. 2020, arXiv:2002.10957) and MPNet (all-mpnet-base-v2; Song et al. 2020, arXiv:2004.09297) are
Apache-2.0 and read the same wordpieces, so that both see the same windows.
"""

from collections.abc import Mapping

import torch
from safetensors.torch import load as load_safetensors
from torch import Tensor

from coprod_nlp.training.bases import minilm_weights, mpnet_weights
from coprod_nlp.training.network import Geometry, Network

MINILM = Geometry(width=384, inner=1536, heads=12, layers=6, frozen_layers=2, vocabulary=30_522, positions=512, epsilon=1e-12)
MPNET = Geometry(
    width=768, inner=3072, heads=12, layers=12, frozen_layers=4, vocabulary=30_522, positions=512, epsilon=1e-5, distances=32, is_short=True
)  # fmt: skip
# What the parts of a layer are called in the stored weights.
MINILM_NAMES = {
    "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value", "out": "attention.output.dense",
    "norm_attention": "attention.output.LayerNorm",
    "inner": "intermediate.dense", "outer": "output.dense", "norm_output": "output.LayerNorm",
}  # fmt: skip
MPNET_NAMES = MINILM_NAMES | {
    "query": "attention.attn.q", "key": "attention.attn.k", "value": "attention.attn.v", "out": "attention.attn.o",
    "norm_attention": "attention.LayerNorm",
}  # fmt: skip
# MPNet's wordpieces are BERT's, each this much higher, but for the marks of start and end, which stand at its beginning; so does the
# first position.
MPNET_SHIFT, MPNET_MARKS, MPNET_FIRST_POSITION = 4, {101: 0, 102: 2}, 2

Stored = Mapping[str, Tensor]


def minilm(*, seed: int) -> Network:
    """The small network; what is new in it begins at random."""
    torch.manual_seed(seed)
    network = Network(MINILM)
    stored = load_safetensors(minilm_weights())
    load_layers(network, stored, MINILM_NAMES)
    for part, name in ((network.words, "word"), (network.positions, "position"), (network.kinds, "token_type")):
        part.load_state_dict({"weight": stored[f"embeddings.{name}_embeddings.weight"]})
    return network


def mpnet(*, seed: int) -> Network:
    """The large network; what is new in it begins at random."""
    torch.manual_seed(seed)
    network = Network(MPNET)
    load_mpnet(network, load_safetensors(mpnet_weights()))
    return network


def load_mpnet(network: Network, stored: Stored) -> None:
    """Put MPNet's weights into a network of its geometry, under BERT's numbers of wordpieces."""
    load_layers(network, stored, MPNET_NAMES)
    rows = torch.arange(network.geometry.vocabulary) + MPNET_SHIFT
    for mark, place in MPNET_MARKS.items():
        rows[mark] = place
    network.words.load_state_dict({"weight": stored["embeddings.word_embeddings.weight"][rows]})
    network.positions.load_state_dict({"weight": stored["embeddings.position_embeddings.weight"][MPNET_FIRST_POSITION:]})
    network.kinds.load_state_dict({"weight": torch.zeros_like(network.kinds.weight)})  # it has none
    network.distances.copy_(stored["encoder.relative_attention_bias.weight"])


def load_layers(network: Network, stored: Stored, names: Mapping[str, str]) -> None:
    """Put what all base models have into a network."""
    pairs = [("embeddings.LayerNorm", network.norm)]
    for place, layer in enumerate(network.layers):
        pairs += [(f"encoder.layer.{place}.{name}", getattr(layer, part)) for part, name in names.items()]
    for name, part in pairs:
        part.load_state_dict({key: stored[f"{name}.{key}"] for key in ("weight", "bias")})
