"""What to label next: the posts a classifier is least sure of, and some drawn whatever it says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nsmallest
from itertools import islice
from math import ceil

import numpy as np

# How many posts near the threshold are looked at for each one that is chosen.
LOOKED_AT = 3
SMALLEST_RANDOM_SHARE = 0.2
# Changes which posts are drawn, and in which order a queue comes.
SEED = b"labels"


@dataclass(frozen=True)
class Queue:
    """Ids of posts to label, in the order to label them in; how many of them were drawn at random."""

    post_ids: tuple[str, ...]
    drawn: int


def choose_queue(uncertain: Sequence[str], everything: Iterable[str], *, limit: int, random_share: float) -> Queue:
    """At most `limit` posts: a share drawn from everything, whatever the classifier says, the rest those it is least sure of.

    Only with the drawn ones does it show what the classifier is surely wrong about. Where either kind runs out, the other fills up.
    The same posts give the same queue, mixed so that its order does not tell which kind a post is of.

    Parameters
    ----------
    uncertain
        The posts nearest to the threshold, `limit` or all there are, nearest first.
    everything
        Every post that may be labelled.
    """
    by_lot = nsmallest(limit, everything, key=_lot)
    drawn = by_lot[: ceil(limit * random_share)]
    nearest = [post_id for post_id in uncertain if post_id not in set(drawn)][: limit - len(drawn)]
    chosen = {*drawn, *nearest}
    more = islice((post_id for post_id in by_lot if post_id not in chosen), limit - len(chosen))
    chosen |= set(more)
    return Queue(tuple(sorted(chosen, key=lambda post_id: _lot(post_id + "/order"))), len(chosen) - len(nearest))


def most_varied(contents: Mapping[str, Mapping[str, float]], *, limit: int) -> list[str]:
    """At most `limit` posts that differ in what they are about: each the one least like those before it (farthest first).

    A queue of doubtful posts alone asks the same question many times over: posts near a threshold are often near each other.

    Parameters
    ----------
    contents
        For each post the probabilities of its policy areas and signals; those left out count as 0. The most doubtful comes first: it
        is always taken, and of posts that are equally far from those taken, the one that comes earlier.
    """
    names = sorted({name for content in contents.values() for name in content})
    place = {name: number for number, name in enumerate(names)}
    points = np.zeros((len(contents), len(names)))
    for number, content in enumerate(contents.values()):
        for name, probability in content.items():
            points[number, place[name]] = probability
    post_ids, chosen = list(contents), list[int]()
    nearest = np.full(len(points), np.inf)
    for _ in range(min(limit, len(points))):
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, ((points - points[chosen[-1]]) ** 2).sum(axis=1).round(9))
        nearest[chosen] = -1
    return [post_ids[number] for number in chosen]


def _lot(post_id: str) -> bytes:
    """A number that has nothing to do with what a post says or when it came."""
    return blake2b(post_id.encode("utf-8", "surrogatepass"), key=SEED, digest_size=8).digest()
