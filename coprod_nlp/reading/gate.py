"""The gate: a cheap, wide look at every post, which says whether it is worth a deep reading.

Runs of one to three words, hashed (Weinberger et al. 2009, arXiv:0902.2206), of the post as a whole and of each of its
sentences, weighed by linear classifiers. A post passes where any label could be meant; the deep reading decides.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from coprod_nlp.reading.labels import FIRST_SPAN
from coprod_nlp.records import TITLE_END

BITS = 17
LONGEST_RUN = 3
# What opens and closes a sentence, so that runs know where they stand.
OPENS, CLOSES = 1, 2
MAX_WORDS = 300_000
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|[!?]")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(31_337), np.uint64(1_000_003))

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class GateBatch:
    """Some posts as hashed runs: `posts` (posts, 2^17) and `sentences` (sentences, 2^17) say how often each occurs, over the root of
    how many there are; `of_post` (sentences,) whose each sentence is."""

    posts: csr_matrix
    sentences: csr_matrix
    of_post: Ints


@dataclass(frozen=True)
class Gate:
    """Fitted weights: (2^17, LABELS) for posts, (2^17, SPAN_LABELS) for sentences; `joint` (SPAN_LABELS, 3) joins post, best
    sentence and a constant; `thresholds` (LABELS,) are probabilities from which on a post passes."""

    post_weights: Floats
    post_intercepts: Floats
    sentence_weights: Floats
    sentence_intercepts: Floats
    joint: Floats
    thresholds: Floats

    def chances(self, batch: GateBatch) -> Floats:
        """(posts, LABELS) probabilities at a glance."""
        logits = self.post_logits(batch)
        spans = logits[:, FIRST_SPAN:]
        best = best_sentence(self.sentence_logits(batch), batch.of_post, spans)
        logits[:, FIRST_SPAN:] = spans * self.joint[:, 0] + best * self.joint[:, 1] + self.joint[:, 2]
        chances: Floats = expit(logits)
        return chances

    def passes(self, chances: Floats) -> NDArray[np.bool_]:
        """(posts,) whether a deep reading is worth it."""
        passed: NDArray[np.bool_] = np.logical_or.reduce(chances >= self.thresholds, axis=1)
        return passed

    def post_logits(self, batch: GateBatch) -> Floats:
        return np.asarray(batch.posts @ self.post_weights + self.post_intercepts, dtype=np.float32)

    def sentence_logits(self, batch: GateBatch) -> Floats:
        return np.asarray(batch.sentences @ self.sentence_weights + self.sentence_intercepts, dtype=np.float32)


class _Words(dict[str, int]):
    """Words to numbers that are the same in every process; those met are remembered, up to a number."""

    def __missing__(self, word: str) -> int:
        if len(self) >= MAX_WORDS:
            self.clear()
        number = self[word] = crc32(word.encode()) + CLOSES + 1
        return number


_words = _Words()


def look(texts: Sequence[str]) -> GateBatch:
    """Posts, as prose, to hashed runs."""
    sentences = [[part for part in _SENTENCE_END.split(text) if part and not part.isspace()] for text in texts]
    of_post = np.repeat(np.arange(len(texts)), [len(some) for some in sentences])
    words = [[OPENS, *map(_words.__getitem__, _WORD.findall(part.lower())), CLOSES] for some in sentences for part in some]
    flat = np.array(list(chain.from_iterable(words)), dtype=np.uint64)
    by_sentence = _matrix(*_runs(flat, np.repeat(np.arange(len(words)), [len(some) for some in words])), count=len(words))
    return GateBatch(_joined(by_sentence, of_post, len(texts)), _normed(by_sentence), of_post)


def glanced(title: str, body: str) -> str:
    """The text that the gate looks at: title and body, each as prose, apart even where one is empty."""
    return title + TITLE_END + body


def sentences_of(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a text stand, as the gate parts them: start and end, exclusive."""
    ends = [match.span() for match in _SENTENCE_END.finditer(text)]
    starts = [0, *(end for _, end in ends)]
    return [(a, b) for a, b in zip(starts, [*(start for start, _ in ends), len(text)], strict=True) if text[a:b].strip()]


def best_sentence(logits: Floats, of_post: Ints, missing: Floats) -> Floats:
    """(posts, labels) the highest of each column over the sentences of each post; `missing` stands in where there is none."""
    best = missing.copy()
    if len(of_post):
        starts = np.flatnonzero(np.concatenate([[True], of_post[1:] != of_post[:-1]]))
        best[of_post[starts]] = np.maximum.reduceat(logits, starts, axis=0)
    return best


def stacked(heads: Mapping[str, LogisticRegression]) -> tuple[Floats, Floats]:
    """Weights (features, labels) and intercepts (labels,) of one classifier a label."""
    weights = np.vstack([head.coef_[0] for head in heads.values()]).T
    return np.ascontiguousarray(weights, np.float32), np.array([head.intercept_[0] for head in heads.values()], dtype=np.float32)


def _runs(flat: NDArray[np.uint64], sentence: Ints) -> tuple[Ints, Ints]:
    """Buckets of all runs of one to `LONGEST_RUN` pieces within a sentence, those of a sentence together, and how many each has."""
    found, where = [flat * _SPREAD], [sentence]
    run = flat
    for length in range(2, LONGEST_RUN + 1):
        if len(flat) < length:
            break
        run = run[: len(flat) - length + 1] * _MIX[0] + flat[length - 1 :] * _MIX[1] + np.uint64(length)
        inside = sentence[: len(run)] == sentence[length - 1 :]
        found.append(run[inside] * _SPREAD)
        where.append(sentence[: len(run)][inside])
    order = np.argsort(np.concatenate(where), kind="stable")
    return (np.concatenate(found)[order] >> np.uint64(64 - BITS)).astype(np.int32), np.concatenate(where)[order]


def _matrix(buckets: Ints, rows: Ints, *, count: int) -> csr_matrix:
    """(rows, 2^BITS) ones, a bucket that occurs twice standing there twice."""
    ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=count))]).astype(np.int32)
    return csr_matrix((np.ones(len(buckets), dtype=np.float32), buckets, ends), shape=(count, 1 << BITS))


def _joined(by_sentence: csr_matrix, of_post: Ints, count: int) -> csr_matrix:
    """The rows of a post's sentences as one row; they stand one after another already."""
    sentences = np.concatenate([[0], np.cumsum(np.bincount(of_post, minlength=count))])
    joined = csr_matrix((by_sentence.data, by_sentence.indices, by_sentence.indptr[sentences]), shape=(count, 1 << BITS))
    return _normed(joined)


def _normed(matrix: csr_matrix) -> csr_matrix:
    """Each row over the root of how many runs it has."""
    sizes = np.diff(matrix.indptr)
    values = np.repeat((1.0 / np.sqrt(np.maximum(sizes, 1))).astype(np.float32), sizes)
    return csr_matrix((values, matrix.indices, matrix.indptr), shape=matrix.shape)
