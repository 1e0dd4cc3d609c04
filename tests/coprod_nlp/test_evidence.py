"""Evidence: for each signal the sentence that says it, in the characters of the post."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coprod_nlp.reading.artefact import load_artefact
from coprod_nlp.reading.encoder import WIDTH, Encoded, Encoder
from coprod_nlp.reading.evidence import AROUND, BEST_PIECES, LONGEST_SPAN, find_evidence
from coprod_nlp.reading.labels import LABELS, SPAN_LABELS
from coprod_nlp.records import Evidence, PostText
from coprod_nlp.text.clean import prose
from coprod_nlp.text.sentences import sentences
from coprod_nlp.training.corpus import load_corpus
from coprod_nlp.training.split import split_corpus
from coprod_nlp.vocabulary import Signal

# Share of the signals of the corpus, in messages kept back to check with, whose span touches the labelled one. A sentence drawn at random
# does so for 0.22 of them, the shipped artefact was measured at 0.75.
MINIMUM_SHOWN = 0.7
CHECKED_MESSAGES = 120
NOTHING = -6.0

SENTENCES = st.lists(
    st.sampled_from(["Bins late.", "I can lend my van on Sunday!", "Why?", "It is shut", "Ask Joan, she knows. ", "👍", '"No."']),
    max_size=5,
).map("\n".join)
SIGNALS = st.lists(st.sampled_from(list(Signal)), unique=True, max_size=4)

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def encoder() -> Encoder:
    return load_artefact().encoder


def said(text: str, strengths: dict[str, float], *, signal: Signal = Signal.OFFER) -> Encoded:
    """What an encoder might say of a text, of which it takes each of these words for evidence of a signal, so strongly."""
    words = list(re.finditer(r"\w+|[^\w\s]", text))
    spans = np.full((len(words) + 2, len(SPAN_LABELS)), NOTHING, dtype=np.float32)
    spans[[0, -1]] = 9  # the marks of start and end stand in no sentence, whatever they say
    for place, word in enumerate(words, start=1):
        spans[place, SPAN_LABELS.index(signal.value)] = strengths.get(word[0], NOTHING)
    starts, ends = ([-1, *(word.span()[side] for word in words), -1] for side in (0, 1))
    logits, pooled = np.zeros(len(LABELS), np.float32), np.zeros(WIDTH, np.float32)
    return Encoded(logits, spans.max(axis=0), pooled, spans, np.array(starts), np.array(ends))


def shown(post: PostText, encoded: Encoded, *signals: Signal) -> list[str]:
    return [post.text[item.start : item.end] for item in find_evidence(post.title, post.body, encoded, signals)]


@unhurried
@given(SENTENCES, SENTENCES, SIGNALS, st.integers(0, 2**32 - 1))
@example("Litter pick", "", [Signal.ORGANISE], 1)
def test_each_signal_has_one_span_which_is_the_sentence_of_the_best_pieces(title: str, body: str, signals: list[Signal], seed: int) -> None:
    post = PostText("t1_a", title, body)
    encoded = said(post.text, {})
    encoded.spans[:] = np.random.default_rng(seed).normal(size=encoded.spans.shape)
    found = find_evidence(title, body, encoded, signals)
    places = sentences(post.text)
    assert [item.signal for item in found] == (signals if places else [])
    for item in found:
        assert (item.start, item.end) in places
        column = encoded.spans[:, SPAN_LABELS.index(item.signal.value)]

        def strength(start: int, end: int, column: np.ndarray = column) -> float:
            inside = [float(value) for value, s, e in zip(column, encoded.starts, encoded.ends, strict=True) if start <= s and e <= end]
            best = sorted(inside)[-BEST_PIECES:]
            return sum(best) / len(best) if best else -np.inf

        assert strength(item.start, item.end) == pytest.approx(max(strength(*place) for place in places))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(title=st.text(max_size=20), body=st.text(max_size=40) | SENTENCES, signals=SIGNALS)
@example(title="ﬁne 🌳", body="Zoë can help. 👍👍", signals=[Signal.OFFER])
def test_evidence_for_any_text_lies_in_the_text(title: str, body: str, signals: list[Signal]) -> None:
    post = PostText("t1_a", prose(title), prose(body))
    found = find_evidence(post.title, post.body, encoder().encode(post.title, post.body), signals)
    assert [item.signal for item in found] in ([], signals)
    for item in found:
        assert 0 <= item.start < item.end <= len(post.text)
        assert post.text[item.start : item.end].strip()


@pytest.mark.parametrize(
    ("title", "body", "strengths", "expected"),
    [
        pytest.param("", "It rained. I can help. Bye.", {"can": 4, "help": 5}, "I can help.", id="the sentence that says it"),
        pytest.param("Can I help", "It rained.", {"help": 5}, "Can I help", id="the title"),
        pytest.param("Rain", "It rained. I can help.", {"help": 5}, "I can help.", id="the body under a title"),
        pytest.param("", "Help is what the mayor wants today. I could do it", {"Help": 5, "I": 2, "could": 2, "do": 2}, "I could do it",
                     id="several words before one alone"),
        pytest.param("", "Help. It rained for days on end.", {"Help": 5, "rained": 4}, "Help.", id="a short sentence is not held back"),
        pytest.param("", "Bye.", {}, "Bye.", id="the only sentence, however weak"),
    ],
)  # fmt: skip
def test_the_sentence_whose_words_say_it_is_chosen(title: str, body: str, strengths: dict[str, float], expected: str) -> None:
    post = PostText("t1_a", title, body)
    assert shown(post, said(post.text, strengths), Signal.OFFER) == [expected]


def test_each_signal_has_the_sentence_that_says_it() -> None:
    post = PostText("t1_a", "", "I can help. How do I join?")
    offer, seek = said(post.text, {"help": 5}), said(post.text, {"join": 5}, signal=Signal.SEEK)
    offer.spans[:] = np.maximum(offer.spans, seek.spans)
    assert shown(post, offer, Signal.SEEK, Signal.OFFER) == ["How do I join?", "I can help."]


@pytest.mark.parametrize("text", ["", " \n", "!!! ..."], ids=["empty", "blank", "marks"])
def test_a_post_without_a_sentence_has_no_evidence(text: str) -> None:
    assert find_evidence("", text, said(text, {}), [Signal.OFFER]) == ()


def test_no_signal_needs_no_evidence() -> None:
    assert find_evidence("", "I can help.", said("I can help.", {"help": 5}), []) == ()


@unhurried
@given(st.integers(70, 200), st.data())
def test_of_a_rant_without_stops_the_words_around_the_best_pieces_are_shown(count: int, data: st.DataObject) -> None:
    words = data.draw(
        st.lists(st.sampled_from("so the bins again and nobody sweeps anything ever".split()), min_size=count, max_size=count)
    )
    place = data.draw(st.integers(0, count - BEST_PIECES))
    words[place : place + BEST_PIECES] = ["I", "can", "help"]
    post = PostText("t1_a", "Bins.", " ".join(words))
    (item,) = find_evidence(post.title, post.body, said(post.text, {"I": 5, "can": 5, "help": 5}), [Signal.OFFER])
    text = post.text[item.start : item.end]
    assert "I can help" in text
    assert text == text.strip()
    assert set(text.split()) <= set(words), "a word is cut"
    assert len(text) <= (2 * AROUND if len(post.body) > LONGEST_SPAN else LONGEST_SPAN)
    assert post.text.index(post.body) <= item.start


@pytest.mark.parametrize(
    "breaks",
    [pytest.param(" ", id="spaces"), pytest.param("/", id="slashes"), pytest.param("", id="nothing")],
)
def test_a_span_of_a_long_unbroken_text_holds_its_best_piece(breaks: str) -> None:
    body = breaks.join(["bins"] * 60 + ["help"] + ["bins"] * 60)
    encoded = said(body, {})
    encoded = replace(encoded, starts=np.array([-1, body.index("help"), -1]), ends=np.array([-1, body.index("help") + 4, -1]),
                      spans=np.zeros((3, len(SPAN_LABELS)), dtype=np.float32))  # fmt: skip
    (span,) = shown(PostText("t1_a", "", body), encoded, Signal.OFFER)
    assert "help" in span


def touches(one: Evidence, labelled: tuple[Evidence, ...]) -> bool:
    return any(one.signal is other.signal and one.start < other.end and other.start < one.end for other in labelled)


def test_the_shipped_encoder_shows_the_words_that_a_reader_would_show() -> None:
    """In messages of the corpus that it has not learned from, and that leave it a choice."""
    kept = [post for post in split_corpus(load_corpus()).checked if post.signals and len(sentences(prose(post.post.text))) > 2]
    results = []
    for labelled in kept[:CHECKED_MESSAGES]:
        title, body = prose(labelled.post.title), prose(labelled.post.body)
        found = find_evidence(title, body, encoder().encode(title, body), sorted(labelled.signals))
        results += [touches(item, labelled.evidence) for item in found]
    assert len(results) >= CHECKED_MESSAGES
    assert np.mean(results) >= MINIMUM_SHOWN, f"{sum(results)} of {len(results)} spans touch the labelled one"


def test_the_end_of_a_long_post_is_shown_where_it_says_it() -> None:
    body = "The bins on Tanners Row were late again on Monday. " * 30 + "I can lend my van for the clean-up, happy to help."
    post = PostText("t1_a", "Tanners Row", body)
    assert shown(post, encoder().encode(post.title, post.body), Signal.OFFER) == ["I can lend my van for the clean-up, happy to help."]
