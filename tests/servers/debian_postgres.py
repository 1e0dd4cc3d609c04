"""PostgreSQL as Debian installs it, with extensions that the wheel of our other tests lacks; empty, on a socket in a folder of its own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Debian's account for it: the server does not run as root.
OWNER = "postgres"
LONGEST_S = 240.0


def programs() -> Path | None:
    """Where the newest server's programs are; None where there is none with the extension that the app view needs."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    with_trigrams = [path for path in found if Path("/usr/share/postgresql", path.parent.name, "extension", "pg_trgm.control").exists()]
    return max(with_trigrams, key=lambda path: int(path.parent.name), default=None)


@contextmanager
def running(where: Path) -> Iterator[str]:
    """A server for as long as the `with` lasts; gives the address of its empty database."""
    # Not below pytest's own folder: that is closed to the server's user.
    folder = Path(tempfile.mkdtemp(prefix="coprod-pg-"))
    owner: dict[str, Any] = {}
    if os.geteuid() == 0:
        shutil.chown(folder, OWNER, OWNER)
        owner = {"user": OWNER, "group": OWNER, "extra_groups": []}

    def run(program: str, *arguments: str) -> None:
        command: list[str | Path] = [where / program, "--pgdata", folder / "data", *arguments]
        with (folder / "output.txt").open("a", encoding="utf-8") as output:
            subprocess.run(command, check=True, timeout=LONGEST_S, cwd=folder, stdout=output, stderr=output, **owner)

    try:
        run("initdb", "--auth=trust", f"--username={OWNER}", "--encoding=UTF8", "--no-sync")
        # What it writes need not outlive it.
        run("pg_ctl", "--wait", "--options", f"-c listen_addresses= -c fsync=off -k {folder}", "start")
        try:
            yield f"postgresql:///{OWNER}?host={folder}&user={OWNER}"
        finally:
            run("pg_ctl", "--mode=immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
