"""Deletion, retention and rights on the command line: asked before anything is removed, wrong input named, counts at the end."""

import errno
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlmodel import col

from config.settings import Settings, author_key, load_author_key
from coprod_nlp.vocabulary import PostState
from models import actions
from models.post import Post
from models.session import open_engine
from tests.fakes.commands import typed

BY = ("--case", "DPO-7", "--by", "dpo")
DAN = ("--handle", "Dan", "--on", "archive:thornby")


@pytest.fixture
def engine(home: Path) -> Iterator[Engine]:
    """Two old posts of Dan and one of Ann, collected 400 days ago."""
    settings = Settings(home=home)
    engine = open_engine(settings.address())
    then = datetime.now(UTC) - timedelta(days=400)
    facts: dict[str, Any] = {
        "platform": "archive", "community_id": "archive:thornby", "kind": "submission", "state": PostState.VISIBLE, "parent_id": None,
        "thread_id": None, "title": "", "body": "I can lend my van", "score": 1, "created_at": then, "fetched_at": then,
    }  # fmt: skip
    rows = []
    for post_id, name in (("p1", "Dan"), ("p2", "Dan"), ("p3", "Ann")):
        key = author_key(load_author_key(settings), platform="archive:thornby", author_id=name)
        rows.append(actions.post_row(post_id=post_id, author_key=key, permalink=f"/{post_id}", content_hash=post_id, **facts))
    with engine.begin() as connection:
        actions.store_posts(connection, rows)
    yield engine
    engine.dispose()


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count(col(Post.post_id)))) or 0


@pytest.mark.parametrize("command", ["object", "erase"])
def test_nothing_is_removed_until_somebody_says_yes(command: str, engine: Engine, home: Path) -> None:
    asked = typed(command, *DAN, *BY, answer="n\n")
    assert (asked.code, count(engine)) == (1, 3)
    assert "Remove 2 messages of this person, and everything made from them, for good?" in asked.out
    done = typed(command, *DAN, *BY, answer="y\n")
    assert (done.code, count(engine)) == (0, 1)
    assert "2 messages and 0 records about them removed." in done.out
    assert len(list((home / "certificates").iterdir())) == 1


def test_somebody_of_whom_nothing_is_here_is_kept_out_and_the_spelling_is_doubted(engine: Engine) -> None:
    done = typed("object", "--handle", "Zoe", "--on", "archive:thornby", *BY, "--yes")
    assert (done.code, count(engine)) == (0, 3)
    assert "No message was found under this name on archive:thornby" in done.err
    assert "ask for a link to one of their messages" in done.err
    assert "kept out from now on" in done.err


def test_one_message_is_erased_by_its_link(engine: Engine) -> None:
    assert typed("erase", "--permalink", "/p1", "--only-message", *BY, "--yes").code == 0
    assert count(engine) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param((*BY,), "give either --handle NAME with --on", id="nobody named"),
        pytest.param(("--handle", "Dan", *BY), "--on is needed", id="no place"),
        pytest.param((*DAN, "--case", "Dan!", "--by", "dpo"), "--case: wanted the reference", id="no reference"),
        pytest.param((*DAN, "--case", "DPO-7", "--by", " "), "--by: wanted a name", id="no person"),
    ],
)
def test_wrong_use_is_named_and_removes_nothing(arguments: tuple[str, ...], message: str, engine: Engine) -> None:
    outcome = typed("object", *arguments, "--yes")
    assert (outcome.code, count(engine)) == (2, 3)
    assert message in outcome.err


def test_an_answer_to_an_access_request_is_written_to_a_folder_of_its_own(engine: Engine, tmp_path: Path) -> None:
    outcome = typed("access", *DAN, *BY, "--out", tmp_path / "answer")
    assert outcome.code == 0
    assert {path.name for path in (tmp_path / "answer").iterdir()} == {"access.html", "access.json"}
    nobody = typed("access", "--handle", "Zoe", "--on", "archive:thornby", *BY, "--out", tmp_path / "nobody")
    assert "No message was found under this name" in nobody.err
    again = typed("access", *DAN, *BY, "--out", tmp_path / "answer")
    assert (again.code, "choose another folder" in again.err) == (2, True)


def test_a_disk_that_fills_up_under_an_answer_is_named_and_the_same_folder_can_be_given_again(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_text

    def until_full(path: Path, text: str, **given: Any) -> int:
        if path.name == "access.html":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, text, **given)

    asked = ("access", *DAN, *BY, "--out", tmp_path / "answer")
    with monkeypatch.context() as disk:
        disk.setattr(Path, "write_text", until_full)
        full = typed(*asked)
    assert (full.code, "cannot be written (No space left on device)" in full.err) == (2, True)
    assert list((tmp_path / "answer").iterdir()) == []
    assert typed(*asked).code == 0


def test_expiry_reconciling_and_renewing_say_what_they_did(engine: Engine) -> None:
    assert "no live platform has posts here" in typed("reconcile").out
    assert "3 posts whose time was over" in typed("expire").out
    assert count(engine) == 0
    assert "nothing to be renewed" in typed("renew").out
    assert typed("reconcile", "--platform", "mars").code == 4


def test_notices_are_shown_by_community_and_marked_with_a_reason(engine: Engine) -> None:
    assert typed("notices").out.split("\n")[1].split()[:2] == ["archive:thornby", "3"]
    place = ("--community", "archive:thornby", "--by", "dpo")
    assert "say how the authors were told" in typed("notices", "--mark", "done", *place).err
    assert typed("notices", "--mark", "done", *place, "--reason", "told on 3 May").out.startswith("3 posts: done")
    assert typed("notices").out.split("\n")[1].split()[1:6] == ["0", "0", "0", "3", "0"]


def test_after_a_new_secret_the_same_person_is_found(engine: Engine) -> None:
    assert "--by: wanted a name" in typed("rotate-key", "--by", " ").err
    assert "number 2" in typed("rotate-key", "--by", "dpo").out
    assert typed("object", *DAN, *BY, "--yes").code == 0
    assert count(engine) == 1
