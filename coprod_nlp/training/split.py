"""Which labelled messages the networks learn from, which set heads and thresholds, and which only check."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from coprod_nlp.training.corpus import LabelledPost

# Of 18 messages 15 teach networks and gate, 2 tune heads and gate, 1 checks what came of it.
SHARES = 18
TUNES, CHECKS = (0, 6), (12,)


@dataclass(frozen=True)
class Split:
    """Labelled messages by what they are for; the same ones on every machine, whatever is added, as their ids decide."""

    learned: list[LabelledPost]
    tuned: list[LabelledPost]
    checked: list[LabelledPost]


def share_of(post_id: str) -> int:
    return int.from_bytes(sha256(post_id.encode()).digest()[:4], "big") % SHARES


def split_corpus(posts: Sequence[LabelledPost]) -> Split:
    """By the hash of their ids."""
    shares = [share_of(post.post.post_id) for post in posts]
    return Split(
        [post for post, share in zip(posts, shares, strict=True) if share not in (*TUNES, *CHECKS)],
        [post for post, share in zip(posts, shares, strict=True) if share in TUNES],
        [post for post, share in zip(posts, shares, strict=True) if share in CHECKS],
    )
