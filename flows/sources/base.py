"""What every source gives, and how it fails."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from coprod_nlp.vocabulary import PostKind, PostState

LINES_KEPT = 20


class CollectedPost(msgspec.Struct, frozen=True):
    """One post as a source shows it. `author_id` is the platform's own and never stored: the author key is made from it.

    `fullname` carries the kind (`t3_…` a submission, `t1_…` a comment); `created_at` is aware UTC, None where not known.
    """

    fullname: str
    community: str
    kind: PostKind
    state: PostState
    author_id: str | None
    title: str
    body: str
    parent: str | None
    thread: str | None
    permalink: str
    score: int | None
    created_at: datetime | None


# A post, the place it stands at and its line there (None where it has none).
Placed = tuple[CollectedPost, str, int | None]


class ProblemKind(StrEnum):
    """Kinds of bad input. Each is counted, and the run goes on."""

    MALFORMED_LINE = "malformed_line"
    WRONG_ENCODING = "wrong_encoding"
    MISSING_KEY = "missing_key"
    NULL_TIME = "null_time"
    BAD_TIME = "bad_time"
    DUPLICATE_ID = "duplicate_id"
    EARLY_COMMENT = "early_comment"
    ORPHAN_COMMENT = "orphan_comment"
    DELETED = "deleted"
    REMOVED = "removed"
    FILTERED = "filtered"
    EMPTY_TEXT = "empty_text"
    ODD_VALUE = "odd_value"
    TRUNCATED_ARCHIVE = "truncated_archive"
    NOT_PACKED = "not_packed"
    UNREADABLE_FILE = "unreadable_file"
    BROKEN_LINK = "broken_link"
    REFUSED_COMMUNITY = "refused_community"
    SUPPRESSED_AUTHOR = "suppressed_author"
    OUTSIDE_PERIOD = "outside_period"
    PRIVATE_COMMUNITY = "private_community"
    BANNED_COMMUNITY = "banned_community"
    QUARANTINED_COMMUNITY = "quarantined_community"
    MISSING_COMMUNITY = "missing_community"
    UNAVAILABLE_COMMUNITY = "unavailable_community"
    FORBIDDEN_COMMUNITY = "forbidden_community"
    REFUSED_SEARCH = "refused_search"
    UNREADABLE_THREAD = "unreadable_thread"
    PARTIAL_THREAD = "partial_thread"
    LOST_THREAD = "lost_thread"
    OPTED_OUT = "opted_out"
    GAP = "gap"
    SILENT = "silent"
    FAR_LESS = "far_less"
    FAR_MORE = "far_more"


PROBLEM_WORDS: dict[ProblemKind, str] = {
    ProblemKind.MALFORMED_LINE: "lines that are not a JSON object or CSV row; left out",
    ProblemKind.WRONG_ENCODING: "lines that are not UTF-8; read as Windows-1252",
    ProblemKind.MISSING_KEY: "rows without an id, a text or a community; left out (without a community: kept under the file's name)",
    ProblemKind.NULL_TIME: "posts without a time; kept, and counted in every period",
    ProblemKind.BAD_TIME: "posts whose time makes no sense; kept without it",
    ProblemKind.DUPLICATE_ID: "posts that came twice; the first was kept, or none of their words where either is gone",
    ProblemKind.EARLY_COMMENT: "comments that came before the post they answer; kept",
    ProblemKind.ORPHAN_COMMENT: "comments whose parent is not in the archive; kept, without a reply to link",
    ProblemKind.DELETED: "posts their author deleted; kept as an empty place in the thread",
    ProblemKind.REMOVED: "posts a moderator removed; kept as an empty place in the thread",
    ProblemKind.FILTERED: "posts a filter holds back, and may give back; kept as an empty place in the thread",
    ProblemKind.EMPTY_TEXT: "posts without a word; kept, not read",
    ProblemKind.ODD_VALUE: "titles or texts that are no text but an object, a list or true or false; left empty",
    ProblemKind.TRUNCATED_ARCHIVE: "archives that end in the middle; read as far as they go",
    ProblemKind.NOT_PACKED: "files that are not packed as their ending says, or damaged from the start; left out",
    ProblemKind.UNREADABLE_FILE: "files of which not one line could be read: of a wrong kind, perhaps; left out",
    ProblemKind.BROKEN_LINK: "links to an archive that is not there; left out",
    ProblemKind.REFUSED_COMMUNITY: "posts of communities that may not be listened to; left out",
    ProblemKind.SUPPRESSED_AUTHOR: "posts of authors who objected; left out",
    ProblemKind.OUTSIDE_PERIOD: "posts before --since or from --until on; left out",
    ProblemKind.PRIVATE_COMMUNITY: "communities that are private; left out, the others were gathered",
    ProblemKind.BANNED_COMMUNITY: "communities that the platform has banned; left out, the others were gathered",
    ProblemKind.QUARANTINED_COMMUNITY: "communities in quarantine; left out, as they open to members only",
    ProblemKind.MISSING_COMMUNITY: "communities that are not there; check their names in communities.toml",
    ProblemKind.UNAVAILABLE_COMMUNITY: "communities that did not come, although asked for several times; the next run asks again",
    ProblemKind.FORBIDDEN_COMMUNITY: "communities that the platform does not let us read; left out, the others were gathered",
    ProblemKind.REFUSED_SEARCH: "searches that the platform does not take; change the term in communities.toml",
    ProblemKind.UNREADABLE_THREAD: "threads that did not come; the next run asks again",
    ProblemKind.PARTIAL_THREAD: "threads of which a part did not come; the rest is kept, the next run asks again",
    ProblemKind.LOST_THREAD: "threads that did not come in several runs; given up",
    ProblemKind.OPTED_OUT: "posts of people who do not let their posts be found; left out",
    ProblemKind.GAP: "stretches of time whose posts the platform no longer lists; they are missing, so run more often",
    ProblemKind.SILENT: "communities that gave nothing new",
    ProblemKind.FAR_LESS: "communities that gave far less than usual",
    ProblemKind.FAR_MORE: "communities that gave far more than usual",
}
# What is wrong with a file as a whole: it is named.
FILE_KINDS = (ProblemKind.TRUNCATED_ARCHIVE, ProblemKind.NOT_PACKED, ProblemKind.UNREADABLE_FILE, ProblemKind.BROKEN_LINK)
# What every archive has; worth a count, not a worry.
EXPECTED_KINDS = frozenset(
    {
        ProblemKind.DELETED,
        ProblemKind.REMOVED,
        ProblemKind.FILTERED,
        ProblemKind.EMPTY_TEXT,
        ProblemKind.OUTSIDE_PERIOD,
        ProblemKind.OPTED_OUT,
    }
)


@dataclass
class Problems:
    """Bad input counted by kind and place (a file's name), with the first line numbers of each."""

    counts: Counter[tuple[StrEnum, str]] = field(default_factory=Counter)
    lines: dict[tuple[StrEnum, str], list[int]] = field(default_factory=dict)

    def add(self, kind: StrEnum, place: str, line: int | None = None, *, count: int = 1) -> None:
        if count < 1:
            return
        self.counts[kind, place] += count
        kept = self.lines.setdefault((kind, place), [])
        if line is not None and len(kept) < LINES_KEPT:
            kept.append(line)

    def by_kind(self) -> dict[str, int]:
        totals: Counter[str] = Counter()
        for (kind, _), count in self.counts.items():
            totals[kind.value] += count
        return dict(sorted(totals.items()))

    def named(self, kind: StrEnum) -> list[str]:
        """Where problems of a kind are."""
        return [place for found, place in self.counts if found is kind]


class SourceError(Exception):
    """A source cannot be used. The message says why and what to do."""


class SourceUnavailableError(SourceError):
    """Trying again later may help."""


class SourceRefusedError(SourceError):
    """Somebody must act first: a path, a permission, a setting."""


class Source(Protocol):
    """Where posts come from. `size` is in the unit of `position`, so that progress can be shown; None where unknown."""

    platform: str
    name: str
    size: int | None

    @property
    def position(self) -> int: ...

    def posts(self, problems: Problems) -> Iterator[Placed]:
        """Posts one by one, with the place and line they stand at; bad input goes to `problems`.

        Raises
        ------
        SourceError
            Where nothing more can be had.
        """
        ...
