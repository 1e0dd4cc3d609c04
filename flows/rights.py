"""What somebody asks for under the UK GDPR: who is meant, what is done, and the certificate of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from config.handles import HandleError, account_of, keys_of_handle, permalink_forms
from config.schema import Config
from config.settings import Settings
from coprod_nlp.vocabulary import Right
from flows.certificate import make_certificate, ready_folder, write_certificate
from flows.job import RequestError
from flows.keys import ready_keys
from flows.renewal import renew
from models import right_actions, right_queries
from models.base import utc_now
from models.removal import Removal
from models.session import unit_of_work

CASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./_-]{0,39}")
LONGEST_NAME = 80


@dataclass(frozen=True)
class Person:
    """Whose request it is: every author key the account may have here; the message that was pointed at, if one was."""

    keys: frozenset[str]
    post_id: str | None = None


@dataclass(frozen=True)
class Answer:
    """What was done: rows that went, where the certificate is, whether freed space is wiped, and which files were not reached."""

    removal: Removal
    certificate: Path
    is_wiped: bool
    unreached: tuple[str, ...]


def find_person(
    engine: Engine, *, settings: Settings, config: Config, handle: str | None, on: Sequence[str], permalink: str | None
) -> Person:
    """Author keys from a name and where it is used, or from a link to one message.

    Raises
    ------
    RequestError
        Where it is not clear who is meant, with what to give.
    """
    if (handle is None) == (permalink is None):
        raise RequestError("give either --handle NAME with --on, or --permalink LINK")
    secrets = ready_keys(engine, settings)
    if permalink is not None:
        return _author_at(engine, permalink)
    stored = _stored_places(engine)
    known = sorted(stored.union(*((one.platform, one.community_id) for one in config.communities)))
    if not on:
        raise RequestError(f"--on is needed: where is this name used? People are not looked for elsewhere. Known: {', '.join(known)}")
    if wrong := [place for place in on if place not in known]:
        raise RequestError(f"--on {wrong[0]}: nothing was collected there and nothing is configured; known: {', '.join(known)}")
    assert handle is not None  # noqa: S101  (checked above)
    try:
        if not account_of(handle)[0]:
            raise RequestError("--handle: is empty; give the name of the account")
        return Person(keys_of_handle(secrets, handle, on=on, communities=config.communities, stored=stored))
    except HandleError as error:
        raise RequestError(f"--handle: {error}") from None


def count_posts(engine: Engine, person: Person) -> int:
    """How many messages of a person are stored."""
    with engine.connect() as connection:
        return len(right_queries.posts_of_keys(connection, person.keys))


def keep_out(
    engine: Engine, person: Person, *, right: Right, case: str, by: str, out: Path | None, settings: Settings, config: Config
) -> Answer:
    """Remove everything of a person and keep them out from now on; reports and exports follow; a certificate says so."""
    case, by, folder = checked_case(case), checked_name(by), _certificates(out, settings)
    with unit_of_work(engine) as session:
        removal = right_actions.keep_out(session, person.keys, right=right, case=case, by=by)
    return _finish(engine, removal, right=right, case=case, by=by, folder=folder, settings=settings, config=config, keys=len(person.keys))


def erase_message(engine: Engine, person: Person, *, case: str, by: str, out: Path | None, settings: Settings, config: Config) -> Answer:
    """Remove the one message that was pointed at, and never collect it again."""
    case, by, folder = checked_case(case), checked_name(by), _certificates(out, settings)
    if person.post_id is None:
        raise RequestError("--only-message needs --permalink: which message is it?")
    with unit_of_work(engine) as session:
        removal = right_actions.erase_message(session, person.post_id, case=case, by=by)
    return _finish(engine, removal, right=Right.ERASURE, case=case, by=by, folder=folder, settings=settings, config=config, keys=0)


def checked_case(case: str) -> str:
    """A reference that may stand in the audit log."""
    if not CASE.fullmatch(case.strip()):
        raise RequestError("--case: wanted the reference under which the request is filed, such as DPO-2026-14: 1 to 40 letters and digits")
    return case.strip()


def checked_name(by: str) -> str:
    by = " ".join(by.split())
    if not by or len(by) > LONGEST_NAME:
        raise RequestError(f"--by: wanted a name of 1 to {LONGEST_NAME} characters, such as your own; it has {len(by)}")
    return by


def _certificates(out: Path | None, settings: Settings) -> Path:
    """The folder for certificates, tried before anything is removed."""
    folder = out or settings.home / "certificates"
    ready_folder(folder)
    return folder


def _finish(
    engine: Engine, removal: Removal, *, right: Right, case: str, by: str, folder: Path, settings: Settings, config: Config, keys: int
) -> Answer:
    renewal = renew(engine, settings=settings, config=config, by=by)
    certificate = make_certificate(
        right=right, case=case, by=by, at=utc_now(), keys=keys, rows=removal.counts, files=renewal.as_counts(),
        unreached=renewal.unreached, is_one_message=not keys,
    )  # fmt: skip
    path, digest = write_certificate(folder, certificate)
    with unit_of_work(engine) as session:
        right_actions.record_certificate(session, case=case, digest=digest, by=by)
    return Answer(removal, path, renewal.is_wiped, renewal.unreached)


def _author_at(engine: Engine, permalink: str) -> Person:
    """The author of the message at a link, or of the message of an id as reports and exports show it."""
    with engine.connect() as connection:
        found = right_queries.post_at(connection, permalink_forms(permalink)) or right_queries.post_called(connection, permalink.strip())
    if found is None:
        raise RequestError(
            "--permalink: no message of this address is stored; give --handle NAME with --on, which keeps the person out all the same"
        )
    if found.author_key is None:
        raise RequestError("--permalink: this message is stored without an author; give --handle NAME with --on")
    return Person(frozenset({found.author_key}), found.post_id)


def _stored_places(engine: Engine) -> set[str]:
    """Platforms and communities with messages here."""
    with engine.connect() as connection:
        return {name for place in right_queries.stored_communities(connection) for name in place}
