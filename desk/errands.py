"""Work that takes longer than a page may: the command line's own commands, each as a process beside the desk."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock, Thread

from config.settings import Settings
from models.base import utc_now

TIMEOUT_S = 3 * 60 * 60
LAST_CHARS = 600
# What a process says that ends without plain words.
BROKEN = "Something broke inside. Tell whoever looks after this installation; coprod check may say what it is."


@dataclass
class Errand:
    """One piece of work: `code` is the process's exit code, None while it runs; `words` the end of what it said."""

    by: str
    started_at: datetime = field(default_factory=utc_now)
    code: int | None = None
    words: str = ""

    @property
    def is_running(self) -> bool:
        return self.code is None


@dataclass
class Errands:
    """What was started since the desk opened, the latest of each kind. Those of one kind run one after another."""

    latest: dict[str, Errand] = field(default_factory=dict)
    locks: dict[str, Lock] = field(default_factory=dict)

    def start(self, kind: str, settings: Settings, *arguments: str, by: str) -> Errand:
        """Start `python -m ARGUMENTS` and come back at once."""
        errand = self.latest[kind] = Errand(by)
        lock = self.locks.setdefault(kind, Lock())
        Thread(target=_in_turn, args=(lock, errand, settings, arguments), daemon=True).start()
        return errand

    def is_running(self, kind: str) -> bool:
        return kind in self.latest and self.latest[kind].is_running


def run(settings: Settings, *arguments: str) -> tuple[int, str]:
    """Run `python -m ARGUMENTS` to its end: exit code, and the end of what it said."""
    command = [sys.executable, "-m", *arguments]
    try:
        done = subprocess.run(
            command, env=environment(settings), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return 1, "It took too long and was stopped."
    words = done.stderr if done.returncode else done.stdout
    return done.returncode, BROKEN if "Traceback" in words else words.strip()[-LAST_CHARS:]


def environment(settings: Settings) -> dict[str, str]:
    """The desk's own settings as a process reads them."""
    found = {
        **os.environ,
        "COPROD_HOME": str(settings.home),
        "COPROD_CONFIG_DIR": str(settings.config_dir),
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }
    for name in ("database_url", "author_key"):
        if secret := getattr(settings, name):
            found[f"COPROD_{name.upper()}"] = secret.get_secret_value()
    return found


def _in_turn(lock: Lock, errand: Errand, settings: Settings, arguments: tuple[str, ...]) -> None:
    with lock:
        try:
            code, errand.words = run(settings, *arguments)
        except OSError as error:
            code, errand.words = 1, f"It could not be started ({error.strerror})."
        errand.code = code
