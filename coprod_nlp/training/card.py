"""The model card of a classifier (Mitchell et al. 2019, arXiv:1810.03993), in Markdown, from what its manifest says."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from coprod_nlp.reading.artefact import Manifest
from coprod_nlp.reading.labels import LABELS
from coprod_nlp.training.compare import CHECKED, RECENT
from coprod_nlp.training.evaluate import SHARE

FIGURE_WORDS: dict[str, str] = {
    "willing_f1": "willing: F1",
    "willing_precision": "willing: precision",
    "willing_recall": "willing: recall",
    "willing_ap": "willing: average precision",
    "willing_p_at_50": "willing: precision of the first 50",
    "willing_ece": "willing: expected calibration error",
    "areas_macro_f1": "policy areas: macro F1",
    "signals_macro_f1": "signals: macro F1",
    "sensitive_precision": "sensitive: precision",
    "sensitive_recall": "sensitive: recall",
}
SET_WORDS = {
    CHECKED: "Messages of the project's corpus that nothing was fitted on",
    RECENT: "Labelled messages of the newest authors, who were not learned from",
}
# What stands in `Manifest.figures` beside the sets.
NOT_SETS = frozenset({"intervals", "curves", "labels", "communities", "let_through"})
FOR_AND_NOT_FOR = """\
## What it is for

It reads public messages, one at a time, and says what policy areas of a local council each is about, what its author does in it (offers,
already helps, asks how to join, invites, proposes and others of the codebook) and whether it reveals something sensitive. coprod uses
that to find networks of residents who may help to run a public service. A person reads every message before anything is done about it.

## What it is not for

- Scoring, ranking or profiling persons. It judges messages; who wrote them is no input.
- Any decision about a person, and contacting anybody without one.
- Text that is not English, private messages, text by or about children, and communities about health, faith, sexuality, party
  politics or immigration.
- Counting how many people are willing: the communities it reads are no sample of a place.
"""
WEAKNESSES = """\
## Weaknesses

- It learned from messages written for this project and, where named above, from labelled posts. On communities unlike both it is worse than
  the figures above, often by far (docs/reading.md has those on real messages): label some posts there and retrain.
- Replies are read alone. What only makes sense with the post they answer is guessed at.
- Irony, quoted speech and offers that are adverts are mistaken for offers now and then.
- Rare labels (see their cases) rest on few messages; their figures move by much with each.
- `sensitive` misses some of what it should set aside. It is a second line after refusing such communities, not a guarantee.
- English as it is written in Britain, the United States and Singapore is in the corpus; other Englishes and dialects are hardly.
"""
LICENCE = """\
## Licence and base models

Apache-2.0. The network of the deep reading was fine-tuned from sentence-transformers' all-MiniLM-L6-v2 (Apache-2.0), itself distilled from
Microsoft's MiniLM (Wang et al. 2020, arXiv:2002.10957). That of the close reading is sentence-transformers' all-mpnet-base-v2 (Apache-2.0),
made from Microsoft's MPNet (Song et al. 2020, arXiv:2004.09297), with low-rank matrices beside it that are the project's own, as are the
scikit-learn classifiers on both.
"""


def model_card(manifest: Manifest, *, parent: str | None = None) -> str:
    """A card in Markdown; `parent` is the version whose networks, gate and thresholds it took over."""
    parts = [
        f"# Model card: {manifest.version}\n\nMade on {manifest.made_on}.\n",
        FOR_AND_NOT_FOR,
        _learned_from(manifest, parent),
        _figures(manifest),
        _thresholds(manifest),
        WEAKNESSES,
        LICENCE,
    ]
    return "\n".join(parts)


def _learned_from(manifest: Manifest, parent: str | None) -> str:
    lineage = (
        f"Networks, gate and thresholds are those of {parent}, unless said otherwise below; the classifiers on them were fitted anew."
        if parent
        else "Fitted from the project's corpus alone."
    )
    rows = [
        ("sources", ", ".join(manifest.sources)),
        *((f"messages: {name}", f"{count:,}") for name, count in sorted(manifest.messages.items())),
        *((f"SHA-256 of {name}", f"`{digest}`") for name, digest in sorted(manifest.data.items())),
        ("SHA-256 of the deep reading's network", f"`{manifest.encoder_sha256}`"),
        ("SHA-256 of what the close reading's network learned", f"`{manifest.close_sha256}`"),
        ("SHA-256 of the estimators", f"`{manifest.estimators_sha256}`"),
        ("version of the features", str(manifest.features_version)),
    ]
    networks = "".join(f"- {sentence}\n" for sentence in manifest.lineage)
    paragraphs = [f"{lineage}\n", *([networks] if networks else []), _table(("what", "value"), rows)]
    return "## Where it comes from\n\n" + "\n".join(paragraphs)


def _figures(manifest: Manifest) -> str:
    share = f"{SHARE:.0%}".replace("%", " %")
    text = (
        "## What it scores\n\nWith the gate open, at the thresholds below. "
        f"The range is the middle {share} when the messages are drawn again.\n"
    )
    for name, figures in sorted(manifest.figures.items()):
        if name not in NOT_SETS and isinstance(figures, Mapping):
            text += f"\n### {SET_WORDS.get(name, name)}\n\n" + _set(name, figures, manifest.figures)
    return text


def _set(name: str, figures: Mapping[str, Any], all_figures: Mapping[str, Any]) -> str:
    spans = all_figures.get("intervals", {}).get(name, {})
    count, willing = figures.get("messages"), figures.get("willing_messages")
    text = "" if count is None else f"{count:,.0f} messages" + ("" if willing is None else f", {willing:,.0f} of them willing") + ".\n\n"
    text += _table(
        ("figure", "value", "range"),
        [(words, _number(figures[key]), _span(spans.get(key))) for key, words in FIGURE_WORDS.items() if key in figures],
    )
    labels = all_figures.get("labels", {}).get(name, {})
    if labels:
        rows = [
            (label, f"{labels[label]['cases']:.0f}", *(_number(labels[label][key]) for key in ("precision", "recall", "f1")))
            for label in LABELS
            if label in labels
        ]
        text += "\n" + _table(("label", "cases", "precision", "recall", "F1"), rows)
    communities = all_figures.get("communities", {}).get(name, {})
    if communities:
        rows = [
            (f"`{community}`", f"{found['messages']:.0f}", *(_number(found.get(key)) for key in ("willing_f1", "willing_ap")))
            for community, found in sorted(communities.items())
        ]
        text += "\n" + _table(("community", "messages", "willing: F1", "willing: average precision"), rows)
    return text


def _thresholds(manifest: Manifest) -> str:
    low, high = manifest.uncertain
    tables = (manifest.thresholds, manifest.gate_thresholds)
    rows = [(label, *(f"{table[label]:.2f}" for table in tables)) for label in LABELS]
    notes = "".join(f"- {note}\n" for note in manifest.notes)
    return (
        "## Thresholds\n\nA label is decided for from its threshold on; a post gets a deep reading where the gate reaches its own "
        f"for any label, and a close one where the deep one finds it willing from {manifest.close_from:.2f} on.\n"
        f"Where `willing` is between {low:.2f} and {high:.2f} a person should label the post.\n\n{notes}\n"
        + _table(("label", "threshold", "gate"), rows)
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _number(value: float | None) -> str:
    return "too few cases" if value is None else f"{value:.3f}"


def _span(ends: Sequence[float] | None) -> str:
    return "not known" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"
