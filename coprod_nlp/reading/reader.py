"""Posts to readings: set aside what must not be scored, look at whole posts, then at the sentences of those worth it."""

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from coprod_nlp.reading.artefact import Artefact, Floats, load_artefact
from coprod_nlp.reading.features import Sentence, split
from coprod_nlp.records import Evidence, PostText, Reading
from coprod_nlp.text.clean import prose
from coprod_nlp.text.language import UNKNOWN, is_readable_language, language_of
from coprod_nlp.text.pipeline import build_nlp
from coprod_nlp.vocabulary import WILLING_SIGNALS, PolicyArea, ReadingStatus, Signal

SENSITIVE, WILLING, GATE = "sensitive", "willing", "gate"
POST_LABELS = (*(area.value for area in PolicyArea), *(signal.value for signal in Signal), SENSITIVE, WILLING)
SENTENCE_LABELS = (*(signal.value for signal in Signal), WILLING)
STACKED_LABELS = SENTENCE_LABELS


class Reader:
    """Reads posts with one artefact. Readings do not depend on which other posts are in the batch.

    Examples
    --------
    >>> reading = Reader().read([PostText("t1_a", "", "I can lend my van for the clean-up on Saturday, happy to help.")])[0]
    >>> reading.is_willing
    True
    """

    def __init__(self, artefact: Artefact | None = None) -> None:
        self._artefact = artefact or load_artefact()
        self._nlp = build_nlp()
        self.version = self._artefact.manifest.version
        self._thresholds = self._artefact.manifest.thresholds

    def read(self, posts: Sequence[PostText]) -> list[Reading]:
        """One reading a post, in the order of the posts."""
        readings: dict[int, Reading] = {}
        kept: list[tuple[int, str, str]] = []
        for index, post in enumerate(posts):
            words = prose(post.text)
            code = language_of(words) if post.is_readable else UNKNOWN
            if not post.is_readable or not any(character.isalpha() for character in words):
                readings[index] = Reading(post.post_id, ReadingStatus.NOT_READ, UNKNOWN, self.version)
            elif not is_readable_language(code):
                readings[index] = Reading(post.post_id, ReadingStatus.NOT_ENGLISH, code, self.version)
            else:
                kept.append((index, words, code))
        if kept:
            logits = self._artefact.posts.logits([words for _, words, _ in kept])
            deep = self._deep([posts[index] for index, _, _ in kept], logits)
            for row, (index, _, code) in enumerate(kept):
                readings[index] = self._reading(posts[index], code, logits[row], deep.get(row))
        return [readings[index] for index in range(len(posts))]

    def _deep(self, posts: list[PostText], logits: Floats) -> dict[int, tuple[list[Sentence], Floats]]:
        """Sentences and their log-odds, for the rows that pass the gate and are not sensitive."""
        signals = [POST_LABELS.index(label) for label in SENTENCE_LABELS]
        passed = logits[:, signals].max(axis=1) >= _logit(self._thresholds[GATE])
        passed &= logits[:, POST_LABELS.index(SENSITIVE)] < _logit(self._thresholds[SENSITIVE])
        rows = [int(row) for row in np.flatnonzero(passed)]
        parts = {row: found for row in rows if (found := split(self._nlp, posts[row]))}
        if not parts:
            return {}
        flat = self._artefact.sentences.logits([sentence.seen for found in parts.values() for sentence in found])
        ends = np.cumsum([len(found) for found in parts.values()])[:-1]
        return {row: (found, some) for (row, found), some in zip(parts.items(), np.split(flat, ends), strict=True)}

    def _reading(self, post: PostText, language: str, logits: Floats, deep: tuple[list[Sentence], Floats] | None) -> Reading:
        odds = dict(zip(POST_LABELS, logits, strict=True))
        if expit(odds[SENSITIVE]) >= self._thresholds[SENSITIVE]:
            return Reading(post.post_id, ReadingStatus.SENSITIVE, language, self.version)
        areas = {area: _rounded(expit(odds[area.value])) for area in PolicyArea if expit(odds[area.value]) >= self._thresholds[area.value]}
        stacked = {label: stack_features(label, odds[label], deep[1] if deep else None) for label in STACKED_LABELS}
        chances = {label: float(self._artefact.probability(label, features[None, :])[0]) for label, features in stacked.items()}
        signals: dict[Signal, float] = {}
        evidence: list[Evidence] = []
        if deep:
            found, sentence_logits = deep
            for signal in Signal:
                if chances[signal.value] >= self._thresholds[signal.value]:
                    signals[signal] = _rounded(chances[signal.value])
                    best = found[int(sentence_logits[:, SENTENCE_LABELS.index(signal.value)].argmax())]
                    evidence.append(Evidence(signal, best.start, best.end))
        is_willing = bool(deep) and chances[WILLING] >= self._thresholds[WILLING]
        if not is_willing:
            signals = {signal: chance for signal, chance in signals.items() if signal not in WILLING_SIGNALS}
        elif deep and not set(signals) & set(WILLING_SIGNALS):
            signal = max(WILLING_SIGNALS, key=lambda item: chances[item.value])
            signals[signal] = _rounded(chances[signal.value])
            best = deep[0][int(deep[1][:, SENTENCE_LABELS.index(signal.value)].argmax())]
            evidence.append(Evidence(signal, best.start, best.end))
        return Reading(
            post.post_id, ReadingStatus.READ, language, self.version, willing=_rounded(chances[WILLING]), is_willing=is_willing,
            areas=areas, signals=signals, evidence=tuple(item for item in evidence if item.signal in signals),
        )  # fmt: skip


def stack_features(label: str, post_logit: float, sentence_logits: Floats | None) -> Floats:
    """(3,) what the calibrated probability of a label rests on: the post as a whole, its best sentence, its second best.

    A post that did not pass the gate has no sentences; its whole stands for them.
    """
    if sentence_logits is None or not len(sentence_logits):
        return np.array([post_logit, post_logit, post_logit], dtype=np.float32)
    column = np.sort(sentence_logits[:, SENTENCE_LABELS.index(label)])[::-1]
    return np.array([post_logit, column[0], column[1] if len(column) > 1 else column[0]], dtype=np.float32)


def _logit(probability: float) -> float:
    return float(np.log(probability) - np.log1p(-probability))


def _rounded(probability: float) -> float:
    return round(float(probability), 4)
