"""What changes about classifiers: named actions, each in the caller's one transaction and with one audit row."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from coprod_nlp.vocabulary import ClassifierRole
from models.actions import audit
from models.base import utc_now
from models.classifier import Classifier
from models.classifier_queries import PROMOTED, TAKEN_BACK, champion, promotions

COMPARISON = "comparison"


class RefusedError(Exception):
    """A decision that may not be made so; the message says what is missing."""


def register_classifier(
    session: Session, *, version: str, path: str, parent: str, figures: Mapping[str, Any], lineage: Mapping[str, Any], by: str
) -> Classifier:
    """Keep a challenger. One that was fitted before to the same weights stays as it is, whatever it is by now, with the newer figures."""
    by = _named(by)
    found = session.get(Classifier, version)
    is_new = found is None
    if found is None:
        found = Classifier(version=version, role=ClassifierRole.CHALLENGER, path=path, parent=parent, made_at=utc_now(), made_by=by)
        session.add(found)
    found.figures, found.lineage = dict(figures), dict(lineage)
    audit(session, by=by, action="register_classifier", subject=version, counts={"new": int(is_new)})
    return found


def record_comparison(session: Session, version: str, *, champion_version: str, worse: Sequence[str], rows: Sequence[Any], by: str) -> None:
    """Keep how a classifier compares with the champion; promoting it is decided on this."""
    found = _known(session, version)
    before = found.figures.get(COMPARISON, {})
    curves = {"curves": before["curves"]} if before.get("champion") == champion_version and "curves" in before else {}
    comparison = {"champion": champion_version, "worse": list(worse), "rows": list(rows), **curves}
    found.figures = {**found.figures, COMPARISON: comparison}
    audit(session, by=_named(by), action="compare_classifiers", subject=version, counts={"worse": len(worse)})


def promote_classifier(session: Session, version: str, *, champion_version: str, by: str, reason: str | None = None) -> Classifier:
    """Make a classifier the champion.

    Parameters
    ----------
    champion_version
        The one that reads now, also where it is the shipped one.

    Raises
    ------
    RefusedError
        Where nobody is named, it was not compared with the present champion, or it is worse in a guarded figure and no reason is given.
    """
    by, reason, found = _named(by), (reason or "").strip() or None, _known(session, version)
    if found.role == ClassifierRole.CHAMPION:
        raise RefusedError(f"{version} is the champion already")
    comparison = found.figures.get(COMPARISON, {})
    if comparison.get("champion") != champion_version:
        raise RefusedError(
            f"{version} was not compared with {champion_version}, which reads now; run: coprod classifiers compare {version}"
        )
    worse = comparison["worse"]
    if worse and reason is None:
        raise RefusedError(
            f"{version} is worse than {champion_version} in {len(worse)} guarded figures ({', '.join(worse)}); "
            "say why it should read all the same: --reason"
        )
    _retire(session)
    found.role, found.replaced = ClassifierRole.CHAMPION, champion_version
    found.promoted_at, found.promoted_by, found.reason = utc_now(), by, reason
    counts = {"worse": len(worse)} | ({"reason": reason} if reason else {})
    audit(session, by=by, action=PROMOTED, subject=version, counts=counts)
    return found


def rollback_classifier(session: Session, *, by: str, reason: str, is_to_shipped: bool = False) -> str | None:
    """Take back the newest promotion, or all of them; returns the version that reads again, None for the shipped one.

    Raises
    ------
    RefusedError
        Where nobody or no reason is named, or nothing was promoted.
    """
    by, reason = _named(by), reason.strip()
    if not reason:
        raise RefusedError("say why the champion should not read any more: --reason")
    standing = promotions(session)
    retired = _retire(session)
    if retired is None:
        raise RefusedError("the shipped classifier reads; there is no promotion to take back")
    before = session.get(Classifier, standing[-2]) if len(standing) > 1 and not is_to_shipped else None
    if before is not None:
        before.role, before.replaced = ClassifierRole.CHAMPION, retired.version
        before.promoted_at, before.promoted_by, before.reason = utc_now(), by, reason
    audit(session, by=by, action=TAKEN_BACK, subject=retired.version, counts={"to_shipped": int(before is None), "reason": reason})
    return before.version if before else None


def _retire(session: Session) -> Classifier | None:
    """The champion steps down at once: there is never more than one."""
    found = champion(session)
    if found:
        found.role = ClassifierRole.RETIRED
        session.flush()
    return found


def _known(session: Session, version: str) -> Classifier:
    found = session.get(Classifier, version)
    if found is None:
        raise RefusedError(f"{version}: no such classifier here; see: coprod classifiers list")
    return found


def _named(by: str) -> str:
    if not by.strip():
        raise RefusedError("a person must be named: --by NAME")
    return by.strip()
