"""`coprod labels`: out, labelled, and in again; counts where rows are odd, and words where nothing works."""

import csv
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from flows.job import Job
from tests.fakes.commands import Coprod, Outcome, typed

USAGE, SOURCE, STORE = 2, 4, 5
SECRET = "behind the third shed from the weir"


@pytest.fixture
def labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Coprod:
    """Runs a command of the group in tmp_path, on a store of its own; a traceback fails the test."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"COLUMNS": "200", "COPROD_HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: object, **environment: str) -> Outcome:
        for name, value in environment.items():
            monkeypatch.setenv(f"COPROD_{name}", value)
        return typed("labels", *arguments)

    return run


def write(name: str, *rows: dict[str, Any]) -> str:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return name


def texts(count: int, **answers: Any) -> list[dict[str, Any]]:
    return [{"body": f"I can lend my van, {number}", "areas": ["waste"], "signals": ["offer"]} | answers for number in range(count)]


def test_a_file_is_imported_with_what_was_odd_by_line(labels: Coprod) -> None:
    odd = [
        {"body": SECRET, "areas": ["gardening"]},
        {"id": "reddit:t3_a", "areas": [], "body": SECRET},
        {"body": SECRET, "areas": [SECRET]},
    ]
    outcome = labels("import", write("ana.jsonl", *texts(3), *odd), "--by", "ana")
    assert (outcome.code, outcome.out) == (0, "3 labels of 3 posts, 3 of them texts of the file's own: ana.jsonl (jsonl)\n")
    assert [line.strip() for line in outcome.err.splitlines()] == [
        "unknown area: 2 (lines 4, 6): a policy area that the codebook does not have; left out",
        "unknown post: 1 (line 5): no post of that id is stored; left out (collect its source first)",
    ]
    assert SECRET not in outcome.err


def test_a_file_of_which_nothing_can_be_imported_ends_with_the_code_of_a_source(labels: Coprod) -> None:
    outcome = labels("import", write("ana.jsonl", {"body": SECRET, "areas": ["gardening"]}), "--by", "ana")
    assert (outcome.code, outcome.out) == (SOURCE, "")
    assert outcome.err == "ana.jsonl: nothing could be imported (jsonl): unknown area: 1 (line 1)\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["import", "gone.csv", "--by", "ana"], SOURCE, "gone.csv: cannot be read", id="no file"),
        pytest.param(["import", "empty.csv", "--by", "ana"], SOURCE, "empty.csv: holds nothing", id="an empty file"),
        pytest.param(["import", "empty.csv"], USAGE, "--by", id="by nobody"),
        pytest.param(["import", "empty.csv", "--by", " "], USAGE, "--by: wanted a name", id="by a blank"),
        pytest.param(["import", "empty.csv", "--by", "ana", "--format", "excel"], USAGE, "excel", id="a format there is not"),
        pytest.param(["export", "--out", "queue.jsonl"], USAGE, "nothing to label: ", id="nothing to label"),
        pytest.param(["export", "--out", "queue.jsonl", "--labelled"], USAGE, "nothing is labelled yet", id="nothing labelled"),
        pytest.param(["export", "--out", "queue.jsonl", "--random", "0.1"], USAGE, "--random", id="too few at random"),
        pytest.param(["agreement"], USAGE, "no post has been labelled by two people", id="nobody to compare"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(arguments: list[str], code: int, said: str, labels: Coprod) -> None:
    Path("empty.csv").touch()
    outcome = labels(*arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
    assert not Path("queue.jsonl").exists()


def test_a_database_that_does_not_answer_is_named(labels: Coprod) -> None:
    outcome = labels("agreement", DATABASE_URL="postgresql://coprod:hunter2@127.0.0.1:1/coprod")
    assert outcome.code == STORE
    assert "hunter2" not in outcome.err


def test_agreement_shows_kappa_by_label_with_the_number_of_posts(labels: Coprod) -> None:
    labels("import", write("ana.jsonl", *texts(4)), "--by", "ana")
    labels("import", write("ben.jsonl", *texts(2), *texts(4, signals=["seek"])[2:3], *texts(4, signals=[])[3:]), "--by", "ben [x]")
    outcome = labels("agreement")
    assert outcome.code == 0
    rows = {line.split()[0]: line.split()[1:] for line in outcome.out.splitlines() if line.strip()}
    assert "ana and ben [x], 4 posts" in outcome.out
    assert rows["willing"] == ["4", "3", "1", "0", "0.00"]
    assert (rows["offer"], rows["seek"], rows["waste"]) == (
        ["4", "2", "2", "0", "0.00"],
        ["4", "0", "0", "1", "0.00"],
        ["4", "4", "0", "0", "-"],
    )
    assert "parks" not in rows
    assert "4 posts labelled by several, 1 disputed" in outcome.out


def test_labels_go_out_and_come_in_again(labels: Coprod) -> None:
    labels("import", write("ana.jsonl", *texts(5)), "--by", "ana")
    outcome = labels("export", "--labelled", "--out", "new/labelled.csv")
    assert (outcome.code, outcome.out) == (0, "5 labelled posts: new/labelled.csv\n")
    assert labels("import", "new/labelled.csv", "--by", "ana").out == "5 labels of 5 posts: new/labelled.csv (csv)\n"
    again = labels("export", "--labelled", "--out", "new/labelled.csv")
    assert (again.code, "is there already" in again.err) == (USAGE, True)
    assert labels("export", "--labelled", "--out", "tasks.json", "--format", "label_studio", "--limit", "2").out.startswith(
        "2 labelled posts"
    )
    assert "give --format" in labels("export", "--labelled", "--out", "labelled.json").err


def test_a_queue_of_the_sample_is_written_labelled_and_taken_in(labels: Coprod, sample_run: Job, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    stored, copy = sqlite3.connect(str(sample_run.engine.url.database)), sqlite3.connect(tmp_path / "home" / "coprod.sqlite3")
    stored.backup(copy)
    stored.close()
    copy.close()
    outcome = labels("export", "--out", "queue.csv", "--limit", "40")
    assert (outcome.code, outcome.out) == (0, "40 posts to label, 32 it is least sure of and 8 drawn at random: queue.csv\n")
    with Path("queue.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    done = [row | {"areas": "parks;waste", "sensitive": "FALSE"} for row in rows[:30]]
    with Path("done.csv").open("w", encoding="cp1252", errors="replace", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows({name: text.encode("ascii", "replace").decode() for name, text in row.items()} for row in [*done, *rows[30:]])
    outcome = labels("import", "done.csv", "--by", "ana")
    said = dict(line.strip().split(": ")[:2] for line in outcome.err.splitlines())
    assert outcome.code == 0
    assert said["not labelled"].startswith("10 ")
    changed = int(said.get("changed text", "0").split()[0])
    assert outcome.out == f"{30 - changed} labels of {30 - changed} posts: done.csv (csv)\n"
    assert changed < 10
