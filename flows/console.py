"""What a person at a terminal sees of long work: a bar with counts and rate; nothing where nobody watches."""

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text


class RateColumn(ProgressColumn):
    """Done, total and rate in the stage's own unit."""

    def render(self, task: Task) -> Text:
        unit, note = task.fields.get("unit", ""), task.fields.get("note", "")
        if unit == "bytes":
            return Text(note)
        if not unit:
            return Text("")
        speed = task.finished_speed or task.speed
        rate = f" · {speed:,.0f}/s" if speed and unit == "posts" else ""
        total = f" of {task.total:,.0f}" if task.total is not None else ""
        return Text(f"{task.completed:,.0f}{total} {unit}{rate}{' · ' + note if note else ''}")


class TerminalListener:
    """Shows the stages of a run as they go by. Not on a terminal, it prints nothing but the closing lines of its owner."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            RateColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._current: TaskID | None = None

    def __enter__(self) -> "TerminalListener":
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self._finish()
        self._progress.stop()

    def stage(self, name: str, *, total: int | None, unit: str) -> None:
        self._finish()
        self._current = self._progress.add_task(name, total=total, unit=unit, note="")

    def advance(self, done: int, *, note: str = "") -> None:
        if self._current is not None:
            self._progress.update(self._current, completed=done, note=note)

    def note(self, text: str) -> None:
        if self._console.is_terminal:
            self._progress.console.print(f"[dim]{text}[/dim]")

    def waiting(self, seconds: float, why: str) -> None:
        if self._current is not None:
            self._progress.update(self._current, note=f"waiting {seconds:,.0f} s: {why}" if seconds else "")

    def _finish(self) -> None:
        if self._current is None:
            return
        task = self._progress.tasks[self._current]
        total = task.total if task.total is not None else max(task.completed, 1)
        self._progress.update(self._current, total=total, completed=total)
        self._current = None
