"""Starts the desk's own web server."""

from collections.abc import Callable

import uvicorn

from config.settings import Settings
from desk.app import create_app


def serve(settings: Settings, *, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until stopped. What a person must know is said first: where it is, and the code for the first administrator."""
    app = create_app(settings)
    address = settings.desk_address
    say(f"The desk is open at {address} (Ctrl+C closes it).")
    if code := app.state.office.doors.first_run_code:
        say(f"Nobody can sign in yet. Open {address}/first-run and enter this one-time code: {code}")
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, server_header=False, date_header=True)
