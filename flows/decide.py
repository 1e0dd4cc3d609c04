"""What an analyst decides about classifiers: look, compare, promote, take back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from config.load import load_config
from config.schema import Config
from config.settings import Settings, load_settings
from coprod_nlp.reading.artefact import load_manifest
from coprod_nlp.training.card import model_card
from coprod_nlp.training.compare import as_rows, from_rows, verdict, worse_figures
from coprod_nlp.training.holdout import RetrainingError, hold_back, require_enough
from coprod_nlp.training.retrain import Side, measured_beside
from coprod_nlp.vocabulary import ClassifierRole
from flows.classifiers import champion_version, directory_of, load_classifier
from flows.job import known_council
from flows.labels.cases import gather_cases
from models import classifier_actions as actions
from models import classifier_queries as queries
from models.classifier import Classifier
from models.session import open_engine, unit_of_work

COMPARER = "compare"
# In a classifier's lineage: the time of the newest labelled message it learned from.
LEARNED_UNTIL = "learned_until"


@dataclass(frozen=True)
class Desk:
    """The store and where classifiers are kept."""

    settings: Settings
    config: Config
    engine: Engine

    @classmethod
    @contextmanager
    def open(cls) -> "Iterator[Desk]":
        settings = load_settings()
        engine = open_engine(settings.address())
        try:
            yield cls(settings, load_config(settings.config_dir), engine)
        finally:
            engine.dispose()

    def lines(self) -> list[tuple[str, ...]]:
        """A line a classifier: version, role, made, F1 of willing on either set, who decided what."""
        with unit_of_work(self.engine) as session:
            rows = queries.classifiers(session)
        is_shipped_reading = not any(row.role == ClassifierRole.CHAMPION for row in rows)
        manifest = load_manifest()
        role = "shipped, reads" if is_shipped_reading else "shipped"
        shipped = (manifest.version, role, manifest.made_on, _f1(manifest.figures, "checked"), "-", "")
        return [_line(row) for row in rows] + [shipped]

    def card(self, version: str) -> str:
        """The model card, and before it what was decided."""
        with unit_of_work(self.engine) as session:
            row = session.get(Classifier, version)
        text = model_card(load_manifest(self._side(version).directory), parent=row.parent if row else None)
        return "\n".join([*_decisions(row), text]) if row else text

    def compare(self, version: str, *, other: str | None) -> list[str]:
        """The verdict on a version beside another; beside the champion it is kept, for whoever decides."""
        with unit_of_work(self.engine) as session:
            present = champion_version(session)
        opponent = other or present
        champion, challenger = self._side(opponent), self._side(version)
        differences = measured_beside(champion, challenger, gather_cases(self.engine, self.config).cases)
        if opponent == present and version != present:
            with unit_of_work(self.engine) as session:
                if session.get(Classifier, version):
                    actions.record_comparison(
                        session, version, champion_version=present, worse=worse_figures(differences), rows=as_rows(differences), by=COMPARER
                    )
        return [f"{version}, beside {opponent}:", *verdict(differences)]

    def is_compared(self, version: str) -> bool:
        """Whether the store knows how a version compares with the present champion; true also where there is no such version."""
        with unit_of_work(self.engine) as session:
            row = session.get(Classifier, version)
            return row is None or row.figures.get(actions.COMPARISON, {}).get("champion") == champion_version(session)

    def promote(self, version: str, *, by: str, reason: str | None) -> str:
        """Promote a version that can be loaded; returns the one that read before."""
        with unit_of_work(self.engine) as session:
            before = champion_version(session)
            if session.get(Classifier, version):
                load_classifier(directory_of(self.settings, version))
            actions.promote_classifier(session, version, champion_version=before, by=by, reason=reason)
        return before

    def rollback(self, *, by: str, reason: str, is_to_shipped: bool) -> str:
        """Take the newest promotion back, or all; returns the version that reads now."""
        with unit_of_work(self.engine) as session:
            actions.rollback_classifier(session, by=by, reason=reason, is_to_shipped=is_to_shipped)
            return champion_version(session)

    def _side(self, version: str) -> Side:
        with unit_of_work(self.engine) as session:
            row = session.get(Classifier, version)
        if row is None and version != load_manifest().version:
            raise actions.RefusedError(f"{version}: no such classifier here; see: coprod classifiers list")
        return side_of(self.settings, version, row)


def side_of(settings: Settings, version: str, found: Classifier | None) -> Side:
    """A classifier as retraining and comparing take it; `found` is its row, None for the shipped one."""
    learned_until = found.lineage.get(LEARNED_UNTIL) if found else None
    return Side(directory_of(settings, version), datetime.fromisoformat(learned_until) if learned_until else None)


def check_before_retraining(settings: Settings, *, council: str | None) -> None:
    """Everything that can be wrong is said before the flow engine takes its ten seconds."""
    config = load_config(settings.config_dir)
    if council:
        known_council(config, council)
    engine = open_engine(settings.address())
    try:
        gathered = gather_cases(engine, config, council=council)
        with unit_of_work(engine) as session:
            load_classifier(directory_of(settings, champion_version(session)))
    finally:
        engine.dispose()
    try:
        require_enough(hold_back(gathered.cases))
    except RetrainingError as error:
        raise RetrainingError("\n".join([str(error), *gathered.left_out()])) from None


def _line(row: Classifier) -> tuple[str, ...]:
    decided = f"{row.promoted_by}, {row.promoted_at:%Y-%m-%d}" if row.promoted_at else ""
    decided += f": {row.reason}" if row.reason else ""
    return (row.version, row.role, f"{row.made_at:%Y-%m-%d}", _f1(row.figures, "checked"), _f1(row.figures, "recent"), decided)


def _f1(figures: dict[str, object], name: str) -> str:
    found = figures.get(name)
    value = found.get("willing_f1") if isinstance(found, dict) else None
    return "-" if value is None else f"{value:.3f}"


def _decisions(row: Classifier) -> list[str]:
    found = [f"Role: {row.role}. Made by {row.made_by} on {row.made_at:%Y-%m-%d %H:%M} (UTC) from {row.parent}."]
    if row.promoted_at:
        found.append(f"Promoted by {row.promoted_by} on {row.promoted_at:%Y-%m-%d %H:%M} (UTC), in the place of {row.replaced}.")
    if row.reason:
        found.append(f"Reason: {row.reason}")
    comparison = row.figures.get(actions.COMPARISON)
    if comparison:
        found += [f"Beside {comparison['champion']}:", *(f"- {sentence}" for sentence in verdict(from_rows(comparison["rows"])))]
    return [*found, ""]
