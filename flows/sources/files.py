"""Which files are archives, and of which kind."""

import glob
from pathlib import Path

from flows.sources.base import SourceRefusedError

LINES = (".ndjson", ".jsonl", ".json", ".csv")
ENDINGS = (*LINES, ".xlsx", "posts.xml")
PACKINGS = (".gz", ".zst")


def find_archives(pattern: str) -> tuple[list[Path], list[Path]]:
    """Archive files of a path, a folder or a glob, and links there that lead nowhere; each in a fixed order.

    Raises
    ------
    SourceRefusedError
        Where there is no archive, with what was looked for.
    """
    if not pattern.strip():
        raise SourceRefusedError("the source is empty; give `sample` or the path of an archive")
    path = Path(pattern)
    try:
        if path.is_file():
            return [path], []
        found = path.rglob("*") if path.is_dir() else map(Path, glob.glob(pattern, recursive=True))  # noqa: PTH207  (any path, not one folder)
        named = sorted(child for child in found if _is_archive(child) and not child.is_dir())
        there = [child for child in named if child.exists()]
    except OSError as error:
        raise unreadable(path, error) from None
    broken = [child for child in named if child not in there]
    if not there:
        endings, lost = ", ".join(ENDINGS), f" ({', '.join(child.name for child in broken)} is a link that leads nowhere)" if broken else ""
        raise SourceRefusedError(
            f"{pattern}: no archive there{lost}; wanted a file, a folder or a glob of {endings} (lines also with .gz or .zst)"
        )
    return there, broken


def kind_of(path: Path) -> tuple[str, str]:
    """Packing (or "") and kind of an archive by its name."""
    packing = path.suffix.lower() if path.suffix.lower() in PACKINGS else ""
    return packing, Path(path.stem).suffix.lower() if packing else path.suffix.lower()


def unreadable(path: Path, error: OSError) -> SourceRefusedError:
    return SourceRefusedError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions")


def _is_archive(path: Path) -> bool:
    name = path.name.lower()
    if not name.endswith(PACKINGS):
        return name.endswith(ENDINGS)
    name = Path(name).stem
    return name.endswith(LINES) or not Path(name).suffix
