"""Everything a person can get wrong about a run is said before the flow engine takes its ten seconds."""

import shutil
from pathlib import Path

from config.load import load_config
from config.settings import Settings, SettingsError
from flows.job import RequestError, make_request
from flows.sources.table import is_live, open_source
from flows.steps.poll import open_permitted
from models.session import open_engine

ROOM_BYTES = 64 * 2**20


def check_before(
    settings: Settings,
    out: Path | None,
    *,
    council: str | None,
    sources: list[str] | None,
    columns: dict[str, str],
    since: str | None,
    until: str | None,
    campaign: str | None,
) -> None:
    """Refuse what no run could do."""
    config = load_config(settings.config_dir)
    request = make_request(config, council=council, sources=sources, columns=columns, since=since, until=until, campaign=campaign)
    for name in request.sources:
        if is_live(name):
            open_permitted(config, settings, request, platform=name)[1].close()
        else:
            open_source(name, columns=columns)
    _writable(settings.home, "COPROD_HOME", mode=0o700)
    if (free := shutil.disk_usage(settings.home).free) < ROOM_BYTES:
        raise SettingsError(
            f"COPROD_HOME {settings.home}: {free // 2**20:,} MB are free there, too little for database and flow engine; make room for "
            f"{ROOM_BYTES // 2**20:,} MB at least"
        )
    if out:
        _writable(out, "--out", mode=0o777)
    open_engine(settings.address()).dispose()


def _writable(folder: Path, name: str, *, mode: int) -> None:
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        kind = RequestError if name.startswith("--") else SettingsError
        raise kind(f"{name} {folder}: cannot be used ({error.strerror}); choose a folder that can be written") from None
