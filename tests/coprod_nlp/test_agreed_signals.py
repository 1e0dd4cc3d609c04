"""What is decided for must agree: willing and its signals stand and fall together, and asking for oneself is no wish to take part."""

import pytest

from coprod_nlp.reading.labels import SIGNALS, WILLING
from coprod_nlp.reading.reader import agreed_signals


def agreed(said: str, **chances: float) -> str:
    chance = dict.fromkeys(SIGNALS, 0.01) | chances
    names = said.split()
    return " ".join(agreed_signals({name: name in names for name in (*SIGNALS, WILLING)}, chance))


@pytest.mark.parametrize(
    ("said", "chances", "expected"),
    [
        ("", {}, ""),
        ("willing offer ability", {}, "offer ability"),
        ("offer ability", {}, "ability"),
        ("willing", {"organise": 0.05}, "organise"),
        ("willing complaint", {"active": 0.05}, "active complaint"),
        ("willing seek", {"seek": 0.3}, "seek"),
        ("willing seek request", {"seek": 0.3, "request": 0.6}, "request"),
        ("willing seek request", {"seek": 0.6, "request": 0.3}, "seek request"),
        ("willing request", {"seek": 0.2, "request": 0.6}, "request"),
        ("willing offer seek request", {"offer": 0.4, "seek": 0.3, "request": 0.6}, "offer seek request"),
        ("willing offer request", {"offer": 0.4, "request": 0.6}, "offer request"),
    ],
)  # fmt: skip
def test_what_is_decided_for_agrees(said: str, chances: dict[str, float], expected: str) -> None:
    assert agreed(said, **chances) == expected
