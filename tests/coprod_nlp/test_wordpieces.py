"""Wordpieces: each says which characters it covers, and a text always gives the same ones."""

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from coprod_nlp.reading.artefact import load_networks
from coprod_nlp.text.wordpieces import Wordpieces

PIECES = st.sampled_from(
    ["bin", "repairing", "don't", "Zoë", "好", "🌳", "½", "ﬁne", "a\u0301", " ", "\n", "\u200b", "\x00", "3.5", "x" * 120]
)
TEXTS = st.lists(PIECES, max_size=20).map("".join) | st.text(max_size=40)
WORDS = st.lists(st.sampled_from("the council repaints unheard-of blorptangles on saturday".split()), max_size=12).map(" ".join)

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def wordpieces() -> Wordpieces:
    return Wordpieces(load_networks().wordpieces)


@cache
def others() -> Wordpieces:
    """The same, made anew."""
    return Wordpieces(load_networks().wordpieces)


@cache
def vocabulary() -> dict[int, str]:
    """What is written for each number."""
    return {number: piece for piece, number in Tokenizer.from_str(load_networks().wordpieces).get_vocab().items()}


@unhurried
@given(TEXTS)
@example("ﬁne a\u0301 İstanbul")
def test_pieces_cover_characters_of_the_text_in_order(text: str) -> None:
    pieces = wordpieces().pieces(text)
    assert len(pieces) == len(pieces.ids) == len(pieces.starts) == len(pieces.ends)
    places = list(zip(pieces.starts.tolist(), pieces.ends.tolist(), strict=True))
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert all(start <= next_start and end <= next_end for (start, end), (next_start, next_end) in pairwise(places))


@unhurried
@given(TEXTS)
def test_a_text_gives_the_same_pieces_again_and_from_another_reading_of_the_definition(text: str) -> None:
    first, again, other = (one.pieces(text) for one in (wordpieces(), wordpieces(), others()))
    for pieces in (again, other):
        assert (pieces.ids.tolist(), pieces.starts.tolist(), pieces.ends.tolist()) == (
            first.ids.tolist(), first.starts.tolist(), first.ends.tolist(),
        )  # fmt: skip


@unhurried
@given(WORDS)
def test_a_piece_is_what_is_written_in_its_place(text: str) -> None:
    pieces = wordpieces().pieces(text)
    written = [text[start:end] for start, end in zip(pieces.starts, pieces.ends, strict=True)]
    assert written == [vocabulary()[number].removeprefix("##") for number in pieces.ids.tolist()]
    assert "".join(written) == text.replace(" ", "")


@pytest.mark.parametrize("text", ["", "  \n", "\u200b"], ids=["empty", "blank", "nothing visible"])
def test_a_text_without_a_letter_has_no_pieces(text: str) -> None:
    assert len(wordpieces().pieces(text)) == 0


def test_a_long_text_is_neither_cut_off_nor_a_short_one_filled_up() -> None:
    assert len(wordpieces().pieces("bin " * 5000)) == 5000
    assert len(wordpieces().pieces("bin")) == 1


def test_case_and_accents_do_not_matter() -> None:
    assert wordpieces().pieces("ZOË's Café").ids.tolist() == wordpieces().pieces("zoe's cafe").ids.tolist()


def test_marks_of_start_and_end_are_known_and_not_added() -> None:
    marks = {number: piece for number, piece in vocabulary().items() if number in (wordpieces().start, wordpieces().end)}
    assert set(marks.values()) == {"[CLS]", "[SEP]"}
    assert not set(marks) & set(wordpieces().pieces("The bins. Again!").ids.tolist())


@pytest.mark.parametrize("mark", ["[CLS]", "[SEP]", "[PAD]", "[MASK]"])
def test_what_an_author_writes_is_never_taken_for_a_mark(mark: str) -> None:
    pieces = wordpieces().pieces(f"before {mark} after")
    assert mark not in [vocabulary()[number] for number in pieces.ids.tolist()]
    assert {*range(7, 7 + len(mark))} <= {
        place for start, end in zip(pieces.starts, pieces.ends, strict=True) for place in range(int(start), int(end))
    }
