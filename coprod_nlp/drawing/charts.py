"""Charts as plain values for inline SVG, each with the words that say the same."""

from dataclasses import dataclass
from datetime import date

from coprod_nlp.ranking.card import Activity
from coprod_nlp.ranking.reasons import count_of

WIDTH, HEIGHT, BASE = 360, 96, 78
GAP = 0.18


@dataclass(frozen=True)
class Block:
    """One rectangle of a bar; `is_willing` is drawn dark."""

    x: float
    y: float
    width: float
    height: float
    is_willing: bool


@dataclass(frozen=True)
class BarChart:
    """Bars over time in a field of `width` by `height`, labels below the first and the last, and the whole in `words`."""

    title: str
    words: str
    blocks: tuple[Block, ...]
    labels: tuple[tuple[float, str, str], ...]
    highest: int
    width: int = WIDTH
    height: int = HEIGHT
    base: int = BASE


def activity_chart(activity: Activity) -> BarChart | None:
    """Messages over time; None where no message carries a time."""
    if not activity.bars:
        return None
    step = WIDTH / len(activity.bars)
    highest = max(bar.willing + bar.others for bar in activity.bars)
    blocks = []
    for place, bar in enumerate(activity.bars):
        top = float(BASE)
        for count, is_willing in ((bar.willing, True), (bar.others, False)):
            if count:
                height = round((BASE - 14) * count / highest, 1)
                top = round(top - height, 1)
                blocks.append(Block(round((place + GAP / 2) * step, 1), top, round(min(step * (1 - GAP), 30), 1), height, is_willing))
    said = [
        f"{_named(bar.start, activity.unit)}: {bar.willing} willing, {bar.others} other"
        for bar in activity.bars
        if bar.willing or bar.others
    ]
    ends = sorted({0, len(activity.bars) - 1})
    anchors = ("start", "end") if len(ends) > 1 else ("start",)
    labels = tuple(
        (0.0 if anchor == "start" else float(WIDTH), _named(activity.bars[place].start, activity.unit), anchor)
        for place, anchor in zip(ends, anchors, strict=True)
    )
    untimed = f" {count_of(activity.untimed, 'message')} without a time." if activity.untimed else ""
    return BarChart(f"Messages by {activity.unit}", f"{'; '.join(said)}.{untimed}", tuple(blocks), labels, highest)


def _named(start: date, unit: str) -> str:
    return {"week": f"{start.day} {start:%b %Y}", "month": f"{start:%b %Y}", "year": f"{start:%Y}"}[unit]
