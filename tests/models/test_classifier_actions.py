"""Classifiers in the store: people promote, one reads at a time, and every decision can be taken back and looked up."""

from typing import Any

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from coprod_nlp.vocabulary import ClassifierRole, RunStatus
from models import classifier_actions as actions
from models import classifier_queries as queries
from models.base import utc_now
from models.classifier import Classifier
from models.run import AuditEntry, Run
from models.session import unit_of_work

SHIPPED = "reading-shipped"


def register(engine: Engine, version: str, *, beside: str = SHIPPED, worse: list[str] | None = None, by: str = "A. Shah") -> None:
    figures = {"checked": {"willing_f1": 0.8}, "comparison": {"champion": beside, "worse": worse or [], "rows": []}}
    with unit_of_work(engine) as session:
        actions.register_classifier(
            session,
            version=version,
            path=f"classifiers/{version}",
            parent=SHIPPED,
            figures=figures,
            lineage={"sources": ["project"]},
            by=by,
        )


def promote(engine: Engine, version: str, *, over: str = SHIPPED, by: str = "B. Ortiz", reason: str | None = None) -> None:
    with unit_of_work(engine) as session:
        actions.promote_classifier(session, version, champion_version=over, by=by, reason=reason)


def rollback(engine: Engine, *, by: str = "C. Wood", reason: str = "misreads lists", **changed: bool) -> str | None:
    with unit_of_work(engine) as session:
        return actions.rollback_classifier(session, by=by, reason=reason, **changed)


def row(engine: Engine, version: str) -> Classifier:
    with unit_of_work(engine) as session:
        return session.get_one(Classifier, version)


def roles(engine: Engine) -> dict[str, str]:
    with unit_of_work(engine) as session:
        return {found.version: found.role for found in queries.classifiers(session)}


def champion(engine: Engine) -> str | None:
    with unit_of_work(engine) as session:
        found = queries.champion(session)
        return found.version if found else None


def audited(engine: Engine) -> list[tuple[str, str, str, dict[str, Any]]]:
    with unit_of_work(engine) as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.entry_id))  # type: ignore[arg-type]
        return [(entry.action, entry.subject, entry.by, entry.counts) for entry in entries]


def test_a_challenger_reads_nothing_until_somebody_promotes_it(engine: Engine) -> None:
    register(engine, "reading-a")
    assert (champion(engine), roles(engine)) == (None, {"reading-a": "challenger"})
    assert (row(engine, "reading-a").made_by, row(engine, "reading-a").promoted_at) == ("A. Shah", None)
    promote(engine, "reading-a")
    found = row(engine, "reading-a")
    assert champion(engine) == "reading-a"
    assert (found.promoted_by, found.replaced, found.reason, found.promoted_at is not None) == ("B. Ortiz", SHIPPED, None, True)
    assert audited(engine) == [
        ("register_classifier", "reading-a", "A. Shah", {"new": 1}), ("promote_classifier", "reading-a", "B. Ortiz", {"worse": 0}),
    ]  # fmt: skip


@pytest.mark.parametrize("by", ["", "  "], ids=["empty", "blank"])
def test_nothing_is_decided_without_a_name(engine: Engine, by: str) -> None:
    register(engine, "reading-a")
    with pytest.raises(actions.RefusedError, match="a person must be named: --by"):
        promote(engine, "reading-a", by=by)
    promote(engine, "reading-a")
    with pytest.raises(actions.RefusedError, match="a person must be named"):
        rollback(engine, by=by)
    with pytest.raises(actions.RefusedError, match="a person must be named"):
        register(engine, "reading-b", by=by)
    assert roles(engine) == {"reading-a": "champion"}


@pytest.mark.parametrize("reason", [None, "", "  "], ids=["none", "empty", "blank"])
def test_one_that_is_worse_in_a_guarded_figure_needs_a_reason(engine: Engine, reason: str | None) -> None:
    register(engine, "reading-a", worse=["checked.willing_f1", "recent.sensitive_recall"])
    with pytest.raises(actions.RefusedError, match=r"2 guarded figures \(checked\.willing_f1, recent\.sensitive_recall\).*--reason"):
        promote(engine, "reading-a", reason=reason)
    assert (champion(engine), len(audited(engine))) == (None, 1)
    promote(engine, "reading-a", reason="requests count here")
    assert (champion(engine), row(engine, "reading-a").reason) == ("reading-a", "requests count here")
    assert audited(engine)[-1][3] == {"worse": 2, "reason": "requests count here"}


def test_one_that_was_compared_with_another_than_the_champion_is_not_promoted(engine: Engine) -> None:
    register(engine, "reading-a")
    register(engine, "reading-b")
    promote(engine, "reading-a")
    with pytest.raises(actions.RefusedError, match=r"not compared with reading-a, which reads now; run: coprod classifiers compare"):
        promote(engine, "reading-b", over="reading-a")
    with unit_of_work(engine) as session:
        actions.record_comparison(session, "reading-b", champion_version="reading-a", worse=[], rows=[{"gain": 0.1}], by="compare")
    promote(engine, "reading-b", over="reading-a")
    assert roles(engine) == {"reading-a": "retired", "reading-b": "champion"}
    assert row(engine, "reading-b").figures["checked"] == {"willing_f1": 0.8}


def test_a_version_that_is_not_there_or_reads_already_is_refused(engine: Engine) -> None:
    with pytest.raises(actions.RefusedError, match="no such classifier here; see: coprod classifiers list"):
        promote(engine, "reading-z")
    register(engine, "reading-a")
    promote(engine, "reading-a")
    with pytest.raises(actions.RefusedError, match="is the champion already"):
        promote(engine, "reading-a", over="reading-a")


def test_a_rollback_goes_back_one_promotion_at_a_time_and_at_last_to_the_shipped_one(engine: Engine) -> None:
    register(engine, "reading-a")
    promote(engine, "reading-a")
    register(engine, "reading-b", beside="reading-a", worse=["checked.willing_ap"])
    promote(engine, "reading-b", over="reading-a", reason="newer words")
    assert rollback(engine, reason="misreads lists") == "reading-a"
    assert roles(engine) == {"reading-a": "champion", "reading-b": "retired"}
    assert (row(engine, "reading-a").promoted_by, row(engine, "reading-a").reason) == ("C. Wood", "misreads lists")
    assert row(engine, "reading-b").reason == "newer words", "what was decided then stays"
    assert rollback(engine) is None
    assert (champion(engine), roles(engine)) == (None, {"reading-a": "retired", "reading-b": "retired"})
    with pytest.raises(actions.RefusedError, match="no promotion to take back"):
        rollback(engine)
    assert [entry[0] for entry in audited(engine)].count("rollback_classifier") == 2
    assert audited(engine)[-1] == ("rollback_classifier", "reading-a", "C. Wood", {"to_shipped": 1, "reason": "misreads lists"})


def test_a_rollback_never_goes_round_in_circles(engine: Engine) -> None:
    register(engine, "reading-a")
    promote(engine, "reading-a")
    register(engine, "reading-b", beside="reading-a")
    promote(engine, "reading-b", over="reading-a")
    register(engine, "reading-a", beside="reading-b")
    promote(engine, "reading-a", over="reading-b")
    assert [rollback(engine), rollback(engine)] == ["reading-b", "reading-a"]
    register(engine, "reading-b", beside="reading-a")
    promote(engine, "reading-b", over="reading-a")
    assert [rollback(engine), rollback(engine)] == ["reading-a", None]
    assert champion(engine) is None


def test_all_promotions_can_be_taken_back_at_once(engine: Engine) -> None:
    register(engine, "reading-a")
    promote(engine, "reading-a")
    register(engine, "reading-b", beside="reading-a")
    promote(engine, "reading-b", over="reading-a")
    assert rollback(engine, is_to_shipped=True) is None
    assert champion(engine) is None


def test_a_rollback_without_a_reason_changes_nothing(engine: Engine) -> None:
    register(engine, "reading-a")
    promote(engine, "reading-a")
    with pytest.raises(actions.RefusedError, match="--reason"):
        rollback(engine, reason=" ")
    assert champion(engine) == "reading-a"


def test_one_that_was_retired_can_be_promoted_again(engine: Engine) -> None:
    register(engine, "reading-a")
    promote(engine, "reading-a")
    rollback(engine)
    promote(engine, "reading-a", by="D. Lee")
    assert (champion(engine), row(engine, "reading-a").promoted_by) == ("reading-a", "D. Lee")


def test_the_same_weights_registered_again_keep_their_role_and_maker(engine: Engine) -> None:
    register(engine, "reading-a")
    promote(engine, "reading-a")
    register(engine, "reading-a", by="E. Khan", worse=["checked.willing_f1"])
    found = row(engine, "reading-a")
    assert (found.role, found.made_by, found.figures["comparison"]["worse"]) == ("champion", "A. Shah", ["checked.willing_f1"])
    assert audited(engine)[-1] == ("register_classifier", "reading-a", "E. Khan", {"new": 0})


def facts(version: str, **changed: Any) -> dict[str, Any]:
    return {
        "version": version, "role": ClassifierRole.CHALLENGER.value, "path": "", "parent": SHIPPED, "made_at": utc_now(), "made_by": "A",
        "figures": {}, "lineage": {}, "replaced": None, "promoted_at": None, "promoted_by": None, "reason": None,
    } | changed  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"promoted_at": utc_now()}, id="when without who"),
        pytest.param({"promoted_by": "B"}, id="who without when"),
        pytest.param({"role": "champion"}, id="champion whom nobody promoted"),
        pytest.param({"made_by": ""}, id="made by nobody"),
        pytest.param({"promoted_by": "", "promoted_at": utc_now()}, id="promoted by nobody"),
    ],
)
def test_the_store_itself_refuses_half_a_decision(engine: Engine, wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(insert(Classifier), [facts("reading-a", **wrong)])


def test_the_store_itself_refuses_a_second_champion(engine: Engine) -> None:
    reigning = {"role": "champion", "promoted_at": utc_now(), "promoted_by": "B"}
    with engine.begin() as connection:
        connection.execute(insert(Classifier), [facts("reading-a", **reigning)])
        connection.execute(insert(Classifier), [facts("reading-b"), facts("reading-c", role="retired")])
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(insert(Classifier), [facts("reading-d", **reigning)])


def test_earlier_runs_are_those_of_the_same_communities_and_classifier_that_finished(engine: Engine) -> None:
    def run(name: str, day: int, **changed: Any) -> Run:
        began = utc_now().replace(year=2025, month=1, day=day)
        given: dict[str, Any] = {
            "run_id": name, "council": "marlowick", "communities": ["a", "b"], "status": RunStatus.FINISHED, "started_at": began,
            "finished_at": began, "versions": {"reading": "reading-a"}, "config_digest": "d",
        }  # fmt: skip
        return Run(**(given | changed))

    now = run("now", 20)
    others = [
        run("older", 1), run("old", 2), run("failed", 3, status=RunStatus.FAILED), run("else", 4, communities=["a"]),
        run("other reader", 5, versions={"reading": "reading-b"}), run("other council", 6, council="x"), run("later", 21),
        run("running", 7, status=RunStatus.RUNNING, finished_at=None),
    ]  # fmt: skip
    with unit_of_work(engine) as session:
        session.add_all([now, *others])
    with unit_of_work(engine) as session:
        assert [found.run_id for found in queries.earlier_runs(session, before=now)] == ["old", "older"]
        assert queries.communities_listened_to(session, council="marlowick") == {"a", "b"}
