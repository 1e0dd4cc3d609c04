"""The encoders: windows that leave nothing out without need, and the same answer to the same post."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

import coprod_nlp.reading.encoder
from coprod_nlp.reading.artefact import load_artefact, load_networks
from coprod_nlp.reading.base_model import prepared
from coprod_nlp.reading.encoder import (
    CLOSE_FEATURES,
    CLOSE_WIDTH,
    FEATURES,
    MOST_WINDOWS,
    REACH,
    TITLE_PIECES,
    WIDTH,
    WINDOW,
    Encoded,
    Encoder,
    Window,
    features,
    windows_of,
)
from coprod_nlp.reading.labels import AREAS, LABELS, SPAN_LABELS
from coprod_nlp.records import PostText
from coprod_nlp.text.wordpieces import Pieces, Wordpieces

VOCABULARY = "the bins were not emptied again , so we will repaint blorptangle benches on Saturday !".split()
# Runs of words of every length: none, a few, more than fit a window, more than fit all windows.
LENGTHS = st.integers(0, 12) | st.integers(0, 260) | st.integers(500, 1000)
TITLES = st.integers(0, 12) | st.integers(30, 260)

unhurried = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@cache
def wordpieces() -> Wordpieces:
    return Wordpieces(load_networks().wordpieces)


@cache
def vocabulary() -> dict[int, str]:
    """What is written for each number."""
    return {number: piece for piece, number in Tokenizer.from_str(load_networks().wordpieces).get_vocab().items()}


@cache
def encoders() -> dict[str, Encoder]:
    artefact = load_artefact()
    return {"deep": artefact.encoder, "close": artefact.close}


def encoder() -> Encoder:
    return encoders()["deep"]


BOTH = pytest.mark.parametrize(("stage", "width"), [("deep", WIDTH), ("close", CLOSE_WIDTH)], ids=["deep", "close"])


def words(count: int, *, first: int = 0) -> str:
    """That many words, no stretch of them like the next."""
    return " ".join(VOCABULARY[(first + place * place) % len(VOCABULARY)] for place in range(count))


def parted(window: Window, title: str) -> tuple[list[int], list[int]]:
    """Which pieces of a window are of the title and which of the body, by number; the marks are checked on the way."""
    ids, starts = window.ids.tolist(), window.starts.tolist()
    marks = [place for place, start in enumerate(starts) if start < 0]
    assert [ids[place] for place in marks] == [wordpieces().start] + [wordpieces().end] * (len(marks) - 1)
    assert (marks[0], marks[-1]) == (0, len(ids) - 1)
    assert all(window.ends[place] == -1 for place in marks)
    edge = len(title)
    return [ids[p] for p, s in enumerate(starts) if 0 <= s < edge], [ids[p] for p, s in enumerate(starts) if s >= edge and s >= 0]


def spread(encoded: Encoded) -> Iterator[np.ndarray]:
    yield from (encoded.logits, encoded.best, encoded.pooled, encoded.spans, encoded.starts, encoded.ends)


def same(one: Encoded, other: Encoded) -> bool:
    return all(np.array_equal(ours, theirs) for ours, theirs in zip(spread(one), spread(other), strict=True))


@unhurried
@given(TITLES, LENGTHS)
@example(WINDOW, 0)
@example(WINDOW - 2, 1)
@example(0, WINDOW - 3)
@example(0, WINDOW - 2)
@example(0, 0)
def test_no_window_is_longer_than_a_window_and_no_post_has_more_than_there_may_be(title: int, body: int) -> None:
    windows = windows_of(wordpieces(), words(title), words(body, first=3))
    assert 1 <= len(windows) <= MOST_WINDOWS
    for window in windows:
        assert 2 <= len(window.ids) <= WINDOW
        assert len(window.ids) == len(window.starts) == len(window.ends)
        assert window.ids.dtype == np.int64


@unhurried
@given(TITLES, LENGTHS)
@example(0, 500)
@example(5, 500)
def test_every_piece_of_a_body_is_in_one_window_and_of_a_very_long_one_the_middle_is_skipped(title: int, body: int) -> None:
    title_text, body_text = words(title), words(body, first=3)
    whole = wordpieces().pieces(body_text).ids.tolist()
    parts = [parted(window, title_text)[1] for window in windows_of(wordpieces(), title_text, body_text)]
    read = [number for part in parts for number in part]
    if len(parts) < MOST_WINDOWS or len(read) == len(whole):
        assert read == whole
        return
    half = [number for part in parts[: MOST_WINDOWS // 2] for number in part]
    rest = [number for part in parts[MOST_WINDOWS // 2 :] for number in part]
    assert len(read) < len(whole)
    assert len(whole) > MOST_WINDOWS * len(parts[0]), "it would have fitted"
    assert (half, rest) == (whole[: len(half)], whole[-len(rest) :])


@unhurried
@given(TITLES, LENGTHS)
@example(3, 700)
@example(100, 100)
def test_the_title_stands_before_each_window_as_far_as_there_is_room(title: int, body: int) -> None:
    title_text, body_text = words(title), words(body, first=3)
    head, rest = wordpieces().pieces(title_text).ids.tolist(), wordpieces().pieces(body_text).ids.tolist()
    room = WINDOW - 2 if not rest else len(head) if len(head) + len(rest) <= WINDOW - 3 else TITLE_PIECES
    wanted = head[:room]
    for window in windows_of(wordpieces(), title_text, body_text):
        assert parted(window, title_text)[0] == wanted
        assert window.ids[1 : 1 + len(wanted)].tolist() == wanted


@unhurried
@given(st.integers(0, 60), LENGTHS)
def test_offsets_point_at_the_words_of_the_post(title: int, body: int) -> None:
    post = PostText("t1_a", words(title), words(body, first=3))
    for window in windows_of(wordpieces(), post.title, post.body):
        for number, start, end in zip(window.ids.tolist(), window.starts.tolist(), window.ends.tolist(), strict=True):
            if start >= 0:
                assert post.text[start:end].lower() == vocabulary()[number].removeprefix("##")


@unhurried
@given(title=st.text(max_size=30), body=st.text(max_size=60))
@example(title="Zoë 🌳", body="ﬁne 好 a\u0301 again")
@example(title=" ", body="bins")
def test_the_same_pieces_lie_at_the_same_places_of_the_whole_text(title: str, body: str) -> None:
    post = PostText("t1_a", title, body)
    whole = wordpieces().pieces(post.text)
    (window,) = windows_of(wordpieces(), title, body)
    kept = window.starts >= 0
    assert (window.ids[kept].tolist(), window.starts[kept].tolist(), window.ends[kept].tolist()) == (
        whole.ids.tolist(), whole.starts.tolist(), whole.ends.tolist(),
    )  # fmt: skip


class Counting(Wordpieces):
    """Wordpieces that remember how many characters they were asked for."""

    asked = 0

    def pieces(self, text: str) -> Pieces:
        self.asked += len(text)
        return super().pieces(text)


@pytest.mark.parametrize("unit", ["bins ", "好", "\n \n", "x"], ids=["words", "characters that are words", "space", "one word"])
@pytest.mark.parametrize("part", ["title", "body"])
def test_of_a_text_of_a_megabyte_only_both_ends_are_looked_at(part: str, unit: str) -> None:
    filler = unit * (1_000_000 // len(unit))
    text = f"The first words. {filler} The last words"
    counting = Counting(load_networks().wordpieces)
    windows = windows_of(counting, text if part == "title" else "", text if part == "body" else "")
    assert counting.asked == 2 * REACH
    seen = {(int(start), int(end)) for window in windows for start, end in zip(window.starts, window.ends, strict=True)}
    assert {(0, 3), (4, 9)} <= seen
    assert part == "title" or (len(text) - 5, len(text)) in seen


@unhurried
@given(LENGTHS, st.integers(60, 400))
def test_a_text_as_long_as_is_looked_at_has_the_windows_of_its_pieces_and_one_longer_keeps_their_places(count: int, reach: int) -> None:
    body = words(count)
    with pytest.MonkeyPatch.context() as patch:
        plain = windows_of(wordpieces(), "", body)
        patch.setattr(coprod_nlp.reading.encoder, "REACH", reach)
        for window, expected in zip(windows_of(wordpieces(), "", body), plain, strict=False):
            if len(body) <= 2 * reach:
                assert window.ids.tolist() == expected.ids.tolist()
                assert window.starts.tolist() == expected.starts.tolist()
            for start, end in zip(window.starts.tolist(), window.ends.tolist(), strict=True):
                assert start < 0 or body[start:end].strip() == body[start:end] != ""


@BOTH
@pytest.mark.parametrize(
    ("title", "body"),
    [
        pytest.param("", "", id="empty"),
        pytest.param("Litter pick on Sunday", "", id="only a title"),
        pytest.param("", "I can lend my van.", id="only a body"),
        pytest.param("Van", words(900), id="a long post"),
        pytest.param("👍", "好 🌳", id="no word it knows"),
    ],
)
def test_a_post_has_as_many_features_as_heads_weigh_and_each_piece_its_place(title: str, body: str, stage: str, width: int) -> None:
    encoded = encoders()[stage].encode(title, body)
    assert encoded.features.shape == (len(LABELS) + len(SPAN_LABELS) + width,)
    assert encoded.features.dtype == np.float32
    assert np.isfinite(encoded.features).all()
    assert [array.shape for array in (encoded.logits, encoded.best, encoded.pooled)] == [(len(LABELS),), (len(SPAN_LABELS),), (width,)]
    assert encoded.spans.shape == (len(encoded.starts), len(SPAN_LABELS)) == (len(encoded.ends), len(SPAN_LABELS))
    assert encoded.best.tolist() == encoded.spans.max(axis=0).tolist()


@pytest.mark.parametrize("stage", ["deep", "close"])
@settings(deadline=None, max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30) | st.integers(150, 250)), min_size=1, max_size=4))
def test_a_post_is_encoded_alike_alone_repeated_and_in_any_company(stage: str, posts: list[tuple[int, int]]) -> None:
    texts = [(words(title), words(body, first=place)) for place, (title, body) in enumerate(posts)]
    first = [encoders()[stage].encode(*text) for text in texts]
    again = [encoders()[stage].encode(*text) for text in reversed(texts)][::-1]
    assert all(map(same, first, again))
    assert np.array_equal(features(first), np.stack([one.features for one in again]))


def test_two_encoders_of_the_same_bytes_agree() -> None:
    networks, text = load_networks(), ("Van", "I can lend my van on Saturday.")
    wordpieces = Wordpieces(networks.wordpieces)
    assert same(Encoder(networks.encoder, wordpieces).encode(*text), encoder().encode(*text))
    assert same(Encoder(networks.close, wordpieces, prepared()).encode(*text), encoders()["close"].encode(*text))


def test_both_encoders_see_the_same_wordpieces_in_the_same_places() -> None:
    deep, close = (encoders()[stage].encode("Van", words(400)) for stage in ("deep", "close"))
    assert (deep.starts.tolist(), deep.ends.tolist()) == (close.starts.tolist(), close.ends.tolist())


def test_no_posts_have_no_features_but_the_right_number_of_columns() -> None:
    assert features([]).shape == (0, FEATURES)
    assert len(LABELS) + len(SPAN_LABELS) + WIDTH == FEATURES
    assert FEATURES + len(LABELS) + len(SPAN_LABELS) + CLOSE_WIDTH == CLOSE_FEATURES


def test_of_several_windows_areas_are_the_mean_and_all_else_the_highest() -> None:
    body = words(300)
    places = wordpieces().pieces(body)
    edge = WINDOW - 3
    while body[places.ends[edge - 1]] != " ":
        body, places = "the " + body, wordpieces().pieces("the " + body)
    halves = [encoder().encode("", part) for part in (body[: places.ends[edge - 1]], body[places.starts[edge] :])]
    whole = encoder().encode("", body)
    logits = np.stack([half.logits for half in halves])
    areas = len(AREAS)
    assert whole.logits[:areas] == pytest.approx(logits[:, :areas].mean(axis=0), abs=1e-6)
    assert whole.logits[areas:].tolist() == logits[:, areas:].max(axis=0).tolist()
    assert whole.best.tolist() == np.maximum(*(half.best for half in halves)).tolist()
    assert whole.pooled == pytest.approx(np.mean([half.pooled for half in halves], axis=0), abs=1e-6)
