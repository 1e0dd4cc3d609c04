"""The corpus: large, balanced, hard, without doubles, and nearly as varied as what people write."""

import gzip
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from config.settings import PROJECT_DIR
from coprod_nlp.reading.labels import AREAS, SENSITIVE, SIGNALS, WILLING
from coprod_nlp.records import PostText
from coprod_nlp.text.clean import prose
from coprod_nlp.training.corpus import LabelledPost, load_corpus

SHARED = PROJECT_DIR.parent / "shared" / "data"
MINIMUM_MESSAGES = 6_000
MINIMUM_POSITIVES = 150
MINIMUM_NOT_WILLING = 0.5
# Two messages are doubles where, of the runs of three words of the shorter one, this share stands in the other too. The first few shared
# runs do not count: people open and close alike ("happy to be corrected but I think ..." are six of them).
RUN, STOCK_RUNS, MOST_SHARED = 3, 4, 0.3
# Shorter messages are doubles where they are the same word for word; of so few words they may be ("not my circus").
SHORT_WORDS = 5
# The share of different runs of one, two and three words, and of different words as the text grows, in the corpus must be so much of that
# in as much text that people wrote. The corpus was written by few; the files of real text by thousands.
MINIMUM_VARIETY = {1: 0.7, 2: 0.8, 3: 0.9}
REAL_TEXT = ("city_submissions_2013", "singapore_2026", "energy_forum_uk")
STEPS = (10_000, 30_000, 100_000, 300_000)

# What a word list would take for willing.
GIVING = re.compile(
    r"\b(?:volunteer\w*|donat\w+|join|sign(?:ed|ing)? up|count me in|happy to|i can (?:help|lend|bring|do)|help(?:ing)? out|lend"
    r"|get involved|come along|give (?:my|some|an) \w+|i(?:'d| would) like to)\b"
)
_WORD = re.compile(r"\w+(?:['’]\w+)?")

Words = list[str]


@cache
def corpus() -> list[LabelledPost]:
    return load_corpus()


@cache
def texts() -> dict[str, Words]:
    """The words of each message, quotes and addresses left out."""
    return {item.post.post_id: words(item.post.text) for item in corpus()}


def words(text: str) -> Words:
    return _WORD.findall(prose(text).lower().replace("’", "'"))


def runs(message: Words, length: int) -> Iterator[tuple[str, ...]]:
    return zip(*(message[start:] for start in range(length)), strict=False)


def doubles(messages: Mapping[str, Words], others: Mapping[str, Words] | None = None) -> list[tuple[str, str]]:
    """Pairs of messages that say the same in nearly the same words, within one set or of one set and another."""
    numbers: dict[tuple[str, ...], int] = {}
    ours = _table(messages, numbers)
    theirs = ours if others is None else _table(others, numbers)
    width = len(numbers)
    for table in {id(ours): ours, id(theirs): theirs}.values():
        table.resize(table.shape[0], width)
    shared = (ours @ theirs.T).tocoo()
    smaller = np.minimum(ours.getnnz(1)[shared.row], theirs.getnnz(1)[shared.col])
    near = shared.data - STOCK_RUNS > MOST_SHARED * smaller
    names, other_names = list(messages), list(others or messages)
    found = {(names[row], other_names[column]) for row, column in zip(shared.row[near], shared.col[near], strict=True)}
    by_words: dict[str, list[str]] = {}
    for name, message in messages.items():
        by_words.setdefault(" ".join(message), []).append(name)
    for name, message in (others or messages).items():
        if len(message) >= SHORT_WORDS:
            found |= {(same, name) for same in by_words.get(" ".join(message), ())}
    return sorted(found if others is not None else {pair for pair in found if pair[0] < pair[1]})


def _table(messages: Mapping[str, Words], numbers: dict[tuple[str, ...], int]) -> csr_matrix:
    """(messages, runs) which message has which run of three words; `numbers` grows by the new ones."""
    columns = [sorted({numbers.setdefault(run, len(numbers)) for run in runs(message, RUN)}) for message in messages.values()]
    ends = np.cumsum([0, *map(len, columns)])
    flat = np.fromiter(chain.from_iterable(columns), dtype=np.int64, count=int(ends[-1]))
    return csr_matrix((np.ones(len(flat), dtype=np.int32), flat, ends), shape=(len(columns), len(numbers)))


def test_every_line_is_valid_and_every_message_has_a_name_and_words_of_its_own() -> None:
    assert len({item.post.post_id for item in corpus()}) == len(corpus())
    assert all(item.post.text.strip() for item in corpus())
    for item in corpus():
        assert all(item.post.text[span.start : span.end].strip() for span in item.evidence)


def test_the_corpus_is_large_enough() -> None:
    assert len(corpus()) >= MINIMUM_MESSAGES


@pytest.mark.parametrize("label", [*AREAS, *SIGNALS, SENSITIVE])
def test_every_area_and_every_signal_has_enough_messages(label: str) -> None:
    assert sum(item.has(label) for item in corpus()) >= MINIMUM_POSITIVES


def test_at_least_half_of_the_messages_are_not_willing_and_many_of_them_look_it() -> None:
    others = [item for item in corpus() if not item.has(WILLING)]
    hard = [item for item in others if GIVING.search(item.post.text.lower())]
    print(f"{len(corpus()):,} messages, {len(others):,} not willing, {len(hard):,} of them in words of giving")  # noqa: T201  (to read with -s)
    assert len(others) >= MINIMUM_NOT_WILLING * len(corpus())
    assert len(hard) >= MINIMUM_POSITIVES


def test_no_message_nearly_equals_another() -> None:
    assert not doubles(texts())


PLANTED = "c01-001"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda said: said, id="word for word"),
        pytest.param(lambda said: said.upper().replace(".", " !"), id="in capitals, with other marks"),
        pytest.param(lambda said: "Hi all. " + said + " Thanks in advance!", id="with a greeting"),
        pytest.param(lambda said: said[: len(said) // 2], id="its first half"),
        pytest.param(lambda said: re.sub(r"\b(\w+ \w+ \w+ \w+ \w+ \w+ \w+) \w+", r"\1 thing", said), id="every eighth word another"),
    ],
)
def test_a_planted_double_is_found(change: Any) -> None:
    planted = {"planted": words(change(next(item.post.text for item in corpus() if item.post.post_id == PLANTED)))}
    assert doubles(texts() | planted) == [(PLANTED, "planted")]
    assert doubles(planted, texts()) == [("planted", PLANTED)]


@pytest.mark.parametrize(
    ("one", "other", "is_double"),
    [
        pytest.param("Happy to be corrected but I think the tip takes three trailers a year on the rates notice.",
                     "Happy to be corrected but I think the deadline was Friday", False, id="the same opening"),
        pytest.param("not my circus", "Not my circus.", False, id="a few words that everybody says"),
        pytest.param("Thanks in advance, any help is appreciated! Bins on Elm Street again.",
                     "Which bus goes to the pool? Thanks in advance, any help is appreciated!", False, id="the same close"),
        pytest.param("Where do I sign up for it?", "where do I sign up for it", True, id="a short message twice"),
        pytest.param("I run the repair stall at the library and we need two more people who can solder.",
                     "I run the repair stall at the church and we need two more people who can sew.", True, id="a template filled twice"),
    ],
)  # fmt: skip
def test_stock_phrases_make_no_double(one: str, other: str, is_double: bool) -> None:
    assert bool(doubles({"a": words(one), "b": words(other)})) == is_double


def test_no_message_nearly_equals_one_of_the_gold_set() -> None:
    path = SHARED / "gold_dev.jsonl"
    if not path.is_file():
        pytest.skip(f"the gold set is not on this machine ({path})")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    gold = {row["id"]: words(PostText(row["id"], row["title"], row["body"]).text) for row in rows}
    assert len(gold) > 400
    assert not doubles(texts(), gold)
    copied = next(name for name, message in gold.items() if len(message) > 20)
    assert doubles({"copied": gold[copied]}, gold) == [("copied", copied)]


def varieties(messages: Sequence[Words], size: int) -> dict[str, float]:
    """Of the first `size` words: different runs over all runs, by length, and different words at each step."""
    found: dict[str, float] = {}
    kept = list(_first(messages, size))
    for length in MINIMUM_VARIETY:
        all_runs = [run for message in kept for run in runs(message, length)]
        found[f"runs of {length}"] = len(set(all_runs)) / len(all_runs)
    flat = list(chain.from_iterable(kept))
    return found | {f"words of {step:,}": float(len(set(flat[:step]))) for step in STEPS if step <= size}


def _first(messages: Sequence[Words], size: int) -> Iterator[Words]:
    for message in messages:
        if size <= 0:
            return
        yield message[:size]
        size -= len(message)


def real_text(path: Path) -> list[Words]:
    """Messages of one file in an order drawn once, without those that nobody wrote."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    random.Random(7).shuffle(rows)
    posts = (PostText("", row.get("title") or "", row.get("selftext") or row.get("body") or "") for row in islice(rows, 40_000))
    return [found for post in posts if post.body not in ("[deleted]", "[removed]") and (found := words(post.text))]


@pytest.mark.parametrize("name", REAL_TEXT)
def test_the_corpus_is_nearly_as_varied_as_what_people_write(name: str) -> None:
    path = SHARED / f"{name}.ndjson.gz"
    if not path.is_file():
        pytest.skip(f"real text to compare with is not on this machine ({path})")
    ours, theirs = list(texts().values()), real_text(path)
    random.Random(7).shuffle(ours)
    size = min(sum(map(len, ours)), sum(map(len, theirs)))
    assert size >= max(STEPS)
    here, there = varieties(ours, size), varieties(theirs, size)
    lines = [f"{what:>18}: {here[what]:>10.4f} {there[what]:>10.4f}  {here[what] / there[what]:.2f}" for what in here]
    print("\n".join([f"\n{size:,} words of the corpus beside {name}", *lines]))  # noqa: T201  (to read with -s)
    floors = {what: MINIMUM_VARIETY[int(what[-1])] if what.startswith("runs") else MINIMUM_VARIETY[1] for what in here}
    assert not {what: here[what] / there[what] for what in here if here[what] < floors[what] * there[what]}
