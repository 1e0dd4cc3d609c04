"""What the classifiers see of posts and of their sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from coprod_nlp.reading.cues import AREA_WORDS, CUE_WORDS, area_features, cue_features
from coprod_nlp.reading.sensitive import AUTHOR, KINDS, PERSONS, sensitive_features
from coprod_nlp.records import PostText
from coprod_nlp.text.clean import prose
from coprod_nlp.text.ngrams import NgramVectoriser
from coprod_nlp.text.tokens import Ints, TokenBatch, Tokeniser

POST_RUNS, SENTENCE_RUNS = 2, 3
# How a sentence stands in its post: features of their own, beside its words.
PLACES = ("title", "alone", "first", "last")
PLACE_WEIGHT = 0.3

# Word lists are part of what an artefact was fitted on: one fitted on others is refused.
FEATURES_SHA256 = sha256(repr((AREA_WORDS, CUE_WORDS, KINDS, PERSONS, AUTHOR, PLACES, POST_RUNS, SENTENCE_RUNS)).encode()).hexdigest()

# Columns after those of the runs of words.
POST_LEXICONS = 2 * len(AREA_WORDS) + 3 * len(KINDS)
SENTENCE_CUES = len(CUE_WORDS) * (len(CUE_WORDS) + 1) // 2 + len(PLACES)

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PostBatch:
    """Some posts as tokens, and where each of their sentences stands: (sentences, 4) after `PLACES`."""

    tokens: TokenBatch
    count: int
    places: NDArray[np.float64]

    @property
    def sentences(self) -> int:
        return len(self.tokens.sentence_text)


def look(tokeniser: Tokeniser, posts: Sequence[PostText], words: Sequence[str] | None = None) -> PostBatch:
    """Tokens, sentences and their places; `words` is the prose of the posts where it is at hand already."""
    tokens = tokeniser.tokens(words or [prose(post.text) for post in posts])
    of_post = tokens.sentence_text
    titles = np.array([len(post.title) if post.body else 0 for post in posts], dtype=np.int64)
    changes = of_post[1:] != of_post[:-1]
    is_first, is_last = np.concatenate([[True], changes]), np.concatenate([changes, [True]])
    if not len(of_post):
        return PostBatch(tokens, len(posts), np.zeros((0, len(PLACES))))
    is_alone = is_first & is_last
    places = [tokens.sentence_start < titles[of_post], is_alone, is_first & ~is_alone, is_last & ~is_alone]
    return PostBatch(tokens, len(posts), PLACE_WEIGHT * np.stack(places, axis=1).astype(np.float64))


def post_features(vectoriser: NgramVectoriser, batch: PostBatch) -> csr_matrix:
    """Runs of words, words of the policy areas, and private matters beside persons."""
    words = vectoriser.transform(batch.tokens.ids, batch.tokens.text, batch.count)
    lexicons = [area_features(batch.tokens, batch.count), sensitive_features(batch.tokens, batch.count)]
    return hstack([words, *map(csr_matrix, lexicons)], format="csr")


def sentence_features(vectoriser: NgramVectoriser, batch: PostBatch) -> csr_matrix:
    """Runs of words, cues of what the author does, and where the sentence stands."""
    words = vectoriser.transform(batch.tokens.ids, batch.tokens.sentence, batch.sentences)
    return hstack([words, csr_matrix(cue_features(batch.tokens)), csr_matrix(batch.places)], format="csr")


def fit_vectorisers(batch: PostBatch) -> tuple[NgramVectoriser, NgramVectoriser]:
    """For posts, and for sentences."""
    tokens = batch.tokens
    return (
        NgramVectoriser(POST_RUNS).fit(tokens.ids, tokens.text, batch.count),
        NgramVectoriser(SENTENCE_RUNS).fit(tokens.ids, tokens.sentence, batch.sentences),
    )


def best_two(logits: Floats, of_post: Ints, missing: Floats) -> tuple[Floats, Floats]:
    """The highest and second highest value of each column over the sentences of each post.

    Parameters
    ----------
    logits
        (sentences, labels), sentences in the order of their posts.
    missing
        (posts, labels) stands in for a post without sentences; a post with one has its best twice.

    Returns
    -------
    Two arrays (posts, labels).
    """
    best, second = missing.copy(), missing.copy()
    if not len(of_post):
        return best, second
    starts = np.flatnonzero(np.concatenate([[True], of_post[1:] != of_post[:-1]]))
    with_sentences = of_post[starts]
    best[with_sentences] = np.maximum.reduceat(logits, starts, axis=0)
    rest = np.where(logits == best[of_post], -np.inf, logits)
    second[with_sentences] = np.maximum.reduceat(rest, starts, axis=0)
    return best, np.where(np.isneginf(second), best, second).astype(np.float32)
