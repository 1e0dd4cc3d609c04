"""Posts out of the store into a file: a queue to label, or what is labelled."""

from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from coprod_nlp.records import PostText
from coprod_nlp.training.queue import LOOKED_AT, Queue, choose_queue, most_varied
from flows.job import RequestError
from flows.labels.formats import format_to_write, write_labels
from flows.labels.rows import GivenLabels, LabelFormat, PostToWrite
from models import label_queries, written_actions
from models.session import unit_of_work
from models.written import LABELS

DEFAULT_LIMIT = 100


def export_queue(
    engine: Engine, out: Path, *, limit: int, random_share: float, threshold: float, band: tuple[float, float], is_blind: bool,
    given: LabelFormat | None = None,
) -> Queue:  # fmt: skip
    """Write posts to label. What the reader made of each goes along where a format can mark it as a suggestion, unless `is_blind`.

    Parameters
    ----------
    threshold, band
        The reader's threshold of `willing`, and between which probabilities it is in doubt.

    Raises
    ------
    RequestError
        Where there is nothing to label, or the file cannot be written.
    """
    with engine.connect() as connection:
        near = label_queries.uncertain_posts(connection, threshold=threshold, band=band, limit=LOOKED_AT * limit)
        uncertain = most_varied(label_queries.contents_of(connection, near), limit=limit)
        queue = choose_queue(uncertain, label_queries.unlabelled_posts(connection), limit=limit, random_share=random_share)
        readings = label_queries.readings_to_label(connection, queue.post_ids)
    if not queue.post_ids:
        raise RequestError("nothing to label: every post that was read has a label, or none was read; run: coprod listen")
    items = [_to_label(readings[post_id], is_blind=is_blind) for post_id in queue.post_ids]
    _write(engine, out, items, given=given)
    return queue


def export_labelled(engine: Engine, out: Path, *, limit: int | None, given: LabelFormat | None = None) -> int:
    """Write labelled posts with every labeller's judgement of each; returns how many posts.

    Raises
    ------
    RequestError
        Where nothing is labelled, or the file cannot be written.
    """
    with engine.connect() as connection:
        items = list(islice(_labelled(label_queries.labelled_posts(connection)), limit))
    if not items:
        raise RequestError("nothing is labelled yet; run: coprod labels export, label, then: coprod labels import")
    _write(engine, out, items, given=given)
    return len(items)


def _write(engine: Engine, out: Path, items: Sequence[PostToWrite], *, given: LabelFormat | None) -> None:
    """What goes from the store goes from this file too. One that is there already is refused, and stays known as it is."""
    format_ = format_to_write(out, given=given)
    if not out.exists():
        with unit_of_work(engine) as session:
            post_ids = [item.post.post_id for item in items]
            written_actions.record_export(session, path=str(out.resolve()), kind=LABELS, post_ids=post_ids, by="command line")
    write_labels(out, items, given=format_)


def _to_label(row: Any, *, is_blind: bool) -> PostToWrite:
    post = PostText(row.post_id, row.title, row.body)
    evidence = tuple((signal, start, end) for signal, start, end in row.evidence)
    return PostToWrite(post, suggested=None if is_blind else GivenLabels(row.version, tuple(row.areas), tuple(row.signals), evidence))


def _labelled(rows: Iterator[Any]) -> Iterator[PostToWrite]:
    for _, same_post in groupby(rows, key=attrgetter("post_id")):
        judgements = list(same_post)
        first = judgements[0]
        yield PostToWrite(PostText(first.post_id, first.title, first.body), tuple(map(_given, judgements)))


def _given(row: Any) -> GivenLabels:
    evidence = tuple((signal, start, end) for signal, start, end in row.evidence)
    return GivenLabels(row.labeller, tuple(row.areas), tuple(row.signals), evidence, row.is_sensitive)
