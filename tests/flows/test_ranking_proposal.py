"""`coprod retrain --ranking`: weights proposed from what officers decided, shown with what would change, and changing nothing."""

import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from config.load import load_config
from coprod_nlp.ranking.reasons import PART_NAMES
from flows.__main__ import app
from models import queries
from models.bulk import upsert
from models.decision_actions import Choice, decide, undo
from models.desk_words import LeadAction, RejectReason
from models.lead import Lead, Network
from models.session import open_engine, unit_of_work

THEN = datetime(2026, 5, 1, tzinfo=UTC)
COUNCIL = "marlowick"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The store that the command opens, with forty leads: the later ones the better fit, and nothing else between them."""
    monkeypatch.setenv("COPROD_HOME", str(tmp_path / "home"))
    engine = open_engine(f"sqlite:///{tmp_path / 'home' / 'coprod.sqlite3'}")
    with engine.begin() as connection:
        upsert(connection, Network, [_network(number) for number in range(40)])
        upsert(connection, Lead, [_lead(number) for number in range(40)])
    yield engine
    engine.dispose()


def _network(number: int) -> dict[str, Any]:
    return {
        "network_id": f"n-{number:02}", "scope": "s", "council": COUNCIL, "area": "parks", "is_gathered": False, "voices": 3,
        "willing_voices": 3, "ties": 3, "first_seen_at": THEN, "change": "new", "voices_before": 0, "joined": 3, "departed": 0,
        "origins": [],
    }  # fmt: skip


def _lead(number: int) -> dict[str, Any]:
    values = dict.fromkeys(PART_NAMES, number * 7 % 40 / 40) | {"fit": number / 40, "approachability": None}
    parts = [{"key": key, "value": value, "weight": 1.0, "points": value, "sentence": "s"} for key, value in values.items()]
    return {
        "lead_id": f"l-{number:02}", "network_id": f"n-{number:02}", "scope": "s", "council": COUNCIL, "area": "parks", "rank": number + 1,
        "score": 50.0, "low": 40.0, "high": 60.0, "voices": 3, "willing_messages": 3, "parts": parts, "approaches": [], "stages": [],
        "config_digest": "d", "weights_digest": "w", "kept_for": None,
    }  # fmt: skip


def _decide(store: Engine, choose: Callable[[int], Choice | None]) -> None:
    with unit_of_work(store) as session:
        for number, lead in enumerate(queries.leads_of_council(session.connection(), COUNCIL)):
            if choice := choose(number):
                decide(session, lead, choice, version=0, by="officer")


def by_fit(number: int, *, reason: RejectReason = RejectReason.NO_FIT) -> Choice:
    return Choice(LeadAction.SHORTLIST) if number >= 20 else Choice(LeadAction.REJECT, reason=reason)


def leads(store: Engine) -> list[Any]:
    with store.connect() as connection:
        return queries.leads_of_council(connection, COUNCIL)


def proposed(*options: str) -> str:
    done = CliRunner().invoke(app, ["retrain", "--ranking", *options])
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def test_what_officers_went_by_is_proposed_with_what_would_change_and_nothing_changes(store: Engine) -> None:
    _decide(store, by_fit)
    before = leads(store)
    said = CliRunner().invoke(app, ["retrain", "--ranking"]).output
    weights = tomllib.loads(said[said.index("[weights]") :])["weights"]
    now = load_config().ranking.weights.model_dump()
    assert set(weights) == set(now)
    assert weights["fit"] > now["fit"]
    assert "20 leads accepted and 20 leads rejected" in said
    assert "leads would change place" in said
    assert leads(store) == before


@pytest.mark.parametrize(
    "choose",
    [
        pytest.param(lambda _: None, id="nothing decided"),
        pytest.param(lambda number: by_fit(number) if number in {1, 30} else None, id="two decisions"),
        pytest.param(lambda number: by_fit(number, reason=RejectReason.ALREADY_KNOWN), id="rejected for what the score cannot know"),
    ],
)
def test_with_too_little_to_learn_from_the_weights_stay(store: Engine, choose: Callable[[int], Choice | None]) -> None:
    _decide(store, choose)
    said = proposed("--council", COUNCIL)
    assert "the weights stay" in said
    assert "[weights]" not in said


def test_decisions_that_were_undone_are_not_learned_from(store: Engine) -> None:
    _decide(store, by_fit)
    with unit_of_work(store) as session:
        for lead in queries.leads_of_council(session.connection(), COUNCIL)[:15]:
            undo(session, lead, version=1, by="officer")
    assert "20 leads accepted and 5 leads rejected" in proposed()


def test_options_of_another_retraining_are_refused(store: Engine) -> None:
    assert CliRunner().invoke(app, ["retrain", "--ranking", "--shift-thresholds"]).exit_code == 2
