"""A file is whole, or what was there before."""

import os
from pathlib import Path

import numpy as np
import pytest

from coprod_nlp.files import Arrays, read_arrays, replacing, write_arrays


def test_a_file_is_there_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.bin"
    with replacing(path) as draft:
        draft.write_bytes(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert [one.name for one in path.parent.iterdir()] == ["a.bin"]


def test_what_was_there_stays_where_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"before")

    def half() -> None:
        with replacing(path) as draft:
            draft.write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert path.read_bytes() == b"before"
    assert [one.name for one in tmp_path.iterdir()] == ["a.bin"]


def test_what_a_killed_process_left_is_cleared_away_after_a_day(tmp_path: Path) -> None:
    left, fresh, other = (tmp_path / name for name in (".0a1b-a.bin", ".2c3d-a.bin", ".0a1b-b.bin"))
    for path in (left, fresh, other):
        path.write_bytes(b"half")
    for path in (left, other):
        os.utime(path, (1_000, 1_000))
    with replacing(tmp_path / "a.bin") as draft:
        draft.write_bytes(b"whole")
    assert {path.name for path in tmp_path.iterdir()} == {"a.bin", fresh.name, other.name}


ARRAYS: Arrays = {"deep network": np.arange(6, dtype=np.float32).reshape(2, 3), "none": np.zeros((0, 4), np.int64)}


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_arrays(path, ARRAYS)
    found = read_arrays(path)
    assert found is not None
    assert found.keys() == ARRAYS.keys()
    assert all(np.array_equal(found[name], ARRAYS[name]) and found[name].dtype == ARRAYS[name].dtype for name in ARRAYS)


def test_arrays_that_are_not_whole_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    assert read_arrays(path) is None
    write_arrays(path, ARRAYS)
    raw = path.read_bytes()
    for place in range(0, len(raw), 7):
        changed = bytearray(raw)
        changed[place] ^= 1
        path.write_bytes(changed)
        assert read_arrays(path) is None
    for part in (raw[:-1], raw[:20], b""):
        path.write_bytes(part)
        assert read_arrays(path) is None
