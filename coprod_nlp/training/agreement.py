"""How far the labellers of some posts agree, and on which posts they leave it open whether it is willing."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from coprod_nlp.records import Evidence
from coprod_nlp.training.label_quality import Agreement, Judgement, agreement, merge_judgements, pairs_by_labellers
from coprod_nlp.vocabulary import PolicyArea, Signal


@dataclass(frozen=True)
class Comparison:
    """Agreement by two labellers, then by label; how many posts several have labelled, and which of those are disputed."""

    agreements: dict[tuple[str, str], dict[str, Agreement]]
    several: int
    disputed_posts: tuple[str, ...]

    @property
    def disputed(self) -> int:
        return len(self.disputed_posts)


def judgement_of(row: Any) -> Judgement:
    """A stored label, or anything with its fields, as a judgement."""
    return Judgement(
        row.post_id, row.labeller, frozenset(map(PolicyArea, row.areas)), frozenset(map(Signal, row.signals)),
        tuple(Evidence(Signal(signal), start, end) for signal, start, end in row.evidence), row.is_sensitive,
    )  # fmt: skip


def compare_judgements(judgements: Iterable[Judgement]) -> Comparison:
    """Every two labellers side by side."""
    ordered = sorted(judgements, key=attrgetter("post_id", "labeller"))
    by_post = [list(same_post) for _, same_post in groupby(ordered, key=attrgetter("post_id"))]
    several = [same_post for same_post in by_post if len(same_post) > 1]
    disputed = tuple(same_post[0].post_id for same_post in several if merge_judgements(same_post).is_disputed)
    pairs = pairs_by_labellers(ordered)
    return Comparison({names: agreement(both) for names, both in pairs.items()}, len(several), disputed)
