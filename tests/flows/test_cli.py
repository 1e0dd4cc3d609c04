"""The command line: what it teaches, how it answers wrong input before anything starts, and what `read` and `report` leave behind."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

import flows.__main__ as command_line
from config.load import CONFIG_DIR
from coprod_nlp.records import PostText
from coprod_nlp.vocabulary import PolicyArea, ReadingStatus, RunStatus, Signal
from flows.job import Job
from models.base import utc_now
from models.run import Run
from models.session import open_engine, unit_of_work
from tests.fakes.commands import Coprod

APP: Any = typer.main.get_command(command_line.app)
COMMANDS: dict[str, Any] = APP.commands
GROUPS = [name for name, command in COMMANDS.items() if hasattr(command, "commands")]
UNREACHABLE = "postgresql://coprod:hunter2@127.0.0.1:1/coprod"


def words(text: str) -> str:
    """Words alone: help is wrapped and framed."""
    return " ".join(re.findall(r"[\w=-]+", re.sub(r"\[/?bold\]", "", text)))


def test_the_main_help_teaches_the_commands_and_the_exit_codes(coprod: Coprod) -> None:
    outcome = coprod("--help")
    assert outcome.code == 0
    assert words(APP.help) in words(outcome.out)
    assert words(APP.help) in words("".join(coprod()[1:]))
    assert all(words(command.get_short_help_str(500)) in words(outcome.out) for command in COMMANDS.values())
    meanings = enumerate(["done", "failed", "wrong usage", "configuration or settings", "a source", "the database"])
    assert all(f"{code} {meaning}" in words(APP.help) for code, meaning in meanings)
    shown = re.findall(r"coprod (\w+)(?: (--\w+))?", APP.help)
    assert {command for command, _ in shown} >= {"listen", "report", "check"}
    assert not [use for use in shown if use[1] and not any(use[1] in parameter.opts for parameter in COMMANDS[use[0]].params)]


@pytest.mark.parametrize("name", [*COMMANDS, *(f"{group} {name}" for group in GROUPS for name in COMMANDS[group].commands)])
def test_the_help_of_a_command_says_what_it_does_and_explains_each_option(name: str, coprod: Coprod) -> None:
    outcome, command = coprod(*name.split(), "--help"), APP
    for part in name.split():
        command = command.commands[part]
    assert outcome.code == 0
    assert words(command.help.splitlines()[0]) in words(outcome.out)
    for parameter in command.params:
        assert len(words(parameter.help)) > 10
        assert words(parameter.help) in words(outcome.out)
        assert parameter.param_type_name == "argument" or all(option in outcome.out for option in parameter.opts)


def test_the_script_answers_with_the_same_codes_on_a_terminal_without_unicode() -> None:
    script = Path(sys.executable).with_name("coprod")
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    for arguments, code in ((["listen", "--help"], 0), (["listen", "--sauce"], 2)):
        done = subprocess.run([script, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
        assert "--s" in done.stdout + done.stderr


USAGE, CONFIG, SOURCE, STORE = 2, 3, 4, 5
WRONG = [
    pytest.param(["--since", "last spring"], {}, USAGE, "--since last spring: not a date; write it as 2026-04-01", id="since not a date"),
    pytest.param(["--until", "2026-13-01"], {}, USAGE, "--until 2026-13-01: not a date", id="until not a date"),
    pytest.param(["--until", "0001-01-01T00:00:00+14:00"], {}, USAGE, "+14:00: not a date", id="until before all time"),
    pytest.param(["--since", "9999-12-31T23:59:59-14:00"], {}, USAGE, "-14:00: not a date", id="since after all time"),
    pytest.param(["--since", "2026-04-02", "--until", "2026-04-01"], {}, USAGE, "2026-04-01 is not after --since", id="until first"),
    pytest.param(["--since", "2026-04-01", "--until", "2026-04-01"], {}, USAGE, "is not after", id="until is since"),
    pytest.param(["--council", "atlantis"], {}, USAGE, "--council atlantis: not in councils.toml; known: marlowick", id="unknown council"),
    pytest.param(["--columns", "id"], {}, USAGE, "'id': wanted OURS=THEIRS, as in id=ID,body=Comment", id="columns without ="),
    pytest.param(["--columns", "id=,body=x"], {}, USAGE, "'id': wanted OURS=THEIRS", id="columns without a name"),
    pytest.param(["--columns", "id=A,id=B"], {}, USAGE, "'id' is given twice", id="columns twice"),
    pytest.param(["--columns", "id=A"], {}, USAGE, "--columns is for CSV and Excel files", id="columns for the sample"),
    pytest.param(["--sauce", "sample"], {}, USAGE, "--sauce", id="unknown option"),
    pytest.param(["--out", __file__], {}, USAGE, "is a file", id="report into a file"),
    pytest.param(["--source", "gone/*.gz"], {}, SOURCE, "gone/*.gz: no archive there; wanted a file, a folder", id="missing archive"),
    pytest.param(["--source", "sample", "--source", "gone.csv"], {}, SOURCE, "gone.csv: no archive there", id="second archive missing"),
    pytest.param(["--source", "lemmy"], {}, SOURCE, "lemmy: no campaign of marlowick names a community there", id="lemmy"),
    pytest.param(["--source", "reddit"], {}, SOURCE, "reddit: no campaign of marlowick names a community there", id="reddit"),
    pytest.param(
        ["--source", "reddit", "--campaign", "atlantis"], {}, SOURCE, "--campaign atlantis: not in campaigns.toml; known: marlowick_2026",
        id="unknown campaign",
    ),
    pytest.param(["--campaign", "marlowick_2026"], {}, USAGE, "only live sources need one; leave it out, or", id="campaign for the sample"),
    pytest.param([], {"REDDIT_ADDRESS": "https://example.org"}, CONFIG, "COPROD_REDDIT_ADDRESS: should be on this machine", id="elsewhere"),
    pytest.param([], {"REDDIT_ACCOUNT": "no body"}, CONFIG, "COPROD_REDDIT_ACCOUNT: should be the name of", id="no account name"),
    pytest.param([], {"AUTHOR_KEY": "changeme"}, CONFIG, "COPROD_AUTHOR_KEY: too weak", id="weak key"),
    pytest.param([], {"WORKERS": "many"}, CONFIG, "COPROD_WORKERS: ", id="workers"),
    pytest.param([], {"DATABASE_URL": "mysql://coprod:hunter2@db/x"}, CONFIG, "COPROD_DATABASE_URL: not understood", id="unknown database"),
    pytest.param([], {"CONFIG_DIR": "nowhere"}, CONFIG, f"{Path('nowhere', 'councils.toml')}:1: ", id="no configuration"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "environment", "code", "said"), WRONG)
def test_wrong_input_is_answered_in_words_before_anything_starts(
    arguments: list[str], environment: dict[str, str], code: int, said: str, coprod: Coprod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = coprod("listen", *arguments, **environment)
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
    assert not [secret for secret in ("hunter2", "changeme") if secret in outcome.err]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["listen", "report"])
def test_a_broken_configuration_is_told_with_file_line_key_and_value(command: str, coprod: Coprod, tmp_path: Path) -> None:
    broken = shutil.copytree(CONFIG_DIR, tmp_path / "config") / "ranking.toml"
    broken.write_text(f"minimum_voices = 2\n{broken.read_text(encoding='utf-8').replace('minimum_voices', '#')}", encoding="utf-8")
    outcome = coprod(command, CONFIG_DIR=broken.parent)
    assert (outcome.code, outcome.out) == (CONFIG, "")
    assert outcome.err == f"{broken}:1: minimum_voices = 2: should be greater than or equal to 3\n"
    assert not (tmp_path / "home").exists()


POSTS = [
    {"id": "t3_a", "title": "Clean-up on Saturday", "selftext": "I can lend my van for the clean-up on Saturday, happy to help."},
    {"id": "t1_b", "body": "The bins were late again.", "parent_id": "t3_a", "link_id": "t3_a"},
    {"id": "t1_c", "body": "Ich würde gerne im Park helfen und am Samstag mit euch den Müll aufsammeln.", "parent_id": "t3_a"},
    {"id": "t1_d", "body": "[deleted]", "author": "[deleted]", "parent_id": "t3_a"},
    {"id": "t3_e", "title": "", "selftext": ""},
]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "posts.ndjson"
    rows = [json.dumps({"author": "t2_x", "subreddit": "thornby", "created_utc": 1767225600} | post) for post in POSTS]
    path.write_text("\n".join([*rows[:2], "{ half a line", *rows[2:]]) + "\n", encoding="utf-8")
    return path


def test_read_writes_a_valid_row_for_each_post_in_order_and_no_other_file(coprod: Coprod, archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "readings.ndjson"
    outcome = coprod("read", archive, "--out", out)
    assert outcome.code == 0
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == [post["id"] for post in POSTS]
    for row, post in zip(rows, POSTS, strict=True):
        assert set(row) == set("id language areas signals evidence willing willing_decision sensitive status version".split())
        assert set(row["areas"]) <= set(PolicyArea)
        assert set(row["signals"]) <= set(Signal)
        assert all(0 <= chance <= 1 for chance in (*row["areas"].values(), *row["signals"].values(), row["willing"]))
        text = PostText("", post.get("title", ""), post.get("body", post.get("selftext", ""))).text
        assert all(item["signal"] in row["signals"] and item["text"] == text[item["start"] : item["end"]] != "" for item in row["evidence"])
        assert row["status"] == ReadingStatus.READ or (row["areas"], row["signals"], row["willing_decision"]) == ({}, {}, False)
    read, not_read = ReadingStatus.READ, ReadingStatus.NOT_READ
    assert [row["status"] for row in rows] == [read, read, ReadingStatus.NOT_ENGLISH, not_read, not_read]
    assert (rows[0]["willing_decision"], bool(rows[0]["evidence"]), rows[2]["language"]) == (True, True, "de")
    assert outcome.out == f"5 posts read, {sum(row['willing_decision'] for row in rows)} willing, 3 set aside: {out}\n"
    assert [line.strip() for line in outcome.err.splitlines()] == ["deleted: 1", "empty text: 1", "malformed line: 1"]
    assert coprod("read", archive, "--out", tmp_path / "again").code == 0
    assert (tmp_path / "again").read_bytes() == out.read_bytes()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["again", "new", "posts.ndjson", "readings.ndjson"]


def test_a_read_that_fails_in_its_second_file_leaves_what_was_there_before(coprod: Coprod, archive: Path, tmp_path: Path) -> None:
    (tmp_path / "posts.ndjson.second.csv").write_text("Nummer,Text\n1,Hallo\n", encoding="utf-8")
    out = tmp_path / "readings.txt"
    for before in (None, "the readings of last week"):
        if before:
            out.write_text(before, encoding="utf-8")
        outcome = coprod("read", tmp_path / "posts*", "--out", out)
        assert (outcome.code, outcome.out) == (SOURCE, "")
        assert "needs a column for id" in outcome.err
        assert "it has: 2 column(s)" in outcome.err
        assert (out.read_text(encoding="utf-8") if out.exists() else None) == before
        assert len(list(tmp_path.iterdir())) == (3 if before else 2)


def test_read_names_a_place_it_cannot_write_to(coprod: Coprod, archive: Path) -> None:
    outcome = coprod("read", archive, "--out", archive / "out")
    assert outcome.code == SOURCE
    assert f"{archive / 'out'}: cannot be written" in outcome.err


def test_read_does_not_write_over_what_it_reads(coprod: Coprod, archive: Path) -> None:
    before = archive.read_bytes()
    outcome = coprod("read", archive, "--out", archive)
    assert (outcome.code, archive.read_bytes()) == (USAGE, before)


def test_read_takes_an_empty_word_for_no_archive(coprod: Coprod, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert coprod("read", "", "--out", tmp_path / "out.txt").code in {USAGE, SOURCE}


def test_read_writes_one_row_for_a_post_that_comes_twice_and_counts_it(coprod: Coprod, archive: Path, tmp_path: Path) -> None:
    archive.write_text(archive.read_text(encoding="utf-8") * 2, encoding="utf-8")
    outcome = coprod("read", archive, "--out", tmp_path / "out.txt")
    assert len((tmp_path / "out.txt").read_text(encoding="utf-8").splitlines()) == len(POSTS)
    assert "duplicate id: 5" in outcome.err


def test_a_report_before_any_run_says_what_to_run(coprod: Coprod, tmp_path: Path) -> None:
    outcome = coprod("report", "--out", tmp_path / "out")
    assert (outcome.code, outcome.out, outcome.err) == (USAGE, "", "nothing has been ranked yet; run: coprod listen\n")
    assert not (tmp_path / "out").exists()


def test_a_report_for_an_unknown_council_names_the_known_ones(coprod: Coprod) -> None:
    outcome = coprod("report", "--council", "atlantis")
    assert outcome.code == USAGE
    assert "--council atlantis: not in councils.toml; known: marlowick" in outcome.err


def test_a_report_is_of_a_council_that_is_configured(coprod: Coprod, tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'home' / 'coprod.sqlite3'}")
    with unit_of_work(engine) as session:
        asked = {"sources": [{"name": "sample", "files": ""}], "columns": [], "since": None, "until": None}
        session.add(Run(run_id="1", council="oldtown", request=asked, status=RunStatus.RUNNING, started_at=utc_now(), done=["rank"],
                        config_digest="", versions={"reading": "1"}))  # fmt: skip
    engine.dispose()
    assert coprod("report", "--out", tmp_path / "out").err == "nothing has been ranked yet; run: coprod listen\n"
    assert "--council oldtown: not in councils.toml" in coprod("report", "--council", "oldtown").err


def test_a_report_from_a_database_that_does_not_answer_names_it(coprod: Coprod) -> None:
    outcome = coprod("report", DATABASE_URL=UNREACHABLE)
    assert outcome.code == STORE
    assert "cannot open postgresql+psycopg://coprod:***@127.0.0.1:1/coprod" in outcome.err
    assert "check COPROD_DATABASE_URL" in outcome.err


def test_a_report_is_written_again_from_what_is_stored(coprod: Coprod, sample_run: Job, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    stored, copy = sqlite3.connect(str(sample_run.engine.url.database)), sqlite3.connect(tmp_path / "home" / "coprod.sqlite3")
    stored.backup(copy)
    stored.close()
    copy.close()
    outcome = coprod("report", "--out", tmp_path / "again")
    assert (outcome.code, outcome.err) == (0, "")
    assert Path(outcome.out.strip()).parent == tmp_path / "again"
    assert {path.name for path in (tmp_path / "again").iterdir()} == {path.name for path in sample_run.out.iterdir()}
    assert (tmp_path / "again" / "leads.csv").read_bytes() == (sample_run.out / "leads.csv").read_bytes()
    (tmp_path / "file").write_text("", encoding="ascii")
    (tmp_path / "taken" / "leads.json").mkdir(parents=True)
    for place in (tmp_path / "file" / "report", tmp_path / "taken"):
        outcome = coprod("report", "--out", place)
        assert (outcome.code, outcome.out) == (USAGE, "")
        assert f"--out {place}: cannot be written (" in outcome.err
    assert not list((tmp_path / "taken").glob(".*"))
