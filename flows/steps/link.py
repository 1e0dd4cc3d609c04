"""Link: who answered whom, who named whom and who shared a thread."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import product

from sqlalchemy import Connection

from config.settings import author_key, load_author_key
from coprod_nlp.text.mentions import names_mentioned
from coprod_nlp.vocabulary import InteractionKind, RunStage
from flows.job import Job
from flows.progress import listener
from models import actions, queries


def link(job: Job, *, again: bool = False) -> None:
    """Work out the interactions of every community of the run anew from its stored posts.

    What a run has done it does not do a second time, unless `again` says so.
    """
    if job.is_done(RunStage.LINK) and not again:
        listener().note("link: done before, gone on from there")
        return
    communities, key_of = job.scope().communities, partial(author_key, load_author_key(job.settings))
    with job.stage(RunStage.LINK):
        listener().stage("Link", total=len(communities), unit="communities")
        total = 0
        for done, community_id in enumerate(communities, start=1):
            with job.engine.begin() as connection:
                total += actions.derive_interactions(connection, community_id, thread_limit=job.config.ranking.ties.thread_limit)
                total += _link_mentions(connection, community_id, key_of)
            listener().advance(done, note=f"{total:,} interactions")
        job.update(counts={"link": {"interactions": total}})


def _link_mentions(connection: Connection, community_id: str, key_of: Callable[..., str]) -> int:
    """Names in the text become author keys, and only those of people who wrote in the community are kept."""
    rows: dict[tuple[str, str], dict[str, object]] = {}
    # Author keys are made in a platform or, in a forum of no known platform, in that forum.
    spaces = (community_id.partition(":")[0], community_id)
    for post in queries.posts_that_may_mention(connection, community_id):
        names = names_mentioned(f"{post.title}\n{post.body}")
        for space, name in product(spaces, _as_accounts(names, host=_host_of(post.post_id))):
            target = key_of(platform=space, author_id=name)
            if target != post.author_key:
                rows[post.post_id, target] = {
                    "kind": InteractionKind.MENTION.value, "anchor_id": post.post_id, "source_key": post.author_key,
                    "target_key": target, "community_id": community_id, "happened_at": post.created_at,
                }  # fmt: skip
    return actions.store_mentions(connection, community_id, list(rows.values()))


def _as_accounts(names: Iterable[str], *, host: str) -> Iterator[str]:
    """Names as accounts may be called: those of servers have the server's name after theirs, which people there leave out."""
    for name in names:
        yield name
        if host and "@" not in name:
            yield f"{name}@{host}"


def _host_of(post_id: str) -> str:
    """The server that showed a post, which ids begin with where there are several: `discourse:forum.example/12/3`; "" elsewhere."""
    host, slash, _ = post_id.partition(":")[2].partition("/")
    return host if slash else ""
