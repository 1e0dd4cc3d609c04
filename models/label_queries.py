"""What is asked of the store about labels, and about what to label next; in an order that does not depend on when rows were written."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, select
from sqlmodel import col

from coprod_nlp.vocabulary import PostState, ReadingStatus
from models.bulk import among
from models.label import Label, text_hash
from models.post import Post, PostReading
from models.queries import BATCH, nobody_objected


def labels(connection: Connection, *, labeller: str | None = None) -> list[Any]:
    """Every judgement, or those of one labeller, as they are stored, by post and labeller."""
    statement = select(Label.__table__).order_by(col(Label.post_id), col(Label.labeller))  # type: ignore[attr-defined]
    return list(connection.execute(statement.where(col(Label.labeller) == labeller) if labeller else statement))


def labelled_platforms(connection: Connection) -> list[str]:
    """Platforms with a labelled post: whether each may be used for training is for the configuration to say."""
    statement = select(col(Post.platform)).join(Label, col(Label.post_id) == col(Post.post_id)).distinct()
    return list(connection.scalars(statement.order_by(col(Post.platform))))


def labelled_posts(connection: Connection, *, platforms: Collection[str] | None = None) -> Iterator[Any]:
    """Posts with their words beside each judgement of them, streamed by post and labeller.

    Left out are posts of authors who objected, and judgements of words that the post no longer holds.

    Parameters
    ----------
    platforms
        Those whose posts may be used, as for training; None for all.
    """
    statement = (
        select(
            col(Post.post_id), col(Post.platform), col(Post.community_id), col(Post.title), col(Post.body), col(Label.labeller),
            col(Label.areas), col(Label.signals), col(Label.evidence), col(Label.is_sensitive), col(Label.text_hash), col(Label.origin),
            col(Post.author_key), col(Post.created_at),
        )
        .join(Label, col(Label.post_id) == col(Post.post_id))
        .where(nobody_objected())
        .order_by(col(Post.post_id), col(Label.labeller))
    )  # fmt: skip
    if platforms is not None:
        statement = statement.where(col(Post.platform).in_(sorted(platforms)))
    with connection.execute(statement.execution_options(yield_per=BATCH)) as rows:
        for row in rows:
            if row.text_hash == text_hash(row.title, row.body):
                yield row


def uncertain_posts(
    connection: Connection, *, threshold: float, band: tuple[float, float], limit: int, communities: Collection[str] | None = None
) -> list[str]:
    """Ids of unlabelled posts in doubt: those whose `willing` is within a band, then the others. Of either, each community's nearest to the
    threshold, then each one's second, and so on."""
    distance = func.abs(col(PostReading.willing) - threshold)
    is_sure = case((col(PostReading.willing).between(*band), 0), else_=1)
    turn = func.row_number().over(partition_by=(col(Post.community_id), is_sure), order_by=(distance, col(Post.post_id)))
    columns = (is_sure.label("is_sure"), distance.label("distance"), turn.label("turn"))
    nearest = _unlabelled(col(Post.post_id), *columns, communities=communities).cte("nearest")
    ordered = select(nearest.c.post_id).order_by(nearest.c.is_sure, nearest.c.turn, nearest.c.distance, nearest.c.post_id)
    return list(connection.scalars(ordered.limit(limit)))


def contents_of(connection: Connection, post_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """For each of these posts, in their order, how probable its policy areas and signals are."""
    statement = select(col(Post.post_id), col(PostReading.areas), col(PostReading.signals))
    read = statement.join(PostReading, col(PostReading.post_id) == col(Post.post_id))
    found = {row.post_id: (("area", row.areas), ("signal", row.signals)) for row in _of(connection, read, post_ids)}
    return {
        post_id: {f"{kind} {name}": probability for kind, values in found[post_id] for name, probability in values.items()}
        for post_id in post_ids
        if post_id in found
    }


def unlabelled_posts(connection: Connection, *, communities: Collection[str] | None = None) -> Iterator[str]:
    """Ids of posts that were read and that nobody has labelled, streamed by id."""
    statement = _unlabelled(col(Post.post_id), communities=communities).order_by(col(Post.post_id))
    with connection.execute(statement.execution_options(yield_per=BATCH)) as rows:
        yield from rows.scalars()


def once_labelled_posts(connection: Connection, *, but_not_by: str, communities: Collection[str], limit: int) -> list[str]:
    """Ids of posts that one other person has labelled so far, the newest label first: a second judgement shows how far both agree."""
    counted = (
        select(col(Label.post_id))
        .join(Post, col(Post.post_id) == col(Label.post_id))
        .where(col(Post.community_id).in_(sorted(communities)), col(Post.state) == PostState.VISIBLE, nobody_objected())
        .group_by(col(Label.post_id))
        .having(func.count() == 1, func.max(col(Label.labeller)) != but_not_by)
        .order_by(func.max(col(Label.labelled_at)).desc(), col(Label.post_id))
    )
    return list(connection.scalars(counted.limit(limit)))


def post_to_label(connection: Connection, post_id: str, *, communities: Collection[str]) -> Any:
    """One visible post of these communities with its words and author key; None where there is none."""
    statement = select(
        col(Post.post_id),
        col(Post.community_id),
        col(Post.title),
        col(Post.body),
        col(Post.author_key),
        col(Post.created_at),
        col(Post.permalink),
    ).where(
        col(Post.post_id) == post_id,
        col(Post.community_id).in_(sorted(communities)),
        col(Post.state) == PostState.VISIBLE,
        nobody_objected(),
    )
    return connection.execute(statement).one_or_none()


def labels_of_post(connection: Connection, post_id: str) -> list[Any]:
    """Every judgement of a post, by labeller."""
    statement = select(Label.__table__).where(col(Label.post_id) == post_id)  # type: ignore[attr-defined]
    return list(connection.execute(statement.order_by(col(Label.labeller))))


def label_counts(connection: Connection, *, communities: Collection[str]) -> list[Any]:
    """(labeller, labels) of the posts of some communities."""
    counted = select(col(Label.labeller), func.count().label("labels")).join(Post, col(Post.post_id) == col(Label.post_id))
    here = counted.where(col(Post.community_id).in_(sorted(communities)))
    return list(connection.execute(here.group_by(col(Label.labeller)).order_by(col(Label.labeller))))


def readings_to_label(connection: Connection, post_ids: Sequence[str]) -> dict[str, Any]:
    """By post id: words, community, and what the reader made of them."""
    statement = select(
        col(Post.post_id), col(Post.community_id), col(Post.title), col(Post.body), col(PostReading.version), col(PostReading.willing),
        col(PostReading.areas), col(PostReading.signals), col(PostReading.evidence),
    ).join(PostReading, col(PostReading.post_id) == col(Post.post_id))  # fmt: skip
    return {row.post_id: row for row in _of(connection, statement, post_ids)}


def stored_posts(connection: Connection, post_ids: Sequence[str]) -> dict[str, Any]:
    """By post id: (post_id, state, title, body) of those that are stored."""
    statement = select(col(Post.post_id), col(Post.state), col(Post.title), col(Post.body))
    return {row.post_id: row for row in _of(connection, statement, post_ids)}


def posts_called(connection: Connection, fullnames: Collection[str]) -> dict[str, list[str]]:
    """Ids of stored posts by fullname, which is the end of an id; sources may name posts alike. Goes through every id once."""
    found: dict[str, list[str]] = {}
    if not fullnames:
        return found
    statement = select(col(Post.post_id)).order_by(col(Post.post_id))
    with connection.execute(statement.execution_options(yield_per=BATCH)) as rows:
        for post_id in rows.scalars():
            fullname = post_id[max(post_id.rfind(":t1_"), post_id.rfind(":t3_")) + 1 :]
            if fullname in fullnames:
                found.setdefault(fullname, []).append(post_id)
    return found


def _of(connection: Connection, statement: Any, post_ids: Sequence[str]) -> Iterator[Any]:
    """What a statement finds of these posts alone."""
    yield from connection.execute(statement.where(among(connection, col(Post.post_id), post_ids)))


def _unlabelled(*columns: Any, communities: Collection[str] | None = None) -> Select[Any]:
    """Visible posts whose present words were read and scored, without a label. What was set aside as sensitive was not scored."""
    here = [] if communities is None else [col(Post.community_id).in_(sorted(communities))]
    return (
        select(*columns)
        .join(PostReading, and_(col(PostReading.post_id) == col(Post.post_id), col(PostReading.content_hash) == col(Post.content_hash)))
        .where(
            col(Post.state) == PostState.VISIBLE,
            col(PostReading.status) == ReadingStatus.READ,
            col(PostReading.willing).is_not(None),
            ~select(col(Label.post_id)).where(col(Label.post_id) == col(Post.post_id)).exists(),
            nobody_objected(),
            *here,
        )
    )
