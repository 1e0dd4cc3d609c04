"""Ordinary mistakes on the command line end in words that name the remedy, and leave what was there as it was."""

import json
import os
import stat
from pathlib import Path

import pytest

from tests.fakes.commands import Coprod

USAGE, CONFIG, SOURCE, STORE = 2, 3, 4, 5
POST = {"id": "c1", "body": "I can lend my van for the clean-up.", "author": "ann", "subreddit": "parks", "created_utc": "2026-03-01"}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "parks.ndjson"
    path.write_text(json.dumps(POST) + "\n", encoding="utf-8")
    return path


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
@pytest.mark.parametrize("is_link", [False, True], ids=["itself", "a link to it"])
def test_readings_never_take_the_place_of_a_device_or_a_pipe(is_link: bool, archive: Path, tmp_path: Path, coprod: Coprod) -> None:
    out = pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    if is_link:
        out = tmp_path / "link"
        out.symlink_to(pipe)
    outcome = coprod("read", archive, "--out", out)
    assert outcome.code == USAGE
    assert f"--out {out}: is there already and is no file" in outcome.err
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert out.is_symlink() is is_link


def test_readings_go_where_a_link_leads(archive: Path, tmp_path: Path, coprod: Coprod) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "readings.ndjson")
    for _ in range(2):
        assert coprod("read", archive, "--out", tmp_path / "link").code == 0
        assert (tmp_path / "link").is_symlink()
        assert [path.name for path in (tmp_path / "there").iterdir()] == ["readings.ndjson"]


def test_files_that_cannot_be_read_are_named(archive: Path, tmp_path: Path, coprod: Coprod) -> None:
    (tmp_path / "link.ndjson").symlink_to(tmp_path / "gone")
    (tmp_path / "photo.json").write_bytes(b"\x89PNG\r\n")
    outcome = coprod("read", tmp_path, "--out", tmp_path / "readings.txt")
    assert outcome.code == 0
    assert "broken link: 1 (link.ndjson)" in outcome.err
    assert "unreadable file: 1 (photo.json)" in outcome.err
    outcome = coprod("read", tmp_path / "photo.json", "--out", tmp_path / "nothing.txt")
    assert (outcome.code, outcome.out) == (SOURCE, "")
    assert "photo.json: not one line could be read; wanted: JSON objects, one a line" in outcome.err
    assert not (tmp_path / "nothing.txt").exists()


@pytest.mark.parametrize("command", [["read", "sample"], ["labels", "export", "--format", "csv"]], ids=["read", "labels export"])
def test_a_dash_makes_no_file_of_that_name(command: list[str], tmp_path: Path, coprod: Coprod, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = coprod(*command, "--out", "-")
    assert outcome.code == USAGE
    assert "standard output cannot be written to" in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_is_named_before_anything_starts(tmp_path: Path, coprod: Coprod, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.beforehand.ROOM_BYTES", 2**62)
    outcome = coprod("listen")
    assert outcome.code == CONFIG
    assert f"COPROD_HOME {tmp_path / 'home'}: " in outcome.err
    assert "MB are free there, too little" in outcome.err


@pytest.mark.parametrize("command", ["expire", "renew", "reconcile"])
def test_nobody_removes_anything_without_a_name(command: str, coprod: Coprod) -> None:
    outcome = coprod(command, "--by", " ")
    assert outcome.code == USAGE
    assert "--by: wanted a name" in outcome.err


def test_columns_for_what_has_none_are_refused(tmp_path: Path, coprod: Coprod) -> None:
    outcome = coprod("read", "sample", "--columns", "body=Comment", "--out", tmp_path / "readings.txt")
    assert outcome.code == USAGE
    assert "--columns is for CSV and Excel files" in outcome.err
