"""What is true of this installation right now, for the records that must say so: configuration and figures, nothing about a person."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from config.desk import Desk
from config.schema import Campaign, Community, Config
from coprod_nlp.reading.artefact import SHIPPED, ArtefactError, Manifest, load_manifest
from coprod_nlp.training.drift import alarms
from desk.office import Office
from desk.whose import places_of
from models import record_queries, request_queries
from models.base import utc_now
from models.classifier import Classifier
from models.classifier_queries import champion
from models.run import Run
from models.session import unit_of_work


@dataclass(frozen=True)
class Facts:
    """Everything a record is filled from. `promoted` is None where the shipped classifier reads."""

    council: str
    council_name: str
    today: date
    desk: Desk
    config: Config
    communities: tuple[Community, ...]
    campaigns: tuple[Campaign, ...]
    address: str
    manifest: Manifest
    promoted: Classifier | None
    kept: tuple[Any, ...]
    run: Run | None
    leads: int
    decisions: dict[str, int]
    contacts: dict[str, int]
    requests: tuple[Any, ...]
    kept_out: tuple[int, int]

    @property
    def posts(self) -> int:
        return sum(row.posts for row in self.kept)

    @property
    def drift_alarms(self) -> list[str] | None:
        """None where the newest run has no figures of drift."""
        drift = self.run.counts.get("drift") if self.run else None
        return alarms(drift) if drift else None

    def figure(self, name: str) -> float | None:
        """A figure of the classifier on its fixed set."""
        checked = self.manifest.figures.get("checked", {})
        value = checked.get(name)
        return None if value is None else float(value)


def facts_of(office: Office, council: str) -> Facts:
    """Asked anew each time: a record is as old as the page that shows it."""
    config = office.config
    places = [key for key, _ in places_of(office, council)]
    with unit_of_work(office.engine) as session:
        connection = session.connection()
        promoted = champion(session)
        return Facts(
            council=council, council_name=office.council_name(council), today=utc_now().date(), desk=office.desk(council), config=config,
            communities=tuple(c for c in config.communities if c.council == council),
            campaigns=tuple(c for c in config.campaigns.values() if c.council == council),
            address=f"{office.settings.desk_address}/your-posts", manifest=manifest_of(office, promoted), promoted=promoted,
            kept=tuple(request_queries.kept_by_platform(connection, places)), run=record_queries.newest_run(session, council),
            leads=record_queries.count_leads(connection, council, minimum_voices=config.ranking.minimum_voices),
            decisions=record_queries.decisions_by_action(connection, council),
            contacts=record_queries.contacts_by_status(connection, council),
            requests=tuple(request_queries.request_counts(connection, council)), kept_out=request_queries.kept_out(connection),
        )  # fmt: skip


def manifest_of(office: Office, promoted: Classifier | None) -> Manifest:
    """Of what reads now; where its folder is gone runs stop too, and the shipped one's is the nearest truth."""
    try:
        return load_manifest(office.settings.home / promoted.path) if promoted else load_manifest(SHIPPED)
    except ArtefactError:
        return load_manifest(SHIPPED)


def manifest_in_use(office: Office) -> Manifest:
    """The manifest of what runs that begin now read with."""
    with unit_of_work(office.engine) as session:
        return manifest_of(office, champion(session))
