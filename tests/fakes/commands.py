"""Commands as people type them, run in the process of the test."""

from collections.abc import Callable
from typing import NamedTuple

from typer.testing import CliRunner

import flows.__main__ as command_line


class Outcome(NamedTuple):
    """How a command ended, and what it said where."""

    code: int
    out: str
    err: str


Coprod = Callable[..., Outcome]


def typed(*arguments: object, answer: str | None = None) -> Outcome:
    """Run `coprod` with some arguments, and an answer to what it asks; a traceback fails the test."""
    result = CliRunner().invoke(command_line.app, [str(argument) for argument in arguments], input=answer)
    assert isinstance(result.exception, SystemExit | None), f"a traceback: {result.exception!r}"
    assert "Traceback" not in result.output
    return Outcome(result.exit_code, result.stdout, result.stderr)
