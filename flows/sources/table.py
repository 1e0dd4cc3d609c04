"""Every source there is, by the word that names it; anything else is a path to an archive."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from config.settings import Settings
from flows.sources.archive import ArchiveSource
from flows.sources.base import Source, SourceRefusedError
from flows.sources.live import LiveSource

SAMPLE = "sample"
SAMPLE_DIR = Path(__file__).parent / "sample"


def _reddit(settings: Settings) -> LiveSource:
    from flows.sources.reddit import open_reddit  # takes a quarter of a second, and most runs do without

    return open_reddit(settings)


def _discourse(settings: Settings) -> LiveSource:
    from flows.sources.discourse import open_discourse

    return open_discourse(settings)


def _mastodon(settings: Settings) -> LiveSource:
    from flows.sources.mastodon import open_mastodon

    return open_mastodon(settings)


def _lemmy(settings: Settings) -> LiveSource:
    from flows.sources.lemmy import open_lemmy

    return open_lemmy(settings)


def _bluesky(settings: Settings) -> LiveSource:
    from flows.sources.bluesky import open_bluesky

    return open_bluesky(settings)


def _rss(settings: Settings) -> LiveSource:
    from flows.sources.rss import open_rss

    return open_rss(settings)


LIVE: dict[str, Callable[[Settings], LiveSource]] = {
    "reddit": _reddit,
    "discourse": _discourse,
    "mastodon": _mastodon,
    "lemmy": _lemmy,
    "bluesky": _bluesky,
    "rss": _rss,
}


def is_live(name: str) -> bool:
    """Whether a word names a live source; a file of the same name goes before it."""
    return name in LIVE and not Path(name).exists()


def takes_columns(names: Iterable[str]) -> bool:
    """Whether any of these sources may have columns that bear other names than ours."""
    return not all(name == SAMPLE or is_live(name) for name in names)


def open_live(platform: str, *, settings: Settings) -> LiveSource:
    """A live source with its credentials; nothing is asked of it yet.

    Raises
    ------
    SourceRefusedError
        Where a credential is missing, with the setting that holds it.
    """
    return LIVE[platform](settings)


def open_source(name: str, *, columns: Mapping[str, str]) -> Source:
    """A source that can be read here and now: `sample`, or the path of a file, folder or glob.

    Raises
    ------
    SourceRefusedError
        Where there is no such source, with what there is.
    """
    if name == SAMPLE:
        return ArchiveSource(str(SAMPLE_DIR), platform=SAMPLE)
    if is_live(name):
        raise SourceRefusedError(f"{name}: is a live source, not a file; gather from it with: coprod listen --source {name}")
    return ArchiveSource(name, columns=columns)
