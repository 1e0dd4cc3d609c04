"""Labelled posts as a retraining takes them: only of platforms that may be used for it, one judgement a post."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Engine

from config.schema import Config
from coprod_nlp.records import Evidence, PostText
from coprod_nlp.training.agreement import judgement_of
from coprod_nlp.training.corpus import LabelledPost
from coprod_nlp.training.holdout import Case
from coprod_nlp.training.label_quality import MergedLabels, merge_judgements
from coprod_nlp.vocabulary import WILLING_SIGNALS
from models import classifier_queries, label_queries
from models.session import unit_of_work


@dataclass
class Gathered:
    """What may be learned from, and how many labelled posts may not: by platform that does not allow it, elsewhere, or disputed."""

    cases: list[Case] = field(default_factory=list)
    not_allowed: dict[str, int] = field(default_factory=dict)
    other_councils: int = 0
    disputed: int = 0

    def left_out(self) -> list[str]:
        """In plain sentences; none where nothing was."""
        found = [
            f"{count:,} labelled posts of {platform} were left out: training_allowed is false for it in retention.toml"
            for platform, count in sorted(self.not_allowed.items())
        ]
        if self.other_councils:
            found.append(f"{self.other_councils:,} labelled posts were left out: not of the council's communities")
        if self.disputed:
            found.append(f"{self.disputed:,} labelled posts were left out: labellers differ on whether they are willing, or why")
        return found


def gather_cases(engine: Engine, config: Config, *, council: str | None = None) -> Gathered:
    """Every labelled post that may be used, or those of a council's communities."""
    found = Gathered()
    communities = _communities(engine, config, council) if council else None
    with engine.connect() as connection:
        for platform in label_queries.labelled_platforms(connection):
            rows = label_queries.labelled_posts(connection, platforms=[platform])
            by_post = (list(same) for _, same in groupby(rows, key=attrgetter("post_id")))
            if not config.training_allowed(platform):
                found.not_allowed[platform] = sum(1 for _ in by_post)
                continue
            for same_post in by_post:
                if communities is not None and same_post[0].community_id not in communities:
                    found.other_councils += 1
                elif case := case_of(same_post):
                    found.cases.append(case)
                else:
                    found.disputed += 1
    found.not_allowed = {platform: count for platform, count in found.not_allowed.items() if count}
    return found


def case_of(rows: Iterable[Any]) -> Case | None:
    """The rows of one post, one a labeller, as one case; None where they do not decide whether it is willing, or by which signal."""
    rows = list(rows)
    merged, row = merge_judgements([judgement_of(row) for row in rows]), rows[0]
    if merged.is_willing is None or merged.is_willing != bool(merged.signals & set(WILLING_SIGNALS)):
        return None
    post = PostText(row.post_id, row.title, row.body)
    labelled = LabelledPost(post, merged.areas, _evidence(merged, post), merged.is_sensitive)
    return Case(labelled, row.author_key, row.community_id, row.created_at)


def _evidence(merged: MergedLabels, post: PostText) -> tuple[Evidence, ...]:
    """A signal whose words nobody marked stands in the whole text."""
    marked = {item.signal for item in merged.evidence}
    return (*merged.evidence, *(Evidence(signal, 0, len(post.text)) for signal in sorted(merged.signals - marked)))


def _communities(engine: Engine, config: Config, council: str) -> set[str]:
    with unit_of_work(engine) as session:
        listened = classifier_queries.communities_listened_to(session, council=council)
    return listened | {community.community_id for community in config.communities if community.council == council}
