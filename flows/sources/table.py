"""Every source there is, by the word that names it; anything else is a path to an archive."""

from collections.abc import Mapping
from pathlib import Path

from flows.sources.archive import ArchiveSource
from flows.sources.base import Source, SourceRefusedError

SAMPLE = "sample"
SAMPLE_DIR = Path(__file__).parent / "sample"
# Platforms of the design whose clients are not part of this release.
NOT_YET = frozenset({"reddit", "discourse", "mastodon", "bluesky", "lemmy", "rss"})


def open_source(name: str, *, columns: Mapping[str, str]) -> Source:
    """A source by name: `sample`, or the path of a file, folder or glob.

    Raises
    ------
    SourceRefusedError
        Where there is no such source, with what there is.
    """
    if name == SAMPLE:
        return ArchiveSource(str(SAMPLE_DIR), platform=SAMPLE)
    if name in NOT_YET and not Path(name).exists():
        raise SourceRefusedError(f"{name}: gathering live from there is not built yet; give an archive's path instead, or `{SAMPLE}`")
    return ArchiveSource(name, columns=columns)
