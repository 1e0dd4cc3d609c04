"""Retention: what has outlived its time goes, from reports and exports too."""

from sqlalchemy import Engine

from config.schema import Config
from config.settings import Settings
from flows.keys import ready_keys
from models import right_actions
from models.removal import Removal
from models.session import unit_of_work


def expire_posts(engine: Engine, *, config: Config, by: str) -> Removal:
    """Remove the posts whose time is over by platform, and what came in of people after they had objected."""
    kept = {name: rule.kept_days for name, rule in config.retention.items() if name != "default"}
    with unit_of_work(engine) as session:
        found = right_actions.expire_posts(session, kept_days=kept, default_days=config.retention["default"].kept_days, by=by)
    with unit_of_work(engine) as session:
        right_actions.sweep_suppressed(session, by=by)
    return found


def expire_all(engine: Engine, *, settings: Settings, config: Config, by: str) -> dict[str, int]:
    """Expire posts, then deal with every report and export that may show them. Counts only."""
    from flows.renewal import renew  # brings the whole reading with it

    ready_keys(engine, settings)
    found = expire_posts(engine, config=config, by=by)
    return {"expired": found.counts["post"]} | renew(engine, settings=settings, config=config, by=by).as_counts()
