"""How this installation runs: read from the environment once, refused where unsafe, then passed as an argument."""

import hmac
import os
import re
import secrets
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_DIR = Path(__file__).parent.parent
KEY_BYTES = 32
MINIMUM_KEY_CHARS = 32
MINIMUM_DISTINCT_CHARS = 10
LOOPBACK = ("127.0.0.1", "localhost", "::1")
KEY_CHARS = 32
BEFORE_A_NAME = re.compile(r"(?i)\A(?:/?u(?:ser)?/|@|\s)+")

# What author keys are made with, oldest first. Each new one is put over the keys that those before it made.
Secrets = tuple[bytes, ...]


class SettingsError(Exception):
    """A setting is missing or unsafe; the message names it and the remedy."""


class Settings(BaseSettings):
    """Environment variables `COPROD_*`; every one has a default that works on a laptop."""

    model_config = SettingsConfigDict(env_prefix="COPROD_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    home: Path = Field(default=PROJECT_DIR / "var", description="Folder for the database, the key and Prefect's own files.")
    config_dir: Path = Field(default=PROJECT_DIR / "config", description="Folder of the TOML files.")
    database_url: SecretStr | None = Field(default=None, description="SQLAlchemy address; SQLite in `home` where unset.")
    author_key: SecretStr | None = Field(default=None, description="Secret that turns author ids into keys; a file in `home` where unset.")
    workers: int = Field(default=0, ge=0, le=64, description="Reading processes; 0 takes the number of processors, at most 4.")

    desk_address: str = Field(default="http://127.0.0.1:8040", description="Where people reach the desk, as they type it.")
    oidc_issuer: str | None = Field(default=None, description="Address of the council's OpenID Connect provider.")
    oidc_client_id: str | None = Field(default=None, description="What the provider calls the desk.")
    oidc_client_secret: SecretStr | None = Field(default=None, description="The secret that the provider gave for the desk.")

    @field_validator("desk_address", "oidc_issuer")
    @classmethod
    def _reachable_safely(cls, value: str | None) -> str | None:
        """Over plain http passwords can be read on the way; on one machine there is no way."""
        if value is None:
            return None
        address = urlsplit(value)
        if address.scheme == "https" and address.hostname:
            return value.rstrip("/")
        if address.scheme == "http" and address.hostname in LOOPBACK:
            return value.rstrip("/")
        raise ValueError(f"should begin with https:// and name a host; http:// only for {', '.join(LOOPBACK)}")

    reddit_client_id: SecretStr | None = Field(default=None, description="Id of the app that Reddit approved.")
    reddit_client_secret: SecretStr | None = Field(default=None, description="Its secret.")
    reddit_account: str | None = Field(default=None, description="Reddit account that answers for the app, named in its user agent.")
    reddit_address: str | None = Field(default=None, description="A stand-in for Reddit on this machine, for trials.")

    contact: str | None = Field(
        default=None, description="Web page or e-mail address of who answers for requests to forums; named in each."
    )
    mastodon_tokens: SecretStr | None = Field(default=None, description="For servers that show timelines to members only: HOST=TOKEN,…")

    @field_validator("contact")
    @classmethod
    def _one_can_write_to(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^\s()]{3,200}|(mailto:)?[^\s()@]{1,64}@[^\s()@]{3,200}", value):
            raise ValueError("should be a web page (https://…) or an e-mail address")
        return value

    @field_validator("reddit_account")
    @classmethod
    def _account(cls, value: str | None) -> str | None:
        name = (value or "").removeprefix("/").removeprefix("u/")
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{3,20}", name):
            raise ValueError("should be the name of a Reddit account, such as marlowick_council")
        return name or None

    @field_validator("reddit_address")
    @classmethod
    def _on_this_machine(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"http://(127\.0\.0\.1|localhost):\d{1,5}", value):
            raise ValueError("should be on this machine, as http://127.0.0.1:8080; leave it unset for the real Reddit")
        return value

    @field_validator("author_key")
    @classmethod
    def _strong(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not _is_strong(_secrets(value.get_secret_value())):
            make_one = "python -c 'import secrets; print(secrets.token_hex(32))'"
            raise ValueError(f"too weak; use at least {MINIMUM_KEY_CHARS} random characters, such as those of: {make_one}")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://", "postgres://")):
            raise ValueError("not understood; use sqlite:///path/to/file or postgresql://user:password@host/database")
        return value

    def address(self) -> str:
        """SQLAlchemy address of the database."""
        if self.database_url is None:
            return f"sqlite:///{(self.home / 'coprod.sqlite3').as_posix()}"
        url = self.database_url.get_secret_value()
        scheme, _, rest = url.partition("://")
        return f"postgresql+psycopg://{rest}" if scheme in {"postgres", "postgresql"} else url

    def reading_processes(self) -> int:
        return self.workers or min(4, os.cpu_count() or 1)


def load_settings() -> Settings:
    """Settings from the environment.

    Raises
    ------
    SettingsError
        Naming each variable, without its value: it may be a secret.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"COPROD_{str(item['loc'][0]).upper()}: {item['msg'].removeprefix('Value error, ')}" for item in error.errors()]
        raise SettingsError("\n".join(lines)) from None


def load_author_key(settings: Settings) -> Secrets:
    """The secrets behind author keys, oldest first: from the environment, else from a file of its own that is made on first use."""
    if settings.author_key:
        return _secrets(settings.author_key.get_secret_value())
    path = author_key_file(settings)
    if not path.exists():
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = _draft(path, [new_secret()])
        with suppress(FileExistsError):  # another run that started at the same moment made it: that one counts
            os.link(draft, path)
        draft.unlink()
    found = _secrets(path.read_text(encoding="ascii", errors="replace"))
    if not found or min(map(len, found)) < MINIMUM_KEY_CHARS:
        raise SettingsError(f"{path}: too short to be a key; restore it from its backup; delete it only where nothing is stored yet")
    return found


def author_key_file(settings: Settings) -> Path:
    return settings.home / "author.key"


def add_secret(settings: Settings) -> Secrets:
    """Put a new secret after those in the file; the file is changed whole or not at all."""
    path = author_key_file(settings)
    texts = [secret.decode() for secret in load_author_key(settings)]
    _draft(path, [*texts, new_secret()]).replace(path)
    return load_author_key(settings)


def new_secret() -> str:
    return secrets.token_hex(KEY_BYTES)


def plain_name(name: str) -> str:
    """The name of an account without what people write around it, its letters always composed alike: `/u/Ann/` and `@Ann` are `Ann`."""
    return unicodedata.normalize("NFC", BEFORE_A_NAME.sub("", name).strip("/ "))


def author_key(secret: Secrets, *, platform: str, author_id: str) -> str:
    """Keyed pseudonym of one account: 32 hexadecimal characters of HMAC-SHA256 over platform and id, once for each secret.

    Platforms tell no two accounts apart by capitals alone, and people and archives write names either way: capitals, how letters are
    composed and what stands around a plain name make no difference.
    """
    first, *later = secret
    name = unicodedata.normalize("NFC", (plain_name(author_id) or author_id).casefold())
    return rekeyed(later, hmac.digest(first, f"{platform}\0{name}".encode(), "sha256").hex()[:KEY_CHARS])


def address_key(secret: Secrets, *, platform: str, address: str) -> str:
    """What stands in ids for a post's address that names its author. Of the first secret alone: a new one changes no id."""
    return hmac.digest(secret[0], f"{platform}\0address\0{address}".encode(), "sha256").hex()[:KEY_CHARS]


def rekeyed(later: Sequence[bytes], key: str) -> str:
    """A key made with earlier secrets, under later ones too."""
    for secret in later:
        key = hmac.digest(secret, key.encode(), "sha256").hex()[:KEY_CHARS]
    return key


def mark_of(secret: Secrets) -> str:
    """By which secrets are known again without being shown."""
    return author_key(secret, platform="coprod", author_id="mark")


def _secrets(text: str) -> Secrets:
    """One a line, or with commas between."""
    parts = (part.strip() for part in text.replace(",", "\n").splitlines())
    return tuple(part.encode() for part in parts if part)


def _is_strong(secret: Secrets) -> bool:
    return bool(secret) and all(len(one) >= MINIMUM_KEY_CHARS and len(set(one)) >= MINIMUM_DISTINCT_CHARS for one in secret)


def _draft(path: Path, texts: Sequence[str]) -> Path:
    draft = path.with_suffix(f".{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text("\n".join(texts), encoding="ascii")
    return draft
