"""Objection, erasure, access: found by a name or a link, acted on everywhere, with a certificate that tells nobody who it was."""

import csv
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from config.schema import Config
from config.settings import Settings, SettingsError, add_secret
from coprod_nlp.vocabulary import Right
from flows.access import write_access
from flows.job import Job, RequestError
from flows.keys import ready_keys, rotate_key
from flows.labels.export import export_labelled
from flows.labels.rows import LabelFormat
from flows.progress import listening
from flows.renewal import WITHDRAWN, renew
from flows.rights import Person, count_posts, erase_message, find_person, keep_out
from flows.steps.collect import collect
from models import actions
from models.post import Post
from models.queries import latest_run
from models.run import AuditEntry
from models.session import unit_of_work
from tests.conftest import JobMaker, run_steps
from tests.fakes.readings import give_readings
from tests.fakes.traces import traces

SECRET = 'Marigold Ω & "Sons"'
SAID = (
    "I can help plant trees in the park on Saturday, happy to bring my own tools.",
    "Happy to help in the park on Saturday, I can bring spades and gloves.",
    "I already volunteer with the Friends of the park every Sunday, we plant bulbs.",
    f"I can lend a wheelbarrow of {SECRET} for planting trees in the park on Saturday.",
)
NAMES = ("Ann", "Ben", "Cara", "Dan")
Find = Callable[..., Person]
# For tests of what has no SQL of its own.
sqlite_alone = pytest.mark.parametrize("address", ["sqlite"], indirect=True)


def post(name: str, author: str, body: str, *, parent: str = "") -> dict[str, Any]:
    row = {"name": name, "author": author, "subreddit": "thornby", "created_utc": 1_777_000_000, "permalink": f"/r/thornby/{name}/"}
    return row | ({"body": body, "parent_id": parent, "link_id": "t3_s"} if parent else {"title": "Trees in the park", "selftext": body})


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A thread in which four people would help in a park, each answering all before."""
    rows = [post("t3_s", "Ann", SAID[0])]
    for number, name in enumerate(NAMES[1:], start=1):
        rows += [post(f"t1_{name}{answer}", name, SAID[number], parent=parent) for answer, parent in enumerate(["t3_s", rows[-1]["name"]])]
    rows += [post(f"t1_a{number}", "Ann", SAID[0], parent=row["name"]) for number, row in enumerate(rows[1:])]
    path = tmp_path / "archives" / "thornby.ndjson"
    path.parent.mkdir()
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def job(make_job: JobMaker, archive: Path, on: Settings) -> Job:
    """A finished run with a report that shows Dan's message. What each message says is given, so that no classifier has to be loaded."""
    job = make_job(str(archive), settings=on)
    collect(job)
    give_readings(job)
    run_steps(job)
    assert traces(SECRET, folders=[job.out])
    return job


@pytest.fixture
def find(job: Job) -> Find:
    def find(**asked: Any) -> Person:
        given = {"handle": None, "on": [], "permalink": None} | asked
        return find_person(job.engine, settings=job.settings, config=job.config, **given)

    return find


def act(job: Job, person: Person, **changed: Any) -> Any:
    given = {"right": Right.OBJECTION, "case": "DPO-7", "by": "dpo", "out": None, "settings": job.settings, "config": job.config}
    return keep_out(job.engine, person, **(given | changed))


def audited(job: Job) -> list[str]:
    with job.engine.connect() as connection:
        return list(connection.scalars(select(col(AuditEntry.action)).order_by(col(AuditEntry.entry_id))))


def files(job: Job) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(job.out.iterdir())}


def test_after_an_objection_nothing_of_the_person_is_left_in_any_table_file_or_export(job: Job, find: Find, tmp_path: Path) -> None:
    label = {"areas": ["parks"], "signals": ["offer"], "evidence": [], "is_sensitive": False, "labeller": "lena"}
    with job.engine.connect() as connection:
        ids = list(connection.scalars(select(col(Post.post_id))))
    with unit_of_work(job.engine) as session:
        actions.store_labels(session, [label | {"post_id": post_id} for post_id in ids], by="lena", origin="desk")
    exported = [tmp_path / "exports" / name for name in ("labels.jsonl", "labels.csv", "studio.json")]
    for path, given in zip(exported, (None, None, LabelFormat.LABEL_STUDIO), strict=True):
        export_labelled(job.engine, path, limit=None, given=given)
    person = find(handle="u/dan", on=["archive:thornby"])
    write_access(job.engine, person, case="DPO-6", by="dpo", out=tmp_path / "answer", config=job.config)
    folders = [job.settings.home, job.out, tmp_path / "exports", tmp_path / "answer"]
    assert len(traces(SECRET, engine=job.engine, folders=folders)) > 6
    answer = act(job, person)
    assert answer.removal.counts["post"] == 2
    assert traces(SECRET, engine=job.engine, folders=folders) == set()
    assert answer.is_wiped
    assert all(path.exists() for path in exported)
    assert len(exported[0].read_text(encoding="utf-8").splitlines()) == len(ids) - 2
    assert len(list(csv.reader(exported[1].read_text(encoding="utf-8-sig").splitlines()))) == len(ids) - 2 + 1
    assert not list((tmp_path / "answer").iterdir())
    assert {place for key in person.keys for place in traces(key, engine=job.engine)} == {"suppression.author_key"}


@sqlite_alone
def test_the_report_is_written_anew_with_what_is_left(job: Job, find: Find) -> None:
    before = files(job)
    assert json.loads(before["leads.json"])["leads"][0]["voices"] == 4
    act(job, find(handle="Dan", on=["archive:thornby"]))
    after = files(job)
    assert after.keys() == before.keys()
    assert json.loads(after["leads.json"])["leads"][0]["voices"] == 3


class Looker:
    """Listens to steps, and looks at each beginning which run the newest ranking is of."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.found: dict[str, str | None] = {}

    def stage(self, name: str, *, total: int | None, unit: str) -> None:
        with unit_of_work(self._job.engine) as session:
            run = latest_run(session)
        self.found[name] = run.run_id if run else None

    def advance(self, done: int, *, note: str = "") -> None: ...

    def note(self, text: str) -> None: ...

    def waiting(self, seconds: float, why: str) -> None: ...


@sqlite_alone
def test_the_ranking_is_there_while_its_report_is_written_anew(job: Job, find: Find) -> None:
    with listening(looker := Looker(job)):
        act(job, find(handle="Dan", on=["archive:thornby"]))
    assert looker.found == dict.fromkeys(["Read", "Link", "Rank", "Report"], job.run_id)


@sqlite_alone
def test_a_network_that_is_left_with_too_few_voices_leaves_the_report(job: Job, find: Find) -> None:
    for name in ("Dan", "Ben"):
        act(job, find(handle=name, on=["archive:thornby"]))
    assert json.loads(files(job)["leads.json"])["leads"] == []


@sqlite_alone
def test_a_report_that_cannot_be_written_anew_is_withdrawn(job: Job, find: Find, make_job: JobMaker, archive: Path) -> None:
    later = make_job(str(archive), settings=job.settings, out="later", since="2026-01-01")
    later.update(started_at=datetime(2027, 1, 1, tzinfo=UTC), scope=job.scope_id())
    act(job, find(handle="Dan", on=["archive:thornby"]))
    assert files(job) == {"report.html": WITHDRAWN}
    assert "withdraw_report" in audited(job)


@sqlite_alone
def test_who_objected_is_not_collected_again_from_any_source_that_holds_them(
    job: Job, find: Find, make_job: JobMaker, archive: Path
) -> None:
    act(job, find(handle="DAN", on=["archive:thornby"]))
    again = make_job(str(archive), settings=job.settings, since="2026-01-01")
    collect(again)
    assert again.run().counts["problems"]["suppressed_author"] == 2
    assert traces(SECRET, engine=job.engine) == set()


@sqlite_alone
def test_an_objection_on_the_whole_archive_holds_in_every_community_of_it_and_in_those_that_come_later(
    job: Job, find: Find, make_job: JobMaker, archive: Path
) -> None:
    assert act(job, find(handle="dan", on=["archive"])).removal.counts["post"] == 2
    later = archive.with_name("gardens.ndjson")
    later.write_text(archive.read_text(encoding="utf-8").replace("thornby", "gardens"), encoding="utf-8")
    again = make_job(str(archive.parent), settings=job.settings)
    collect(again)
    assert again.run().counts["problems"]["suppressed_author"] == 4
    assert traces(SECRET, engine=job.engine) == set()


@pytest.mark.parametrize(
    ("stored", "given"), [("@Dan", "@dan"), ("u/dan", "Dan"), ("José", "Jose\u0301"), ("Jose\u0301", "José")], ids=ascii
)
def test_a_person_is_found_however_an_archive_and_the_person_write_the_name(
    make_job: JobMaker, archive: Path, stored: str, given: str
) -> None:
    archive.write_text(archive.read_text(encoding="utf-8").replace('"Dan"', json.dumps(stored)), encoding="utf-8")
    job = make_job(str(archive))
    collect(job)
    person = find_person(job.engine, settings=job.settings, config=job.config, handle=given, on=["archive:thornby"], permalink=None)
    assert count_posts(job.engine, person) == 2


@sqlite_alone
def test_an_objection_on_one_community_of_the_archive_is_none_on_another(job: Job, find: Find, make_job: JobMaker, archive: Path) -> None:
    act(job, find(handle="dan", on=["archive:thornby"]))
    later = archive.with_name("gardens.ndjson")
    later.write_text(archive.read_text(encoding="utf-8").replace("thornby", "gardens").replace("_D", "_E"), encoding="utf-8")
    again = make_job(str(archive.parent), settings=job.settings)
    collect(again)
    assert again.run().counts["problems"]["suppressed_author"] == 2


@sqlite_alone
def test_a_certificate_says_what_was_done_and_not_to_whom(job: Job, find: Find, tmp_path: Path) -> None:
    person = find(handle="Dan", on=["archive:thornby"])
    answer = act(job, person, right=Right.ERASURE, out=tmp_path / "certificates")
    text = answer.certificate.read_text(encoding="utf-8")
    said = json.loads(text)
    assert (said["certificate"], said["case"], said["done_by"], said["removed"]["messages"]) == ("erasure", "DPO-7", "dpo", 2)
    assert said["files"]["reports_rewritten"] == 1
    assert not [word for word in ("Dan", SECRET, *person.keys) if word in text]
    with job.engine.connect() as connection:
        entries = {row.action: row for row in connection.execute(select(AuditEntry.__table__))}  # type: ignore[attr-defined]
    assert entries["certificate"].counts["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert (entries["erasure"].by, entries["erasure"].subject) == ("dpo", "DPO-7")


@sqlite_alone
def test_nothing_is_removed_and_nothing_noted_where_certificate_or_answer_cannot_be_written(job: Job, find: Find, tmp_path: Path) -> None:
    person, before = find(handle="Dan", on=["archive:thornby"]), audited(job)
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(RequestError, match="cannot be written"):
        act(job, person, out=blocked)
    with pytest.raises(RequestError, match="cannot be written"):
        write_access(job.engine, person, case="DPO-9", by="dpo", out=blocked / "answer", config=job.config)
    assert traces(SECRET, engine=job.engine)
    assert audited(job) == before


@sqlite_alone
@pytest.mark.parametrize(
    "link",
    [
        "https://www.reddit.com/r/thornby/t1_Dan0/",
        "https://old.reddit.com/r/thornby/t1_Dan0?context=3",
        "/r/thornby/t1_Dan0",
        "archive:t1_Dan0",
    ],
    ids=["whole", "old host with a query", "path", "id"],
)
def test_a_person_is_found_by_a_link_to_one_of_their_messages(link: str, find: Find) -> None:
    by_name = find(handle="Dan", on=["archive:thornby"])
    found = find(permalink=link)
    assert found.post_id == "archive:t1_Dan0"
    assert len(found.keys) == 1
    assert found.keys <= by_name.keys


def test_one_message_alone_is_erased_and_does_not_come_back(job: Job, find: Find, make_job: JobMaker, archive: Path) -> None:
    person = find(permalink="archive:t1_Dan0")
    erase_message(job.engine, person, case="DPO-8", by="dpo", out=None, settings=job.settings, config=job.config)
    again = make_job(str(archive), settings=job.settings, since="2026-01-01")
    collect(again)
    with job.engine.connect() as connection:
        ids = set(connection.scalars(select(col(Post.post_id)).where(col(Post.author_key).in_(person.keys))))
    assert ids == {"archive:t1_Dan1"}


@sqlite_alone
@pytest.mark.parametrize(
    ("asked", "message"),
    [
        pytest.param({}, "give either --handle NAME with --on, or --permalink LINK", id="nobody"),
        pytest.param({"handle": "Dan", "permalink": "x"}, "give either", id="both"),
        pytest.param({"handle": "Dan"}, "--on is needed: .* archive:thornby", id="a name without a place"),
        pytest.param({"handle": "Dan", "on": ["mars"]}, "--on mars: nothing was collected there", id="an unknown place"),
        pytest.param({"handle": " @ ", "on": ["archive:thornby"]}, "--handle: is empty", id="an empty name"),
        pytest.param({"permalink": "https://x.example/gone"}, "no message of this address is stored", id="an unknown link"),
    ],
)
def test_an_unclear_request_says_what_to_give(asked: dict[str, Any], message: str, find: Find) -> None:
    with pytest.raises(RequestError, match=message):
        find(**asked)


def test_an_answer_to_an_access_request_holds_everything_and_nobody_else(job: Job, find: Find, tmp_path: Path) -> None:
    person = find(handle="Dan", on=["archive:thornby"])
    counts = write_access(job.engine, person, case="DPO-9", by="dpo", out=tmp_path / "answer", config=job.config)
    bundle = json.loads((tmp_path / "answer" / "access.json").read_text(encoding="utf-8"))
    assert counts["messages"] == len(bundle["messages"]) == 2
    assert {message["body"] for message in bundle["messages"]} == {SAID[3]}
    assert {"post_reading", "interaction", "network_voice", "lead_message"} <= bundle["other_records"].keys()
    with job.engine.connect() as connection:
        everybody = set(connection.scalars(select(col(Post.author_key)).distinct()))
    others = everybody - person.keys
    text = json.dumps(bundle)
    assert len(others) == 3
    assert not [key for key in others if str(key) in text]
    assert "another person" in text
    page = (tmp_path / "answer" / "access.html").read_text(encoding="utf-8")
    assert "Marigold Ω &amp; &#34;Sons&#34;" in page
    assert (tmp_path / "answer" / "access.json").stat().st_mode & 0o077 == 0
    assert audited(job)[-2:] == ["export_access", "access"]


def test_after_a_change_of_the_key_objections_hold_and_posts_are_the_same(
    make_job: JobMaker, archive: Path, config: Config, tmp_path: Path, on: Settings
) -> None:
    settings = Settings(home=tmp_path / "own", workers=1, database_url=on.database_url)
    job = make_job(str(archive), settings=settings)
    collect(job)
    with job.engine.connect() as connection:
        before = {row.post_id: row for row in connection.execute(select(Post.__table__))}  # type: ignore[attr-defined]
    given = {"settings": settings, "config": config}
    person = find_person(job.engine, handle="Dan", on=["archive:thornby"], permalink=None, **given)  # type: ignore[arg-type]
    keep_out(job.engine, person, right=Right.OBJECTION, case="DPO-1", by="dpo", out=None, **given)  # type: ignore[arg-type]
    found = rotate_key(job.engine, settings, by="dpo")
    assert found.secrets == 2
    again = make_job(str(archive), settings=settings, since="2026-01-01")
    collect(again)
    with job.engine.connect() as connection:
        after = {row.post_id: row for row in connection.execute(select(Post.__table__))}  # type: ignore[attr-defined]
    assert again.run().counts["problems"]["suppressed_author"] == 2
    assert after.keys() == before.keys() - {"archive:t1_Dan0", "archive:t1_Dan1"}
    assert all(after[name].author_key != before[name].author_key for name in after)
    assert all(after[name].fetched_at == before[name].fetched_at for name in after)
    old = {row.author_key for row in before.values()}
    assert not [key for key in old if traces(key, engine=job.engine)]


def test_a_change_of_the_key_that_was_cut_short_goes_on_with_the_same_new_secret(make_job: JobMaker, archive: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "own", workers=1)
    job = make_job(str(archive), settings=settings)
    collect(job)
    add_secret(settings)
    waiting = (settings.home / "author.key").read_text(encoding="ascii")
    with pytest.raises(SettingsError, match="finish with: coprod rotate-key"):
        ready_keys(job.engine, settings)
    assert rotate_key(job.engine, settings, by="dpo").secrets == 2
    assert (settings.home / "author.key").read_text(encoding="ascii") == waiting
    ready_keys(job.engine, settings)


def test_a_store_is_not_used_with_another_secret(make_job: JobMaker, archive: Path, settings: Settings) -> None:
    job = make_job(str(archive))
    collect(job)
    with pytest.raises(SettingsError, match="from its backup"):
        ready_keys(job.engine, settings.model_copy(update={"author_key": None, "home": settings.home / "elsewhere"}))


@sqlite_alone
def test_renewing_with_nothing_to_do_leaves_reports_alone(job: Job) -> None:
    before = {path: path.stat().st_mtime_ns for path in job.out.iterdir()}
    found = renew(job.engine, settings=job.settings, config=job.config, by="dpo")
    assert set(found.as_counts().values()) == {0}
    assert {path: path.stat().st_mtime_ns for path in job.out.iterdir()} == before
