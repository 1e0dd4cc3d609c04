"""Which labelled messages the encoder learns from, and which are held back for heads, thresholds and figures."""

from collections.abc import Sequence
from hashlib import sha256

from coprod_nlp.training.corpus import LabelledPost

# One message in so many is held back from the encoder, by the hash of its id: the same ones on every machine, whatever is added.
HELD_ONE_IN = 6


def is_held(post_id: str, *, one_in: int = HELD_ONE_IN) -> bool:
    return int.from_bytes(sha256(post_id.encode()).digest()[:4], "big") % one_in == 0


def split_corpus(posts: Sequence[LabelledPost]) -> tuple[list[LabelledPost], list[LabelledPost]]:
    """Learned from, and held back."""
    return [post for post in posts if not is_held(post.post.post_id)], [post for post in posts if is_held(post.post.post_id)]
