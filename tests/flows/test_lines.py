"""Lines of plain, gzip and Zstandard files: the same from every packing, and as many as a broken archive still holds."""

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.sources import lines
from flows.sources.lines import CountedFile, TruncatedError, lines_of

MIB = 1 << 20
STORED_BLOCK = 100_000
ROWS = [{"id": "a1", "body": "Who has the key to the hall?"}, {"id": "a2", "body": "Zoë, I think — ✓ 🙂"}, {"id": "a3", "body": ""}]

SKIPPABLE_FRAME = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"pzst"
EMPTY_FRAME = zstandard.compress(b"")


def _pieces(data: bytes) -> tuple[bytes, bytes]:
    """Two parts, cut where no line ends (as the dumps do); a byte order mark stays whole."""
    middle = max(4, len(data) // 2)
    return data[:middle], data[middle:]


def _zstd(data: bytes) -> bytes:
    """As a program writes it that does not know the size beforehand, with a checksum."""
    return zstandard.ZstdCompressor(write_checksum=True, write_content_size=False).compress(data)


def _wide_frame(data: bytes) -> bytes:
    """A frame as `zstd --long=31` makes it: it asks for a window of 2 GiB. Its blocks are stored as they are."""
    blocks = [data[start : start + STORED_BLOCK] for start in range(0, len(data), STORED_BLOCK)] or [b""]
    last = len(blocks) - 1
    stored = (((len(block) << 3) | (place == last)).to_bytes(3, "little") + block for place, block in enumerate(blocks))
    return b"\x28\xb5\x2f\xfd" + bytes([0, (31 - 10) << 3]) + b"".join(stored)


PACKINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "plain": ("", bytes),
    "gzip": (".gz", gzip.compress),
    "gzip_of_two_members": (".gz", lambda data: b"".join(map(gzip.compress, _pieces(data)))),
    "zstd": (".zst", _zstd),
    "zstd_of_two_frames": (".zst", lambda data: b"".join(map(_zstd, _pieces(data)))),
    "zstd_with_frames_to_skip": (".zst", lambda data: _zstd(data) + SKIPPABLE_FRAME + EMPTY_FRAME),
    "zstd_with_a_2_gib_window": (".zst", _wide_frame),
}
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "utf-8_with_mark": lambda text: text.encode("utf-8-sig"),
    "utf-16_little": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "utf-16_big": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
}


def lines_in(path: Path) -> tuple[list[bytes], bool]:
    """What `lines_of` gives of a file, and whether it said that the file breaks off."""
    file, found = CountedFile(path), []
    try:
        for line in lines_of(file, path.suffix):
            found.append(line)
    except TruncatedError:
        return found, True
    finally:
        file.close()
    return found, False


def packed(folder: Path, packing: str, data: bytes) -> Path:
    suffix, pack = PACKINGS[packing]
    path = folder / f"archive{suffix}"
    path.write_bytes(pack(data))
    return path


def test_the_wide_frame_of_these_tests_asks_for_2_gib() -> None:
    frame = _wide_frame(b"x")
    assert zstandard.get_frame_parameters(frame).window_size == 1 << 31
    with pytest.raises(zstandard.ZstdError, match="memory"):
        zstandard.ZstdDecompressor().decompressobj().decompress(frame)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("has_last_end", [True, False], ids=["ended", "unended"])
def test_rows_are_the_same_whatever_wrote_the_file(packing: str, encoding: str, end: str, has_last_end: bool, tmp_path: Path) -> None:
    text = end.join(json.dumps(row, ensure_ascii=False) for row in ROWS) + (end if has_last_end else "")
    found, is_broken = lines_in(packed(tmp_path, packing, ENCODINGS[encoding](text)))
    assert [json.loads(line) for line in found] == ROWS
    assert not is_broken


SMALL_BLOCK = 5
GZIP_KINDS, ZSTD_KINDS = ([name for name in PACKINGS if name.startswith("zstd") is is_zstd] for is_zstd in (False, True))


@pytest.mark.parametrize(
    ("packings", "block"),
    [
        pytest.param(sorted(PACKINGS), MIB, id="whole"),
        pytest.param(GZIP_KINDS, SMALL_BLOCK, id="plain_and_gzip_in_small_blocks"),
        pytest.param(ZSTD_KINDS, SMALL_BLOCK, id="zstd_in_small_blocks"),
    ],
)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\ufeff"), max_size=40), max_size=8),
    encoding=st.sampled_from(sorted(ENCODINGS)),
    has_last_end=st.booleans(),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_lines_in_are_lines_out(
    packings: list[str],
    block: int,
    texts: list[str],
    encoding: str,
    has_last_end: bool,
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    packing = data.draw(st.sampled_from(packings))
    text = "\n".join(texts) + ("\n" if texts and has_last_end else "")
    path = packed(tmp_path_factory.getbasetemp(), packing, ENCODINGS[encoding](text))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BLOCK", block)
        found, is_broken = lines_in(path)
    wanted = text.removesuffix("\n").split("\n") if text else []
    assert ([line.decode() for line in found], is_broken) == (wanted, False)


@pytest.mark.parametrize("packing", PACKINGS)
def test_an_empty_file_has_no_line(packing: str, tmp_path: Path) -> None:
    assert lines_in(packed(tmp_path, packing, b"")) == ([], False)


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_line_longer_than_several_blocks_comes_whole(packing: str, tmp_path: Path) -> None:
    long = np.random.default_rng(1).bytes(3 * MIB).replace(b"\n", b" ")
    assert lines_in(packed(tmp_path, packing, b"before\n" + long + b"\nafter")) == ([b"before", long, b"after"], False)


@pytest.mark.parametrize("packing", PACKINGS)
def test_the_position_ends_at_the_size_of_the_file(packing: str, tmp_path: Path) -> None:
    path = packed(tmp_path, packing, np.random.default_rng(2).bytes(2 * MIB))
    file = CountedFile(path)
    for _ in lines_of(file, path.suffix):
        assert 0 < file.position <= path.stat().st_size
    file.close()
    assert file.position == path.stat().st_size


@pytest.mark.parametrize("encoding", ["utf-8_with_mark", "utf-16_little"])
@pytest.mark.parametrize("first", [SKIPPABLE_FRAME, EMPTY_FRAME], ids=["skippable", "empty"])
def test_a_byte_order_mark_after_a_frame_without_text_is_seen(first: bytes, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "archive.zst"
    path.write_bytes(first + zstandard.compress(ENCODINGS[encoding]("one\ntwo\n")))
    assert lines_in(path) == ([b"one", b"two"], False)


def test_half_a_surrogate_pair_in_utf_16_costs_one_character(tmp_path: Path) -> None:
    lone = "a".encode("utf-16-le") + b"\x3d\xd8" + "b\nc\n".encode("utf-16-le")
    path = packed(tmp_path, "plain", b"\xff\xfe" + lone)
    found, _ = lines_in(path)
    assert [line.decode() for line in found] == ["a\ufffdb", "c"]


# Where an archive may break off.


def _many_lines() -> bytes:
    numbers = np.random.default_rng(3)
    return b"".join(b'{"id": "%d", "body": "%s"}\n' % (number, numbers.bytes(20).hex().encode()) for number in range(8_000))


MANY = _many_lines()
GZIPPED, ZSTANDARD = gzip.compress(MANY, mtime=0), _zstd(MANY)


def _gzip_holds(broken: bytes) -> bytes:
    return zlib.decompressobj(wbits=31).decompress(broken)


def _zstd_holds(broken: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(broken)


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(1, id="in_the_first_mark"),
        pytest.param(5, id="in_the_header"),
        pytest.param(10, id="after_the_header"),
        pytest.param(len(GZIPPED) // 2, id="in_the_middle"),
        pytest.param(len(GZIPPED) - 9, id="in_the_last_block"),
        pytest.param(len(GZIPPED) - 8, id="before_the_checksum"),
        pytest.param(len(GZIPPED) - 4, id="before_the_length"),
        pytest.param(len(GZIPPED) - 1, id="one_byte_short"),
    ],
)
def test_a_gzip_archive_that_breaks_off_gives_every_whole_line_it_holds(kept: int, tmp_path: Path) -> None:
    path = tmp_path / "archive.gz"
    path.write_bytes(GZIPPED[:kept])
    assert lines_in(path) == (_gzip_holds(GZIPPED[:kept]).split(b"\n")[:-1], True)


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(1, id="in_the_first_mark"),
        pytest.param(4, id="after_the_first_mark"),
        pytest.param(5, id="in_the_header"),
        pytest.param(8, id="in_the_first_block"),
        pytest.param(len(ZSTANDARD) // 2, id="in_the_middle"),
        pytest.param(len(ZSTANDARD) - 5, id="in_the_last_block"),
        pytest.param(len(ZSTANDARD) - 4, id="before_the_checksum"),
        pytest.param(len(ZSTANDARD) - 1, id="one_byte_short"),
    ],
)
@pytest.mark.parametrize("before", [b"", _zstd(b"one\ntwo\n")], ids=["first_frame", "second_frame"])
def test_a_zstd_archive_that_breaks_off_gives_every_whole_line_it_holds(kept: int, before: bytes, tmp_path: Path) -> None:
    path = tmp_path / "archive.zst"
    path.write_bytes(before + ZSTANDARD[:kept])
    wanted = [b"one", b"two"] * bool(before) + _zstd_holds(ZSTANDARD[:kept]).split(b"\n")[:-1]
    assert lines_in(path) == (wanted, True)


def test_half_of_the_broken_zstd_archive_of_these_tests_can_be_had() -> None:
    assert 2_000 < _zstd_holds(ZSTANDARD[: len(ZSTANDARD) // 2]).count(b"\n") < 6_000


@pytest.mark.parametrize(
    ("suffix", "data", "place"),
    [
        pytest.param(".gz", GZIPPED, -5, id="gzip_checksum"),
        pytest.param(".gz", GZIPPED, 0, id="not_gzip"),
        pytest.param(".zst", ZSTANDARD, -1, id="zstd_checksum"),
        pytest.param(".zst", ZSTANDARD, len(ZSTANDARD) // 2, id="zstd_middle"),
        pytest.param(".zst", ZSTANDARD, 0, id="not_zstd"),
    ],
)
def test_a_damaged_archive_is_said_to_be_broken(suffix: str, data: bytes, place: int, tmp_path: Path) -> None:
    damaged = bytearray(data)
    damaged[place] ^= 0xFF
    path = tmp_path / f"archive{suffix}"
    path.write_bytes(damaged)
    assert lines_in(path)[1]


@pytest.mark.parametrize(
    "packing",
    [
        "plain",
        "gzip",
        pytest.param("zstd"),
    ],
)
def test_a_file_that_packs_well_is_not_unpacked_whole(packing: str, tmp_path: Path) -> None:
    path = packed(tmp_path, packing, (b"the same words again and again " * 40 + b"\n") * 52_000)
    file = CountedFile(path)
    tracemalloc.start()
    count = sum(1 for _ in lines_of(file, path.suffix))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    file.close()
    assert count == 52_000
    assert peak < 32 * MIB, "the file holds 62 MiB"
