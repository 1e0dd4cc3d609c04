"""Classifiers, runs and sources as analysts see them, and the records that are filled from live figures."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from coprod_nlp.reading.artefact import SHIPPED, load_manifest
from coprod_nlp.reading.labels import LABELS, WILLING
from coprod_nlp.training.curves import curves_of
from coprod_nlp.training.measure import Scored
from desk import errands
from desk.charts import calibration_chart, precision_recall_chart
from desk.facts import facts_of
from desk.record import as_markdown, count_open
from desk.records import RECORDS
from models import classifier_actions, record_queries
from models.base import utc_now
from models.bulk import upsert
from models.classifier import Classifier
from models.desk_words import Role
from models.post import Post
from models.run import Run
from models.session import unit_of_work
from tests.desk.conftest import Browser, RunningDesk
from tests.desk.stock import COUNCIL, stock

CURVES = {"checked": {"calibration": [[0.1, 0.05, 40], [0.9, 0.85, 20]], "precision_recall": [[0.9, 1.0, 0.2], [0.1, 0.4, 1.0]]}}
VERSION = "reading-0000000001"
ALARM = {"training": {"posts": 90, "reference": 90, "index": 0.4, "by_chance": 0.1, "is_alarm": True}, "earlier": None}


@pytest.fixture
def lea(desk: RunningDesk) -> Browser:
    return desk.sign_in(Role.ANALYST, username="lea")


def challenger(desk: RunningDesk, *, worse: bool = False, is_loadable: bool = True) -> None:
    """A challenger that was measured beside the shipped one; its files are the shipped ones."""
    folder = desk.office.settings.home / "classifiers" / VERSION
    folder.parent.mkdir(parents=True, exist_ok=True)
    if is_loadable:
        folder.symlink_to(SHIPPED)
    gain = -0.02 if worse else 0.02
    row = {"set_name": "checked", "figure": "willing_f1", "messages": 700, "champion": 0.8, "challenger": 0.8 + gain, "gain": gain,
           "low": gain - 0.01, "high": gain + 0.01}  # fmt: skip
    comparison = {
        "champion": load_manifest(SHIPPED).version,
        "worse": ["checked.willing_f1"] if worse else [],
        "rows": [row],
        "curves": CURVES,
    }
    with unit_of_work(desk.engine) as session:
        figures = {"checked": {"willing_f1": 0.8 + gain}, "curves": CURVES, "comparison": comparison}
        classifier_actions.register_classifier(
            session, version=VERSION, path=f"classifiers/{VERSION}", parent="reading-x", figures=figures, lineage={}, by="lea"
        )


def role(desk: RunningDesk) -> str:
    with unit_of_work(desk.engine) as session:
        return session.get_one(Classifier, VERSION).role


def test_champion_and_challenger_stand_side_by_side_with_charts_and_their_numbers(desk: RunningDesk, lea: Browser) -> None:
    challenger(desk)
    text = lea.get(f"/classifiers/{VERSION}").text
    assert "Better beyond chance" in text
    assert text.count("<svg") == 2
    assert text.count("desk-chart__line--dashed") == 2
    assert "finds 20% of willing messages while at least 80%" in text
    assert 'style="' not in text


def test_a_person_promotes_and_takes_back_and_both_are_audited(desk: RunningDesk, lea: Browser) -> None:
    challenger(desk)
    page = f"/classifiers/{VERSION}"
    assert "tick that you have read" in lea.post(f"{page}/promote", page=page).text.lower()
    assert role(desk) == "challenger"
    lea.post(f"{page}/promote", page=page, sure="yes")
    assert role(desk) == "champion"
    assert lea.post("/classifiers/rollback", page="/classifiers", reason="").status_code == 400
    lea.post("/classifiers/rollback", page="/classifiers", reason="misreads lists")
    assert role(desk) == "retired"
    assert {("lea", "promote_classifier", VERSION), ("lea", "rollback_classifier", VERSION)} <= set(desk.audited())


def test_a_worse_one_needs_a_reason(desk: RunningDesk, lea: Browser) -> None:
    challenger(desk, worse=True)
    page = f"/classifiers/{VERSION}"
    answer = lea.post(f"{page}/promote", page=page, sure="yes")
    assert "is worse than" in answer.text
    assert "--reason" not in answer.text
    lea.post(f"{page}/promote", page=page, sure="yes", reason="requests count here")
    assert role(desk) == "champion"


def test_one_that_cannot_be_loaded_is_not_promoted(desk: RunningDesk, lea: Browser) -> None:
    challenger(desk, is_loadable=False)
    page = f"/classifiers/{VERSION}"
    answer = lea.post(f"{page}/promote", page=page, sure="yes")
    assert "missing or damaged" in answer.text
    assert role(desk) == "challenger"


def test_the_curves_of_a_set_are_its_calibration_and_its_precision_at_each_recall() -> None:
    place, count = LABELS.index(WILLING), 10
    chances = np.zeros((count, len(LABELS)), dtype=np.float32)
    truth = np.zeros((count, len(LABELS)), dtype=bool)
    chances[:, place] = [0.95, 0.95, 0.95, 0.95, 0.55, 0.55, 0.15, 0.15, 0.15, 0.15]
    truth[:, place] = [1, 1, 1, 0, 1, 0, 0, 0, 0, 0]
    curves = curves_of(Scored(chances, chances >= 0.5, truth))
    assert curves["calibration"] == [[0.15, 0.0, 4], [0.55, 0.5, 2], [0.95, 0.75, 4]]
    assert curves["precision_recall"] == [[0.95, 0.75, 0.75], [0.55, 0.6667, 1.0], [0.15, 0.4, 1.0]]
    assert curves_of(Scored(chances, chances >= 0.5, np.zeros_like(truth))) == {}


def test_a_chart_without_numbers_is_none() -> None:
    assert calibration_chart([("a", "solid", {})]) is None
    assert precision_recall_chart([("a", "solid", {})]) is None


def test_a_retraining_with_too_few_labels_says_so_on_the_page(desk: RunningDesk, lea: Browser) -> None:
    lea.post("/classifiers/retrain", page="/classifiers")
    desk.wait_for("retrain", code=None)
    text = lea.get("/classifiers").text
    assert "ended without a challenger" in text
    assert "label more posts" in text


def test_a_process_that_breaks_shows_no_trace_of_its_inside(desk: RunningDesk) -> None:
    code, words = errands.run(desk.office.settings, "timeit", "-n", "1", "1/0")
    assert (code, words) == (1, errands.BROKEN)


def run_row(run_id: str, **changed: Any) -> dict[str, Any]:
    now = utc_now()
    row = {
        "run_id": run_id, "scope": f"s-{run_id}", "council": COUNCIL, "request": {}, "communities": ["sample:marlowick"],
        "status": "finished", "started_at": now - timedelta(hours=1), "finished_at": now, "done": ["collect"], "counts": {"posts": 7},
        "seconds": {"read": 1.5}, "versions": {"reading": "v"}, "config_digest": "", "failure": None,
    }  # fmt: skip
    return row | changed


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "Done"),
        ({"status": "failed", "failure": "the source gave nothing"}, "the source gave nothing"),
        ({"status": "running", "finished_at": None}, "Under way"),
        ({"status": "running", "finished_at": None, "started_at": utc_now() - timedelta(days=2)}, "Stuck or killed"),
        ({"counts": {"drift": ALARM}},
         "Done, with an alarm"),
    ],
    ids=["done", "failed", "under way", "stuck", "drift"],
)  # fmt: skip
def test_a_run_shows_its_health(desk: RunningDesk, lea: Browser, changed: dict[str, Any], words: str) -> None:
    with desk.engine.begin() as connection:
        upsert(connection, Run, [run_row("r1", **changed)])
    assert words in lea.get("/runs").text
    assert words in lea.get("/runs/r1").text


def test_a_run_of_another_council_is_not_there(desk: RunningDesk, lea: Browser) -> None:
    with desk.engine.begin() as connection:
        upsert(connection, Run, [run_row("r1", council="elsewhere")])
    assert lea.get("/runs/r1").status_code == 404


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_filled_from_what_is_configured_and_measured(desk: RunningDesk, name: str) -> None:
    stock(desk.engine, leads=2)
    dora = desk.sign_in(Role.DATA_PROTECTION, username="dora")
    text = dora.get(f"/records/{name}").text
    manifest = load_manifest(SHIPPED)
    campaign = next(iter(desk.office.config.campaigns.values()))
    for expected in (manifest.version, f"{manifest.figures['checked']['willing_f1']:.3f}", campaign.dpia_reference, campaign.purpose):
        assert expected in text
    downloaded = dora.get(f"/records/{name}/json").json()
    with desk.engine.connect() as connection:
        posts = connection.scalar(select(func.count()).select_from(Post))
    assert any(f"{posts} messages" in field["text"] for field in downloaded["fields"])
    assert any(field["text"] == "" for field in downloaded["fields"])
    assert "*To be filled in by the council.*" in dora.get(f"/records/{name}/md").text
    assert ("dora", "export_record", name) in desk.audited()


def test_a_record_names_no_person_and_shows_no_word_of_a_post(desk: RunningDesk) -> None:
    stock(desk.engine, leads=2, body="I can lend my unmistakable van.")
    facts = facts_of(desk.office, COUNCIL)
    for make, title, _ in RECORDS.values():
        record = make(facts)
        text = as_markdown(title, record)
        assert "unmistakable" not in text
        assert "voice0" not in text
        assert count_open(record) > 3


def test_the_newest_run_is_the_councils_own(desk: RunningDesk) -> None:
    with desk.engine.begin() as connection:
        upsert(connection, Run, [run_row("r1"), run_row("r2", council="elsewhere", started_at=utc_now())])
    with unit_of_work(desk.engine) as session:
        found = record_queries.newest_run(session, COUNCIL)
    assert found
    assert found.run_id == "r1"
