"""Whether the posts of a run are still like those a classifier was checked on, and like those of the runs before.

The population stability index (Siddiqi 2006, Credit Risk Scorecards) of two histograms, read as usual: below 0.1 the same, from 0.25
on another population. Chance alone gives an index of the order of bins / messages, so none counts that chance could give.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import chdtri

from coprod_nlp.reading.artefact import Manifest
from coprod_nlp.reading.labels import LABELS, WILLING

BINS = 10
# Where a run calls posts willing less surely, or more, than the messages its classifier was checked on: their figures may not hold.
TRAINING_ALARM = 0.25
# Where the scores of new posts are spread otherwise than in the run before: same communities, so less is enough.
EARLIER_ALARM = 0.1
# A label decided for so many times as often as before, or as seldom, and beyond `PREVALENCE_ERRORS` standard errors.
PREVALENCE_FACTOR = 2.0
PREVALENCE_ERRORS = 3.5
# Below so many posts, or posts called willing, nothing is said.
MINIMUM_POSTS = 100
MINIMUM_WILLING = 30
CHANCE_LEVEL = 0.01
# Stands in for an empty bin, in messages.
EMPTY = 0.5


@dataclass(frozen=True)
class Profile:
    """What a classifier made of some posts: how many, how many in each tenth of `willing`, how many decided for, label by label."""

    posts: int
    willing: tuple[int, ...]
    labels: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"posts": self.posts, "willing": list(self.willing), "labels": dict(self.labels)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Profile":
        return cls(int(stored["posts"]), tuple(map(int, stored["willing"])), {name: int(n) for name, n in stored["labels"].items()})


def training_profile(manifest: Manifest) -> Profile | None:
    """The messages a classifier was checked on, as counts; None where its manifest does not say how many they were."""
    messages = manifest.messages.get("checked", 0)
    if not messages or WILLING not in manifest.profile:
        return None
    counts = tuple(round(share * messages) for share in manifest.profile[WILLING])
    labels = {label: _above(manifest.profile[label], manifest.thresholds[label], messages) for label in LABELS if label in manifest.profile}
    return Profile(messages, counts, labels)


def stability_index(counts: Sequence[int], reference: Sequence[int]) -> float:
    """How far two histograms are apart: 0 for equal shares.

    Examples
    --------
    >>> round(stability_index([50, 50], [50, 50]), 3), round(stability_index([80, 20], [50, 50]), 3)
    (0.0, 0.41)
    """
    one, other = (np.maximum(np.asarray(some, dtype=np.float64), EMPTY) for some in (counts, reference))
    one, other = one / one.sum(), other / other.sum()
    return float(((one - other) * np.log(one / other)).sum())


def chance_index(counts: Sequence[int], reference: Sequence[int]) -> float:
    """The index that chance exceeds once in a hundred times where both histograms are drawn from the same population."""
    if len(counts) < 2:
        return 0.0
    one, other = max(1, sum(counts)), max(1, sum(reference))
    return float(chdtri(len(counts) - 1, CHANCE_LEVEL) * (1 / one + 1 / other))


def against_training(profile: Profile, manifest: Manifest) -> dict[str, Any] | None:
    """How sure a run is of what it calls willing, beside the messages its classifier was checked on.

    Only posts called willing are compared. How many there are is no sign of drift here: half of the corpus was written to be hard and
    a third of it is willing, which no community is. `labels` gives the shares all the same.
    """
    reference = training_profile(manifest)
    if reference is None:
        return None
    first = math.ceil(round(manifest.thresholds[WILLING] * BINS, 6))
    found = _index(profile.willing[first:], reference.willing[first:], alarm=TRAINING_ALARM, minimum=MINIMUM_WILLING)
    return found | {"labels": _shares(profile, reference)}


def against_earlier(profile: Profile, reference: Profile) -> dict[str, Any]:
    """The new posts of a run beside the run before on the same communities, read by the same classifier."""
    found = _index(profile.willing, reference.willing, alarm=EARLIER_ALARM, minimum=MINIMUM_POSTS)
    return found | {"labels": _shares(profile, reference), "moved": _moved(profile, reference)}


def alarms(drift: Mapping[str, Any]) -> list[str]:
    """What a run's drift gives cause to say, in plain sentences; none where all is well."""
    found = []
    training, earlier = drift.get("training") or {}, drift.get("earlier") or {}
    if training.get("is_alarm"):
        found.append(
            f"The classifier is not as sure of the {training['posts']:,} posts it called willing as of the messages it was checked on "
            f"(stability index {training['index']:.2f}, alarm from {TRAINING_ALARM}): its published figures may not hold here. "
            "Label some posts of these communities and retrain."
        )
    if earlier.get("is_alarm"):
        found.append(
            f"Scores of the {earlier['posts']:,} new posts are spread otherwise than in the run before (stability index "
            f"{earlier['index']:.2f}, alarm from {EARLIER_ALARM})."
        )
    for label in earlier.get("moved", []):
        now, before = earlier["labels"][label]
        found.append(f"{label} was decided for in {now:.1%} of new posts, and in {before:.1%} in the run before.")
    return found


def _index(counts: Sequence[int], reference: Sequence[int], *, alarm: float, minimum: int) -> dict[str, Any]:
    index, by_chance = stability_index(counts, reference), chance_index(counts, reference)
    is_enough = min(sum(counts), sum(reference)) >= minimum
    return {
        "posts": int(sum(counts)),
        "reference": int(sum(reference)),
        "index": round(index, 4),
        "by_chance": round(by_chance, 4),
        "is_alarm": bool(is_enough and index >= alarm and index > by_chance),
    }


def _shares(profile: Profile, reference: Profile) -> dict[str, list[float]]:
    return {
        label: [round(some.labels.get(label, 0) / max(1, some.posts), 5) for some in (profile, reference)]
        for label in LABELS
        if label in profile.labels or label in reference.labels
    }


def _moved(profile: Profile, reference: Profile) -> list[str]:
    """Labels decided for much more often or more seldom than before, beyond chance (a test of two proportions)."""
    found: list[str] = []
    if min(profile.posts, reference.posts) < MINIMUM_POSTS:
        return found
    for label in LABELS:
        one, other = profile.labels.get(label, 0), reference.labels.get(label, 0)
        together = (one + other) / (profile.posts + reference.posts)
        error = float(np.sqrt(together * (1 - together) * (1 / profile.posts + 1 / reference.posts)))
        share, before = max(one, EMPTY) / profile.posts, max(other, EMPTY) / reference.posts
        is_far = max(share / before, before / share) >= PREVALENCE_FACTOR
        if error and is_far and abs(share - before) >= PREVALENCE_ERRORS * error:
            found.append(label)
    return found


def _above(shares: Sequence[float], threshold: float, messages: int) -> int:
    """How many of a histogram's messages are at or above a threshold; of the bin it falls into, its part above."""
    place = min(int(threshold * BINS), BINS - 1)
    part = (place + 1) - threshold * BINS
    return round(messages * (sum(shares[place + 1 :]) + part * shares[place]))
