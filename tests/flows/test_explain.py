"""What an explanation of one message shows: how far the reading went, and every probability that it came to."""

import io
import re

import pytest
from rich.console import Console

from coprod_nlp.reading.reader import Reader
from coprod_nlp.records import PostText
from flows.explain import print_explanation

OFFER = "I can lend my van for the clean-up on Saturday, happy to help."
COMPLAINT = "Bins late again on Saltmarsh Road, third week running."
CHAT = "ok"
COLUMNS = ["label", "at a glance", "deep", "close", "threshold", "decided"]


def shown(body: str) -> str:
    console = Console(file=io.StringIO(), width=200, force_terminal=False)
    print_explanation(console, PostText("t1_x", "", body))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def rows(text: str) -> list[list[str]]:
    """The table, cell by cell."""
    lines = text.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("label"))
    return [re.split(r"\s{2,}", line.strip()) for line in lines[start:] if "%" in line or line.startswith("label")]


@pytest.mark.parametrize(
    ("body", "said", "stages"),
    [
        pytest.param(CHAT, "The gate sees nothing in it: not read deeply.", 1, id="at a glance"),
        pytest.param(COMPLAINT, "The gate lets it pass: read deeply. Nothing in it calls for a close reading.", 2, id="deeply"),
        pytest.param(OFFER, "The gate lets it pass: read deeply, and then closely, which decides.", 3, id="closely"),
    ],
)
def test_it_says_how_far_the_reading_went_and_what_each_stage_found(body: str, said: str, stages: int) -> None:
    text = shown(body)
    assert said in text.splitlines()
    heading, *found = rows(text)
    assert heading == COLUMNS
    explained = Reader().explain(PostText("t1_x", "", body))
    looks = [explained.glances, explained.deep, explained.close]
    assert [look is not None for look in looks] == [True] * stages + [False] * (3 - stages)
    decided = {*explained.reading.areas, *explained.reading.signals, *(["willing"] if explained.reading.is_willing else [])}
    assert bool(decided) == (stages > 1)
    for row in found:
        label = row[0].split()[0]
        assert row[1:5] == [*(f"{look[label]:.0%}" if look else "–" for look in looks), f"{explained.thresholds[label]:.0%}"]
        assert (row[5:] == ["yes"]) == (label in decided)
    assert "willing" in [row[0] for row in found]
    decided_by = [explained.chances[row[0].split()[0]] for row in found]
    assert decided_by == sorted(decided_by, reverse=True)


@pytest.mark.parametrize(
    ("body", "said"),
    [("   ", "nothing to read in it"), ("Wo kann ich mich als freiwillige Helferin für den Park melden?", "not in English: set aside")],
    ids=["blank", "German"],
)
def test_what_was_set_aside_has_no_table(body: str, said: str) -> None:
    text = shown(body)
    assert said in text
    assert len(text.splitlines()) == 1


def test_evidence_is_shown_as_it_stands_in_the_message() -> None:
    assert f"“{OFFER}”" in shown(f"It rained all day again. {OFFER}")
