"""Read: what the stored posts say, batch by batch, on every processor."""

import multiprocessing
import os
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import BrokenBarrierError
from time import monotonic
from typing import Any

from coprod_nlp.reading.base_model import prepared
from coprod_nlp.reading.reader import Reader
from coprod_nlp.records import PostText, Reading
from coprod_nlp.vocabulary import PostState, ReadingStatus, RunStage
from flows.classifiers import load_classifier
from flows.job import Job
from flows.progress import listener
from flows.steps.drift import drift_of
from models import actions, queries

# Posts a process reads at a time, and the number below which starting processes takes longer than it saves.
CHUNK = 500
WORTH_PROCESSES = 4_000
START_TIMEOUT_S = 120
# Of no language in particular, so that the language detector loads too.
WARM_UP = PostText("warm-up", "", "Lorem ipsum dolor sit amet consectetur")
READABLE = frozenset({PostState.VISIBLE})

# One reader a process, with the folder of its artefact; loading it takes seconds.
_readers: dict[Path, Reader] = {}


def read(job: Job, *, again: bool = False) -> None:
    """Read every stored post of the run's scope that has no reading of its present text by this reader.

    What a run has done it does not do a second time, unless `again` says so.
    """
    if job.is_done(RunStage.READ) and not again:
        listener().note("read: done before, gone on from there")
        return
    version = job.run().versions["reading"]
    scope = job.scope()
    with job.stage(RunStage.READ):
        with job.engine.connect() as connection:
            total = queries.count_unread(connection, scope, version=version)
        listener().stage("Read", total=total, unit="posts")
        done, start_s = _read_unread(job, version, total) if total else (0, 0.0)
        with job.engine.connect() as connection:
            counts = queries.reading_counts(connection, scope)
        read_counts = {"new": done, "start_s": start_s, **_folded(counts)}
        job.update(counts={"read": read_counts, "languages": _languages(counts), "drift": drift_of(job)})


def _read_unread(job: Job, version: str, total: int) -> tuple[int, float]:
    """How many posts were read, and the seconds it took until the first could be."""
    done, began = 0, monotonic()
    with reading_processes(job.settings.reading_processes() if total >= WORTH_PROCESSES else 1, job.reading_directory()) as pool:
        start_s = round(monotonic() - began, 3)
        for rows, readings in read_in_order(pool, _unread(job, version)):
            with job.engine.begin() as connection:
                found = [_row(reading, row.content_hash) for row, reading in zip(rows, readings, strict=True)]
                done += actions.store_readings(connection, found)
            listener().advance(done)
    return done, start_s


class ReadingProcesses:
    """Readers of one artefact in processes of their own, or one in this process."""

    def __init__(self, pool: ProcessPoolExecutor | None, processes: int, directory: Path) -> None:
        self._pool, self._directory = pool, directory
        self.ahead = 1 if pool is None else 2 * processes

    def submit(self, posts: list[PostText]) -> "Future[list[Reading]]":
        if self._pool:
            return self._pool.submit(_read_chunk, self._directory, posts)
        future: Future[list[Reading]] = Future()
        future.set_result(_read_chunk(self._directory, posts))
        return future


@contextmanager
def reading_processes(count: int, directory: Path) -> Iterator[ReadingProcesses]:
    """Processes that read with the artefact in a folder."""
    if count <= 1:
        _read_chunk(directory, [WARM_UP])
        yield ReadingProcesses(None, 1, directory)
        return
    prepared()  # once, not by each process
    context = multiprocessing.get_context("spawn")
    all_ready = context.Barrier(count + 1)
    with ProcessPoolExecutor(count, mp_context=context, initializer=_start_reader, initargs=(directory, all_ready)) as pool:
        for _ in range(count):
            pool.submit(_read_chunk, directory, [])  # each starts a process, as none is idle yet
        with suppress(BrokenBarrierError):  # a process that could not start breaks the pool, and the next result says why
            all_ready.wait(START_TIMEOUT_S)
        yield ReadingProcesses(pool, count, directory)


def read_in_order(
    pool: ReadingProcesses, chunks: Iterable[tuple[Sequence[Any], list[PostText]]]
) -> Iterator[tuple[Sequence[Any], list[Reading]]]:
    """Readings of each chunk beside what it came from, in order, with only a few chunks ahead in memory."""
    waiting: deque[tuple[Sequence[Any], Future[list[Reading]]]] = deque()
    for rows, posts in chunks:
        waiting.append((rows, pool.submit(posts)))
        if len(waiting) > pool.ahead:
            rows_done, future = waiting.popleft()
            yield rows_done, future.result()
    while waiting:
        rows_done, future = waiting.popleft()
        yield rows_done, future.result()


def _unread(job: Job, version: str) -> Iterator[tuple[Sequence[Any], list[PostText]]]:
    scope, after = job.scope(), ""
    while True:
        with job.engine.connect() as connection:
            rows = queries.unread_posts(connection, scope, version=version, after=after)
        if not rows:
            return
        after = rows[-1].post_id
        for start in range(0, len(rows), CHUNK):
            some = rows[start : start + CHUNK]
            yield some, [PostText(row.post_id, row.title, row.body, is_readable=row.state in READABLE) for row in some]


def _read_chunk(directory: Path, posts: list[PostText]) -> list[Reading]:
    if directory not in _readers:
        _readers.clear()
        _readers[directory] = Reader(load_classifier(directory))
    return _readers[directory].read(posts)


def _start_reader(directory: Path, all_ready: Barrier) -> None:
    """Load the reader, and end this process when its parent ends: a killed run must leave nothing behind."""
    parent = multiprocessing.parent_process()
    if parent:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _read_chunk(directory, [WARM_UP])
    with suppress(BrokenBarrierError):
        all_ready.wait(START_TIMEOUT_S)


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _row(reading: Reading, content_hash: str) -> dict[str, Any]:
    """What is stored. Of a sensitive message that is nothing but that it was set aside: nothing after this can score it."""
    reading = reading.without_content() if reading.status is ReadingStatus.SENSITIVE else reading
    return {
        "post_id": reading.post_id, "version": reading.version, "content_hash": content_hash, "status": reading.status.value,
        "language": reading.language, "willing": reading.willing, "is_willing": reading.is_willing,
        "areas": {area.value: chance for area, chance in reading.areas.items()},
        "signals": {signal.value: chance for signal, chance in reading.signals.items()},
        "evidence": [[item.signal.value, item.start, item.end] for item in reading.evidence],
    }  # fmt: skip


def _folded(counts: dict[str, int]) -> dict[str, int]:
    folded: Counter[str] = Counter()
    for name, count in counts.items():
        folded[name.partition(":")[0]] += count
    return dict(folded)


def _languages(counts: dict[str, int]) -> dict[str, int]:
    found = {name.partition(":")[2]: count for name, count in counts.items() if ":" in name}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
