"""The gate: the same look at a post in any company and process, sentence by sentence."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import coprod_nlp.reading.gate
from config.settings import PROJECT_DIR
from coprod_nlp.reading.gate import BITS, LONGEST_RUN, Gate, GateBatch, best_sentence, look, sentences_of
from coprod_nlp.reading.labels import FIRST_SPAN, LABELS, SPAN_LABELS

PIECES = st.sampled_from(
    ["bin", "van", "I", "can't", "lend", "café", "好", "🌳", " ", "  ", "\n", "\n\n", "\r\n", "\t", ".", "!", "?", "...", "_", "\u00a0"]
)
TEXTS = st.lists(PIECES, max_size=20).map("".join) | st.text(max_size=30)
WORDS = st.lists(st.sampled_from("we you bins van lend shut again don't river".split()), min_size=1, max_size=8).map(" ".join)

unhurried = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@cache
def gate() -> Gate:
    """One in which every bucket weighs something, so that no difference goes unseen."""
    rng = np.random.default_rng(11)
    buckets, labels, spans = 1 << BITS, len(LABELS), len(SPAN_LABELS)
    shapes = [(buckets, labels), (labels,), (buckets, spans), (spans,), (spans, 3), (labels,)]
    return Gate(*(rng.standard_normal(shape, dtype=np.float32) for shape in shapes))


def row(batch: GateBatch, place: int) -> tuple[list[int], list[float]]:
    """Buckets and values of one post."""
    start, end = batch.posts.indptr[place : place + 2]
    return batch.posts.indices[start:end].tolist(), batch.posts.data[start:end].tolist()


def runs(text: str) -> Counter[int]:
    """How often a post has a run in each bucket."""
    return Counter(row(look([text]), 0)[0])


@unhurried
@given(st.lists(TEXTS, min_size=1, max_size=6))
@example(["", "bin day", "", "is it?", ""])
def test_the_chances_of_a_post_do_not_depend_on_the_batch(texts: list[str]) -> None:
    together = gate().chances(look(texts))
    assert together.shape == (len(texts), len(LABELS))
    for place, text in enumerate(texts):
        assert np.array_equal(together[place], gate().chances(look([text]))[0])
    assert np.array_equal(together[::-1], gate().chances(look(texts[::-1])))


@unhurried
@given(st.lists(TEXTS, max_size=4))
@example(["One. Two!\nThree"])
def test_sentences_stand_where_the_gate_parts_them(texts: list[str]) -> None:
    batch = look(texts)
    spans = [[text[start:end] for start, end in sentences_of(text)] for text in texts]
    assert batch.of_post.tolist() == [place for place, some in enumerate(spans) for _ in some]
    for place, sentence in enumerate(sentence for some in spans for sentence in some):
        alone = look([sentence])
        assert (batch.sentences[place] != alone.sentences).nnz == 0
        assert alone.sentences.shape[0] == 1


@unhurried
@given(TEXTS)
def test_sentences_lie_in_the_text_one_after_another_and_leave_nothing_out(text: str) -> None:
    spans = sentences_of(text)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(end <= next_start for (_, end), (next_start, _) in pairwise(spans))
    inside = {place for start, end in spans for place in range(start, end)}
    assert all(letter.isspace() for place, letter in enumerate(text) if place not in inside)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Bins late. Again!  Why?", ["Bins late.", "Again!", "Why?"], id="marks"),
        pytest.param("Litter pick\n\nSunday at ten", ["Litter pick", "Sunday at ten"], id="line ends"),
        pytest.param("at 10.30 by the no.7 stop", ["at 10.30 by the no.7 stop"], id="marks inside a word"),
        pytest.param("\n \n", [], id="blank"),
        pytest.param("", [], id="empty"),
    ],
)
def test_a_sentence_ends_at_a_mark_or_a_line_end(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences_of(text)] == expected


@unhurried
@given(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from([". ", "! ", "\n"]))
def test_runs_never_cross_a_sentence(sentences: list[str], end: str) -> None:
    parts = [sentence + end.strip() for sentence in sentences]
    together: Counter[int] = Counter()
    for part in parts:
        together += runs(part)
    assert runs((end[-1]).join(parts)) == together


@unhurried
@given(WORDS)
def test_a_sentence_has_a_run_for_every_one_to_three_of_its_words_and_ends(sentence: str) -> None:
    pieces = len(sentence.split()) + 2
    assert runs(sentence).total() == sum(max(0, pieces - length + 1) for length in range(1, LONGEST_RUN + 1))


@unhurried
@given(TEXTS)
def test_values_are_spread_so_that_long_and_short_posts_weigh_alike(text: str) -> None:
    buckets, values = row(look([text]), 0)
    assert all(0 <= bucket < 1 << BITS for bucket in buckets)
    assert values == pytest.approx([1 / max(1, len(values)) ** 0.5] * len(values))


def test_the_order_of_words_counts_and_case_does_not() -> None:
    assert runs("bins not vans") != runs("vans not bins")
    assert runs("BINS not Vans") == runs("bins not vans")


def test_words_hash_alike_in_every_process() -> None:
    texts = ["I can lend my van on Saturday. Ask for Zoë!", "don't 好 🌳", ""]
    code = (
        f"import hashlib\nfrom coprod_nlp.reading.gate import look\nbatch = look({texts!r})\n"
        "print(hashlib.sha256(batch.posts.indices.tobytes() + batch.posts.data.tobytes()).hexdigest())"
    )
    environment = os.environ | {"PYTHONHASHSEED": "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"}
    command = [sys.executable, "-X", "utf8", "-c", code]
    said = subprocess.run(command, cwd=PROJECT_DIR, env=environment, check=True, capture_output=True, text=True, timeout=120).stdout
    posts = look(texts).posts
    assert said.strip() == hashlib.sha256(posts.indices.tobytes() + posts.data.tobytes()).hexdigest()


def test_words_hash_alike_after_those_met_were_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["An unheard-of blorptangle in the bins.", "The bins again."]
    before = look(texts)
    monkeypatch.setattr(coprod_nlp.reading.gate, "MAX_WORDS", 2)
    after = look(texts)
    assert (before.posts != after.posts).nnz == (before.sentences != after.sentences).nnz == 0


@pytest.mark.parametrize("texts", [[], [""], ["", " \n "], ["", "bins", ""]], ids=["no post", "an empty one", "two", "one between"])
def test_empty_posts_are_seen_as_a_gate_sees_nothing(texts: list[str]) -> None:
    batch = look(texts)
    chances = gate().chances(batch)
    assert batch.posts.shape == (len(texts), 1 << BITS)
    assert chances.shape == (len(texts), len(LABELS))
    for place, text in enumerate(texts):
        if not text.strip():
            assert row(batch, place) == ([], [])
            assert gate().post_logits(batch)[place].tolist() == gate().post_intercepts.tolist()


@unhurried
@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=len(LABELS), max_size=len(LABELS)))
@example([-1] * len(LABELS))
@example([-1] * (len(LABELS) - 1) + [0])
def test_a_post_passes_where_any_label_is_at_its_threshold(steps: list[int]) -> None:
    """`steps` says of each label whether its chance is just beneath the threshold, at it, or just above."""
    thresholds = np.linspace(0.1, 0.9, len(LABELS), dtype=np.float32)
    opened = replace(gate(), thresholds=thresholds)
    beneath, above = np.nextafter(thresholds, np.float32(0)), np.nextafter(thresholds, np.float32(1))
    chances = np.select([np.array(steps) < 0, np.array(steps) > 0], [beneath, above], thresholds)
    assert opened.passes(chances[None]).tolist() == [max(steps) >= 0]
    assert opened.passes(np.stack([chances, beneath, above])).tolist() == [max(steps) >= 0, False, True]


def test_each_label_of_a_sentence_is_joined_from_post_and_best_sentence() -> None:
    batch = look(["Bins late. I can help! Why?"])
    whole, best = gate().post_logits(batch)[0], gate().sentence_logits(batch).max(axis=0)
    spans = whole[FIRST_SPAN:] * gate().joint[:, 0] + best * gate().joint[:, 1] + gate().joint[:, 2]
    expected = 1 / (1 + np.exp(-np.concatenate([whole[:FIRST_SPAN], spans])))
    assert gate().chances(batch)[0] == pytest.approx(expected, abs=1e-5)


@unhurried
@given(st.lists(st.lists(st.integers(-9, 9), max_size=4), max_size=5))
def test_the_best_sentence_of_a_post_is_its_highest_and_something_else_stands_in_where_there_is_none(posts: list[list[int]]) -> None:
    logits = np.array([value for some in posts for value in some], dtype=np.float32)[:, None]
    of_post = np.array([place for place, some in enumerate(posts) for _ in some], dtype=np.int64)
    missing = np.full((len(posts), 1), 99, dtype=np.float32)
    assert best_sentence(logits, of_post, missing)[:, 0].tolist() == [max(some, default=99) for some in posts]
    assert (missing == 99).all()
