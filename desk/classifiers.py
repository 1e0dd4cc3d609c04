"""Classifiers: the one that reads beside the one that wants its place, and the people who decide between them."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Path, Request, Response
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from coprod_nlp.reading.artefact import SHIPPED, ArtefactError, load_artefact, load_manifest
from coprod_nlp.reading.base_model import BaseModelError
from coprod_nlp.training.compare import GUARDED, SET_WORDS, from_rows, verdict
from coprod_nlp.vocabulary import ClassifierRole
from desk.auth import Acting, Analyst
from desk.charts import Chart, calibration_chart, precision_recall_chart
from desk.office import Office, TheOffice
from desk.pages import go, page
from models import account_queries, classifier_actions, classifier_queries
from models.classifier import Classifier
from models.classifier_actions import COMPARISON, RefusedError
from models.session import unit_of_work

router = APIRouter(default_response_class=HTMLResponse)

Version = Annotated[str, Path(max_length=80, pattern=r"^[A-Za-z0-9_.-]+$")]
Text = Annotated[str, Form(max_length=2_000)]
RETRAIN = "retrain"


@router.get("/classifiers")
def classifiers_page(request: Request, office: TheOffice, acting: Analyst) -> Response:
    return _list_page(request, office, acting)


@router.post("/classifiers/retrain")
def retrain(request: Request, office: TheOffice, acting: Analyst, shift: Text = "") -> Response:
    """Make a challenger from the labels of one's council, in a process of its own."""
    if office.errands.is_running(RETRAIN):
        return _list_page(request, office, acting, errors={"retrain": "A retraining is under way already. Wait until it is done."})
    arguments = ["flows", "retrain", "--by", acting.username, "--council", acting.council]
    office.errands.start(RETRAIN, office.settings, *arguments, *(["--shift-thresholds"] if shift == "yes" else []), by=acting.username)
    return go("/classifiers", done="started")


@router.post("/classifiers/rollback")
def rollback(request: Request, office: TheOffice, acting: Analyst, reason: Text = "") -> Response:
    try:
        with unit_of_work(office.engine) as session:
            classifier_actions.rollback_classifier(session, by=acting.username, reason=reason)
    except RefusedError as error:
        return _list_page(request, office, acting, errors={"reason": _plain(error)}, values={"reason": reason})
    return go("/classifiers", done="rolled-back")


@router.get("/classifiers/{version}")
def classifier_page(request: Request, office: TheOffice, acting: Analyst, version: Version) -> Response:
    return _one_page(request, office, acting, version)


@router.post("/classifiers/{version}/compare")
def compare(office: TheOffice, acting: Analyst, version: Version) -> Response:
    with unit_of_work(office.engine) as session:
        _known(session, version)
    if not office.errands.is_running(_comparing(version)):
        office.errands.start(_comparing(version), office.settings, "flows", "classifiers", "compare", version, by=acting.username)
    return go(f"/classifiers/{version}", done="started")


@router.post("/classifiers/{version}/promote")
def promote(request: Request, office: TheOffice, acting: Analyst, version: Version, reason: Text = "", sure: Text = "") -> Response:
    """A person decides, with what the comparison says before them; the next run reads with it."""
    try:
        if sure != "yes":
            raise RefusedError("tick that you have read the comparison")
        with unit_of_work(office.engine) as session:
            found = _known(session, version)
            _check_loads(office, found)
            before = _champion_version(session)
            classifier_actions.promote_classifier(session, version, champion_version=before, by=acting.username, reason=reason)
    except RefusedError as error:
        return _one_page(request, office, acting, version, errors={"sure": _plain(error)}, values={"reason": reason})
    return go("/classifiers", done="promoted")


def _list_page(
    request: Request, office: Office, acting: Acting, *, errors: dict[str, str] | None = None, values: dict[str, Any] | None = None
) -> Response:
    with unit_of_work(office.engine) as session:
        rows = classifier_queries.classifiers(session)
        names = account_queries.names(session.connection(), acting.council)
    shipped = load_manifest(SHIPPED)
    return page(
        request, "classifiers.html", title="Classifiers", acting=acting, rows=rows, shipped=shipped, names=names,
        is_shipped_reading=not any(row.role == ClassifierRole.CHAMPION for row in rows), errand=office.errands.latest.get(RETRAIN),
        errors=errors or {}, values=values or {}, status=400 if errors else 200,
    )  # fmt: skip


def _one_page(
    request: Request, office: Office, acting: Acting, version: str, *, errors: dict[str, str] | None = None,
    values: dict[str, Any] | None = None,
) -> Response:  # fmt: skip
    with unit_of_work(office.engine) as session:
        row = _known(session, version)
        champion = _champion_version(session)
        names = account_queries.names(session.connection(), acting.council)
    comparison = row.figures.get(COMPARISON, {})
    differences = from_rows(comparison.get("rows", []))
    return page(
        request, "classifier.html", title=version, acting=acting, row=row, champion=champion, comparison=comparison, names=names,
        is_current=comparison.get("champion") == champion, differences=differences, verdict=verdict(differences) if differences else [],
        guarded=GUARDED, set_words=SET_WORDS, charts=_charts(row, comparison),
        comparing=office.errands.latest.get(_comparing(version)), errors=errors or {}, values=values or {},
        status=400 if errors else 200,
    )  # fmt: skip


def _charts(row: Classifier, comparison: dict[str, Any]) -> list[tuple[str, Chart]]:
    """Of each set that both were measured on, or the challenger alone."""
    found = []
    for name, curves in row.figures.get("curves", {}).items():
        sides = [("This one", "solid", curves)]
        if other := comparison.get("curves", {}).get(name):
            sides.append(("The one it was measured beside", "dashed", other))
        found += [(SET_WORDS.get(name, name), chart) for chart in (calibration_chart(sides), precision_recall_chart(sides)) if chart]
    return found


def _comparing(version: str) -> str:
    """The kind of errand that measures a classifier beside the champion."""
    return f"compare {version}"


def _known(session: Session, version: str) -> Classifier:
    found = session.get(Classifier, version)
    if found is None:
        raise HTTPException(404)
    return found


def _champion_version(session: Session) -> str:
    found = classifier_queries.champion(session)
    return found.version if found else load_manifest(SHIPPED).version


def _check_loads(office: Office, found: Classifier) -> None:
    """A classifier that cannot be loaded would stop every run."""
    try:
        load_artefact(office.settings.home / found.path)
    except ArtefactError:
        raise RefusedError("its files are missing or damaged; restore its folder from the backup, or make a new challenger") from None
    except BaseModelError as error:
        raise RefusedError(str(error)) from None


def _plain(error: Exception) -> str:
    """In the words of a page: there are no options to give here."""
    text = str(error)
    for option, words in ((": --reason", " below"), ("; run: coprod classifiers compare", ": press “Measure again” for")):
        text = text.replace(option, words)
    return text[:1].upper() + text[1:]
