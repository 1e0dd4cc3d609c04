"""Every way the configuration can be wrong: file, line, key, value seen and values allowed, all in one go."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.load import ConfigError, Problem, load_config
from config.schema import CATEGORIES, REFUSED_CATEGORIES, Config
from config.toml_lines import line_numbers, nearest_line
from coprod_nlp.vocabulary import PolicyArea

AREAS = "".join(f'[{area.value}]\nname = "{area.value}"\ndescription = "What it covers."\nlgsl = [508]\n' for area in PolicyArea)
# A small configuration without a fault. A test breaks it, and marks the line it broke with HERE.
HERE = "# here"
SOUND = {
    "policy_areas.toml": AREAS,
    "councils.toml": """[thornby]
name = "Thornby Town Council"
fictional = true
gss_code = "E99999991"
wards = [
    { name = "North", code = "E99999911" },
]
[thornby.areas.parks]
substitutability = 0.8
programmes = ["Friends"]
""",
    "communities.toml": """[[community]]
platform = "archive"
name = "thornby"
title = "Thornby forum"
council = "thornby"
category = "place"
url = "https://thornby.example/forum"
[[community]]
platform = "archive"
name = "thornby_tools"
title = "Thornby tool library"
council = "thornby"
category = "interest"
url = "https://thornby.example/tools"
""",
    "campaigns.toml": """[listening]
council = "thornby"
purpose = "Find people who would help."
statutory_function = "Localism Act 2011 s.1"
lawful_basis = "public_task"
dpia_reference = "DPIA-1"
dpia_review = 2990-01-01
privacy_notice = "https://thornby.example/privacy"
starts = 2000-01-01
ends = 2999-01-01
communities = ["archive:thornby"]
""",
    "ranking.toml": """minimum_voices = 3
likely_from = 0.5
leads_shown = 50
evidence_shown = 6
groups = { resolutions = [1.0], seeds = 2, iterations = 3, seed = 1, divide_above = 25 }
interval = { resamples = 200, seed = 1 }
places = { every = 10 }
[weights]
willingness = 9
ability = 9
identification = 9
substance = 9
fit = 9
connectedness = 9
freshness = 9
under_exploration = 9
approachability = 9
variety = 9
[ties]
reply = 1.0
mention = 1.0
thread = 0.5
half_life_days = 180
thread_limit = 30
area = 0.1
area_reach = 3
area_days = 30
""",
    "retention.toml": "[default]\nkept_days = 365\n[reddit]\nkept_days = 90\n",
    "refused_communities.toml": 'health = ["ptsd"]\nfaith = ["sikh"]\nsexuality = ["gay"]\nparty_politics = ["tories"]\n'
    'immigration = ["asylum"]\nminors = ["teenagers"]\n',
    "places.toml": '[[place]]\ncouncil = "thornby"\nname = "Thorn Weir"\nward = "E99999911"\n',
}
Edits = dict[str, str]


def write(directory: Path, edits: dict[str, Edits]) -> Path:
    """The sound configuration with some texts of some files replaced, each of which must be there."""
    for name, text in SOUND.items():
        changed = text
        for old, new in edits.get(name, {}).items():
            assert old in changed, f"{name} has no {old!r}"
            changed = changed.replace(old, new, 1)
        (directory / name).write_text(changed, encoding="utf-8", newline="\n")
    return directory


def problems(directory: Path) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        load_config(directory)
    assert str(caught.value).splitlines() == [str(problem) for problem in caught.value.problems]
    return caught.value.problems


def marked_line(path: Path) -> int:
    return path.read_text(encoding="utf-8").partition(HERE)[0].count("\n") + 1


K, C, M, P, R, T, X, L = SOUND
KEYS = "unknown key; allowed: "
ON_WEIGHTS = tomllib.loads(SOUND[R])["weights"]
NEVER = "ends = 2999-01-01"


def case(name: str, file: str, old: str, new: str, key: str, seen: str, wanted: str, *, also: Edits | None = None) -> Any:
    """A text of a file changed, and the problem that makes: on the last line of the new text, where HERE does not say otherwise."""
    edits = {old: new if also and HERE in "".join(also.values()) else f"{new} {HERE}"} | (also or {})
    return pytest.param(file, edits, key, seen, wanted, id=name)


CASES = [
    case("unknown key", R, "leads_shown = 50", "leads_shown = 50\nleeds_shown = 9", "leeds_shown", "9",
         KEYS + "evidence_shown, groups, interval, leads_shown, likely_from, minimum_voices, places, ties, weights"),
    case("unknown key of a table", R, "reply = 1.0", "reply = 1.0\nhalf_life = 9", "ties.half_life", "9", KEYS + "area, area_days"),
    case("unknown key of a fit", C, "= 0.8", "= 0.8\nfit = 1", "thornby.areas.parks.fit", "1", KEYS + "interdependence, programmes"),
    case("key of a ward", C, "wards = [", "wards = [", "thornby.wards.0.x", "1", KEYS + "aliases, code", also={"{ n": "{ x = 1, n"}),
    case("unknown key of a community", M, '"interest"', '"interest"\nno = 1', "community.1.no", "1", KEYS + "approach, category"),
    case("unknown table", M, "[[community]]", "[[comunity]]", "comunity", "[{'name': 'x'}]", "unknown; allowed: [[community]]",
         also={"[[comunity]]": f'[[comunity]] {HERE}\nname = "x"\n[[community]]'}),
    case("unknown key of a campaign", P, '"public_task"', '"public_task"\naim = 1', "listening.aim", "1", KEYS + "communities"),
    case("2 voices", R, "minimum_voices = 3", "minimum_voices = 2", "minimum_voices", "2", "greater than or equal to 3"),
    case("a certainty", R, "likely_from = 0.5", "likely_from = 1.0", "likely_from", "1.0", "less than 1"),
    case("a word for a number", R, "minimum_voices = 3", 'minimum_voices = "all"', "minimum_voices", "'all'", "valid integer"),
    case("thread limit", R, "thread_limit = 30", "thread_limit = 201", "ties.thread_limit", "201", "less than or equal to 200"),
    case("weight below 0", R, "fit = 9", "fit = -1", "weights.fit", "-1", "greater than or equal to 0"),
    case("weight without end", R, "fit = 9", "fit = inf", "weights.fit", "inf", "finite"),
    case("fit above 1", C, "= 0.8", "= 1.01", "thornby.areas.parks.substitutability", "1.01", "less than or equal to 1"),
    case("kept for yes days", T, "kept_days = 90", "kept_days = true", "reddit.kept_days", "True", ""),
    case("service code 0", K, "lgsl = [508]", "lgsl = [508, 0]", "parks.lgsl.1", "0", "greater than or equal to 1"),
    case("unknown policy area", C, "[thornby.areas.parks]", "[thornby.areas.parkes]", "thornby.areas.parkes",
         "{'substitutability': 0.8, 'programmes': ['Friends']}", f"unknown policy area; allowed: {', '.join(sorted(PolicyArea))}"),
    case("unknown council of a place", L, '"thornby"', '"x"', "place.0.council", "'x'", "unknown council 'x'; allowed: thornby"),
    case("unknown ward of a place", L, '"E99999911"', '"E99999912"', "place.0.ward", "'E99999912'", "allowed: E99999911"),
    case("unknown ward of a programme", C, '["Friends"]', '[{ name = "F", wards = ["E9"] }]', "thornby.areas.parks.programmes",
         "[{'name': 'F', 'wards': ['E9']}]", "unknown ward 'E9'; allowed: E99999911"),
    case("unknown community of a group", C, "fictional = true", 'fictional = true\ngroups = [{ name = "All", communities = ["a:b"] }]',
         "thornby.groups.0.communities", "['a:b']", "unknown community 'a:b'; allowed: archive:thornby, archive:thornby_tools"),
    case("no name of a programme", C, '["Friends"]', '[""]', "thornby.areas.parks.programmes.0.name", "", "at least 1 character"),
    case("unknown welcome", M, '"place"', '"place"\napproach = "maybe"', "community.0.approach", "'maybe'", "'welcome', 'ask_first'"),
    case("unknown council", M, 'council = "thornby"', 'council = "x"', "community.0.council", "'x'", "unknown council; allowed: thornby"),
    case("unknown council of a campaign", P, '"thornby"', '"x"', "listening.council", "'x'", "unknown council; allowed: thornby"),
    case("unknown community of a campaign", P, '["archive:thornby"]', '["archive:thorn"]', "listening.communities", "['archive:thorn']",
         "unknown community 'archive:thorn'; allowed: archive:thornby, archive:thornby_tools"),
    *(case(c, M, '"place"', f'"{c}"', "community.0.category", f"'{c}'", f"communities about {c.replace('_', ' ')} may not be listened to")
      for c in REFUSED_CATEGORIES),
    case("unknown category", M, '"place"', '"village"', "community.0.category", "'village'", ", ".join(CATEGORIES)),
    case("unknown refused category", X, '["sikh"]', '["sikh"]\nx = ["y"]', "x", "['y']", "'health', 'faith', 'sexuality', 'party_pol"),
    case("no name of a refused category", X, '["teenagers"]', "[]", "minors", "[]", ""),
    case("refused name", M, '"thornby_tools"', '"Teenagers"', "community.1.name", "'Teenagers'", "it may not be listened to"),
    case("community twice", M, '"thornby_tools"', '"thornby"', "community.1.name", "'thornby'", "here twice; delete one"),
    case("twice in capitals", M, '"thornby_tools"', '"Thornby"', "community.1.name", "'Thornby'", "twice"),
    case("address", M, '"https://thornby.example/forum"', '"thornby.example"', "community.0.url", "'thornby.example'", "valid URL"),
    case("council's code", C, '"E99999991"', '"X1"', "thornby.gss_code", "'X1'", r"^[EWSN]\d{8}$"),
    case("lawful basis", P, '"public_task"', '"public_good"', "listening.lawful_basis", "'public_good'",
         "'consent', 'legal_obligation', 'public_task' or 'legitimate_interests'"),
    case("a word for a date", P, "2990-01-01", '"soon"', "listening.dpia_review", "'soon'", "valid date"),
    case("ends before it begins", P, NEVER, "ends = 1999-12-31", "listening.ends", "1999-12-31", "2000-01-01"),
    case("no code", C, 'gss_code = "E99999991"\n', "", "thornby.gss_code", "", "key is required", also={"[thornby]": f"[thornby] {HERE}"}),
    case("no days", T, "kept_days = 90", "", "reddit.kept_days", "", "this key is required", also={"[reddit]": f"[reddit] {HERE}"}),
    case("no half-life", R, "half_life_days = 180", "", "ties.half_life_days", "", "key is required", also={"[ties]": f"[ties] {HERE}"}),
    case("no default", T, "[default]", "[archive]", "default", "", "add a [default] table with kept_days"),
    case("no weight", R, "fit = 9", "fit = 0", "weights", "", "at least one weight must be above 0",
         also={"[weights]": f"[weights] {HERE}"} | {f"{name} = 9": f"{name} = 0" for name in ON_WEIGHTS if name != "fit"}),
    case("not TOML", R, "thread = 0.5", "thread = ,5", R, "", "not valid TOML"),
    case("cut off", R, "area_days = 30\n", "area_days = [30,", R, "", "not valid TOML"),
    case("below a text of several lines", P, NEVER, 'ends = "never"', "listening.ends", "'never'", "valid date",
         also={'"Find people who would help."': '"""\nFind people.\n[see the DPIA]\nends = later\n"""'}),
    case("below a line separator", R, "[ties]", "# one\u2028line\n[ties]\nlimit = 3", "ties.limit", "3", KEYS),
]  # fmt: skip


@pytest.mark.parametrize(("file", "edits", "key", "seen", "wanted"), CASES)
def test_a_problem_names_place_value_and_remedy(file: str, edits: Edits, key: str, seen: str, wanted: str, tmp_path: Path) -> None:
    path = write(tmp_path, {file: edits}) / file
    line = marked_line(path)
    (problem,) = problems(tmp_path)
    assert (problem.file, problem.line, problem.key, problem.seen) == (path, line, key, seen)
    assert wanted in problem.wanted
    assert str(problem) == f"{path}:{line}: {key}{f' = {seen}' if seen else ''}: {problem.wanted}"


def test_a_refused_name_written_in_capitals_is_refused(tmp_path: Path) -> None:
    (problem,) = problems(write(tmp_path, {X: {'"teenagers"': '"Teenagers"'}, M: {'"thornby_tools"': '"teenagers"'}}))
    assert problem.key == "community.1.name"


def test_a_single_bracket_for_a_community_is_answered_with_double_ones(tmp_path: Path) -> None:
    write(tmp_path, {P: {'["archive:thornby"]': "[]"}})
    (tmp_path / M).write_text("[community]\n" + SOUND[M].split("[[community]]\n")[1], encoding="utf-8")
    (problem,) = problems(tmp_path)
    assert "[[community]]" in problem.wanted


@pytest.mark.parametrize("name", SOUND)
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    (write(tmp_path, {}) / name).unlink()
    (problem,) = problems(tmp_path)
    assert (problem.file, problem.line, problem.wanted) == (tmp_path / name, 1, "the file is missing; copy it from the project")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (write(tmp_path, {}) / R).unlink()
    (tmp_path / R).mkdir()
    (problem,) = problems(tmp_path)
    assert problem.file == tmp_path / R


def test_a_file_in_another_encoding_is_named_with_the_line_of_the_first_wrong_byte(tmp_path: Path) -> None:
    path = write(tmp_path, {C: {"name = ": f"{HERE}\nname = "}}) / C
    line = marked_line(path)
    path.write_bytes(path.read_bytes().replace(HERE.encode(), "# Café".encode("cp1252")))
    (problem,) = problems(tmp_path)
    assert (problem.file, problem.line, problem.wanted) == (path, line, "not UTF-8; save the file as UTF-8")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, {}) / R
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_config(tmp_path).ranking.leads_shown == 50


def test_problems_of_all_files_come_in_one_go(tmp_path: Path) -> None:
    write(tmp_path, {
        R: {"minimum_voices = 3": "minimum_voices = 1", "leads_shown = 50": "leads_shown = 0", "reply = 1.0": "reply = 7"},
        C: {"= 0.8": "= 8", "E99999911": "North"}, M: {'"place"': '"faith"', '"interest"': '"hobby"'}, P: {"purpose": "purposes"},
    })  # fmt: skip
    (tmp_path / T).unlink()
    (tmp_path / X).write_text("health = [", encoding="utf-8")
    assert {(problem.file.name, problem.key) for problem in problems(tmp_path)} == {
        (R, "minimum_voices"), (R, "leads_shown"), (R, "ties.reply"), (C, "thornby.areas.parks.substitutability"),
        (C, "thornby.wards.0.code"), (M, "community.0.category"), (M, "community.1.category"), (P, "listening.purpose"),
        (P, "listening.purposes"), (T, T), (X, X),
    }  # fmt: skip


def test_an_unknown_council_is_named_beside_a_value_out_of_range(tmp_path: Path) -> None:
    write(tmp_path, {R: {"minimum_voices = 3": "minimum_voices = 1"}, M: {'council = "thornby"': 'council = "thorny"'}})
    assert {problem.key for problem in problems(tmp_path)} == {"minimum_voices", "community.0.council"}


def test_problems_between_files_come_in_one_go(tmp_path: Path) -> None:
    write(tmp_path, {C: {"parks": "parkes"}, M: {'"thornby_tools"': '"ptsd"'}, P: {'"thornby"': '"x"', '"archive:thornby"': '"a:b", "c"'}})
    assert [problem.key for problem in problems(tmp_path)] == [
        "thornby.areas.parkes", "community.1.name", "listening.council", "listening.communities", "listening.communities",
    ]  # fmt: skip


def test_the_shipped_configuration_is_sound_and_names_the_areas_of_the_codebook(config: Config) -> None:
    assert set(config.policy_areas) == {area.value for area in PolicyArea}
    assert set(config.refused) == set(REFUSED_CATEGORIES)
    assert all(council.fictional for council in config.councils.values())
    assert config.ranking.minimum_voices == 3
    assert not any(retention.training_allowed for name, retention in config.retention.items() if name in {"default", "reddit"})
    assert all(config.is_refused(name.upper()) for names in config.refused.values() for name in names)


def test_a_loaded_configuration_answers_what_it_was_written_to(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, {}))
    assert (config.kept_days("reddit"), config.kept_days("archive")) == (90, 365)
    assert config.community("archive:thornby_tools") == config.communities[1]
    assert config.community("archive:nowhere") is None
    fit = config.councils["thornby"].areas["parks"]
    assert [(programme.name, programme.wards) for programme in fit.programmes] == [("Friends", ())]
    assert (fit.substitutability, fit.interdependence) == (0.8, None)
    with pytest.raises(ValidationError, match="frozen"):
        config.ranking.minimum_voices = 1  # type: ignore[misc]


@pytest.mark.parametrize("name", SOUND)
def test_the_digest_changes_with_every_file_and_with_nothing_else(name: str, tmp_path: Path) -> None:
    before = load_config(write(tmp_path, {})).digest
    assert load_config(write(tmp_path, {})).digest == before
    (tmp_path / name).write_text(SOUND[name] + "# a note\n", encoding="utf-8")
    assert load_config(tmp_path).digest != before


Tables = dict[str, tuple[bool, list[str], dict[str, tuple[list[str], str]]]]
WORDS = st.sampled_from(["parks", "kept_days", "a-b", "x1", '"a key"', "'quoted'"])
VALUES = st.sampled_from(["1", '"[x]"', "'a = b'", "{ y = 1 }", "[\n    1,\n    2,\n]", '[\n  "k = v",\n  "[t]",\n]', "1 # z = 2"])
GAPS = st.lists(st.sampled_from(["", "# [no] table", "# no = key", "   "]), max_size=2)
TABLES = st.dictionaries(WORDS, st.tuples(st.booleans(), GAPS, st.dictionaries(WORDS, st.tuples(GAPS, VALUES), max_size=3)), max_size=4)


@given(TABLES)
def test_each_table_and_key_of_a_text_is_found_at_its_line(tables: Tables) -> None:
    lines: list[str] = []
    places: dict[tuple[Any, ...], int] = {}
    for table, (is_list, gap, keys) in tables.items():
        lines += [*gap, f" [[{table}]]" if is_list else f"[ {table} ] # note"]
        here: tuple[Any, ...] = (table.strip("\"'"), 0) if is_list else (table.strip("\"'"),)
        places[here] = len(lines)
        for key, (space, value) in keys.items():
            places[*here, key.strip("\"'")] = len(lines) + len(space) + 1
            lines += [*space, *f"{key} = {value}".split("\n")]
    text = "\n".join(lines)
    tomllib.loads(text)
    assert line_numbers(text) == places
    assert all(nearest_line(places, (*path, "not there", 7)) == line for path, line in places.items())
