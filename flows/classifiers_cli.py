"""`coprod retrain` and `coprod classifiers`: make challengers, look at them, decide. Imports wait until they are needed."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from flows.terminal import err_console, out_console, plain_errors

if TYPE_CHECKING:
    from flows.retrain import Outcome

classifiers_app = typer.Typer(no_args_is_help=True, help="See the classifiers there are, compare them, promote one or take that back.")

# Likely label errors that are shown; --errors writes all.
SHOWN_ERRORS = 10

VersionArgument = Annotated[str, typer.Argument(metavar="VERSION", help="A version, as `coprod classifiers list` shows it.")]
ByOption = Annotated[str, typer.Option("--by", help="Who decides: a person's name.", metavar="NAME")]


def retrain(
    from_scratch: Annotated[
        bool,
        typer.Option(
            "--from-scratch",
            help="Build the shipped classifier anew from the repository, without any label of the store, and put it in its place (or in "
            "--out). Takes two to four hours and what requirements-train.txt lists; a run that was killed goes on.",
        ),
    ] = False,
    keep_encoder: Annotated[
        bool,
        typer.Option("--keep-encoder", help="With --from-scratch: keep the networks, fit gate and heads; three minutes, needs no PyTorch."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="With --from-scratch: another folder than the shipped classifier's.", file_okay=False)
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who starts it; kept with the challenger.", metavar="NAME")] = "command line",
    council: Annotated[str | None, typer.Option("--council", help="Learn only from labelled posts of this council's communities.")] = None,
    shift_thresholds: Annotated[
        bool, typer.Option("--shift-thresholds", help="Also move the threshold of each label that has enough new cases.")
    ] = False,
    errors: Annotated[
        Path | None, typer.Option("--errors", help="CSV file for labels that are likely wrong, by post id.", dir_okay=False)
    ] = None,
    ranking: Annotated[
        bool,
        typer.Option("--ranking", help="Instead: propose weights for the ranking from officers' decisions on leads; changes nothing."),
    ] = False,
) -> None:
    """Make a challenger from the labels in the store, and say how it compares with the champion.

    Nothing reads with it until somebody promotes it: coprod classifiers promote.
    """
    with plain_errors():
        if ranking:
            given = {"--from-scratch": from_scratch, "--keep-encoder": keep_encoder, "--out": out, "--errors": errors}
            _check_unused("--ranking", given | {"--shift-thresholds": shift_thresholds})
            _propose_ranking(council)
            return
        if from_scratch:
            _check_unused("--from-scratch", {"--council": council, "--shift-thresholds": shift_thresholds, "--errors": errors})
            _rebuild(out, is_encoder_kept=keep_encoder)
            return
        _check_unused("a retraining without --from-scratch", {"--keep-encoder": keep_encoder, "--out": out})
        outcome = _run_flow(by, council=council, shift_thresholds=shift_thresholds)
        _print_outcome(outcome)
        if errors:
            _write_errors(errors, outcome)


@classifiers_app.command("list")
def list_() -> None:
    """List every classifier with its role, its figures and who decided."""
    with plain_errors():
        from flows.decide import Desk

        with Desk.open() as desk:
            table = Table("version", "role", "made", "F1 fixed", "F1 recent", "decided", box=None, pad_edge=False)
            for line in desk.lines():
                table.add_row(*map(escape, line))
        out_console.print(table)


@classifiers_app.command()
def show(version: VersionArgument) -> None:
    """Print the model card of a classifier, and what was decided about it."""
    with plain_errors():
        from flows.decide import Desk

        with Desk.open() as desk:
            text = desk.card(version)
        out_console.print(text, markup=False, highlight=False, soft_wrap=True)


@classifiers_app.command()
def compare(
    version: VersionArgument,
    with_: Annotated[
        str | None, typer.Option("--with", help="Another version to compare with; the champion where left out.", metavar="VERSION")
    ] = None,
) -> None:
    """Measure two classifiers on the same messages: the corpus's fixed set and the newest labelled posts. Takes minutes the first time."""
    with plain_errors():
        from flows.decide import Desk

        with Desk.open() as desk, err_console.status("Reading the same messages with both…"):
            sentences = desk.compare(version, other=with_)
        _print_sentences(sentences)


@classifiers_app.command()
def promote(
    version: VersionArgument,
    by: ByOption,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why it should read although a guarded figure is worse; required then.")
    ] = None,
) -> None:
    """Make a classifier the champion: every run that begins from now on reads with it."""
    with plain_errors():
        from flows.decide import Desk

        with Desk.open() as desk:
            if not desk.is_compared(version):
                with err_console.status("Reading the same messages with both…"):
                    desk.compare(version, other=None)
            before = desk.promote(version, by=by, reason=reason)
        out_console.print(escape(f"{version} reads from now on, in the place of {before}. Posts are read again by the next run."))


@classifiers_app.command()
def rollback(
    by: ByOption,
    reason: Annotated[str, typer.Option("--reason", help="Why the champion should not read any more.")],
    to_shipped: Annotated[bool, typer.Option("--to-shipped", help="Back to the shipped classifier, past every promotion.")] = False,
) -> None:
    """Take the newest promotion back: the classifier before it reads again."""
    with plain_errors():
        from flows.decide import Desk

        with Desk.open() as desk:
            version = desk.rollback(by=by, reason=reason, is_to_shipped=to_shipped)
        out_console.print(escape(f"{version} reads again from now on."))


def _propose_ranking(council: str | None) -> None:
    from flows.ranking_proposal import propose_ranking

    shown = propose_ranking(council=council)
    _print_sentences(shown.sentences)
    if shown.toml:
        out_console.print("To rank with them, a person writes them into config/ranking.toml:")
        out_console.print(escape(shown.toml), highlight=False, soft_wrap=True)


def _check_unused(what: str, options: Mapping[str, object]) -> None:
    for option, value in options.items():
        if value:
            raise typer.BadParameter(f"means nothing with {what}; leave it out", param_hint=option)


def _rebuild(out: Path | None, *, is_encoder_kept: bool) -> None:
    from coprod_nlp.reading.artefact import SHIPPED
    from flows.rebuild import rebuild

    with err_console.status("Fitting…") as status:
        made = rebuild(out=out or SHIPPED, is_encoder_kept=is_encoder_kept, report=lambda said: status.update(f"Fitting: {said}"))
    out_console.print(escape(f"{made.version}: {out or SHIPPED}"), soft_wrap=True)


def _run_flow(by: str, *, council: str | None, shift_thresholds: bool) -> "Outcome":
    from config.settings import load_settings
    from flows.acting import acting_as
    from flows.decide import check_before_retraining
    from flows.engine import engine_errors, prepare_prefect

    settings = load_settings()
    check_before_retraining(settings, council=council)
    is_temporary = prepare_prefect(settings)
    with err_console.status("Starting the flow engine (about 10 seconds)…" if is_temporary else "Starting…"):
        from flows.retrain import retrain as retrain_flow
    from flows.console import TerminalListener
    from flows.progress import listening

    with engine_errors(), TerminalListener(err_console) as terminal, listening(terminal), acting_as(by):
        outcome: Outcome = retrain_flow(council=council, shift_thresholds=shift_thresholds)
    return outcome


def _print_outcome(outcome: "Outcome") -> None:
    _print_sentences(outcome.left_out)
    out_console.print(escape(f"{outcome.version}, beside {outcome.champion} which reads now:"))
    _print_sentences(outcome.verdict)
    if outcome.likely_errors:
        out_console.print(f"{len(outcome.likely_errors):,} labels are likely wrong; look at the first of them, and import what you change:")
        for post_id, error in outcome.likely_errors[:SHOWN_ERRORS]:
            out_console.print(escape(f"  {post_id}: {error.reason}"), highlight=False, soft_wrap=True)
    out_console.print(escape(f"Model card: {outcome.card}"), soft_wrap=True)
    if outcome.version != outcome.champion:
        out_console.print(escape(f"To read with it: coprod classifiers promote {outcome.version} --by NAME"), soft_wrap=True)


def _print_sentences(sentences: list[str]) -> None:
    for sentence in sentences:
        out_console.print(escape(f"  {sentence}"), highlight=False, soft_wrap=True)


def _write_errors(path: Path, outcome: "Outcome") -> None:
    from flows.job import RequestError

    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "label", "ticked", "probability", "reason"])
            writer.writerows(
                [post_id, error.label, str(error.is_ticked).lower(), f"{error.chance:.4f}", error.reason]
                for post_id, error in outcome.likely_errors
            )
    except OSError as error:
        raise RequestError(f"--errors {path}: cannot be written ({error.strerror}); choose another file") from None
    out_console.print(escape(f"{len(outcome.likely_errors):,} labels that are likely wrong: {path}"), soft_wrap=True)
