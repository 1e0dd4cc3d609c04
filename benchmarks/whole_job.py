"""The whole job and each stage, in posts a second and peak memory, beside a plain peer on the same posts.

    .venv/bin/python -m benchmarks.whole_job ARCHIVE.ndjson.gz [--posts 4000] [--large 50000 500000]

Prints ratios job / peer from the same run; single absolute figures on a shared machine mean little. `--large` grows the
archive by repeating it under new ids, authors and threads, to see whether memory stays flat.
"""

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("id", "name", "author", "parent_id", "link_id")


def main() -> None:
    """Parse the command line, run both, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--posts", type=int, default=4_000, help="how many posts job and peer both do")
    parser.add_argument("--full", action="store_true", help="the job alone on the whole archive, too")
    parser.add_argument("--large", type=int, nargs="*", default=[], help="sizes for the memory check, job alone")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        few = _grown(asked.archive, home / "few.ndjson.gz", asked.posts)
        job = _run("benchmarks.job", home / "job", few)
        _print_job(f"job, {asked.posts:,} posts", job)
        peer = _run("benchmarks.peer", few, home / "peer.sqlite3", str(asked.posts))
        _print_peer(peer, job)
        sizes = [(f"job, {size:,} posts", _grown(asked.archive, home / f"{size}.ndjson.gz", size)) for size in asked.large]
        if asked.full:
            sizes.insert(0, ("job, whole archive", asked.archive))
        for number, (name, archive) in enumerate(sizes):
            _print_job(name, _run("benchmarks.job", home / f"job{number}", archive))


def _run(module: str, *arguments: Path | str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", module, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _print_job(name: str, job: dict[str, Any]) -> None:
    seconds = dict(job["seconds"])
    seconds["read"] -= job["reading_start_s"]
    total = sum(seconds.values())
    print(
        f"\n{name}: {job['posts'] / total:,.0f} posts/s after start-up, peak {job['peak_mib']:,} MiB in all processes, {job['leads']} leads"
    )
    print(f"  starting the reading processes took {job['reading_start_s']:.1f} s, not counted")
    for stage, spent in seconds.items():
        print(f"  {stage:8} {spent:8.2f} s {job['posts'] / max(spent, 1e-3):12,.0f} posts/s")


def _print_peer(peer: dict[str, Any], job: dict[str, Any]) -> None:
    total, ours = sum(peer["seconds"].values()), sum(job["seconds"].values()) - job["reading_start_s"]
    print(f"\npeer, {peer['posts']:,} posts: {peer['posts'] / total:,.0f} posts/s")
    for stage, spent in peer["seconds"].items():
        print(f"  {stage:8} {spent:8.2f} s {peer['posts'] / max(spent, 1e-3):12,.0f} posts/s")
    print(f"\njob / peer: {total / ours:.1f} times as many posts a second")


def _grown(archive: Path, to: Path, size: int) -> Path:
    """The first `size` posts of an archive, repeated under new names where it has fewer."""
    with gzip.open(to, "wt", encoding="utf-8", compresslevel=1) as file:
        for row in _repeated(archive, size):
            file.write(json.dumps(row) + "\n")
    return to


def _repeated(archive: Path, size: int) -> Iterator[dict[str, Any]]:
    given = 0
    for turn in range(size):
        with gzip.open(archive, "rt", encoding="utf-8") as file:
            for line in file:
                if given >= size:
                    return
                row = json.loads(line)
                if turn:
                    row |= {name: f"{row[name]}x{turn}" for name in NAMES if isinstance(row.get(name), str)}
                given += 1
                yield row


if __name__ == "__main__":
    main()
