"""The spaCy pipeline: tokens and sentences of a post, nothing that needs a downloaded model."""

from collections.abc import Iterator

import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span

from coprod_nlp.text.clean import prose

MAX_SENTENCE_TOKENS = 80


@Language.component("break_lines")
def break_lines(doc: Doc) -> Doc:
    """A new line ends a sentence, as do lists and titles; spaCy's sentencizer only knows punctuation."""
    for token in doc[:-1]:
        if "\n" in token.text:
            doc[token.i + 1].is_sent_start = True
    return doc


def build_nlp() -> Language:
    """Blank English with a rule-based sentence splitter."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("break_lines")
    nlp.max_length = 10_000_000
    return nlp


def sentences(nlp: Language, text: str) -> Iterator[Span]:
    """The sentences of a post that hold a word, quotes and code left out; offsets are those of `text`."""
    for sentence in nlp(prose(text)).sents:
        if any(token.is_alpha for token in sentence):
            yield sentence
