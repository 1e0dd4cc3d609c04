"""The closing lines of a run on the terminal."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from coprod_nlp.training.drift import alarms
from flows.sources.base import EXPECTED_KINDS

if TYPE_CHECKING:
    from flows.listen import Summary


def print_summary(console: Console, summary: "Summary") -> None:
    """Counts, rate, what was odd, and where the report is."""
    counts = summary.counts
    read, ranked = counts.get("read", {}), counts.get("rank", {})
    stored, seconds = counts.get("collect", {}).get("stored", 0), sum(summary.seconds.values())
    console.print(escape(f"{stored:,} posts in {seconds:,.1f} s ({stored / max(seconds, 0.001):,.0f} a second)"))
    kinds = (("sensitive", "sensitive"), ("not_english", "not English"))
    set_aside = [f"{read[key]:,} {words}" for key, words in kinds if read.get(key)]
    console.print(escape(f"{read.get('read', 0):,} read" + (f"; set aside: {', '.join(set_aside)}" if set_aside else "")))
    console.print(escape(f"{ranked.get('networks', 0):,} networks, {ranked.get('leads', 0):,} leads"))
    for alarm in alarms(counts.get("drift", {})):
        console.print(f"[yellow]Drift:[/yellow] {escape(alarm)}", soft_wrap=True)
    odd = {kind: count for kind, count in summary.problems.items() if kind not in EXPECTED_KINDS}
    if odd:
        console.print(escape("odd input: " + ", ".join(f"{kind.replace('_', ' ')} {count:,}" for kind, count in odd.items())))
    console.print(f"Report: {escape(str(summary.page))}", soft_wrap=True)
