"""Rank: networks keep their identity from run to run, a suppressed voice leaves at once, and secrets change nothing."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, update
from sqlmodel import col

from config.settings import Settings
from coprod_nlp.ranking.reasons import PART_NAMES
from coprod_nlp.vocabulary import Change
from flows.job import Job
from flows.steps.collect import collect
from flows.steps.link import link
from flows.steps.rank import rank
from models import network_queries, queries
from models.base import utc_now
from models.bulk import upsert
from models.post import Post, PostReading
from models.queries import VALUE_END
from models.run import Run, Suppression
from models.session import unit_of_work

VERSION = "by hand"
RIVER, PARK = "environment", "parks"
Said = tuple[str, str, str]  # who, about which policy area, by which signal

ANGLERS = [(f"angler_{number}", RIVER, "offer") for number in range(5)]
GROWERS = [(f"grower_{number}", PARK, "active") for number in range(4)]


@pytest.fixture
def ranked(make_job: Callable[..., Job], tmp_path: Path) -> Callable[..., Job]:
    """Collects a conversation in which the people of each list answer each other, reads it as told and ranks it."""

    def run(
        *circles: Iterable[Said], name: str = "river", places: tuple[str, ...] = (), settings: Settings | None = None, **asked: Any
    ) -> Job:
        path = tmp_path / f"{name}.ndjson"
        rows, readings = _conversation([list(circle) for circle in circles], places or ("river",) * len(circles))
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        job = make_job(str(path), **({"settings": settings} if settings else {}), **asked)
        collect(job)
        with unit_of_work(job.engine) as session:
            session.get_one(Run, job.run_id).versions = {**job.run().versions, "reading": VERSION}
        with job.engine.begin() as connection:
            _read(connection, readings)
        link(job)
        rank(job)
        return job

    return run


def _conversation(circles: list[list[Said]], places: tuple[str, ...]) -> tuple[list[dict[str, Any]], dict[str, tuple[str, str]]]:
    """A thread for each circle, in which everybody answers the one before; readings by the id of the post."""
    rows, readings = [], {}
    for place, circle in enumerate(circles):
        for turn, (person, area, signal) in enumerate(circle):
            name = f"t3_{place}x0" if turn == 0 else f"t1_{place}x{turn}"
            rows.append({
                "name": name, "author": person, "subreddit": places[place], "created_utc": 1775000000 + 3600 * turn,
                **({"title": f"thread {place}", "selftext": f"said {name}"} if turn == 0 else
                   {"body": f"said {name}", "link_id": f"t3_{place}x0", "parent_id": f"t3_{place}x0"}),
            })  # fmt: skip
            readings[name] = (area, signal)
    return rows, readings


def _read(connection: Connection, readings: dict[str, tuple[str, str]]) -> None:
    stored = connection.execute(Post.__table__.select()).all()  # type: ignore[attr-defined]
    upsert(connection, PostReading, [
        {"post_id": row.post_id, "version": VERSION, "content_hash": row.content_hash, "status": "read", "language": "en", "willing": 0.9,
         "is_willing": True, "areas": {area: 0.9} if area else {}, "signals": {signal: 0.9}, "evidence": []}
        for row in stored if (told := readings.get(row.post_id.rpartition(":")[2])) for area, signal in [told]
    ])  # fmt: skip


def leads(job: Job) -> list[Any]:
    with job.engine.connect() as connection:
        return queries.leads(connection, job.scope_id())


def changes(job: Job) -> dict[str, Any]:
    with job.engine.connect() as connection:
        return {row.change: row for row in network_queries.changes_of_run(connection, job.run_id)}


def test_each_area_has_networks_of_its_own_with_nine_parts_and_the_hash_of_the_weights(ranked: Callable[..., Job]) -> None:
    job = ranked(ANGLERS, GROWERS)
    found = leads(job)
    assert {(lead.area, lead.voices) for lead in found} == {(RIVER, 5), (PARK, 4)}
    for lead in found:
        assert [part["key"] for part in lead.parts] == list(PART_NAMES)
        assert lead.weights_digest == job.run().counts["weights_digest"]
    with job.engine.connect() as connection:
        network = network_queries.network(connection, found[0].network_id)
        assert network_queries.network(connection, "n-nobody") is None
    assert (network.willing_voices, network.is_gathered, network.change) == (found[0].voices, False, Change.NEW)


def test_the_next_run_finds_the_same_network_grown_by_those_who_joined(ranked: Callable[..., Job]) -> None:
    first = ranked(ANGLERS, GROWERS)
    before = {lead.area: (lead.network_id, lead.lead_id) for lead in leads(first)}
    more = [(f"angler_{number}", RIVER, "offer") for number in range(5, 8)]
    second = ranked([*ANGLERS, *more], GROWERS, until="2030-01-01")
    assert {lead.area: (lead.network_id, lead.lead_id) for lead in leads(second)} == before
    said = changes(second)
    assert {change: (row.joined, row.departed) for change, row in said.items()} == {Change.GROWN: (3, 0), Change.SAME: (0, 0)}
    assert changes(first)[Change.NEW].network_id in {network_id for network_id, _ in before.values()}
    assert leads(first) == []


def test_ranking_fewer_communities_takes_nothing_from_the_ranking_of_more(ranked: Callable[..., Job]) -> None:
    ranked(ANGLERS, name="first")
    both = ranked(ANGLERS, GROWERS, name="both", places=("river", "hill"))
    before = leads(both)
    fewer = ranked(ANGLERS, name="fewer")
    assert leads(both) == before
    assert {lead.network_id for lead in before}.isdisjoint(lead.network_id for lead in leads(fewer))
    assert [(lead.area, lead.voices) for lead in leads(fewer)] == [(RIVER, 5)]
    with both.engine.connect() as connection:
        for lead in [*before, *leads(fewer)]:
            assert len(queries.network_voices(connection, lead.network_id)) == lead.voices
            assert len(queries.lead_evidence(connection, lead.lead_id)) == lead.willing_messages


def test_ranking_twice_leaves_the_same_rows_and_the_same_history(ranked: Callable[..., Job]) -> None:
    job = ranked(ANGLERS, GROWERS)
    before, said = leads(job), changes(job)
    rank(job, again=True)
    assert leads(job) == before
    assert changes(job) == said


def test_a_suppressed_voice_leaves_the_score_at_once_and_a_network_of_two_is_never_listed(ranked: Callable[..., Job]) -> None:
    job = ranked(ANGLERS, GROWERS)
    for left in (4, 3, None):
        _suppress_one(job, RIVER)
        rank(job, again=True)
        found = {lead.area: lead for lead in leads(job)}
        assert set(found) == ({RIVER, PARK} if left else {PARK})
        if left:
            assert (found[RIVER].voices, found[RIVER].willing_messages) == (left, left)
    with job.engine.connect() as connection:
        assert {row.area for row in queries.networks(connection, job.scope_id())} == {PARK}


def _suppress_one(job: Job, area: str) -> None:
    with job.engine.begin() as connection:
        lead = next(lead for lead in queries.leads(connection, job.scope_id()) if lead.area == area)
        key = next(iter(queries.network_voices(connection, lead.network_id)))
        connection.execute(insert(Suppression), [{"author_key": key, "reason": "r", "suppressed_at": utc_now(), "suppressed_by": "dpo"}])


def test_another_secret_behind_the_keys_changes_neither_ids_nor_scores(ranked: Callable[..., Job], settings: Settings) -> None:
    def listed(job: Job) -> list[tuple[Any, ...]]:
        return [(lead.rank, lead.lead_id, lead.network_id, lead.score, lead.low, lead.high) for lead in leads(job)]

    one = ranked(ANGLERS, GROWERS)
    other = ranked(ANGLERS, GROWERS, settings=replace_settings(settings, author_key="another-key-0123456789abcdef-secret"))
    assert listed(one) == listed(other)


def replace_settings(settings: Settings, *, author_key: str) -> Settings:
    return Settings(home=settings.home.with_name("elsewhere"), author_key=author_key, workers=1)


def test_count_me_in_speaks_of_what_it_answers(ranked: Callable[..., Job]) -> None:
    without_area = [ANGLERS[0], *((person, "", signal) for person, _, signal in ANGLERS[1:])]
    (lead,) = leads(ranked(without_area))
    assert (lead.area, lead.voices) == (RIVER, 5)


def test_a_name_in_the_text_joins_the_one_who_wrote_it_to_the_one_it_names(ranked: Callable[..., Job]) -> None:
    job = ranked(ANGLERS)
    with job.engine.begin() as connection:
        connection.execute(update(Post).where(col(Post.post_id).endswith("_0x1")).values(body="ask u/angler_4, not u/nobody_here"))
    with unit_of_work(job.engine) as session:
        session.get_one(Run, job.run_id).done = ["collect", "read"]
    link(job)
    with job.engine.connect() as connection:
        columns = [[text.split(VALUE_END) for text in some] for some in queries.interactions(connection, job.scope())]
        found = [row for some in columns for row in zip(*some, strict=True) if row[0] == "mention"]
        keys = dict(connection.execute(Post.__table__.select().with_only_columns(Post.post_id, Post.author_key)).all())  # type: ignore
    by_name = {post_id.rpartition("_")[2]: key for post_id, key in keys.items()}
    assert [row[1:3] for row in found] == [(by_name["0x1"], by_name["0x4"])]
