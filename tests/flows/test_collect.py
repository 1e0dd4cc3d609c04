"""Collect: once each, under author keys, and every post that is left out is counted."""

import json
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from config.load import CONFIG_DIR
from config.schema import FOUND_BY_ADDRESS, Config
from config.settings import Settings, author_key, load_author_key
from coprod_nlp.vocabulary import PostState, Right, RunStatus
from flows.job import Job, make_request, open_job
from flows.steps import collect as step
from flows.steps.collect import collect
from models import queries, right_actions
from models.base import utc_now
from models.post import Post
from models.session import unit_of_work

JobMaker = Callable[..., Job]
NOON_S = int(datetime(2024, 5, 1, 12, tzinfo=UTC).timestamp())


def row(name: str, **changes: Any) -> dict[str, Any]:
    """A row of an archive: a submission where the name begins with t3_, else a comment on t3_s1."""
    words = {"title": f"About {name}", "selftext": f"Words of {name}."}
    if name.startswith("t1_"):
        words = {"body": f"Words of {name}.", "parent_id": "t3_s1", "link_id": "t3_s1"}
    return {
        "id": name[3:], "name": name, "author": f"Author_{name}", "subreddit": "thornby", "created_utc": NOON_S, "score": 1,
        "permalink": f"/r/thornby/comments/{name[3:]}/about/",
    } | words | changes  # fmt: skip


def write(path: Path, *rows: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def collected(make_job: JobMaker, *sources: str, **asked: Any) -> Job:
    """A run that has collected, and will not be gone on with."""
    job = make_job(*sources, **asked)
    collect(job)
    job.update(status=RunStatus.FINISHED, finished_at=utc_now())
    return job


def stored(job: Job) -> dict[str, Post]:
    with unit_of_work(job.engine) as session:
        return {post.post_id: post for post in session.scalars(select(Post).order_by(col(Post.post_id)))}


def names(job: Job) -> list[str]:
    return sorted(post_id.partition(":")[2] for post_id in stored(job))


def problem_lines(job: Job) -> dict[str, list[int]]:
    with job.engine.connect() as connection:
        return {problem.kind: problem.lines for problem in queries.problems(connection, [job.run_id])}


def problem_counts(job: Job) -> dict[str, int]:
    return dict(job.run().counts["problems"])


def test_collecting_the_same_twice_leaves_the_same_rows(make_job: JobMaker, on: Settings, tmp_path: Path) -> None:
    path = write(
        tmp_path / "thornby.ndjson",
        row("t3_s1", title="A café\0 for all ✓"), row("t1_c1"), row("t1_c1"), row("t1_c2", parent_id="t1_none"),
        row("t1_c3", body="[deleted]"), row("t1_c4", created_utc=None), row("t1_c5", subreddit="Teenagers"),
        row("t1_c6", created_utc=NOON_S - 10**7), row("t3_s2", author=None),
    )  # fmt: skip
    first = collected(make_job, path, since="2024-05-01", settings=on)
    before = [post.model_dump() for post in stored(first).values()]
    second = collected(make_job, path, since="2024-05-01", settings=on)
    assert first.run_id != second.run_id
    assert [post.model_dump() for post in stored(second).values()] == before
    assert names(second) == ["t1_c1", "t1_c2", "t1_c3", "t1_c4", "t3_s1", "t3_s2"]
    assert stored(second)["archive:t3_s1"].title == "A café for all ✓"
    assert second.run().counts["collect"] == first.run().counts["collect"] == {"seen": 9, "kept": 6, "stored": 6, "expired": 0}
    for job in (first, second):
        assert problem_lines(job) == {
            "deleted": [5], "duplicate_id": [3], "null_time": [6], "orphan_comment": [], "outside_period": [8], "refused_community": [7],
        }  # fmt: skip
        assert set(problem_counts(job).values()) == {1}


TIMES = {"before": "2024-04-30T23:59:59Z", "first": "2024-05-01T00:00:00Z", "last": "2024-05-31T23:59:59Z", "after": "2024-06-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("since", "until", "kept"),
    [
        pytest.param("2024-05-01", "2024-06-01", {"first", "last"}, id="both"),
        pytest.param("2024-05-01", None, {"first", "last", "after"}, id="since"),
        pytest.param(None, "2024-06-01", {"before", "first", "last"}, id="until"),
        pytest.param(None, "2024-06-01T02:00:00+02:00", {"before", "first", "last"}, id="until_elsewhere"),
        pytest.param(None, None, set(TIMES), id="neither"),
    ],
)
def test_a_period_begins_with_since_ends_before_until_and_holds_what_has_no_time(
    since: str | None, until: str | None, kept: set[str], make_job: JobMaker, tmp_path: Path
) -> None:
    rows = [row(f"t3_{name}", created_utc=time) for name, time in TIMES.items()]
    path = write(tmp_path / "thornby.ndjson", *rows, row("t3_never", created_utc=None), row("t3_odd", created_utc="soon"))
    job = collected(make_job, path, since=since, until=until)
    assert {name[3:] for name in names(job)} == kept | {"never", "odd"}
    assert problem_counts(job).get("outside_period", 0) == len(TIMES) - len(kept)
    assert collected(make_job, path).run().counts["collect"]["stored"] == len(TIMES) + 2
    assert collected(make_job, path, since=since, until=until).run().counts["collect"]["stored"] == len(kept) + 2


def test_communities_that_may_not_be_listened_to_are_left_out_and_counted(make_job: JobMaker, config: Config, tmp_path: Path) -> None:
    refused = [name.upper() if place % 2 else name.title() for place, name in enumerate(sorted(set().union(*config.refused.values())))]
    rows = [row(f"t3_{place}", subreddit=name) for place, name in enumerate(refused)]
    job = collected(make_job, write(tmp_path / "all.ndjson", row("t3_s1"), *rows))
    assert names(job) == ["t3_s1"]
    assert job.run().communities == ["archive:thornby"]
    assert problem_counts(job) == {"refused_community": len(refused)}
    assert problem_lines(job)["refused_community"][:3] == [2, 3, 4]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("r/SuicideWatch"),
        pytest.param("u_Author_t3_s1"),
        pytest.param("/user/Author_t3_s1"),
        pytest.param("@Author_t3_s1"),
    ],
)
def test_a_refused_name_is_refused_in_every_spelling_and_so_is_a_page_of_a_person(name: str, make_job: JobMaker, tmp_path: Path) -> None:
    job = collected(make_job, write(tmp_path / "all.ndjson", row("t3_s1", subreddit=name)))
    assert stored(job) == {}
    assert problem_counts(job) == {"refused_community": 1}


def test_an_author_who_objected_is_left_out_and_counted_whenever_they_did(make_job: JobMaker, settings: Settings, tmp_path: Path) -> None:
    rows = row("t3_s1"), row("t1_c1", author="Objector"), row("t1_c2"), row("t3_s2", author="Objector")
    path = write(tmp_path / "thornby.ndjson", *rows)
    before = collected(make_job, path)
    key = author_key(load_author_key(settings), platform="archive:thornby", author_id="Objector")
    with unit_of_work(before.engine) as session:
        found = right_actions.keep_out(session, [key], right=Right.OBJECTION, case="case 7", by="an officer")
    assert found.counts["post"] == 2
    after = collected(make_job, path)
    assert names(after) == ["t1_c2", "t3_s1"]
    assert problem_lines(after)["suppressed_author"] == [2, 4]
    assert after.run().counts["collect"] == {"seen": 4, "kept": 2, "stored": 2, "expired": 0}


DELETED, REMOVED, FILTERED = PostState.DELETED, PostState.REMOVED, PostState.FILTERED
AUTOMATED, VISIBLE = PostState.AUTOMATED, PostState.VISIBLE
STATES: dict[str, tuple[dict[str, Any], PostState]] = {
    "t1_deleted": ({"body": "[deleted]", "author": "[deleted]"}, DELETED),
    "t1_deleted_with_author": ({"body": " [deleted]\n"}, DELETED),
    "t1_removed": ({"body": "[removed]"}, REMOVED),
    "t1_automod_removed": ({"author": "AutoModerator", "body": "[removed]"}, REMOVED),
    "t3_deleted": ({"selftext": "[deleted]"}, DELETED),
    "t3_both": ({"title": "[deleted by user]", "selftext": "[removed]", "author": "[deleted]"}, REMOVED),
    "t3_reddit": ({"title": "[ Removed by Reddit ]", "selftext": ""}, REMOVED),
    "t3_category_deleted": ({"removed_by_category": "deleted"}, DELETED),
    "t3_category_author": ({"removed_by_category": "author"}, DELETED),
    "t3_category_moderator": ({"removed_by_category": "moderator"}, REMOVED),
    "t3_category_filter": ({"removed_by_category": "automod_filtered"}, FILTERED),
    "t3_category_spam": ({"removed_by_category": "reddit", "selftext": "[removed]"}, FILTERED),
    "t3_category_null": ({"removed_by_category": None}, VISIBLE),
    "t1_quoted": ({"body": "It said [deleted] when I looked."}, VISIBLE),
    "t1_automod": ({"author": "AutoModerator"}, AUTOMATED),
    "t1_moderator": ({"distinguished": "moderator"}, AUTOMATED),
    "t1_author_deleted": ({"author": "[deleted]"}, VISIBLE),
    "t1_author_null": ({"author": None}, VISIBLE),
}


def test_what_is_deleted_or_removed_keeps_neither_words_nor_author_and_the_rest_keeps_both(make_job: JobMaker, tmp_path: Path) -> None:
    job = collected(make_job, write(tmp_path / "thornby.ndjson", *(row(name, **changes) for name, (changes, _) in STATES.items())))
    posts = {post_id.removeprefix("archive:"): post for post_id, post in stored(job).items()}
    assert {name: post.state for name, post in posts.items()} == {name: state for name, (_, state) in STATES.items()}
    for name, (changes, state) in STATES.items():
        is_gone = state in {DELETED, REMOVED, FILTERED}
        assert bool(posts[name].title + posts[name].body) is not is_gone, name
        has_author = state not in {DELETED, REMOVED, FILTERED, AUTOMATED} and changes.get("author", "x") not in {None, "[deleted]"}
        assert bool(posts[name].author_key) is has_author, name
    assert problem_counts(job) == {"deleted": 5, "removed": 5, "filtered": 2, "orphan_comment": 9}


def test_a_deleted_post_keeps_no_words_in_its_permalink(make_job: JobMaker, tmp_path: Path) -> None:
    gone = row("t3_s1", selftext="[deleted]", permalink="/r/thornby/comments/s1/my_neighbours_noisy_rabbit/")
    (post,) = stored(collected(make_job, write(tmp_path / "thornby.ndjson", gone))).values()
    assert "rabbit" not in str(post.model_dump())


@pytest.mark.parametrize("at_once", [True, False], ids=["in_one_run", "one_after_the_other"])
def test_two_archives_of_a_community_become_one(at_once: bool, make_job: JobMaker, tmp_path: Path) -> None:
    one = write(tmp_path / "one.ndjson", row("t3_s1"), row("t1_c1"), row("t1_c2"))
    other = write(tmp_path / "other.ndjson", row("t1_c2"), row("t1_c3", parent_id="t1_c1"), row("t3_s2"))
    job = [collected(make_job, *sources) for sources in ([(one, other)] if at_once else [(one,), (other,)])][-1]
    assert names(job) == ["t1_c1", "t1_c2", "t1_c3", "t3_s1", "t3_s2"]
    assert job.run().communities == ["archive:thornby"]
    assert job.run().counts["collect"]["stored"] == 5
    assert "orphan_comment" not in problem_counts(job)


GONE_ROWS = pytest.mark.parametrize(
    "gone",
    [{"selftext": "[deleted]", "author": "[deleted]"}, {"selftext": "[removed]"}, {"removed_by_category": "automod_filtered"}],
    ids=["deleted", "removed", "filtered"],
)


@GONE_ROWS
@pytest.mark.parametrize("how", ["one_run", "one_folder", "two_runs"])
def test_an_older_archive_does_not_bring_back_what_is_gone(how: str, gone: dict[str, Any], make_job: JobMaker, tmp_path: Path) -> None:
    new, old = tmp_path / "archives" / "a_new.ndjson", tmp_path / "archives" / "b_old.ndjson"
    new.parent.mkdir()
    paths = [write(new, row("t3_s1", **gone)), write(old, row("t3_s1"), row("t1_c1"))]
    runs = {"one_run": [paths], "one_folder": [[str(new.parent)]], "two_runs": [paths[:1], paths[1:]]}
    job = [collected(make_job, *sources) for sources in runs[how]][-1]
    post = stored(job)["archive:t3_s1"]
    assert (post.state in {DELETED, REMOVED, FILTERED}, post.title, post.body, post.author_key) == (True, "", "", None)
    assert names(job) == ["t1_c1", "t3_s1"]


@GONE_ROWS
@pytest.mark.parametrize("batch", [1, 2, 2_000], ids="batches_of_{}".format)
def test_a_later_line_that_says_a_post_is_gone_empties_it(
    batch: int, gone: dict[str, Any], make_job: JobMaker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(step, "BATCH", batch)
    rows = row("t3_s1"), row("t1_c1"), row("t3_s1", **gone), row("t3_s1")
    job = collected(make_job, write(tmp_path / "thornby.ndjson", *rows))
    post = stored(job)["archive:t3_s1"]
    assert (post.state in {DELETED, REMOVED, FILTERED}, post.title, post.body, post.author_key) == (True, "", "", None)
    assert problem_lines(job)["duplicate_id"] == [3, 4]
    assert job.run().counts["collect"] == {"seen": 4, "kept": 2, "stored": 2, "expired": 0}


@pytest.fixture
def two_councils(tmp_path: Path) -> Path:
    """The project's configuration with another council, and a community of Reddit for each."""
    folder = tmp_path / "config"
    shutil.copytree(CONFIG_DIR, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    with (folder / "councils.toml").open("a") as file:
        file.write('\n[farbury]\nname = "Farbury Council"\ngss_code = "E99999991"\nfictional = true\n')
    with (folder / "communities.toml").open("a") as file:
        communities = [("reddit", "Thornby", "marlowick"), ("reddit", "Farbury", "farbury")]
        communities += [(platform, f"{platform}_talk", "marlowick") for platform in sorted(FOUND_BY_ADDRESS)]
        communities += [("consultation", "parks", "marlowick")]
        for platform, name, council in communities:
            keys = {"platform": platform, "name": name, "title": name, "council": council, "category": "place", "url": "https://a.example/"}
            file.write("\n[[community]]\n" + "".join(f'{key} = "{value}"\n' for key, value in keys.items()))
    return folder


@pytest.mark.parametrize(
    ("name", "community"),
    [
        pytest.param("Thornby", "reddit:Thornby", id="configured"),
        pytest.param("Farbury", "archive:Farbury", id="configured_for_another_council"),
        pytest.param("Elsewhere", "archive:Elsewhere", id="not_configured"),
        pytest.param("marlowick", "archive:marlowick", id="only_in_the_sample"),
        pytest.param("parks", "consultation:parks", id="configured_for_a_file"),
        *(pytest.param(f"{name}_talk", f"archive:{name}_talk", id=f"the_name_of_one_on_{name}") for name in sorted(FOUND_BY_ADDRESS)),
        pytest.param(
            "thornby", "reddit:Thornby", id="configured_in_another_case",
        ),
    ],
)  # fmt: skip
def test_a_configured_community_has_its_platform_and_any_other_is_of_the_archive(
    name: str, community: str, two_councils: Path, settings: Settings, make_job: JobMaker, tmp_path: Path
) -> None:
    configured = Settings(home=settings.home, author_key=settings.author_key, config_dir=two_councils)
    job = collected(make_job, write(tmp_path / "a.ndjson", row("t3_s1", subreddit=name)), settings=configured)
    ((post_id, post),) = stored(job).items()
    platform = community.partition(":")[0]
    assert (post_id, post.platform, post.community_id) == (f"{platform}:t3_s1", platform, community)
    people = community if platform == "archive" else platform
    assert post.author_key == author_key(load_author_key(settings), platform=people, author_id="Author_t3_s1")


def test_a_table_is_collected_by_its_mapping(config: Config, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "thornby.csv"
    path.write_text("Nr,Said,Who\n1,Hello there,Author_1\n", encoding="utf-8")
    columns = {"id": "Nr", "body": "Said", "author": "Who"}
    request = make_request(config, council=None, sources=[str(path)], columns=columns, since=None, until=None)
    job = open_job(request, out=None, settings=settings)
    collect(job)
    ((name, post),) = stored(job).items()
    job.engine.dispose()
    assert (name, post.body) == ("archive:thornby:t1_1", "Hello there")
    assert post.author_key == author_key(load_author_key(settings), platform="archive:thornby", author_id="Author_1")


HOSTILE = {
    "body": "Wor\0ds", "title": "\0", "permalink": "/r/\0", "author": "Au\0thor", "subreddit": "thorn\0by", "name": "t3_s\0",
    "score": 10**30, "created_utc": "2024-05-01T12:00:00\0", "link_id": "t3_\0", "parent_id": "t1_\0",
}  # fmt: skip


@pytest.mark.parametrize("key", HOSTILE)
def test_no_value_of_an_archive_is_too_odd_for_the_store(key: str, on: Settings, make_job: JobMaker, tmp_path: Path) -> None:
    odd = row("t3_s1") | {key: HOSTILE[key]}, row("t1_c1") | {key: HOSTILE[key]}
    job = collected(make_job, write(tmp_path / "thornby.ndjson", *odd, row("t3_s2")), settings=on)
    assert "archive:t3_s2" in stored(job)


@pytest.mark.skipif(sys.platform != "linux", reason="file names are Unicode elsewhere")
def test_an_archive_whose_name_is_not_utf_8_is_read_and_its_problems_counted(make_job: JobMaker, tmp_path: Path) -> None:
    path = tmp_path / b"M\xfcll.ndjson".decode(errors="surrogateescape")
    write(path, row("t3_s1", subreddit=None))
    job = collected(make_job, str(path))
    assert names(job) == ["t3_s1"]
    assert problem_lines(job) == {"missing_key": [1]}
