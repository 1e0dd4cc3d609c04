"""Which labelled messages a challenger learns from and which only test it: never one author on both sides, and the newest held back."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from coprod_nlp.training.corpus import LabelledPost

RECENT_SHARE = 0.3
# No author may make up more of what a community holds back; one who wrote more is learned from.
LARGEST_PART = 0.5
FOLDS = 5
MINIMUM_LEARNED, MINIMUM_RECENT = 30, 10
# A message whose time is not known is taken for the oldest there is.
NO_TIME = datetime.min.replace(tzinfo=UTC)


class RetrainingError(Exception):
    """No challenger can be made of these labels; the message says what is wanted."""


@dataclass(frozen=True, slots=True)
class Case:
    """A message that people labelled, with what it may not be parted from: its author key (None where not known), community, time."""

    labelled: LabelledPost
    author_key: str | None
    community: str
    written_at: datetime | None

    @property
    def voice(self) -> str:
        """Whose it is; a message without an author stands for itself."""
        return f"author {self.author_key}" if self.author_key else f"post {self.labelled.post.post_id}"

    @property
    def age_order(self) -> tuple[datetime, str]:
        return self.written_at or NO_TIME, self.labelled.post.post_id


@dataclass(frozen=True)
class HeldBack:
    """Cases to learn from and cases to test with, each from the oldest to the newest."""

    learned: list[Case]
    recent: list[Case]


def hold_back(cases: Sequence[Case], *, share: float = RECENT_SHARE) -> HeldBack:
    """Hold back the authors who wrote last, community by community, until `share` of its messages is held back.

    Of an author, all messages are held back or none. Authors belong to the community of their newest message. So everything that
    is newer than the newest message learned from in a community is held back, but for the messages of authors who wrote too large
    a part of it (`LARGEST_PART`).
    """
    by_voice: defaultdict[str, list[Case]] = defaultdict(list)
    for case in sorted(cases, key=lambda case: case.age_order):
        by_voice[case.voice].append(case)
    by_home: defaultdict[str, list[list[Case]]] = defaultdict(list)
    for messages in by_voice.values():
        by_home[messages[-1].community].append(messages)
    recent = {case.voice for authors in by_home.values() for messages in _newest(authors, share) for case in messages}
    ordered = [case for messages in by_voice.values() for case in messages]
    ordered.sort(key=lambda case: case.age_order)
    return HeldBack([case for case in ordered if case.voice not in recent], [case for case in ordered if case.voice in recent])


def without_seen(held: HeldBack, learned_until: datetime | None) -> HeldBack:
    """Without recent messages that a champion may have learned from, where enough others are left."""
    newer = [case for case in held.recent if not may_be_seen(case, learned_until)]
    return HeldBack(held.learned, newer) if len(newer) >= MINIMUM_RECENT else held


def may_be_seen(case: Case, learned_until: datetime | None) -> bool:
    """Whether a classifier that learned from messages up to a time may have learned from this one; None for one that learned from none."""
    return learned_until is not None and (case.written_at is None or case.written_at <= learned_until)


def require_enough(held: HeldBack) -> None:
    """Raise a RetrainingError where there is too little to learn from or to test with."""
    if len(held.learned) < MINIMUM_LEARNED or len(held.recent) < MINIMUM_RECENT:
        raise RetrainingError(
            f"{len(held.learned):,} labelled messages to learn from and {len(held.recent):,} by other authors to test with; wanted "
            f"at least {MINIMUM_LEARNED} and {MINIMUM_RECENT}: label more posts, of more authors"
        )


def folds(cases: Sequence[Case], *, count: int = FOLDS) -> list[list[int]]:
    """The rows of some cases in `count` parts of like size, never one author in two; some are empty where authors are few."""
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for row, case in enumerate(cases):
        rows[case.voice].append(row)
    parts: list[list[int]] = [[] for _ in range(count)]
    for _, theirs in sorted(rows.items(), key=lambda item: (-len(item[1]), item[0])):
        min(parts, key=len).extend(theirs)
    return [sorted(part) for part in parts]


def _newest(authors: Sequence[list[Case]], share: float) -> list[list[Case]]:
    total = sum(map(len, authors))
    held: list[list[Case]] = []
    count = 0
    for messages in sorted(authors, key=lambda messages: messages[-1].age_order, reverse=True):
        if count >= share * total:
            break
        if count + len(messages) <= LARGEST_PART * total:
            held.append(messages)
            count += len(messages)
    return held
