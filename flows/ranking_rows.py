"""Rows of the store as the columns and records that ranking takes."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import repeat

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from coprod_nlp.network.gather import Wills
from coprod_nlp.network.ties import SECONDS_A_DAY
from coprod_nlp.records import INTERACTION_KINDS, Interactions, Message
from coprod_nlp.vocabulary import PolicyArea, Signal
from models import queries
from models.queries import VALUE_END, Scope

# What supports a lead besides willing messages.
SUPPORTING = frozenset({Signal.ABILITY, Signal.PURPOSE, Signal.BARRIER, Signal.PROPOSE, Signal.UNWILLING})


@dataclass
class Heard:
    """What a scope's readings say: messages that can bear on a lead, who would help where, and how much was heard of whom."""

    messages: list[Message] = field(default_factory=list)
    areas: Counter[str] = field(default_factory=Counter)
    posts: Counter[str] = field(default_factory=Counter)
    crowds: defaultdict[tuple[PolicyArea, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    def counts(self) -> dict[str, int]:
        """Posts by `area:<key>` and `community:<id>`, where there are any."""
        areas = {f"area:{key}": count for key, count in self.areas.items()}
        return areas | {f"community:{name}": count for name, count in self.posts.items()}


def read_interactions(connection: Connection, scope: Scope, numbers: Mapping[str, int], *, as_of: datetime | None) -> Interactions:
    """Interactions of the voices that have a number; the others met somebody, but wrote nothing here that is still there."""
    kind_of = {kind.value: place for place, kind in enumerate(INTERACTION_KINDS)}
    end = as_of.timestamp() if as_of else float("nan")
    portions = [
        (
            _numbered(kinds, kind_of).astype(np.int8),
            _numbered(sources, numbers),
            _numbered(targets, numbers),
            np.maximum(0, (end - np.fromiter(map(float, seconds.split(VALUE_END)), dtype=np.float64)) / SECONDS_A_DAY),
        )
        for kinds, sources, targets, seconds in queries.interactions(connection, scope)
    ]
    if not portions:
        return Interactions(np.zeros(0, np.int8), np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0))
    kind, source, target, age = (np.concatenate(columns) for columns in zip(*portions, strict=True))
    known = (source >= 0) & (target >= 0)
    return Interactions(kind[known], source[known], target[known], age[known])


def _numbered(column: str, numbers: Mapping[str, int]) -> NDArray[np.int32]:
    """The number of each value, -1 where it has none."""
    return np.fromiter(map(numbers.get, column.split(VALUE_END), repeat(-1)), dtype=np.int32)


def read_heard(connection: Connection, scope: Scope, *, version: str) -> Heard:
    """Every reading that says something is counted; those that can bear on a lead are kept, without their words.

    A willing message that names no policy area is taken to speak of what it answers.
    """
    heard = Heard()
    around = queries.areas_around(connection, scope, version=version)
    area_of, signal_of = {area.value: area for area in PolicyArea}, {signal.value: signal for signal in Signal}
    for row in queries.read_messages(connection, scope, version=version):
        post_id, author_key, community_id, created_at, willing, is_willing, areas_text, signals_text = row
        areas, signals = json.loads(areas_text), json.loads(signals_text)
        heard.areas.update(areas.keys())
        heard.posts[community_id] += 1
        areas = areas or around.get(post_id, {})
        if not author_key or not areas:
            continue
        for area in areas:
            heard.crowds[area_of[area], community_id].add(author_key)
        if is_willing or not SUPPORTING.isdisjoint(signals):
            heard.messages.append(Message(
                post_id, author_key, community_id, created_at, willing or 0.0, is_willing,
                {area_of[area]: chance for area, chance in areas.items()},
                {signal_of[signal]: chance for signal, chance in signals.items()},
            ))  # fmt: skip
    return heard


def wills_of(heard: Heard, numbers: Mapping[str, int], *, as_of: datetime | None, likely_from: float) -> dict[PolicyArea, Wills]:
    """By policy area, the messages that are likely enough to be willing, as columns."""
    communities = {name: place for place, name in enumerate(sorted(heard.posts))}
    rows: defaultdict[PolicyArea, list[tuple[int, int, float]]] = defaultdict(list)
    for message in heard.messages:
        # Who first wrote after the voices were numbered has a place in the next ranking.
        if message.is_willing and message.willing >= likely_from and message.author_key in numbers:
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
