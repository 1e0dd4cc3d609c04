"""What a classifier scores on sets of labelled messages, with intervals, by label and by community: plain values for its manifest."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coprod_nlp.training.curves import curves_of
from coprod_nlp.training.measure import Scored, by_label, figures_of

RESAMPLES = 200
SEED = 7
SHARE = 0.9
# Below so many messages of a community their figures say nothing, and only their number is given.
MINIMUM_MESSAGES = 20

Figures = dict[str, float | None]


@dataclass(frozen=True)
class Measured:
    """A set as one classifier judged it, its figures, and those of each draw of its messages with replacement.

    The draws of two classifiers on the same messages are the same, so that their figures can be paired.
    """

    scored: Scored
    figures: Figures
    drawn: list[Figures]

    @property
    def messages(self) -> int:
        return len(self.scored.chances)

    @property
    def intervals(self) -> dict[str, list[float]]:
        """The middle `SHARE` of each figure over the draws; no entry where it cannot be said."""
        return spread(self.drawn)


def measure(scored: Scored) -> Measured:
    """Figures of a set, and how far they would move with other messages like these."""
    rng, count = np.random.default_rng(SEED), len(scored.chances)
    drawn = [figures_of(scored.rows(rng.integers(0, count, count))) for _ in range(RESAMPLES)] if count else []
    return Measured(scored, figures_of(scored), drawn)


def evaluation(sets: Mapping[str, Measured], *, communities: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any]:
    """Everything there is to say of some sets, by what it is.

    Parameters
    ----------
    sets
        Judged messages by the name of their set, such as `checked`.
    communities
        Where each message of a set is from, for sets that know it.

    Returns
    -------
    dict
        The figures of each set under its own name; `intervals` of each figure, `curves`, `labels` and `communities`, each by set.
    """
    found: dict[str, Any] = {name: measured.figures for name, measured in sets.items()}
    found["intervals"] = {name: measured.intervals for name, measured in sets.items()}
    found["curves"] = {name: curves_of(measured.scored) for name, measured in sets.items()}
    found["labels"] = {name: rounded(by_label(measured.scored)) for name, measured in sets.items()}
    found["communities"] = {name: by_community(sets[name].scored, where) for name, where in (communities or {}).items()}
    return found


def spread(drawn: Sequence[Mapping[str, float | None]]) -> dict[str, list[float]]:
    """Low and high end of each figure over draws; counts of messages are no figures."""
    values: defaultdict[str, list[float]] = defaultdict(list)
    for figures in drawn:
        for name, value in figures.items():
            if value is not None and not name.endswith("messages"):
                values[name].append(value)
    ends = [(1 - SHARE) / 2, (1 + SHARE) / 2]
    return {name: [round(float(end), 4) for end in np.quantile(some, ends)] for name, some in values.items()}


def by_community(scored: Scored, communities: Sequence[str]) -> dict[str, Figures]:
    """Figures of each community's messages, their number alone where there are few."""
    places = np.asarray(communities)
    found: dict[str, Figures] = {}
    for community in sorted(set(communities)):
        rows = np.flatnonzero(places == community)
        found[community] = figures_of(scored.rows(rows)) if len(rows) >= MINIMUM_MESSAGES else {"messages": float(len(rows))}
    return found


def rounded(table: Mapping[str, Figures]) -> dict[str, Figures]:
    return {label: {name: None if value is None else round(value, 4) for name, value in values.items()} for label, values in table.items()}
