"""Which message an analyst labels next: a queue that a council's analysts share, and now and then one that a colleague has labelled."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from threading import Lock
from typing import Any

from sqlalchemy import Connection

from coprod_nlp.reading.artefact import Manifest
from coprod_nlp.reading.labels import WILLING
from coprod_nlp.training.queue import LOOKED_AT, SMALLEST_RANDOM_SHARE, choose_queue, most_varied
from models import decision_actions, label_queries
from models.base import utc_now

LENGTH = 100
FRESH = timedelta(minutes=30)
# Each so many labels, one is the second of a message that a colleague has labelled.
SECOND_EVERY = 5


@dataclass
class Queue:
    """Post ids in the order to label them in, and when they were chosen."""

    post_ids: tuple[str, ...]
    made_at: datetime


@dataclass(frozen=True)
class Asking:
    """Who wants a message to label, and how often a week they may see the same voice."""

    account_id: str
    username: str
    council: str
    views_a_week: int


@dataclass
class LabelQueues:
    """Kept in memory: choosing goes through every message that was read. `left` are messages that somebody left for later."""

    queues: dict[str, Queue] = field(default_factory=dict)
    left: dict[str, set[str]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def leave(self, account_id: str, post_id: str) -> None:
        self.left.setdefault(account_id, set()).add(post_id)

    def next_post(self, connection: Connection, asking: Asking, *, communities: set[str], manifest: Manifest) -> Any:
        """The next message for somebody; None where all is labelled, left for later or held back."""
        seconds = label_queries.once_labelled_posts(connection, but_not_by=asking.username, communities=communities, limit=LENGTH)
        counts = {row.labeller: row.labels for row in label_queries.label_counts(connection, communities=communities)}
        is_second = counts.get(asking.username, 0) % SECOND_EVERY == SECOND_EVERY - 1
        for is_anew in (False, True):
            first = self._queue(connection, asking.council, communities, manifest, is_anew=is_anew)
            fresh = (post_id for post_id in first if not label_queries.labels_of_post(connection, post_id))
            for post_id in chain(seconds, fresh) if is_second else chain(fresh, seconds):
                if post := self._may_see(connection, asking, post_id, communities):
                    return post
        return None

    def _queue(self, connection: Connection, council: str, communities: set[str], manifest: Manifest, *, is_anew: bool) -> tuple[str, ...]:
        """Of the least sure of each community in turn those that differ most, and at least a fifth drawn by lot."""
        with self.lock:
            found = self.queues.get(council)
            if found is None or is_anew or utc_now() - found.made_at > FRESH:
                near = label_queries.uncertain_posts(
                    connection, threshold=manifest.thresholds[WILLING], band=manifest.uncertain, limit=LOOKED_AT * LENGTH,
                    communities=communities,
                )  # fmt: skip
                uncertain = most_varied(label_queries.contents_of(connection, near), limit=LENGTH)
                everything = label_queries.unlabelled_posts(connection, communities=communities)
                chosen = choose_queue(uncertain, everything, limit=LENGTH, random_share=SMALLEST_RANDOM_SHARE)
                found = self.queues[council] = Queue(chosen.post_ids, utc_now())
            return found.post_ids

    def _may_see(self, connection: Connection, asking: Asking, post_id: str, communities: set[str]) -> Any:
        """A message that is still there, not left or labelled by this person, and whose voice they did not see too often this week."""
        if post_id in self.left.get(asking.account_id, set()):
            return None
        post = label_queries.post_to_label(connection, post_id, communities=communities)
        if post is None or any(row.labeller == asking.username for row in label_queries.labels_of_post(connection, post_id)):
            return None
        return post if self.may_see_voice(connection, asking, post) else None

    @staticmethod
    def may_see_voice(connection: Connection, asking: Asking, post: Any) -> bool:
        """Whether somebody saw the voice of a message less often this week than is allowed."""
        keys = [post.author_key] if post.author_key else []
        return all(views < asking.views_a_week for views in decision_actions.voice_views(connection, asking.account_id, keys).values())
