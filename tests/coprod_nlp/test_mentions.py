"""Mentions: names that a message speaks to, and nothing that only looks like one."""

import pytest

from coprod_nlp.text.mentions import MOST_NAMES, names_mentioned


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thanks u/canal_kate", ("canal_kate",)),
        ("thanks /u/canal_kate!", ("canal_kate",)),
        ("@ben.b and @ben.b again", ("ben.b",)),
        ("(@ben), @cara: yes", ("ben", "cara")),
        ("@ann@town.example, and @ben@social.town.example.", ("ann@town.example", "ben@social.town.example")),
        ("[@ann@town.example](https://town.example/u/ann)", ("ann@town.example",)),
        ("thanks /u/ann@town.example", ("ann@town.example",)),
        ("@ann@town.example@x and @ann@town.example_x", ()),
        ("write to ben@example.org", ()),
        ("see https://example.org/u/canal_kate", ()),
        ("see https://www.reddit.com/u/canal_kate", ()),
        ("r/marlowick and s/u/x", ()),
        ("@", ()),
        (" ".join(f"@n{number}" for number in range(MOST_NAMES + 1)), ()),
    ],
    ids=[
        "u/",
        "/u/",
        "twice",
        "in brackets",
        "with a server",
        "a link",
        "u/ with a server",
        "no account",
        "an e-mail",
        "an address",
        "a profile's address",
        "other slashes",
        "a lone sign",
        "a list",
    ],
)
def test_names_are_found_where_somebody_is_spoken_to(text: str, expected: tuple[str, ...]) -> None:
    assert names_mentioned(text) == expected
