"""How Prefect runs here: on the server it was pointed to, else on a temporary one of its own under `COPROD_HOME`."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from config.settings import Settings

STARTUP_TIMEOUT_S = 120
SERVER = b"prefect.server.api.server:create_app"
# In the environment of the temporary server: which process it was started by.
STARTED_BY = "_COPROD_STARTED_BY"
PROCESSES = Path("/proc")


class EngineError(Exception):
    """Prefect could not be started; the message says what to do."""


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turn Prefect's failure to start its temporary server into words that help, and SIGTERM into what Ctrl+C is."""
    before = signal.signal(signal.SIGTERM, _stop) if threading.current_thread() is threading.main_thread() else None
    try:
        yield
    except RuntimeError as error:
        if address := os.environ.get("PREFECT_API_URL"):
            if "Failed to reach API" not in str(error):
                raise
            raise EngineError(f"no Prefect server answers at {address}; start it, or unset PREFECT_API_URL") from None
        if "Prefect API server" not in str(error):
            raise
        raise EngineError(
            f"Prefect's temporary server did not answer within {STARTUP_TIMEOUT_S} s; give the same command again, or start a server with "
            "`prefect server start` and set PREFECT_API_URL to its address"
        ) from None
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _stop(number: int, _frame: Any) -> None:
    """Without this the process would end at once, and leave the temporary server behind."""
    raise KeyboardInterrupt(number)


def prepare_prefect(settings: Settings) -> bool:
    """Set Prefect up before it is imported; true where it will start a temporary server (some 10 seconds)."""
    if os.environ.get("PREFECT_API_URL"):
        return False
    end_orphans(settings)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (settings.home / "prefect").mkdir(exist_ok=True)
    os.environ[STARTED_BY] = str(os.getpid())
    defaults = {
        "PREFECT_HOME": str(settings.home / "prefect"),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(STARTUP_TIMEOUT_S),
        # What fails is told by the command line, in words that name the remedy; Prefect would add a traceback.
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_CLI_PROMPT": "false",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    return True


def end_orphans(settings: Settings) -> None:
    """End temporary servers of this home whose run was killed. Known where processes show their environment, as on Linux."""
    home = f"PREFECT_HOME={settings.home / 'prefect'}".encode()
    for process in PROCESSES.glob("[0-9]*"):
        with suppress(OSError, ValueError, StopIteration):
            if SERVER not in (process / "cmdline").read_bytes():
                continue
            environment = (process / "environ").read_bytes().split(b"\0")
            started_by = next(int(entry.partition(b"=")[2]) for entry in environment if entry.startswith(STARTED_BY.encode() + b"="))
            parent = int((process / "stat").read_bytes().rpartition(b")")[2].split()[1])
            if home in environment and parent != started_by:
                os.kill(int(process.name), signal.SIGTERM)
