"""What someone or a schedule starts. Prefect's telemetry is switched off before Prefect can be imported."""

import os

os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
