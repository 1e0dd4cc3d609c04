"""Reconciliation: stored posts are looked at again at their source, and what is gone there goes here."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from config.schema import Config
from config.settings import Settings
from coprod_nlp.vocabulary import PostState
from flows.keys import ready_keys
from flows.progress import listener
from flows.sources.base import CollectedPost, SourceRefusedError
from flows.sources.live import LiveSource
from flows.sources.table import LIVE, open_live
from flows.steps.rows import Rows
from models import queries, right_queries
from models.base import utc_now
from models.reconcile_actions import apply_answers
from models.removal import GONE
from models.session import unit_of_work

CHUNK = 5_000
# A daily schedule: what would be looked at too late if it waited for the next run is looked at now.
NEXT_RUN_HOURS = 24.0
# An answer that knows none of so many posts is asked for again before it is believed.
DOUBTFUL_FROM = 10

Answers = Mapping[str, CollectedPost | None]


class Reconciliation:
    """Looks at the posts of one platform that are due, longest ago first, in as few requests as the platform allows.

    `counts`: posts looked at, changed, gone by state, late (not looked at for longer than the platform's limit),
    unanswered (their server is out of reach), and requests.
    """

    def __init__(self, engine: Engine, source: LiveSource, *, settings: Settings, config: Config, by: str) -> None:
        self._engine, self._source, self._config, self._by = engine, source, config, by
        self._rows = {
            council: Rows(config, settings, council=council, platform=source.platform, is_live=True) for council in config.councils
        }
        self._requests_before = source.pace.requests
        self.counts = Counter[str]()

    def run(self, *, within_hours: float = NEXT_RUN_HOURS) -> None:
        """Each answer is stored in one transaction with the note that its posts were looked at: killed, the next run goes on from there."""
        now = utc_now()
        limit = now - timedelta(hours=self._config.recheck_hours(self._source.platform))
        # No later than now: what has been looked at would be due again, for ever.
        due = min(limit + timedelta(hours=within_hours), now)
        with self._engine.connect() as connection:
            self.counts["late"] = right_queries.count_due(connection, self._source.platform, seen_before=limit)
            total = right_queries.count_due(connection, self._source.platform, seen_before=due)
        listener().stage(f"Reconcile {self._source.platform}", total=total, unit="posts")
        doubtful = [batch for batch in self._batches(due) if not self._look_at(batch, is_believed=False)]
        for batch in doubtful:
            self._look_at(batch, is_believed=True)

    def _batches(self, seen_before: datetime) -> Iterator[list[Any]]:
        """Posts that are due, as many together as one request can ask about."""
        after: tuple[datetime, str] | None = None
        size = self._source.look_up_size
        waiting: list[Any] = []
        while True:
            with self._engine.connect() as connection:
                rows = right_queries.due_posts(connection, self._source.platform, seen_before=seen_before, after=after, limit=CHUNK)
            waiting += rows
            while len(waiting) >= size or (waiting and not rows):
                yield waiting[:size]
                waiting = waiting[size:]
            if not rows:
                return
            after = rows[-1].seen_at, rows[-1].post_id

    def _look_at(self, batch: list[Any], *, is_believed: bool) -> bool:
        """Ask about some posts and store the answer; False where the source knew none of them, which may be its fault."""
        fullnames = {row.post_id.removeprefix(f"{self._source.platform}:"): row for row in batch}
        answers = self._source.look_up({name: row.permalink for name, row in fullnames.items()})
        self.counts["requests"] = self._source.pace.requests - self._requests_before
        unanswered = fullnames.keys() - answers.keys()
        fullnames = {name: row for name, row in fullnames.items() if name in answers}
        if not is_believed and len(fullnames) >= DOUBTFUL_FROM and not any(answers.values()):
            return False
        self.counts["unanswered"] += len(unanswered)
        at = utc_now()
        gone = {row.post_id: state for name, row in fullnames.items() if (state := _gone_now(answers.get(name))) and state != row.state}
        with self._engine.connect() as connection:
            suppressed = queries.suppressed_keys(connection)
        found = (self._changed(answers.get(name), row, suppressed, at) for name, row in fullnames.items())
        shown = [row for row in found if row]
        with unit_of_work(self._engine) as session:
            asked = [row.post_id for row in fullnames.values()]
            apply_answers(session, platform=self._source.platform, gone=gone, changed=shown, asked=asked, at=at, by=self._by)
        self.counts.update(state.value for state in gone.values())
        self.counts.update(looked_at=len(fullnames), changed=len(shown))
        listener().advance(self.counts["looked_at"])
        return True

    def _changed(self, post: CollectedPost | None, stored: Any, suppressed: frozenset[str], at: datetime) -> dict[str, Any] | None:
        """The row of a post that was edited or came back; None where it is as it was, or may not be kept."""
        community = self._config.community(stored.community_id)
        if post is None or post.state in GONE or community is None:
            return None
        rows = self._rows[community.council]
        home = rows.home(community.name)
        key = rows.key(post, home) if home else None
        if home is None or key in suppressed:
            return None
        row = rows.row(post, home, key=key, now=at)
        # A post that was stored when its platform's ids were made in another way stays as it is, and is not stored once more.
        is_same = row["post_id"] == stored.post_id
        return row if is_same and row["content_hash"] != stored.content_hash else None


def reconcile_all(
    engine: Engine, *, settings: Settings, config: Config, by: str, platform: str | None = None, within_hours: float = NEXT_RUN_HOURS
) -> dict[str, int]:
    """Every live platform with posts here, or one; then reports and exports follow.

    Raises
    ------
    SourceRefusedError
        Where a platform is not known, or a credential is missing.
    """
    if platform is not None and platform not in LIVE:
        raise SourceRefusedError(f"--platform {platform}: cannot be asked; those that can: {', '.join(sorted(LIVE))}")
    from flows.renewal import renew  # brings the whole reading with it

    ready_keys(engine, settings)
    with engine.connect() as connection:
        stored = {name for name, _ in right_queries.stored_communities(connection)}
    counts = Counter[str]()
    for name in sorted(stored & ({platform} if platform else set(LIVE))):
        source = open_live(name, settings=settings)
        try:
            work = Reconciliation(engine, source, settings=settings, config=config, by=by)
            work.run(within_hours=within_hours)
        finally:
            source.close()
            del counts["not_reached"]  # told of all that wait, each time
            counts.update(renew(engine, settings=settings, config=config, by=by).as_counts())
        counts.update(work.counts)
    return dict(counts)


def _gone_now(post: CollectedPost | None) -> PostState | None:
    """The state of a post that the source shows no more; a post it does not know has vanished."""
    if post is None:
        return PostState.VANISHED
    return post.state if post.state in GONE else None
