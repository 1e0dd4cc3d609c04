"""Tokens and sentences: arrays whose offsets are characters of the text they were made of."""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import spacy
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from spacy.language import Language

import coprod_nlp.text.tokens
from coprod_nlp.text.tokens import TELLING, TokenBatch, Tokeniser

PIECES = st.sampled_from(
    ["bin", "don't", "I've", "Mr.", "e.g.", "co-op", "3.50", "café", "好", "🌳", " ", "  ", "\n", "\n\n", "\r\n", "\t", ".", "!", "?",
     "...", "…", "!!", "(", ")", '"', "”", "'", ",", "-", "https://x.example/a?b=1", "\u00a0", "\u2028"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=40)

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def tokeniser() -> Tokeniser:
    return Tokeniser()


@cache
def english() -> Language:
    """spaCy's own view of the same words, to turn ids back into them."""
    return spacy.blank("en")


def sentences(texts: Sequence[str], batch: TokenBatch) -> list[str]:
    spans = zip(batch.sentence_text, batch.sentence_start, batch.sentence_end, strict=True)
    return [texts[text][start:end] for text, start, end in spans]


def words(batch: TokenBatch, sentence: int, texts: Sequence[str]) -> list[str]:
    """The words of one sentence of a batch made of these texts."""
    for text in texts:
        english().make_doc(text)
    return [english().vocab.strings[int(word)] for word in batch.ids[batch.sentence == sentence]]


@unhurried
@given(st.lists(TEXTS, max_size=4))
def test_a_sentence_is_a_stretch_of_one_line_of_its_text_without_space_around_it(texts: list[str]) -> None:
    batch = tokeniser().tokens(texts)
    for text, start, end in zip(batch.sentence_text, batch.sentence_start, batch.sentence_end, strict=True):
        assert 0 <= start < end <= len(texts[text])
        found = texts[text][start:end]
        assert "\n" not in found
        assert found == found.strip()


@unhurried
@given(st.lists(TEXTS, max_size=4))
def test_sentences_stand_in_the_order_of_their_texts_and_do_not_overlap(texts: list[str]) -> None:
    batch = tokeniser().tokens(texts)
    places = list(zip(batch.sentence_text.tolist(), batch.sentence_start.tolist(), batch.sentence_end.tolist(), strict=True))
    for (text, _, end), (next_text, next_start, _) in pairwise(places):
        assert (text, end) <= (next_text, next_start)


@unhurried
@given(st.lists(TEXTS, max_size=3))
def test_every_token_is_a_word_or_telling_mark_of_the_sentence_it_stands_in(texts: list[str]) -> None:
    batch = tokeniser().tokens(texts)
    assert len(batch.ids) == len(batch.text) == len(batch.sentence)
    assert (batch.sentence_text[batch.sentence] == batch.text).all()
    for place, sentence in enumerate(sentences(texts, batch)):
        rest = sentence.lower()
        said = words(batch, place, texts)
        assert set(said) - set(TELLING)
        for word in said:
            _, found, rest = rest.partition(word)
            assert found == word


@unhurried
@given(st.lists(TEXTS, min_size=2, max_size=4))
@example(["It is shut.", '"Shut" they say'])
def test_a_text_gives_the_same_tokens_alone_and_among_others(texts: list[str]) -> None:
    together = tokeniser().tokens(texts)
    for place, text in enumerate(texts):
        alone = tokeniser().tokens([text])
        assert together.ids[together.text == place].tolist() == alone.ids.tolist()
        mine = together.sentence_text == place
        assert together.sentence_start[mine].tolist() == alone.sentence_start.tolist()
        assert together.sentence_end[mine].tolist() == alone.sentence_end.tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("I can help. When is it?", ["I can help.", "When is it?"], id="two sentences"),
        pytest.param("Litter pick\nSaturday at nine", ["Litter pick", "Saturday at nine"], id="line end"),
        pytest.param("Litter pick\r\nSaturday at nine", ["Litter pick", "Saturday at nine"], id="line end of Windows"),
        pytest.param("one\n\n  \n two", ["one", "two"], id="blank lines"),
        pytest.param('She said "stop." Then left.', ['She said "stop."', "Then left."], id="closing quote belongs to its sentence"),
        pytest.param("(It is shut.) Ask inside.", ["(It is shut.)", "Ask inside."], id="closing bracket belongs to its sentence"),
        pytest.param("Really?! Yes", ["Really?!", "Yes"], id="two marks end one sentence"),
        pytest.param("Mr. Abara, e.g., would know", ["Mr. Abara, e.g., would know"], id="abbreviations end nothing"),
        pytest.param("bring 3.50 each", ["bring 3.50 each"], id="a decimal point ends nothing"),
        pytest.param("Well... maybe", ["Well...", "maybe"], id="dots"),
        pytest.param("no end", ["no end"], id="no mark at all"),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]) -> None:
    assert sentences([text], tokeniser().tokens([text])) == expected


@pytest.mark.parametrize("text", ["", " \n ", "!!!", "... ?! - ("], ids=["empty", "blank", "marks", "punctuation"])
def test_a_text_without_a_word_has_neither_sentences_nor_tokens(text: str) -> None:
    batch = tokeniser().tokens([text, "but this one has"])
    assert (batch.sentence_text.tolist(), set(batch.text.tolist())) == ([1], {1})


def test_no_texts_give_an_empty_batch() -> None:
    batch = tokeniser().tokens([])
    assert [len(array) for array in (batch.ids, batch.text, batch.sentence, batch.sentence_text)] == [0, 0, 0, 0]


def test_case_does_not_matter_telling_marks_count_and_other_punctuation_does_not() -> None:
    assert words(tokeniser().tokens(["Don't, STOP!"]), 0, ["Don't, STOP!", "don't stop"]) == ["do", "n't", "stop", "!"]


def test_tokens_are_the_same_after_the_tokeniser_forgot_the_words_it_knew(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["An unheard-of blorptangle! Is it?", "Yes. (It is.)"]
    fresh = Tokeniser()
    before = fresh.tokens(texts)
    monkeypatch.setattr(coprod_nlp.text.tokens, "MAX_STRINGS", 0)
    after = fresh.tokens(texts)
    for name in TokenBatch.__slots__:
        assert np.array_equal(getattr(before, name), getattr(after, name)), name
