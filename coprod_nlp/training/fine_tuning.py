"""Fine-tuning a network on examples. PyTorch is needed in training and nowhere else (`requirements-train.txt`).

A network learns three things at once: what a message is (areas, sensitive, signals, willing), which of its wordpieces stand in
the evidence for a signal, and so, through the highest of those, what a post says in one of its sentences. Word embeddings and the
lowest layers stay as they are; what they give is worked out once.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from coprod_nlp.reading.encoder import Window
from coprod_nlp.reading.labels import LABELS, SENSITIVE, WILLING
from coprod_nlp.training.examples import Example
from coprod_nlp.training.network import Network, by_length, padded

REPORT_EVERY = 100
LABEL_WEIGHTS = torch.tensor([{WILLING: 3.0, SENSITIVE: 1.5}.get(label, 1.0) for label in LABELS])

Report = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """How a network is fine-tuned; equal recipes on equal examples give the same figures within rounding."""

    epochs: int = 2
    batch: int = 16
    learning_rate: float = 2e-4
    # Each lower layer learns at this share of the rate of the one above; what is new, at so many times the rate.
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


def fine_tune(network: Network, examples: Sequence[Example], *, recipe: Recipe, report: Report = lambda _: None) -> None:
    """Teach a network what is wanted of some examples; it ends with the mean of the weights of its runs."""
    torch.set_flush_denormal(True)  # Adam's running means of tiny gradients make it ten times slower otherwise
    report(f"{len(examples):,} windows; the frozen layers")
    lower = frozen_output(network, [example.window for example in examples])
    beginning = {name: value.clone() for name, value in network.state_dict().items()}
    ended: list[dict[str, Tensor]] = []
    for run in range(recipe.runs):
        network.load_state_dict(beginning)
        torch.manual_seed(recipe.seed + run)
        told = under(report, f"run {run + 1} of {recipe.runs}") if recipe.runs > 1 else report
        _run(network, examples, lower, recipe, order=random.Random(recipe.seed + run), report=told)  # noqa: S311  (an order of batches, no secret)
        ended.append({name: value.clone() for name, value in network.state_dict().items()})
    network.load_state_dict({name: torch.stack([end[name] for end in ended]).mean(0) for name in beginning})


def frozen_output(network: Network, windows: Sequence[Window]) -> list[Tensor]:
    """(pieces, width) after the frozen layers, a window, in 16-bit floats: of the whole corpus that is gigabytes."""
    found: dict[int, Tensor] = {}
    for rows in by_length(windows):
        hidden, _ = network.lower([windows[row] for row in rows])
        found |= {row: hidden[place, : len(windows[row].ids)].half() for place, row in enumerate(rows)}
    return [found[row] for row in range(len(windows))]


def loss_of(network: Network, some: Sequence[Example], lower: Sequence[Tensor], *, dropout: float) -> Tensor:
    """What a batch gets wrong: each label of each message, and each wordpiece in or out of evidence."""
    hidden, mask = padded(lower)
    evidence, _ = padded([torch.from_numpy(example.evidence) for example in some])
    weight, _ = padded([torch.from_numpy(example.weight) for example in some])  # none on padding
    logits, spans, _ = network.upper(functional.dropout(hidden, dropout), mask)
    wanted = torch.from_numpy(np.stack([example.targets for example in some]))
    whole = (functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none") * LABEL_WEIGHTS).sum(1).mean()
    pieces = functional.binary_cross_entropy_with_logits(spans, evidence, weight=weight, reduction="sum")
    total: Tensor = whole + pieces / mask.sum()
    return total


def under(report: Report, name: str) -> Report:
    """A report whose words are told under a name."""
    return lambda words: report(f"{name}, {words}")


def _run(
    network: Network, examples: Sequence[Example], lower: Sequence[Tensor], recipe: Recipe, *, order: random.Random, report: Report
) -> None:
    """Train a network once; it ends with the running mean of its weights."""
    groups = _groups(network, recipe)
    optimiser = torch.optim.AdamW([{"params": group, "lr": rate} for group, rate in groups], weight_decay=recipe.weight_decay, fused=True)
    steps, step = recipe.epochs * math.ceil(len(examples) / recipe.batch), 0
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps, recipe.warm_up))
    learning = [weight for group, _ in groups for weight in group]
    averaged = [weight.detach().clone() for weight in learning]
    for epoch in range(1, recipe.epochs + 1):
        total = 0.0
        for rows in _batches([len(example.window.ids) for example in examples], recipe.batch, order):
            loss = loss_of(network, [examples[row] for row in rows], [lower[row] for row in rows], dropout=recipe.dropout)
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


def _groups(network: Network, recipe: Recipe) -> list[tuple[list[nn.Parameter], float]]:
    """What learns, and how fast."""
    found = [(network.new_parameters(), recipe.learning_rate * recipe.new_rate)]
    learning = network.layers[network.geometry.frozen_layers :]
    for place, layer in enumerate(learning, start=1):
        found.append((layer.learning(), recipe.learning_rate * recipe.layer_decay ** (len(learning) - place)))
    return found


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
