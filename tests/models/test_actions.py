"""Actions: who met whom is worked out the same each time, and what must go goes from every table."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Engine, select
from sqlmodel import Session, col

from coprod_nlp.vocabulary import InteractionKind, PostState, Right
from models import actions, right_actions
from models.interaction import Interaction
from models.post import PostReading
from models.removal import Removal
from models.run import AuditEntry, Suppression
from models.session import unit_of_work

THEN = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)
TOWN, GARDENS = "sample:town", "sample:gardens"
REPLY, THREAD = InteractionKind.REPLY.value, InteractionKind.THREAD.value


def post(
    post_id: str, author: str | None, *, parent: str | None = None, thread: str | None = "t1", hours: float | None = 0, body: str = "words",
    community: str = TOWN, **changed: Any,
) -> dict[str, Any]:  # fmt: skip
    facts = {
        "post_id": post_id, "platform": "sample", "community_id": community, "kind": "comment" if parent else "submission",
        "state": PostState.VISIBLE, "author_key": author, "parent_id": parent, "thread_id": thread, "title": "", "body": body,
        "permalink": f"https://x.example/{post_id}", "score": 1, "content_hash": f"h-{body}", "fetched_at": THEN,
        "created_at": None if hours is None else THEN + timedelta(hours=hours),
    }  # fmt: skip
    return actions.post_row(**(facts | changed))


def keep(engine: Engine, *rows: dict[str, Any]) -> None:
    with engine.begin() as connection:
        actions.store_posts(connection, rows)


def link(engine: Engine, community: str = TOWN, *, thread_limit: int = 30) -> int:
    with engine.begin() as connection:
        return actions.derive_interactions(connection, community, thread_limit=thread_limit)


def meetings(engine: Engine, kind: str) -> set[tuple[str, str, str, datetime | None]]:
    columns = (col(Interaction.anchor_id), col(Interaction.source_key), col(Interaction.target_key), col(Interaction.happened_at))
    with engine.connect() as connection:
        return {(row[0], row[1], row[2], row[3]) for row in connection.execute(select(*columns).where(col(Interaction.kind) == kind))}


def at(hours: float) -> datetime:
    return THEN + timedelta(hours=hours)


CONVERSATION = [
    post("t1", "anna"),
    post("c1", "ben", parent="t1", hours=1),
    post("c2", "anna", parent="c1", hours=2),
    post("c3", "anna", parent="c2", hours=3),
    post("c4", None, parent="t1", hours=4, state=PostState.DELETED),
    post("c5", "cara", parent="c4", hours=5),
    post("c6", "dan", parent="never-collected", hours=6),
]


def test_a_reply_links_its_author_to_the_author_of_its_parent(engine: Engine) -> None:
    keep(engine, *CONVERSATION)
    link(engine)
    assert meetings(engine, REPLY) == {("c1", "ben", "anna", at(1)), ("c2", "anna", "ben", at(2))}


def test_everybody_in_a_thread_met_everybody_once_when_the_later_of_them_last_wrote(engine: Engine) -> None:
    keep(engine, *CONVERSATION)
    link(engine)
    assert meetings(engine, THREAD) == {
        ("t1", "anna", "ben", at(3)), ("t1", "anna", "cara", at(5)), ("t1", "anna", "dan", at(6)), ("t1", "ben", "cara", at(5)),
        ("t1", "ben", "dan", at(6)), ("t1", "cara", "dan", at(6)),
    }  # fmt: skip


@pytest.mark.parametrize(("limit", "pairs"), [(4, 6), (3, 0)], ids=["as many as the limit", "one more than the limit"])
def test_a_thread_of_more_authors_than_the_limit_makes_replies_only(engine: Engine, limit: int, pairs: int) -> None:
    keep(engine, *CONVERSATION, post("t2", "eve", thread="t2"), post("c9", "fay", parent="t2", thread="t2"))
    link(engine, thread_limit=limit)
    assert len({row for row in meetings(engine, THREAD) if row[0] == "t1"}) == pairs
    assert {row[:3] for row in meetings(engine, THREAD) if row[0] == "t2"} == {("t2", "eve", "fay")}
    assert len(meetings(engine, REPLY)) == 3


def test_linking_again_changes_nothing_and_other_communities_are_left_alone(engine: Engine) -> None:
    keep(
        engine,
        *CONVERSATION,
        post("g1", "anna", thread="g1", community=GARDENS),
        post("g2", "ben", parent="g1", thread="g1", community=GARDENS),
    )
    counts = [link(engine), link(engine, GARDENS)]
    before = meetings(engine, REPLY) | meetings(engine, THREAD)
    assert [link(engine), link(engine, GARDENS), link(engine, "sample:nowhere")] == [*counts, 0]
    assert meetings(engine, REPLY) | meetings(engine, THREAD) == before
    assert sum(counts) == len(before) == 10


def test_a_thread_that_two_communities_share_is_met_in_by_both(engine: Engine) -> None:
    for community in (TOWN, GARDENS):
        keep(engine, *(post(f"{community}-{key}", key, community=community) for key in ("anna", "ben")))
    assert [link(engine, community) for community in (TOWN, GARDENS, TOWN)] == [1, 1, 1]
    with engine.connect() as connection:
        rows = connection.execute(select(col(Interaction.community_id), col(Interaction.source_key)))
        assert {tuple(row) for row in rows} == {(GARDENS, "anna"), (TOWN, "anna")}


def test_a_post_deleted_at_its_source_takes_its_interactions_with_it(engine: Engine) -> None:
    keep(engine, *CONVERSATION)
    link(engine)
    keep(engine, post("c1", "ben", parent="t1", hours=1, state=PostState.DELETED, content_hash="gone"))
    link(engine)
    assert meetings(engine, REPLY) == set()
    assert not {row for row in meetings(engine, THREAD) if "ben" in row}


def test_a_shared_thread_whose_times_are_not_all_known_has_no_time(engine: Engine) -> None:
    keep(engine, post("t1", "anna"), post("c1", "ben", parent="t1", hours=None))
    link(engine)
    assert meetings(engine, REPLY) == {("c1", "ben", "anna", None)}
    assert meetings(engine, THREAD) == {("t1", "anna", "ben", None)}


def test_bots_and_moderators_meet_nobody(engine: Engine) -> None:
    keep(engine, post("t1", "anna"), post("c1", "bot", parent="t1", state=PostState.AUTOMATED), post("c2", "anna", parent="c1"))
    assert link(engine) == 0


def test_a_mention_is_kept_where_the_named_one_wrote_in_the_community(engine: Engine) -> None:
    keep(engine, post("t1", "anna"), post("g1", "cara", thread="g1", community=GARDENS))
    row = {"kind": "mention", "anchor_id": "t1", "source_key": "anna", "community_id": TOWN, "happened_at": THEN}
    keep(engine, post("c1", "ben", parent="t1"))
    with engine.begin() as connection:
        named = [row | {"target_key": key} for key in ("ben", "cara", "nobody")]
        assert [actions.store_mentions(connection, TOWN, named) for _ in range(2)] == [1, 1]
    assert meetings(engine, "mention") == {("t1", "anna", "ben", THEN)}


@pytest.mark.parametrize("state", [PostState.DELETED, PostState.REMOVED], ids=["deleted", "removed"])
def test_what_a_source_no_longer_shows_keeps_its_place_and_nothing_else(state: PostState) -> None:
    row = post("c1", "ben", parent="t1", title="My title", state=state)
    assert (row["author_key"], row["title"], row["body"]) == (None, "", "")
    assert (row["post_id"], row["parent_id"], row["thread_id"]) == ("c1", "t1", "t1")


@pytest.mark.parametrize("state", [PostState.REMOVED, PostState.FILTERED, PostState.VANISHED, PostState.DELETED])
def test_a_live_source_brings_back_all_but_what_its_author_deleted_and_an_archive_nothing(engine: Engine, state: PostState) -> None:
    keep(engine, post("t1", "anna", state=state))
    keep(engine, post("t1", "anna"))
    assert everything(engine)["post.body"] == ""
    with engine.begin() as connection:
        actions.store_posts(connection, [post("t1", "anna")], is_live=True)
    assert everything(engine)["post.body"] == ("" if state is PostState.DELETED else "words")


SECRET = "the third shed from the weir"
PEOPLE = ("anna", "ben", "cara", "dan")
LEAD = {
    "network_id": "n1", "scope": "s", "council": "m", "rank": 1, "score": 5.0, "low": 1.0, "high": 9.0, "voices": 3, "willing_messages": 3,
    "parts": [], "approaches": [], "stages": [], "config_digest": "", "weights_digest": "", "kept_for": None,
}  # fmt: skip
NETWORK = {
    "network_id": "n1", "scope": "s", "council": "m", "area": "parks", "is_gathered": False, "voices": 4, "willing_voices": 4, "ties": 6,
    "first_seen_at": THEN, "change": "new", "voices_before": 0, "joined": 4, "departed": 0, "origins": [],
}  # fmt: skip


def days_ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def town(engine: Engine, *, old: str = "anna") -> None:
    """Anna's thread and Ben's, everybody in both, all read and linked; a network of all with two leads, no message of Dan's in them.

    What the `old` one wrote was fetched 400 days ago, the rest yesterday.
    """
    everybody = [
        post("t1", "anna", title=SECRET, body=f"I mend pumps at {SECRET}"),
        post("t2", "ben", thread="t2"),
        *(post(f"a{key[0]}", key, parent="t1") for key in PEOPLE[1:]),
        *(post(f"b{key[0]}", key, parent="t2", thread="t2", body=SECRET if key == "anna" else "words") for key in PEOPLE),
    ]
    keep(engine, *(row | {"fetched_at": days_ago(400 if row["author_key"] == old else 1)} for row in everybody))
    link(engine)
    readings = [
        {"post_id": row["post_id"], "version": "v", "content_hash": row["content_hash"], "status": "read", "language": "en", "willing": 0.9,
         "is_willing": True, "areas": {"parks": 0.9}, "signals": {"offer": 0.9}, "evidence": [["offer", 0, 3]]}
        for row in everybody
    ]  # fmt: skip
    with engine.begin() as connection:
        actions.store_readings(connection, readings)
        actions.replace_leads(
            connection, "s", networks=[NETWORK], voices=[{"network_id": "n1", "author_key": key, "is_willing": True} for key in PEOPLE],
            leads=[LEAD | {"lead_id": lead_id, "area": lead_id} for lead_id in ("l1", "l2")],
            messages=[{"lead_id": "l1", "post_id": "t1"}, {"lead_id": "l1", "post_id": "ab"}, {"lead_id": "l2", "post_id": "t2"}],
        )  # fmt: skip


def everything(engine: Engine) -> dict[str, str]:
    """Every value of every column of every table that there is, as one text a column."""
    found: dict[str, str] = {}
    with engine.connect() as connection:
        for table in sqlalchemy.inspect(connection).get_table_names():
            rows = connection.execute(sqlalchemy.text(f"SELECT * FROM {table}")).mappings().all()  # a name the database gave
            for column in rows[0] if rows else ():
                found[f"{table}.{column}"] = "\n".join(sorted(str(row[column]) for row in rows))
    return found


def where(engine: Engine, needle: str) -> set[str]:
    return {place for place, values in everything(engine).items() if needle in values}


def test_an_objection_leaves_nothing_of_the_person_but_the_key_that_keeps_them_out(engine: Engine) -> None:
    town(engine)
    assert where(engine, "anna") == {"post.author_key", "interaction.source_key", "interaction.target_key", "network_voice.author_key"}
    assert where(engine, SECRET) == {"post.title", "post.body", "post.content_hash", "post_reading.content_hash"}
    with unit_of_work(engine) as session:
        assert object_to(session, "anna").counts["post"] == 2
    assert where(engine, "anna") == {"suppression.author_key"}
    assert where(engine, SECRET) == set()
    assert where(engine, "l1") | where(engine, "l2") == set()


def test_an_objection_of_a_voice_without_a_message_of_its_own_in_a_lead_withdraws_the_leads_too(engine: Engine) -> None:
    town(engine)
    with unit_of_work(engine) as session:
        object_to(session, "dan")
    assert where(engine, "dan") == {"suppression.author_key"}
    assert where(engine, "l1") | where(engine, "l2") == set()


def test_a_network_is_known_again_by_the_next_ranking_until_too_few_voices_are_left(engine: Engine) -> None:
    town(engine)
    for key, voices in (("dan", "3"), ("cara", None)):
        with unit_of_work(engine) as session:
            object_to(session, key)
        assert everything(engine).get("network.voices") == voices
    assert where(engine, "n1") == set()


def test_an_objection_leaves_what_others_wrote_and_how_they_met(engine: Engine) -> None:
    town(engine)
    link(engine, thread_limit=2)
    others = {row for row in meetings(engine, REPLY) if "anna" not in row}
    with unit_of_work(engine) as session:
        object_to(session, "anna")
    assert set(everything(engine)["post.author_key"].split()) == {"ben", "cara", "dan"}
    assert meetings(engine, REPLY) == others != set()


def test_an_objection_of_somebody_never_met_is_kept_for_later_and_may_come_twice(engine: Engine) -> None:
    for reason in ("first", "second"):
        with unit_of_work(engine) as session:
            assert not object_to(session, "stranger", case=reason)
    with engine.connect() as connection:
        assert [tuple(row) for row in connection.execute(select(col(Suppression.author_key), col(Suppression.reason)))] == [
            ("stranger", "objection: second")
        ]


def test_a_post_that_is_removed_emptied_or_edited_while_it_is_read_keeps_no_reading_of_its_old_words(engine: Engine) -> None:
    town(engine, old="dan")
    with engine.connect() as connection:
        found = [dict(row._mapping) for row in connection.execute(select(PostReading.__table__))]  # type: ignore[attr-defined]
    keep(engine, post("ab", "ben", body="other words"), post("ac", None, state=PostState.DELETED))
    expire(engine)
    with unit_of_work(engine) as session:
        object_to(session, "anna")
    with engine.begin() as connection:
        actions.store_readings(connection, found)
        assert set(connection.scalars(select(col(PostReading.post_id)))) == {"t2", "bb", "bc"}


def test_a_ranking_that_was_worked_out_before_an_objection_stores_nothing_of_the_person(engine: Engine) -> None:
    town(engine)
    with unit_of_work(engine) as session:
        object_to(session, "anna")
    of = {"n1": PEOPLE, "n2": PEOPLE[1:]}
    with engine.begin() as connection:
        actions.replace_leads(
            connection, "s", networks=[NETWORK | {"network_id": name} for name in of],
            voices=[{"network_id": name, "author_key": key, "is_willing": True} for name, keys in of.items() for key in keys],
            leads=[LEAD | {"lead_id": f"l-{name}", "network_id": name, "area": name} for name in of],
            messages=[{"lead_id": "l-n1", "post_id": "t1"}, {"lead_id": "l-n1", "post_id": "t2"}, {"lead_id": "l-n2", "post_id": "t2"}],
        )  # fmt: skip
    assert where(engine, "anna") == {"suppression.author_key"}
    held = everything(engine)
    assert (held["lead.lead_id"], held["lead_message.post_id"], held["lead_community.lead_id"]) == ("l-n2", "t2", "l-n2")
    assert (held["network.network_id"], held["network.voices"]) == ("n1\nn2", "3\n4")


def object_to(session: Session, key: str, *, case: str = "case 7") -> Removal:
    return right_actions.keep_out(session, [key], right=Right.OBJECTION, case=case, by="dpo")


def expire(engine: Engine, *, by: str = "retention", **kept_days: int) -> int:
    with unit_of_work(engine) as session:
        return right_actions.expire_posts(session, kept_days=kept_days, default_days=365, by=by).counts["post"]


def test_posts_expire_by_the_days_of_their_platform_and_others_by_the_default(engine: Engine) -> None:
    ages = [(platform, days) for platform in ("reddit", "rss", "sample") for days in (5, 100, 400)]
    keep(engine, *(post(f"{platform}{days}", "x", platform=platform, fetched_at=days_ago(days)) for platform, days in ages))
    assert expire(engine, reddit=90, sample=1000) == 3
    assert set(everything(engine)["post.post_id"].split()) == {"reddit5", "rss5", "rss100", "sample5", "sample100", "sample400"}
    assert expire(engine) == 1
    assert expire(engine) == 0


@pytest.mark.parametrize("person", ["anna", "dan"], ids=["with a message in a lead", "only in a network"])
def test_expiry_leaves_nothing_of_a_person_whose_posts_have_all_expired(engine: Engine, person: str) -> None:
    town(engine, old=person)
    assert expire(engine) == 2
    assert where(engine, person) == set()


def test_expiry_takes_readings_leads_and_networks_made_from_what_expired(engine: Engine) -> None:
    town(engine)
    assert expire(engine) == 2
    assert where(engine, SECRET) == set()
    assert where(engine, "l1") == set()
    assert "t1" not in everything(engine)["post_reading.post_id"].split()


def audits(engine: Engine) -> list[tuple[str, str, str, dict[str, int]]]:
    with engine.connect() as connection:
        columns = (col(AuditEntry.by), col(AuditEntry.action), col(AuditEntry.subject), col(AuditEntry.counts))
        return [(row[0], row[1], row[2], row[3]) for row in connection.execute(select(*columns).order_by(col(AuditEntry.entry_id)))]


def test_objection_and_expiry_are_in_the_audit_log_without_key_or_words(engine: Engine) -> None:
    town(engine)
    expire(engine, by="the nightly run")
    with unit_of_work(engine) as session:
        object_to(session, "ben")
    (first, second) = audits(engine)
    assert first[:3] == ("the nightly run", "expire_posts", "retention")
    assert first[3].items() >= {"post": 2, "lead": 2}.items()
    assert second[:3] == ("dpo", "objection", "case 7")
    assert second[3].items() >= {"keys": 1, "post": 3, "network_voice": 3, "network": 1}.items()
    assert expire(engine) == 0
    assert len(audits(engine)) == 2


@pytest.mark.parametrize("action", ["suppress", "expire"])
def test_an_action_that_is_not_finished_leaves_neither_its_change_nor_its_audit_row(engine: Engine, action: str) -> None:
    town(engine)
    before = everything(engine)

    def break_off() -> None:
        with unit_of_work(engine) as session:
            if action == "suppress":
                object_to(session, "anna")
            else:
                right_actions.expire_posts(session, kept_days={}, default_days=365, by="dpo")
            session.flush()
            assert session.scalar(select(sqlalchemy.func.count()).select_from(AuditEntry)) == 1
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="the power went"):
        break_off()
    assert everything(engine) == before
