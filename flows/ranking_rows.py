"""Rows of the store as the columns and records that ranking takes."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from coprod_nlp.network.gather import Wills
from coprod_nlp.network.ties import SECONDS_A_DAY
from coprod_nlp.ranking.opportunity import OpportunityMap
from coprod_nlp.records import INTERACTION_KINDS, Interactions, Message
from coprod_nlp.vocabulary import PolicyArea, Signal
from models import queries
from models.queries import Scope

# What supports a lead besides willing messages.
SUPPORTING = frozenset({Signal.ABILITY, Signal.PURPOSE, Signal.BARRIER, Signal.PROPOSE, Signal.UNWILLING})


@dataclass
class Heard:
    """What a scope's readings say: messages that can bear on a lead, who would help where, and how much was heard of whom."""

    messages: list[Message] = field(default_factory=list)
    opportunity: OpportunityMap = field(default_factory=OpportunityMap)
    posts: Counter[str] = field(default_factory=Counter)
    crowds: defaultdict[tuple[PolicyArea, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    def counts(self) -> dict[str, int]:
        """Posts by `area:<key>` and `community:<id>`, where there are any."""
        areas = {f"area:{area.value}": energy.posts for area, energy in self.opportunity.areas.items() if energy.posts}
        return areas | {f"community:{name}": count for name, count in self.posts.items()}


def read_interactions(connection: Connection, scope: Scope, numbers: Mapping[str, int], *, as_of: datetime | None) -> Interactions:
    """Interactions of the voices that have a number; the others met somebody, but wrote nothing here that is still there."""
    kind_of = {kind.value: place for place, kind in enumerate(INTERACTION_KINDS)}
    end = as_of.timestamp() if as_of else float("nan")
    portions: list[tuple[NDArray[np.int8], NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]] = []
    for rows in queries.interactions(connection, scope):
        kinds, sources, targets, times = zip(*rows, strict=True)
        portions.append((
            np.array([kind_of[kind] for kind in kinds], dtype=np.int8),
            np.array([numbers.get(key, -1) for key in sources], dtype=np.int32),
            np.array([numbers.get(key, -1) for key in targets], dtype=np.int32),
            np.maximum(0, (end - np.array(times, dtype=np.float64)) / SECONDS_A_DAY),
        ))  # fmt: skip
    if not portions:
        return Interactions(np.zeros(0, np.int8), np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0))
    kind, source, target, age = (np.concatenate(columns) for columns in zip(*portions, strict=True))
    known = (source >= 0) & (target >= 0)
    return Interactions(kind[known], source[known], target[known], age[known])


def read_heard(connection: Connection, scope: Scope, *, version: str) -> Heard:
    """Every reading goes into the opportunity map; those that can bear on a lead are kept, without their words.

    A willing message that names no policy area is taken to speak of what it answers.
    """
    heard = Heard()
    around = queries.areas_around(connection, scope, version=version)
    area_of, signal_of = {area.value: area for area in PolicyArea}, {signal.value: signal for signal in Signal}
    for row in queries.read_messages(connection, scope, version=version):
        heard.opportunity.add(areas=row.areas, signals=row.signals, is_willing=row.is_willing)
        heard.posts[row.community_id] += 1
        areas = row.areas or around.get(row.post_id, {})
        if not row.author_key or not areas:
            continue
        for area in areas:
            heard.crowds[area_of[area], row.community_id].add(row.author_key)
        if row.is_willing or SUPPORTING & row.signals.keys():
            heard.messages.append(Message(
                row.post_id, row.author_key, row.community_id, row.created_at, row.willing or 0.0, row.is_willing,
                {area_of[area]: chance for area, chance in areas.items()},
                {signal_of[signal]: chance for signal, chance in row.signals.items()},
            ))  # fmt: skip
    return heard


def wills_of(heard: Heard, numbers: Mapping[str, int], *, as_of: datetime | None) -> dict[PolicyArea, Wills]:
    """By policy area, the willing messages as columns."""
    communities = {name: place for place, name in enumerate(sorted(heard.posts))}
    rows: defaultdict[PolicyArea, list[tuple[int, int, float]]] = defaultdict(list)
    for message in heard.messages:
        if message.is_willing:
            age = (as_of - message.created_at).total_seconds() / SECONDS_A_DAY if as_of and message.created_at else float("nan")
            for area in message.areas:
                rows[area].append((numbers[message.author_key], communities[message.community_id], age))
    crowds: defaultdict[PolicyArea, dict[int, int]] = defaultdict(dict)
    for (area, name), voices in heard.crowds.items():
        crowds[area][communities[name]] = len(voices)
    return {
        area: Wills(
            np.array([row[0] for row in some], dtype=np.int32), np.array([row[1] for row in some], dtype=np.int32),
            np.maximum(0, np.array([row[2] for row in some])), crowds[area],
        )
        for area, some in sorted(rows.items())
    }  # fmt: skip
