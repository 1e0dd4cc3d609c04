"""How quick the desk is with 100,000 leads and 1,000,000 posts: 50 requests at once, from a process of their own.

    python -m benchmarks.desk --leads 100000 --posts 1000000 --home /tmp/desk-benchmark

The store is made once and kept in `--home`. Every request is a signed-in officer's; each lead
page is another lead, so nothing is warm. Beside how long answers took stands the processor time
of the desk a page, which says more where the machine has other work too.
"""

import argparse
import socket
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import httpx
import psutil
from sqlalchemy import Engine, func, insert, select

from config.settings import Settings
from desk.auth import new_token, token_hash
from models import account_actions
from models.account import Account
from models.desk_words import Role
from models.lead import Lead, LeadMessage, Network, NetworkVoice
from models.lead_index import index_leads
from models.post import Post, PostReading
from models.run import Run
from models.session import open_engine, unit_of_work

COUNCIL, SCOPE, COMMUNITIES = "marlowick", "benchmark", ("sample:marlowick", "sample:merle_watch")
THEN = datetime(2026, 5, 1, tzinfo=UTC)
AREAS = ("parks", "waste", "culture", "transport", "environment")
WORDS = "I can lend my van for the clean-up on Saturday, and there is room for tools in our shed. " * 3
AT_ONCE, BATCH = 50, 5_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--home", type=Path, required=True)
    given = parser.parse_args()
    settings = Settings(home=given.home)
    engine = open_engine(settings.address())
    with engine.connect() as connection:
        stored = connection.scalar(select(func.count()).select_from(Lead)) or 0
    if stored != given.leads:
        fill(engine, leads=given.leads, posts=given.posts)
    token = officer(engine)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "flows", "desk", "--port", str(port)], env={"COPROD_HOME": str(given.home), "PATH": ""}
    )
    try:
        measure(f"http://127.0.0.1:{port}", token, psutil.Process(server.pid), leads=given.leads, rounds=given.rounds)
    finally:
        server.terminate()


def measure(address: str, token: str, server: psutil.Process, *, leads: int, rounds: int) -> None:
    """Medians of rounds of 50 requests that start together, and processor time of the server a page."""
    wait_for(address)
    step = max(1, leads // (AT_ONCE * rounds))
    pages: dict[str, Callable[[int], str]] = {
        "list, first page": lambda _: "/leads",
        "list, one policy area": lambda number: f"/leads?area={AREAS[number % len(AREAS)]}",
        "list, page 40": lambda _: "/leads?page=40",
        "lead page": lambda number: f"/leads/l-{number * step + 1}",
    }
    for name, path in pages.items():
        times: list[float] = []
        failed = 0
        before = processor_ms(server)
        for turn in range(rounds):
            found = together(address, token, [path(turn * AT_ONCE + place) for place in range(AT_ONCE)])
            times += [seconds for seconds, _ in found]
            failed += sum(status != 200 for _, status in found)
        ordered = sorted(times)
        high = ordered[int(len(ordered) * 0.95)]
        middle = statistics.median(times)
        work = (processor_ms(server) - before) / len(times)
        print(
            f"{name:24} median {middle * 1000:6.0f} ms   95 % {high * 1000:6.0f} ms   processor {work:5.2f} ms a page   "
            f"{len(times)} requests, {failed} failed"
        )


def processor_ms(server: psutil.Process) -> float:
    spent = server.cpu_times()
    return float(spent.user + spent.system) * 1000


def together(address: str, token: str, paths: Sequence[str]) -> list[tuple[float, int]]:
    """Seconds and status of requests that all start at the same moment, over connections that are open, as a browser's are."""
    barrier = threading.Barrier(len(paths))

    def ask(path: str) -> tuple[float, int]:
        with closing(HTTPConnection(address.removeprefix("http://"), timeout=60)) as connection:
            connection.connect()
            barrier.wait()
            start = perf_counter()
            connection.request("GET", path, headers={"Cookie": f"coprod={token}"})
            answer = connection.getresponse()
            answer.read()
            return perf_counter() - start, answer.status

    with ThreadPoolExecutor(len(paths)) as pool:
        return list(pool.map(ask, paths))


def wait_for(address: str) -> None:
    for _ in range(600):
        try:
            httpx.get(f"{address}/sign-in", timeout=5)
        except httpx.HTTPError:
            sleep(0.2)
        else:
            return
    raise SystemExit(f"the desk did not answer at {address}")


def officer(engine: Engine) -> str:
    """A session of an officer, as signing in makes it."""
    token = new_token()
    with unit_of_work(engine) as session:
        account = session.scalar(select(Account)) or account_actions.create_account(
            session,
            username="benchmark",
            display_name="Benchmark",
            council=COUNCIL,
            roles=[Role.OFFICER, Role.ADMINISTRATOR],
            by="benchmark",
        )
        account_actions.record_sign_in(session, account, token_hash=token_hash(token), way="benchmark")
    return token


def fill(engine: Engine, *, leads: int, posts: int) -> None:
    """Leads of ten messages by five voices each, as many as asked for."""
    each = posts // leads
    start = perf_counter()
    with engine.begin() as connection:
        for table, rows in (
            (Post, post_rows(leads, each)), (PostReading, reading_rows(leads, each)), (Network, network_rows(leads)),
            (NetworkVoice, voice_rows(leads)), (Lead, lead_rows(leads)), (LeadMessage, message_rows(leads, each)),
        ):  # fmt: skip
            for some in batches(rows):
                connection.execute(insert(table), some)
        index_leads(connection, SCOPE)
        connection.execute(insert(Run), [run_row()])
    print(f"made {leads:,} leads and {leads * each:,} posts in {perf_counter() - start:.0f} s")


def batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    some: list[dict[str, Any]] = []
    for row in rows:
        some.append(row)
        if len(some) == BATCH:
            yield some
            some = []
    if some:
        yield some


def post_rows(leads: int, each: int) -> Iterator[dict[str, Any]]:
    for lead in range(1, leads + 1):
        for number in range(each):
            yield {
                "post_id": f"p-{lead}-{number}", "platform": "sample", "community_id": COMMUNITIES[lead % 2], "kind": "comment",
                "state": "visible", "author_key": f"k-{lead}-{number % 5}", "parent_id": None, "thread_id": f"t-{lead}", "title": "",
                "body": WORDS, "permalink": "https://forum.example/message", "score": 1, "created_at": THEN + timedelta(minutes=lead),
                "content_hash": "h", "fetched_at": THEN,
            }  # fmt: skip


def reading_rows(leads: int, each: int) -> Iterator[dict[str, Any]]:
    for lead in range(1, leads + 1):
        for number in range(each):
            yield {
                "post_id": f"p-{lead}-{number}", "version": "v", "content_hash": "h", "status": "read", "language": "en", "willing": 0.9,
                "is_willing": True, "areas": {AREAS[lead % len(AREAS)]: 0.9}, "signals": {"offer": 0.9, "ability": 0.7},
                "evidence": [["offer", 0, 44], ["ability", 49, 88]],
            }  # fmt: skip


def network_rows(leads: int) -> Iterator[dict[str, Any]]:
    for lead in range(1, leads + 1):
        yield {
            "network_id": f"n-{lead}", "scope": SCOPE, "council": COUNCIL, "area": AREAS[lead % len(AREAS)], "voices": 5,
            "willing_voices": 5, "ties": 8, "first_seen_at": THEN, "change": "new", "origins": [],
        }  # fmt: skip


def voice_rows(leads: int) -> Iterator[dict[str, Any]]:
    for lead in range(1, leads + 1):
        for number in range(5):
            yield {"network_id": f"n-{lead}", "author_key": f"k-{lead}-{number}"}


def lead_rows(leads: int) -> Iterator[dict[str, Any]]:
    part = {"key": "willingness", "value": 0.8, "weight": 25, "points": 20.0, "sentence": "10 messages by 5 voices offer or already help."}
    for lead in range(1, leads + 1):
        yield {
            "lead_id": f"l-{lead}", "network_id": f"n-{lead}", "scope": SCOPE, "council": COUNCIL, "area": AREAS[lead % len(AREAS)],
            "rank": lead, "score": 90 - lead / leads * 60, "low": 20.0, "high": 95.0, "voices": 5, "willing_messages": 10,
            "parts": [part] * 8, "approaches": [["convenience", "5 messages offer something."]], "stages": [["delivery", 8]],
            "config_digest": "",
        }  # fmt: skip


def message_rows(leads: int, each: int) -> Iterator[dict[str, Any]]:
    for lead in range(1, leads + 1):
        for number in range(each):
            yield {"lead_id": f"l-{lead}", "post_id": f"p-{lead}-{number}"}


def run_row() -> dict[str, Any]:
    return {
        "run_id": "benchmark", "scope": SCOPE, "council": COUNCIL, "request": {}, "communities": list(COMMUNITIES), "status": "finished",
        "started_at": THEN, "finished_at": THEN, "done": ["rank"], "counts": {}, "seconds": {}, "versions": {}, "config_digest": "",
    }  # fmt: skip


if __name__ == "__main__":
    main()
