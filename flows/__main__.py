"""The command line, `coprod`. Each command is a few lines over what flows and steps do; imports wait until they are needed."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from flows.classifiers_cli import classifiers_app, retrain
from flows.labels.cli import labels_app
from flows.rights_cli import RIGHTS_COMMANDS
from flows.terminal import EXIT_CONFIG, err_console, named_file, out_console, plain_errors

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="""Find, in public posts, networks of residents who would help run a public service.

    [bold]Start here:[/bold]

      coprod listen                            the whole job on the bundled, made-up sample
      coprod listen --source posts.ndjson.gz   the same on an archive: a file, a folder or a glob
      coprod report                            write the newest report again
      coprod desk                              open the desk, where officers look at leads and decide
      coprod explain "I can lend my van"       what the reading sees in a message
      coprod reconcile                         remove what its source no longer shows; once a day
      coprod object                            act on an objection; also: erase, access, notices
      coprod check                             is everything set up? what is wrong, and what to do

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 configuration or settings, 4 a source, 5 the database; 130 and 143
    stopped by Ctrl+C or SIGTERM.""",
)
app.add_typer(labels_app, name="labels")
app.add_typer(classifiers_app, name="classifiers")
app.command()(retrain)
for _name, _command in RIGHTS_COMMANDS.items():
    app.command(_name)(_command)

CouncilOption = Annotated[
    str | None, typer.Option("--council", help="A council's key in councils.toml; may be left out where there is one.")
]
SinceOption = Annotated[str | None, typer.Option("--since", help="First day that counts, as 2026-04-01 (UTC).", metavar="DATE")]
UntilOption = Annotated[str | None, typer.Option("--until", help="First day that counts no more, as 2026-10-01 (UTC).", metavar="DATE")]
OutOption = Annotated[Path | None, typer.Option("--out", help="Folder for the report; reports/COUNCIL where left out.", file_okay=False)]
ColumnsOption = Annotated[
    str | None,
    typer.Option(
        "--columns", help="For CSV and Excel: our names and the file's, as id=ID,body=Comment,author=User.", metavar="OURS=THEIRS,…"
    ),
]

CampaignOption = Annotated[
    str | None, typer.Option("--campaign", help="For live sources: a campaign's key in campaigns.toml; may be left out where one fits.")
]


@app.command()
def listen(
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source",
            "-s",
            help="`sample`; live: `reddit`, `discourse`, `mastodon`, `bluesky`, `lemmy`, `rss`; or an archive: a file, a folder or a glob. "
            "Can be given more than once.",
            metavar="SOURCE",
        ),
    ] = None,
    council: CouncilOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    out: OutOption = None,
    columns: ColumnsOption = None,
    campaign: CampaignOption = None,
) -> None:
    """Run the main job: collect, read, link, rank, report.

    Killed and started again with the same options, it goes on where it stopped; while it is at work, the same again says so and ends.

    Archives are Reddit-shaped NDJSON or CSV (also .gz, .zst), Excel workbooks or Stack Exchange dumps. Posts are kept once, however often
    they come. Live sources need a campaign in campaigns.toml; each run takes what is new in the campaign's communities.
    """
    from config.settings import load_settings
    from flows.beforehand import check_before
    from flows.engine import engine_errors, prepare_prefect

    with plain_errors():
        settings = load_settings()
        mapping = _columns(columns)
        check_before(settings, out, council=council, sources=source, columns=mapping, since=since, until=until, campaign=campaign)
        is_temporary = prepare_prefect(settings)
        with err_console.status("Starting the flow engine (about 10 seconds)…" if is_temporary else "Starting…"):
            from flows.listen import listen as listen_flow
            from flows.reports.summary import print_summary
        from flows.console import TerminalListener
        from flows.progress import listening

        with engine_errors(), TerminalListener(err_console) as terminal, listening(terminal):
            summary = listen_flow(
                council=council, sources=source, since=since, until=until, out=str(out) if out else None, columns=mapping, campaign=campaign
            )
        print_summary(out_console, summary)


@app.command()
def read(
    archive: Annotated[str, typer.Argument(metavar="IN", help="`sample`, or an archive: a file, a folder or a glob.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="File for the readings, one JSON object a line.", dir_okay=False, callback=named_file)
    ],
    columns: ColumnsOption = None,
) -> None:
    """Read posts without storing them: one JSON line a post with its areas, signals, evidence and willingness.

    Posts set aside (sensitive, not in English, nothing to read) have a line too. As nothing is stored here, the line of a sensitive one
    also says what the reading makes of it, so that it can be measured; a run keeps nothing of it but that it was set aside.
    """
    from config.settings import load_settings

    with plain_errors():
        settings = load_settings()
        mapping = _columns(columns)
        from flows.classifiers import champion_directory
        from flows.console import TerminalListener
        from flows.progress import listening
        from flows.steps.export import write_readings

        with TerminalListener(err_console) as terminal, listening(terminal):
            result = write_readings(
                archive, out, columns=mapping, processes=settings.reading_processes(), directory=champion_directory(settings)
            )
        out_console.print(
            escape(f"{result.posts:,} posts read, {result.willing:,} willing, {result.set_aside:,} set aside: {out}"), soft_wrap=True
        )
        for kind, count in result.problems.items():
            files = ", ".join(result.files.get(kind, ()))
            err_console.print(escape(f"  {kind.replace('_', ' ')}: {count:,}" + (f" ({files})" if files else "")), soft_wrap=True)


@app.command()
def explain(
    text: Annotated[str, typer.Argument(help="A message, in quotes; `-` reads it from standard input.")],
    title: Annotated[str, typer.Option("--title", help="Its title, where it has one.")] = "",
) -> None:
    """Show what the reading sees in a message: each label's probability, what is decided, and the words that speak for it.

    Try: coprod explain "I can lend my van for the clean-up on Saturday"
    """
    with plain_errors():
        from config.settings import load_settings
        from coprod_nlp.records import PostText
        from flows.classifiers import champion_directory
        from flows.explain import print_explanation

        words = sys.stdin.buffer.read().decode("utf-8", "replace") if text == "-" else text.encode("utf-8", "replace").decode()
        post = PostText("t1_explained", title.encode("utf-8", "replace").decode(), words)
        print_explanation(out_console, post, directory=champion_directory(load_settings()))


@app.command()
def report(
    council: CouncilOption = None,
    out: OutOption = None,
    keys_for: Annotated[
        str | None,
        typer.Option(
            "--keys-for", metavar="CAMPAIGN", help="Also write voice-keys.csv, with author keys, for a campaign in force. It is audited."
        ),
    ] = None,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="With --keys-for: who asks for them; kept in the audit log.")] = "",
) -> None:
    """Write the report of a council's newest run again, from what is stored now.

    Author keys are in no file of it, unless they are asked for by the name of a campaign (--keys-for, with --by).
    """
    from config.load import load_config
    from config.settings import load_settings

    with plain_errors():
        settings = load_settings()
        config = load_config(settings.config_dir)
        from flows.job import RequestError, known_council, reopen_job
        from flows.reports.keys import KeyRequest
        from flows.steps.report import report as write
        from models.queries import latest_run
        from models.session import open_engine, unit_of_work

        council = known_council(config, council)
        if by and not keys_for:
            raise RequestError("--by is for --keys-for only; leave it out, or say for which campaign the keys are")
        engine = open_engine(settings.address())
        with unit_of_work(engine) as session:
            run = latest_run(session, council=council)
        if run is None:
            raise RequestError("nothing has been ranked yet; run: coprod listen")
        job = reopen_job(run, engine=engine, settings=settings, config=config, out=str(out) if out else None)
        page = write(job, keys_for=KeyRequest(keys_for, by) if keys_for else None)
        out_console.print(escape(str(page)), soft_wrap=True)


@app.command()
def desk(
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on. Others than this computer reach it only behind https.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on.", min=1, max=65535)] = 8040,
) -> None:
    """Open the desk: the web application in which officers look at leads and decide.

    The first time it prints a code, with which the first administrator is made in the browser.
    """
    from config.settings import load_settings

    with plain_errors():
        settings = load_settings()
        from desk.serve import serve

        serve(settings, host=host, port=port, say=lambda text: out_console.print(escape(text), soft_wrap=True, highlight=False))


@app.command()
def check() -> None:
    """Look at configuration and set-up; name each problem with its remedy."""
    from flows.checkup import run_checks

    table = Table(show_header=False, box=None, pad_edge=False)
    failed = 0
    for result in run_checks():
        failed += not result.is_good
        table.add_row("[green]ok[/green]" if result.is_good else "[red]problem[/red]", escape(result.what), escape(result.detail))
    out_console.print(table)
    if failed:
        err_console.print(f"[red]{failed} of the above to put right.[/red]")
        raise typer.Exit(EXIT_CONFIG)


def _columns(text: str | None) -> dict[str, str]:
    from flows.sources.row import Row

    pairs = [pair.partition("=") for pair in (text or "").split(",") if pair.strip()]
    names = [name.strip() for name, _, _ in pairs]
    if wrong := [name for name, sign, column in pairs if not sign or not column.strip() or not name.strip()]:
        raise typer.BadParameter(f"{wrong[0]!r}: wanted OURS=THEIRS, as in id=ID,body=Comment", param_hint="--columns")
    if twice := [name for name in names if names.count(name) > 1]:
        raise typer.BadParameter(f"{twice[0]!r} is given twice; say one column for it", param_hint="--columns")
    if unknown := [name for name in names if name not in Row.__struct_fields__]:
        raise typer.BadParameter(f"unknown {unknown[0]!r}; ours are: {', '.join(Row.__struct_fields__)}", param_hint="--columns")
    return {name.strip(): column.strip() for name, _, column in pairs}


def main() -> None:
    """Entry point of the `coprod` script."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app()


if __name__ == "__main__":
    main()
