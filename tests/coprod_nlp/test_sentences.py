"""Sentences: stretches of the text they were found in, ended where a reader would end them."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import coprod_nlp.text.sentences
from coprod_nlp.text.sentences import sentences

PIECES = st.sampled_from(
    ["bin", "don't", "I've", "Mr.", "e.g.", "co-op", "3.50", "café", "好", "🌳", " ", "  ", "\n", "\n\n", "\r\n", "\t", ".", "!", "?",
     "...", "…", "!!", "(", ")", '"', "”", "'", ",", "-", "https://x.example/a?b=1", "\u00a0", "\u2028"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=40)

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(TEXTS)
def test_a_sentence_is_a_stretch_of_one_line_with_something_said_and_no_space_around_it(text: str) -> None:
    for start, end in sentences(text):
        assert 0 <= start < end <= len(text)
        found = text[start:end]
        assert "\n" not in found
        assert found == found.strip()
        assert not set(found) <= set("\"'().,!?…-”")


@unhurried
@given(TEXTS)
def test_sentences_stand_in_their_order_and_no_letter_is_in_none(text: str) -> None:
    places = sentences(text)
    assert all(end <= next_start for (_, end), (next_start, _) in pairwise(places))
    inside = {place for start, end in places for place in range(start, end)}
    assert not [letter for place, letter in enumerate(text) if letter.isalpha() and place not in inside]


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
        pytest.param("Yes. ... !!\nNo.", ["Yes. ... !!", "No."], id="marks alone are no sentence"),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected


@pytest.mark.parametrize("text", ["", " \n ", "!!!", "... ?! - ("], ids=["empty", "blank", "marks", "punctuation"])
def test_a_text_without_a_word_has_no_sentences(text: str) -> None:
    assert sentences(text) == []


def test_sentences_are_the_same_after_the_tokeniser_forgot_the_words_it_knew(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "An unheard-of blorptangle! Is it? Yes. (It is.)"
    before = sentences(text)
    monkeypatch.setattr(coprod_nlp.text.sentences, "MAX_STRINGS", 0)
    coprod_nlp.text.sentences._parts.cache_clear()
    assert sentences(text) == before


def test_a_text_longer_than_spacys_bound_is_parted_too() -> None:
    assert len(sentences("Bins late. " * 100_000)) == 100_000
