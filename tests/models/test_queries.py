"""Queries: what is asked of the store is answered for the scope, in a fixed order, without those who objected."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, select
from sqlmodel import col

from coprod_nlp.vocabulary import ReadingStatus
from models import actions, queries
from models.bulk import upsert
from models.interaction import Interaction
from models.lead import Lead, Network
from models.network_queries import continued_scopes
from models.post import Post, PostReading
from models.queries import VALUE_END, Scope
from models.run import Run, Suppression
from models.session import unit_of_work

THEN = datetime(2026, 5, 1, tzinfo=UTC)
TOWN = Scope("marlowick", ("sample:town",))
MAY = Scope("marlowick", ("sample:town",), THEN, THEN + timedelta(days=31))
OBJECTION = {"author_key": "cara", "reason": "r", "suppressed_at": THEN, "suppressed_by": "dpo"}
ROUND = [("p1", "anna", -5.0), ("p2", "ben", 0.0), ("p3", "anna", 10.0), ("p4", None, None), ("p5", "cara", 31.0)]


def at(days: float | None) -> datetime | None:
    return None if days is None else THEN + timedelta(days=days)


def post(post_id: str, author: str | None = "anna", days: float | None = 0, **changed: Any) -> dict[str, Any]:
    return {
        "post_id": post_id, "platform": "sample", "community_id": "sample:town", "kind": "comment", "state": "visible",
        "author_key": author, "parent_id": None, "thread_id": "t", "title": "", "body": f"words of {post_id}", "permalink": f"https://x.example/{post_id}",
        "score": 1, "created_at": at(days), "content_hash": f"h-{post_id}", "fetched_at": THEN,
    } | changed  # fmt: skip


def reading(post_id: str, **changed: Any) -> dict[str, Any]:
    return {
        "post_id": post_id, "version": "v1", "content_hash": f"h-{post_id}", "status": "read", "language": "en", "willing": 0.1,
        "is_willing": False, "areas": {"parks": 0.8}, "signals": {}, "evidence": [],
    } | changed  # fmt: skip


def keep(connection: Connection, posts: list[dict[str, Any]], readings: list[dict[str, Any]] | None = None) -> None:
    upsert(connection, Post, posts)
    upsert(connection, PostReading, readings or [])


def unread(connection: Connection, scope: Scope = TOWN, version: str = "v1", **asked: Any) -> list[str]:
    return [row.post_id for row in queries.unread_posts(connection, scope, version=version, **asked)]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        pytest.param(TOWN, ["p1", "p2", "p3", "p4", "p5"], id="no period"),
        pytest.param(MAY, ["p2", "p3", "p4"], id="from its first moment, before its last, and without a time"),
        pytest.param(Scope("marlowick", ("sample:town",), since=THEN), ["p2", "p3", "p4", "p5"], id="open end"),
        pytest.param(Scope("marlowick", ("sample:town",), until=THEN), ["p1", "p4"], id="open start"),
        pytest.param(Scope("marlowick", ("sample:gardens",)), ["g1"], id="another community"),
        pytest.param(Scope("marlowick", ()), [], id="no community"),
    ],
)
def test_a_scope_is_its_communities_and_its_period(engine: Engine, scope: Scope, expected: list[str]) -> None:
    with engine.begin() as connection:
        keep(connection, [*(post(*row) for row in ROUND), post("g1", community_id="sample:gardens")])
        assert unread(connection, scope) == expected
        assert queries.count_posts(connection, scope) == len(expected)


def test_posts_are_unread_until_this_version_has_read_the_text_they_hold_now(engine: Engine) -> None:
    with engine.begin() as connection:
        keep(connection, [post(f"p{n}") for n in range(5)], [reading("p0"), reading("p1", version="v0"), reading("p2", content_hash="old")])
        assert unread(connection) == ["p1", "p2", "p3", "p4"]
        assert queries.count_unread(connection, TOWN, version="v1") == 4
        assert unread(connection, version="v0") == ["p0", "p2", "p3", "p4"]
        assert unread(connection, after="p1", limit=2) == ["p2", "p3"]
        upsert(connection, PostReading, [reading(f"p{n}") for n in range(5)])
        assert (unread(connection), queries.count_unread(connection, TOWN, version="v1")) == ([], 0)


def test_posts_of_who_objected_are_not_counted_as_left_to_read(engine: Engine) -> None:
    with engine.begin() as connection:
        keep(connection, [post("p1"), post("p2", "cara"), post("p3", None)])
        upsert(connection, Suppression, [OBJECTION])
        assert (unread(connection), queries.count_unread(connection, TOWN, version="v1")) == (["p1", "p3"], 2)


def test_orphans_are_comments_whose_parent_was_never_collected(engine: Engine) -> None:
    with engine.begin() as connection:
        posts = [
            post("p1"),
            post("p2", parent_id="p1"),
            post("p3", parent_id="lost"),
            post("p4", parent_id="g1"),
            post("p5", parent_id="lost"),
        ]
        keep(connection, [*posts, post("g1", community_id="sample:gardens")])
        assert queries.count_orphans(connection, TOWN) == 2


def test_communities_are_counted_with_their_authors_times_and_willing_messages(engine: Engine) -> None:
    with engine.begin() as connection:
        keep(connection, [post(*row) for row in ROUND], [reading("p2", is_willing=True), reading("p3"), reading("p4", is_willing=True)])
        assert queries.post_counts(connection, TOWN) == {
            "sample:town": {
                "community_id": "sample:town", "posts": 5, "with_author": 4, "authors": 3, "first": at(-5), "last": at(31), "willing": 2,
            }
        }  # fmt: skip
        assert queries.post_counts(connection, MAY)["sample:town"]["authors"] == 2
        assert (queries.authors(connection, TOWN)[1], queries.authors(connection, MAY)[1]) == (at(31), at(10))
        assert queries.authors(connection, Scope("marlowick", ())) == ({}, None)


def test_readings_are_counted_by_what_became_of_the_post_and_by_language_where_that_was_the_reason(engine: Engine) -> None:
    statuses = [("read", "en"), ("read", "und"), ("not_english", "de"), ("not_english", "de"), ("not_english", "cy"), ("sensitive", "en")]
    with engine.begin() as connection:
        keep(
            connection, [post(f"p{n}") for n in range(6)],
            [reading(f"p{n}", status=status, language=code) for n, (status, code) in enumerate(statuses)],
        )  # fmt: skip
        assert queries.reading_counts(connection, TOWN) == {"read": 2, "not_english:de": 2, "not_english:cy": 1, "sensitive": 1}


def conversation(connection: Connection) -> None:
    """Anna wrote before May only; Ben and Cara answered her in May, in two threads."""
    keep(connection, [
        post("p1", "anna", -5, parent_id=None, thread_id="p1"), post("p2", "ben", 2, parent_id="p1", thread_id="p1"),
        post("p3", "cara", 3, parent_id="p2", thread_id="p1"), post("p4", "ben", None, parent_id="p3", thread_id="p1"),
    ])  # fmt: skip
    actions.derive_interactions(connection, "sample:town", thread_limit=30)


def pairs(connection: Connection, scope: Scope) -> list[tuple[str, str, str]]:
    rows = (row for some in queries.interactions(connection, scope) for row in zip(*(text.split(VALUE_END) for text in some), strict=True))
    return sorted(((kind, source, target) for kind, source, target, _ in rows), key=lambda row: (row[1:], row[0]))


def test_interactions_come_without_those_who_objected(engine: Engine) -> None:
    with engine.begin() as connection:
        conversation(connection)
        everybody = [
            ("thread", "anna", "ben"), ("thread", "anna", "cara"), ("reply", "ben", "anna"), ("reply", "ben", "cara"),
            ("thread", "ben", "cara"), ("reply", "cara", "ben"),
        ]  # fmt: skip
        assert pairs(connection, TOWN) == everybody
    with engine.begin() as connection:
        upsert(connection, Suppression, [OBJECTION])
        assert pairs(connection, TOWN) == [item for item in everybody if "cara" not in item]
        assert queries.suppressed_keys(connection) == {"cara"}


def test_asking_leaves_the_connection_fit_for_writing(engine: Engine) -> None:
    with engine.begin() as connection:
        keep(connection, [post("p1")], [reading("p1")])
        assert list(queries.interactions(connection, TOWN)) == []
        assert len(list(queries.read_messages(connection, TOWN, version="v1"))) == 1
        upsert(connection, Suppression, [OBJECTION])


def test_authors_come_in_the_order_of_their_first_post_and_not_of_their_key(engine: Engine) -> None:
    with engine.begin() as connection:
        keep(connection, [post("p1", "zoe"), post("p2", "anna"), post("p3", "zoe"), post("p4", None), post("p5", "ben")])
        assert list(queries.authors(connection, TOWN)[0].items()) == [("zoe", "p1"), ("anna", "p2"), ("ben", "p5")]


def test_everybody_in_the_interactions_of_a_period_has_a_place_in_the_order(engine: Engine) -> None:
    with engine.begin() as connection:
        conversation(connection)
        met = {key for _, source, target in pairs(connection, MAY) for key in (source, target)}
        assert met == {"anna", "ben", "cara"}
        assert met <= set(queries.authors(connection, MAY)[0])


def test_a_willing_message_without_an_area_is_given_what_it_answers_else_what_its_thread_began_with(engine: Engine) -> None:
    willing: dict[str, Any] = {"is_willing": True, "areas": {}}
    with engine.begin() as connection:
        keep(
            connection,
            [
                post("t1", thread_id="t1"), post("c1", parent_id="t1", thread_id="t1"), post("c2", parent_id="c1", thread_id="t1"),
                post("c3", parent_id="c2", thread_id="t1"), post("c4", parent_id="lost", thread_id="lost"), post("c5", parent_id="c1"),
                post("c6", parent_id="t1", thread_id="t1"),
            ],
            [
                reading("t1", areas={"waste": 0.7}), reading("c1", areas={"parks": 0.8}), reading("c5", areas={}),
                *(reading(name, **willing) for name in ("c2", "c3", "c4")), reading("c6", is_willing=True, areas={"parks": 0.6}),
            ],
        )  # fmt: skip
        assert queries.areas_around(connection, TOWN, version="v1") == {"c2": {"parks": 0.8}, "c3": {"waste": 0.7}}
        assert queries.areas_around(connection, TOWN, version="v0") == {}


@pytest.mark.parametrize(
    ("title", "body", "expected"),
    [("", "thanks @ben", True), ("u/ben said so", "", True), ("", "nobody at all", False)],
    ids=["at sign", "in the title", "no sign"],
)
def test_only_posts_with_a_sign_before_a_name_are_searched_for_names(engine: Engine, title: str, body: str, expected: bool) -> None:
    with engine.begin() as connection:
        keep(connection, [post("p1", title=title, body=body), post("p2", None, title=title, body=body), post("p3", body="")])
        assert [row.post_id for row in queries.posts_that_may_mention(connection, "sample:town")] == ["p1"] * expected


def test_what_was_set_aside_as_sensitive_is_not_searched_for_names(engine: Engine) -> None:
    with engine.begin() as connection:
        keep(connection, [post(f"p{n}", body="thanks @ben") for n in range(3)], [reading("p0"), reading("p1", status="sensitive")])
        assert sorted(row.post_id for row in queries.posts_that_may_mention(connection, "sample:town")) == ["p0", "p2"]


def test_messages_are_the_readings_of_this_version_that_say_something_by_people_who_did_not_object(engine: Engine) -> None:
    nothing: dict[str, Any] = {"areas": {}, "signals": {}}
    with engine.begin() as connection:
        keep(
            connection,
            [post("p1"), post("p2"), post("p3", None), post("p4", "cara"), *(post(f"p{n}") for n in range(5, 9))],
            [
                reading("p2"), reading("p1", **nothing | {"signals": {"offer": 0.9}}), reading("p3", is_willing=True, **nothing),
                reading("p4"), reading("p5", **nothing), reading("p6", version="v0"),
                reading("p7", status=ReadingStatus.SENSITIVE.value), reading("p8", status=ReadingStatus.NOT_ENGLISH.value),
            ],
        )  # fmt: skip
        upsert(connection, Suppression, [OBJECTION])
        assert [row.post_id for row in queries.read_messages(connection, TOWN, version="v1")] == ["p1", "p2", "p3"]


def lead(lead_id: str, rank: int, network_id: str = "n1", scope: str = "s") -> dict[str, Any]:
    return {
        "lead_id": lead_id, "network_id": network_id, "scope": scope, "council": "marlowick", "area": "parks", "rank": rank, "score": 5.0,
        "low": 1.0, "high": 9.0, "voices": 3, "willing_messages": 3, "parts": [], "approaches": [], "stages": [], "config_digest": "d",
        "weights_digest": "w", "kept_for": None,
    }  # fmt: skip


def network(network_id: str, scope: str = "s") -> dict[str, Any]:
    return {
        "network_id": network_id, "scope": scope, "council": "marlowick", "area": "parks", "is_gathered": False, "voices": 3,
        "willing_voices": 3, "ties": 3, "first_seen_at": THEN, "change": "new", "voices_before": 0, "joined": 3, "departed": 0,
        "origins": [],
    }  # fmt: skip


def voice(network_id: str, key: str, *, is_willing: bool = True) -> dict[str, Any]:
    return {"network_id": network_id, "author_key": key, "is_willing": is_willing}


def test_leads_come_by_rank_with_their_messages_strongest_first_and_their_networks_ties(engine: Engine) -> None:
    with engine.begin() as connection:
        conversation(connection)
        upsert(connection, PostReading, [
            reading("p1", willing=0.3), reading("p2", willing=0.7, is_willing=True), reading("p3", willing=0.9, is_willing=True),
            reading("p4", willing=0.9, is_willing=True),
        ])  # fmt: skip
        actions.replace_leads(
            connection, "s", networks=[network("n1"), network("n0")], leads=[lead("l1", 2), lead("l2", 1, "n0")],
            voices=[voice("n1", "cara"), voice("n1", "ben", is_willing=False)],
            messages=[{"lead_id": "l1", "post_id": f"p{n}"} for n in range(1, 5)] + [{"lead_id": "l2", "post_id": "p1"}],
        )  # fmt: skip
        assert [row.lead_id for row in queries.leads(connection, "s")] == ["l2", "l1"]
        assert [row.network_id for row in queries.networks(connection, "s")] == ["n0", "n1"]
        assert queries.leads(connection, "another") == []
        evidence = queries.lead_evidence(connection, "l1")
        assert [(row.post_id, row.body) for row in evidence] == [(f"p{n}", f"words of p{n}") for n in (3, 4, 2, 1)]
        assert list(queries.network_voices(connection, "n1").items()) == [("ben", False), ("cara", True)]
        assert [tuple(row) for row in queries.network_ties(connection, "n1")] == [("ben", "cara", 2), ("cara", "ben", 1)]


def test_replacing_the_leads_of_a_scope_leaves_those_of_another(engine: Engine) -> None:
    with engine.begin() as connection:
        keep(connection, [post("p1")], [reading("p1")])
        for scope, name in (("s", "a"), ("other", "b"), ("s", "c")):
            actions.replace_leads(
                connection, scope, networks=[network(f"n-{name}", scope)], voices=[voice(f"n-{name}", "anna")],
                leads=[lead(f"l-{name}", 1, f"n-{name}", scope)], messages=[{"lead_id": f"l-{name}", "post_id": "p1"}],
            )  # fmt: skip
        assert set(connection.scalars(select(col(Lead.lead_id)))) == {"l-b", "l-c"}
        assert set(connection.scalars(select(col(Network.network_id)))) == {"n-b", "n-c"}
        assert (queries.network_voices(connection, "n-a"), queries.lead_evidence(connection, "l-a")) == ({}, [])


def test_a_ranking_takes_the_place_of_the_scopes_that_it_continues(engine: Engine) -> None:
    with engine.begin() as connection:
        for scope, continued in (("april", []), ("other", []), ("may", ["april"])):
            actions.replace_leads(
                connection, scope, networks=[network(f"n-{scope}", scope)], voices=[], leads=[lead(f"l-{scope}", 1, f"n-{scope}", scope)],
                messages=[], continued=continued,
            )  # fmt: skip
        assert set(connection.scalars(select(col(Lead.lead_id)))) == {"l-other", "l-may"}


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        pytest.param({"communities": ["a", "b"]}, ["s1"], id="the same communities, another period"),
        pytest.param({"communities": ["a"]}, ["s1"], id="fewer communities"),
        pytest.param({"communities": ["a", "c"]}, [], id="a community that is not looked at now"),
        pytest.param({"communities": ["a", "b"], "council": "elsewhere"}, [], id="another council"),
        pytest.param({"communities": ["a", "b"], "done": ["link"]}, [], id="never ranked"),
    ],
)
def test_a_ranking_continues_those_of_its_communities_or_fewer(engine: Engine, earlier: dict[str, Any], expected: list[str]) -> None:
    with unit_of_work(engine) as session:
        session.add(run("r1", **{"scope": "s1", "done": ["rank"], **earlier}))
        session.add(run("r2", days=1, scope="s2", done=["rank"], communities=["a", "b"]))
    with engine.connect() as connection:
        assert continued_scopes(connection, council="marlowick", communities=["a", "b"], run_id="r2") == expected


def run(run_id: str, **changed: Any) -> Run:
    days = changed.pop("days", 0)
    facts = {"council": "marlowick", "status": "running", "started_at": at(days), "config_digest": "d", "request": {"sources": ["sample"]}}
    if changed.get("status", "running") != "running":
        facts["finished_at"] = at(days)
    return Run(run_id=run_id, **(facts | changed))


def test_the_run_to_go_on_with_is_the_newest_unfinished_one_of_the_same_request(engine: Engine) -> None:
    with unit_of_work(engine) as session:
        session.add_all([
            run("old"), run("wanted", days=1), run("finished", days=2, status="finished"), run("failed", days=3, status="failed"),
            run("other council", days=4, council="elsewhere"), run("other sources", days=5, request={"sources": ["x"]}),
            run("other configuration", days=6, config_digest="e"),
        ])  # fmt: skip
    with unit_of_work(engine) as session:
        found = queries.unfinished_run(session, council="marlowick", request={"sources": ["sample"]}, config_digest="d")
        assert found is not None
        assert found.run_id == "wanted"
        assert queries.unfinished_run(session, council="marlowick", request={}, config_digest="d") is None


def test_the_latest_run_is_the_newest_that_ranked(engine: Engine) -> None:
    with unit_of_work(engine) as session:
        assert queries.latest_run(session) is None
        session.add_all(
            [run("a", done=["collect", "rank"]), run("b", days=1, done=["rank"], council="elsewhere"), run("c", days=2, done=["read"])]
        )
    with unit_of_work(engine) as session:
        latest, ours = queries.latest_run(session), queries.latest_run(session, council="marlowick")
        assert (latest and latest.run_id, ours and ours.run_id) == ("b", "a")


def test_problems_of_a_run_are_replaced_and_those_of_another_stay(engine: Engine) -> None:
    def problem(run_id: str, kind: str) -> dict[str, Any]:
        return {"run_id": run_id, "kind": kind, "place": "a.ndjson", "count": 1, "lines": [3]}

    with unit_of_work(engine) as session:
        session.add_all([run("r1"), run("r2")])
    with engine.begin() as connection:
        actions.store_problems(connection, "r1", [problem("r1", "deleted"), problem("r1", "null_time")])
        actions.store_problems(connection, "r2", [problem("r2", "deleted")])
        for _ in range(2):
            actions.store_problems(connection, "r1", [problem("r1", "bad_time")])
        assert [(row.run_id, row.kind, row.lines) for row in queries.problems(connection, ["r1", "r2"])] == [
            ("r1", "bad_time", [3]), ("r2", "deleted", [3])
        ]  # fmt: skip
        assert [row.run_id for row in queries.problems(connection, ["r2"])] == ["r2"]


def test_an_interaction_without_a_time_belongs_to_every_period(engine: Engine) -> None:
    times = {"before": at(-1), "in": at(1), "after": at(40), "unknown": None}
    with engine.begin() as connection:
        shared: dict[str, Any] = {"kind": "reply", "target_key": "x", "community_id": "sample:town"}
        rows = [shared | {"anchor_id": name, "source_key": name, "happened_at": time} for name, time in times.items()]
        connection.execute(insert(Interaction), rows)
        assert {source for _, source, _ in pairs(connection, MAY)} == {"in", "unknown"}
