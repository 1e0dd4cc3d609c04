"""`coprod desk` as a person starts it: a process that says where it is and how to begin."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx

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
