"""A lead's messages to its score: a sum of named, bounded parts, each with a sentence an officer can check."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from coprod_nlp.network.ties import decay
from coprod_nlp.ranking.reasons import PART_NAMES, SENTENCES
from coprod_nlp.ranking.rules import Fit, RankingRules
from coprod_nlp.records import Message, Score, ScorePart
from coprod_nlp.vocabulary import PolicyArea, Signal

PARTS = tuple(PART_NAMES)
# How much of a contribution a willing message stands for: going on, or bringing others, is more than a single yes or a question.
SUBSTANCE = {Signal.ACTIVE: 1.0, Signal.ORGANISE: 0.9, Signal.OFFER: 0.6, Signal.SEEK: 0.3}
# The sums of probabilities and of substance, and the numbers of messages, at which a part reaches 63 % of its best.
WILLINGNESS_SCALE, SUBSTANCE_SCALE, ABILITY_SCALE, PURPOSE_SCALE = 6.0, 3.0, 2.0, 2.0
LOW_PERCENTILE, HIGH_PERCENTILE = 5, 95

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Totals:
    """Per voice (rows) what the parts add up: see `_COLUMNS`."""

    rows: Floats

    def resampled(self, count: int, seed: int) -> Floats:
        """(count, columns) totals over voices drawn with replacement."""
        voices = len(self.rows)
        draws = np.random.default_rng(seed).multinomial(voices, np.full(voices, 1 / voices), size=count)
        return np.asarray(draws @ self.rows)


_COLUMNS = ("voices", "willing", "chance", "substance", "ability", "purpose", "connected", "timed", "fresh")
_AT = {name: place for place, name in enumerate(_COLUMNS)}


def score_lead(lead_id: str, messages: Sequence[Message], *, area: PolicyArea, connected: frozenset[str], rules: RankingRules) -> Score:
    """Score the messages of a network in one policy area.

    Parameters
    ----------
    messages
        Of the network's voices in this area; at least one willing.
    connected
        The voices that met another voice of this lead.
    """
    totals = _totals(messages, connected, rules)
    fit = rules.fits.get(area, Fit(None, None, None))
    whole = totals.rows.sum(axis=0)
    values = _values(whole[None, :], fit)
    parts = tuple(
        ScorePart(key, None if np.isnan(values[key][0]) else float(values[key][0]), rules.weights[key], SENTENCES[key](_facts(whole, fit)))
        for key in PARTS
    )
    samples = _points(_values(totals.resampled(rules.resamples, rules.seed ^ crc32(lead_id.encode())), fit), rules)
    total = float(_points(values, rules)[0])
    low, high = np.percentile(samples, [LOW_PERCENTILE, HIGH_PERCENTILE])
    return Score(round(total, 2), round(min(float(low), total), 2), round(max(float(high), total), 2), parts)


def _totals(messages: Sequence[Message], connected: frozenset[str], rules: RankingRules) -> _Totals:
    voices = {key: row for row, key in enumerate(sorted({message.author_key for message in messages if message.is_willing}))}
    rows = np.zeros((len(voices), len(_COLUMNS)))
    rows[:, _AT["voices"]] = 1
    for key, place in voices.items():
        rows[place, _AT["connected"]] = key in connected
    for message in messages:
        if message.author_key not in voices:
            continue
        row = rows[voices[message.author_key]]
        row[_AT["ability"]] += Signal.ABILITY in message.signals
        row[_AT["purpose"]] += Signal.PURPOSE in message.signals
        if message.is_willing:
            row[_AT["willing"]] += 1
            row[_AT["chance"]] += message.willing
            row[_AT["substance"]] += max((SUBSTANCE.get(signal, 0.0) for signal in message.signals), default=0.0)
            if message.created_at is not None:
                row[_AT["timed"]] += 1
                row[_AT["fresh"]] += decay(message.created_at, as_of=rules.as_of, half_life_days=rules.half_life_days)
    return _Totals(rows)


def _values(totals: Floats, fit: Fit) -> dict[str, Floats]:
    """Each part, 0 to 1, for each row of totals; NaN where it cannot be known."""
    column = {name: totals[:, place] for name, place in _AT.items()}
    judged = [value for value in (fit.substitutability, fit.interdependence) if value is not None]
    count = len(totals)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "willingness": 1 - np.exp(-column["chance"] / WILLINGNESS_SCALE),
            "contribution": 1 - np.exp(-column["substance"] / SUBSTANCE_SCALE),
            "ability": 1 - np.exp(-column["ability"] / ABILITY_SCALE),
            "purpose": 1 - np.exp(-column["purpose"] / PURPOSE_SCALE),
            "connectedness": column["connected"] / column["voices"],
            "freshness": column["fresh"] / column["timed"],
            "fit": np.full(count, np.mean(judged) if judged else np.nan),
            "under_exploration": np.full(count, np.nan if fit.programmes is None else 1 / (1 + fit.programmes)),
        }


def _points(values: dict[str, Floats], rules: RankingRules) -> Floats:
    """Points of the known parts, scaled so that all of them at their best make 100."""
    weights = np.array([rules.weights[key] for key in PARTS])
    table = np.vstack([values[key] for key in PARTS]).T
    known = ~np.isnan(table)
    possible = (known * weights).sum(axis=1)
    return np.asarray(100 * (np.nan_to_num(table) * weights).sum(axis=1) / np.where(possible > 0, possible, 1))


def _facts(whole: Floats, fit: Fit) -> dict[str, float | None]:
    facts: dict[str, float | None] = {name: float(whole[place]) for name, place in _AT.items()}
    return facts | {"substitutability": fit.substitutability, "interdependence": fit.interdependence, "programmes": fit.programmes}
