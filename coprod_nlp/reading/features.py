"""What the classifiers see of a post and of its sentences."""

from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from spacy.language import Language

from coprod_nlp.records import PostText
from coprod_nlp.text.pipeline import sentences

# Words with their apostrophes, numbers, and the marks that make a question or a shout.
TOKENS = r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+|[?!]"
POST_NGRAMS = (1, 2)
SENTENCE_NGRAMS = (1, 3)
IN_TITLE, ALONE, FIRST, LAST = "zztitle", "zzalone", "zzfirst", "zzlast"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its place in `PostText.text`, and its words as the classifier sees them."""

    start: int
    end: int
    seen: str


def post_vectoriser() -> TfidfVectorizer:
    return _vectoriser(POST_NGRAMS)


def sentence_vectoriser() -> TfidfVectorizer:
    return _vectoriser(SENTENCE_NGRAMS)


def split(nlp: Language, post: PostText) -> list[Sentence]:
    """Sentences of a post, each marked with whether it stands in the title, first, last or alone."""
    text = post.text
    title_end = len(post.title) if post.body else 0
    found = list(sentences(nlp, text))
    marked = []
    for index, span in enumerate(found):
        marks = [
            IN_TITLE if span.start_char < title_end else "",
            ALONE if len(found) == 1 else FIRST if index == 0 else LAST if index == len(found) - 1 else "",
        ]
        words = span.text.strip()
        start = span.start_char + span.text.index(words)
        marked.append(Sentence(start, start + len(words), " ".join([*filter(None, marks), words])))
    return marked


def _vectoriser(ngrams: tuple[int, int]) -> TfidfVectorizer:
    return TfidfVectorizer(token_pattern=TOKENS, ngram_range=ngrams, sublinear_tf=True, min_df=2, dtype=np.float32)
