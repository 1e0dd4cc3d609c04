#!/usr/bin/env python3
"""Set the project up and run it: Python 3.11 or later with pip is all it needs.

    python3 start.py listen      set up, then the main job on the bundled sample (any `coprod` command works)
    python3 start.py test        set up with the developers' tools, then every check and test

The environment is `.venv` beside this file; it is made once, and again only when the lock file changes.
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
COPROD = SCRIPTS / ("coprod.exe" if os.name == "nt" else "coprod")
LOCKS = {"run": ROOT / "requirements.lock", "develop": ROOT / "requirements-dev.lock"}
STAMP = VENV / "coprod-set-up.txt"
PACKAGES = ["config", "coprod_nlp", "models", "flows", "desk"]

CHECKS = [
    ("formatting", ["ruff", "format", "--check", "."]),
    ("lint", ["ruff", "check", "."]),
    ("types", ["mypy", *PACKAGES, "benchmarks", "tests", "start.py"]),
    ("import rules", ["lint-imports"]),
    ("tests", ["pytest"]),
]


def main(arguments: list[str]) -> int:
    """Set up what the command needs, then run it; its exit code is ours."""
    if sys.version_info < (3, 11):
        print(f"Python 3.11 or later is needed; this is {sys.version.split()[0]}.")
        return 2
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(__doc__)
        return 0
    try:
        set_up("develop" if arguments[0] == "test" else "run")
    except subprocess.CalledProcessError as error:
        print(
            f"\nSetting up failed (exit code {error.returncode}); its own message is above. Put that right and run the same command again."
        )
        return 1
    if arguments[0] == "test":
        return run_checks(arguments[1:])
    return subprocess.call([str(COPROD), *arguments], cwd=Path.cwd())


def set_up(level: str) -> None:
    """Make the environment from the lock file, unless it is there already; the developers' one serves for running too."""
    wanted = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in LOCKS.items()}
    stamp = STAMP.read_text(encoding="ascii").split() if STAMP.exists() else ["", "", ""]
    if stamp[:1] in (["develop"], [level]) and stamp[1:] == [wanted[stamp[0]], str(ROOT)] and COPROD.exists():
        return
    if not PYTHON.exists():
        print(f"Making the environment {VENV} …", flush=True)
        venv.create(VENV, with_pip=True, clear=VENV.exists())
    if stamp[0] == "develop":
        level = "develop"
    print(f"Installing what {LOCKS[level].name} lists (700 MB; about a minute the first time) …", flush=True)
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--require-hashes", "-r", str(LOCKS[level])], check=True)
    subprocess.run([*pip, "--no-build-isolation", "--editable", str(ROOT)], check=True)
    subprocess.run([str(PYTHON), "-m", "coprod_nlp.reading.base_model"], check=True)
    STAMP.write_text(f"{level} {wanted[level]} {ROOT}", encoding="utf-8")
    print(f"Ready: {COPROD}", flush=True)


def run_checks(extra: list[str]) -> int:
    """Every check, to the end; the first that failed gives the exit code."""
    failed = []
    for what, (tool, *options) in CHECKS:
        print(f"\n== {what}: {tool} {' '.join(options)}", flush=True)
        command = [str(SCRIPTS / tool), *options, *(extra if what == "tests" else [])]
        if subprocess.call(command, cwd=ROOT) != 0:
            failed.append(what)
    print(f"\nFailed: {', '.join(failed)}" if failed else "\nEvery check passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
