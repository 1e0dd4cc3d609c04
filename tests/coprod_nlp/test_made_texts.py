"""Texts made of the corpus' sentences: the same for the same seed, and no word in them that is not the corpus'."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coprod_nlp.records import PostText
from coprod_nlp.text.clean import prose
from coprod_nlp.training.corpus import LabelledPost, load_corpus
from coprod_nlp.training.made_texts import made_texts

COUNT = 300


def message(title: str, body: str, *, part: str = "a") -> LabelledPost:
    return LabelledPost(PostText("m1", title, body), frozenset(), (), is_sensitive=False, part=part)


def some() -> list[LabelledPost]:
    """Messages from all over the corpus, several of a part."""
    posts = load_corpus()
    return [post for start in range(0, len(posts), 2000) for post in posts[start : start + 20]]


def words(posts: Sequence[LabelledPost]) -> set[str]:
    return {word for post in posts for word in f"{prose(post.post.title)} {prose(post.post.body)}".split()}


def test_the_same_seed_makes_the_same_texts_and_another_makes_others() -> None:
    made = made_texts(some(), COUNT, seed=1)
    assert made == made_texts(some(), COUNT, seed=1)
    assert len(set(made) & set(made_texts(some(), COUNT, seed=2))) < COUNT / 4
    assert made[:100] == made_texts(some(), 100, seed=1)


def test_as_many_texts_are_made_as_were_asked_for_and_most_are_no_message_of_the_corpus() -> None:
    made = made_texts(some(), COUNT, seed=1)
    assert len(made) == COUNT
    assert all(title or body for title, body in made)
    known = {(" ".join(prose(post.post.title).split()), " ".join(prose(post.post.body).split())) for post in some()}
    assert sum((" ".join(title.split()), " ".join(body.split())) in known for title, body in made) < COUNT / 10


def test_every_word_is_one_of_the_given_messages_and_every_title_one_of_their_titles() -> None:
    titles = {prose(post.post.title).strip() for post in some()} | {""}
    known = words(some())
    for title, body in made_texts(some(), COUNT, seed=3):
        assert title in titles
        assert set(body.split()) <= known


def test_words_of_two_parts_of_the_corpus_are_never_mixed() -> None:
    posts = [
        message("One two", "Ash birch cedar oak. Elm fir larch pine. Yew alder.", part="a"),
        message("Six ten", "Cod eel ray hake. Tench bream.", part="b"),
    ]
    parts = [words(posts[:1]), words(posts[1:])]
    for title, body in made_texts(posts, COUNT, seed=4):
        assert any(set(f"{title} {body}".split()) <= known for known in parts)


def test_a_text_is_a_stretch_or_a_mixture_of_sentences_or_a_message_with_changed_words() -> None:
    first, second = ["Ash birch cedar oak.", "Elm fir larch pine.", "Yew alder."], ["Cod eel ray hake."]
    made = [body for _, body in made_texts([message("", " ".join(first)), message("", " ".join(second))], COUNT, seed=5)]
    assert " ".join(first[:2]) in made, "a stretch"
    assert any(second[0] in body and any(sentence in body for sentence in first) for body in made), "a mixture"
    changed = [
        body
        for body in made
        if not all(sentence in {*first, *second} for sentence in (f"{part}." for part in body.rstrip(".").split(". ")))
    ]
    assert 0 < len(changed) < COUNT / 2
    assert any(len(body.split()) < 10 and "Ash birch" in body for body in changed), "a word left out"


@pytest.mark.parametrize("title", ["", "Who has a van?"], ids=["without a title", "with a title"])
def test_messages_of_a_title_alone_do_no_harm(title: str) -> None:
    posts = [message("Sunset from the pier", ""), message(title, "I can help on Monday.")]
    assert len(made_texts(posts, 50, seed=6)) == 50


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=80)), max_size=4), st.integers(0, 20))
def test_any_messages_give_as_many_texts_as_wanted(texts: list[tuple[str, str]], count: int) -> None:
    posts = [message(title, body) for title, body in [*texts, ("", "We meet at the pond.")]]
    made = made_texts(posts, count, seed=7)
    assert len(made) == count
    # Sentences end within what spaces part, too.
    assert all(any(word in known for known in words(posts)) for text in made for part in text for word in part.split())
