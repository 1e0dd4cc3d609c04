"""How Prefect runs here: on the server it was pointed to, else on a temporary one of its own under `COPROD_HOME`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from config.settings import Settings

STARTUP_TIMEOUT_S = 120


class EngineError(Exception):
    """Prefect could not be started; the message says what to do."""


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turn Prefect's failure to start its temporary server into words that help."""
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


def prepare_prefect(settings: Settings) -> bool:
    """Set Prefect up before it is imported; true where it will start a temporary server (some 10 seconds)."""
    if os.environ.get("PREFECT_API_URL"):
        return False
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (settings.home / "prefect").mkdir(exist_ok=True)
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
