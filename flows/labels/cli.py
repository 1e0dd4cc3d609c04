"""`coprod labels`: import, export and compare what people say posts are. Imports wait until they are needed."""

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from flows.labels.rows import ROW_PROBLEM_WORDS, LabelFormat, RowProblem
from flows.terminal import err_console, named_file, out_console, plain_errors

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from coprod_nlp.training.label_quality import Agreement

labels_app = typer.Typer(no_args_is_help=True, help="Label posts: send them out, bring labels in, see how far labellers agree.")


FormatOption = Annotated[
    LabelFormat | None,
    typer.Option("--format", help="Found from the content on import, and from the name's ending on export, where left out."),
]


@labels_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of labels, also as .gz or .zst.", dir_okay=False)],
    by: Annotated[
        str, typer.Option("--by", help="Who brings the labels in; theirs too, where the file does not say whose.", metavar="NAME")
    ],
    format_: FormatOption = None,
) -> None:
    """Bring labels in from a file: about stored posts by their id, or with texts of their own.

    Bad rows are counted by kind and line, and the rest is stored. A labeller's newer label of a post replaces the older.
    """
    from flows.labels.load import import_labels, lines_of_problems

    with plain_errors():
        result = import_labels(_engine(), file, by=by, given=format_)
        own = f", {result.own_texts:,} of them texts of the file's own" if result.own_texts else ""
        out_console.print(escape(f"{result.labels:,} labels of {result.posts:,} posts{own}: {file} ({result.format})"), soft_wrap=True)
        for line in lines_of_problems(result.problems, result.unit):
            words = ROW_PROBLEM_WORDS[RowProblem(line.partition(":")[0].replace(" ", "_"))]
            err_console.print(escape(f"  {line}: {words}"), soft_wrap=True, highlight=False)


@labels_app.command()
def export(
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write; it must not be there yet.", dir_okay=False, callback=named_file)],
    format_: FormatOption = None,
    limit: Annotated[int | None, typer.Option("--limit", help="Most posts to write; 100 to label, all that are labelled.", min=1)] = None,
    random: Annotated[float, typer.Option("--random", help="Share of a queue drawn at random.", min=0.2, max=1, metavar="SHARE")] = 0.2,
    blind: Annotated[bool, typer.Option("--blind", help="Without what the reader made of the posts.")] = False,
    labelled: Annotated[bool, typer.Option("--labelled", help="What is labelled, in place of a queue to label.")] = False,
) -> None:
    """Write posts to label: those the reader is least sure of, spread over communities, and some drawn at random.

    The file holds what people wrote: keep it as the database is kept, and delete it when its labels are back.
    """
    from config.settings import load_settings
    from coprod_nlp.reading.artefact import load_manifest
    from coprod_nlp.reading.labels import WILLING
    from flows.classifiers import champion_directory
    from flows.labels.export import DEFAULT_LIMIT, export_labelled, export_queue

    with plain_errors():
        if labelled:
            count = export_labelled(_engine(), out, limit=limit, given=format_)
            out_console.print(escape(f"{count:,} labelled posts: {out}"), soft_wrap=True)
            return
        settings, engine = load_settings(), _engine()
        champion = load_manifest(champion_directory(settings, engine))
        queue = export_queue(
            engine, out, limit=limit or DEFAULT_LIMIT, random_share=random, threshold=champion.thresholds[WILLING],
            band=champion.uncertain, is_blind=blind, given=format_,
        )  # fmt: skip
        near = len(queue.post_ids) - queue.drawn
        said = f"{len(queue.post_ids):,} posts to label, {near:,} it is least sure of and {queue.drawn:,} drawn at random: {out}"
        out_console.print(escape(said), soft_wrap=True)


@labels_app.command()
def agreement() -> None:
    """Show how far every two labellers agree: Cohen's kappa by label, over the posts both have labelled."""
    from flows.job import RequestError
    from flows.labels.compare import compare_labellers

    with plain_errors():
        found = compare_labellers(_engine())
        if not found.several:
            raise RequestError("no post has been labelled by two people; have the same file labelled twice, and import both")
        for names, by_label in found.agreements.items():
            out_console.print(_table(names, by_label))
        out_console.print(
            f"{found.several:,} posts labelled by several, {found.disputed:,} disputed: they differ on willing, and nobody decided"
        )


def _table(names: tuple[str, str], by_label: dict[str, "Agreement"]) -> Table:
    """Labels that one of the two ticked; `-` where kappa is not defined."""
    n = by_label["willing"].n
    table = Table(title=escape(f"{names[0]} and {names[1]}, {n:,} posts"), title_justify="left", box=None)
    for column in ("label", "n", "both", escape(f"only {names[0]}"), escape(f"only {names[1]}"), "kappa"):
        table.add_column(column, justify="left" if column == "label" else "right")
    for item in by_label.values():
        if item.both or item.first_only or item.second_only or item.label == "willing":
            kappa = "-" if isnan(item.kappa) else f"{item.kappa:.2f}"
            table.add_row(item.label, *(f"{count:,}" for count in (item.n, item.both, item.first_only, item.second_only)), kappa)
    return table


def _engine() -> "Engine":
    from config.settings import load_settings
    from models.session import open_engine

    return open_engine(load_settings().address())
