"""The network that learns: an encoder of BERT's kind (Devlin et al. 2019, arXiv:1810.04805) and what it says of a message.

One class for the small network of the deep reading and the large one of the close reading; `Geometry` is what they differ in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from coprod_nlp.reading.base_model import distances_between
from coprod_nlp.reading.encoder import Window
from coprod_nlp.reading.labels import FIRST_SPAN, LABELS, SPAN_LABELS

BATCH = 48
PADDING = -1e4

State = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Geometry:
    """What a network is made of.

    Attributes
    ----------
    width, inner
        Numbers that a wordpiece becomes, and those between the two halves of a layer.
    heads, layers
        Heads of attention in a layer, and layers.
    frozen_layers
        How many of the lowest layers stay as they are; embeddings always do.
    vocabulary, positions
        Wordpieces, and places in a window, that have an embedding.
    epsilon
        What a layer norm adds to the variance.
    distances
        Kinds of distance between two wordpieces that attention knows; none in BERT.
    is_short
        Whether matrices are multiplied in 16-bit floats (bfloat16).
    rank
        Where above none, the linear maps of a layer stay as they are, and what learns is a product of two thin matrices of this rank
        beside each (Hu et al. 2021, arXiv:2106.09685): of a large network, that is what is small enough to ship.
    """

    width: int
    inner: int
    heads: int
    layers: int
    frozen_layers: int
    vocabulary: int
    positions: int
    epsilon: float
    distances: int = 0
    is_short: bool = False
    rank: int = 0


class Adapted(nn.Linear):  # type: ignore[misc]
    """A linear map that stays as it is, and beside it what is learned: (rank, inputs) `down`, then (outputs, rank) `up`, none at first."""

    def __init__(self, inputs: int, outputs: int, rank: int) -> None:
        super().__init__(inputs, outputs)
        self.down, self.up = nn.Linear(inputs, rank, bias=False), nn.Linear(rank, outputs, bias=False)
        nn.init.zeros_(self.up.weight)
        for part in (self.weight, self.bias):
            part.requires_grad_(False)

    def forward(self, hidden: Tensor) -> Tensor:
        """(…, outputs) from (…, inputs)."""
        changed: Tensor = super().forward(hidden) + self.up(self.down(hidden))
        return changed


class Layer(nn.Module):  # type: ignore[misc]
    """Attention, then two linear maps with a bend between; what each adds is normed."""

    def __init__(self, geometry: Geometry) -> None:
        super().__init__()
        width, inner, rank = geometry.width, geometry.inner, geometry.rank
        self.heads = geometry.heads

        def linear(inputs: int, outputs: int) -> nn.Linear:
            return Adapted(inputs, outputs, rank) if rank else nn.Linear(inputs, outputs)

        self.query, self.key, self.value, self.out = (linear(width, width) for _ in range(4))
        self.inner, self.outer = linear(width, inner), linear(inner, width)
        self.norm_attention, self.norm_output = (nn.LayerNorm(width, eps=geometry.epsilon) for _ in range(2))

    def learning(self) -> list[nn.Parameter]:
        """What of it learns: all, or where it has a rank, what stands beside its linear maps."""
        adapted = [part for part in self.children() if isinstance(part, Adapted)]
        return [weight for part in adapted for weight in (part.down.weight, part.up.weight)] or list(self.parameters())

    def forward(self, hidden: Tensor, bias: Tensor) -> Tensor:
        """(rows, pieces, width) from the same; `bias` is added to how much pieces attend to each other."""
        rows, pieces, width = hidden.shape
        query, key, value = (part(hidden).view(rows, pieces, self.heads, -1).transpose(1, 2) for part in (self.query, self.key, self.value))
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias.to(query.dtype))
        hidden = self.norm_attention(hidden + self.out(attended.transpose(1, 2).reshape(rows, pieces, width)))
        changed: Tensor = self.norm_output(hidden + self.outer(functional.gelu(self.inner(hidden))))
        return changed


class Network(nn.Module):  # type: ignore[misc]
    """An encoder with what it learns here: evidence by wordpiece, and each label from where it attends, the mean, and the best piece."""

    def __init__(self, geometry: Geometry) -> None:
        super().__init__()
        self.geometry, width = geometry, geometry.width
        self.words, self.positions = nn.Embedding(geometry.vocabulary, width), nn.Embedding(geometry.positions, width)
        self.kinds, self.norm = nn.Embedding(2, width), nn.LayerNorm(width, eps=geometry.epsilon)
        self.register_buffer("distances", torch.zeros(geometry.distances, geometry.heads) if geometry.distances else None)
        self.layers = nn.ModuleList(
            Layer(replace(geometry, rank=geometry.rank if place >= geometry.frozen_layers else 0)) for place in range(geometry.layers)
        )
        self.evidence, self.attend, self.mean = (
            nn.Linear(width, len(SPAN_LABELS)),
            nn.Linear(width, len(LABELS)),
            nn.Linear(width, len(LABELS)),
        )
        self.judge = nn.Parameter(torch.randn(len(LABELS), width) * 0.02)
        self.bias = nn.Parameter(torch.full((len(LABELS),), -2.0))
        self.mix = nn.Parameter(torch.full((len(SPAN_LABELS),), 0.5))
        for part, bias in ((self.evidence, -3.0), (self.attend, 0.0), (self.mean, 0.0)):
            nn.init.normal_(part.weight, std=0.02)
            nn.init.constant_(part.bias, bias)

    def new_parameters(self) -> list[nn.Parameter]:
        """What no base model brings."""
        return [*self.evidence.parameters(), *self.attend.parameters(), *self.mean.parameters(), self.judge, self.bias, self.mix]

    def state(self) -> State:
        """Copies of all weights, by name."""
        return {name: value.numpy().astype(np.float32) for name, value in self.state_dict().items()}

    def learned(self) -> State:
        """Copies of those that learn."""
        learning = [*self.new_parameters(), *(part for layer in self.layers[self.geometry.frozen_layers :] for part in layer.learning())]
        wanted = set(map(id, learning))
        return {name: part.detach().numpy().astype(np.float32) for name, part in self.named_parameters() if id(part) in wanted}

    def lower(self, windows: Sequence[Window]) -> tuple[Tensor, Tensor]:
        """(rows, longest, width) what the frozen layers make of some windows, and the (rows, longest) mask of what is not padding."""
        with torch.no_grad(), self._arithmetic():
            hidden, mask = padded([self._embedded(torch.from_numpy(window.ids)) for window in windows])
            bias = self._attention_bias(mask)
            for layer in self.layers[: self.geometry.frozen_layers]:
                hidden = layer(hidden, bias)
        return hidden, mask

    def upper(self, hidden: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (rows, LABELS), evidence (rows, pieces, SPAN_LABELS) and the mean (rows, width)."""
        with self._arithmetic():
            bias = self._attention_bias(mask)
            for layer in self.layers[self.geometry.frozen_layers :]:
                hidden = layer(hidden, bias)
            spans = self.evidence(hidden)
            present = mask[..., None]
            mean = (hidden * present).sum(1) / present.sum(1)
            weights = self.attend(hidden).masked_fill(~present, PADDING).softmax(1)
            pooled = torch.einsum("bpl,bpd->bld", weights, hidden)
            logits = (pooled * self.judge).sum(-1) + self.mean(mean) + self.bias
            best = spans.masked_fill(~present, PADDING).amax(1)
            whole = torch.cat([logits[:, :FIRST_SPAN], logits[:, FIRST_SPAN:] + self.mix * best], 1)
        return whole.float(), spans.float(), mean.float()

    def _embedded(self, ids: Tensor) -> Tensor:
        normed: Tensor = self.norm(self.words(ids) + self.positions.weight[: len(ids)] + self.kinds.weight[0])
        return normed

    def _attention_bias(self, mask: Tensor) -> Tensor:
        """(rows, heads or 1, pieces or 1, pieces): nothing attends to padding, and each distance weighs what the base model says."""
        bias = torch.zeros(mask.shape).masked_fill(~mask, PADDING)[:, None, None, :]
        if self.distances is None:
            return bias
        between = torch.from_numpy(distances_between(mask.shape[1], kinds=self.geometry.distances))
        return bias + self.distances[between].permute(2, 0, 1)

    def _arithmetic(self) -> Any:
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.geometry.is_short)


def padded(parts: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """(parts, longest, width) and the (parts, longest) mask of what is not padding."""
    longest = max(len(part) for part in parts)
    whole, mask = torch.zeros(len(parts), longest, parts[0].shape[1]), torch.zeros(len(parts), longest, dtype=torch.bool)
    for row, part in enumerate(parts):
        whole[row, : len(part)] = part
        mask[row, : len(part)] = True
    return whole, mask


def by_length(windows: Sequence[Window]) -> list[list[int]]:
    """Rows of windows in batches of like length, so that little is padding."""
    order = sorted(range(len(windows)), key=lambda row: len(windows[row].ids))
    return [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
