"""What stays when a run is stopped from outside: nothing, whether it is asked to end or killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.settings import Settings
from flows.engine import SERVER, end_orphans

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes do not show their environment here")
# Starts what looks like a temporary server, says its number, and goes at once or stays.
PARENT = """
import os, subprocess, sys
environment = os.environ | {"_COPROD_STARTED_BY": str(os.getpid())}
server = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "prefect.server.api.server:create_app"], env=environment)
print(server.pid, flush=True)
if sys.argv[1] == "stays":
    sys.stdin.read()
"""


def servers(home: Path) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_server = SERVER in (process / "cmdline").read_bytes() and str(home).encode() in (process / "environ").read_bytes()
        except OSError:
            continue
        found += [int(process.name)] if is_server else []
    return found


def wait_for(claim: Callable[[], bool], *, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not claim() and time.monotonic() < end:
        time.sleep(0.1)
    return claim()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    for number in servers(tmp_path / "home"):
        os.kill(number, signal.SIGKILL)


@pytest.mark.parametrize(
    ("parent", "of_home", "is_ended"),
    [("goes", "home", True), ("stays", "home", False), ("goes", "elsewhere", False)],
    ids=["orphan", "of a run that goes on", "of another home"],
)
def test_the_next_run_ends_the_server_of_one_that_was_killed_and_no_other(
    parent: str, of_home: str, is_ended: bool, home: Path, tmp_path: Path
) -> None:
    environment = os.environ | {"PREFECT_HOME": str(tmp_path / of_home / "prefect")}
    run = subprocess.Popen(
        [sys.executable, "-c", PARENT, parent], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert run.stdin
    assert run.stdout
    server = int(run.stdout.readline())
    if parent == "goes":
        run.wait()
    try:
        end_orphans(Settings(home=home))
        assert wait_for(lambda: not Path(f"/proc/{server}/cmdline").exists() or not _command(server), seconds=5) is is_ended
    finally:
        run.stdin.close()
        run.wait()
        run.stdout.close()
        if not is_ended:
            os.kill(server, signal.SIGKILL)


def _command(number: int) -> bytes:
    try:
        return Path(f"/proc/{number}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_run_that_is_asked_to_end_takes_its_server_with_it(home: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "COPROD_"))}
    run = subprocess.Popen(
        [sys.executable, "-m", "flows", "listen", "--out", str(home / "report")],
        env=environment | {"COPROD_HOME": str(home)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert wait_for(lambda: bool(servers(home)) or run.poll() is not None, seconds=120)
    run.terminate()
    _, said = run.communicate(timeout=60)
    assert run.returncode == 128 + signal.SIGTERM, said
    assert "Stopped. The same command again goes on from here." in said
    assert "Traceback" not in said
    assert wait_for(lambda: not servers(home), seconds=10)
