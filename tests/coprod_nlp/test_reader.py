"""The reader: each post by itself, nothing said without evidence, nothing scored that was set aside."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coprod_nlp.reading.artefact import load_artefact
from coprod_nlp.reading.reader import Reader
from coprod_nlp.records import PostText, Reading
from coprod_nlp.text.clean import prose
from coprod_nlp.vocabulary import WILLING_SIGNALS, PolicyArea, PostState, ReadingStatus, Signal
from flows.sources.base import Problems
from flows.sources.table import open_source

LABELS = Path(__file__).parent.parent / "data" / "sample_willing.json"
# 0.05 under what the shipped artefact was measured at on the sample (0.75).
MINIMUM_F1 = 0.70

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
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def reader() -> Reader:
    return Reader()


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


def pooled(numbers: Sequence[int]) -> list[PostText]:
    return [PostText(f"t1_{number}", *POOL[number]) for number in numbers]


@cache
def alone(number: int) -> Reading:
    return reader().read(pooled([number]))[0]


def check(post: PostText, reading: Reading) -> None:
    """What holds for every reading of every post."""
    assert (reading.post_id, reading.version) == (post.post_id, reader().version)
    if reading.status is not ReadingStatus.READ:
        assert (reading.willing, reading.is_willing) == (None, False)
        assert (dict(reading.areas), dict(reading.signals), reading.evidence) == ({}, {}, ())
        return
    assert reading.willing is not None
    assert reading.is_willing == bool(set(WILLING_SIGNALS) & set(reading.signals))
    assert all(0 <= chance <= 1 for chance in (reading.willing, *reading.areas.values(), *reading.signals.values()))
    assert all(isinstance(area, PolicyArea) for area in reading.areas)
    assert [item.signal for item in reading.evidence] == list(reading.signals)
    for item in reading.evidence:
        assert 0 <= item.start < item.end <= len(post.text)
        assert prose(post.text)[item.start : item.end].strip()


@unhurried
@given(st.lists(st.integers(0, len(POOL) - 1), min_size=1, max_size=12))
@example([7, 1])
def test_a_reading_is_the_same_in_any_company_and_order(numbers: list[int]) -> None:
    assert reader().read(pooled(numbers)) == [alone(number) for number in numbers]


def test_decisions_and_chances_on_the_sample_do_not_depend_on_the_batch(sample: list[PostText], sample_readings: list[Reading]) -> None:
    def concluded(readings: Sequence[Reading]) -> dict[str, object]:
        return {r.post_id: (r.status, r.language, r.willing, r.is_willing, dict(r.areas), dict(r.signals)) for r in readings}

    in_sevens = [reading for start in range(0, len(sample), 7) for reading in reader().read(sample[start : start + 7])]
    assert concluded(in_sevens) == concluded(sample_readings)
    assert concluded(reader().read(sample[::-1])) == concluded(sample_readings)


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
        assert reading.is_willing == (reading.willing >= thresholds()["willing"])
        assert all(chance >= thresholds()[area.value] for area, chance in reading.areas.items())
        for signal, chance in reading.signals.items():
            stands_alone = signal in WILLING_SIGNALS and len(set(WILLING_SIGNALS) & set(reading.signals)) == 1
            assert chance >= thresholds()[signal.value] or stands_alone


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


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("I was diagnosed with bipolar disorder last year and my psychiatrist changed my pills. Happy to help.", id="health"),
        pytest.param("My asylum claim was refused and I am waiting for the appeal, but I can volunteer.", id="immigration"),
        pytest.param("im 14 and my mum says i cant go out but i want to join the litter pick", id="a child"),
    ],
)
def test_a_sensitive_post_is_set_aside_before_anything_is_scored(body: str) -> None:
    assert reader().read([PostText("t1_x", "", body)]) == [Reading("t1_x", ReadingStatus.SENSITIVE, "en", reader().version)]


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
    f1 = 2 * len(wanted & said) / (len(wanted) + len(said))
    assert f1 >= MINIMUM_F1, f"{len(wanted & said)} of {len(wanted)} found, {len(said)} said: F1 {f1:.3f}"
