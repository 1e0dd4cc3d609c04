"""Lines of a plain, gzip or Zstandard file, without holding more than a block of it."""

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

BLOCK = 1 << 20
WINDOW = 1 << 31
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
UTF8_MARK = b"\xef\xbb\xbf"


class TruncatedError(Exception):
    """The file ends in the middle; every whole line before that was given."""


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
    """
    rest = b""
    decode = None
    is_first = True
    try:
        for block in _blocks(file, suffix):
            if is_first:
                is_first = False
                decode = _utf16_decoder(block)
                block = block.removeprefix(UTF8_MARK)  # noqa: PLW2901
            text = decode.decode(block).encode() if decode else block
            *whole, rest = (rest + text).split(b"\n")
            yield from whole
    except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
        raise TruncatedError(type(error).__name__) from None
    if rest:
        yield rest


def _utf16_decoder(block: bytes) -> io.IncrementalNewlineDecoder | None:
    if not block.startswith(UTF16_MARKS):
        return None
    import codecs

    return cast(io.IncrementalNewlineDecoder, codecs.getincrementaldecoder("utf-16")("replace"))


def _blocks(file: CountedFile, suffix: str) -> Iterator[bytes]:
    if suffix == ".zst":
        yield from _zstd_blocks(file)
        return
    stream = gzip.GzipFile(fileobj=cast(BinaryIO, file)) if suffix == ".gz" else file
    while block := stream.read(BLOCK):
        yield block


def _zstd_blocks(file: CountedFile) -> Iterator[bytes]:
    """Reddit's dumps use a 2 GiB window, and may hold several frames one after another."""
    frame = None
    while compressed := file.read(BLOCK):
        while compressed:
            frame = frame or zstandard.ZstdDecompressor(max_window_size=WINDOW).decompressobj()
            yield frame.decompress(compressed)
            compressed = frame.unused_data if frame.eof else b""
            frame = None if frame.eof else frame
    if frame is not None:
        raise EOFError
