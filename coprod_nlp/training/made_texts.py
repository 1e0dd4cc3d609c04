"""Texts made of the corpus' own sentences, for a teacher to judge: more that a small encoder can learn from, and no word that the project
did not write (as in TinyBERT, Jiao et al. 2020, arXiv:1909.10351, but with words of like messages in place of a language model's).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from coprod_nlp.text.clean import prose
from coprod_nlp.text.sentences import sentences
from coprod_nlp.training.corpus import LabelledPost

# Shares of texts that are a stretch of one message, and sentences of two messages of a part; the rest are messages with changed words.
STRETCHES, MIXTURES = 0.4, 0.35
# How often the title stands over a stretch, and over a mixture.
TITLED_STRETCH, TITLED_MIXTURE = 0.5, 0.4
MOST_MIXED = 3
# Words that are changed: half are left out, half give way to a word of another message. Texts with fewer words are no material for that.
CHANGED, LEAST_WORDS = 0.12, 4


@dataclass(frozen=True, slots=True)
class _Message:
    """A message in prose."""

    title: str
    sentences: list[str]

    @property
    def words(self) -> list[str]:
        return [word for sentence in self.sentences for word in sentence.split()]


def made_texts(posts: Sequence[LabelledPost], count: int, *, seed: int) -> list[tuple[str, str]]:
    """Titles and bodies, in prose, made of those of some messages; the same for the same seed.

    Parameters
    ----------
    posts
        One of them, at least, has a title or a sentence.
    """
    rng = random.Random(seed)  # noqa: S311  (no secret)
    parts: dict[str, list[_Message]] = {}
    for item in posts:
        parts.setdefault(item.part, []).append(_message(item))
    drawn = [(message, like) for like in parts.values() for message in like]
    made: list[tuple[str, str]] = []
    while len(made) < count:
        message, like = rng.choice(drawn)
        title, body = _text(message, rng.choice(like), rng)
        if title or body:
            made.append((title, body))
    return made


def _message(item: LabelledPost) -> _Message:
    body = prose(item.post.body)
    return _Message(prose(item.post.title).strip(), [body[start:end] for start, end in sentences(body)])


def _text(message: _Message, other: _Message, rng: random.Random) -> tuple[str, str]:
    """A text made of a message, and of another of its part."""
    kind, own = rng.random(), message.sentences
    if kind < STRETCHES and len(own) > 1:
        length = rng.randint(1, len(own) - 1)
        start = rng.randint(0, len(own) - length)
        return message.title if rng.random() < TITLED_STRETCH else "", " ".join(own[start : start + length])
    if kind < STRETCHES + MIXTURES:
        some = [sentence for one in (own, other.sentences) for sentence in rng.sample(one, min(len(one), rng.randint(1, MOST_MIXED)))]
        rng.shuffle(some)
        return message.title if rng.random() < TITLED_MIXTURE else "", " ".join(some)
    return (message.title, _changed(message.words, other.words, rng)) if len(message.words) >= LEAST_WORDS else ("", "")


def _changed(words: Sequence[str], others: Sequence[str], rng: random.Random) -> str:
    """Words with a few left out, and a few replaced by others."""
    kept = []
    for word in words:
        if rng.random() >= CHANGED:
            kept.append(word)
        elif others and rng.random() >= 0.5:
            kept.append(rng.choice(others))
    return " ".join(kept)
