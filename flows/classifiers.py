"""Which classifier reads: the champion in the store, or the one the project ships where nobody has promoted another."""

from pathlib import Path

from sqlalchemy import Engine, make_url
from sqlmodel import Session

from config.settings import Settings
from coprod_nlp.reading.artefact import ENCODER, MANIFEST, REBUILD, SHIPPED, Artefact, ArtefactError, load_artefact, load_manifest
from models.classifier import Classifier
from models.classifier_queries import champion
from models.session import open_engine, unit_of_work

FOLDER = "classifiers"
GO_BACK = 'go back to the shipped one: coprod classifiers rollback --to-shipped --by NAME --reason "does not load"'


def path_of(version: str) -> str:
    """Where a classifier is kept, below `COPROD_HOME`."""
    return f"{FOLDER}/{version}"


def champion_version(session: Session) -> str:
    """What runs that begin now read with."""
    found = champion(session)
    return found.version if found else load_manifest(SHIPPED).version


def directory_of(settings: Settings, version: str) -> Path:
    """The folder of a version: the shipped one, or one that was made here.

    Raises
    ------
    ArtefactError
        Where it is neither, with what to do.
    """
    folder, shipped = settings.home / path_of(version), load_manifest(SHIPPED)
    if (folder / MANIFEST).exists():
        try:
            found = load_manifest(folder)
        except ArtefactError as error:
            raise ArtefactError(str(error).replace(REBUILD, f"{GO_BACK}, then coprod retrain")) from None
        made_for, now = ((one.encoder_sha256, one.close_sha256) for one in (found, shipped))
        if made_for != now and not (folder / ENCODER).exists():
            raise ArtefactError(f"{folder}: made for other networks than those now shipped; {GO_BACK}, then coprod retrain")
        return folder
    if shipped.version == version:
        return SHIPPED
    raise ArtefactError(f"{folder}: the classifier is not there; restore that folder from its backup, or {GO_BACK}")


def load_classifier(directory: Path) -> Artefact:
    """An artefact to read with; where one that was made here cannot be loaded, the error says how to go back."""
    try:
        return load_artefact(directory)
    except ArtefactError as error:
        if directory == SHIPPED:
            raise
        raise ArtefactError(str(error).replace(REBUILD, f"restore that folder from its backup, or {GO_BACK}")) from None


def is_there(settings: Settings, version: str) -> bool:
    try:
        directory_of(settings, version)
    except ArtefactError:
        return False
    return True


def champion_directory(settings: Settings, engine: Engine | None = None) -> Path:
    """The folder of the classifier to read with, outside of any run; a database that is not there yet is not made for it."""
    if engine is not None:
        with unit_of_work(engine) as session:
            return directory_of(settings, champion_version(session))
    url = make_url(settings.address())
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return SHIPPED
    opened = open_engine(settings.address())
    try:
        return champion_directory(settings, opened)
    finally:
        opened.dispose()


def described(found: Classifier | None) -> str:
    """Where the champion comes from, for a person."""
    if found is None:
        return "shipped with the project"
    return f"promoted by {found.promoted_by}" + (f" on {found.promoted_at:%Y-%m-%d}" if found.promoted_at else "")
