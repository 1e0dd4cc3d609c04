"""How far labels can be trusted: whether two labellers agree, what their judgements make together, and which are likely wrong."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from coprod_nlp.records import Evidence
from coprod_nlp.vocabulary import WILLING_SIGNALS, PolicyArea, Signal

WILLING, SENSITIVE = "willing", "sensitive"
# Every label a judgement decides, `willing` among them: it follows from the signals.
JUDGED = (WILLING, SENSITIVE, *(signal.value for signal in Signal), *(area.value for area in PolicyArea))

# The mean of equal numbers may come out a little above them.
ROUNDING = 1e-9

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one labeller says one post is. Evidence counts the characters of the post's text."""

    post_id: str
    labeller: str
    areas: frozenset[PolicyArea]
    signals: frozenset[Signal]
    evidence: tuple[Evidence, ...] = ()
    is_sensitive: bool = False

    @property
    def is_willing(self) -> bool:
        return not self.signals.isdisjoint(WILLING_SIGNALS)

    def has(self, label: str) -> bool:
        """Whether a label of `JUDGED` was ticked, or follows."""
        if label == WILLING:
            return self.is_willing
        return self.is_sensitive if label == SENSITIVE else label in self.areas or label in self.signals


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two labellers on one label: on how many of the `n` posts both ticked it, or one alone; `kappa` is NaN where it is not defined."""

    label: str
    n: int
    both: int
    first_only: int
    second_only: int
    kappa: float


@dataclass(frozen=True, slots=True)
class MergedLabels:
    """What the judgements of one post make together. `is_willing` is None where they do not decide it: the post is disputed.

    It is not worked out from `signals`: two labellers may agree that a post is willing, and tick different signals for it.
    """

    post_id: str
    labellers: tuple[str, ...]
    areas: frozenset[PolicyArea]
    signals: frozenset[Signal]
    evidence: tuple[Evidence, ...]
    is_sensitive: bool
    is_willing: bool | None

    @property
    def is_disputed(self) -> bool:
        return self.is_willing is None


@dataclass(frozen=True, slots=True)
class LikelyError:
    """One label of one post that is likely wrong. `row` counts the posts given; `margin` is below 0, further for the likelier errors."""

    row: int
    label: str
    is_ticked: bool
    chance: float
    margin: float
    reason: str


def cohens_kappa(first: Bools, second: Bools) -> float:
    """Agreement of two labellers beyond what their own rates of ticking would give by chance.

    Parameters
    ----------
    first, second
        (n,) whether each ticked the label, post by post.

    Returns
    -------
    float
        1 for full agreement, 0 for that of chance, below 0 for less. NaN where there are no posts, or where both always ticked
        or never did: then there is nothing to agree on.

    References
    ----------
    Cohen, J. (1960). A coefficient of agreement for nominal scales. Educational and Psychological Measurement, 20(1), 37-46.

    Examples
    --------
    >>> cohens_kappa(np.array([True, True, False, False]), np.array([True, False, False, False]))
    0.5
    """
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"two rows of ticks should be of the same length; they are {first.shape} and {second.shape}")
    if not len(first):
        return float("nan")
    one, other = float(first.mean()), float(second.mean())
    by_chance = one * other + (1 - one) * (1 - other)
    return float("nan") if by_chance == 1 else (float((first == second).mean()) - by_chance) / (1 - by_chance)


def agreement(pairs: Sequence[tuple[Judgement, Judgement]]) -> dict[str, Agreement]:
    """How far two labellers agree, for each label of `JUDGED`, in its order.

    Parameters
    ----------
    pairs
        The first labeller's judgement of a post beside the second's.
    """
    found: dict[str, Agreement] = {}
    for label in JUDGED:
        ticks = np.array([(one.has(label), other.has(label)) for one, other in pairs], dtype=bool).reshape(-1, 2)
        first, second = ticks[:, 0], ticks[:, 1]
        both, first_only, second_only = (int(kind.sum()) for kind in (first & second, first & ~second, second & ~first))
        found[label] = Agreement(label, len(pairs), both, first_only, second_only, cohens_kappa(first, second))
    return found


def pairs_by_labellers(judgements: Iterable[Judgement]) -> dict[tuple[str, str], list[tuple[Judgement, Judgement]]]:
    """For every two labellers with a post in common, their judgements of those posts side by side, in the order of names and ids."""
    found: dict[tuple[str, str], list[tuple[Judgement, Judgement]]] = {}
    for _, same_post in groupby(sorted(judgements, key=attrgetter("post_id", "labeller")), key=attrgetter("post_id")):
        for one, other in combinations(same_post, 2):
            found.setdefault((one.labeller, other.labeller), []).append((one, other))
    return dict(sorted(found.items()))


def merge_judgements(judgements: Sequence[Judgement]) -> MergedLabels:
    """Several judgements of one post as one: a label stays where more than half ticked it, so where both did, of two.

    Whether the post is willing is decided by more than half too; two who differ leave it disputed, and a third decides. The
    evidence for a signal is what most of those who marked any marked; where no character is, all that was marked.

    Parameters
    ----------
    judgements
        Of the same post, one a labeller; at least one.

    Raises
    ------
    ValueError
        Where they are not.
    """
    labellers = tuple(sorted(judgement.labeller for judgement in judgements))
    posts = {judgement.post_id for judgement in judgements}
    if len(posts) != 1 or len(set(labellers)) != len(labellers):
        raise ValueError(f"wanted judgements of one post, one a labeller; given {len(judgements)} of {len(posts)} by {len(set(labellers))}")
    half = len(judgements) / 2
    signals = frozenset(signal for signal in Signal if sum(signal in item.signals for item in judgements) > half)
    willing = sum(judgement.is_willing for judgement in judgements)
    return MergedLabels(
        post_id=posts.pop(),
        labellers=labellers,
        areas=frozenset(area for area in PolicyArea if sum(area in item.areas for item in judgements) > half),
        signals=signals,
        evidence=tuple(span for signal in Signal if signal in signals for span in _common_spans(signal, judgements)),
        is_sensitive=sum(judgement.is_sensitive for judgement in judgements) > half,
        is_willing=None if willing == half else willing > half,
    )


def confident_joint(given: Bools, chances: Floats) -> NDArray[np.int64]:
    """Posts by the label they were given and the one the classifier is confident of.

    Parameters
    ----------
    given
        (n,) whether the label was ticked.
    chances
        (n,) out-of-fold probabilities of the label.

    Returns
    -------
    array
        (2, 2) counts: rows not ticked and ticked; columns confident that it should not be, and that it should. Posts of which the
        classifier is confident of neither are not counted. All 0 where the label was ticked always or never.
    """
    sure = _confident_of(given, chances)
    joint = np.zeros((2, 2), dtype=np.int64)
    np.add.at(joint, (given[sure >= 0].astype(int), sure[sure >= 0]), 1)
    return joint


def likely_errors(given: Bools, chances: Floats, labels: Sequence[str]) -> list[LikelyError]:
    """Labels that are likely wrong, by confident learning, each label for itself.

    The confident joint says how many of the posts given a class are of the other; so many of them, those of which the classifier
    says so most, are likely errors, unless it is nearer to the class they were given. Each class is measured from its threshold,
    the mean probability over the posts given it, so that a rare label is not held to a harder test.

    Parameters
    ----------
    given
        (n, k) whether each label was ticked for each post.
    chances
        (n, k) probabilities from a classifier that did not learn from the post (out of fold).
    labels
        The k labels' names.

    Returns
    -------
    list
        Likeliest first. `margin` is how far the given class is beyond its threshold, less how far the other is beyond its own.

    References
    ----------
    Northcutt, C., Jiang, L., Chuang, I. (2021). Confident Learning: Estimating Uncertainty in Dataset Labels. Journal of Artificial
    Intelligence Research, 70, 1373-1411. Pruned by noise rate, one label against the rest.

    Examples
    --------
    >>> given = np.array([[True], [True], [True], [False], [False], [False]])
    >>> chances = np.array([[0.9], [0.8], [0.1], [0.2], [0.1], [0.1]])
    >>> [(error.row, error.label, error.is_ticked) for error in likely_errors(given, chances, ["offer"])]
    [(2, 'offer', True)]
    """
    if given.shape != chances.shape or given.ndim != 2 or given.shape[1] != len(labels):
        raise ValueError(f"ticks, probabilities and names should fit; they are {given.shape}, {chances.shape} and {len(labels)}")
    found = [error for place, label in enumerate(labels) for error in _errors_of(given[:, place], chances[:, place], label)]
    return sorted(found, key=lambda error: (error.margin, error.label, error.row))


def _errors_of(given: Bools, chances: Floats, label: str) -> Iterator[LikelyError]:
    joint = confident_joint(given, chances)
    if not joint.any():
        return
    absent, present = _thresholds(given, chances)
    balance = (chances - present) - ((1 - chances) - absent)
    for is_ticked, usual in ((True, 1 - absent), (False, present)):
        of_class = np.flatnonzero(given == is_ticked)
        sure = joint[int(is_ticked)]
        wrong = round(len(of_class) * sure[int(not is_ticked)] / max(sure.sum(), 1))
        margins = balance[of_class] if is_ticked else -balance[of_class]
        for place in np.argsort(margins, kind="stable")[:wrong]:
            if margins[place] < 0:
                chance = float(chances[of_class[place]])
                reason = _reason(label, chance, is_ticked=is_ticked, usual=usual)
                yield LikelyError(int(of_class[place]), label, is_ticked, chance, float(margins[place]), reason)


def _reason(label: str, chance: float, *, is_ticked: bool, usual: float) -> str:
    said, others = ("is ticked", "without") if is_ticked else ("is not ticked", "with")
    return f"{label} {said}, but has a probability of {chance:.2f}; posts {others} it have {usual:.2f} on average"


def _confident_of(given: Bools, chances: Floats) -> NDArray[np.int64]:
    """(n,) the class the classifier is confident of: 1 ticked, 0 not, -1 neither."""
    if given.shape != chances.shape or given.ndim != 1:
        raise ValueError(f"ticks and probabilities should be of the same length; they are {given.shape} and {chances.shape}")
    if not ((chances >= 0) & (chances <= 1)).all():
        raise ValueError("probabilities should be numbers from 0 to 1; there are others")
    sure = np.full(len(given), -1, dtype=np.int64)
    if given.all() or not given.any():
        return sure
    absent, present = _thresholds(given, chances)
    is_absent, is_present = 1 - chances >= absent - ROUNDING, chances >= present - ROUNDING
    sure[is_absent] = 0
    sure[is_present & ~(is_absent & (chances <= 0.5))] = 1
    return sure


def _thresholds(given: Bools, chances: Floats) -> tuple[float, float]:
    """Mean probability of each class over the posts given it: not ticked, ticked."""
    return float((1 - chances[~given]).mean()), float(chances[given].mean())


def _common_spans(signal: Signal, judgements: Sequence[Judgement]) -> list[Evidence]:
    marked = [spans for item in judgements if (spans := [span for span in item.evidence if span.signal is signal])]
    if not marked:
        return []
    counts = np.zeros(max(span.end for spans in marked for span in spans) + 1, dtype=int)
    for spans in marked:
        own = np.zeros_like(counts, dtype=bool)
        for span in spans:
            own[span.start : span.end] = True
        counts += own
    common = counts > len(marked) / 2
    edges = np.flatnonzero(np.diff(common if common.any() else counts > 0, prepend=False))
    return [Evidence(signal, int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
