"""What is decided for must agree: willing and its signals stand and fall together, and asking for oneself is no wish to take part."""

import numpy as np
import pytest

from coprod_nlp.reading.decisions import agreed, decide
from coprod_nlp.reading.labels import LABELS, WILLING

THRESHOLDS = np.full(len(LABELS), 0.25)


def table(**chances: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array([[chances.get(label, 0.01) for label in LABELS]], dtype=np.float32)


@pytest.mark.parametrize(
    ("chances", "expected"),
    [
        ({}, ""),
        ({"willing": 0.3, "offer": 0.3, "ability": 0.3}, "offer ability willing"),
        ({"offer": 0.9, "ability": 0.3}, "ability"),
        ({"willing": 0.9, "organise": 0.2}, ""),
        ({"willing": 0.9, "complaint": 0.3, "active": 0.2, "parks": 0.5}, "parks complaint"),
        ({"willing": 0.3, "seek": 0.3}, "seek willing"),
        ({"willing": 0.9, "seek": 0.3, "request": 0.6}, "request"),
        ({"willing": 0.9, "seek": 0.6, "request": 0.3}, "seek request willing"),
        ({"willing": 0.9, "offer": 0.4, "seek": 0.3, "request": 0.6}, "offer seek request willing"),
        ({"willing": 0.9, "offer": 0.4, "request": 0.6}, "offer request willing"),
    ],
    ids=lambda value: " ".join(value) or "nothing" if isinstance(value, dict) else "",
)
def test_what_is_decided_for_agrees(chances: dict[str, float], expected: str) -> None:
    decided = decide(table(**chances), THRESHOLDS)[0]
    assert " ".join(label for label, is_said in zip(LABELS, decided, strict=True) if is_said) == expected


def test_each_message_is_decided_for_by_itself() -> None:
    some = np.concatenate([table(willing=0.9, offer=0.4), table(willing=0.9), table(offer=0.9)])
    together = decide(some, THRESHOLDS)
    assert together[:, LABELS.index(WILLING)].tolist() == [True, False, False]
    assert (together == np.concatenate([decide(row[None], THRESHOLDS) for row in some])).all()


def test_what_is_not_called_willing_is_less_likely_to_be_than_all_that_is() -> None:
    some = np.concatenate([table(willing=0.9, offer=0.4), table(willing=0.9), table(willing=0.1)])
    said = agreed(some, decide(some, THRESHOLDS), THRESHOLDS)[:, LABELS.index(WILLING)]
    assert said.tolist() == pytest.approx([0.9, 0.249, 0.1])
