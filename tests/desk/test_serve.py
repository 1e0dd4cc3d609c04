"""`coprod desk` as a person starts it: a process that says where it is and how to begin."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from config.settings import Settings, SettingsError
from desk.serve import _reachable, serve
from tests.desk.conftest import PASSWORD, Browser


def test_the_command_says_where_the_desk_is_and_its_code_makes_the_first_administrator(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "flows", "desk", "--port", str(port)]
    environment = {**os.environ, "COPROD_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        said = process.stdout.readline() + process.stdout.readline()
        address = f"http://127.0.0.1:{port}"
        code = re.search(rf"{address}/first-run and enter this one-time code: (\S+)", said)
        assert code, said
        with httpx.Client(base_url=address, transport=httpx.HTTPTransport(retries=20), follow_redirects=True, timeout=60) as client:
            asked = {"username": "boss", "display_name": "Boss", "council": "marlowick", "password": PASSWORD}
            browser = Browser(client)
            assert browser.post("/first-run", code=code[1], **asked).url.path == "/sign-in"
            assert browser.post("/sign-in", username="boss", password=PASSWORD).url.path == "/accounts"
    finally:
        process.terminate()
        process.wait(timeout=60)
        if process.stdout:
            process.stdout.close()


@pytest.mark.parametrize("is_taken", [True, False], ids=["port taken", "unknown host"])
def test_where_nothing_can_listen_no_code_is_shown(is_taken: bool, settings: Settings) -> None:
    said: list[str] = []
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        host, port = ("127.0.0.1", other.getsockname()[1]) if is_taken else ("no.such.host.invalid", 8040)
        with pytest.raises(SettingsError, match=f"--host {host} --port {port}: nothing can listen there"):
            serve(settings, host=host, port=port, say=said.append)
    assert said == []


EVERYWHERE = "0.0.0.0"  # noqa: S104  (nothing listens there here)
ADDRESSES = [
    ("127.0.0.1", None, "http://127.0.0.1:8997"), ("::1", None, "http://[::1]:8997"), (EVERYWHERE, None, "http://127.0.0.1:8997"),
    (EVERYWHERE, "https://desk.example", "https://desk.example"),
]  # fmt: skip


@pytest.mark.parametrize(("host", "given", "address"), ADDRESSES, ids=["loopback", "IPv6", "every address", "behind https"])
def test_the_address_is_that_of_the_port_unless_another_was_set(host: str, given: str | None, address: str, settings: Settings) -> None:
    settings = settings.model_copy(update={"desk_address": given}) if given else settings
    assert _reachable(settings, host, 8997).desk_address == address
