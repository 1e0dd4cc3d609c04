"""Messages as they are shown: the words that speak for willingness first, cut where a reader can bear it."""

import pytest

from coprod_nlp.excerpt import CHARS, LEAD_CHARS, excerpt, strongest_first
from coprod_nlp.ranking.card import PHRASE_CHARS, shortened

OFFER, COMPLAINT = ("offer", 30, 60), ("complaint", 0, 20)


def test_evidence_of_willingness_comes_before_surer_evidence_of_anything_else() -> None:
    signals = {"complaint": 0.99, "seek": 0.5, "offer": 0.6, "request": 0.9}
    spans = [COMPLAINT, ("request", 5, 9), ("seek", 70, 80), OFFER]
    assert [name for name, _, _ in strongest_first(spans, signals)] == ["offer", "seek", "complaint", "request"]


def test_words_around_the_evidence_are_cut_between_words() -> None:
    text = "so many words " * 60
    shown = excerpt(text, [("offer", 420, 433)])
    assert shown.marked == "so many words"
    assert shown.before.startswith("… ")
    assert shown.before[2:].split()[0] in {"so", "many", "words"}
    assert shown.after.endswith(" …")
    assert shown.after.split()[-2] in {"so", "many", "words"}
    assert len(shown.before + shown.marked + shown.after) <= CHARS + 4


@pytest.mark.parametrize("spans", [[], [("offer", 600, 640)]], ids=["without evidence", "with evidence in its midst"])
def test_a_text_without_a_space_is_cut_all_the_same(spans: list[tuple[str, int, int]]) -> None:
    shown = excerpt("a" * 1_000, spans)
    whole = shown.before + shown.marked + shown.after
    assert 300 < len(whole) <= CHARS + LEAD_CHARS + 4


def test_a_phrase_is_cut_between_words_or_within_one_that_is_too_long() -> None:
    assert shortened("we have  a van") == "we have a van"
    assert shortened("b" * 290) == "b" * PHRASE_CHARS + " …"
    cut = shortened("we have a van, " * 40)
    assert len(cut) <= PHRASE_CHARS + 2
    assert cut.removesuffix(" …").split()[-1] in {"we", "have", "a", "van"}
