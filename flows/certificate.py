"""The certificate of a request: what was done, in counts and hours, without a word, a name or a key."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from coprod_nlp.vocabulary import Right
from flows.job import RequestError

# Rows of these tables under the names that people use for them.
TABLE_WORDS = {
    "post": "messages", "post_reading": "readings of messages", "label": "labels of messages", "interaction": "answers and shared threads",
    "network_voice": "places in networks", "network": "networks that became too small", "lead": "leads withdrawn until the next ranking",
    "lead_message": "messages that supported leads", "provenance": "records of where a message came from",
    "post_notice": "records of notices", "suppression": "objections on file",
}  # fmt: skip
NOT_REACHED = (
    "Copies of a report, an export or the database that somebody made elsewhere, backups among them: these must be dealt with by hand.",
    "What others wrote about the person, or quoted of them.",
    "The platform itself: what stands there stands there still.",
    "Archives on disk that are the council's own files; coprod leaves this person's messages out when it reads them.",
    "A classifier that learned from labels of these messages holds weights, no text; the next retraining does without them.",
)


def make_certificate(
    *, right: Right, case: str, by: str, at: datetime, keys: int, rows: Mapping[str, int], files: Mapping[str, int],
    unreached: Sequence[str], is_one_message: bool,
) -> dict[str, Any]:  # fmt: skip
    """What was done about one request, as plain values.

    Parameters
    ----------
    keys
        How many author keys were looked for.
    rows
        Rows that went, by table.
    files
        What became of reports and exports, and whether freed space was wiped.
    unreached
        Those reports and exports that may still show the person, with why.
    """
    what = {TABLE_WORDS.get(table, table.replace("_", " ")): count for table, count in sorted(rows.items()) if count}
    return {
        "certificate": right.value,
        "case": case,
        "done_at": at.isoformat(timespec="seconds"),
        "done_by": by,
        "about": "one message" if is_one_message else "everything of one account",
        "kept_out_from_now_on": True,
        "author_keys": keys,
        "removed": what,
        "files": dict(files),
        "not_reached": [*unreached, *NOT_REACHED],
        "made_with": f"coprod {version('coprod')}",
    }


def ready_folder(folder: Path) -> None:
    """Make a folder for certificates or a report and try it: what is removed must not be left without a certificate.

    Raises
    ------
    RequestError
        Where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise unwritable(folder, error) from None


def write_certificate(folder: Path, certificate: Mapping[str, Any]) -> tuple[Path, str]:
    """Write a certificate into a folder that is ready, and return its path and SHA-256, which the audit log keeps.

    Raises
    ------
    RequestError
        Where the folder cannot be written.
    """
    content = json.dumps(certificate, ensure_ascii=False, indent=1) + "\n"
    digest = hashlib.sha256(content.encode()).hexdigest()
    moment = str(certificate["done_at"])[:19].replace(":", "").replace("-", "")
    path = folder / f"{certificate['certificate']}-{moment}-{digest[:8]}.json"
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise unwritable(folder, error) from None
    return path, digest


def unwritable(folder: Path, error: OSError) -> RequestError:
    """What to say of a folder that takes no certificate, answer or report."""
    return RequestError(f"--out {folder}: cannot be written ({error.strerror}); choose another folder")
