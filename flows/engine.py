"""How Prefect runs here: on the server it was pointed to, else on a temporary one of its own under `COPROD_HOME`."""

import os

from config.settings import Settings

STARTUP_TIMEOUT_S = 120


def prepare_prefect(settings: Settings) -> bool:
    """Set Prefect up before it is imported; true where it will start a temporary server (some 10 seconds)."""
    if os.environ.get("PREFECT_API_URL"):
        return False
    (settings.home / "prefect").mkdir(parents=True, exist_ok=True)
    defaults = {
        "PREFECT_HOME": str(settings.home / "prefect"),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(STARTUP_TIMEOUT_S),
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_CLI_PROMPT": "false",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    return True
