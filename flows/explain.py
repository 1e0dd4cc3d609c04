"""What the reading sees in one message, for analysts and for the curious."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from coprod_nlp.reading.artefact import SHIPPED
from coprod_nlp.reading.labels import AREAS, LABELS, SENSITIVE, WILLING
from coprod_nlp.reading.reader import Explanation, Reader
from coprod_nlp.reading.reasons import reason_for
from coprod_nlp.records import PostText
from coprod_nlp.vocabulary import ReadingStatus
from flows.classifiers import load_classifier

# Labels that are not decided for are shown from this probability on.
WORTH_SHOWING = 0.05
FATES = {
    ReadingStatus.READ: "read",
    ReadingStatus.SENSITIVE: "sensitive: in a run it is set aside, and nothing of what follows is kept",
    ReadingStatus.NOT_ENGLISH: "not in English: set aside",
    ReadingStatus.NOT_READ: "nothing to read in it",
}


def print_explanation(console: Console, post: PostText, *, directory: Path = SHIPPED) -> None:
    """One message, read with the artefact in a folder and explained."""
    reader = Reader(load_classifier(directory))
    explanation = reader.explain(post)
    reading = explanation.reading
    console.print(f"Language {reading.language}; {FATES[reading.status]}; reader {reading.version}")
    if reading.willing is None:
        return
    console.print(_path(explanation))
    console.print(_labels(explanation))
    if not reading.is_willing and explanation.chances[WILLING] >= explanation.thresholds[WILLING]:
        console.print("It seems willing as a whole, but no sign of it is sure enough, or it rather asks for itself: not called willing.")
    for item in reading.evidence:
        words = post.text[item.start : item.end]
        console.print(
            f"[bold]{item.signal}[/bold]: {escape(reason_for(item.signal, words))}\n  “{escape(words)}”",
            soft_wrap=True,
            emoji=False,
            highlight=False,
        )


def _path(explanation: Explanation) -> str:
    """How far the cascade went."""
    if explanation.deep is None:
        return "The gate sees nothing in it: not read deeply."
    if explanation.close is None:
        return "The gate lets it pass: read deeply. Nothing in it calls for a close reading."
    return "The gate lets it pass: read deeply, and then closely, which decides."


def _labels(explanation: Explanation) -> Table:
    """The labels that are decided for or come near, strongest first."""
    table = Table("label", "at a glance", "deep", "close", "threshold", "decided", box=None, pad_edge=False)
    reading = explanation.reading
    decided = {WILLING} if reading.is_willing else set()
    decided |= {area.value for area in reading.areas} | {signal.value for signal in reading.signals}
    decided |= {SENSITIVE} if reading.status is ReadingStatus.SENSITIVE else set()
    chances = explanation.chances
    shown = [label for label in LABELS if label in decided or label == WILLING or chances[label] >= WORTH_SHOWING]
    for label in sorted(shown, key=lambda label: (-chances[label], LABELS.index(label))):
        looks = (f"{look[label]:.0%}" if look else "–" for look in (explanation.glances, explanation.deep, explanation.close))
        kind = "area" if label in AREAS else ""
        table.add_row(f"{label} {kind}".strip(), *looks, f"{explanation.thresholds[label]:.0%}", "yes" if label in decided else "")
    return table
