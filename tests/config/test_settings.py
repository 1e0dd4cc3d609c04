"""Settings: unsafe ones are refused without being repeated, the key file is made once, author keys are stable pseudonyms."""

import os
import re
import threading
import traceback
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.settings import (
    MINIMUM_KEY_CHARS,
    PROJECT_DIR,
    Secrets,
    Settings,
    SettingsError,
    add_secret,
    author_key,
    load_author_key,
    load_settings,
    plain_name,
    rekeyed,
)
from models.session import StoreError, open_engine

STRONG = "k3y-0f-thirty-two-characters-abc"
SetUp = Callable[..., None]


@pytest.fixture
def given_environment(monkeypatch: pytest.MonkeyPatch) -> SetUp:
    def give(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"COPROD_{name}", value)

    return give


def refusal(*secrets: str) -> str:
    """What load_settings says; neither that nor anything a traceback would show holds a secret."""
    with pytest.raises(SettingsError) as caught:
        load_settings()
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)
    assert not [secret for secret in secrets if secret in shown]
    return str(caught.value)


def test_without_any_variable_everything_stands_in_the_checkout() -> None:
    settings = load_settings()
    assert (settings.home, settings.config_dir) == (PROJECT_DIR / "var", PROJECT_DIR / "config")
    assert settings.address() == f"sqlite:///{(PROJECT_DIR / 'var' / 'coprod.sqlite3').as_posix()}"
    assert 1 <= settings.reading_processes() <= 4


def test_every_variable_is_read(given_environment: SetUp, tmp_path: Path) -> None:
    given_environment(HOME=str(tmp_path), CONFIG_DIR="elsewhere", DATABASE_URL="sqlite:///x.db", AUTHOR_KEY=STRONG, WORKERS="7")
    settings = load_settings()
    assert (settings.home, settings.config_dir, settings.address()) == (tmp_path, Path("elsewhere"), "sqlite:///x.db")
    assert (settings.reading_processes(), load_author_key(settings)) == (7, (STRONG.encode(),))


@pytest.mark.parametrize(
    "weak",
    [
        pytest.param(STRONG[:-1], id="one character short"),
        pytest.param("abcdefghi" * 9, id="nine different characters"),
        pytest.param("changeme", id="a placeholder"),
        pytest.param(" " * 40, id="blanks"),
    ],
)
def test_a_weak_author_key_is_refused_and_not_repeated(weak: str, given_environment: SetUp) -> None:
    given_environment(AUTHOR_KEY=weak)
    message = refusal(weak)
    assert message.startswith("COPROD_AUTHOR_KEY: too weak; use at least 32 random characters")
    assert "secrets.token_hex(32)" in message


def test_the_shortest_allowed_author_key_is_taken() -> None:
    assert len(STRONG) == MINIMUM_KEY_CHARS
    assert load_author_key(Settings(author_key=STRONG)) == (STRONG.encode(),)


@pytest.mark.parametrize(
    "address",
    ["mysql://officer:hunter2@db/coprod", "sqlite:hunter2.db", "hunter2", "http://hunter2/", "POSTGRES//hunter2"],
)
def test_an_unknown_database_address_is_refused_and_not_repeated(address: str, given_environment: SetUp) -> None:
    given_environment(DATABASE_URL=address)
    message = refusal("hunter2")
    assert message.startswith("COPROD_DATABASE_URL: not understood; use sqlite:///")
    assert "postgresql://" in message


@pytest.mark.parametrize("workers", ["-1", "65", "many", "1.5"])
def test_a_wrong_number_of_workers_is_refused(workers: str, given_environment: SetUp) -> None:
    given_environment(WORKERS=workers)
    assert refusal().startswith("COPROD_WORKERS: ")


def test_every_wrong_variable_is_named_in_one_go(given_environment: SetUp) -> None:
    given_environment(WORKERS="65", AUTHOR_KEY="changeme", DATABASE_URL="mysql://hunter2@db/coprod")
    named = {line.partition(":")[0] for line in refusal("hunter2", "changeme").splitlines()}
    assert named == {"COPROD_WORKERS", "COPROD_AUTHOR_KEY", "COPROD_DATABASE_URL"}


@pytest.mark.parametrize("name", ["AUTHOR_KEY", *(pytest.param(name) for name in ("HOME", "CONFIG_DIR", "DATABASE_URL", "WORKERS"))])
def test_an_empty_variable_counts_as_not_set(name: str, given_environment: SetUp) -> None:
    usual = load_settings()
    given_environment(**{name: ""})
    settings = load_settings()
    assert (settings.home, settings.config_dir, settings.address(), settings.workers, bool(settings.author_key)) == (
        usual.home, usual.config_dir, usual.address(), 0, False,
    )  # fmt: skip


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_a_postgresql_address_reaches_the_same_driver(scheme: str) -> None:
    settings = Settings(database_url=f"{scheme}://officer:a%40b@db:5432/coprod?sslmode=require")
    assert settings.address() == "postgresql+psycopg://officer:a%40b@db:5432/coprod?sslmode=require"


def test_settings_show_no_secret_and_stay_as_they_are() -> None:
    settings = Settings(author_key=STRONG, database_url="postgresql://officer:hunter2@db/coprod")
    assert not [secret for secret in (STRONG, "hunter2") if secret in repr(settings) + str(settings) + settings.model_dump_json()]
    with pytest.raises(ValidationError, match="frozen"):
        settings.workers = 3  # type: ignore[misc]


PASSWORDS = [
    pytest.param("postgresql://officer:hunter2@127.0.0.1:1/coprod", id="in its place"),
    pytest.param("postgresql://127.0.0.1:1/coprod?user=officer&password=hunter2", id="as a parameter"),
    pytest.param("postgresql://officer:p@127.0.0.1:1/hunter2@db/coprod", id="with an @ and a slash of its own"),
    pytest.param("postgresql://officer:hunter2@127.0.0.1:port/coprod", id="before a port that is no number"),
]  # fmt: skip


@pytest.mark.parametrize("address", PASSWORDS)
def test_a_database_that_does_not_answer_is_named_without_its_password(address: str, given_environment: SetUp) -> None:
    given_environment(DATABASE_URL=address)
    with pytest.raises((SettingsError, StoreError)) as caught:
        open_engine(load_settings().address())
    assert "hunter2" not in str(caught.value)
    assert "COPROD_DATABASE_URL" in str(caught.value)


def test_the_key_file_is_made_once_and_used_again(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "new" / "home")
    first = load_author_key(settings)
    path = settings.home / "author.key"
    assert len(first) == 1
    assert re.fullmatch(rb"[0-9a-f]{64}", first[0])
    assert path.read_bytes() == first[0]
    made = path.stat()
    assert load_author_key(settings) == first
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (made.st_mtime_ns, made.st_ino)
    assert [child.name for child in settings.home.iterdir()] == ["author.key"]
    assert load_author_key(Settings(home=tmp_path / "other")) != first


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_only_its_owner_may_read_the_key_file(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        load_author_key(Settings(home=tmp_path))
    finally:
        os.umask(before)
    assert (tmp_path / "author.key").stat().st_mode & 0o777 == 0o600


def test_runs_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    different = 0
    for attempt in range(20):
        settings, at_once = Settings(home=tmp_path / str(attempt)), threading.Barrier(6)

        def load(_: int, settings: Settings = settings, at_once: threading.Barrier = at_once) -> Secrets:
            at_once.wait()
            return load_author_key(settings)

        with ThreadPoolExecutor(6) as pool:
            different += len(set(pool.map(load, range(6)))) > 1
    assert different == 0


def test_a_key_from_the_environment_leaves_no_file(tmp_path: Path) -> None:
    load_author_key(Settings(home=tmp_path / "home", author_key=STRONG))
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("content", [b"", b"a short one\n", b" " * 64, b"\xff\xfe\n"], ids=["empty", "short", "blank", "binary"])
def test_a_key_file_that_is_no_key_is_refused_and_kept(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "author.key"
    path.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load_author_key(Settings(home=tmp_path))
    assert str(caught.value).startswith(f"{path}: too short to be a key; restore it from its backup")
    assert "a short one" not in str(caught.value)
    assert path.read_bytes() == content


def test_author_keys_are_what_they_have_always_been() -> None:
    """Another formula would orphan every stored key, objections included. Worked out with another tool: openssl dgst -hmac."""
    assert author_key((STRONG.encode(),), platform="reddit", author_id="t2_abc") == "082e9652f3d7316d786bf913798898f1"


def test_an_author_key_tells_platforms_ids_and_secrets_apart() -> None:
    asked = [(STRONG, "reddit", "t2_a"), (STRONG, "archive", "t2_a"), (STRONG, "reddit", "t2_b"), (STRONG[::-1], "reddit", "t2_a")]
    keys = {author_key((secret.encode(),), platform=platform, author_id=author) for secret, platform, author in asked}
    assert len(keys) == len(asked)


PLATFORMS = st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True)
ACCOUNTS = st.tuples(PLATFORMS, st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))


def test_a_name_in_other_capitals_is_the_same_account() -> None:
    assert len({author_key((STRONG.encode(),), platform="reddit", author_id=name) for name in ("FooBar", "foobar", "FOOBAR")}) == 1


@pytest.mark.parametrize(
    "name", ["@José", "u/José", "/u/JOSÉ/", "user/José", " @José ", "Jose\u0301", "u/@Jose\u0301", "JOSE\u0301"], ids=ascii
)
def test_a_name_is_the_same_account_whatever_is_written_around_it_and_however_its_letters_are_composed(name: str) -> None:
    written, plain = (author_key((STRONG.encode(),), platform="archive", author_id=each) for each in (name, "Jos\u00e9"))
    assert written == plain


def test_what_only_looks_like_a_prefix_is_a_name() -> None:
    names = ("@", "u/", "dan", "udan", "useru", "dan@town.example", "u_dan", "da@n")
    assert len({author_key((STRONG.encode(),), platform="archive", author_id=name) for name in names}) == len(names)


def test_several_secrets_are_put_one_over_the_other() -> None:
    first, second = STRONG.encode(), STRONG[::-1].encode()
    old = author_key((first,), platform="reddit", author_id="ann")
    assert author_key((first, second), platform="reddit", author_id="ann") == rekeyed([second], old) != old
    assert load_author_key(Settings(author_key=f"{STRONG},{STRONG[::-1]}")) == (first, second)


def test_a_weak_secret_beside_a_strong_one_is_refused(given_environment: SetUp) -> None:
    given_environment(AUTHOR_KEY=f"{STRONG},changeme")
    assert "too weak" in refusal("changeme")


def test_a_secret_that_is_added_to_the_file_comes_after_those_before(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    before = load_author_key(settings)
    assert add_secret(settings)[:-1] == before
    assert len(set(load_author_key(settings))) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["author.key"]


def written_alike(account: tuple[str, str]) -> tuple[str, str]:
    platform, name = account
    return platform, unicodedata.normalize("NFC", (plain_name(name) or name).casefold())


@given(st.lists(ACCOUNTS, unique_by=written_alike, min_size=2, max_size=4))
def test_different_accounts_have_different_keys_that_do_not_show_them(accounts: list[tuple[str, str]]) -> None:
    keys = [author_key((STRONG.encode(),), platform=platform, author_id=author) for platform, author in accounts]
    assert len(set(keys)) == len(accounts)
    assert all(re.fullmatch(r"[0-9a-f]{32}", key) for key in keys)
    assert keys == [author_key((STRONG.encode(),), platform=platform, author_id=author) for platform, author in accounts]
