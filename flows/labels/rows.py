"""A labelled row as a file has it, before anything of it is believed, and what may be wrong with one."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from coprod_nlp.records import PostText
from flows.sources.base import SourceError


class LabelFormat(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"
    LABEL_STUDIO = "label_studio"
    DOCCANO = "doccano"
    ARGILLA = "argilla"


class RowProblem(StrEnum):
    """Kinds of bad input in a file of labels. Each is counted, and the import goes on."""

    MALFORMED_ROW = "malformed_row"
    WRONG_ENCODING = "wrong_encoding"
    TRUNCATED_FILE = "truncated_file"
    MISSING_ID = "missing_id"
    UNKNOWN_POST = "unknown_post"
    AMBIGUOUS_ID = "ambiguous_id"
    GONE_POST = "gone_post"
    CHANGED_TEXT = "changed_text"
    UNKNOWN_AREA = "unknown_area"
    UNKNOWN_SIGNAL = "unknown_signal"
    UNKNOWN_LABEL = "unknown_label"
    BAD_SENSITIVE = "bad_sensitive"
    NOT_LABELLED = "not_labelled"
    DUPLICATE_ROW = "duplicate_row"
    EVIDENCE_NOT_FOUND = "evidence_not_found"


ROW_PROBLEM_WORDS: dict[RowProblem, str] = {
    RowProblem.MALFORMED_ROW: "not a row of this format; left out",
    RowProblem.WRONG_ENCODING: "not UTF-8; read as Windows-1252",
    RowProblem.TRUNCATED_FILE: "the list ends in the middle; read as far as it goes",
    RowProblem.MISSING_ID: "neither the id of a post nor a text of its own; left out",
    RowProblem.UNKNOWN_POST: "no post of that id is stored; left out (collect its source first)",
    RowProblem.AMBIGUOUS_ID: "posts of several sources have that fullname; left out (give the whole id)",
    RowProblem.GONE_POST: "the post's words are no longer shown at its source; left out",
    RowProblem.CHANGED_TEXT: "not the words that the post holds now; left out (label it again)",
    RowProblem.UNKNOWN_AREA: "a policy area that the codebook does not have; left out",
    RowProblem.UNKNOWN_SIGNAL: "a signal that the codebook does not have; left out",
    RowProblem.UNKNOWN_LABEL: "a label that is neither a policy area nor a signal; left out",
    RowProblem.BAD_SENSITIVE: "`sensitive` is neither true nor false; left out",
    RowProblem.NOT_LABELLED: "not labelled yet; left out",
    RowProblem.DUPLICATE_ROW: "the same post by the same labeller again; the first was kept",
    RowProblem.EVIDENCE_NOT_FOUND: "evidence that is not in the text; the label was kept without it",
}
SENSITIVE, NOTHING = "sensitive", "none"
TRUE, FALSE = frozenset({"true", "yes", "1", "x", SENSITIVE}), frozenset({"false", "no", "0", "", NOTHING})


class LabelFileError(SourceError):
    """A file of labels cannot be used; the message says why and what to do."""


class RowError(Exception):
    """A row cannot be used. It says no more than the kind: rows hold what people wrote."""

    def __init__(self, kind: RowProblem) -> None:
        super().__init__(kind.value)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Span:
    """Words that a labeller marked for a signal; `start` is where, in characters of the row's own text, or None where not said."""

    signal: str
    words: str
    start: int | None = None


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One labeller's judgement of one message, in the file's own words. `ticks` are labels not yet told apart; empty text is none."""

    post_id: str
    title: str
    body: str
    labeller: str = ""
    areas: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    ticks: tuple[str, ...] = ()
    evidence: tuple[Span, ...] = ()
    is_sensitive: bool = False

    @property
    def text(self) -> str:
        return PostText("", self.title, self.body).text


@dataclass(frozen=True, slots=True)
class GivenLabels:
    """What somebody, or the reader, says of a post, as files are written. Evidence: (signal, start, end) in the post's text."""

    labeller: str
    areas: tuple[str, ...]
    signals: tuple[str, ...]
    evidence: tuple[tuple[str, int, int], ...] = ()
    is_sensitive: bool = False


@dataclass(frozen=True, slots=True)
class PostToWrite:
    """A post with every labeller's judgement of it, or none and perhaps what the reader suggests (its version as `labeller`)."""

    post: PostText
    given: tuple[GivenLabels, ...] = ()
    suggested: GivenLabels | None = None


Record = Mapping[str, Any]


def text_in(value: Any) -> str:
    """A value as text that a database takes; numbers count as text.

    Raises
    ------
    RowError
        Where it is a list, an object or a truth value.
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RowError(RowProblem.MALFORMED_ROW)
    return str(value).replace("\0", "").encode("utf-8", "replace").decode()


def names_in(value: Any) -> tuple[str, ...]:
    """A list of labels, or a text with `;` between them."""
    if value is None:
        return ()
    items = value.split(";") if isinstance(value, str) else value
    if not isinstance(items, list):
        raise RowError(RowProblem.MALFORMED_ROW)
    return tuple(name for item in items if (name := text_in(item).strip()))


def truth_in(value: Any) -> bool:
    """Whether a message is sensitive; not said counts as no, as an unticked box does."""
    if value is None or isinstance(value, bool):
        return bool(value)
    words = {word.lower() for word in (names_in(value) if isinstance(value, list) else (text_in(value).strip(),))}
    if not words <= TRUE | FALSE or (words & TRUE and words & FALSE):
        raise RowError(RowProblem.BAD_SENSITIVE)
    return bool(words & TRUE)


def list_in(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise RowError(RowProblem.MALFORMED_ROW)
    return value


def object_in(value: Any) -> Record:
    if not isinstance(value, dict):
        raise RowError(RowProblem.MALFORMED_ROW)
    return value
