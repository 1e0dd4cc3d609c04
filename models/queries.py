"""What is asked of the store: one function a question. Rows come in an order that does not depend on when they were written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, and_, case, cast, extract, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from coprod_nlp.vocabulary import ReadingStatus, RunStatus
from models.interaction import Interaction
from models.lead import Lead, LeadMessage, Network, NetworkVoice
from models.post import Post, PostReading
from models.run import Run, RunProblem, Suppression

BATCH = 4_000
# Between the values of a column that comes as one text: a sign that neither keys nor ids hold.
VALUE_END = "\x1f"


@dataclass(frozen=True)
class Scope:
    """The posts a run speaks about: a council's communities, and a period (from `since`, before `until`; open where None)."""

    council: str
    communities: tuple[str, ...]
    since: datetime | None = None
    until: datetime | None = None

    def has_post(self, *, by_reading: bool = False) -> ColumnElement[bool]:
        """Posts without a time belong to every period: it is not known that they do not.

        With `by_reading` the communities' index is kept out of it: where few readings matter, it is quicker to begin with these.
        """
        community = col(Post.community_id).concat("") if by_reading else col(Post.community_id)
        return and_(community.in_(self.communities), self.in_period(col(Post.created_at)))

    def has_interaction(self) -> ColumnElement[bool]:
        return and_(col(Interaction.community_id).in_(self.communities), self.in_period(col(Interaction.happened_at)))

    def in_period(self, time: Any) -> ColumnElement[bool]:
        """Whether a time lies in the period, or is not known."""
        bounds = [time >= self.since] if self.since else []
        bounds += [time < self.until] if self.until else []
        return or_(time.is_(None), and_(*bounds)) if bounds else and_(True)


def unread_posts(connection: Connection, scope: Scope, *, version: str, after: str = "", limit: int = BATCH) -> list[Any]:
    """Posts with no reading by this version of the text they hold now: (post_id, title, body, state, content_hash)."""
    columns = (col(Post.post_id), col(Post.title), col(Post.body), col(Post.state), col(Post.content_hash))
    unread = _unread(select(*columns), scope, version).where(col(Post.post_id) > after)
    return list(connection.execute(unread.order_by(col(Post.post_id)).limit(limit)))


def count_posts(connection: Connection, scope: Scope) -> int:
    return connection.scalar(select(func.count()).select_from(Post).where(scope.has_post())) or 0


def count_unread(connection: Connection, scope: Scope, *, version: str) -> int:
    return connection.scalar(_unread(select(func.count()).select_from(Post), scope, version)) or 0


def _unread(statement: Any, scope: Scope, version: str) -> Any:
    read = aliased(PostReading)
    same_words = and_(
        col(read.post_id) == col(Post.post_id), col(read.version) == version, col(read.content_hash) == col(Post.content_hash)
    )
    return statement.outerjoin(read, same_words).where(scope.has_post(), col(read.post_id).is_(None), nobody_objected())


def count_orphans(connection: Connection, scope: Scope) -> int:
    """Comments whose parent was never collected."""
    parent = aliased(Post)
    statement = (
        select(func.count())
        .select_from(Post)
        .outerjoin(parent, col(parent.post_id) == col(Post.parent_id))
        .where(scope.has_post(), col(Post.parent_id).is_not(None), col(parent.post_id).is_(None))
    )
    return connection.scalar(statement) or 0


def post_counts(connection: Connection, scope: Scope) -> dict[str, dict[str, Any]]:
    """By community: posts, distinct author keys, posts with an author, first and last time, willing messages."""
    statement = (
        select(
            col(Post.community_id),
            func.count().label("posts"),
            func.count(col(Post.author_key)).label("with_author"),
            func.count(func.distinct(col(Post.author_key))).label("authors"),
            func.min(col(Post.created_at)).label("first"),
            func.max(col(Post.created_at)).label("last"),
            func.sum(case((col(PostReading.is_willing), 1), else_=0)).label("willing"),
        )
        .outerjoin(PostReading, col(PostReading.post_id) == col(Post.post_id))
        .where(scope.has_post())
        .group_by(col(Post.community_id))
        .order_by(col(Post.community_id))
    )
    return {row.community_id: dict(row._mapping) for row in connection.execute(statement)}


def reading_counts(connection: Connection, scope: Scope) -> dict[str, int]:
    """Posts by what became of them when read, and by language where that set them aside (`not_english:de`)."""
    language = case((col(PostReading.status) == ReadingStatus.NOT_ENGLISH, col(PostReading.language)), else_="")
    statement = (
        select(col(PostReading.status), language, func.count())
        .join(Post, col(Post.post_id) == col(PostReading.post_id))
        .where(scope.has_post())
        .group_by(col(PostReading.status), language)
        .order_by(col(PostReading.status), language)
    )
    return {f"{status}:{code}" if code else str(status): count for status, code, count in connection.execute(statement)}


def interactions(connection: Connection, scope: Scope) -> Iterator[tuple[str, str, str, str]]:
    """Kinds, source keys, target keys and seconds since 1970 ("nan" where not known) of a scope, suppressed voices left out.

    They come by community, each column as one text with `VALUE_END` between values, in no order: a million rows would take longer to
    be made than to be worked with.
    """
    gone = select(col(Suppression.author_key))
    happened_s = func.coalesce(cast(extract("epoch", col(Interaction.happened_at)), Text), "nan")
    columns = (col(Interaction.kind), col(Interaction.source_key), col(Interaction.target_key), happened_s)
    statement = (
        select(*(func.aggregate_strings(column, VALUE_END) for column in columns))
        .where(scope.has_interaction(), col(Interaction.source_key).not_in(gone), col(Interaction.target_key).not_in(gone))
        .group_by(col(Interaction.community_id))
    )
    rows: Any = connection.execute(statement.execution_options(yield_per=1))
    yield from rows


def posts_that_may_mention(connection: Connection, community_id: str) -> Iterator[Any]:
    """(post_id, author_key, title, body, created_at) of posts with an author and a sign that goes before an account's name.

    What was set aside as sensitive is not searched: nothing that it says takes part in a score.
    """
    sensitive = select(col(PostReading.post_id)).where(col(PostReading.status) == ReadingStatus.SENSITIVE)
    text = col(Post.title) + " " + col(Post.body)
    statement = select(col(Post.post_id), col(Post.author_key), col(Post.title), col(Post.body), col(Post.created_at)).where(
        col(Post.community_id) == community_id,
        col(Post.author_key).is_not(None),
        or_(text.like("%@%"), text.like("%u/%")),
        col(Post.post_id).not_in(sensitive),
    )
    yield from connection.execute(statement.execution_options(yield_per=BATCH))


def authors(connection: Connection, scope: Scope) -> tuple[dict[str, str], datetime | None]:
    """The id of the first post of each author key in any period, and when the newest post of the scope's period was written.

    Keys come in the order of these ids, which does not depend on the secret behind the keys.
    """
    key, written = col(Post.author_key), col(Post.created_at)
    columns = (key, case((key.is_not(None), col(Post.post_id))))
    newest = func.max(case((scope.in_period(written), written)))
    statement = select(*(func.aggregate_strings(column, VALUE_END) for column in columns), newest)
    by_community = statement.where(col(Post.community_id).in_(scope.communities)).group_by(col(Post.community_id))
    firsts: dict[str, str] = {}
    times: list[datetime] = []
    rows: Any = connection.execute(by_community)
    for keys, ids, time in rows:
        times += [time] if time else []
        for author_key, post_id in zip(keys.split(VALUE_END), ids.split(VALUE_END), strict=True) if keys else ():
            if post_id < firsts.setdefault(author_key, post_id):
                firsts[author_key] = post_id
    return dict(sorted(firsts.items(), key=itemgetter(1))), max(times, default=None)


def read_messages(connection: Connection, scope: Scope, *, version: str) -> Iterator[Any]:
    """Readings with a policy area or a signal, streamed by post id, suppressed voices left out; `areas` and `signals` as JSON text."""
    of_post = (col(Post.post_id), col(Post.author_key), col(Post.community_id), col(Post.created_at))
    said = (cast(col(PostReading.areas), Text).label("areas"), cast(col(PostReading.signals), Text).label("signals"))
    statement = (
        select(*of_post, col(PostReading.willing), col(PostReading.is_willing), *said)
        .join(PostReading, col(PostReading.post_id) == col(Post.post_id))
        .where(
            scope.has_post(by_reading=True),
            col(PostReading.version) == version,
            col(PostReading.status) == ReadingStatus.READ,
            nobody_objected(),
            or_(col(PostReading.is_willing), _says_something(PostReading.areas), _says_something(PostReading.signals)),
        )
        .order_by(col(PostReading.post_id))
    )
    yield from connection.execute(statement.execution_options(yield_per=BATCH))


def areas_around(connection: Connection, scope: Scope, *, version: str) -> dict[str, dict[str, float]]:
    """For willing messages that name no policy area: the areas of the post each answers, else of the one its thread began with."""
    parent, thread = aliased(PostReading), aliased(PostReading)
    statement: Any = (
        select(col(Post.post_id), col(parent.areas).label("answered"), col(thread.areas).label("begun"))
        .join(PostReading, col(PostReading.post_id) == col(Post.post_id))
        .outerjoin(parent, _is_reading_of(parent, Post.parent_id, version))
        .outerjoin(thread, _is_reading_of(thread, Post.thread_id, version))
        .where(
            scope.has_post(by_reading=True),
            _is_reading_of(PostReading, Post.post_id, version),
            col(PostReading.is_willing),
            ~_says_something(PostReading.areas),
        )
    )
    rows = connection.execute(statement)
    return {row.post_id: areas for row in rows if (areas := row.answered or row.begun)}


def _is_reading_of(reading: Any, post_id: Any, version: str) -> ColumnElement[bool]:
    return and_(col(reading.post_id) == col(post_id), col(reading.version) == version, col(reading.status) == ReadingStatus.READ)


def _says_something(column: Any) -> ColumnElement[bool]:
    return cast(column, Text) != "{}"


def leads(connection: Connection, scope_id: str) -> list[Any]:
    return list(connection.execute(select(Lead.__table__).where(col(Lead.scope) == scope_id).order_by(col(Lead.rank))))  # type: ignore[attr-defined]


def leads_of_council(connection: Connection, council: str) -> list[Any]:
    statement = select(Lead.__table__).where(col(Lead.council) == council)  # type: ignore[attr-defined]
    return list(connection.execute(statement.order_by(col(Lead.rank), col(Lead.lead_id))))


def lead_evidence(connection: Connection, lead_id: str) -> list[Any]:
    """The messages behind a lead with their words, strongest first."""
    statement = (
        select(
            col(Post.post_id), col(Post.title), col(Post.body), col(Post.permalink), col(Post.community_id), col(Post.created_at),
            col(Post.author_key), col(PostReading.willing), col(PostReading.signals), col(PostReading.evidence), col(PostReading.areas),
            col(PostReading.is_willing),
        )
        .join(LeadMessage, col(LeadMessage.post_id) == col(Post.post_id))
        .join(PostReading, col(PostReading.post_id) == col(Post.post_id))
        .where(col(LeadMessage.lead_id) == lead_id, nobody_objected())
        .order_by(col(PostReading.is_willing).desc(), col(PostReading.willing).desc(), col(Post.post_id))
    )  # fmt: skip
    return list(connection.execute(statement))


def network_voices(connection: Connection, network_id: str) -> dict[str, bool]:
    """Author keys of a network, each with whether it is willing: for drawing, never for showing."""
    statement = select(col(NetworkVoice.author_key), col(NetworkVoice.is_willing)).where(col(NetworkVoice.network_id) == network_id)
    return {row.author_key: row.is_willing for row in connection.execute(statement.order_by(col(NetworkVoice.author_key)))}


def network_ties(connection: Connection, network_id: str) -> list[Any]:
    """How often two voices of a network met: (source_key, target_key, meetings), in a fixed order."""
    one, other = aliased(NetworkVoice), aliased(NetworkVoice)
    statement = (
        select(col(Interaction.source_key), col(Interaction.target_key), func.count().label("meetings"))
        .join(one, and_(col(one.author_key) == col(Interaction.source_key), col(one.network_id) == network_id))
        .join(other, and_(col(other.author_key) == col(Interaction.target_key), col(other.network_id) == network_id))
        .group_by(col(Interaction.source_key), col(Interaction.target_key))
        .order_by(col(Interaction.source_key), col(Interaction.target_key))
    )
    return list(connection.execute(statement))


def networks(connection: Connection, scope_id: str) -> list[Any]:
    statement = select(Network.__table__).where(col(Network.scope) == scope_id).order_by(col(Network.network_id))  # type: ignore[attr-defined]
    return list(connection.execute(statement))


def suppressed_keys(connection: Connection) -> frozenset[str]:
    return frozenset(connection.scalars(select(col(Suppression.author_key))))


def unfinished_run(session: Session, *, council: str, request: dict[str, Any], config_digest: str) -> Run | None:
    """The newest run of the same request that never came to its end."""
    statement = (
        select(Run)
        .where(col(Run.council) == council, col(Run.status) == RunStatus.RUNNING, col(Run.config_digest) == config_digest)
        .order_by(col(Run.started_at).desc())
    )
    return next((run for run in session.scalars(statement) if run.request == request), None)


def latest_run(session: Session, *, council: str | None = None) -> Run | None:
    """The newest run that has ranked its networks."""
    statement = select(Run).order_by(col(Run.started_at).desc())
    if council:
        statement = statement.where(col(Run.council) == council)
    return next((run for run in session.scalars(statement) if "rank" in run.done), None)


def problems(connection: Connection, run_ids: Sequence[str]) -> list[Any]:
    statement = select(RunProblem.__table__).where(col(RunProblem.run_id).in_(run_ids))  # type: ignore[attr-defined]
    return list(connection.execute(statement.order_by(col(RunProblem.kind), col(RunProblem.place))))


def nobody_objected() -> ColumnElement[bool]:
    """Posts of authors who did not object; what came in of others is swept away, and left alone until then."""
    return or_(col(Post.author_key).is_(None), col(Post.author_key).not_in(select(col(Suppression.author_key))))
