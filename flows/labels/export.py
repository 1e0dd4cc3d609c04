"""Posts out of the store into a file: a queue to label, or what is labelled."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nsmallest
from itertools import groupby, islice
from math import ceil
from operator import attrgetter
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from coprod_nlp.records import PostText
from flows.job import RequestError
from flows.labels.formats import write_labels
from flows.labels.rows import GivenLabels, LabelFormat, PostToWrite
from models import label_queries, written_actions
from models.session import unit_of_work
from models.written import LABELS

DEFAULT_LIMIT, SMALLEST_RANDOM_SHARE = 100, 0.2
# Changes which posts are drawn, and in which order a queue comes.
SEED = b"labels"


@dataclass(frozen=True)
class Queue:
    """Ids of posts to label, in the order to label them in; how many of them were drawn at random."""

    post_ids: tuple[str, ...]
    drawn: int


def choose_queue(uncertain: Sequence[str], everything: Iterable[str], *, limit: int, random_share: float) -> Queue:
    """At most `limit` posts: a share drawn from everything, whatever the classifier says, the rest those it is least sure of.

    Only with the drawn ones does it show what the classifier is surely wrong about. Where either kind runs out, the other fills up.
    The same posts give the same queue, mixed so that its order does not tell which kind a post is of.

    Parameters
    ----------
    uncertain
        The posts nearest to the threshold, `limit` or all there are, nearest first.
    everything
        Every post that may be labelled.
    """
    by_lot = nsmallest(limit, everything, key=_lot)
    drawn = by_lot[: ceil(limit * random_share)]
    nearest = [post_id for post_id in uncertain if post_id not in set(drawn)][: limit - len(drawn)]
    chosen = {*drawn, *nearest}
    more = islice((post_id for post_id in by_lot if post_id not in chosen), limit - len(chosen))
    chosen |= set(more)
    return Queue(tuple(sorted(chosen, key=lambda post_id: _lot(post_id + "/order"))), len(chosen) - len(nearest))


def export_queue(
    engine: Engine, out: Path, *, limit: int, random_share: float, threshold: float, is_blind: bool, given: LabelFormat | None = None
) -> Queue:
    """Write posts to label. What the reader made of each goes along where a format can mark it as a suggestion, unless `is_blind`.

    Raises
    ------
    RequestError
        Where there is nothing to label, or the file cannot be written.
    """
    with engine.connect() as connection:
        uncertain = label_queries.uncertain_posts(connection, threshold=threshold, limit=limit)
        queue = choose_queue(uncertain, label_queries.unlabelled_posts(connection), limit=limit, random_share=random_share)
        readings = label_queries.readings_to_label(connection, queue.post_ids)
    if not queue.post_ids:
        raise RequestError("nothing to label: every post that was read has a label, or none was read; run: coprod listen")
    items = [_to_label(readings[post_id], is_blind=is_blind) for post_id in queue.post_ids]
    _register(engine, out, items)
    write_labels(out, items, given=given)
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
    _register(engine, out, items)
    write_labels(out, items, given=given)
    return len(items)


def _register(engine: Engine, out: Path, items: Sequence[PostToWrite]) -> None:
    """What goes from the store goes from this file too. One that is there already is refused, and stays known as it is."""
    if out.exists():
        return
    with unit_of_work(engine) as session:
        post_ids = [item.post.post_id for item in items]
        written_actions.record_export(session, path=str(out.resolve()), kind=LABELS, post_ids=post_ids, by="command line")


def _lot(post_id: str) -> bytes:
    """A number that has nothing to do with what a post says or when it came."""
    return blake2b(post_id.encode("utf-8", "surrogatepass"), key=SEED, digest_size=8).digest()


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
