"""Drift: what the classifier made of a run's posts, beside what it made of the messages it was checked on and of the run before."""

from collections import Counter
from typing import Any

from sqlalchemy import Connection

from coprod_nlp.reading.artefact import load_manifest
from coprod_nlp.reading.labels import LABELS, WILLING
from coprod_nlp.training.drift import BINS, Profile, against_earlier, against_training
from flows.job import Job
from models import classifier_queries
from models.session import unit_of_work


def drift_of(job: Job) -> dict[str, Any]:
    """Numbers only: profiles of all posts of the run's scope and of those that are new in it, and how far they are from what was."""
    manifest = load_manifest(job.reading_directory())
    with job.engine.connect() as connection:
        everything, new = _profiles(connection, job)
    found: dict[str, Any] = {"all": everything.as_dict(), "new": new.as_dict(), "training": against_training(everything, manifest)}
    reference = _run_before(job)
    found["earlier"] = against_earlier(new, reference) if reference else None
    return found


def _profiles(connection: Connection, job: Job) -> tuple[Profile, Profile]:
    run, scope = job.run(), job.scope()
    asked: dict[str, Any] = {"version": run.versions["reading"], "fetched_from": run.started_at}
    tenths, labels = Counter[tuple[int, int]](), Counter[tuple[int, str]]()
    for row in classifier_queries.willing_histogram(connection, scope, **asked):
        tenths[row.is_new, row.tenth] = row.posts
    for row in classifier_queries.decided_labels(connection, scope, **asked):
        labels.update((row.is_new, name) for name in (*row.areas, *row.signals, *([WILLING] if row.is_willing else [])))
    return _profile(tenths, labels, (0, 1)), _profile(tenths, labels, (1,))


def _profile(tenths: Counter[tuple[int, int]], labels: Counter[tuple[int, str]], kinds: tuple[int, ...]) -> Profile:
    willing = tuple(sum(tenths[kind, tenth] for kind in kinds) for tenth in range(BINS))
    counts = {label: sum(labels[kind, label] for kind in kinds) for label in LABELS}
    return Profile(sum(willing), willing, {label: count for label, count in counts.items() if count})


def _run_before(job: Job) -> Profile | None:
    """All posts of the newest earlier run on the same communities under the same classifier."""
    with unit_of_work(job.engine) as session:
        for run in classifier_queries.earlier_runs(session, before=job.run()):
            if stored := run.counts.get("drift"):
                return Profile.from_dict(stored["all"])
    return None
