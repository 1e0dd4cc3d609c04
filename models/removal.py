"""What goes with a post and with a person. The tables themselves say which of them hold something of either."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, CursorResult, case, delete, func, or_, select, update
from sqlmodel import col

from coprod_nlp.vocabulary import InteractionKind, PostState
from models.base import Table, tables, utc_now
from models.bulk import portions
from models.decision import LeadCommunity
from models.interaction import Interaction
from models.lead import Lead, LeadMessage, Network, NetworkVoice
from models.post import Post, PostReading
from models.report import LeadPlace
from models.request import RequestKey
from models.run import Run, SuppressedPost, Suppression
from models.session import take_turn
from models.wiping import note_freed_space
from models.written import ExportFile, ExportPost, WrittenReport

GONE = frozenset({PostState.DELETED, PostState.REMOVED, PostState.FILTERED, PostState.VANISHED})
# What its author deleted does not come back; a live source is asked about everything else again.
FINAL = frozenset({PostState.DELETED})
FEWEST_VOICES = 3
# What keeps people out must outlive what is removed.
KEPT_OUT = (Suppression, SuppressedPost)


@dataclass
class Removal:
    """Rows that went, by table, and the communities they belonged to."""

    counts: Counter[str] = field(default_factory=Counter)
    communities: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return self.counts.total() > 0


def tables_with_posts() -> list[type[Table]]:
    """Tables whose rows speak of one post each, children first."""
    return [table for table in tables() if table is not Post and "post_id" in table.model_fields]


def key_columns(table: type[Table]) -> list[str]:
    """Personal columns that hold an author key."""
    return sorted(name for name in table.personal if name.endswith("_key"))


def tables_with_keys() -> list[type[Table]]:
    """Tables that say something of an author key, but for posts and for what keeps people out."""
    return [table for table in tables() if table is not Post and table not in KEPT_OUT and key_columns(table)]


def remove_posts(connection: Connection, post_ids: Collection[str]) -> Removal:
    """Posts go with everything that was made from them; leads they supported go until the next ranking."""
    take_turn(connection)
    removal = Removal()
    for some in portions(sorted(post_ids)):
        authors = _clear(connection, some, tables_with_posts(), removal)
        _delete(connection, Post, col(Post.post_id).in_(some), removal)
        _forget_absent(connection, authors, removal)
    mark_reports(connection, removal)
    return removal


def empty_posts(connection: Connection, states: Mapping[str, PostState]) -> Removal:
    """Posts that their source no longer shows become tombstones: a place in the thread and the state, nothing else.

    Of the tables that speak of a post, those with personal columns lose their rows; provenance and clocks stay.
    """
    take_turn(connection)
    removal = Removal()
    personal = [table for table in tables_with_posts() if table.personal]
    nothing = {"author_key": None, "title": "", "body": "", "permalink": "", "score": None}
    for some in portions(sorted(states)):
        authors = _clear(connection, some, personal, removal)
        for state in sorted({states[post_id] for post_id in some}):
            ids = [post_id for post_id in some if states[post_id] is state]
            values = nothing | {"state": state.value, "content_hash": state.value}
            removal.counts["post"] += _rows(connection.execute(update(Post).where(col(Post.post_id).in_(ids)).values(**values)))
        _forget_absent(connection, authors, removal)
    mark_reports(connection, removal)
    return removal


def remove_person(connection: Connection, keys: Collection[str]) -> Removal:
    """Everything of an author key goes, from every table that has a column for one, but for what keeps the person out."""
    take_turn(connection)
    posts = [post_id for some in portions(sorted(keys)) for post_id in connection.scalars(_posts_of(some))]
    removal = remove_posts(connection, posts)
    for some in portions(sorted(keys)):
        _forget(connection, some, removal)
    mark_reports(connection, removal)
    return removal


def remove_old_readings(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Readings of words that a post holds no longer go, and reports that may show these words are to be written anew."""
    removal = Removal()
    present = select(col(Post.content_hash)).where(col(Post.post_id) == col(PostReading.post_id)).scalar_subquery()
    for some in portions([row["post_id"] for row in rows]):
        _delete(connection, PostReading, col(PostReading.post_id).in_(some) & (col(PostReading.content_hash) != present), removal)
        held = select(col(Post.content_hash)).where(col(Post.post_id) == col(ExportPost.message_id)).scalar_subquery()
        changed = select(col(ExportPost.path)).where(col(ExportPost.message_id).in_(some), col(ExportPost.content_hash) != held)
        _mark_stale(connection, ExportFile, col(ExportFile.path).in_(changed))
    removal.communities |= {row["community_id"] for row in rows} if removal else set()
    mark_reports(connection, removal)


def withdraw_leads(connection: Connection, network_ids: Collection[str], removal: Removal) -> None:
    """Leads of these networks go; the networks stay, so that the next ranking knows them again."""
    for some in portions(sorted(network_ids)):
        leads = select(col(Lead.lead_id)).where(col(Lead.network_id).in_(some))
        for table in (LeadCommunity, LeadPlace, LeadMessage):
            _delete(connection, table, _column(table, "lead_id").in_(leads), removal)
        _delete(connection, Lead, col(Lead.network_id).in_(some), removal)


def _posts_of(keys: Collection[str]) -> Any:
    return select(col(Post.post_id)).where(col(Post.author_key).in_(keys))


def _clear(connection: Connection, post_ids: list[str], made_from_posts: Iterable[type[Table]], removal: Removal) -> set[str]:
    """Take away what was made from some posts; returns the authors they had."""
    columns = (col(Post.post_id), col(Post.community_id), col(Post.thread_id), col(Post.author_key))
    posts = list(connection.execute(select(*columns).where(col(Post.post_id).in_(post_ids))))
    removal.communities |= {post.community_id for post in posts}
    exported = select(col(ExportPost.path)).where(col(ExportPost.message_id).in_(post_ids))
    _mark_stale(connection, ExportFile, col(ExportFile.path).in_(exported))
    networks = select(col(Lead.network_id)).join(LeadMessage, col(LeadMessage.lead_id) == col(Lead.lead_id))
    withdraw_leads(connection, set(connection.scalars(networks.where(col(LeadMessage.post_id).in_(post_ids)))), removal)
    for table in made_from_posts:
        _delete(connection, table, _column(table, "post_id").in_(post_ids), removal)
    answers = select(col(Post.post_id)).where(col(Post.parent_id).in_(post_ids))
    _delete(connection, Interaction, or_(col(Interaction.anchor_id).in_(post_ids), col(Interaction.anchor_id).in_(answers)), removal)
    for thread, key in sorted({(post.thread_id, post.author_key) for post in posts if post.thread_id and post.author_key}):
        shared = (col(Interaction.kind) == InteractionKind.THREAD, col(Interaction.anchor_id) == thread)
        _delete(connection, Interaction, shared[0] & shared[1] & _is_met_by([key]), removal)
    return {post.author_key for post in posts if post.author_key}


def _forget_absent(connection: Connection, authors: set[str], removal: Removal) -> None:
    """Of those who have no post left here nothing stays."""
    for some in portions(sorted(authors)):
        present = set(connection.scalars(select(col(Post.author_key)).where(col(Post.author_key).in_(some)).distinct()))
        if absent := [key for key in some if key not in present]:
            _forget(connection, absent, removal)


def _forget(connection: Connection, keys: list[str], removal: Removal) -> None:
    """Rows of author keys go from every table but `post`; a network that is left with too few voices goes whole.

    What an open request is about stays until that request ends: without it nobody could be kept out.
    """
    networks = set(connection.scalars(select(col(NetworkVoice.network_id)).where(col(NetworkVoice.author_key).in_(keys))))
    withdraw_leads(connection, networks, removal)
    for table in tables_with_keys():
        if table is RequestKey:
            continue
        _delete(connection, table, or_(*(_column(table, name).in_(keys) for name in key_columns(table))), removal)
    recount_networks(connection, networks, removal)


def recount_networks(connection: Connection, network_ids: Collection[str], removal: Removal) -> None:
    """Networks keep their ids as long as enough voices are left: the next ranking knows them by these."""
    willing = func.sum(case((col(NetworkVoice.is_willing), 1), else_=0))
    counted = select(col(NetworkVoice.network_id), func.count().label("voices"), willing.label("willing"))
    for some in portions(sorted(network_ids)):
        rows = connection.execute(counted.where(col(NetworkVoice.network_id).in_(some)).group_by(col(NetworkVoice.network_id)))
        left = {row.network_id: row for row in rows if row.willing >= FEWEST_VOICES}
        small = [network_id for network_id in some if network_id not in left]
        _delete(connection, NetworkVoice, col(NetworkVoice.network_id).in_(small), removal)
        _delete(connection, Network, col(Network.network_id).in_(small), removal)
        for network_id, row in left.items():
            changed = {"voices": row.voices, "willing_voices": row.willing}
            connection.execute(update(Network).where(col(Network.network_id) == network_id).values(**changed))


def mark_reports(connection: Connection, removal: Removal) -> None:
    """Reports on these communities are to be written anew, and freed space is to be wiped; both are remembered until they are done."""
    if not removal:
        return
    note_freed_space(connection)
    runs = connection.execute(select(col(Run.run_id), col(Run.communities)))
    ids = [run_id for run_id, communities in runs if removal.communities.intersection(communities)]
    for some in portions(ids):
        _mark_stale(connection, WrittenReport, col(WrittenReport.run_id).in_(some))


def _mark_stale(connection: Connection, table: type[WrittenReport] | type[ExportFile], which: ColumnElement[bool]) -> None:
    """Each time anew: a report that is just being written must see that it was too late for this."""
    connection.execute(update(table).where(which).values(stale_since=utc_now()))


def _is_met_by(keys: list[str]) -> ColumnElement[bool]:
    return or_(col(Interaction.source_key).in_(keys), col(Interaction.target_key).in_(keys))


def _column(table: type[Table], name: str) -> Any:
    return table.__table__.c[name]  # type: ignore[attr-defined]


def _delete(connection: Connection, table: type[Table], which: ColumnElement[bool], removal: Removal) -> None:
    removal.counts[str(table.__tablename__)] += _rows(connection.execute(delete(table).where(which)))


def _rows(result: CursorResult[Any]) -> int:
    return max(result.rowcount, 0)
