"""The encoder that is shipped, taught by labels and by a larger network (knowledge distillation, Hinton et al. 2015, arXiv:1503.02531).

A large network, which reads better and is much too slow to ship, learns the corpus first. Its verdicts, averaged with those of a small
one that learned from labels alone, say what a message half is where a label says yes or no, and are given on texts that nobody
labelled. The small network that is shipped learns from labels and verdicts together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from coprod_nlp.reading.encoder import Window, windows_of
from coprod_nlp.text.wordpieces import Wordpieces
from coprod_nlp.training.bases import MPNET_SHA256, minilm_definition
from coprod_nlp.training.corpus import LabelledPost
from coprod_nlp.training.examples import Verdict, examples_of, joined, taught
from coprod_nlp.training.fine_tuning import Recipe, Report, fine_tune, under
from coprod_nlp.training.made_texts import made_texts
from coprod_nlp.training.network import Network, State, by_length
from coprod_nlp.training.pretrained import minilm, mpnet

REPORT_EVERY = 100


@dataclass(frozen=True)
class Distillation:
    """How the encoder comes about: how it and its teacher are fine-tuned, how many texts are made, what a verdict counts beside labels."""

    encoder: Recipe
    teacher: Recipe
    made_texts: int
    verdict_share: float


DISTILLATION = Distillation(
    encoder=Recipe(),
    teacher=Recipe(learning_rate=6e-5, new_rate=10.0, averaging=0.99, runs=1),
    made_texts=26_000,
    verdict_share=0.5,
)


def distil(posts: Sequence[LabelledPost], *, recipe: Distillation, report: Report = lambda _: None) -> State:
    """Weights of the encoder after training, by name."""
    wordpieces = Wordpieces(minilm_definition())
    examples = [example for post in posts for example in examples_of(wordpieces, post)]
    teacher = mpnet(seed=recipe.teacher.seed)
    fine_tune(teacher, examples, recipe=recipe.teacher, report=under(report, "teacher"))
    alone = minilm(seed=recipe.encoder.seed)
    fine_tune(alone, examples, recipe=recipe.encoder, report=under(report, "encoder from labels"))
    report("texts made of the corpus' sentences")
    windows = [windows_of(wordpieces, *text)[0] for text in made_texts(posts, recipe.made_texts, seed=recipe.encoder.seed)]
    said = verdicts([teacher, alone], [*(example.window for example in examples), *windows], report=under(report, "verdicts"))
    both = [joined(example, verdict, recipe.verdict_share) for example, verdict in zip(examples, said[: len(examples)], strict=True)]
    both += [taught(window, verdict) for window, verdict in zip(windows, said[len(examples) :], strict=True)]
    encoder = minilm(seed=recipe.encoder.seed)
    fine_tune(encoder, both, recipe=recipe.encoder, report=under(report, "encoder"))
    return encoder.state()


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
    """How such an encoder came about, for its manifest and its card."""
    return (
        "encoder: fine-tuned from all-MiniLM-L6-v2 (Apache-2.0) on the labels of the messages learned from and on verdicts on them, "
        f"which count {recipe.verdict_share:.0%}, and on verdicts on {recipe.made_texts:,} texts made of their sentences",
        "verdicts: the mean of what two networks say that learned from the labels of the same messages alone, one fine-tuned from "
        "all-MiniLM-L6-v2 and a teacher, fine-tuned from all-mpnet-base-v2 (Apache-2.0; MPNet, Song et al. 2020, arXiv:2004.09297; "
        f"SHA-256 of its weights {MPNET_SHA256}); neither is shipped",
        "texts: all that they learned from or judged is the corpus' own, or made of its sentences",
    )
