"""Cleaning: what is not the author's own prose goes, and every other character stays where it was."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coprod_nlp.text.clean import prose

# Marks, brackets and words that the patterns are made of, so that random texts come close to all of them.
PIECES = st.sampled_from(
    ["a", "bin day", " ", "  ", "\t", "\n", "\r\n", ">", "&gt;", "&amp;", "&#x27;", "`", "```", "*", "**", "_", "~", "^", "#", "[", "]",
     "(", ")", "![", "](", "http://", "https://x.example/y", "www.", "é", "’", "🌳", "\u2028", "&", ";"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=40)

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(TEXTS)
def test_the_prose_is_as_long_as_the_text_and_holds_nothing_new(text: str) -> None:
    cleaned = prose(text)
    assert len(cleaned) == len(text)
    assert all(new in (old, " ") or (old, new) == ("’", "'") for old, new in zip(text, cleaned, strict=True))


@unhurried
@given(TEXTS)
def test_lines_end_where_they_ended(text: str) -> None:
    assert [place for place, char in enumerate(prose(text)) if char == "\n"] == [place for place, char in enumerate(text) if char == "\n"]


@unhurried
@given(TEXTS)
@example("**>** that is what I thought")
@example("`sudo` > no idea")
@example("``one``` two `three")
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = prose(text)
    assert prose(once) == once


@unhurried
@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCDEF ,.!?'\"()-:;\n", max_size=80))
def test_plain_sentences_are_left_as_they_are(text: str) -> None:
    calm = text.replace("http", "")
    assert prose(calm) == calm


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("> they said it\nI disagree", "I disagree", id="quoted line"),
        pytest.param("&gt; they said it\nI disagree", "I disagree", id="quoted line, escaped"),
        pytest.param("  >> twice quoted\nmine", "mine", id="indented and nested quote"),
        pytest.param("> first\n> second\n\nmine", "mine", id="quote of two lines"),
        pytest.param("run `make tea` first", "run first", id="inline code"),
        pytest.param("before\n```\nsome > code\n```\nafter", "before after", id="fenced code"),
        pytest.param("see https://bins.example/a?b=c#d for more", "see for more", id="address"),
        pytest.param("see www.bins.example today", "see today", id="address without a scheme"),
        pytest.param("the [bin rota](https://bins.example/rota) is out", "the [bin rota] is out", id="link keeps its words"),
        pytest.param("look ![a heron](https://pics.example/1.png) there", "look there", id="image"),
        pytest.param("salt &amp; vinegar&#x27;s&nbsp;best", "salt vinegar s best", id="entities"),
        pytest.param("**really** _quite_ ~~no~~", "really quite no", id="emphasis"),
        pytest.param("# Litter pick\nSaturday", "# Litter pick Saturday", id="a mark with a space after it is no emphasis"),
    ],
)  # fmt: skip
def test_only_the_authors_own_words_are_left(text: str, kept: str) -> None:
    assert " ".join(prose(text).split()) == kept


def test_a_word_found_in_the_prose_is_at_the_same_place_in_the_text() -> None:
    text = "> old words\nsee **my** [van](https://van.example) on `x` Saturday"
    start = prose(text).index("Saturday")
    assert text[start : start + len("Saturday")] == "Saturday"


@pytest.mark.parametrize("text", ["5 > 3 they say", "a >= b", "mix 2 * 3 cups"], ids=["greater than", "at least", "times"])
def test_signs_inside_a_line_are_no_quote_and_no_emphasis(text: str) -> None:
    assert prose(text) == text
