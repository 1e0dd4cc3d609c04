"""Labels from a file into the store: about posts that are there, or about texts of their own."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from coprod_nlp.records import PostText
from coprod_nlp.text.spans import find_words
from coprod_nlp.vocabulary import PolicyArea, PostKind, PostState, Signal
from flows.job import RequestError
from flows.labels.formats import LabelFile, read_labels
from flows.labels.rows import LabelFileError, LabelFormat, LabelRow, RowError, RowProblem
from flows.sources.archive import ARCHIVE, place_of
from flows.sources.base import Problems
from flows.sources.table import LIVE, SAMPLE
from models import actions, label_queries, removal
from models.base import utc_now
from models.label import text_hash
from models.session import unit_of_work

PLATFORM = "labels"
LONGEST_NAME = 80
_FULLNAME = re.compile(r"t[13]_\S+")
# The id of a post of some source: whole, or its fullname alone where that tells.
_OF_A_SOURCE = re.compile(rf"(?:{'|'.join([*LIVE, SAMPLE, ARCHIVE])}):\S.*|(?:\S+:)?t[13]_\S+")


@dataclass(frozen=True)
class ImportResult:
    """What became of a file: its format, judgements and posts stored, texts of their own among them, and problems."""

    format: LabelFormat
    unit: str
    labels: int
    posts: int
    own_texts: int
    problems: Problems


def import_labels(engine: Engine, path: Path, *, by: str, given: LabelFormat | None = None) -> ImportResult:
    """Store every judgement of a file that can be stored; the rest is counted by kind and line.

    A row that says by whom it is counts as theirs, any other as that of `by`.

    Raises
    ------
    RequestError
        Where `by` is no name.
    LabelFileError
        Where nothing could be stored, with the reasons counted.
    """
    by = " ".join(by.split())
    if not by or len(by) > LONGEST_NAME:
        raise RequestError(f"--by: wanted a name of 1 to {LONGEST_NAME} characters, such as your own; it has {len(by)}")
    problems = Problems()
    file = read_labels(path, problems, given=given)
    place = place_of(path)
    with unit_of_work(engine) as session:
        found = _Loading(session.connection(), file, place, problems, by=by)
        actions.store_posts(session.connection(), list(found.texts.values()))
        stored = actions.store_labels(session, found.labels, by=by, origin=place, problems=recorded(problems))
        if not stored:
            reasons = "; ".join(lines_of_problems(problems, file.unit)) or "it has no rows"
            raise LabelFileError(f"{path}: nothing could be imported ({file.format}): {reasons}")
    posts = {row["post_id"] for row in found.labels}
    return ImportResult(file.format, file.unit, stored, len(posts), len(found.texts), problems)


def recorded(problems: Problems) -> dict[str, Any]:
    """Problems by kind, as the audit log keeps them."""
    return {kind.value: {"count": count, "lines": problems.lines[kind, place]} for (kind, place), count in sorted(problems.counts.items())}


def lines_of_problems(problems: Problems, unit: str) -> list[str]:
    """One phrase a kind: what, how often, and where first. Encodings are a matter of lines, also in a list of items."""
    said = []
    for (kind, place), count in sorted(problems.counts.items()):
        numbers = ", ".join(map(str, problems.lines[kind, place]))
        more = ", …" if count > len(problems.lines[kind, place]) else ""
        counted = "line" if kind is RowProblem.WRONG_ENCODING else unit
        said.append(f"{kind.value.replace('_', ' ')}: {count:,} ({counted}{'s' if count > 1 else ''} {numbers}{more})")
    return said


class _Loading:
    """What a file's rows come to: labels to store, and the texts of their own that those are about, by post id."""

    def __init__(self, connection: Connection, file: LabelFile, place: str, problems: Problems, *, by: str) -> None:
        self._place, self._by = place, by
        self._stored = _Stored(connection, [row.post_id for _, row in file.rows])
        self._seen: set[tuple[str, str]] = set()
        self.texts: dict[str, dict[str, Any]] = {}
        self.labels: list[dict[str, Any]] = []
        for number, row in file.rows:
            try:
                label, lost = self._label(row)
            except RowError as error:
                problems.add(error.kind, place, number)
                continue
            self.labels.append(label)
            if lost:
                problems.add(RowProblem.EVIDENCE_NOT_FOUND, place, number)

    def _label(self, row: LabelRow) -> tuple[dict[str, Any], bool]:
        """A row for the store, and whether some of its evidence was lost."""
        areas, signals = _told_apart(row)
        post_id, text = self._stored.post_of(row) or self._own_text(row)
        labeller = " ".join(row.labeller.split())[:LONGEST_NAME] or self._by
        if (post_id, labeller) in self._seen:
            raise RowError(RowProblem.DUPLICATE_ROW)
        self._seen.add((post_id, labeller))
        evidence = [(_key(span.signal), found) for span in row.evidence if (found := find_words(text, span.words, span.start))]
        label = {
            "post_id": post_id, "labeller": labeller, "areas": areas, "signals": signals, "is_sensitive": row.is_sensitive,
            "evidence": [[signal, *found] for signal, found in sorted(set(evidence))],
        }  # fmt: skip
        return label, len(evidence) < len(row.evidence)

    def _own_text(self, row: LabelRow) -> tuple[str, str]:
        """A text that is no post of a source is kept as a post of its own, so that retention and removal reach it."""
        if not row.text.strip():
            raise RowError(RowProblem.UNKNOWN_POST if row.post_id else RowProblem.MISSING_ID)
        words = text_hash(row.title, row.body)
        post_id = f"{PLATFORM}:{words}"
        self.texts[post_id] = actions.post_row(
            post_id=post_id, platform=PLATFORM, community_id=f"{PLATFORM}:{self._place}", kind=PostKind.SUBMISSION.value,
            state=PostState.VISIBLE, author_key=None, parent_id=None, thread_id=None, title=row.title, body=row.body, permalink="",
            score=None, created_at=None, content_hash=words, fetched_at=utc_now(),
        )  # fmt: skip
        return post_id, row.text


class _Stored:
    """The posts in the store that rows speak of, by what a row calls them."""

    def __init__(self, connection: Connection, names: Iterable[str]) -> None:
        wanted = sorted({name for name in names if name})
        self._called = label_queries.posts_called(connection, set(filter(_FULLNAME.fullmatch, wanted)))
        ids = {*wanted, *(post_id for called in self._called.values() for post_id in called)}
        self._posts = label_queries.stored_posts(connection, sorted(ids))

    def post_of(self, row: LabelRow) -> tuple[str, str] | None:
        """The id and the words of the stored post a row is about; None where it is about none, but brings a text of its own.

        A post of a source that is not stored was never collected, or has been removed: a file does not bring it back.
        """
        found = [row.post_id] if row.post_id in self._posts else self._called.get(row.post_id, [])
        if not found:
            if _OF_A_SOURCE.fullmatch(row.post_id):
                raise RowError(RowProblem.UNKNOWN_POST)
            return None
        if len(found) > 1:
            raise RowError(RowProblem.AMBIGUOUS_ID)
        post = self._posts[found[0]]
        text = PostText("", post.title, post.body).text
        if not text.strip() or post.state in removal.GONE:
            raise RowError(RowProblem.GONE_POST)
        if row.text.strip() and row.text.split() != text.split():
            raise RowError(RowProblem.CHANGED_TEXT)
        return found[0], text


def _told_apart(row: LabelRow) -> tuple[list[str], list[str]]:
    """Areas and signals of the codebook, in its order; a signal that evidence is marked for counts as ticked."""
    areas, signals = set(map(_key, row.areas)), {_key(name) for name in (*row.signals, *(span.signal for span in row.evidence))}
    for tick in map(_key, row.ticks):
        if tick in set(PolicyArea):
            areas.add(tick)
        elif tick in set(Signal):
            signals.add(tick)
        else:
            raise RowError(RowProblem.UNKNOWN_LABEL)
    if not areas <= set(PolicyArea):
        raise RowError(RowProblem.UNKNOWN_AREA)
    if not signals <= set(Signal):
        raise RowError(RowProblem.UNKNOWN_SIGNAL)
    return [area.value for area in PolicyArea if area in areas], [signal.value for signal in Signal if signal in signals]


def _key(name: str) -> str:
    """A label's key from how people write it: `Social care` is `social_care`."""
    return "_".join(name.lower().replace("-", " ").replace("_", " ").split())
