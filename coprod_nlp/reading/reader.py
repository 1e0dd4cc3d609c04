"""Posts to readings: set aside what must not be scored, glance at the rest, read deeply what may say something, closely the willing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coprod_nlp.reading.artefact import Artefact, calls_for_close, load_artefact
from coprod_nlp.reading.decisions import JUST_SHORT, WILLING_PLACE, agreed, decide
from coprod_nlp.reading.encoder import Encoded, read_closely, seen_by_both
from coprod_nlp.reading.evidence import find_evidence
from coprod_nlp.reading.gate import glanced, look
from coprod_nlp.reading.labels import AREAS, LABELS, SENSITIVE, SIGNALS, WILLING
from coprod_nlp.records import PostText, Reading
from coprod_nlp.text.clean import prose
from coprod_nlp.text.language import UNKNOWN, is_readable_language, language_of
from coprod_nlp.text.sentences import sentences
from coprod_nlp.vocabulary import PolicyArea, ReadingStatus, Signal

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that led to one reading: by label the probability at a glance, in the deep reading (None where the gate stayed shut)
    and in the close one (None where the deep one found it hardly willing), and the threshold."""

    reading: Reading
    glances: dict[str, float]
    deep: dict[str, float] | None
    close: dict[str, float] | None
    thresholds: dict[str, float]

    @property
    def chances(self) -> dict[str, float]:
        """Those of the last stage it came to; none where it was set aside."""
        return self.close or self.deep or self.glances


@dataclass(frozen=True, slots=True)
class Looks:
    """(LABELS,) probabilities at a glance, in the deep and in the close reading, where it came to that."""

    glance: Floats
    deep: Floats | None = None
    close: Floats | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A post that is to be read: its prose, of title and body apart, and its language."""

    post: PostText
    title: str
    body: str
    language: str


class Reader:
    """Reads posts with one artefact. A reading does not depend on which other posts are read with it.

    Parameters
    ----------
    is_always_deep
        Leave the gate open: every post is read deeply, and those that seem willing closely.

    Examples
    --------
    >>> reading = Reader().read([PostText("t1_a", "", "I can lend my van for the clean-up on Saturday, happy to help.")])[0]
    >>> reading.is_willing
    True
    """

    def __init__(self, artefact: Artefact | None = None, *, is_always_deep: bool = False) -> None:
        self._artefact = artefact or load_artefact()
        self._is_always_deep = is_always_deep
        self.version = self._artefact.manifest.version
        thresholds = self._artefact.manifest.thresholds
        self._thresholds = np.array([thresholds[label] for label in LABELS])
        sentences("")  # loads spaCy's tokeniser now, not when the first post says something

    def read(self, posts: Sequence[PostText]) -> list[Reading]:
        """One reading a post, in the order of the posts."""
        sorted_out = [set_aside(post, version=self.version) for post in posts]
        kept = [item for item in sorted_out if isinstance(item, Kept)]
        readings = (reading for reading, _ in self._scored(kept))
        return [next(readings) if isinstance(item, Kept) else item for item in sorted_out]

    def explain(self, post: PostText) -> Explanation:
        """The reading of one post and what led to it; nothing at a glance where there is nothing to read."""
        thresholds = self._artefact.manifest.thresholds
        item = set_aside(post, version=self.version)
        if isinstance(item, Reading):
            return Explanation(item, {}, None, None, thresholds)
        reading, looks = next(self._scored([item]))
        deep, close = (None if chances is None else by_label(chances) for chances in (looks.deep, looks.close))
        return Explanation(reading, by_label(looks.glance), deep, close, thresholds)

    def _scored(self, kept: list[Kept]) -> Iterator[tuple[Reading, Looks]]:
        """Of each post its reading, and what led to it."""
        artefact = self._artefact
        glances = artefact.gate.chances(look([glanced(item.title, item.body) for item in kept]))
        passed = artefact.gate.passes(glances) | self._is_always_deep
        for item, glance, is_passed in zip(kept, glances, passed, strict=True):
            if not is_passed:
                yield self._passed_over(item, glance), Looks(glance)
                continue
            windows = artefact.encoder.windows(item.title, item.body)
            encoded = artefact.encoder.read(windows)
            chances = artefact.heads.chances(encoded.features[None])
            if not calls_for_close(chances, artefact.manifest.close_from)[0]:
                yield self._decided(item, chances[0], encoded), Looks(glance, chances[0])
                continue
            closely = read_closely(artefact.close, windows, encoded)
            decided_by = artefact.close_heads.chances(np.concatenate([encoded.features, closely.features])[None])[0]
            yield self._decided(item, decided_by, seen_by_both(windows, encoded, closely)), Looks(glance, chances[0], decided_by)

    def _passed_over(self, item: Kept, glance: Floats) -> Reading:
        """A post in which the gate saw nothing: read, without area or signal."""
        willing = min(float(glance[WILLING_PLACE]), float(self._thresholds[WILLING_PLACE]) - JUST_SHORT)
        return Reading(item.post.post_id, ReadingStatus.READ, item.language, self.version, willing=rounded(willing), is_deep=False)

    def _decided(self, item: Kept, chances: Floats, encoded: Encoded) -> Reading:
        decided = decide(chances[None], self._thresholds)
        said = dict(zip(LABELS, decided[0].tolist(), strict=True))
        chance = by_label(agreed(chances[None], decided, self._thresholds)[0])
        signals = tuple(Signal(name) for name in SIGNALS if said[name])
        is_sensitive = said[SENSITIVE]
        evidence = find_evidence(item.title, item.body, encoded, signals) if signals and not is_sensitive else ()
        return Reading(
            item.post.post_id,
            ReadingStatus.SENSITIVE if is_sensitive else ReadingStatus.READ,
            item.language,
            self.version,
            willing=chance[WILLING],
            is_willing=said[WILLING],
            areas={PolicyArea(area): chance[area] for area in AREAS if said[area]},
            signals={signal: chance[signal] for signal in signals},
            evidence=evidence,
            is_deep=True,
        )


def set_aside(post: PostText, *, version: str) -> Kept | Reading:
    """A post to be read, or the reading of one that is not: nothing to read in it, or another language."""
    title, body = (prose(post.title), prose(post.body)) if post.is_readable else ("", "")
    words = glanced(title, body)
    if not any(map(str.isalpha, words)):
        return Reading(post.post_id, ReadingStatus.NOT_READ, UNKNOWN, version)
    code = language_of(words.strip())
    if not is_readable_language(code):
        return Reading(post.post_id, ReadingStatus.NOT_ENGLISH, code, version)
    return Kept(post, title, body, code)


def by_label(chances: Floats) -> dict[str, float]:
    return {label: rounded(value) for label, value in zip(LABELS, chances.tolist(), strict=True)}


def rounded(probability: float) -> float:
    return round(probability, 4)
