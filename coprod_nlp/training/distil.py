"""Two networks learn the corpus: a large one for the close reading, and a small one for the deep reading of all that passes the gate.

The large one learns first, from labels. It teaches the small one (knowledge distillation, Hinton et al. 2015, arXiv:1503.02531): its
verdicts, averaged with those of a small one that learned from labels alone, say what a message half is where a label says yes or no, and
are given on texts that nobody labelled. The small network learns from labels and verdicts together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from coprod_nlp.reading.base_model import SHA256, hash_of
from coprod_nlp.reading.encoder import Window, windows_of
from coprod_nlp.text.wordpieces import Wordpieces
from coprod_nlp.training.bases import minilm_definition, minilm_weights
from coprod_nlp.training.corpus import LabelledPost
from coprod_nlp.training.examples import Example, Verdict, examples_of, joined, taught
from coprod_nlp.training.fine_tuning import Recipe, Report, fine_tune, under
from coprod_nlp.training.made_texts import made_texts
from coprod_nlp.training.milestones import Milestones, training_of
from coprod_nlp.training.network import Network, State, by_length
from coprod_nlp.training.pretrained import MINILM, MPNET, minilm, mpnet

REPORT_EVERY = 100


@dataclass(frozen=True)
class Distillation:
    """How both are fine-tuned, how many texts are made, and what a verdict counts beside labels."""

    small: Recipe
    large: Recipe
    made_texts: int
    verdict_share: float


DISTILLATION = Distillation(
    small=Recipe(),
    large=Recipe(learning_rate=6e-4, new_rate=1.0, averaging=0.99, runs=1),
    made_texts=26_000,
    verdict_share=0.5,
)


def distil(
    posts: Sequence[LabelledPost], *, recipe: Distillation, milestones: Path, report: Report = lambda _: None
) -> tuple[State, State]:
    """Weights of the large and of the small network after training, by name.

    Parameters
    ----------
    milestones
        Where what each network learned is kept, until somebody forgets it.
    """
    wordpieces = Wordpieces(minilm_definition())
    examples = [example for post in posts for example in examples_of(wordpieces, post)]
    made = [windows_of(wordpieces, *text)[0] for text in made_texts(posts, recipe.made_texts, seed=recipe.small.seed)]
    how = (recipe, MINILM, MPNET, SHA256, hash_of(minilm_weights()))
    training = _Training(Milestones(training_of(how, examples, made), milestones), report)
    large = training.learned("large network", mpnet(seed=recipe.large.seed), recipe.large, lambda: examples)
    alone = training.learned("small network from labels", minilm(seed=recipe.small.seed), recipe.small, lambda: examples)
    small = training.learned(
        "small network", minilm(seed=recipe.small.seed), recipe.small,
        lambda: judged([large, alone], examples, made, share=recipe.verdict_share, report=under(report, "verdicts")),
    )  # fmt: skip
    return large.state(), small.state()


@dataclass(frozen=True)
class _Training:
    """A training that goes on from its milestones."""

    milestones: Milestones
    report: Report

    def learned(self, name: str, network: Network, recipe: Recipe, examples: Callable[[], Sequence[Example]]) -> Network:
        """A network that has learned from examples, now or before the training was killed."""
        if (weights := self.milestones.weights(name, network.learned())) is not None:
            self.report(f"{name}: done before, gone on from there")
            network.load_state_dict({part: torch.from_numpy(weight) for part, weight in weights.items()}, strict=False)
            return network
        fine_tune(network, examples(), recipe=recipe, report=under(self.report, name))
        try:
            self.milestones.reached(name, network.learned())
        except OSError as error:
            self.report(f"{name}: cannot be kept ({error.strerror}); a run that is killed now begins anew")
        return network


def judged(
    teachers: Sequence[Network], examples: Sequence[Example], made: Sequence[Window], *, share: float, report: Report = lambda _: None
) -> list[Example]:
    """Examples with what teachers say of them, which counts `share`, and windows of which only the teachers say something."""
    said = verdicts(teachers, [*(example.window for example in examples), *made], report=report)
    labelled = [joined(example, verdict, share) for example, verdict in zip(examples, said[: len(examples)], strict=True)]
    return labelled + [taught(window, verdict) for window, verdict in zip(made, said[len(examples) :], strict=True)]


def verdicts(networks: Sequence[Network], windows: Sequence[Window], *, report: Report = lambda _: None) -> list[Verdict]:
    """What some networks say of each window: the mean of their log-odds."""
    found: dict[int, Verdict] = {}
    for number, rows in enumerate(by_length(windows)):
        if number % REPORT_EVERY == 0:
            report(f"{len(found):,} of {len(windows):,}")
        some = [windows[row] for row in rows]
        with torch.no_grad():
            said = [network.upper(*network.lower(some))[:2] for network in networks]
        logits, spans = (torch.stack(parts).mean(0).numpy() for parts in zip(*said, strict=True))
        found |= {row: Verdict(logits[place], spans[place, : len(windows[row].ids)].copy()) for place, row in enumerate(rows)}
    return [found[row] for row in range(len(windows))]


def lineage(recipe: Distillation) -> tuple[str, ...]:
    """How such networks came about, for their manifest and card."""
    return (
        f"close reading: matrices of rank {MPNET.rank} beside the linear maps of all-mpnet-base-v2 (Apache-2.0; MPNet, Song et al. 2020, "
        f"arXiv:2004.09297; SHA-256 of its weights {SHA256}), learned from the labels of the messages learned from",
        "deep reading: fine-tuned from all-MiniLM-L6-v2 (Apache-2.0) on the same labels and on verdicts on the same messages, which count "
        f"{recipe.verdict_share:.0%}, and on verdicts on {recipe.made_texts:,} texts made of their sentences",
        "verdicts: the mean of what the close reading's network and one fine-tuned from all-MiniLM-L6-v2 say, which learned from the same "
        "labels alone",
        "texts: all that they learned from or judged is the corpus' own, or made of its sentences",
    )
