"""From stored rows to ranked leads: seconds and peak memory, beside networkx Louvain with PageRank on the same interactions.

    .venv/bin/python -m benchmarks.networks_speed [--people 200000] [--database FOLDER] [--peer-limit 1800]

Each side runs in a process of its own, one after the other, and they are compared in seconds of processor time, which others on the
machine do not change as much. Ours counts everything from the first query to the last row of the leads being committed; the peer counts
building its graph from the rows that it was given, Louvain and PageRank, and is stopped at a limit.
"""

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from benchmarks.planted import DAYS, Plan, World, make_world
from config.load import load_config
from config.settings import Settings
from coprod_nlp.vocabulary import RunStatus
from flows.job import Job, Request
from flows.steps.rank import rank
from models.base import utc_now
from models.run import Run
from models.session import open_engine, unit_of_work

END = datetime(2026, 6, 1, tzinfo=UTC)
RUN_ID, VERSION = "benchmark", "benchmark"


def main() -> None:
    """Store a made-up world, then run both sides on it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--database", type=Path, help="folder to keep the database in, or to take it from")
    parser.add_argument("--peer-limit", type=float, default=1_800, help="seconds after which the peer is stopped; 0 leaves it out")
    parser.add_argument("--side", choices=["ours", "peer"], help="run one side in this process (used by the benchmark itself)")
    asked = parser.parse_args()
    if asked.side:
        {"ours": _ours, "peer": _peer}[asked.side](asked.database)
        return
    with tempfile.TemporaryDirectory() as folder:
        home = asked.database or Path(folder)
        if not (home / "coprod.sqlite3").exists():
            _store(home, _plan(asked.people))
        ours = _run("ours", home, None)
        print(json.dumps(ours))
        if asked.peer_limit:
            peer = _run("peer", home, asked.peer_limit)
            print(json.dumps(peer))
            times = peer["cpu_s"] / ours["cpu_s"]
            print(f"peer / ours: {'more than ' if peer['is_stopped'] else ''}{times:.0f} times as long")


def _plan(people: int) -> Plan:
    scale = people / 200_000
    return Plan(
        people=people, communities=max(4, round(40 * scale)), networks=max(12, round(600 * scale)), decoys=max(10, round(400 * scale)),
        talk=3.2, mistaken=0.08,
    )  # fmt: skip


def _run(side: str, home: Path, limit_s: float | None) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.networks_speed", "--side", side, "--database", str(home)]
    worked = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit_s)
    except subprocess.TimeoutExpired:
        return {"side": side, "cpu_s": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - worked, 1), "is_stopped": True}
    if done.returncode:
        sys.exit(done.stderr)
    return {"is_stopped": False, **json.loads(done.stdout.splitlines()[-1])}


def _settings(home: Path) -> Settings:
    return Settings(home=home, author_key="0123456789abcdef-a-key-for-benchmarks")


def _ours(home: Path) -> None:
    engine = open_engine(_settings(home).address())
    job = Job(_settings(home), load_config(), engine, Request("marlowick", ()), RUN_ID, home / "report")
    started, worked = perf_counter(), process_time()
    rank(job, again=True)
    seconds = {"seconds": round(perf_counter() - started, 1), "cpu_s": round(process_time() - worked, 1)}
    print(json.dumps({"side": "ours", **seconds, "peak_mib": _peak_mib(), **job.run().counts["rank"]}))


def _peer(home: Path) -> None:
    import networkx as nx

    rows = sqlite3.connect(home / "coprod.sqlite3").execute("SELECT source_key, target_key FROM interaction").fetchall()
    started = process_time()
    graph: nx.Graph[str] = nx.Graph()
    for source, target in rows:
        if graph.has_edge(source, target):
            graph[source][target]["weight"] += 1
        else:
            graph.add_edge(source, target, weight=1)
    built = process_time() - started
    communities = nx.community.louvain_communities(graph, seed=1)
    grouped = process_time() - started
    nx.pagerank(graph)
    seconds = process_time() - started
    parts = {"build_s": round(built, 1), "louvain_s": round(grouped - built, 1), "pagerank_s": round(seconds - grouped, 1)}
    print(json.dumps({"side": "peer", "cpu_s": round(seconds, 1), "peak_mib": _peak_mib(), "communities": len(communities), **parts}))


def _peak_mib() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _store(home: Path, plan: Plan) -> None:
    """The rows that collecting, reading and linking would have left."""
    world = make_world(plan)
    home.mkdir(parents=True, exist_ok=True)
    engine = open_engine(_settings(home).address())
    with unit_of_work(engine) as session:
        session.add(
            Run(run_id=RUN_ID, council="marlowick", status=RunStatus.RUNNING, started_at=utc_now(), config_digest="", done=["link"],
                communities=[_community(number) for number in range(plan.communities)], versions={"reading": VERSION})
        )  # fmt: skip
    engine.dispose()
    with closing(sqlite3.connect(home / "coprod.sqlite3")) as connection:
        for table, rows in (("post", _posts(world)), ("post_reading", _readings(world)), ("interaction", _interactions(world))):
            first = next(rows)
            names = ", ".join(first)
            statement = f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in first)})"
            connection.executemany(statement, chain([first], rows))
        connection.commit()


def _community(number: int) -> str:
    return f"sample:c{number:03}"


def _key(person: int) -> str:
    return f"{person * 2654435761 % 2**32:08x}{person:024x}"


def _moment(day: float) -> str:
    """As SQLAlchemy writes it, which is not asked: it would take minutes longer."""
    return (END - timedelta(days=DAYS - day)).strftime("%Y-%m-%d %H:%M:%S.%f")


def _posts(world: World) -> Iterator[dict[str, Any]]:
    """A post for each reply, for each message that says something, and one for everybody."""
    home = {person: person % world.plan.communities for person in range(world.plan.people)}
    home |= {message[0]: message[1] for message in world.messages}
    replies = ((f"r{place:08}", meeting[1], 0.0) for place, meeting in enumerate(world.meetings) if meeting[0] == "reply")
    messages = ((f"m{place:08}", message[0], message[3]) for place, message in enumerate(world.messages))
    first = ((f"f{person:08}", person, 0.0) for person in range(world.plan.people))
    for source in (replies, messages, first):
        for post_id, person, day in source:
            yield {
                "post_id": f"sample:{post_id}", "platform": "sample", "kind": "comment", "state": "visible", "author_key": _key(person),
                "community_id": _community(home[person]), "parent_id": None, "thread_id": None, "title": "", "body": "words",
                "permalink": "", "score": 1, "created_at": _moment(day), "content_hash": "h",
                "fetched_at": _moment(DAYS),
            }  # fmt: skip


def _readings(world: World) -> Iterator[dict[str, Any]]:
    same = {"version": VERSION, "content_hash": "h", "status": "read", "language": "en", "evidence": "[]"}
    for place, meeting in enumerate(world.meetings):
        if meeting[0] == "reply":
            yield {**same, "post_id": f"sample:r{place:08}", "willing": 0.05, "is_willing": False, "areas": "{}", "signals": "{}"}
    for place, (_, _, area, _, signals, chance, is_willing) in enumerate(world.messages):
        yield {
            **same, "post_id": f"sample:m{place:08}", "willing": chance, "is_willing": is_willing,
            "areas": json.dumps({area: 0.8}), "signals": json.dumps(dict.fromkeys(signals, 0.8)),
        }  # fmt: skip


def _interactions(world: World) -> Iterator[dict[str, Any]]:
    for place, (kind, source, target, day) in enumerate(world.meetings):
        if source != target:
            yield {
                "kind": kind, "anchor_id": f"sample:{kind[0]}{place:08}", "source_key": _key(source), "target_key": _key(target),
                "community_id": _community(0), "happened_at": _moment(day),
            }  # fmt: skip


if __name__ == "__main__":
    main()
