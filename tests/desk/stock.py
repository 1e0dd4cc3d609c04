"""A store with leads to decide on, made by the actions that a run uses."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from coprod_nlp.vocabulary import PostState
from models import actions
from models.base import utc_now
from models.bulk import upsert
from models.run import Run

THEN = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)
COUNCIL, OTHER_COUNCIL = "marlowick", "elsewhere"
TOWN = "sample:marlowick"
HOSTILE = "I can lend my van. <script>alert('x')</script> \"quoted\" <img src=x onerror=alert(1)>"


def lead_id(number: int, council: str = COUNCIL) -> str:
    return f"l-{council[0]}{number}"


def stock(
    engine: Engine, *, leads: int = 3, council: str = COUNCIL, body: str = "I can lend my van for the clean-up.",
    areas: tuple[str, ...] = ("parks",), community: str = TOWN, voices: int = 3,
) -> None:  # fmt: skip
    """A finished run with so many leads of one council; each has a network of three voices with one willing message each."""
    scope = f"scope-{council}"
    numbers = range(1, leads + 1)
    keys = {number: [f"{council[0]}{number}-voice{voice}" for voice in range(voices)] for number in numbers}
    posts = [_post(f"p-{key}", key, body, community) for each in keys.values() for key in each]
    lead_rows = [_lead(number, scope, council, areas[(number - 1) % len(areas)], voices) for number in numbers]
    with engine.begin() as connection:
        actions.store_posts(connection, posts)
        actions.store_readings(connection, [_reading(row) for row in posts])
        actions.replace_leads(
            connection, scope,
            networks=[_network(number, scope, council, voices) for number in numbers],
            voices=[{"network_id": f"n-{council[0]}{n}", "author_key": key, "is_willing": True} for n in numbers for key in keys[n]],
            leads=lead_rows, messages=[{"lead_id": lead_id(n, council), "post_id": f"p-{key}"} for n in numbers for key in keys[n]],
        )  # fmt: skip
        upsert(connection, Run, [_run(f"r-{council}", scope, council)])


def _network(number: int, scope: str, council: str, voices: int) -> dict[str, Any]:
    return {
        "network_id": f"n-{council[0]}{number}", "scope": scope, "council": council, "area": "parks", "is_gathered": False,
        "voices": voices, "willing_voices": voices, "ties": 3, "first_seen_at": utc_now(), "change": "new", "voices_before": 0,
        "joined": 3, "departed": 0, "origins": [],
    }  # fmt: skip


def _run(run_id: str, scope: str, council: str) -> dict[str, Any]:
    return {
        "run_id": run_id, "scope": scope, "council": council, "request": {}, "communities": [TOWN], "status": "finished",
        "started_at": THEN, "finished_at": THEN + timedelta(minutes=2),
        "done": ["collect", "read", "link", "rank", "report"], "counts": {}, "seconds": {},
        "versions": {"reading": "v"}, "config_digest": "",
    }  # fmt: skip


def _post(post_id: str, author_key: str, body: str, community: str) -> dict[str, Any]:
    return actions.post_row(
        post_id=post_id, platform="sample", community_id=community, kind="submission", state=PostState.VISIBLE, author_key=author_key,
        parent_id=None, thread_id=post_id, title="", body=body, permalink="https://forum.example/message", score=1, created_at=THEN,
        content_hash=f"h-{post_id}-{len(body)}", fetched_at=THEN,
    )  # fmt: skip


def _reading(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "post_id": row["post_id"], "version": "v", "content_hash": row["content_hash"], "status": "read", "language": "en", "willing": 0.9,
        "is_willing": True, "areas": {"parks": 0.9}, "signals": {"offer": 0.9}, "evidence": [["offer", 0, min(15, len(row["body"]))]],
    }  # fmt: skip


def _lead(number: int, scope: str, council: str, area: str, voices: int) -> dict[str, Any]:
    return {
        "lead_id": lead_id(number, council), "network_id": f"n-{council[0]}{number}", "scope": scope, "council": council, "area": area,
        "rank": number, "score": 90.0 - number / 1000, "low": 40.0, "high": 95.0, "voices": voices, "willing_messages": voices,
        "parts": [{"key": "willingness", "value": 0.8, "weight": 25, "points": 20.0, "sentence": "Three people offer."},
                  {"key": "fit", "value": None, "weight": 10, "points": None, "sentence": "Not judged yet."}],
        "approaches": [["convenience", "Two say they have little time."]], "stages": [["delivery", 2]], "config_digest": "",
        "weights_digest": "", "kept_for": None,
    }  # fmt: skip
