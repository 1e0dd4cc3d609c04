"""What is asked of the store about classifiers: which there are, and what they made of the posts of a run."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Text, case, cast, func, or_, select
from sqlmodel import Session, col

from coprod_nlp.vocabulary import ClassifierRole, ReadingStatus, RunStatus
from models.classifier import Classifier
from models.post import Post, PostReading
from models.queries import BATCH, Scope
from models.run import AuditEntry, Run

TENTHS = 10
# What the audit log calls the two decisions about which classifier reads.
PROMOTED, TAKEN_BACK = "promote_classifier", "rollback_classifier"


def champion(session: Session) -> Classifier | None:
    """The classifier that was promoted to read with; None where the shipped one reads."""
    return session.scalar(select(Classifier).where(col(Classifier.role) == ClassifierRole.CHAMPION))


def promotions(session: Session) -> list[str]:
    """Versions whose promotion stands, in order: the last one reads. None is left where the shipped one does."""
    deciding = col(AuditEntry.action).in_((PROMOTED, TAKEN_BACK))
    standing: list[str] = []
    for entry in session.scalars(select(AuditEntry).where(deciding).order_by(col(AuditEntry.entry_id))):
        if entry.action == PROMOTED:
            standing.append(entry.subject)
        else:
            standing = [] if entry.counts.get("to_shipped") else standing[:-1]
    return standing


def classifiers(session: Session) -> list[Classifier]:
    """Every registered classifier, the newest first."""
    return list(session.scalars(select(Classifier).order_by(col(Classifier.made_at).desc(), col(Classifier.version))))


def willing_histogram(connection: Connection, scope: Scope, *, version: str, fetched_from: datetime) -> list[Any]:
    """(is_new, tenth, posts): how many posts were read with `willing` in each tenth, and whether they came since a time."""
    bounds = [(col(PostReading.willing) < tenth / TENTHS, tenth - 1) for tenth in range(1, TENTHS)]
    tenth = case(*bounds, else_=TENTHS - 1).label("tenth")
    is_new = _is_new(fetched_from)
    statement = _scored(select(is_new, tenth, func.count().label("posts")), scope, version=version)
    return list(connection.execute(statement.group_by(is_new, tenth).order_by(is_new, tenth)))


def decided_labels(connection: Connection, scope: Scope, *, version: str, fetched_from: datetime) -> Iterator[Any]:
    """(is_new, areas, signals, is_willing) of the posts for which anything was decided, streamed."""
    columns = select(_is_new(fetched_from), col(PostReading.areas), col(PostReading.signals), col(PostReading.is_willing))
    said = [cast(column, Text) != "{}" for column in (col(PostReading.areas), col(PostReading.signals))]
    statement = _scored(columns, scope, version=version).where(or_(*said, col(PostReading.is_willing)))
    yield from connection.execute(statement.execution_options(yield_per=BATCH))


def earlier_runs(session: Session, *, before: Run) -> Iterator[Run]:
    """Runs that finished and began before another, for its council, on its communities, with its classifier; the newest first."""
    statement = select(Run).where(
        col(Run.council) == before.council, col(Run.status) == RunStatus.FINISHED, col(Run.started_at) < before.started_at
    )
    for run in session.scalars(statement.order_by(col(Run.started_at).desc())):
        if run.communities == before.communities and run.versions.get("reading") == before.versions.get("reading"):
            yield run


def communities_listened_to(session: Session, *, council: str) -> set[str]:
    """Communities of any run of a council."""
    return {
        community
        for communities in session.scalars(select(col(Run.communities)).where(col(Run.council) == council))
        for community in communities
    }


def _is_new(fetched_from: datetime) -> Any:
    return case((col(Post.fetched_at) >= fetched_from, 1), else_=0).label("is_new")


def _scored(statement: Select[Any], scope: Scope, *, version: str) -> Select[Any]:
    return (
        statement.select_from(Post)
        .join(PostReading, col(PostReading.post_id) == col(Post.post_id))
        .where(
            scope.has_post(),
            col(PostReading.version) == version,
            col(PostReading.status) == ReadingStatus.READ,
            col(PostReading.willing).is_not(None),
        )
    )
