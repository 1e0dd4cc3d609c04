"""What every command shares: where it writes, its exit codes, and errors in words."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

EXIT_FAILED, EXIT_USAGE, EXIT_CONFIG, EXIT_SOURCE, EXIT_STORE = 1, 2, 3, 4, 5

out_console = Console()
err_console = Console(stderr=True)


def named_file(path: Path) -> Path:
    """`-` is standard output elsewhere; here a file appears whole or not at all."""
    if path == Path("-"):
        raise typer.BadParameter("standard output cannot be written to; give the name of a file")
    return path


@contextmanager
def plain_errors() -> Iterator[None]:
    """Errors that a user can cause become a message and an exit code, never a traceback."""
    from config.load import ConfigError
    from config.settings import SettingsError
    from coprod_nlp.reading.artefact import ArtefactError
    from coprod_nlp.reading.base_model import BaseModelError
    from coprod_nlp.training.corpus import CorpusError
    from coprod_nlp.training.heads import FittingError
    from coprod_nlp.training.holdout import RetrainingError
    from flows.engine import EngineError
    from flows.job import RequestError
    from flows.sources.base import SourceError
    from models.classifier_actions import RefusedError
    from models.session import StoreError

    codes: dict[type[Exception], int] = {
        ConfigError: EXIT_CONFIG, SettingsError: EXIT_CONFIG, ArtefactError: EXIT_CONFIG, BaseModelError: EXIT_CONFIG,
        RequestError: EXIT_USAGE, RefusedError: EXIT_USAGE, RetrainingError: EXIT_USAGE, CorpusError: EXIT_CONFIG,
        FittingError: EXIT_CONFIG, SourceError: EXIT_SOURCE, StoreError: EXIT_STORE, EngineError: EXIT_FAILED,
    }  # fmt: skip
    try:
        yield
    except tuple(codes) as error:
        err_console.print(f"[red]{escape(str(error))}[/red]", soft_wrap=True, highlight=False)
        raise typer.Exit(next(code for kind, code in codes.items() if isinstance(error, kind))) from None
    except KeyboardInterrupt as stop:
        err_console.print("Stopped. The same command again goes on from here.")
        raise typer.Exit(128 + (signal.SIGTERM if signal.SIGTERM in stop.args else signal.SIGINT)) from None
