"""Read: what is unread and nothing else, the same however it is cut up; and what a whole run leaves of its authors."""

import json
import logging
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select, update

from config.settings import Settings, author_key, load_author_key
from coprod_nlp.reading.reader import Reader
from coprod_nlp.records import PostText
from coprod_nlp.vocabulary import ReadingStatus, Right, RunStatus
from flows.job import Job
from flows.progress import listening
from flows.steps import read as step
from flows.steps.collect import collect
from flows.steps.link import link
from flows.steps.rank import rank
from flows.steps.read import read
from flows.steps.report import report
from models import queries, right_actions
from models.base import tables, utc_now
from models.post import Post, PostReading
from models.session import unit_of_work

JobMaker = Callable[..., Job]
OFFERS = (
    "I can lend my van for the clean-up on Saturday, happy to help.",
    "Count me in for the river clean. I have waders and a rake.",
    "I run the repair stall at the library and we need two more people who can solder.",
)
OTHERS = (
    "The bins on Tanners Row were not emptied again this week.",
    "Does anyone know when the pool opens again?",
    "Someone should paint the benches in the park. I would do it if the council gave us the paint.",
    "lol",
)
GERMAN = (
    "Wer bringt am Samstag die Schaufeln mit? Der Spielplatz muss dringend aufgeräumt werden.",
    "Die neue Buslinie fährt leider nur einmal in der Stunde, und abends gar nicht mehr.",
)
POLISH = "Kto może pomóc w sobotę przy sprzątaniu parku? Spotykamy się o dziesiątej przy bramie."


def row(name: str, body: str, **changes: Any) -> dict[str, Any]:
    words = {"body": body, "link_id": "t3_s1", "parent_id": "t3_s1"} if name.startswith("t1_") else {"title": body, "selftext": ""}
    return {"name": name, "subreddit": "thornby", "author": f"Author_{name}", "created_utc": "2024-05-01"} | words | changes


def mixed(times: int = 1) -> list[dict[str, Any]]:
    """Posts to be read and posts to be set aside, no two with the same words."""
    texts = [*OFFERS, *OTHERS, *GERMAN, POLISH]
    return [row(f"t1_{turn}_{place}", text + " ;)" * turn) for turn in range(times) for place, text in enumerate(texts)]


def write(path: Path, *rows: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def have_read(make_job: JobMaker, *sources: str, **asked: Any) -> Job:
    """A run that has collected and read, and will not be gone on with."""
    job = make_job(*sources, **asked)
    collect(job)
    read(job)
    job.update(status=RunStatus.FINISHED, finished_at=utc_now())
    return job


def readings(job: Job) -> dict[str, dict[str, Any]]:
    with unit_of_work(job.engine) as session:
        return {found.post_id.removeprefix("archive:"): found.model_dump() for found in session.scalars(select(PostReading))}


def newly_read(job: Job) -> int:
    return int(job.run().counts["read"]["new"])


def mark(job: Job, *names: str, **values: Any) -> None:
    """Change stored readings: of these posts, or of all."""
    statement = update(PostReading).values(**values)
    with job.engine.begin() as connection:
        connection.execute(statement.where(col(PostReading.post_id).in_([f"archive:{name}" for name in names])) if names else statement)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def test_every_post_has_one_reading_and_what_is_set_aside_is_counted(
    address: str, make_job: JobMaker, settings: Settings, reader: Reader, tmp_path: Path
) -> None:
    gone = [row("t1_deleted", "[deleted]"), row("t1_removed", "[removed]"), row("t1_empty", " ")]
    gone.append(row("t1_bot", OFFERS[0], author="AutoModerator"))
    on = Settings(home=settings.home, author_key=settings.author_key, workers=1, database_url=address)
    job = have_read(make_job, write(tmp_path / "a.ndjson", *mixed(), *gone), settings=on)
    found = readings(job)
    wanted = {row["name"]: ReadingStatus.READ for row in mixed()[:7]}
    wanted |= {row["name"]: ReadingStatus.NOT_ENGLISH for row in mixed()[7:]} | {row["name"]: ReadingStatus.NOT_READ for row in gone}
    assert {name: reading["status"] for name, reading in found.items()} == wanted
    counts = job.run().counts["read"]
    assert [counts.get(name) for name in ("new", "read", "not_english", "not_read", "sensitive")] == [14, 7, 3, 4, None]
    assert job.run().counts["languages"] == {"de": 2, "pl": 1}
    for name, reading in found.items():
        assert (reading["willing"] is None) == (wanted[name] is not ReadingStatus.READ)
        assert reading["willing"] is not None or not (
            reading["areas"] or reading["signals"] or reading["evidence"] or reading["is_willing"]
        )
        assert reading["version"] == reader.version


def test_each_post_has_the_reading_of_its_own_words(make_job: JobMaker, reader: Reader, tmp_path: Path) -> None:
    rows = [*mixed(), row("t3_s1", "Who helps at the river?", selftext=OFFERS[0])]
    found = readings(have_read(make_job, write(tmp_path / "a.ndjson", *rows)))
    for name, post in ((row["name"], PostText(row["name"], row.get("title", ""), row.get("body") or row["selftext"])) for row in rows):
        (alone,) = reader.read([post])
        kept = found[name]
        assert (kept["status"], kept["language"], kept["is_willing"]) == (alone.status, alone.language, alone.is_willing)
        assert kept["willing"] == pytest.approx(alone.willing, abs=1e-4)
        assert kept["areas"] == pytest.approx(dict(alone.areas), abs=1e-4)
        assert kept["signals"] == pytest.approx(dict(alone.signals), abs=1e-4)
        assert kept["evidence"] == [[item.signal, item.start, item.end] for item in alone.evidence]
        assert all(0 <= start < end <= len(post.text) for _, start, end in kept["evidence"])
    assert sum(reading["is_willing"] for reading in found.values()) >= len(OFFERS)


class Watcher:
    """Listens to a step: how many processes of its own it has, and an end after `last` tellings."""

    def __init__(self, last: int | None = None) -> None:
        self.processes: set[int] = set()
        self._left = last

    def stage(self, name: str, *, total: int | None, unit: str) -> None: ...

    def note(self, text: str) -> None: ...

    def waiting(self, seconds: float, why: str) -> None: ...

    def advance(self, done: int, *, note: str = "") -> None:
        self.processes.add(len(multiprocessing.active_children()))
        if self._left is not None:
            self._left -= 1
            if not self._left:
                raise KeyboardInterrupt


def test_readings_are_the_same_in_one_process_and_in_two_and_in_chunks_of_any_size(
    make_job: JobMaker, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.ndjson", *mixed(times=6))
    found = {}
    monkeypatch.setattr(step, "WORTH_PROCESSES", 1)
    for processes, chunk in ((1, 500), (1, 7), (2, 7)):
        monkeypatch.setattr(step, "CHUNK", chunk)
        on = Settings(home=tmp_path / f"{processes}_{chunk}", author_key=settings.author_key, workers=processes)
        with listening(watcher := Watcher()):
            found[processes, chunk] = readings(have_read(make_job, path, settings=on))
        assert max(watcher.processes) == (processes if processes > 1 else 0)
    assert len(found[1, 500]) == 60
    assert found[1, 7] == found[1, 500]
    assert found[2, 7] == found[1, 500]


def test_a_second_run_reads_nothing_again(make_job: JobMaker, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", *mixed())
    first = have_read(make_job, path)
    mark(first, language="xx")
    before = readings(first)
    second = have_read(make_job, path)
    assert (newly_read(first), newly_read(second)) == (10, 0)
    assert readings(second) == before


def test_what_is_new_was_edited_or_was_read_by_an_older_reader_is_read_and_nothing_else(
    make_job: JobMaker, reader: Reader, tmp_path: Path
) -> None:
    rows = mixed()
    first = have_read(make_job, write(tmp_path / "a.ndjson", *rows))
    mark(first, language="xx")
    mark(first, "t1_0_1", version="an older one")
    edited = row("t1_0_3", OFFERS[0])
    second = have_read(make_job, write(tmp_path / "a.ndjson", *rows[:3], edited, *rows[4:], row("t1_new", OTHERS[0])))
    found = readings(second)
    assert newly_read(second) == 3
    assert {name for name, reading in found.items() if reading["language"] != "xx"} == {"t1_0_1", "t1_0_3", "t1_new"}
    assert {reading["version"] for reading in found.values()} == {reader.version}
    assert found["t1_0_3"]["is_willing"]


def test_posts_outside_the_runs_communities_and_period_are_not_read(make_job: JobMaker, tmp_path: Path) -> None:
    collect(make_job(write(tmp_path / "other.ndjson", row("t1_other", OFFERS[0], subreddit="farbury"))))
    rows = row("t1_old", OFFERS[0], created_utc="2023-05-01"), row("t1_now", OFFERS[1]), row("t1_never", OFFERS[2], created_utc=None)
    path = write(tmp_path / "a.ndjson", *rows)
    collect(make_job(path))
    job = have_read(make_job, path, since="2024-01-01")
    assert set(readings(job)) == {"t1_now", "t1_never"}


def test_a_reading_that_was_cut_short_goes_on_where_it_stopped(make_job: JobMaker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(step, "CHUNK", 3)
    job = make_job(write(tmp_path / "a.ndjson", *mixed()))
    collect(job)
    with pytest.raises(KeyboardInterrupt), listening(Watcher(last=2)):
        read(job)
    assert len(readings(job)) == 6
    mark(job, language="xx")
    read(job)
    assert newly_read(job) == 4
    assert sum(reading["language"] == "xx" for reading in readings(job).values()) == 6


def test_a_step_that_is_done_is_not_done_again(make_job: JobMaker, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", *mixed())
    job = make_job(path)
    collect(job)
    Path(path).unlink()
    collect(job)
    read(job)
    mark(job, version="an older one")
    read(job)
    assert {reading["version"] for reading in readings(job).values()} == {"an older one"}
    assert newly_read(job) == 10


def dump(job: Job) -> str:
    """Every row of every table as text."""
    with job.engine.connect() as connection:
        return "\n".join(str(tuple(found)) for table in tables() for found in connection.execute(select(table.__table__)))  # type: ignore[attr-defined]


def test_an_edited_post_loses_its_old_words_and_a_deleted_one_everything(make_job: JobMaker, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    have_read(
        make_job, write(path, row("t1_edited", "My rabbit could visit the school."), row("t1_gone", OFFERS[0]), row("t1_same", "Oh?"))
    )
    later = have_read(make_job, write(path, row("t1_edited", OFFERS[1]), row("t1_gone", "[deleted]"), row("t1_same", "Oh?")))
    assert newly_read(later) == 2
    assert "rabbit" not in dump(later)
    assert "van for the clean-up" not in dump(later)
    with unit_of_work(later.engine) as session:
        posts = {post.post_id: post for post in session.scalars(select(Post))}
    assert (posts["archive:t1_edited"].body, posts["archive:t1_gone"].author_key) == (OFFERS[1], None)
    found = readings(later)
    assert found["t1_edited"]["is_willing"]
    gone = {key: found["t1_gone"][key] for key in ("status", "willing", "is_willing", "areas", "signals", "evidence")}
    assert gone == {"status": "not_read", "willing": None, "is_willing": False, "areas": {}, "signals": {}, "evidence": []}


def test_no_name_of_an_author_is_left_anywhere(
    make_job: JobMaker, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="sqlalchemy.engine")
    voices = [
        row(f"t1_{n}", OFFERS[n % 3] + " ;)" * n, author=f"Quillfeather_{n % 5}", created_utc=f"2024-05-{n + 1:02}") for n in range(20)
    ]
    odd = [
        row("t1_gone", "[deleted]", author="Quillfeather_a"), row("t1_0", "Again", author="Quillfeather_b"),
        row("t1_y", " ", author="quillfeather_c"), row("t1_r", "Hi", author="Quillfeather_d", subreddit="teenagers"),
        row("t1_p", "Hi", author="Quillfeather_e", created_utc="1999-01-01"), row("t1_s", OFFERS[0], author="Quillfeather_f"),
        row("t1_t", "Hi", author="Quillfeather_g", created_utc="Quillfeather"), row("t1_u", "Hi", author={"name": "Quillfeather_h"}),
        row("t1_v", POLISH, author="Quillfeather_i"),
    ]  # fmt: skip
    path = tmp_path / "a.ndjson"
    write(path, row("t3_s1", "Who helps at the river?", author="Quillfeather_0"), *voices, *odd)
    with path.open("ab") as file:
        file.write(
            b'{"author": "Quillfeather_j", "id"\n{"author": "Quillfeather_k\xff", "name": "t1_w", "body": "Hi", "subreddit": "thornby"}\n'
        )
    job = make_job(str(path), since="2020-01-01")
    with unit_of_work(job.engine) as session:
        key = author_key(load_author_key(settings), platform="archive:thornby", author_id="Quillfeather_f")
        right_actions.keep_out(session, [key], right=Right.OBJECTION, case="case 7", by="an officer")
    for each in (collect, read, link, rank, report):
        each(job)
    with job.engine.connect() as connection:
        assert queries.leads(connection, job.scope_id()), "a run without a lead shows too little"
    assert job.run().counts["problems"].keys() >= {"suppressed_author", "refused_community", "malformed_line", "wrong_encoding", "bad_time"}
    places = {"tables": dump(job), "log": caplog.text, "output": "".join(capfd.readouterr())}
    places |= {str(found): found.read_text("latin-1") for found in tmp_path.rglob("*") if found.is_file() and found != path}
    assert len(places) > 8
    assert [place for place, text in places.items() if "quillfeather" in text.lower()] == []
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]
    assert any("INSERT INTO post" in text for text in told)
    assert [text for text in told if "van for the clean-up" in text] == []
