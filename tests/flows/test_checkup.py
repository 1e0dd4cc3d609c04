"""What is wrong with a set-up is named with its remedy: by `coprod check`, and by `coprod listen` before the flow engine starts."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from config.load import CONFIG_DIR
from config.schema import Config
from config.settings import SettingsError, load_author_key, load_settings
from flows.__main__ import app
from flows.checkup import Check, run_checks
from flows.keys import ready_keys
from models.base import utc_now
from models.session import open_engine
from tests.fakes.live import write_config
from tests.fakes.reddit import ACCOUNT, CLIENT_ID, CLIENT_SECRET, FakeReddit
from tests.fakes.reddit_world import World

UNREACHABLE = "postgresql://coprod:hunter2@127.0.0.1:1/coprod"
NEVER, LONG_AGO = "2999-01-01", "2001-01-01"
CAMPAIGN = """[listening]
council = "{council}"
purpose = "Find people who would help run the parks."
statutory_function = "Localism Act 2011 s.1"
lawful_basis = "public_task"
dpia_reference = "DPIA-1"
dpia_review = {review}
privacy_notice = "https://thornby.example/privacy"
starts = {starts}
ends = {ends}
communities = []
"""
GOOD = ["settings", "configuration", "campaign", "author key", "database", "deletion", "reader", "folder"]


def campaign_in(directory: Path, council: str, *, starts: str = LONG_AGO, ends: str = NEVER, review: str = NEVER) -> Path:
    """The shipped configuration with one campaign whose dates do not depend on today's."""
    shutil.copytree(CONFIG_DIR, directory, ignore=shutil.ignore_patterns("*.py", "__pycache__"), dirs_exist_ok=True)
    text = CAMPAIGN.format(council=council, starts=starts, ends=ends, review=review)
    (directory / "campaigns.toml").write_text(text, encoding="utf-8")
    return directory


def change(path: Path, old: str, new: str) -> None:
    changed, places = re.subn(old, new, path.read_text(encoding="utf-8"))
    assert places == 1
    path.write_text(changed, encoding="utf-8")


@pytest.fixture
def directory(tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set-up without a fault, in tmp_path/home and tmp_path/config; gives the latter."""
    directory = campaign_in(tmp_path / "config", next(iter(config.councils)))
    for name, value in {"COLUMNS": "600", "COPROD_HOME": str(tmp_path / "home"), "COPROD_CONFIG_DIR": str(directory)}.items():
        monkeypatch.setenv(name, value)
    return directory


def problems() -> list[Check]:
    return [check for check in run_checks() if not check.is_good]


def run_command(code: int) -> list[str]:
    """The lines of `coprod check`, which must end with this exit code and without a traceback."""
    result = CliRunner().invoke(app, ["check"])
    assert isinstance(result.exception, SystemExit | None), repr(result.exception)
    assert result.exit_code == code
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    wanted = sum(line.startswith("problem ") for line in lines)
    assert result.stderr == (f"{wanted} of the above to put right.\n" if wanted else "")
    return lines


def test_a_sound_set_up_is_well_on_either_database(address: str, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPROD_DATABASE_URL", address)
    open_engine(load_settings().address()).dispose()
    load_author_key(load_settings())
    lines = run_command(0)
    assert [re.sub(r"^ok ", "", line).startswith(what) for line, what in zip(lines, GOOD, strict=True)] == [True] * len(GOOD)
    assert "campaign listening: until 2999-01-01" in lines[2]
    assert str(tmp_path / "home" / "author.key") in lines[3]
    assert re.search(r"(sqlite|postgresql\+psycopg)://.* answers and its schema is up to date", lines[4])
    assert {path.name for path in (tmp_path / "home").iterdir()} == {"author.key"}


def test_a_new_set_up_is_well_and_nothing_is_made(directory: Path, tmp_path: Path) -> None:
    lines = run_command(0)
    assert "none yet; the first run makes" in lines[3]
    assert "is not there yet; the first command that stores something makes it" in lines[4]
    assert {path.name for path in tmp_path.iterdir()} == {"config"}


@pytest.mark.parametrize("content", [None, "", "x" * 64], ids=["lost", "damaged", "another"])
def test_a_key_that_is_not_the_databases_is_named_and_no_other_is_made(content: str | None, directory: Path, tmp_path: Path) -> None:
    settings, key = load_settings(), tmp_path / "home" / "author.key"
    engine = open_engine(settings.address())
    ready_keys(engine, settings)
    key.unlink()
    if content is not None:
        key.write_text(content, encoding="ascii")
        key.chmod(0o600)
    (problem,) = problems()
    assert problem.what == "author key"
    assert "from its backup" in problem.detail
    with pytest.raises(SettingsError, match="from its backup"):
        ready_keys(engine, settings)
    assert (key.read_text(encoding="ascii") if key.exists() else None) == content
    engine.dispose()


def test_an_unsafe_setting_is_the_only_answer_and_is_not_repeated(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPROD_AUTHOR_KEY", "changeme")
    (line,) = run_command(3)
    assert line.startswith("problem settings COPROD_AUTHOR_KEY: too weak; use at least 32 random characters")
    assert "changeme" not in line
    assert not (tmp_path / "home").exists()


def test_every_problem_is_named_in_one_go_with_its_place_and_remedy(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(directory / "ranking.toml", r"(?m)^minimum_voices = \d+$", "minimum_voices = 2")
    (directory / "retention.toml").unlink()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "author.key").write_text("short", encoding="ascii")
    monkeypatch.setenv("COPROD_DATABASE_URL", UNREACHABLE)
    shown = {line for line in run_command(3) if line.startswith("problem ")}
    patterns = [
        r"problem configuration .*ranking\.toml:\d+: minimum_voices = 2: should be greater than or equal to 3",
        r"problem configuration .*retention\.toml:1: .*the file is missing; copy it from the project",
        r"problem author key .*author\.key: too short to be a key; restore it from its backup; delete it only where nothing is stored yet",
        r"problem database cannot open postgresql\+psycopg://coprod:\*\*\*@127\.0\.0\.1:1/coprod: .*; check COPROD_DATABASE_URL",
    ]
    assert len(shown) == len(patterns)
    assert not [pattern for pattern in patterns if not any(re.match(pattern, line) for line in shown)]
    assert not [line for line in shown if "hunter2" in line]


DESK = {
    "missing": (None, r"desk\.toml:1: .*the file is missing"),
    "no TOML": (b"colour = \n", r"desk\.toml:1: .*not valid TOML"),
    "binary": (b"\x00\xff\xfe", r"desk\.toml:1: .*not UTF-8"),
    "unknown council": (b"[atlantis]\ncool_off_days = 30\n", r"desk\.toml:1: atlantis .*unknown council; allowed: marlowick"),
}


@pytest.mark.parametrize(("content", "said"), DESK.values(), ids=DESK)
@pytest.mark.parametrize("is_alone", [True, False], ids=["alone", "beside another"])
def test_mistakes_in_the_desks_rules_are_named_too(content: bytes | None, said: str, is_alone: bool, directory: Path) -> None:
    if content is None:
        (directory / "desk.toml").unlink()
    else:
        (directory / "desk.toml").write_bytes(content)
    if not is_alone:
        (directory / "retention.toml").unlink()
    named = [problem.detail for problem in problems() if problem.what == "configuration"]
    is_councils = "council" in said
    assert any(re.search(said, detail) for detail in named) is (is_alone or not is_councils)
    assert any("retention.toml" in detail for detail in named) is not is_alone


CAMPAIGNS = [
    pytest.param({"ends": "2001-01-02"}, r"listening: ended on 2001-01-02; .*until `ends` in campaigns\.toml is later", id="ended"),
    pytest.param({"review": LONG_AGO}, r"listening: its DPIA was due for review on 2001-01-01; .*set `dpia_review`", id="review overdue"),
    pytest.param({"starts": "2998-01-01"}, r"listening: .*2998-01-01.*`starts`", id="not begun"),
]


@pytest.mark.parametrize(("dates", "said"), CAMPAIGNS)
def test_a_campaign_that_does_not_hold_today_is_named(dates: dict[str, str], said: str, directory: Path, config: Config) -> None:
    campaign_in(directory, next(iter(config.councils)), **dates)
    (problem,) = problems()
    assert problem.what == "campaign"
    assert re.match(said, problem.detail)


def test_a_campaign_holds_on_its_last_day(directory: Path, config: Config) -> None:
    today = utc_now().date()
    campaign_in(directory, next(iter(config.councils)), ends=today.isoformat(), review=today.isoformat())
    assert problems() == [] or utc_now().date() != today


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604], ids=["the group", "everybody"])
def test_a_key_file_that_others_can_read_is_named_with_what_to_run(mode: int, directory: Path, tmp_path: Path) -> None:
    load_author_key(load_settings())
    path = tmp_path / "home" / "author.key"
    path.chmod(mode)
    (problem,) = problems()
    assert (problem.what, problem.detail) == ("author key", f"{path}: others can read it; run: chmod 600 {path}")
    path.chmod(0o600)
    assert problems() == []


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_a_database_that_everybody_can_read_is_named_with_what_to_run(directory: Path, tmp_path: Path) -> None:
    open_engine(load_settings().address()).dispose()
    home, path = tmp_path / "home", tmp_path / "home" / "coprod.sqlite3"
    assert problems() == []
    path.chmod(0o644)
    assert problems() == [], "nobody else can enter the folder"
    home.chmod(0o755)
    (problem,) = problems()
    assert (problem.what, problem.detail) == ("database", f"{path}: every user of this machine can read it; run: chmod 600 {path}*")
    path.chmod(0o640)
    assert problems() == [], "shared with a group on purpose"


STORES = [
    pytest.param("sqlite:///{}/notes.txt", id="not a database"),
    pytest.param("sqlite:///{}/newer.db", id="of a newer version"),
    pytest.param("sqlite:///{}", id="a folder"),
]


@pytest.mark.parametrize("address", STORES)
def test_a_database_that_cannot_be_used_is_named(address: str, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes.txt").write_text("Bring gloves, bags and a flask of tea. " * 50, encoding="utf-8")
    newer = sqlite3.connect(tmp_path / "newer.db")
    newer.executescript("CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('9999')")
    newer.close()
    monkeypatch.setenv("COPROD_DATABASE_URL", address.format(tmp_path.as_posix()))
    (line,) = [line for line in run_command(3) if line.startswith("problem ")]
    assert re.match(r"problem database cannot open sqlite:///.*; check COPROD_DATABASE_URL", line)


def test_a_home_that_cannot_be_made_ends_in_words(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    monkeypatch.setenv("COPROD_HOME", str(tmp_path / "file" / "home"))
    lines = run_command(3)
    assert [line.split()[1] for line in lines if line.startswith("problem ")] == ["folder"]


def test_a_home_that_cannot_be_made_has_a_remedy(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    monkeypatch.setenv("COPROD_HOME", str(tmp_path / "file" / "home"))
    assert not [problem for problem in problems() if "COPROD_HOME" not in problem.detail]


def test_a_variable_that_nobody_reads_is_named(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPROD_DATABSE_URL", "sqlite:///x.db")
    (problem,) = problems()
    assert "COPROD_DATABSE_URL" in problem.detail
    assert "COPROD_DATABASE_URL" in problem.detail


def leave_out_animals(directory: Path) -> None:
    for name, table in (("policy_areas", "animals"), ("councils", r"marlowick\.areas\.animals")):
        change(directory / f"{name}.toml", rf"(?s)\[{table}\].*?(?=\n\[|\Z)", "")


def test_a_policy_area_that_was_left_out_is_named(directory: Path) -> None:
    leave_out_animals(directory)
    (problem,) = problems()
    assert problem.what == "configuration"
    assert "animals" in problem.detail


# The same set-ups to `coprod listen`, and options it looks at too late. All in one process of its own, with a flow engine where no
# server answers: what starts a flow ends there.
DRIVER = """
import json, sys
from typer.testing import CliRunner
from flows.__main__ import app
for arguments, environment in json.loads(sys.argv[1]):
    result = CliRunner().invoke(app, ["listen", *arguments], env=environment)
    print(json.dumps([result.exit_code, isinstance(result.exception, SystemExit), result.stderr]))
"""
FAILED, USAGE, CONFIG, STORE = 1, 2, 3, 5
LISTENING = [
    # name, arguments, environment (TMP is a folder), exit code, what must be said
    ("since not a date", ["--since", "x"], {}, USAGE, "--since x"),
    ("database out of reach", [], {"COPROD_DATABASE_URL": UNREACHABLE}, STORE, "cannot open postgresql"),
    ("file that is no database", [], {"COPROD_DATABASE_URL": "sqlite:///TMP/notes.txt"}, STORE, "notes.txt"),
    ("home that cannot be made", [], {"COPROD_HOME": "TMP/notes.txt/home"}, CONFIG, "COPROD_HOME"),
    ("report that cannot be written", ["--out", "TMP/notes.txt/out"], {}, USAGE, "--out"),
    ("columns of another name", ["--columns", "colour=Farbe"], {}, USAGE, "colour"),
    ("columns of no name", ["--columns", "=ID"], {}, USAGE, "OURS=THEIRS"),
    ("policy area left out", [], {"COPROD_CONFIG_DIR": "TMP/config"}, CONFIG, "animals"),
    ("engine out of reach", [], {}, FAILED, "PREFECT_API_URL"),
]
CASES = [pytest.param(name, *wanted, id=name) for name, _, _, *wanted in LISTENING]
Driven = dict[str, list[Any]]


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory, config: Config) -> Driven:
    tmp = tmp_path_factory.mktemp("driven")
    (tmp / "notes.txt").write_text("Bring gloves, bags and a flask of tea. " * 50, encoding="utf-8")
    leave_out_animals(campaign_in(tmp / "config", next(iter(config.councils))))
    usual = {"PREFECT_API_URL": "http://127.0.0.1:1/api", "COPROD_HOME": str(tmp / "home"), "COLUMNS": "200"}
    given = json.dumps([(arguments, usual | changed) for _, arguments, changed, *_ in LISTENING]).replace("TMP", tmp.as_posix())
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COPROD_")}
    done = subprocess.run([sys.executable, "-c", DRIVER, given], env=clean, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return {case[0]: json.loads(line) for case, line in zip(LISTENING, done.stdout.splitlines(), strict=True)}


@pytest.mark.parametrize(("name", "code", "said"), CASES)
def test_what_the_flow_would_stumble_over_is_said_before_it_starts(name: str, code: int, said: str, driven: Driven) -> None:
    assert driven[name][:2] == [code, True]
    assert said in driven[name][2]
    assert "hunter2" not in driven[name][2]


@pytest.mark.parametrize(("approval", "is_good"), [("FICTIONAL-APPROVAL-1", True), ("", False)], ids=["complete", "without approval"])
def test_whether_a_live_source_could_be_gathered_from_is_said_without_asking_it(
    approval: str, is_good: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_config(
        tmp_path / "config", "marlowick", campaign=f'reddit_approval = "{approval}"' if approval else "reddit_approval = "
    )
    with FakeReddit(World()) as reddit:
        values = {"HOME": tmp_path / "home", "CONFIG_DIR": folder, "REDDIT_CLIENT_ID": CLIENT_ID, "REDDIT_CLIENT_SECRET": CLIENT_SECRET,
                  "REDDIT_ACCOUNT": ACCOUNT, "REDDIT_ADDRESS": reddit.address}  # fmt: skip
        for name, value in values.items():
            monkeypatch.setenv(f"COPROD_{name}", str(value))
        (found,) = [check for check in run_checks() if check.what == "source"]
        assert (found.is_good, reddit.requests) == (is_good, [])
    assert ("campaign listening and credentials are there" in found.detail) is is_good
    assert ("no `reddit_approval`" in found.detail) is not is_good
    assert CLIENT_SECRET not in found.detail
