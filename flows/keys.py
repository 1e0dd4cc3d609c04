"""Author keys and the store that holds them: the right secret or none, and a new secret over all of them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from config.settings import Secrets, Settings, SettingsError, add_secret, author_key_file, load_author_key, mark_of, rekeyed
from models import key_actions, right_queries
from models.session import unit_of_work

FIRST_USE = "first use"


@dataclass(frozen=True)
class Rotation:
    """How many keys came under a new secret, and how many secrets there are now."""

    keys: int
    secrets: int


def ready_keys(engine: Engine, settings: Settings) -> Secrets:
    """The secrets behind the author keys, where they are those of this store; a new store is marked with them.

    Raises
    ------
    SettingsError
        Where the store's keys were made with others: objections would no longer be found.
    """
    check_keys(engine, settings)
    secrets = load_author_key(settings)
    with unit_of_work(engine) as session:
        if right_queries.key_state(session.connection()) is None:
            key_actions.record_keys(session, secrets=len(secrets), mark=mark_of(secrets), by=FIRST_USE)
    return secrets


def check_keys(engine: Engine, settings: Settings) -> None:
    """Look whether the secrets are those of this store; nothing is made or noted.

    Raises
    ------
    SettingsError
        Where they are others, or lost.
    """
    with engine.connect() as connection:
        state = right_queries.key_state(connection)
    path = author_key_file(settings)
    if state is None:
        return
    if not settings.author_key and not path.exists():
        raise SettingsError(
            f"{path}: is not there, and this database was made with an author key, so objections would not be found; bring it back from "
            "its backup, or set COPROD_AUTHOR_KEY"
        )
    secrets = load_author_key(settings)
    if state.mark == mark_of(secrets):
        return
    if _is_ahead(secrets, state):
        raise SettingsError("a new author key is not in use yet; finish with: coprod rotate-key --by NAME")
    raise SettingsError(
        "the author key is not the one that this database was made with, so objections would not be found; restore COPROD_AUTHOR_KEY or "
        f"{path} from its backup"
    )


def rotate_key(engine: Engine, settings: Settings, *, by: str) -> Rotation:
    """Put a new secret over all author keys; cut short and started again, it goes on with the same new secret.

    The file of secrets is changed first: a store under a secret that nobody has could never be asked again.

    Raises
    ------
    SettingsError
        Where the secrets are not those of this store, or come from the environment and none was added there.
    """
    secrets = load_author_key(settings)
    with unit_of_work(engine) as session:
        state = right_queries.key_state(session.connection())
    if state is not None and _is_ahead(secrets, state):
        before = state.secrets
    else:
        before = len(ready_keys(engine, settings))
        if settings.author_key:
            raise SettingsError(
                "COPROD_AUTHOR_KEY holds the secret, so you add the new one: write a comma and a new secret after the old one there, and "
                "give this command again; this makes one: python -c 'import secrets; print(secrets.token_hex(32))'"
            )
        secrets = add_secret(settings)
    with unit_of_work(engine) as session:
        keys = key_actions.rekey(session, lambda key: rekeyed(secrets[before:], key), secrets=len(secrets), mark=mark_of(secrets), by=by)
    return Rotation(keys, len(secrets))


def _is_ahead(secrets: Secrets, state: Any) -> bool:
    """Whether the store was made with the first of these secrets, and a new one waits."""
    return bool(state.secrets < len(secrets) and state.mark == mark_of(secrets[: state.secrets]))
