"""TOML files to a validated `Config`; everything wrong is found in one go, each with file, line, key, value and remedy."""

import hashlib
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from config.desk import DeskRules
from config.place_references import place_references
from config.schema import (
    AREA_KEYS,
    REFUSED_CATEGORIES,
    Campaign,
    Community,
    Config,
    Council,
    Names,
    Place,
    PolicyArea,
    Ranking,
    RefusedCategory,
    Retention,
    is_listed,
)
from config.toml_lines import Path as KeyPath
from config.toml_lines import line_numbers, nearest_line

CONFIG_DIR = Path(__file__).parent
SHOWN_CHARS = 60

# File, the attribute of Config it fills, the type of its content, and the key that holds the list (if it is one).
FILES: dict[str, tuple[str, Any, str | None]] = {
    "policy_areas.toml": ("policy_areas", dict[str, PolicyArea], None),
    "councils.toml": ("councils", dict[str, Council], None),
    "communities.toml": ("communities", tuple[Community, ...], "community"),
    "places.toml": ("places", tuple[Place, ...], "place"),
    "campaigns.toml": ("campaigns", dict[str, Campaign], None),
    "ranking.toml": ("ranking", Ranking, None),
    "retention.toml": ("retention", dict[str, Retention], None),
    "refused_communities.toml": ("refused", dict[RefusedCategory, Names], None),
}


@dataclass(frozen=True)
class Problem:
    """One thing wrong in one file."""

    file: Path
    line: int
    key: str
    seen: str
    wanted: str

    def __str__(self) -> str:
        value = f" = {self.seen}" if self.seen else ""
        return f"{self.file}:{self.line}: {self.key}{value}: {self.wanted}"


class ConfigError(Exception):
    """The configuration cannot be used. `problems` holds every reason."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class _File:
    """One TOML file: its parsed content and where its keys stand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.raw = path.read_bytes()
            text = self.raw.decode("utf-8-sig")
            self.content = tomllib.loads(text)
        except FileNotFoundError:
            raise ConfigError([self._problem_at(1, path.name, "", "the file is missing; copy it from the project")]) from None
        except OSError as error:
            raise ConfigError([self._problem_at(1, path.name, "", f"cannot be read ({error.strerror}); it should be a file")]) from None
        except UnicodeDecodeError as error:
            line = self.raw[: error.start].count(b"\n") + 1
            raise ConfigError([self._problem_at(line, path.name, "", "not UTF-8; save the file as UTF-8")]) from None
        except tomllib.TOMLDecodeError as error:
            line = getattr(error, "lineno", None) or _line_in(str(error)) or self.raw.rstrip().count(b"\n") + 1
            raise ConfigError([self._problem_at(line, path.name, "", f"not valid TOML: {error}")]) from None
        self.lines = line_numbers(text)

    def problem(self, path: KeyPath, wanted: str) -> Problem:
        return self._problem_at(nearest_line(self.lines, path), ".".join(map(str, path)), _shown(self.content, path), wanted)

    def _problem_at(self, line: int, key: str, seen: str, wanted: str) -> Problem:
        return Problem(self.path, line, key, seen, wanted)


def load_config(directory: Path = CONFIG_DIR) -> Config:
    """Read and validate every file.

    Raises
    ------
    ConfigError
        With every problem of every file, not only the first.
    """
    files: dict[str, _File] = {}
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, (attribute, kind, list_key) in FILES.items():
        try:
            files[name] = file = _File(directory / name)
        except ConfigError as error:
            problems += error.problems
            continue
        content = file.content.get(list_key, []) if list_key else file.content
        if list_key and isinstance(content, dict):
            problems.append(file.problem((list_key,), f"should be a list of tables; write [[{list_key}]] with two brackets"))
            continue
        prefix: KeyPath = (list_key,) if list_key else ()
        if list_key:
            problems += [file.problem((key,), f"unknown; allowed: [[{list_key}]]") for key in file.content if key != list_key]
        try:
            values[attribute] = TypeAdapter(kind).validate_python(content)
        except ValidationError as error:
            problems += [file.problem((*prefix, *_path(item["loc"])), _wanted(item, kind)) for item in error.errors()]
    problems += _references(values, files)
    if problems:
        raise ConfigError(problems)
    digest = hashlib.sha256(b"".join(name.encode() + b"\0" + files[name].raw for name in sorted(files))).hexdigest()
    return Config(**values, digest=digest)


def load_desk(config: Config | None, directory: Path = CONFIG_DIR) -> dict[str, DeskRules]:
    """How each council's desk works, from `desk.toml`. Apart from the rest: no run depends on it, so it is not in the digest.

    Without a configuration, since that is unsound itself, nobody knows which councils there are.
    """
    file = _File(directory / "desk.toml")
    try:
        rules = TypeAdapter(dict[str, DeskRules]).validate_python(file.content)
    except ValidationError as error:
        raise ConfigError([file.problem(_path(item["loc"]), _wanted(item, dict[str, DeskRules])) for item in error.errors()]) from None
    known = {"default", *config.councils} if config else rules.keys()
    problems = [file.problem((key,), _allowed("unknown council", known - {"default"})) for key in rules if key not in known]
    given = rules["default"].model_dump(exclude_none=True) if "default" in rules else {}
    problems += [file.problem(("default", key), "missing; this key is required") for key in DeskRules.model_fields if key not in given]
    if problems:
        raise ConfigError(problems)
    return rules


def _references(values: dict[str, Any], files: dict[str, _File]) -> list[Problem]:
    """What one file says about another must be there; a file that is unsound itself is left out."""
    councils, areas = values.get("councils"), AREA_KEYS
    communities = {c.community_id for c in values["communities"]} if "communities" in values else None
    refused = values.get("refused", {})
    problems: list[Problem] = []
    for attribute, name, wanted, remedy in (
        ("councils", "councils.toml", None, "no council; add a table such as [my_council]"),
        ("retention", "retention.toml", ("default",), "missing; add a [default] table with kept_days"),
        ("policy_areas", "policy_areas.toml", AREA_KEYS, "missing; the codebook has this policy area, so add its table"),
        (
            "refused",
            "refused_communities.toml",
            REFUSED_CATEGORIES,
            "missing; this category may never be listened to: list its names",
        ),
    ):
        if attribute not in values:
            continue
        missing = [key for key in wanted if key not in values[attribute]] if wanted else [] if values[attribute] else [""]
        problems += [files[name].problem((key,) if key else (), remedy) for key in missing]
    problems += [
        files["policy_areas.toml"].problem((key,), _allowed("not in the codebook", AREA_KEYS))
        for key in values.get("policy_areas", {})
        if key not in AREA_KEYS
    ]
    for key, council in (councils or {}).items():
        problems += [
            files["councils.toml"].problem((key, "areas", area), _allowed("unknown policy area", areas))
            for area in council.areas
            if area not in areas
        ]
    problems += [files[name].problem(path, remedy) for name, path, remedy in place_references(values)]
    seen: set[str] = set()
    for index, community in enumerate(values.get("communities", ())):
        path: KeyPath = ("community", index)
        if councils is not None and community.council not in councils:
            problems.append(files["communities.toml"].problem((*path, "council"), _allowed("unknown council", councils)))
        if any(is_listed(community.name, names) for names in refused.values()):
            problems.append(
                files["communities.toml"].problem((*path, "name"), "on the list in refused_communities.toml; it may not be listened to")
            )
        if community.community_id.lower() in seen:
            problems.append(files["communities.toml"].problem((*path, "name"), "this community is here twice; delete one"))
        seen.add(community.community_id.lower())
    for key, campaign in values.get("campaigns", {}).items():
        if councils is not None and campaign.council not in councils:
            problems.append(files["campaigns.toml"].problem((key, "council"), _allowed("unknown council", councils)))
        problems += [
            files["campaigns.toml"].problem((key, "communities"), _allowed(f"unknown community {name!r}", communities))
            for name in campaign.communities
            if communities is not None and name not in communities
        ]
    return problems


def _wanted(item: Any, kind: Any) -> str:
    """Pydantic's message in words that name the allowed values."""
    if item["type"] == "extra_forbidden":
        return _allowed("unknown key", _fields_at(kind, item["loc"]))
    if item["type"] == "missing":
        return "missing; this key is required"
    message = str(item["msg"])
    return message.removeprefix("Value error, ").replace("Input should", "should")


def _fields_at(kind: Any, loc: tuple[Any, ...]) -> list[str]:
    """Names of the fields allowed where an unknown key was found."""
    for part in (None, *loc[:-1]):
        fields = getattr(kind, "model_fields", None)
        if part is not None:
            kind = fields[part].annotation if fields and part in fields else kind
        arguments = [a for a in getattr(kind, "__args__", ()) if isinstance(a, type) and issubclass(a, BaseModel)]
        kind = arguments[0] if arguments else kind
    return list(getattr(kind, "model_fields", {}))


def _path(loc: tuple[Any, ...]) -> KeyPath:
    return tuple(part for part in loc if part != "[key]")


def _allowed(what: str, values: Any) -> str:
    return f"{what}; allowed: {', '.join(sorted(values))}"


def _shown(content: Any, path: KeyPath) -> str:
    for part in path:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            return ""
    if isinstance(content, date):
        return content.isoformat()
    text = "" if isinstance(content, dict) and len(str(content)) > SHOWN_CHARS else repr(content)
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…"


def _line_in(message: str) -> int:
    """`tomllib` says "(at line 3, column 7)" in words only."""
    words = message.partition("at line ")[2]
    digits = words[: len(words) - len(words.lstrip("0123456789"))]
    return int(digits) if digits else 0
