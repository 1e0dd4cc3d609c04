"""How far the labellers in the store agree."""

from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Engine

from coprod_nlp.records import Evidence
from coprod_nlp.training.label_quality import Agreement, Judgement, agreement, merge_judgements, pairs_by_labellers
from coprod_nlp.vocabulary import PolicyArea, Signal
from models import label_queries


def judgement_of(row: Any) -> Judgement:
    """A row of the store as the library takes it."""
    return Judgement(
        row.post_id, row.labeller, frozenset(map(PolicyArea, row.areas)), frozenset(map(Signal, row.signals)),
        tuple(Evidence(Signal(signal), start, end) for signal, start, end in row.evidence), row.is_sensitive,
    )  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Agreement by two labellers, then by label; how many posts several have labelled, and how many of those are disputed."""

    agreements: dict[tuple[str, str], dict[str, Agreement]]
    several: int
    disputed: int


def compare_labellers(engine: Engine) -> Comparison:
    """Of labels of words that the posts still hold."""
    with engine.connect() as connection:
        judgements = [judgement_of(row) for row in label_queries.labelled_posts(connection)]
    by_post = [list(same_post) for _, same_post in groupby(judgements, key=attrgetter("post_id"))]
    several = [same_post for same_post in by_post if len(same_post) > 1]
    disputed = sum(merge_judgements(same_post).is_disputed for same_post in several)
    pairs = pairs_by_labellers(judgements)
    return Comparison({names: agreement(both) for names, both in pairs.items()}, len(several), disputed)
