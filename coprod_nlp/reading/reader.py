"""Posts to readings: set aside what must not be scored, then weigh each post as a whole together with its best sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from coprod_nlp.reading.artefact import Artefact, Floats, load_artefact
from coprod_nlp.reading.features import PostBatch, best_two, look, post_features, sentence_features
from coprod_nlp.reading.labels import AREAS, FIRST_STACKED, SENSITIVE, SENTENCE_LABELS, WILLING
from coprod_nlp.records import Evidence, PostText, Reading
from coprod_nlp.text.clean import prose
from coprod_nlp.text.language import UNKNOWN, is_readable_language, language_of
from coprod_nlp.text.tokens import Tokeniser
from coprod_nlp.vocabulary import WILLING_SIGNALS, PolicyArea, ReadingStatus, Signal

EVIDENCE_WORDS = 5


@dataclass(frozen=True, slots=True)
class Chances:
    """What the classifiers say of some posts, as probabilities: areas (posts, 18), sensitive (posts,), signals and willing
    (posts, 12) after `SENTENCE_LABELS`; and `sentences` (sentences, 12) as log-odds."""

    areas: Floats
    sensitive: Floats
    signals: Floats
    sentences: Floats


@dataclass(frozen=True, slots=True)
class _Kept:
    """A post that is to be scored: where it was in its batch, its prose, its language."""

    index: int
    post: PostText
    words: str
    language: str


class Reader:
    """Reads posts with one artefact. A reading does not depend on which other posts are in the batch.

    Examples
    --------
    >>> reading = Reader().read([PostText("t1_a", "", "I can lend my van for the clean-up on Saturday, happy to help.")])[0]
    >>> reading.is_willing
    True
    """

    def __init__(self, artefact: Artefact | None = None) -> None:
        self._artefact = artefact or load_artefact()
        self._tokeniser = Tokeniser()
        self.version = self._artefact.manifest.version
        self._thresholds = self._artefact.manifest.thresholds

    def read(self, posts: Sequence[PostText]) -> list[Reading]:
        """One reading a post, in the order of the posts."""
        readings: dict[int, Reading] = {}
        kept: list[_Kept] = []
        for index, post in enumerate(posts):
            words = prose(post.text) if post.is_readable else ""
            if not any(map(str.isalpha, words)):
                readings[index] = Reading(post.post_id, ReadingStatus.NOT_READ, UNKNOWN, self.version)
                continue
            code = language_of(words)
            if is_readable_language(code):
                kept.append(_Kept(index, post, words, code))
            else:
                readings[index] = Reading(post.post_id, ReadingStatus.NOT_ENGLISH, code, self.version)
        if kept:
            readings |= dict(zip((item.index for item in kept), self._scored(kept), strict=True))
        return [readings[index] for index in range(len(posts))]

    def chances(self, batch: PostBatch) -> Chances:
        """Probabilities before any decision."""
        artefact = self._artefact
        whole = artefact.posts.logits(post_features(artefact.post_vectoriser, batch))
        sentences = artefact.sentences.logits(sentence_features(artefact.sentence_vectoriser, batch))
        stacked = stack(whole[:, FIRST_STACKED:], sentences, batch)
        signals = expit((stacked * artefact.stackers.weights.T).sum(axis=2) + artefact.stackers.intercepts)
        probabilities = expit(whole[:, :FIRST_STACKED])
        return Chances(probabilities[:, : len(AREAS)], probabilities[:, len(AREAS)], signals, sentences)

    def _scored(self, kept: list["_Kept"]) -> list[Reading]:
        batch = look(self._tokeniser, [item.post for item in kept], [item.words for item in kept])
        chances = self.chances(batch)
        first = np.searchsorted(batch.tokens.sentence_text, np.arange(len(kept) + 1))
        readings = []
        for row, item in enumerate(kept):
            if chances.sensitive[row] >= self._thresholds[SENSITIVE]:
                readings.append(Reading(item.post.post_id, ReadingStatus.SENSITIVE, item.language, self.version))
                continue
            signals, is_willing = self._signals(chances.signals[row])
            areas = {
                area: _rounded(chance)
                for area, chance in zip(PolicyArea, chances.areas[row], strict=True)
                if chance >= self._thresholds[area.value]
            }
            readings.append(
                Reading(
                    item.post.post_id,
                    ReadingStatus.READ,
                    item.language,
                    self.version,
                    willing=_rounded(chances.signals[row, SENTENCE_LABELS.index(WILLING)]),
                    is_willing=is_willing,
                    areas=areas,
                    signals=signals,
                    evidence=_evidence(batch, chances.sentences, int(first[row]), int(first[row + 1]), signals),
                )
            )
        return readings

    def _signals(self, chances: Floats) -> tuple[dict[Signal, float], bool]:
        """What is decided for. A willing post has at least one willing signal, an unwilling one has none of them."""
        by_label = dict(zip(SENTENCE_LABELS, chances, strict=True))
        is_willing = bool(by_label[WILLING] >= self._thresholds[WILLING])
        decided = [signal for signal in Signal if by_label[signal.value] >= self._thresholds[signal.value]]
        if not is_willing:
            decided = [signal for signal in decided if signal not in WILLING_SIGNALS]
        elif not set(decided) & set(WILLING_SIGNALS):
            decided.append(max(WILLING_SIGNALS, key=lambda signal: by_label[signal.value]))
        return {signal: _rounded(by_label[signal.value]) for signal in decided}, is_willing


def stack(whole: Floats, sentences: Floats, batch: PostBatch) -> Floats:
    """(posts, labels, 3) what a label's probability rests on: the log-odds of the post, of its best and of its second best sentence."""
    best, second = best_two(sentences, batch.tokens.sentence_text, whole)
    return np.stack([whole, best, second], axis=2)


def _evidence(batch: PostBatch, logits: Floats, first: int, end: int, signals: dict[Signal, float]) -> tuple[Evidence, ...]:
    """The sentence that speaks most for each signal; a scrap of a sentence only where there is nothing else."""
    if first == end:
        return ()
    found = []
    lengths = batch.tokens.sentence_words[first:end]
    is_scrap = (lengths < EVIDENCE_WORDS) & (lengths.max() >= EVIDENCE_WORDS)
    for signal in signals:
        best = first + int(np.where(is_scrap, -np.inf, logits[first:end, SENTENCE_LABELS.index(signal.value)]).argmax())
        found.append(Evidence(signal, int(batch.tokens.sentence_start[best]), int(batch.tokens.sentence_end[best])))
    return tuple(found)


def _rounded(probability: float) -> float:
    return round(float(probability), 4)
