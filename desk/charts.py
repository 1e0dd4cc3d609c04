"""Charts of a classifier as SVG, drawn from numbers: no script, no style of their own, a table beside each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 360, 280, 46, 30, 12, 24
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Line:
    """One classifier's line: `name` for the legend, `kind` for its look (solid or dashed), points in pixels."""

    name: str
    kind: str
    points: tuple[tuple[float, float], ...]

    @property
    def path(self) -> str:
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.points)


@dataclass(frozen=True)
class Chart:
    """A square of shares. `summary` says in a sentence what it shows; `rows` are its numbers: whose, and each axis."""

    title: str
    x: str
    y: str
    lines: tuple[Line, ...]
    summary: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    has_diagonal: bool = False

    @property
    def width(self) -> int:
        return WIDTH

    @property
    def height(self) -> int:
        return HEIGHT

    @property
    def frame(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom edge."""
        return (LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM)

    @property
    def ticks(self) -> list[tuple[float, float, str]]:
        """Place on either axis, and its words."""
        return [(*_place(tick, tick), f"{tick:.0%}") for tick in TICKS]


def calibration_chart(sides: Sequence[tuple[str, str, dict[str, Any]]]) -> Chart | None:
    """How often messages of each probability are willing. On the diagonal, a probability means what it says."""
    lines: list[Line] = []
    rows: list[tuple[str, ...]] = []
    for name, kind, curves in sides:
        if points := curves.get("calibration"):
            lines.append(Line(name, kind, tuple(_place(chance, share) for chance, share, _ in points)))
            rows += [(name, f"{chance:.0%}", f"{share:.0%}", f"{messages:,}") for chance, share, messages in points]
    if not lines:
        return None
    far = max((abs(float(r[1].rstrip("%")) - float(r[2].rstrip("%"))) for r in rows), default=0.0)
    return Chart(
        "Calibration", "probability that the classifier gives", "share that is willing", tuple(lines),
        f"The widest distance between probability and share is {far:.0f} points.", ("Classifier", "Probability", "Willing", "Messages"),
        tuple(rows), has_diagonal=True,
    )  # fmt: skip


def precision_recall_chart(sides: Sequence[tuple[str, str, dict[str, Any]]]) -> Chart | None:
    """Of what is called willing, how much is; of what is willing, how much is called so; at each threshold."""
    lines: list[Line] = []
    rows: list[tuple[str, ...]] = []
    best: list[str] = []
    for name, kind, curves in sides:
        if points := curves.get("precision_recall"):
            lines.append(Line(name, kind, tuple(_place(recall, precision) for _, precision, recall in points)))
            step = max(1, len(points) // 10)
            rows += [(name, f"{threshold:.2f}", f"{precision:.0%}", f"{recall:.0%}") for threshold, precision, recall in points[::step]]
            full = max((recall for _, precision, recall in points if precision >= 0.8), default=0.0)
            best.append(f"{name} finds {full:.0%} of willing messages while at least 80% of what it calls so is")
    if not lines:
        return None
    return Chart(
        "Precision and recall", "share of willing messages that are found (recall)", "share of what is found that is willing (precision)",
        tuple(lines), "; ".join(best) + ".", ("Classifier", "Threshold", "Precision", "Recall"), tuple(rows),
    )  # fmt: skip


def _place(x: float, y: float) -> tuple[float, float]:
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    return LEFT + across * x, TOP + down * (1 - y)
