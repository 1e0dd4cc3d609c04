"""The reader: each post by itself, nothing said without evidence, nothing scored that was set aside."""

import json
from collections.abc import Sequence
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coprod_nlp.reading.artefact import load_artefact
from coprod_nlp.reading.reader import Reader
from coprod_nlp.records import TITLE_END, PostText, Reading
from coprod_nlp.text.clean import prose
from coprod_nlp.vocabulary import WILLING_SIGNALS, PolicyArea, PostState, ReadingStatus, Signal
from flows.sources.base import Problems
from flows.sources.table import open_source

LABELS = Path(__file__).parent.parent / "data" / "sample_willing.json"
# 0.05 under what the shipped artefact was measured at on the sample (0.71).
MINIMUM_F1 = 0.66
# Of the sensitive messages below.
MINIMUM_SENSITIVE = 8
# Every so many posts of the sample, one is read several times over.
EVERY = 10

# Made-up posts of every fate and shape; the pairs (title, body) are read in all orders and company.
POOL = [
    ("", "I can lend my van for the clean-up on Saturday, happy to help."),
    ("", '"Not our job" is what they told me. Nobody has swept Tanners Row since May.'),
    ("", ") sorry, cut off. I meant the bins."),
    ("Litter pick on Sunday", "Come along at ten, gloves are here. Bring the kids!\n\n> is it free\nIt is."),
    ("Who runs the repair cafe", "I have been a joiner for thirty years. How do I sign up as a fixer?"),
    ("Heron on the canal this morning", ""),
    ("", "We walk the old railway every Friday and pick up what we find, six of us now."),
    ("", "The council should put a bench outside the surgery. It is shut."),
    ("", "I was diagnosed with bipolar disorder last year and my psychiatrist at the clinic changed my pills."),
    ("", "Wo kann ich mich als freiwillige Helferin für den Park melden?"),
    ("", "ok"),
    ("", "   \n"),
    ("", "https://bins.example/rota"),
    ("", "why pay council tax if I have to do it myself"),
]
# Health, immigration, a child, religion, sexuality, a criminal past, a union, a party; some of them willing.
SENSITIVE = [
    "I was diagnosed with bipolar disorder last year and my psychiatrist changed my pills. Happy to help.",
    "My asylum claim was refused and I am waiting for the appeal, but I can volunteer.",
    "im 14 and my mum says i cant go out but i want to join the litter pick",
    "I have been sober for two years and my sponsor says I should give something back, so where do I sign up?",
    "As a gay man in this town I never felt safe at that park after dark.",
    "I am a Muslim and I pray at the mosque on Elm Road, we could open the hall for the food bank.",
    "I got out of prison in March and nobody will give me a job.",
    "My husband has dementia and I cannot leave him alone, otherwise I would come.",
    "I have been in the union for thirty years and we are on strike from Monday.",
    "I joined the Labour party last year and I will be knocking on doors on Sunday.",
]
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def reader() -> Reader:
    return Reader()


@cache
def deep_reader() -> Reader:
    return Reader(is_always_deep=True)


@cache
def thresholds() -> dict[str, float]:
    return load_artefact().manifest.thresholds


@pytest.fixture(scope="module")
def sample() -> list[PostText]:
    posts = open_source("sample", columns={}).posts(Problems())
    return [PostText(post.fullname, post.title, post.body, is_readable=post.state is PostState.VISIBLE) for post, _, _ in posts]


@pytest.fixture(scope="module")
def sample_readings(sample: list[PostText]) -> list[Reading]:
    return reader().read(sample)


@pytest.fixture(scope="module")
def deep_readings(sample: list[PostText]) -> list[Reading]:
    return deep_reader().read(sample)


def pooled(numbers: Sequence[int]) -> list[PostText]:
    return [PostText(f"t1_{number}", *POOL[number]) for number in numbers]


@cache
def alone(number: int) -> Reading:
    return reader().read(pooled([number]))[0]


def check(post: PostText, reading: Reading) -> None:
    """What holds for every reading of every post."""
    assert (reading.post_id, reading.version) == (post.post_id, reader().version)
    if reading.status in (ReadingStatus.NOT_READ, ReadingStatus.NOT_ENGLISH):
        assert (reading.willing, reading.is_willing) == (None, False)
        assert (dict(reading.areas), dict(reading.signals), reading.evidence) == ({}, {}, ())
        return
    assert reading.willing is not None
    assert reading.is_willing == bool(set(WILLING_SIGNALS) & set(reading.signals))
    assert all(0 <= chance <= 1 for chance in (reading.willing, *reading.areas.values(), *reading.signals.values()))
    assert all(isinstance(area, PolicyArea) for area in reading.areas)
    # What a sensitive message says is never shown, so no span of it is kept.
    shown = reading.signals if reading.status is ReadingStatus.READ else ()
    assert [item.signal for item in reading.evidence] == list(shown)
    words = TITLE_END.join(prose(part) for part in (post.title, post.body) if part)
    for item in reading.evidence:
        assert 0 <= item.start < item.end <= len(post.text)
        assert words[item.start : item.end].strip()
    if not reading.is_deep:
        assert reading.status is ReadingStatus.READ
        assert (reading.is_willing, dict(reading.areas), dict(reading.signals)) == (False, {}, {})
        assert reading.willing < thresholds()["willing"]


@unhurried
@given(st.lists(st.integers(0, len(POOL) - 1), min_size=1, max_size=12))
@example([7, 1])
def test_a_reading_is_the_same_in_any_company_and_order(numbers: list[int]) -> None:
    assert reader().read(pooled(numbers)) == [alone(number) for number in numbers]


def test_readings_of_the_sample_do_not_depend_on_the_batch(sample: list[PostText], sample_readings: list[Reading]) -> None:
    some = sample[::EVERY]
    expected = sample_readings[::EVERY]
    assert [reading for start in range(0, len(some), 7) for reading in reader().read(some[start : start + 7])] == expected
    assert reader().read(some[::-1])[::-1] == expected


def test_readings_come_in_the_order_of_the_posts(sample: list[PostText], sample_readings: list[Reading]) -> None:
    assert [reading.post_id for reading in sample_readings] == [post.post_id for post in sample]
    assert reader().read([]) == []


def test_every_reading_of_the_sample_holds_together(sample: list[PostText], sample_readings: list[Reading]) -> None:
    for post, reading in zip(sample, sample_readings, strict=True):
        check(post, reading)
    assert {reading.status for reading in sample_readings} == set(ReadingStatus)


@unhurried
@given(title=st.text(max_size=20), body=st.text(max_size=60), is_readable=st.booleans())
@example(title="", body="`code` > \u0301 !", is_readable=True)
def test_any_text_gets_a_reading_that_holds_together(title: str, body: str, is_readable: bool) -> None:
    post = PostText("t1_any", title, body, is_readable=is_readable)
    check(post, reader().read([post])[0])


def test_what_was_decided_reached_its_threshold_and_the_rest_did_not(sample_readings: list[Reading]) -> None:
    for reading in sample_readings:
        if reading.willing is None:
            continue
        asks_for_itself = Signal.REQUEST in reading.signals and not reading.is_willing
        assert reading.is_willing == (reading.willing >= thresholds()["willing"]) or asks_for_itself
        assert all(chance >= thresholds()[area.value] for area, chance in reading.areas.items())
        for signal, chance in reading.signals.items():
            stands_alone = signal in WILLING_SIGNALS and len(set(WILLING_SIGNALS) & set(reading.signals)) == 1
            assert chance >= thresholds()[signal.value] or stands_alone


def test_the_gate_reads_deeply_what_may_say_something_and_passes_over_the_rest(sample_readings: list[Reading]) -> None:
    read = [reading.is_deep for reading in sample_readings if reading.status is ReadingStatus.READ]
    assert 0 < sum(read) < len(read)
    assert all(reading.is_deep for reading in sample_readings if reading.status is ReadingStatus.SENSITIVE)


def test_a_reader_that_is_always_deep_finds_what_the_cascade_finds_and_maybe_more(
    sample_readings: list[Reading], deep_readings: list[Reading]
) -> None:
    for quick, deep in zip(sample_readings, deep_readings, strict=True):
        assert deep.is_deep == (deep.willing is not None)
        if quick.is_deep or quick.willing is None:
            assert deep == quick
        else:
            assert (quick.is_willing, dict(quick.areas), dict(quick.signals), quick.evidence) == (False, {}, {}, ())
            assert deep.willing is not None


def test_a_post_that_says_nothing_is_read_deeply_only_by_a_reader_that_always_is() -> None:
    post = PostText("t1_x", "", "ok")
    assert [one.read([post])[0].is_deep for one in (reader(), deep_reader())] == [False, True]


@pytest.mark.parametrize("number", range(len(POOL)))
def test_an_explanation_holds_the_reading_and_every_probability_that_led_to_it(number: int) -> None:
    (post,) = pooled([number])
    explained, deep = reader().explain(post), deep_reader().explain(post)
    assert (explained.reading, deep.reading) == (alone(number), deep_reader().read([post])[0])
    assert explained.glances == deep.glances
    if explained.reading.status in (ReadingStatus.NOT_READ, ReadingStatus.NOT_ENGLISH):
        assert (explained.glances, explained.deep, explained.close, explained.chances) == ({}, None, None, {})
        return
    assert set(explained.glances) == set(explained.thresholds) == set(deep.deep or {}) == set(deep.chances)
    assert (explained.deep, explained.close) == ((deep.deep, deep.close) if explained.reading.is_deep else (None, None))
    chances = deep.chances
    assert chances == (deep.close or deep.deep)
    assert all(chances[label] == chance for some in (deep.reading.areas, deep.reading.signals) for label, chance in some.items())
    assert chances["willing"] == deep.reading.willing


@pytest.mark.parametrize(
    ("title", "body", "is_readable", "status", "language"),
    [
        pytest.param("", "I can lend my van, happy to help.", False, ReadingStatus.NOT_READ, "und", id="deleted, removed or automated"),
        pytest.param("", "", True, ReadingStatus.NOT_READ, "und", id="empty"),
        pytest.param(" ", "\n\n", True, ReadingStatus.NOT_READ, "und", id="blank"),
        pytest.param("", "👍👍 !!! 10/10", True, ReadingStatus.NOT_READ, "und", id="without a word"),
        pytest.param("", "> I can lend my van, happy to help.", True, ReadingStatus.NOT_READ, "und", id="only a quote"),
        pytest.param("", "https://van.example/happy-to-help", True, ReadingStatus.NOT_READ, "und", id="only an address"),
        pytest.param("", "Ich möchte gerne im Park helfen und bringe Handschuhe mit.", True, ReadingStatus.NOT_ENGLISH, "de", id="German"),
        pytest.param("", "Chciałbym pomóc w sprzątaniu parku w sobotę rano", True, ReadingStatus.NOT_ENGLISH, "pl", id="Polish"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_not_scored(title: str, body: str, is_readable: bool, status: ReadingStatus, language: str) -> None:
    post = PostText("t1_x", title, body, is_readable=is_readable)
    assert reader().read([post]) == [Reading("t1_x", status, language, reader().version)]


def test_of_a_sensitive_post_nothing_is_left_that_it_says() -> None:
    """A classifier misses some; what it finds is emptied."""
    readings = deep_reader().read([PostText(f"t1_{place}", "", text) for place, text in enumerate(SENSITIVE)])
    found = [reading for reading in readings if reading.status is ReadingStatus.SENSITIVE]
    assert len(found) >= MINIMUM_SENSITIVE, [reading.post_id for reading in readings if reading not in found]
    for reading in found:
        check(PostText(reading.post_id, "", SENSITIVE[int(reading.post_id.removeprefix("t1_"))]), reading)
        assert reading.without_content() == Reading(reading.post_id, ReadingStatus.SENSITIVE, "en", reader().version, is_deep=True)


def test_sensitive_readings_carry_what_the_message_says_for_measuring(deep_readings: list[Reading]) -> None:
    sensitive = [reading for reading in deep_readings if reading.status is ReadingStatus.SENSITIVE]
    assert sensitive
    assert all(reading.willing is not None for reading in sensitive)
    assert any(reading.areas for reading in sensitive)
    assert any(reading.signals for reading in sensitive)


def test_a_reading_without_content_says_only_what_became_of_the_post(sample_readings: list[Reading]) -> None:
    """Every field but these is as it would be had the post said nothing, those that a later version adds too."""
    of_the_post = {"post_id", "status", "language", "version", "is_deep"}
    for reading in sample_readings:
        emptied = reading.without_content()
        assert emptied == emptied.without_content()
        for field in fields(Reading):
            made = field.default_factory() if field.default_factory is not MISSING else field.default
            assert getattr(emptied, field.name) == (getattr(reading, field.name) if field.name in of_the_post else made), field.name


@pytest.mark.parametrize(
    ("body", "signal"),
    [
        pytest.param("I can lend my van for the clean-up on Saturday, happy to help.", Signal.OFFER, id="offer"),
        pytest.param("How do I sign up to volunteer at the food bank?", Signal.SEEK, id="seek"),
        pytest.param("Join us on Sunday at ten for a litter pick along the canal, bring gloves!", Signal.ORGANISE, id="organise"),
        pytest.param("I volunteer at the library every Tuesday and run the homework club there.", Signal.ACTIVE, id="active"),
    ],
)
def test_a_plain_willing_message_is_seen_with_its_words(body: str, signal: Signal) -> None:
    filler = "It rained all day again."
    post = PostText("t1_x", "", f"{filler} {body}")
    reading = reader().read([post])[0]
    assert reading.is_willing
    assert signal in reading.signals
    spans = [post.text[item.start : item.end] for item in reading.evidence if item.signal is signal]
    assert len(spans) == 1
    assert spans[0] != filler
    assert spans[0] in body


@pytest.mark.parametrize(
    "body",
    ["Nice photo of the heron.", "Bins late again on Saltmarsh Road, third week running.", "> I can help on Saturday\nnah"],
    ids=["chat", "complaint", "an offer that is somebody else's words"],
)
def test_a_message_without_an_offer_is_not_willing(body: str) -> None:
    assert not reader().read([PostText("t1_x", "", body)])[0].is_willing


def test_willing_messages_of_the_sample_are_found(sample_readings: list[Reading]) -> None:
    labelled = json.loads(LABELS.read_text(encoding="utf-8"))
    wanted = {post_id for post_id, signals in labelled.items() if set(signals) & {signal.value for signal in WILLING_SIGNALS}}
    said = {reading.post_id for reading in sample_readings if reading.is_willing}
    assert wanted <= {reading.post_id for reading in sample_readings}
    f1 = 2 * len(wanted & said) / (len(wanted) + len(said))
    assert f1 >= MINIMUM_F1, f"{len(wanted & said)} of {len(wanted)} found, {len(said)} said: F1 {f1:.3f}"
