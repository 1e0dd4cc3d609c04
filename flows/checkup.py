"""What `coprod check` looks at: each answer says what was found and, where it is wrong, what to do. Nothing is made."""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from config.load import ConfigError, Problem, load_config, load_desk
from config.schema import Config
from config.settings import Settings, SettingsError, author_key_file, load_author_key, load_settings
from coprod_nlp.reading.artefact import SHIPPED, ArtefactError
from coprod_nlp.reading.base_model import BaseModelError
from coprod_nlp.reading.reader import Reader
from coprod_nlp.records import PostText
from flows.classifiers import champion_version, described, directory_of, load_classifier
from flows.keys import check_keys
from flows.sources.base import SourceError
from flows.sources.permission import permit
from flows.sources.table import LIVE, open_live
from models import right_queries
from models.base import utc_now
from models.classifier_queries import champion
from models.session import StoreError, open_engine, shown_address, sqlite_file, unit_of_work


@dataclass(frozen=True)
class Check:
    """One answer."""

    what: str
    is_good: bool
    detail: str


def run_checks() -> Iterator[Check]:
    """Settings first: nothing else can be looked at without them."""
    try:
        settings = load_settings()
    except SettingsError as error:
        yield Check("settings", False, str(error))
        return
    known = {f"COPROD_{name.upper()}" for name in Settings.model_fields}
    given = {name for name in os.environ if name.startswith("COPROD_")}
    for name in sorted(given - known):
        yield Check("settings", False, f"{name} is not a setting; known: {', '.join(sorted(known))}")
    yield Check("settings", True, "COPROD_* variables are sound" if given & known else "defaults")
    yield from _configuration(settings)
    for what, look in (
        ("author key", _author_key),
        ("database", _database),
        ("deletion", _deletion),
        ("reader", _reader),
        ("folder", _folder),
    ):
        yield _answer(what, look, settings)


def _configuration(settings: Settings) -> Iterator[Check]:
    """Every mistake of every file; that of the desk too, which is read when the desk opens."""
    config, problems = None, list[Problem]()
    try:
        config = load_config(settings.config_dir)
    except ConfigError as error:
        problems += error.problems
    try:
        load_desk(config, settings.config_dir)
    except ConfigError as error:
        problems += error.problems
    if config and not problems:
        yield Check(
            "configuration", True, f"{len(config.councils)} council, {len(config.communities)} communities, digest {config.digest[:12]}"
        )
    for problem in problems:
        yield Check("configuration", False, str(problem))
    if config:
        yield from _campaigns(config)
        yield from _live_sources(config, settings)


def _answer(what: str, look: Callable[[Settings], str], settings: Settings) -> Check:
    try:
        return Check(what, True, look(settings))
    except OSError as error:
        return Check(what, False, f"{settings.home}: {error.strerror or error}; set COPROD_HOME to a folder that can be written")
    except (SettingsError, StoreError, ArtefactError, BaseModelError) as error:
        return Check(what, False, str(error))


def _campaigns(config: Config) -> Iterator[Check]:
    today = utc_now().date()
    for key, campaign in config.campaigns.items():
        if today < campaign.starts:
            yield Check(
                "campaign",
                False,
                f"{key}: begins on {campaign.starts}; live sources wait until then, or until `starts` in campaigns.toml",
            )
        elif today > campaign.ends:
            yield Check("campaign", False, f"{key}: ended on {campaign.ends}; live sources stop until `ends` in campaigns.toml is later")
        elif today > campaign.dpia_review:
            yield Check("campaign", False, f"{key}: its DPIA was due for review on {campaign.dpia_review}; review it and set `dpia_review`")
        else:
            yield Check("campaign", True, f"{key}: until {campaign.ends}")


def _live_sources(config: Config, settings: Settings) -> Iterator[Check]:
    """Whether each platform that a campaign names could be gathered from now. Nothing is asked of it."""
    for key, campaign in config.campaigns.items():
        for platform in sorted({name.partition(":")[0] for name in campaign.communities} & LIVE.keys()):
            try:
                permit(config, platform=platform, council=campaign.council, campaign=key, today=utc_now().date())
                open_live(platform, settings=settings).close()
            except SourceError as error:
                yield Check("source", False, str(error))
            else:
                yield Check("source", True, f"{platform}: campaign {key} and credentials are there")


def _author_key(settings: Settings) -> str:
    engine, path = _store(settings, or_none=True), author_key_file(settings)
    if engine:
        try:
            check_keys(engine, settings)
        finally:
            engine.dispose()
    if settings.author_key:
        return "from COPROD_AUTHOR_KEY"
    if not path.exists():
        return f"none yet; the first run makes {path}"
    load_author_key(settings)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise SettingsError(f"{path}: others can read it; run: chmod 600 {path}")
    return f"in {path}; keep a copy of it apart from the database"


def _database(settings: Settings) -> str:
    engine = _store(settings)
    if engine is None:
        return f"{sqlite_file(settings.address())} is not there yet; the first command that stores something makes it"
    name = shown_address(engine.url)
    engine.dispose()
    path = sqlite_file(settings.address())
    if path and os.name == "posix" and path.stat().st_mode & 0o004 and path.parent.stat().st_mode & 0o001:
        raise StoreError(f"{path}: every user of this machine can read it; run: chmod 600 {path}*")
    return f"{name} answers and its schema is up to date"


def _store(settings: Settings, *, or_none: bool = False) -> Engine | None:
    """The database; None where its file is not there yet, as nothing is made here, or where it need not answer."""
    path = sqlite_file(settings.address())
    if path and not path.exists():
        return None
    try:
        return open_engine(settings.address())
    except StoreError:
        if or_none:
            return None
        raise


def _deletion(settings: Settings) -> str:
    """Whether stored posts are looked at again in time, and reports follow."""
    try:
        config, engine = load_config(settings.config_dir), _store(settings)
    except (ConfigError, StoreError, OSError):
        return "not looked at: something that it needs is named above or below"
    if engine is None:
        return "nothing is stored yet"
    now = utc_now()
    try:
        with engine.connect() as connection:
            for platform in LIVE:
                limit = now - timedelta(hours=config.recheck_hours(platform))
                if late := right_queries.count_due(connection, platform, seen_before=limit):
                    raise StoreError(
                        f"{late:,} posts of {platform} were not looked at for {config.recheck_hours(platform)} hours; run once a day: "
                        "coprod reconcile"
                    )
            if waiting := len(right_queries.stale_reports(connection)) + len(right_queries.stale_exports(connection)):
                raise StoreError(f"{waiting:,} reports or exports may show what was removed; run: coprod renew")
    finally:
        engine.dispose()
    return "every post of a live platform was looked at in time; no report or export waits"


def _reader(settings: Settings) -> str:
    directory, whose = _champion(settings)
    reader = Reader(load_classifier(directory))
    reader.read([PostText("t1_check", "", "I can lend my van for the clean-up.")])
    return f"{reader.version} reads, {whose}"


def _champion(settings: Settings) -> tuple[Path, str]:
    """The folder of what runs read with, and where it comes from."""
    try:
        engine = _store(settings)
    except StoreError:
        return SHIPPED, "shipped with the project; without the database it is not known whether another was promoted"
    if engine is None:
        return SHIPPED, "shipped with the project"
    try:
        with unit_of_work(engine) as session:
            return directory_of(settings, champion_version(session)), described(champion(session))
    finally:
        engine.dispose()


def _folder(settings: Settings) -> str:
    place = settings.home
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(place, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return f"{settings.home} can be written"
