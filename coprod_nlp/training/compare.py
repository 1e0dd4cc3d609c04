"""Champion and challenger on the same messages: which guarded figures are worse, and whether chance alone could make them so."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from coprod_nlp.training.evaluate import Figures, Measured, spread


@dataclass(frozen=True, slots=True)
class Guarded:
    """A figure that no challenger may be worse in without a named person and a reason."""

    words: str
    is_higher_better: bool = True


# Names as in `figures_of`.
GUARDED: dict[str, Guarded] = {
    "willing_f1": Guarded("F1 of willing"),
    "willing_ap": Guarded("average precision of willing"),
    "willing_ece": Guarded("calibration error of willing", is_higher_better=False),
    "areas_macro_f1": Guarded("macro F1 of policy areas"),
    "signals_macro_f1": Guarded("macro F1 of signals"),
    "sensitive_recall": Guarded("recall of sensitive"),
}
# The interval of a gain that no draw could measure.
NOT_KNOWN = (-1.0, 1.0)
CHECKED, RECENT = "checked", "recent"
SET_WORDS = {CHECKED: "the fixed set", RECENT: "the recent set"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One guarded figure on one set of `messages`.

    `gain` is how much better the challenger is, below 0 for worse, whichever way the figure counts; `low` to `high` is the middle
    90 % of it when the messages are drawn again, the same ones for both (a paired bootstrap).
    """

    set_name: str
    figure: str
    messages: int
    champion: float
    challenger: float
    gain: float
    low: float
    high: float

    @property
    def is_worse(self) -> bool:
        return self.gain < 0

    @property
    def is_beyond_chance(self) -> bool:
        return self.high < 0 if self.is_worse else self.low > 0

    def sentence(self) -> str:
        what = f"{GUARDED[self.figure].words} on {SET_WORDS.get(self.set_name, self.set_name)}"
        return f"{what}, {self.champion:.3f} to {self.challenger:.3f} ({self._range()} when its {self.messages:,} messages are drawn again)"

    def _range(self) -> str:
        if self.low >= 0:
            return f"{self.low:.3f} to {self.high:.3f} better"
        if self.high <= 0:
            return f"{-self.high:.3f} to {-self.low:.3f} worse"
        return f"from {-self.low:.3f} worse to {self.high:.3f} better"


def compare(champion: Mapping[str, Measured], challenger: Mapping[str, Measured]) -> list[Difference]:
    """Every guarded figure that both can be measured in, set by set.

    Parameters
    ----------
    champion, challenger
        The same messages in the same order, as each judged them, by the name of their set.
    """
    found = []
    for name, ours in challenger.items():
        theirs = champion[name]
        if theirs.messages != ours.messages or not (ours.scored.truth == theirs.scored.truth).all():
            raise ValueError(f"{name}: champion and challenger should be measured on the same messages; they are not")
        pairs = zip(theirs.drawn, ours.drawn, strict=True)
        ends = spread([{figure: gain for figure, (_, _, gain) in _gains(*pair).items()} for pair in pairs])
        found += [
            Difference(name, figure, ours.messages, before, after, gain, *ends.get(figure, NOT_KNOWN))
            for figure, (before, after, gain) in _gains(theirs.figures, ours.figures).items()
        ]
    return found


def worse_figures(differences: Iterable[Difference]) -> list[str]:
    """Guarded figures in which the challenger is worse, as `set.figure`."""
    return [f"{difference.set_name}.{difference.figure}" for difference in differences if difference.is_worse]


def verdict(differences: Sequence[Difference]) -> list[str]:
    """What a person who decides on the challenger should read, in plain sentences."""
    if not differences:
        return ["No guarded figure can be measured in both: there are too few labelled messages."]
    kinds = (
        ("Better beyond chance", [d for d in differences if not d.is_worse and d.is_beyond_chance]),
        ("Worse beyond chance", [d for d in differences if d.is_worse and d.is_beyond_chance]),
        ("Worse, but by no more than chance can give", [d for d in differences if d.is_worse and not d.is_beyond_chance]),
    )
    sentences = [f"{kind}: {difference.sentence()}." for kind, some in kinds for difference in some]
    same = sum(not (d.is_worse or d.is_beyond_chance) for d in differences)
    if same:
        sentences.append(f"{same} of {len(differences)} guarded figures are as good or better, by no more than chance can give.")
    worse = worse_figures(differences)
    closing = (
        f"{len(worse)} of {len(differences)} guarded figures are worse: promoting it needs a person's name and a reason."
        if worse
        else f"None of {len(differences)} guarded figures is worse."
    )
    return [*sentences, closing]


def as_rows(differences: Iterable[Difference]) -> list[dict[str, Any]]:
    """Plain values, for the store."""
    return [asdict(difference) for difference in differences]


def from_rows(rows: Iterable[Mapping[str, Any]]) -> list[Difference]:
    return [Difference(**row) for row in rows]


def _gains(before: Figures, after: Figures) -> dict[str, tuple[float, float, float]]:
    """By figure: what it is for champion and challenger, and how much better the challenger is."""
    found = {}
    for figure, guarded in GUARDED.items():
        old, new = before[figure], after[figure]
        if old is not None and new is not None:
            found[figure] = (old, new, round(new - old if guarded.is_higher_better else old - new, 4))
    return found
