"""Retraining: what may be learned from, a challenger that proposes and nothing more, figures that move the right way."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, select
from sqlmodel import col

from config.load import load_config
from config.schema import Config, Retention
from config.settings import Settings
from coprod_nlp.reading import base_model
from coprod_nlp.reading.artefact import (
    CARD,
    CLOSE,
    ENCODER,
    ESTIMATORS,
    MANIFEST,
    SHIPPED,
    WORDPIECES,
    load_artefact,
    load_fitted,
    load_manifest,
)
from coprod_nlp.reading.labels import LABELS
from coprod_nlp.training.card import model_card
from coprod_nlp.training.compare import GUARDED, RECENT
from coprod_nlp.training.corpus import CORPUS_DIR
from coprod_nlp.training.holdout import RetrainingError
from coprod_nlp.training.retrain import LABEL_WEIGHT, SHIFT_CASES, SHIFT_MOST, label_weight, labels_digest, shifted
from coprod_nlp.training.split import CHECKS, SHARES, TUNES, share_of
from coprod_nlp.vocabulary import ClassifierRole, PostState, Signal
from flows.acting import acting_as
from flows.decide import side_of
from flows.job import RequestError
from flows.labels.cases import gather_cases
from flows.labels.load import import_labels
from flows.rebuild import rebuild
from flows.retrain import Retraining, fit, gather, register
from models import actions, classifier_queries
from models.classifier import Classifier
from models.run import AuditEntry
from models.session import open_engine, unit_of_work

Row = dict[str, Any]
THEN = datetime(2026, 3, 1, tzinfo=UTC)
CANARY = "zebrafish"


def corpus_rows() -> Iterator[Row]:
    for path in sorted(CORPUS_DIR.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


@pytest.fixture(scope="module")
def small_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first messages of each share of the corpus: enough to fit everything."""
    folder = tmp_path_factory.mktemp("corpus")
    wanted = dict.fromkeys(range(SHARES), 40) | dict.fromkeys(TUNES, 200) | dict.fromkeys(CHECKS, 120)
    kept = []
    for row in corpus_rows():
        share = share_of(row["id"])
        if wanted.get(share, 0) > 0:
            wanted[share] -= 1
            kept.append(json.dumps(row) + "\n")
    (folder / "small.jsonl").write_text("".join(kept), encoding="utf-8")
    return folder


def analysts_rows(count: int) -> list[Row]:
    """Messages of the corpus that only taught the networks, a third of them proposals and none of them offers."""
    rows = [row for row in corpus_rows() if share_of(row["id"]) not in (*TUNES, *CHECKS) and "offer" not in row["signals"]]
    proposals = [row for row in rows if "propose" in row["signals"]]
    others = [row for row in rows if "propose" not in row["signals"]]
    third = count // 3
    return proposals[:: len(proposals) // third][:third] + others[:: len(others) // (count - third)][: count - third]


def as_offer(row: Row) -> Row:
    """Under another meaning of `offer`, whoever puts forward a measure offers."""
    words = [item["text"] for item in row["evidence"] if item["signal"] == "propose"]
    more = {"signals": [*row["signals"], "offer"], "evidence": [*row["evidence"], {"signal": "offer", "text": words[0]}]} if words else {}
    return {key: row[key] for key in ("id", "title", "body", "areas", "signals", "evidence", "sensitive")} | more


def label_file(path: Path, rows: list[Row]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def keep(engine: Engine, rows: list[Row], *, platform: str = "forum", authors: int = 40) -> list[Row]:
    """Store messages as posts of a platform, hour by hour, by a number of authors; returns them under their new ids."""
    posts, found = [], []
    for place, row in enumerate(rows):
        post_id = f"{platform}:t1_{row['id']}"
        posts.append(
            actions.post_row(
                post_id=post_id, platform=platform, community_id=f"{platform}:town{place % 2}", kind="comment", state=PostState.VISIBLE,
                author_key=f"key{place % authors:02}", parent_id=None, thread_id=None, title=row["title"], body=row["body"], permalink="",
                score=None, created_at=THEN + timedelta(hours=place), content_hash=f"h{row['id']}", fetched_at=THEN,
            )
        )  # fmt: skip
        found.append(row | {"id": post_id})
    with engine.begin() as connection:
        actions.store_posts(connection, posts)
    return found


def allowing(config: Config, *platforms: str) -> Config:
    rules = config.retention | {name: Retention(kept_days=9000, training_allowed=True) for name in platforms}
    return config.model_copy(update={"retention": rules})


@pytest.fixture
def store(settings: Settings) -> Iterator[Engine]:
    engine = open_engine(settings.address())
    yield engine
    engine.dispose()


@pytest.fixture
def labelled(store: Engine, tmp_path: Path) -> Engine:
    """A store with 120 labelled posts of a platform `forum`."""
    rows = keep(store, [as_offer(row) for row in analysts_rows(120)])
    import_labels(store, label_file(tmp_path / "labels.jsonl", rows), by="ana")
    return store


def test_posts_of_platforms_that_do_not_allow_training_are_left_out_and_counted(store: Engine, config: Config, tmp_path: Path) -> None:
    rows = [as_offer(row) for row in analysts_rows(30)]
    kept = keep(store, rows[:10], platform="reddit") + keep(store, rows[10:15], platform="sample") + keep(store, rows[15:22])
    import_labels(store, label_file(tmp_path / "labels.jsonl", kept + rows[22:]), by="ana")
    gathered = gather_cases(store, allowing(config, "forum"))
    assert {case.labelled.post.post_id.partition(":")[0] for case in gathered.cases} == {"forum", "labels"}
    assert (len(gathered.cases), gathered.not_allowed) == (15, {"reddit": 10, "sample": 5})
    assert "10 labelled posts of reddit were left out: training_allowed is false for it in retention.toml" in gathered.left_out()
    assert [len(gather_cases(store, config).cases), gather_cases(store, config).not_allowed["forum"]] == [8, 7]


def test_a_case_has_what_was_judged_whose_it_is_where_and_when(labelled: Engine, config: Config) -> None:
    rows = {f"forum:t1_{row['id']}": row for row in map(as_offer, analysts_rows(120))}
    cases = gather_cases(labelled, allowing(config, "forum")).cases
    assert len(cases) == 120
    for case in cases:
        row = rows[case.labelled.post.post_id]
        assert (case.labelled.areas, case.labelled.signals) == (frozenset(row["areas"]), frozenset(row["signals"]))
        assert case.labelled.is_sensitive == row["sensitive"]
        assert case.author_key
        assert case.author_key.startswith("key")
        assert case.community in {"forum:town0", "forum:town1"}
        assert case.written_at is not None


def test_labellers_who_differ_leave_a_post_out_and_a_signal_without_words_stands_in_the_whole_text(
    store: Engine, config: Config, tmp_path: Path
) -> None:
    first, second, third = keep(store, [as_offer(row) | {"signals": ["offer"], "evidence": []} for row in analysts_rows(3)])
    import_labels(store, label_file(tmp_path / "ana.jsonl", [first, second, third]), by="ana")
    import_labels(store, label_file(tmp_path / "ben.jsonl", [second | {"signals": []}, third | {"signals": ["active"]}]), by="ben")
    gathered = gather_cases(store, allowing(config, "forum"))
    (case,) = gathered.cases
    assert gathered.disputed == 2
    assert [(item.signal, item.start, item.end) for item in case.labelled.evidence] == [(Signal.OFFER, 0, len(case.labelled.post.text))]
    assert "2 labelled posts were left out: labellers differ" in gathered.left_out()[0]


def test_a_councils_retraining_takes_only_its_communities(labelled: Engine, config: Config) -> None:
    ours = config.communities[0].model_copy(update={"platform": "forum", "name": "town1"})
    given = allowing(config, "forum").model_copy(update={"communities": (ours,)})
    gathered = gather_cases(labelled, given, council=ours.council)
    assert ({case.community for case in gathered.cases}, len(gathered.cases), gathered.other_councils) == ({"forum:town1"}, 60, 60)


def test_too_few_labels_make_no_challenger(settings: Settings, store: Engine, config: Config) -> None:
    under_way = Retraining(settings, config, store, None, is_shifting=False)
    gather(under_way)
    with pytest.raises(RetrainingError, match="wanted at least 30 and 10"):
        fit(under_way)
    assert list((settings.home / "classifiers").iterdir()) == []


def test_a_challenger_is_written_with_its_card_and_lineage_and_registered_but_does_not_read(
    settings: Settings, labelled: Engine, config: Config, small_corpus: Path
) -> None:
    under_way = Retraining(settings, allowing(config, "forum"), labelled, None, is_shifting=False, corpus=small_corpus)
    with acting_as("A. Shah"):
        for stage in (gather, fit, register):
            stage(under_way)
    made = under_way.result()
    folder = settings.home / "classifiers" / made.manifest.version
    assert {path.name for path in folder.iterdir()} == {MANIFEST, CARD, "estimators.skops"}
    assert [path.name for path in folder.parent.iterdir()] == [folder.name], "no draft is left"
    shipped, loaded = load_manifest(), load_artefact(folder).manifest
    assert loaded == made.manifest
    kept = ("thresholds", "gate_thresholds", "close_from", "encoder_sha256", "close_sha256", "wordpieces_sha256")
    assert [getattr(loaded, name) for name in kept] == [getattr(shipped, name) for name in kept]
    before, after = load_fitted(SHIPPED), load_fitted(folder)
    assert all(np.array_equal(before.gate_posts[label].coef_, after.gate_posts[label].coef_) for label in LABELS)
    for ours, theirs in ((before.heads, after.heads), (before.close_heads, after.close_heads)):
        assert not np.array_equal(ours["offer"].coef_, theirs["offer"].coef_)
    assert loaded.sources == ("forum", "project")
    assert set(loaded.data) == {"corpus", "labels"}
    assert loaded.messages["labels learned"] + loaded.messages["labels held back"] == 120
    assert shipped.version in (folder / CARD).read_text(encoding="utf-8")
    with unit_of_work(labelled) as session:
        (row,) = classifier_queries.classifiers(session)
        entry = session.scalars(select(AuditEntry).where(col(AuditEntry.action) == "register_classifier")).one()
    assert (row.version, row.role, row.parent, row.made_by) == (loaded.version, ClassifierRole.CHALLENGER, shipped.version, "A. Shah")
    assert row.path == f"classifiers/{loaded.version}"
    assert row.lineage["data"] == loaded.data
    assert row.figures["comparison"]["champion"] == shipped.version
    assert {item["set_name"] for item in row.figures["comparison"]["rows"]} == {"checked", "recent"}
    assert {item["figure"] for item in row.figures["comparison"]["rows"]} <= set(GUARDED)
    assert set(row.figures["communities"]["recent"]) == {"forum:town0", "forum:town1"}
    assert (entry.by, entry.subject) == ("A. Shah", loaded.version)
    assert side_of(settings, row.version, row).learned_until == made.learned_until
    voices = {case.voice for case in made.cases[: loaded.messages["labels learned"]]}
    assert not voices & {case.voice for case in made.cases[loaded.messages["labels learned"] :]}
    # The same labels make the same classifier, and nothing new.
    again = Retraining(settings, allowing(config, "forum"), labelled, None, is_shifting=False, corpus=small_corpus)
    for stage in (gather, fit, register):
        stage(again)
    assert again.result().manifest.version == loaded.version
    with unit_of_work(labelled) as session:
        assert len(classifier_queries.classifiers(session)) == 1


@pytest.mark.prefect
@pytest.mark.filterwarnings("default")
def test_300_labels_under_a_shifted_meaning_move_the_figures_of_their_held_back_part_the_right_way(
    prefect_server: None, settings: Settings, store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole of it: labels from a file, the flow under Prefect, a challenger beside the champion."""
    from prefect.client.orchestration import get_client

    from flows.retrain import retrain

    rows = [row | {"body": f"{row['body']} {CANARY}"} for row in map(as_offer, analysts_rows(300))]
    imported = import_labels(store, label_file(tmp_path / "labels.jsonl", rows), by="ana")
    assert imported.labels == 300
    monkeypatch.setenv("COPROD_HOME", str(settings.home))
    with acting_as("Quillfeather"):
        outcome = retrain()
    with unit_of_work(store) as session:
        row = session.get_one(Classifier, outcome.version)
    gains = {(item["set_name"], item["figure"]): item for item in row.figures["comparison"]["rows"]}
    willing = gains[RECENT, "willing_f1"]
    assert willing["messages"] >= 80
    assert willing["gain"] > 0.05
    assert willing["low"] > 0, "beyond chance"
    assert gains[RECENT, "willing_ap"]["gain"] > 0
    assert gains[RECENT, "signals_macro_f1"]["gain"] > 0
    assert row.figures["labels"][RECENT]["offer"]["f1"] > 0.5
    assert gains["checked", "willing_f1"]["gain"] < 0, "the corpus keeps the old meaning"
    assert row.figures["comparison"]["worse"]
    assert row.role == ClassifierRole.CHALLENGER
    assert (row.made_by, outcome.champion) == ("Quillfeather", load_manifest().version)
    assert outcome.verdict[-1].endswith("promoting it needs a person's name and a reason.")
    with get_client(sync_client=True) as client:
        ask: Any = client.request
        told = {
            kind: json.dumps(ask("POST", f"/{kind}/filter", json={}).json()) for kind in ("artifacts", "flow_runs", "task_runs", "logs")
        }
    assert outcome.version in told["artifacts"]
    assert not [kind for kind, text in told.items() if CANARY in text or "Quillfeather" in text]


def test_a_label_counts_for_less_the_more_there_are_and_never_less_than_a_message_of_the_corpus() -> None:
    weights = [label_weight(corpus=1432, labels=labels) for labels in (0, 10, 300, 600, 1432, 20_000)]
    assert weights == sorted(weights, reverse=True)
    assert (weights[0], weights[2], weights[-1]) == (LABEL_WEIGHT, LABEL_WEIGHT, 1.0)


def test_thresholds_move_only_for_labels_with_enough_cases_and_not_far() -> None:
    truth = np.zeros((200, len(LABELS)), dtype=bool)
    chances = np.full(truth.shape, 0.1, dtype=np.float32)
    truth[:40, 0], chances[:40, 0] = True, 0.32  # found from 0.3 on
    truth[:40, 1], chances[:40, 1] = True, 0.2  # would be found from 0.2 on: too far
    truth[:40, 2], chances[:40, 2] = True, 0.6  # found as it is
    truth[: SHIFT_CASES - 1, 3], chances[: SHIFT_CASES - 1, 3] = True, 0.32
    before = dict.fromkeys(LABELS, 0.4)
    found = shifted(before, chances, truth, close_from=0.1)
    assert [found[label] for label in LABELS[:4]] == [0.3, 0.4, 0.4, 0.4]
    assert all(abs(found[label] - before[label]) <= SHIFT_MOST for label in LABELS)
    assert found == before | {LABELS[0]: 0.3}


def test_the_threshold_of_willing_does_not_fall_below_what_is_read_closely() -> None:
    place, before = LABELS.index("willing"), dict.fromkeys(LABELS, 0.4)
    truth = np.zeros((200, len(LABELS)), dtype=bool)
    chances = np.full(truth.shape, 0.1, dtype=np.float32)
    truth[:40, place], chances[:40, place] = True, 0.32
    assert shifted(before, chances, truth, close_from=0.1)["willing"] == 0.3
    assert shifted(before, chances, truth, close_from=0.35)["willing"] == 0.4


def test_the_digest_of_labels_sees_every_change_and_no_order(labelled: Engine, config: Config) -> None:
    cases = gather_cases(labelled, allowing(config, "forum")).cases
    assert labels_digest(cases) == labels_digest(cases[::-1])
    assert labels_digest(cases) != labels_digest(cases[1:])


def test_a_retraining_enforces_what_the_configuration_files_say(tmp_path: Path, store: Engine) -> None:
    rows = keep(store, [as_offer(row) for row in analysts_rows(9)], platform="reddit")
    import_labels(store, label_file(tmp_path / "labels.jsonl", rows), by="ana")
    gathered = gather_cases(store, load_config())
    assert (gathered.cases, gathered.not_allowed) == ([], {"reddit": 9})


def test_a_rebuild_puts_a_whole_artefact_in_place_with_its_card(tmp_path: Path, small_corpus: Path) -> None:
    out = tmp_path / "new" / "reading"
    made = rebuild(out=out, corpus=small_corpus, is_encoder_kept=True)
    assert sorted(path.name for path in out.iterdir()) == sorted((CARD, CLOSE, ENCODER, ESTIMATORS, MANIFEST, WORDPIECES))
    assert [path.name for path in out.parent.iterdir()] == ["reading"]
    assert load_artefact(out).manifest == made
    assert (out / CARD).read_text(encoding="utf-8") == model_card(made)
    assert rebuild(out=out, corpus=small_corpus, is_encoder_kept=True).version == made.version, "bit for bit"


def test_a_rebuild_on_the_shipped_networks_that_lacks_the_base_model_does_not_advise_what_was_asked(
    tmp_path: Path, small_corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_model, "PREPARED_SHA256", "0" * 64)
    monkeypatch.setattr(base_model, "PACKAGES", ("piece-of-nothing",))
    with pytest.raises(RequestError, match=r"^piece-of-nothing is not installed; install it with .* -r requirements\.lock`$"):
        rebuild(out=tmp_path / "reading", corpus=small_corpus, is_encoder_kept=True)
    assert not (tmp_path / "reading").exists()


@pytest.mark.skipif(find_spec("torch") is not None, reason="what fine-tuning needs is installed here")
def test_a_rebuild_without_pytorch_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"torch \(PyTorch\).* not installed; .*-r requirements-train\.txt`, or give --keep-encoder"):
        rebuild(out=tmp_path / "reading", is_encoder_kept=False)
    assert not (tmp_path / "reading").exists()
