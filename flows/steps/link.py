"""Link: who answered whom and who shared a thread."""

from coprod_nlp.vocabulary import RunStage
from flows.job import Job
from flows.progress import listener
from models import actions


def link(job: Job) -> None:
    """Work out the interactions of every community of the run anew from its stored posts."""
    if job.is_done(RunStage.LINK):
        listener().note("link: done before, gone on from there")
        return
    communities = job.scope().communities
    with job.stage(RunStage.LINK):
        listener().stage("Link", total=len(communities), unit="communities")
        total = 0
        for done, community_id in enumerate(communities, start=1):
            with job.engine.begin() as connection:
                total += actions.derive_interactions(connection, community_id, thread_limit=job.config.ranking.ties.thread_limit)
            listener().advance(done, note=f"{total:,} interactions")
        job.update(counts={"link": {"interactions": total}})
