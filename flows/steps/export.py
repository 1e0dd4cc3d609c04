"""Readings without the store: what `coprod read` writes."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from coprod_nlp.reading.artefact import SHIPPED
from coprod_nlp.records import PostText, Reading
from coprod_nlp.vocabulary import PostState, ReadingStatus
from flows.job import COLUMNS_UNUSED, RequestError
from flows.progress import listener
from flows.sources.archive import ArchiveSource
from flows.sources.base import FILE_KINDS, Placed, Problems, SourceRefusedError
from flows.sources.seen import SeenIds
from flows.sources.table import open_source, takes_columns
from flows.steps.read import CHUNK, WORTH_PROCESSES, read_in_order, reading_processes

# Bytes of an archive below which starting processes takes longer than it saves.
SMALL_ARCHIVE_BYTES = 1_000 * WORTH_PROCESSES // 4


@dataclass
class ReadResult:
    """How many posts were read, called willing and set aside; problems by kind, and the files that have one as a whole."""

    posts: int = 0
    willing: int = 0
    set_aside: int = 0
    problems: dict[str, int] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)


def write_readings(name: str, out: Path, *, columns: dict[str, str], processes: int, directory: Path = SHIPPED) -> ReadResult:
    """Write one line a post, read with the artefact in a folder, in the order of the archive; the file appears whole or not at all."""
    if columns and not takes_columns([name]):
        raise RequestError(COLUMNS_UNUSED)
    target = _target(out)
    source = open_source(name, columns=columns)
    if isinstance(source, ArchiveSource) and target in {path.resolve() for path in source.paths}:
        raise RequestError(f"--out {out}: is the archive itself; choose another file")
    problems, result = Problems(), ReadResult()
    encoder = msgspec.json.Encoder()
    count = processes if (source.size or 0) > SMALL_ARCHIVE_BYTES else 1
    draft = target.with_name(f".{target.name}.part")
    listener().stage(f"Read {source.name}", total=source.size, unit="bytes")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file, reading_processes(count, directory) as pool:
            for posts, readings in read_in_order(pool, _chunks(source.posts(problems), problems)):
                for post, reading in zip(posts, readings, strict=True):
                    result.posts += 1
                    result.willing += reading.is_willing
                    result.set_aside += reading.status is not ReadingStatus.READ
                    file.write(encoder.encode(reading_row(post, reading)) + b"\n")
                listener().advance(source.position, note=f"{result.posts:,} posts")
        draft.replace(target)
    except OSError as error:
        raise SourceRefusedError(f"{out}: cannot be written ({error.strerror}); choose another --out") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    result.problems, result.files = problems.by_kind(), {kind.value: problems.named(kind) for kind in FILE_KINDS}
    return result


def _target(out: Path) -> Path:
    """The file that a path or a link stands for. What is no file, such as a device, would be replaced by one."""
    try:
        if not out.exists() or out.is_file():
            return out.resolve()
    except (OSError, RuntimeError) as error:
        raise RequestError(f"--out {out}: cannot be written ({getattr(error, 'strerror', error)}); choose another file") from None
    raise RequestError(f"--out {out}: is there already and is no file, such as a device or a pipe; choose another name")


def reading_row(post: PostText, reading: Reading) -> dict[str, Any]:
    """A reading as others take it; evidence carries its words and its place in title and body."""
    return {
        "id": reading.post_id,
        "language": reading.language,
        "areas": {area.value: chance for area, chance in reading.areas.items()},
        "signals": {signal.value: chance for signal, chance in reading.signals.items()},
        "evidence": [
            {"signal": item.signal.value, "start": item.start, "end": item.end, "text": post.text[item.start : item.end]}
            for item in reading.evidence
        ],
        "willing": reading.willing or 0.0,
        "willing_decision": reading.is_willing,
        "sensitive": reading.status is ReadingStatus.SENSITIVE,
        "status": reading.status.value,
        "version": reading.version,
    }


def _chunks(placed: Iterator[Placed], problems: Problems) -> Iterator[tuple[list[PostText], list[PostText]]]:
    seen = SeenIds()
    while some := list(islice(placed, CHUNK)):
        posts = [
            PostText(post.fullname, post.title, post.body, is_readable=post.state is PostState.VISIBLE)
            for post, _, _ in seen.only_new(some, problems)
        ]
        yield posts, posts
