"""Retraining: a challenger from the labels in the store. Prefect runs it on a schedule; `coprod retrain` starts the same flow.

It proposes: whoever reads the figures promotes, or does not.
"""

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.artifacts import create_table_artifact
from sqlalchemy import Engine

from config.load import load_config
from config.schema import Config
from config.settings import Settings, load_settings
from coprod_nlp.reading.artefact import CARD, ArtefactError, load_artefact
from coprod_nlp.reading.labels import LABELS
from coprod_nlp.training.compare import as_rows, verdict, worse_figures
from coprod_nlp.training.corpus import CORPUS_DIR
from coprod_nlp.training.label_quality import LikelyError, likely_errors
from coprod_nlp.training.retrain import Retrained
from coprod_nlp.training.retrain import retrain as fit_challenger
from flows.acting import acting
from flows.classifiers import FOLDER, champion_version, path_of
from flows.decide import LEARNED_UNTIL, side_of
from flows.job import known_council
from flows.labels.cases import Gathered, gather_cases
from flows.progress import listener
from flows.tasks import stage_task
from models.base import utc_now
from models.classifier_actions import COMPARISON, register_classifier
from models.classifier_queries import champion
from models.session import open_engine, unit_of_work


@dataclass(frozen=True)
class Outcome:
    """What a retraining came to: a version, counts and sentences of figures; labels likely wrong by post id. Never text."""

    version: str
    champion: str
    card: Path
    verdict: list[str]
    left_out: list[str]
    likely_errors: list[tuple[str, LikelyError]] = field(default_factory=list)


class Retraining:
    """One retraining under way, and what its stages leave for the next. No record: Prefect looks into those."""

    def __init__(
        self, settings: Settings, config: Config, engine: Engine, council: str | None, *, is_shifting: bool, corpus: Path = CORPUS_DIR
    ) -> None:
        self.settings, self.config, self.engine, self.council = settings, config, engine, council
        self.is_shifting, self.corpus = is_shifting, corpus
        self.gathered = Gathered()
        self.champion_version = ""
        self.made: Retrained | None = None

    def result(self) -> Retrained:
        if self.made is None:
            raise RuntimeError("nothing has been fitted yet")
        return self.made


def gather(under_way: Retraining) -> None:
    """The labelled posts that may be used."""
    listener().stage("Labels", total=None, unit="")
    under_way.gathered = gather_cases(under_way.engine, under_way.config, council=under_way.council)
    for sentence in under_way.gathered.left_out():
        listener().note(sentence)


def fit(under_way: Retraining) -> None:
    """Heads, figures and card, in a folder of their own; the folder appears whole or not at all."""
    listener().stage("Fit", total=None, unit="")
    with unit_of_work(under_way.engine) as session:
        under_way.champion_version = champion_version(session)
        start = side_of(under_way.settings, under_way.champion_version, champion(session))
    folder = under_way.settings.home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-", ignore_cleanup_errors=True) as draft:
        made = fit_challenger(
            Path(draft) / "made", under_way.gathered.cases, made_on=utc_now().date(), champion=start, corpus=under_way.corpus,
            is_shifting=under_way.is_shifting, report=listener().note,
        )  # fmt: skip
        place = under_way.settings.home / path_of(made.manifest.version)
        _put(Path(draft) / "made", place)
    under_way.made = made


def _put(made: Path, place: Path) -> None:
    """Equal versions are equal classifiers: one that is there stays, unless it has been damaged."""
    if place.exists():
        try:
            load_artefact(place)
        except ArtefactError:
            shutil.rmtree(place)
    if not place.exists():
        made.rename(place)


def register(under_way: Retraining) -> None:
    """Into the store, as a challenger."""
    made, manifest = under_way.result(), under_way.result().manifest
    comparison = comparison_of(under_way.champion_version, made)
    with unit_of_work(under_way.engine) as session:
        register_classifier(
            session,
            version=manifest.version,
            path=path_of(manifest.version),
            parent=under_way.champion_version,
            figures={**manifest.figures, COMPARISON: comparison},
            lineage={
                "sources": list(manifest.sources), "data": manifest.data, "messages": manifest.messages, "notes": list(manifest.notes),
                LEARNED_UNTIL: made.learned_until.isoformat(), "council": under_way.council,
            },
            by=acting(),
        )  # fmt: skip


gather_task, fit_task, register_task = map(stage_task, (gather, fit, register))


@flow(name="retrain", validate_parameters=False, persist_result=False)
def retrain(council: str | None = None, shift_thresholds: bool = False) -> Outcome:
    """Make a challenger from the labels in the store, and measure it beside the champion on the same messages."""
    # 1. Settings, configuration and store.
    settings = load_settings()
    config = load_config(settings.config_dir)
    if council:
        known_council(config, council)
    engine = open_engine(settings.address())
    under_way = Retraining(settings, config, engine, council, is_shifting=shift_thresholds)
    try:
        # 2. Labelled posts of platforms that allow training, one judgement a post.
        gather_task(under_way)
        # 3. New heads on the champion's networks, both measured on the fixed and the recent set; a card.
        fit_task(under_way)
        # 4. The challenger in the store. Nothing reads with it until somebody promotes it.
        register_task(under_way)
    finally:
        engine.dispose()
    return _finish(under_way)


def comparison_of(version: str, made: Retrained) -> dict[str, Any]:
    """As the store keeps it, and as promotion asks for it."""
    found = {"champion": version, "worse": worse_figures(made.differences), "rows": as_rows(made.differences)}
    return found | {"curves": made.champion_curves}


def _finish(under_way: Retraining) -> Outcome:
    made = under_way.result()
    version = made.manifest.version
    create_table_artifact(
        [{"set": d.set_name, "figure": d.figure, "messages": d.messages, "champion": d.champion, "challenger": d.challenger,
          "low": d.low, "high": d.high} for d in made.differences],
        key="retrain",
        description=f"{version} beside {under_way.champion_version}: gains from low to high.",
    )  # fmt: skip
    found = likely_errors(made.truth, made.chances.astype(float), LABELS)
    return Outcome(
        version,
        under_way.champion_version,
        under_way.settings.home / path_of(version) / CARD,
        verdict(made.differences),
        under_way.gathered.left_out(),
        [(made.cases[error.row].labelled.post.post_id, error) for error in found],
    )
