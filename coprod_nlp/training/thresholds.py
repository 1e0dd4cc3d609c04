"""Thresholds, and how sure of itself the reading may be, as people chose them in `thresholds.toml` beside this file."""

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path

from coprod_nlp.reading.labels import LABELS, WILLING

KINDS = ("willing", "area", "sensitive", "signal")
FILE = Path(__file__).parent / "thresholds.toml"


@dataclass(frozen=True)
class Thresholds:
    """How probabilities become decisions.

    `willing_scale` are a factor and a summand for the log-odds of `willing` in the deep reading, `close_willing_scale` in the close one:
    messages of the corpus are plainer than life, so what learned from them is too sure of itself elsewhere. `decide` (LABELS) are the
    probabilities from which on a label is decided for; `uncertain` is the band of `willing` that goes to the label queue; `gate` are the
    probabilities at a glance from which on a post is read deeply, for willing, sensitive, any area, any other signal, and `close_from` is
    that of `willing` in the deep reading from which on it is read closely.
    """

    chosen_on: str
    decide: dict[str, float]
    uncertain: tuple[float, float]
    gate: dict[str, float]
    close_from: float
    willing_scale: tuple[float, float]
    close_willing_scale: tuple[float, float]


def load_thresholds(path: Path = FILE) -> Thresholds:
    """Read the table; every label must have a threshold.

    Raises
    ------
    ValueError
        Where one is missing or no probability.
    """
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    if missing := [label for label in LABELS if label not in table["decide"]]:
        raise ValueError(f"{path.name}: `decide` has no threshold for {', '.join(missing)}")
    if missing := [kind for kind in KINDS if kind not in table["gate"]]:
        raise ValueError(f"{path.name}: `gate` has no threshold for {', '.join(missing)}")
    decide = {label: float(table["decide"][label]) for label in LABELS}
    gate = {kind: float(table["gate"][kind]) for kind in KINDS}
    close_from = float(table["close_from"])
    if wrong := [name for name, value in (*decide.items(), *gate.items(), ("close_from", close_from)) if not 0 < value < 1]:
        raise ValueError(f"{path.name}: wanted probabilities between 0 and 1; not so: {', '.join(wrong)}")
    if close_from > decide[WILLING]:
        raise ValueError(f"{path.name}: `close_from` is above `decide` for {WILLING}: that would be decided without a close reading")
    low, high = map(float, table["uncertain"])
    if not 0 <= low < high <= 1:
        raise ValueError(f"{path.name}: `uncertain` is {low} to {high}; wanted two probabilities, the lower first")
    scales = [_scale(path, name, *map(float, table[name])) for name in ("willing_scale", "close_willing_scale")]
    return Thresholds(str(table["chosen_on"]), decide, (low, high), gate, close_from, *scales)


def _scale(path: Path, name: str, factor: float, summand: float) -> tuple[float, float]:
    if not 0 < factor < math.inf or not math.isfinite(summand):
        raise ValueError(f"{path.name}: `{name}` is {factor} and {summand}; wanted a factor above 0 and a finite summand")
    return factor, summand
