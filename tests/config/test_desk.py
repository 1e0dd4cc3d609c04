"""`desk.toml` and the settings of the desk: what is refused, and what holds for whom."""

from pathlib import Path

import pytest

from config.desk import DeskRules, contrast_with_white, desk_of
from config.load import CONFIG_DIR, ConfigError, load_config, load_desk
from config.settings import Settings, SettingsError, load_settings

DEFAULT = (CONFIG_DIR / "desk.toml").read_text(encoding="utf-8")


def problem(tmp_path: Path, text: str) -> str:
    (tmp_path / "desk.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_desk(load_config(), tmp_path)
    return str(caught.value)


def test_a_council_changes_what_it_names_and_keeps_the_rest(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text(DEFAULT + '\n[marlowick]\ncolour = "#5A2D81"\n', encoding="utf-8")
    rules = load_desk(load_config(), tmp_path)
    assert desk_of(rules, "marlowick").colour == "#5a2d81"
    assert desk_of(rules, "marlowick").cool_off_days == desk_of(rules, "elsewhere").cool_off_days == desk_of(rules, None).cool_off_days


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('\n[marlowick]\ncolour = "#ffd700"', "too light for white text"), ('\n[marlowick]\ncolour = "red"', "should be a colour"),
        ("\n[marlowick]\ncool_off_days = 0", "greater than or equal to 7"), ("\n[nowhere]\ncool_off_days = 30", "unknown council"),
        ("\n[marlowick]\ncolor = 1", "unknown key; allowed: colour"), ('\n[marlowick]\ndraft = "Hello {name}"', "unknown {name}"),
        ('\n[marlowick]\ndraft = "Hello {privacy_notice}"', "{objection_page} is missing"), ('\n[marlowick]\ndraft = "{"', "braces"),
    ],
    ids=["light", "no colour", "no cool-off", "no such council", "misspelt", "unknown field", "no way to object", "open brace"],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    found = problem(tmp_path, DEFAULT + text)
    assert said in found
    assert f"desk.toml:{len(DEFAULT.splitlines()) + 2}" in found or f"desk.toml:{len(DEFAULT.splitlines()) + 3}" in found


@pytest.mark.parametrize("key", DeskRules.model_fields)
def test_the_default_leaves_nothing_open(tmp_path: Path, key: str) -> None:
    lines = [f"# {line}" if line.startswith(f"{key} =") and key != "draft" else line for line in DEFAULT.splitlines()]
    text = "\n".join(lines) if key != "draft" else DEFAULT.partition("draft = ")[0]
    assert f"default.{key}: missing" in problem(tmp_path, text)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast_with_white("#000000") == pytest.approx(21)
    assert contrast_with_white("#ffffff") == pytest.approx(1)
    assert contrast_with_white("#767676") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("address", ["http://desk.council.example", "ftp://127.0.0.1", "desk.council.example", "https://"])
@pytest.mark.parametrize("variable", ["COPROD_DESK_ADDRESS", "COPROD_OIDC_ISSUER"])
def test_an_address_over_which_passwords_could_be_read_is_refused(monkeypatch: pytest.MonkeyPatch, variable: str, address: str) -> None:
    monkeypatch.setenv(variable, address)
    with pytest.raises(SettingsError, match=rf"{variable}.*https://"):
        load_settings()


@pytest.mark.parametrize("address", ["https://desk.council.example/", "http://127.0.0.1:8040", "http://localhost:1"])
def test_https_and_this_computer_are_good_addresses(address: str) -> None:
    assert Settings(desk_address=address).desk_address == address.rstrip("/")
