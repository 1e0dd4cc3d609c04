"""What holds for the project as a whole: names, lock files, tables, documentation, form."""

import importlib
import json
import pkgutil
import re
import shutil
import subprocess
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import typer

import models
from config.settings import PROJECT_DIR, Settings
from coprod_nlp.reading.base_model import PREPARED
from flows.__main__ import app
from models.base import Table, metadata, tables

PACKAGES = ("config", "coprod_nlp", "models", "flows", "desk")
# The desk hands its own environment on to the commands that it starts.
MAY_READ_ENVIRONMENT = {"config/settings.py", "desk/errands.py", "flows/engine.py", "flows/__init__.py", "flows/checkup.py"}
LONGEST_FILE = 400
WRITTEN = {".py", ".toml", ".html", ".css", ".js", ".sh", ".yaml", ".yml", ".mako", ".md"}
# The changelog grows for ever.
MAY_BE_LONG = {"CHANGELOG.md"}
LOCKS = ("requirements.lock", "requirements-dev.lock")


def commands_of(group: Any, before: str = "") -> dict[str, Any]:
    """Every command by what is typed for it, those of groups with the group's name first."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        found |= {before + name: command} if not hasattr(command, "commands") else commands_of(command, f"{before}{name} ")
    return found


COMMANDS = commands_of(typer.main.get_command(app))
OPTIONS = {name: {option for p in command.params for option in p.opts if option.startswith("--")} for name, command in COMMANDS.items()}
VARIABLES = {f"COPROD_{name.upper()}" for name in Settings.model_fields}

for module in pkgutil.iter_modules(models.__path__, "models."):
    if module.name != "models.migrations":
        importlib.import_module(module.name)


def written_files() -> list[Path]:
    """What people wrote in this project: no data, no lock files, nothing that a tool made."""
    folders = [PROJECT_DIR / name for name in (*PACKAGES, "tests", "benchmarks", "docs", ".ci")]
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()] + [p for p in PROJECT_DIR.iterdir() if p.is_file()]
    return sorted(path for path in found if path.suffix in WRITTEN and "__pycache__" not in path.parts and path.name not in MAY_BE_LONG)


def relative(path: Path) -> str:
    return path.relative_to(PROJECT_DIR).as_posix()


@cache
def documentation() -> str:
    pages = [PROJECT_DIR / "README.md", *sorted((PROJECT_DIR / "docs").rglob("*.md"))]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


@cache
def locked(name: str) -> dict[str, str]:
    """Requirements of a lock file, each with its hashes on one line, by normalised name."""
    text = (PROJECT_DIR / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return {normalised(line): line for line in lines}


def normalised(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]*", requirement)
    return re.sub(r"[-_.]+", "-", name[0] if name else "").lower()


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_brings_a_package_of_our_name(package: str) -> None:
    assert set(packages_distributions().get(package, [])) <= {"coprod"}
    if (PROJECT_DIR / package).is_dir():
        found = importlib.import_module(package).__file__
        assert found is not None
        assert Path(found).parent == PROJECT_DIR / package


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_names_no_host_and_hashes_every_requirement(name: str) -> None:
    text = (PROJECT_DIR / name).read_text(encoding="utf-8")
    assert not re.findall(r"(?m)^.*(?://|\s@\s|^\s*-|index-url|find-links|trusted-host).*$", re.sub(r"--hash=", "", text))
    assert len(locked(name)) > 50
    pinned = re.compile(r"[A-Za-z0-9._-]+(?:\[[a-z,]+\])?==[\w.+!]+\s*(?:;[^#]*?)?(?:\s+--hash=sha256:[0-9a-f]{64})+(?:\s+#.*)?")
    assert not [line for line in locked(name).values() if not pinned.fullmatch(line)]


def test_the_lock_file_of_npm_names_no_registry_and_hashes_every_package() -> None:
    (path,) = (PROJECT_DIR / "tests").rglob("package-lock.json")
    packages = json.loads(path.read_text(encoding="utf-8"))["packages"]
    packages.pop("")
    assert len(packages) > 50
    assert not [name for name, package in packages.items() if "resolved" in package or "integrity" not in package]


def test_the_lock_files_hold_what_the_project_asks_for_at_the_same_versions() -> None:
    project = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    run, develop = map(locked, LOCKS)
    groups = project["dependency-groups"]
    assert {normalised(r) for r in [*project["project"]["dependencies"], *groups["build"]]} <= set(run)
    assert {normalised(requirement) for requirement in groups["dev"]} <= set(develop)
    assert {name: line for name, line in develop.items() if name in run} == run


@pytest.mark.parametrize("table", tables(), ids=lambda table: str(table.__tablename__))
def test_every_column_is_named_personal_or_not(table: type[Table]) -> None:
    columns = set(metadata.tables[str(table.__tablename__)].columns.keys())
    assert not table.personal & table.not_personal
    assert table.personal | table.not_personal == columns


def test_no_table_is_left_out_and_what_people_write_or_are_known_by_is_personal() -> None:
    assert {str(table.__tablename__) for table in tables()} == set(metadata.tables)
    known = {"author_key", "source_key", "target_key", "title", "body", "permalink", "evidence"}
    columns = {(table.__name__, column) for table in tables() for column in table.not_personal}
    assert not [column for column in columns if column[1] in known]
    assert known <= {column for table in tables() for column in table.personal}


def test_tables_come_in_an_order_in_which_rows_can_be_deleted() -> None:
    place = {str(table.__tablename__): number for number, table in enumerate(tables())}
    references = [(name, key.column.table.name) for name in place for key in metadata.tables[name].foreign_keys]
    assert references
    assert not [(name, other) for name, other in references if place[name] >= place[other]]


@pytest.mark.parametrize("variable", sorted(VARIABLES))
def test_every_environment_variable_is_documented(variable: str) -> None:
    assert re.search(rf"\b{variable}\b", documentation())


def test_no_environment_variable_is_documented_that_nobody_reads() -> None:
    assert set(re.findall(r"\bCOPROD_[A-Z_]+[A-Z]\b", documentation())) <= VARIABLES


def test_settings_read_no_other_variable() -> None:
    assert Settings.model_config["env_prefix"] == "COPROD_"
    assert not re.findall(r"os\.(?:environ|getenv)|alias", (PROJECT_DIR / "config" / "settings.py").read_text(encoding="utf-8"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_documented(command: str) -> None:
    assert re.search(rf"\bcoprod {command}\b", documentation())
    assert not [option for option in OPTIONS[command] if not re.search(rf"(?<![\w-]){option}\b", documentation())]


def test_no_command_or_option_is_documented_that_there_is_not() -> None:
    blocks = "\n".join(re.findall(r"(?s)```\w*\n(.*?)```", documentation()))
    lines = re.findall(r"(?m)^(?:\$ )?(?:\S*/)?coprod ([a-z][^#\n]*)", blocks)
    lines += re.findall(r"`(?:\.venv/bin/)?coprod ([a-z][^`]*)`", documentation())
    named = [(next((name for name in COMMANDS if f"{line} ".startswith(f"{name} ")), line), line) for line in lines]
    assert {command for command, _ in named} >= {"listen", "read", "report", "check"}
    uses = [(command, option) for command, line in named for option in ["", *re.findall(r"--[a-z-]+", line)]]
    assert not [use for use in uses if use[0] not in COMMANDS or use[1] not in OPTIONS[use[0]] | {"", "--help"}]


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    pages = [page for page in written_files() if page.suffix == ".md"]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))]
    assert links
    assert not [f"{relative(page)}: {link}" for page, link in links if not (page.parent / link).exists()]


def test_every_test_that_the_documentation_names_is_there() -> None:
    """By its own name, or by that of its file."""
    files = list((PROJECT_DIR / "tests").rglob("test_*.py"))
    defined = {name for path in files for name in re.findall(r"(?m)^def (test_\w+)\(", path.read_text(encoding="utf-8"))}
    named = set(re.findall(r"`(test_\w+)`", documentation()))
    assert len(named) > 10
    assert named <= defined | {path.stem for path in files}
    paths = set(re.findall(r"`(tests/\S+\.py)`", documentation()))
    assert not {path for path in paths if not (PROJECT_DIR / path).is_file()}


def test_only_these_modules_read_the_environment() -> None:
    reading = re.compile(r"\bos\.environ\b|\bos\.getenv\b|\bgetenv\(|from os import [^\n]*environ")
    ours = [path for path in written_files() if path.suffix == ".py" and relative(path).startswith(tuple(f"{name}/" for name in PACKAGES))]
    assert len(ours) > 40
    assert {relative(path) for path in ours if reading.search(path.read_text(encoding="utf-8"))} <= MAY_READ_ENVIRONMENT


def test_no_file_is_too_long() -> None:
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in written_files()}
    assert len(lengths) > 60
    assert not {path: length for path, length in lengths.items() if length > LONGEST_FILE}


def test_nothing_is_left_to_do_later() -> None:
    later = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
    assert not [relative(path) for path in written_files() if later.search(path.read_text(encoding="utf-8"))]


def test_nothing_that_the_project_needs_is_hidden_from_git() -> None:
    git = shutil.which("git")
    if git is None or not (PROJECT_DIR / ".git").exists():
        pytest.skip("not a git checkout")
    folders = [name for name in (*PACKAGES, "tests", "docs", "benchmarks") if (PROJECT_DIR / name).is_dir()]
    command = [git, "-C", str(PROJECT_DIR), "ls-files", "--others", "--ignored", "--exclude-standard", "--", *folders]
    hidden = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    made = PREPARED.parent.relative_to(PROJECT_DIR).as_posix() + "/"  # by `start.py`, from packages, and by training
    assert not [path for path in hidden if "__pycache__" not in path and not path.startswith(made)]
