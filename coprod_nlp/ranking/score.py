"""A lead's messages to its score: a sum of named, bounded parts, each with a sentence an officer can check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from coprod_nlp.network.ties import decay
from coprod_nlp.ranking.reasons import SENTENCES, variety_sentence
from coprod_nlp.ranking.rules import Fit, RankingRules
from coprod_nlp.records import Message, Score, ScorePart
from coprod_nlp.vocabulary import PolicyArea, Signal

# What a lead scores by itself; `variety` comes when it is put in the list.
PARTS = tuple(SENTENCES)
# How much of a contribution a willing message stands for: going on, or bringing others, is more than a single yes or a question.
SUBSTANCE = {Signal.ACTIVE: 1.0, Signal.ORGANISE: 0.9, Signal.OFFER: 0.6, Signal.SEEK: 0.3}
# Each further willing message of a voice adds this share to what it stands for: coming back is more than a single yes.
COMING_BACK = 0.1
# How open a voice is to being asked: who offers, asks or invites is; who only says what they do already is less so.
OPENNESS = {Signal.OFFER: 1.0, Signal.SEEK: 1.0, Signal.ORGANISE: 1.0, Signal.ACTIVE: 0.8}
REFUSING = 0.5
# Numbers at which a part that grows with its logarithm is full, and voices added to the crowd so that three of three are not a whole town.
FULL_WILLING, FULL_SUBSTANCE, FULL_ABILITY, FULL_IDENTIFICATION, PRIOR_VOICES = 40.0, 20.0, 10.0, 10.0, 2.0
LOW_PERCENTILE, HIGH_PERCENTILE = 5, 95

Floats = NDArray[np.float64]
_COLUMNS = ("voices", "willing", "chance", "substance", "ability", "identification", "connected", "timed", "fresh", "open")
_AT = {name: place for place, name in enumerate(_COLUMNS)}


@dataclass(frozen=True, slots=True)
class Setting:
    """What a score depends on besides messages.

    `others` are the voices around who are not willing; `is_gathered` where the willing have not met; `welcome` how far the council may
    approach people there, None where that is not known.
    """

    fit: Fit
    others: int
    is_gathered: bool
    welcome: float | None


def score_lead(
    lead_id: str,
    messages: Sequence[Message],
    *,
    area: PolicyArea,
    meetings: Mapping[str, float],
    others: int,
    is_gathered: bool,
    rules: RankingRules,
) -> Score:
    """Score the messages of a network's willing voices in its policy area.

    Parameters
    ----------
    messages
        Of these voices in this area; each voice with at least one that is willing.
    meetings
        For each willing voice, what its meetings with the others of them weigh.
    others
        How many more voices are around: those between them or, where they only share a community, the rest of those who wrote about it.
    """
    rows = _rows(messages, meetings, rules)
    setting = Setting(rules.fits.get(area, Fit(None, None, None)), others, is_gathered, _welcome(messages, rules))
    whole = rows.sum(axis=0)
    samples = _resampled(rows, rules.resamples, rules.seed ^ crc32(lead_id.encode()))
    values = _values(np.vstack([whole, samples]), setting)
    parts = tuple(
        ScorePart(
            key, None if np.isnan(values[key][0]) else float(values[key][0]), rules.weights[key], SENTENCES[key](_facts(whole, setting))
        )
        for key in PARTS
    )
    points = _points(values, rules)
    total = float(points[0])
    low, high = np.percentile(points[1:], [LOW_PERCENTILE, HIGH_PERCENTILE])
    return Score(round(total, 2), round(min(float(low), total), 2), round(max(float(high), total), 2), parts)


def with_variety(score: Score, *, heard: int, voices: int, same_area: int, weight: float) -> Score:
    """The score in its place of the list: what leads above have said already, by voices and by area, counts for less here."""
    sentence = variety_sentence(heard=heard, voices=voices, same_area=same_area)
    part = ScorePart("variety", (1 - heard / voices) / (1 + same_area), weight, sentence)
    parts = (*score.parts, part)
    before = sum(one.weight for one in score.parts if one.value is not None)
    possible = before + weight

    def moved(points: float) -> float:
        return round((points * before + 100 * (part.points or 0.0)) / possible, 2) if possible else 0.0

    total = round(100 * sum(one.points or 0.0 for one in parts) / possible, 2) if possible else 0.0
    return Score(total, min(moved(score.low), total), max(moved(score.high), total), parts)


def _resampled(rows: Floats, count: int, seed: int) -> Floats:
    """(count, columns) totals over voices drawn with replacement."""
    voices = len(rows)
    draws = np.random.default_rng(seed).multinomial(voices, np.full(voices, 1 / voices), size=count)
    return np.asarray(draws @ rows)


def _rows(messages: Sequence[Message], meetings: Mapping[str, float], rules: RankingRules) -> Floats:
    """Per willing voice what the parts add up: see `_COLUMNS`. A voice counts once in each, however often it writes."""
    voices = {key: row for row, key in enumerate(sorted({message.author_key for message in messages if message.is_willing}))}
    found = [dict.fromkeys(_COLUMNS, 0.0) for _ in voices]
    refusing = np.zeros(len(voices), dtype=bool)
    for message in messages:
        if message.author_key in voices:
            place = voices[message.author_key]
            _add(found[place], message, rules)
            refusing[place] |= Signal.UNWILLING in message.signals
    rows = np.array([list(row.values()) for row in found])
    rows[:, _AT["voices"]] = 1
    rows[:, _AT["connected"]] = [min(1.0, meetings.get(key, 0.0)) for key in voices]
    rows[:, _AT["substance"]] = np.minimum(1, rows[:, _AT["substance"]] * (1 + COMING_BACK * (rows[:, _AT["willing"]] - 1)))
    rows[refusing, _AT["open"]] *= REFUSING
    return rows


def _add(row: dict[str, float], message: Message, rules: RankingRules) -> None:
    row["ability"] = max(row["ability"], Signal.ABILITY in message.signals)
    row["identification"] = max(row["identification"], Signal.PURPOSE in message.signals)
    if not message.is_willing:
        return
    row["willing"] += 1
    row["chance"] = max(row["chance"], message.willing)
    row["substance"] = max(row["substance"], *(SUBSTANCE.get(signal, 0.0) for signal in message.signals), 0.0)
    row["open"] = max(row["open"], *(OPENNESS.get(signal, 0.0) for signal in message.signals), 0.0)
    if message.created_at is not None:
        row["timed"] = 1
        fresh = decay(message.created_at, as_of=rules.as_of, half_life_days=rules.half_life_days)
        row["fresh"] = max(row["fresh"], fresh)


def _values(totals: Floats, setting: Setting) -> dict[str, Floats]:
    """Each part, 0 to 1, for each row of totals; NaN where it cannot be known."""
    column = {name: totals[:, place] for name, place in _AT.items()}
    fit = setting.fit
    judged = [value for value in (fit.substitutability, fit.interdependence) if value is not None]
    count = len(totals)
    share = column["chance"] / (column["voices"] + setting.others + PRIOR_VOICES)
    openness = column["open"] / column["voices"]
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "willingness": np.sqrt(_grown(column["chance"], FULL_WILLING) * share),
            "ability": _grown(column["ability"], FULL_ABILITY),
            "identification": _grown(column["identification"], FULL_IDENTIFICATION),
            "substance": _grown(column["substance"], FULL_SUBSTANCE),
            "fit": np.full(count, np.mean(judged) if judged else np.nan),
            "connectedness": column["connected"] / column["voices"],
            "freshness": column["fresh"] / column["timed"],
            "under_exploration": np.full(count, np.nan if fit.programmes is None else 1 / (1 + fit.programmes)),
            "approachability": openness if setting.welcome is None else (openness + setting.welcome) / 2,
        }


def _grown(number: Floats, full: float) -> Floats:
    """From 0 to 1 with the logarithm: the third voice counts for more than the thirtieth, and none for nothing below `full`."""
    return np.asarray(np.minimum(1, np.log1p(number) / np.log1p(full)))


def _points(values: dict[str, Floats], rules: RankingRules) -> Floats:
    """Points of the known parts, scaled so that all of them at their best make 100."""
    weights = np.array([rules.weights[key] for key in PARTS])
    table = np.vstack([values[key] for key in PARTS]).T
    known = ~np.isnan(table)
    possible = (known * weights).sum(axis=1)
    return np.asarray(100 * (np.nan_to_num(table) * weights).sum(axis=1) / np.where(possible > 0, possible, 1))


def _welcome(messages: Sequence[Message], rules: RankingRules) -> float | None:
    """How far the council may approach people where they wrote, over the willing messages of communities for which it is known."""
    known = [rules.welcome[message.community_id] for message in messages if message.is_willing and message.community_id in rules.welcome]
    return sum(known) / len(known) if known else None


def _facts(whole: Floats, setting: Setting) -> dict[str, float | None]:
    facts: dict[str, float | None] = {name: float(whole[place]) for name, place in _AT.items()}
    fit = setting.fit
    return facts | {
        "substitutability": fit.substitutability, "interdependence": fit.interdependence, "programmes": fit.programmes,
        "others": setting.others, "is_gathered": float(setting.is_gathered), "welcome": setting.welcome,
    }  # fmt: skip
