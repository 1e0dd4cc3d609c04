"""Lines of a plain, gzip or Zstandard file, without holding more than a block of it."""

import codecs
import zlib
from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any

import zstandard

from flows.sources.base import Problems

BLOCK = 1 << 20
# Text that repeats itself grows a thousandfold from gzip and far more from Zstandard, so little is unpacked at a time.
PACKED_BLOCK = {".gz": 1 << 13, ".zst": 1 << 9}
WINDOW = 1 << 31
GZIP_WINDOW = 31
UNPACKERS: dict[str, Callable[[], Any]] = {
    ".gz": lambda: zlib.decompressobj(GZIP_WINDOW),
    # Reddit's dumps use a 2 GiB window.
    ".zst": lambda: zstandard.ZstdDecompressor(max_window_size=WINDOW).decompressobj(),
}
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
UTF8_MARK = b"\xef\xbb\xbf"


def decoded(line: bytes, problems: Problems, kind: StrEnum, place: str, number: int) -> str:
    """A line as text; one that is not UTF-8 is counted as of this kind, and read as Windows-1252."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        problems.add(kind, place, number)
        return line.decode("cp1252", errors="replace")


class TruncatedError(Exception):
    """The file ends in the middle; every whole line before that was given."""


class NotPackedError(TruncatedError):
    """Nothing of the file could be unpacked: it is not what its ending says, or damaged from the start."""


class CountedFile:
    """A file that knows how many of its bytes were read, compressed or not."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self.position = 0

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self.position += len(block)
        return block

    def close(self) -> None:
        self._file.close()


def lines_of(file: CountedFile, suffix: str) -> Iterator[bytes]:
    """Lines without their end. A UTF-16 file is turned into UTF-8; a byte order mark goes.

    Raises
    ------
    TruncatedError
        After the last whole line of an archive that breaks off.
    NotPackedError
        Where nothing of it can be unpacked.
    """
    rest, is_unpacked = b"", False
    try:
        for block in _texts(_blocks(file, suffix)):
            *whole, rest = (rest + block).split(b"\n")
            is_unpacked = True
            yield from whole
    except (EOFError, zlib.error, zstandard.ZstdError) as error:
        kind = TruncatedError if is_unpacked or isinstance(error, EOFError) else NotPackedError
        raise kind(type(error).__name__) from None
    if rest:
        yield rest


def _texts(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Blocks as UTF-8 without a mark at the start, which may be spread over the first of them."""
    start = b""
    for block in blocks:
        start += block
        if len(start) >= len(UTF8_MARK):
            break
    decoder = codecs.getincrementaldecoder("utf-16")("replace") if start.startswith(UTF16_MARKS) else None
    for block in chain([start.removeprefix(UTF8_MARK)], blocks):
        yield decoder.decode(block).encode() if decoder else block


def _blocks(file: CountedFile, suffix: str) -> Iterator[bytes]:
    if suffix in UNPACKERS:
        yield from _unpacked(file, UNPACKERS[suffix], PACKED_BLOCK[suffix])
        return
    while block := file.read(BLOCK):
        yield block


def _unpacked(file: CountedFile, unpacker: Callable[[], Any], size: int) -> Iterator[bytes]:
    """What frames or members, one after another, hold; EOFError where the last is not whole."""
    frame = None
    while packed := file.read(size):
        while packed:
            frame = frame or unpacker()
            yield frame.decompress(packed)
            packed = frame.unused_data if frame.eof else b""
            frame = None if frame.eof else frame
    if frame is not None:
        raise EOFError
