"""Language: English in all its town dialects is read, another language is named, and doubt is said to be doubt."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coprod_nlp.text.language import ENGLISH, MAX_CHARS, UNKNOWN, is_readable_language, language_of


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("Does anybody know who looks after the planters outside the station?", "en", id="English"),
        pytest.param("DOES ANYBODY KNOW WHO LOOKS AFTER THE PLANTERS", "en", id="English in capitals"),
        pytest.param("I’ve got a van and it’s free on Sunday", "en", id="English with typographic apostrophes"),
        pytest.param("Wo kann ich mich als freiwillige Helferin für den Park melden?", "de", id="German"),
        pytest.param("Die Straße vor der Schule ist viel zu eng und gefährlich", "de", id="German complaint"),
        pytest.param("Hoffwn i helpu gyda'r ardd gymunedol ar ddydd Sadwrn", "cy", id="Welsh"),
        pytest.param("Chciałbym pomóc w sprzątaniu parku w sobotę rano", "pl", id="Polish"),
        pytest.param("我想周末去公园帮忙捡垃圾", "zh", id="Chinese"),
        pytest.param("公园", "zh", id="two Chinese characters"),
    ],
)
def test_a_clear_language_is_named(text: str, code: str) -> None:
    assert language_of(text) == code


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("ok", id="one word"),
        pytest.param("ta luv", id="two words"),
        pytest.param("Danke", id="one word of another language"),
        pytest.param("Tesco Aldi Lidl Morrisons Asda", id="names only"),
    ],
)
def test_too_little_to_tell_is_unknown(text: str) -> None:
    assert language_of(text) == UNKNOWN


@pytest.mark.parametrize(
    "text", ["", "   \n\t", "123 !!! 456", "🎉🎉🌳", "____", "\u200b"], ids=["empty", "blank", "digits", "emoji", "marks", "zero width"]
)
def test_a_text_without_words_is_unknown(text: str) -> None:
    assert language_of(text) == UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("nah m8 its well dodgy tbh", id="text speak"),
        pytest.param("dunno mate soz", id="clipped"),
        pytest.param("aye nae bother pal", id="Scots"),
        pytest.param("Nah fam that ting is peak", id="London"),
        pytest.param("Cheers pal, top lad", id="thanks"),
        pytest.param("gonna b late innit bruv", id="slang taken for Swedish"),
        pytest.param("shes a proper mardy cow", id="dialect taken for Polish"),
        pytest.param("Wah lau eh this bus always so late one, confirm cannot make it lah", id="Singlish, long"),
        pytest.param("Can lah, no problem", id="Singlish, short"),
        pytest.param("bo jio sia, next time must call me ok", id="Singlish, Hokkien words"),
        pytest.param("Alamak, kena summon again", id="Singlish, Malay words"),
        pytest.param("Siao ah, kiasu until like that", id="Singlish, few English words"),
    ],
)  # fmt: skip
def test_slang_and_singlish_are_read(text: str) -> None:
    assert is_readable_language(language_of(text))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("I can help with the park, ich komme gern mit meinem Auto", id="English with a German half"),
        pytest.param("The library is closed on Monday. Mae'r llyfrgell ar gau ddydd Llun.", id="bilingual notice"),
        pytest.param("My nan calls it the Kürbisfest and we all love it here", id="one foreign word"),
    ],
)
def test_a_mixed_text_with_enough_english_is_read(text: str) -> None:
    assert is_readable_language(language_of(text))


def test_a_text_that_is_mostly_another_language_is_set_aside_in_spite_of_an_english_greeting() -> None:
    code = language_of("Hello! Wir möchten gerne wissen, wann die nächste Müllsammlung an der Merle stattfindet und wer sie leitet.")
    assert code == "de"
    assert not is_readable_language(code)


def test_only_the_first_characters_are_judged() -> None:
    english = "Who would like to look after the planters on the high street with me? "
    german = "Wo kann ich mich als freiwillige Helferin für den Park melden? "
    assert language_of(english * 5 + german * 30) == ENGLISH
    assert language_of(german * 5 + english * 30) == "de"


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60))
def test_every_text_has_a_language_or_is_unknown_and_nothing_else_is_looked_at(text: str) -> None:
    code = language_of(text)
    assert code == UNKNOWN or (len(code) == 2 and code.islower())
    assert language_of(text.ljust(2 * MAX_CHARS, "·") + " und der die das") == language_of(text.ljust(2 * MAX_CHARS, "·"))


@pytest.mark.parametrize(
    ("code", "expected"),
    [("en", True), ("und", True), ("de", False), ("cy", False), ("zh", False)],
    ids=["English", "unknown", "German", "Welsh", "Chinese"],
)
def test_only_a_confident_other_language_is_set_aside(code: str, expected: bool) -> None:
    assert is_readable_language(code) is expected
