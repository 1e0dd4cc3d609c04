"""Readings without a classifier: every stored post is said to offer help in the parks."""

from sqlalchemy import select
from sqlmodel import col

from coprod_nlp.vocabulary import ReadingStatus
from flows.job import Job
from models import actions
from models.post import Post


def give_readings(job: Job) -> None:
    said = {
        "version": job.run().versions["reading"], "status": ReadingStatus.READ, "language": "en", "willing": 0.9, "is_willing": True,
        "areas": {"parks": 0.9}, "signals": {"offer": 0.9}, "evidence": [["offer", 0, 70]],
    }  # fmt: skip
    with job.engine.begin() as connection:
        posts = connection.execute(select(col(Post.post_id), col(Post.content_hash)))
        actions.store_readings(connection, [{"post_id": post.post_id, "content_hash": post.content_hash} | said for post in posts])
