"""Thresholds, and how sure of itself the reading may be, as people chose them in `thresholds.toml` beside this file."""

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path

from coprod_nlp.reading.labels import LABELS

GATE_KINDS = ("willing", "area", "sensitive", "signal")
FILE = Path(__file__).parent / "thresholds.toml"


@dataclass(frozen=True)
class Thresholds:
    """How probabilities become decisions.

    `willing_scale` are a factor and a summand for the log-odds of `willing`: messages of the corpus are plainer than life, so what
    learned from them is too sure of itself elsewhere. `decide` (LABELS) are the probabilities from which on a label is decided for;
    `uncertain` is the band of `willing` that goes to the label queue; `gate` are the probabilities at a glance from which on a post is
    read deeply, for willing, sensitive, any area, any other signal.
    """

    chosen_on: str
    decide: dict[str, float]
    uncertain: tuple[float, float]
    gate: dict[str, float]
    willing_scale: tuple[float, float]


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
    if missing := [kind for kind in GATE_KINDS if kind not in table["gate"]]:
        raise ValueError(f"{path.name}: `gate` has no threshold for {', '.join(missing)}")
    decide = {label: float(table["decide"][label]) for label in LABELS}
    gate = {kind: float(table["gate"][kind]) for kind in GATE_KINDS}
    if wrong := [name for name, value in (*decide.items(), *gate.items()) if not 0 < value < 1]:
        raise ValueError(f"{path.name}: wanted probabilities between 0 and 1; not so: {', '.join(wrong)}")
    low, high = map(float, table["uncertain"])
    if not 0 <= low < high <= 1:
        raise ValueError(f"{path.name}: `uncertain` is {low} to {high}; wanted two probabilities, the lower first")
    factor, summand = map(float, table["willing_scale"])
    if not 0 < factor < math.inf or not math.isfinite(summand):
        raise ValueError(f"{path.name}: `willing_scale` is {factor} and {summand}; wanted a factor above 0 and a finite summand")
    return Thresholds(str(table["chosen_on"]), decide, (low, high), gate, (factor, summand))
