"""What crosses the boundary of this package: frozen records, no rows, no sessions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from coprod_nlp.vocabulary import Approach, InteractionKind, PolicyArea, ReadingStatus, Signal, Stage

TITLE_END = "\n\n"


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
        return TITLE_END.join(part for part in (self.title, self.body) if part)


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


@dataclass(frozen=True, slots=True)
class Interaction:
    """One thing that happened between two author keys. A shared thread has no direction; `source_key` is then the smaller."""

    kind: InteractionKind
    source_key: str
    target_key: str
    happened_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tie:
    """The weighted, undirected sum of the interactions of two author keys, `first_key` < `second_key`."""

    first_key: str
    second_key: str
    weight: float


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
    """Voices who answer each other, and the ties among them. `network_id` depends on nothing but the voices."""

    network_id: str
    voices: tuple[str, ...]
    ties: tuple[Tie, ...]


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
    """One network in one policy area, ready for an officer to decide on."""

    lead_id: str
    network_id: str
    area: PolicyArea
    voices: tuple[str, ...]
    messages: tuple[Message, ...]
    score: Score
    approaches: tuple[tuple[Approach, str], ...]
    stages: tuple[tuple[Stage, int], ...]
