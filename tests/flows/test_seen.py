"""The set of ids a run has met: as right as a plain set, and much smaller."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.sources.seen import Hashes, SeenIds, hashes

# Few values, so that searches hit; the ends of the range, where a sorted search goes wrong first.
NUMBERS = st.one_of(st.integers(0, 40), st.sampled_from([2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1]))
BATCHES = st.lists(st.lists(NUMBERS, max_size=12, unique=True), max_size=20)


def array_of(numbers: list[int]) -> Hashes:
    return np.array(numbers, dtype=np.uint64)


@given(batches=BATCHES, wanted=st.lists(NUMBERS, max_size=20))
def test_it_holds_what_a_set_would_hold(batches: list[list[int]], wanted: list[int]) -> None:
    seen, plain = SeenIds(), set[int]()
    for batch in batches:
        new = [number for number in batch if number not in plain]
        seen.add(array_of(new))
        plain.update(new)
        assert seen.contains(array_of(wanted)).tolist() == [number in plain for number in wanted]
        assert len(seen) == len(plain)


@given(batches=st.lists(st.lists(st.text(max_size=6), max_size=8), max_size=10))
def test_ids_added_by_their_hashes_are_found_again(batches: list[list[str]]) -> None:
    seen, plain = SeenIds(), set[str]()
    for batch in batches:
        expected = [item in plain for item in batch]
        assert seen.contains(hashes(batch)).tolist() == expected
        new = sorted({item for item in batch if item not in plain})
        seen.add(hashes(new))
        plain.update(new)


@given(ids=st.lists(st.text(st.characters(), max_size=8), max_size=20))
def test_ids_hash_alike_when_they_are_the_same_and_only_then(ids: list[str]) -> None:
    found = hashes(ids).tolist()
    assert len(found) == len(ids)
    for one, one_hash in zip(ids, found, strict=True):
        assert [one == other for other in ids] == [one_hash == other for other in found]


def test_an_id_hashes_the_same_in_every_batch_and_every_process() -> None:
    assert hashes(["t3_a", "t1_b"]).tolist() == [int(hashes(["t3_a"])[0]), int(hashes(["t1_b"])[0])]
    # BLAKE2b of 8 bytes, as any other implementation gives it: Python's own `hash` would change from process to process.
    assert hashes(["t3_a"]).tobytes().hex() == "6282bb394fa71885"


def test_an_id_with_half_a_surrogate_pair_has_a_hash_of_its_own() -> None:
    assert len({int(value) for value in hashes(["t3_\ud83d", "t3_\ude00", "t3_\U0001f600", "t3_"])}) == 4


@pytest.mark.parametrize("batch", [1, 300, 20_000], ids=["one_by_one", "by_hundreds", "at_once"])
def test_an_id_takes_8_bytes_however_they_come(batch: int) -> None:
    count = 20_000
    numbers = np.random.default_rng(4).permutation(count).astype(np.uint64)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    seen = SeenIds()
    for start in range(0, count, batch):
        seen.add(numbers[start : start + batch])
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(seen) == count
    assert kept < 8 * count + 10_000
