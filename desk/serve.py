"""Starts the desk's own web server."""

import gc
from collections.abc import Callable

import uvicorn

from config.settings import LOOPBACK, Settings
from desk.app import create_app


def serve(settings: Settings, *, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until stopped. What a person must know is said first: where it is, and the code for the first administrator."""
    app = create_app(_reachable(settings, host, port))
    address = app.state.office.settings.desk_address
    say(f"The desk is open at {address} (Ctrl+C closes it).")
    if code := app.state.office.doors.first_run_code:
        say(f"Nobody can sign in yet. Open {address}/first-run and enter this one-time code: {code}")
    # What is there by now stays: to look through it again for garbage would hold up every page that is being made.
    gc.collect()
    gc.freeze()
    # The loop is uvloop where there is one. Of the two readers of HTTP, h11 is the one that refuses endless headers.
    uvicorn.run(app, host=host, port=port, http="h11", log_level="warning", access_log=False, server_header=False, date_header=True)


def _reachable(settings: Settings, host: str, port: int) -> Settings:
    """On this computer alone the address is the one it listens on, unless another was set."""
    is_default = settings.desk_address == Settings.model_fields["desk_address"].default
    return settings.model_copy(update={"desk_address": f"http://{host}:{port}"}) if is_default and host in LOOPBACK[:2] else settings
