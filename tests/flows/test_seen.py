"""What a run remembers of what it met: the ids as a plain set would, but much smaller; and of the posts nothing."""

import gzip
import json
import tracemalloc
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from flows.job import Job
from flows.sources import lines
from flows.sources import seen as seen_ids
from flows.sources.archive import ArchiveSource
from flows.sources.base import LINES_KEPT, ProblemKind, Problems
from flows.sources.seen import Hashes, SeenIds, hashes
from flows.steps import collect as step
from flows.steps.collect import collect
from models import queries
from models.post import Post
from models.session import unit_of_work

JobMaker = Callable[..., Job]

# Few values, so that searches hit; the ends of the range, where a sorted search goes wrong first.
NUMBERS = st.one_of(st.integers(0, 40), st.sampled_from([2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1]))
BATCHES = st.lists(st.lists(NUMBERS, max_size=12, unique=True), max_size=20)


def array_of(numbers: list[int]) -> Hashes:
    return np.array(numbers, dtype=np.uint64)


@given(batches=BATCHES, wanted=st.lists(NUMBERS, max_size=20))
def test_it_holds_what_a_set_would_hold(batches: list[list[int]], wanted: list[int]) -> None:
    seen, plain = SeenIds(), set[int]()
    for batch in batches:
        new = [number for number in batch if number not in plain]
        seen.add(array_of(new))
        plain.update(new)
        assert seen.contains(array_of(wanted)).tolist() == [number in plain for number in wanted]
        assert len(seen) == len(plain)


@given(batches=st.lists(st.lists(st.text(max_size=6), max_size=8), max_size=10))
def test_ids_added_by_their_hashes_are_found_again(batches: list[list[str]]) -> None:
    seen, plain = SeenIds(), set[str]()
    for batch in batches:
        expected = [item in plain for item in batch]
        assert seen.contains(hashes(batch)).tolist() == expected
        new = sorted({item for item in batch if item not in plain})
        seen.add(hashes(new))
        plain.update(new)


@given(ids=st.lists(st.text(st.characters(), max_size=8), max_size=20))
def test_ids_hash_alike_when_they_are_the_same_and_only_then(ids: list[str]) -> None:
    found = hashes(ids).tolist()
    assert len(found) == len(ids)
    for one, one_hash in zip(ids, found, strict=True):
        assert [one == other for other in ids] == [one_hash == other for other in found]


def test_an_id_hashes_the_same_in_every_batch_and_every_process() -> None:
    assert hashes(["t3_a", "t1_b"]).tolist() == [int(hashes(["t3_a"])[0]), int(hashes(["t1_b"])[0])]
    # BLAKE2b of 8 bytes, as any other implementation gives it: Python's own `hash` would change from process to process.
    assert hashes(["t3_a"]).tobytes().hex() == "6282bb394fa71885"


def test_an_id_with_half_a_surrogate_pair_has_a_hash_of_its_own() -> None:
    assert len({int(value) for value in hashes(["t3_\ud83d", "t3_\ude00", "t3_\U0001f600", "t3_"])}) == 4


@pytest.mark.parametrize("batch", [1, 300, 20_000], ids=["one_by_one", "by_hundreds", "at_once"])
def test_an_id_takes_8_bytes_however_they_come(batch: int) -> None:
    count = 20_000
    numbers = np.random.default_rng(4).permutation(count).astype(np.uint64)
    tracemalloc.start(8)
    seen = SeenIds()
    for start in range(0, count, batch):
        seen.add(numbers[start : start + batch])
    # What its own lines hold: other threads of the test run take memory meanwhile, too.
    only_its_own = tracemalloc.Filter(inclusive=True, filename_pattern=seen_ids.__file__, all_frames=True)
    own = tracemalloc.take_snapshot().filter_traces([only_its_own])
    tracemalloc.stop()
    assert len(seen) == count
    assert 8 * count <= sum(trace.size for trace in own.traces) < 8 * count + 10_000


def test_a_problem_on_every_line_is_counted_in_full_and_keeps_its_first_lines() -> None:
    problems = Problems()
    for line in range(1, 501):
        problems.add(ProblemKind.MALFORMED_LINE, "thornby.ndjson", line)
    assert problems.counts == {(ProblemKind.MALFORMED_LINE, "thornby.ndjson"): 500}
    assert problems.lines == {(ProblemKind.MALFORMED_LINE, "thornby.ndjson"): list(range(1, LINES_KEPT + 1))}
    assert problems.by_kind() == {"malformed_line": 500}


PACKINGS: dict[str, Callable[[bytes], bytes]] = {".gz": lambda data: gzip.compress(data, 1), ".zst": zstandard.compress}


@pytest.mark.parametrize("name", ["plain.ndjson", "packed.ndjson.gz", "packed.ndjson.zst", "table.csv"])
def test_memory_does_not_grow_with_the_file(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lines, "BLOCK", 1 << 13)
    pack, peaks = PACKINGS.get(Path(name).suffix, bytes), []
    for count in (2_000, 40_000):
        texts = (f"Said by {blake2b(number.to_bytes(4)).hexdigest()}" for number in range(count))
        if name.endswith(".csv"):
            content = "id,body,created_utc\n" + "".join(f'c{number},"{text}\n",\n' for number, text in enumerate(texts))
        else:
            content = "".join(f'{{"id": "c{number}", "body": "{text}"}}\n' for number, text in enumerate(texts))
        (tmp_path / name).write_bytes(pack(content.encode()))
        problems = Problems()
        tracemalloc.start()
        seen = sum(1 for _ in ArchiveSource(str(tmp_path / name)).posts(problems))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (seen, problems.by_kind()) == (count, {"missing_key": count, "null_time": count})
    # Kept, 38,000 more rows would be some 20 MB; what other threads take meanwhile is far less.
    assert peaks[1] - peaks[0] < 2_000_000


# What collecting makes of it.


def row(name: str, **changes: Any) -> dict[str, Any]:
    """A row of an archive: a submission where the name begins with t3_, else a comment on t3_s1."""
    words = {"title": name, "selftext": f"Words of {name}."}
    if name.startswith("t1_"):
        words = {"body": f"Words of {name}.", "parent_id": "t3_s1", "link_id": "t3_s1"}
    return {"name": name, "subreddit": "thornby", "created_utc": 1714564800} | words | changes


def collected(make_job: JobMaker, folder: Path, *rows: dict[str, Any]) -> Job:
    """A run that has collected the archives of a folder, with one of these rows among them if there are any."""
    if rows:
        (folder / "thornby.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    job = make_job(str(folder))
    collect(job)
    return job


def stored(job: Job) -> dict[str, Post]:
    with unit_of_work(job.engine) as session:
        return {post.post_id: post for post in session.scalars(select(Post))}


def problem_counts(job: Job) -> dict[str, int]:
    return dict(job.run().counts["problems"])


@pytest.fixture(params=[1, 2, 3, 5_000], ids="batches_of_{}".format)
def _batches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "BATCH", request.param)


@pytest.mark.usefixtures("_batches")
def test_a_post_that_comes_again_is_counted_and_the_first_is_kept(make_job: JobMaker, tmp_path: Path) -> None:
    again = row("t3_s1", selftext="Said later.")
    job = collected(make_job, tmp_path, row("t3_s1"), row("t1_c1"), again, row("t1_c2"), row("t1_c1"), again)
    with job.engine.connect() as connection:
        (problem,) = queries.problems(connection, [job.run_id])
    assert (problem.kind, problem.count, problem.lines) == ("duplicate_id", 3, [3, 5, 6])
    assert sorted(stored(job)) == ["archive:t1_c1", "archive:t1_c2", "archive:t3_s1"]
    assert stored(job)["archive:t3_s1"].body == "Words of t3_s1."


@pytest.mark.usefixtures("_batches")
def test_comments_before_their_parent_or_without_one_are_counted_and_kept(make_job: JobMaker, tmp_path: Path) -> None:
    early = row("t1_c1"), row("t1_c2", parent_id="t1_c3"), row("t1_c3")
    in_time = row("t3_s1"), row("t1_c4"), row("t1_c5", parent_id="t1_c4"), row("t1_self", parent_id="t1_self")
    orphans = (
        row("t1_c6", parent_id="t1_none"),
        row("t1_c7", parent_id="t1_c6"),
        row("t1_c8", parent_id="t1_c9"),
        row("t1_c9", parent_id="t3_no"),
    )
    job = collected(make_job, tmp_path, *early, *in_time, *orphans)
    assert problem_counts(job) == {"early_comment": 4, "orphan_comment": 2}
    assert len(stored(job)) == 11


def test_two_forums_that_number_their_posts_alike_are_kept_apart(make_job: JobMaker, tmp_path: Path) -> None:
    for forum in ("thornby", "farbury"):
        (tmp_path / f"{forum}.csv").write_text(f"id,body,subreddit\n1,Hello from {forum},{forum}\n", encoding="utf-8")
    job = collected(make_job, tmp_path)
    assert {post.body for post in stored(job).values()} == {"Hello from thornby", "Hello from farbury"}


@pytest.mark.parametrize("kind", [str, int], ids=["strings", "numbers"])
def test_bare_ids_of_parents_meet_the_posts_they_mean(kind: Callable[[int], Any], make_job: JobMaker, tmp_path: Path) -> None:
    thread = [
        {"id": kind(1), "title": "Bins"}, {"id": kind(2), "body": "Again", "parent_id": kind(1), "link_id": kind(1)},
        {"id": kind(3), "body": "Yes", "parent_id": kind(2), "link_id": kind(1)},
    ]  # fmt: skip
    job = collected(make_job, tmp_path, *thread)
    assert problem_counts(job) == {"missing_key": 3, "null_time": 3}
    assert {post.thread_id for post in stored(job).values()} == {"archive:thornby:t3_1"}
