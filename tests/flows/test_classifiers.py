"""Which classifier reads: the champion, for every run that begins; and what an analyst decides about it on the command line."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlmodel import col

from config.settings import Settings
from coprod_nlp.reading.artefact import (
    ESTIMATORS,
    MANIFEST,
    SHIPPED,
    ArtefactError,
    Manifest,
    load_fitted,
    load_manifest,
    load_networks,
    save_artefact,
)
from coprod_nlp.reading.labels import LABELS, WILLING, WILLING_VALUES
from coprod_nlp.vocabulary import RunStatus
from flows.checkup import run_checks
from flows.classifiers import champion_directory, directory_of
from flows.job import Job
from flows.steps import read as step
from flows.steps.collect import collect
from flows.steps.read import read
from models import classifier_actions as actions
from models.base import utc_now
from models.classifier import Classifier
from models.post import PostReading
from models.session import open_engine, unit_of_work
from tests.fakes.commands import Coprod, typed

JobMaker = Callable[..., Job]
POSTS = ["The bins were late again.", "Does anyone know when the pool opens?", "I can lend my van for the clean-up on Saturday.", "lol"]


@pytest.fixture(scope="module")
def eager(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """The shipped classifier, but taking nearly everything it reads deeply for willing; or with the threshold of it that a test gives."""
    given: dict[str, float] = getattr(request, "param", dict.fromkeys((WILLING, *WILLING_VALUES), 0.001))
    threshold = given[WILLING]
    shipped, folder = load_manifest(), tmp_path_factory.mktemp("eager")
    kept = ("made_on", "sources", "data", "messages", "gate_thresholds", "figures", "profile", "notes")
    facts = {name: getattr(shipped, name) for name in kept} | {
        "thresholds": shipped.thresholds | given, "close_from": min(threshold, shipped.close_from),
        "uncertain": (threshold / 2, min(1.0, threshold * 2)), "networks": load_networks(),
    }  # fmt: skip
    return folder, save_artefact(folder, load_fitted(), whole=False, **facts)


@pytest.fixture
def store(settings: Settings) -> Iterator[Engine]:
    engine = open_engine(settings.address())
    yield engine
    engine.dispose()


@pytest.fixture
def challenger(store: Engine, settings: Settings, eager: tuple[Path, Manifest]) -> str:
    """The eager one as a registered challenger that is worse in one guarded figure."""
    folder, manifest = eager
    shutil.copytree(folder, settings.home / "classifiers" / manifest.version)
    shipped = load_manifest().version
    row = {
        "set_name": "checked", "figure": "willing_f1", "messages": 725, "champion": 0.8, "challenger": 0.7, "gain": -0.1, "low": -0.2,
        "high": -0.05,
    }  # fmt: skip
    comparison = {"champion": shipped, "worse": ["checked.willing_f1"], "rows": [row]}
    with unit_of_work(store) as session:
        actions.register_classifier(
            session, version=manifest.version, path=f"classifiers/{manifest.version}", parent=shipped,
            figures=asdict(manifest)["figures"] | {"comparison": comparison}, lineage={}, by="A. Shah",
        )  # fmt: skip
    return manifest.version


def promote(engine: Engine, version: str) -> None:
    with unit_of_work(engine) as session:
        actions.promote_classifier(session, version, champion_version=load_manifest().version, by="B. Ortiz", reason="tried")


@pytest.fixture
def archive(tmp_path: Path) -> str:
    path = tmp_path / "posts.ndjson"
    facts = {"subreddit": "thornby", "author": "someone", "created_utc": 1767225600}
    rows = [facts | {"name": f"t1_{place}", "body": body} for place, body in enumerate(POSTS)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def stored(job: Job) -> dict[str, tuple[str, bool]]:
    with unit_of_work(job.engine) as session:
        rows = session.scalars(select(PostReading).order_by(col(PostReading.post_id)))
        return {row.post_id: (row.version, row.is_willing) for row in rows}


def have_read(job: Job) -> Job:
    collect(job)
    read(job)
    return job


def finish(job: Job) -> None:
    job.update(status=RunStatus.FINISHED, finished_at=utc_now())


def test_a_run_reads_with_the_shipped_classifier_until_another_is_promoted(
    make_job: JobMaker, store: Engine, challenger: str, archive: str
) -> None:
    found = []
    for _ in range(2):
        job = have_read(make_job(archive))
        finish(job)
        found.append(stored(job))
        if len(found) == 1:
            promote(store, challenger)
    assert {version for version, _ in found[0].values()} == {load_manifest().version}
    assert {version for version, _ in found[1].values()} == {challenger}
    assert sum(is_willing for _, is_willing in found[0].values()) < sum(is_willing for _, is_willing in found[1].values())


def test_a_run_keeps_the_classifier_it_began_with_also_when_it_goes_on_after_a_promotion(
    make_job: JobMaker, store: Engine, challenger: str, archive: str
) -> None:
    began = make_job(archive)
    collect(began)
    promote(store, challenger)
    again = make_job(archive)
    assert again.run_id == began.run_id
    assert again.reading_directory() == SHIPPED
    read(again)
    assert {version for version, _ in stored(again).values()} == {load_manifest().version}
    finish(again)
    assert make_job(archive).run().versions["reading"] == challenger


def test_processes_read_with_the_champion_too(
    make_job: JobMaker, store: Engine, settings: Settings, challenger: str, archive: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(store, challenger)
    monkeypatch.setattr(step, "WORTH_PROCESSES", 1)
    job = make_job(archive, settings=Settings(home=settings.home, author_key=settings.author_key, workers=2))
    collect(job)
    read(job)
    assert {version for version, _ in stored(job).values()} == {challenger}
    assert sum(is_willing for _, is_willing in stored(job).values()) > 1


def no_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def rewrite(folder: Path, **changed: object) -> None:
    fields = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    (folder / MANIFEST).write_text(json.dumps(fields | changed), encoding="utf-8")


def other_encoder(folder: Path) -> None:
    rewrite(folder, encoder_sha256="0" * 64)


def other_close_reading(folder: Path) -> None:
    rewrite(folder, close_sha256="0" * 64)


def other_estimators(folder: Path) -> None:
    (folder / ESTIMATORS).write_bytes((SHIPPED / ESTIMATORS).read_bytes()[:-1])


def other_labels(folder: Path) -> None:
    rewrite(folder, labels=list(LABELS[::-1]))


OTHER_NETWORKS = [other_encoder, other_close_reading]
DAMAGE = [no_folder, *OTHER_NETWORKS, other_estimators, other_labels]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_a_champion_that_does_not_fit_reads_nothing_and_says_how_to_go_back(
    damage: Callable[[Path], None], make_job: JobMaker, store: Engine, settings: Settings, challenger: str, archive: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    promote(store, challenger)
    damage(settings.home / "classifiers" / challenger)
    with pytest.raises(ArtefactError, match="coprod classifiers rollback"):
        have_read(make_job(archive))
    monkeypatch.setenv("COPROD_HOME", str(settings.home))
    answers = {check.what: check for check in run_checks()}
    assert not answers["reader"].is_good
    with unit_of_work(store) as session:
        actions.rollback_classifier(session, by="C. Wood", reason="does not load")
    answers = {check.what: check for check in run_checks()}
    assert (answers["reader"].is_good, answers["reader"].detail) == (True, f"{load_manifest().version} reads, shipped with the project")


@pytest.mark.parametrize("change", OTHER_NETWORKS, ids=lambda change: change.__name__)
def test_one_that_was_made_for_other_networks_than_the_shipped_ones_is_to_be_made_again(
    change: Callable[[Path], None], settings: Settings, challenger: str
) -> None:
    folder = settings.home / "classifiers" / challenger
    assert directory_of(settings, challenger) == folder
    change(folder)
    with pytest.raises(ArtefactError, match=r"made for other networks than those now shipped; .*rollback .*, then coprod retrain"):
        directory_of(settings, challenger)


def test_a_run_whose_classifier_has_gone_begins_anew(
    make_job: JobMaker, store: Engine, settings: Settings, challenger: str, archive: str
) -> None:
    promote(store, challenger)
    began = make_job(archive)
    no_folder(settings.home / "classifiers" / challenger)
    with unit_of_work(store) as session:
        actions.rollback_classifier(session, by="C. Wood", reason="gone")
    again = make_job(archive)
    assert again.run_id != began.run_id
    assert again.run().versions["reading"] == load_manifest().version


def test_where_there_is_no_database_the_shipped_one_reads_and_none_is_made(settings: Settings) -> None:
    assert champion_directory(settings) == SHIPPED
    assert not settings.home.exists()
    with pytest.raises(ArtefactError, match="restore that folder from its backup"):
        directory_of(settings, "reading-unknown")


USAGE, CONFIG = 2, 3


@pytest.fixture
def coprod(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Coprod:
    for name, value in {"COLUMNS": "300", "PREFECT_API_URL": "http://127.0.0.1:1/api", "COPROD_HOME": str(settings.home)}.items():
        monkeypatch.setenv(name, value)

    return typed


def roles(engine: Engine) -> dict[str, str]:
    with unit_of_work(engine) as session:
        return {row.version: row.role for row in session.scalars(select(Classifier))}


def test_the_list_says_what_reads_and_who_decided(coprod: Coprod, store: Engine, challenger: str) -> None:
    shipped = load_manifest().version
    lines = coprod("classifiers", "list").out.splitlines()
    assert [re.split(r"\s{2,}", line.strip())[:2] for line in lines[1:]] == [[challenger, "challenger"], [shipped, "shipped, reads"]]
    promote(store, challenger)
    out = coprod("classifiers", "list").out
    assert re.search(rf"{challenger}\s+champion .*B\. Ortiz, \d{{4}}-\d\d-\d\d: tried", out)
    assert re.search(rf"{shipped}\s+shipped\s", out)


def test_a_worse_challenger_is_promoted_only_by_name_and_with_a_reason_and_can_be_taken_back(
    coprod: Coprod, store: Engine, challenger: str
) -> None:
    unnamed = coprod("classifiers", "promote", challenger)
    assert (unnamed.code, "--by" in unnamed.err) == (USAGE, True)
    unreasoned = coprod("classifiers", "promote", challenger, "--by", "B. Ortiz")
    assert (unreasoned.code, unreasoned.out) == (USAGE, "")
    assert "worse than" in unreasoned.err
    assert "checked.willing_f1" in unreasoned.err
    assert roles(store) == {challenger: "challenger"}
    done = coprod("classifiers", "promote", challenger, "--by", "B. Ortiz", "--reason", "we want to see all")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{challenger} reads from now on, in the place of {load_manifest().version}.")
    shown = coprod("classifiers", "show", challenger).out
    assert "Role: champion. Made by A. Shah" in shown
    assert "Reason: we want to see all" in shown
    assert "Worse beyond chance: F1 of willing on the fixed set" in shown
    assert "# Model card: " in shown
    back = coprod("classifiers", "rollback", "--by", "C. Wood", "--reason", "too many")
    assert (back.code, back.out) == (0, f"{load_manifest().version} reads again from now on.\n")
    assert coprod("classifiers", "rollback", "--by", "C. Wood", "--reason", "again").code == USAGE
    assert roles(store) == {challenger: "retired"}


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_one_that_cannot_be_loaded_is_not_promoted(
    damage: Callable[[Path], None], coprod: Coprod, store: Engine, settings: Settings, challenger: str
) -> None:
    damage(settings.home / "classifiers" / challenger)
    outcome = coprod("classifiers", "promote", challenger, "--by", "B. Ortiz", "--reason", "why not")
    assert (outcome.code, outcome.out, roles(store)) == (CONFIG, "", {challenger: "challenger"})
    assert str(settings.home / "classifiers" / challenger) in outcome.err


@pytest.mark.parametrize("arguments", [["show"], ["compare"], ["promote", "--by", "B"]], ids=lambda arguments: arguments[0])
def test_a_version_that_is_not_there_is_named(arguments: list[str], coprod: Coprod) -> None:
    outcome = coprod("classifiers", *arguments, "reading-unknown")
    assert (outcome.code, outcome.out) == (USAGE, "")
    assert outcome.err == "reading-unknown: no such classifier here; see: coprod classifiers list\n"


def test_the_shipped_classifier_can_be_shown_too(coprod: Coprod) -> None:
    outcome = coprod("classifiers", "show", load_manifest().version)
    assert (outcome.code, outcome.out.startswith(f"# Model card: {load_manifest().version}")) == (0, True)


@pytest.mark.parametrize("eager", [{WILLING: 0.95}], indirect=True, ids=["hardly anything is willing enough"])
def test_a_comparison_with_the_champion_is_kept_and_promotion_is_decided_on_it(coprod: Coprod, store: Engine, challenger: str) -> None:
    outcome = coprod("classifiers", "compare", challenger)
    assert outcome.code == 0
    assert f"{challenger}, beside {load_manifest().version}:" in outcome.out
    assert "Worse beyond chance: F1 of willing on the fixed set" in outcome.out
    with unit_of_work(store) as session:
        kept = session.get_one(Classifier, challenger).figures["comparison"]
    assert (kept["champion"], kept["worse"][0]) == (load_manifest().version, "checked.willing_f1")
    # Only the threshold of willing differs: what does not depend on it is the same.
    assert {row["figure"]: row["gain"] for row in kept["rows"]}["areas_macro_f1"] == 0


WRONG = [
    pytest.param(["--keep-encoder"], "means nothing with a retraining without --from-scratch", id="keep encoder alone"),
    pytest.param(["--out", "x"], "means nothing with a retraining without --from-scratch", id="out alone"),
    pytest.param(["--from-scratch", "--council", "marlowick"], "means nothing with --from-scratch", id="from scratch for a council"),
    pytest.param(["--from-scratch", "--shift-thresholds"], "means nothing with --from-scratch", id="from scratch with shifting"),
    pytest.param(["--council", "atlantis"], "--council atlantis: not in councils.toml; known: marlowick", id="unknown council"),
    pytest.param([], "0 labelled messages to learn from and 0 by other authors to test with; wanted at least 30 and 10", id="no labels"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_a_retraining_that_cannot_be_is_refused_before_the_engine_starts(arguments: list[str], said: str, coprod: Coprod) -> None:
    outcome = coprod("retrain", *arguments)
    assert (outcome.code, outcome.out) == (USAGE, "")
    assert said in re.sub(r"\s*│\s*", " ", re.sub(r"\s+", " ", outcome.err))
