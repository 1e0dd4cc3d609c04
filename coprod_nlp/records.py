"""What crosses the boundary of this package: frozen records, no rows, no sessions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from coprod_nlp.vocabulary import Approach, InteractionKind, PolicyArea, ReadingStatus, Signal, Stage, TieKind

TITLE_END = "\n\n"
INTERACTION_KINDS = tuple(InteractionKind)
TIE_KINDS = tuple(TieKind)


def whole_text(title: str, body: str) -> str:
    """Title and body as one string; evidence offsets count its characters."""
    return TITLE_END.join(part for part in (title, body) if part)


@dataclass(frozen=True, slots=True)
class PostText:
    """One post as it is read: an identifier and its words. `is_readable` is false for deleted, removed and automated posts."""

    post_id: str
    title: str
    body: str
    is_readable: bool = True

    @property
    def text(self) -> str:
        """Title and body as one string; evidence offsets count its characters."""
        return whole_text(self.title, self.body)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The characters `start` to `end` (exclusive) of `PostText.text` that support a signal."""

    signal: Signal
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader concluded of one post.

    `areas` and `signals` hold only what was decided for, each with its probability; `willing` is a probability for every
    post that was read and None for one in which there is nothing to read. A reading whose status is sensitive says what the
    message says, for measuring; a run must keep `without_content` of it and nothing else. `is_deep` is true where a post passed
    the gate.
    """

    post_id: str
    status: ReadingStatus
    language: str
    version: str
    willing: float | None = None
    is_willing: bool = False
    areas: Mapping[PolicyArea, float] = field(default_factory=dict)
    signals: Mapping[Signal, float] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    is_deep: bool = False

    def without_content(self) -> "Reading":
        """Only what became of the post: no area, no signal, no probability, no evidence."""
        return Reading(self.post_id, self.status, self.language, self.version, is_deep=self.is_deep)


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    """What happened between numbered voices, as columns of one length.

    `kinds` are places in `INTERACTION_KINDS`; `age_days` is counted from the moment of the question, NaN where a time is not known.
    """

    kinds: NDArray[np.int8]
    sources: NDArray[np.int32]
    targets: NDArray[np.int32]
    age_days: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Ties:
    """Undirected ties between numbered voices, `firsts` < `seconds`, no pair twice; `weights` has a column for each of `TIE_KINDS`."""

    firsts: NDArray[np.int32]
    seconds: NDArray[np.int32]
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.firsts)


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a voice that bears on a lead, without its words."""

    post_id: str
    author_key: str
    community_id: str
    created_at: datetime | None
    willing: float
    is_willing: bool
    areas: Mapping[PolicyArea, float]
    signals: Mapping[Signal, float]


@dataclass(frozen=True, slots=True)
class CandidateNetwork:
    """Voices who would help in one policy area, and those who stand between them.

    `willing` and `between` hold the places of voices in the order of their first post. `meetings` says for each willing voice what its
    meetings with others of them weigh; `ties` counts all ties among its voices. `is_gathered` is true where they have not met, and only
    wrote about the area in one community; `crowd` is then how many voices did.
    """

    area: PolicyArea
    willing: tuple[int, ...]
    between: tuple[int, ...]
    meetings: tuple[float, ...]
    ties: int
    is_gathered: bool = False
    crowd: int = 0


@dataclass(frozen=True, slots=True)
class ScorePart:
    """One named part of a score: `value` 0 to 1, or None where it is not known; `points` is value times `weight`."""

    key: str
    value: float | None
    weight: float
    sentence: str

    @property
    def points(self) -> float | None:
        return None if self.value is None else self.value * self.weight


@dataclass(frozen=True, slots=True)
class Score:
    """Sum of the known parts, scaled so that all of them at their best make 100; `low` to `high` is the resampled 90 % range."""

    total: float
    low: float
    high: float
    parts: tuple[ScorePart, ...]


@dataclass(frozen=True, slots=True)
class RankedLead:
    """One network in its policy area, ready for an officer to decide on.

    `community_id` is where most of its willing messages are; `kept_for` the under-heard area or community its place is kept for.
    """

    lead_id: str
    network_id: str
    area: PolicyArea
    voices: tuple[str, ...]
    messages: tuple[Message, ...]
    score: Score
    approaches: tuple[tuple[Approach, str], ...]
    stages: tuple[tuple[Stage, int], ...]
    community_id: str = ""
    kept_for: str | None = None


@dataclass(frozen=True, slots=True)
class DecidedLead:
    """What officers decided on a lead, and the values that its score had then by part, None where they were not known."""

    lead_id: str
    is_accepted: bool
    parts: Mapping[str, float | None]
