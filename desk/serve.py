"""Starts the desk's own web server."""

import gc
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from config.settings import LOOPBACK, Settings, SettingsError
from desk.app import create_app


def serve(settings: Settings, *, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until stopped. What a person must know is said first: where it is, and the code for the first administrator.

    Raises
    ------
    SettingsError
        Where nothing can listen on this host and port.
    """
    listening = _listening(host, port)
    app = create_app(_reachable(settings, host, port))
    address = app.state.office.settings.desk_address
    say(f"The desk is open at {address} (Ctrl+C closes it).")
    if address.startswith("http://") and host not in LOOPBACK:
        say(f"It listens on {host}:{port}: set COPROD_DESK_ADDRESS to the https:// address at which others reach it.")
    if code := app.state.office.doors.first_run_code:
        say(f"Nobody can sign in yet. Open {address}/first-run and enter this one-time code: {code}")
    # What is there by now stays: to look through it again for garbage would hold up every page that is being made.
    gc.collect()
    gc.freeze()
    # The loop is uvloop where there is one. Of the two readers of HTTP, h11 is the one that refuses endless headers.
    config = uvicorn.Config(app, http="h11", log_level="warning", access_log=False, server_header=False, date_header=True)
    server = uvicorn.Server(config)
    with listening, suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    if not server.started:
        sys.exit(1)


def _listening(host: str, port: int) -> socket.socket:
    """Taken before anything is said of it."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server((str(address[0]), port), family=family)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise SettingsError(f"--host {host} --port {port}: nothing can listen there ({reason}); choose another --port or --host") from None


def _reachable(settings: Settings, host: str, port: int) -> Settings:
    """Unless another address was set, it is that on this computer."""
    if settings.desk_address != Settings.model_fields["desk_address"].default:
        return settings
    here = host if host in LOOPBACK else LOOPBACK[0]
    return settings.model_copy(update={"desk_address": f"http://{f'[{here}]' if ':' in here else here}:{port}"})
