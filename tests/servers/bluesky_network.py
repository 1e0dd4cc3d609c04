"""Bluesky's own servers, started on this machine for as long as a `with` lasts, and accounts on them."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from atproto_client.client.raw import ClientRaw

from tests.servers import debian_postgres
from tests.servers.bluesky_install import FOLDER, LISTS, is_installed, node_folder

GUARD = Path(__file__).parent.parent / "fakes" / "guard" / "guard.cjs"
# Seconds that a busy machine may take to start everything, or to take in what was written.
LONGEST_S = 240.0
PROFILE = "app.bsky.actor.profile"


def missing() -> str:
    """What has to be there first; "" where all is."""
    if node_folder() is None or not is_installed():
        return "Bluesky's own servers are not installed: .venv/bin/python -m tests.servers.bluesky_install"
    return "" if debian_postgres.programs() else "Bluesky's own servers need Debian's postgresql, which has pg_trgm"


class Account:
    """Somebody on the data server, with what they do there."""

    def __init__(self, pds: str, name: str) -> None:
        self.handle = f"{name}.test"
        self._client = ClientRaw(f"http://{pds}/xrpc")
        asked = {"handle": self.handle, "email": f"{name}@marlowick.example", "password": "a made-up password"}
        made = self._client.com.atproto.server.create_account(asked)
        self.did = str(made.did)
        self._client.request.add_additional_header("authorization", f"Bearer {made.access_jwt}")

    def create(self, kind: str, record: dict[str, Any], key: str | None = None) -> dict[str, str]:
        """A record of a kind, as `app.bsky.feed.post`; its uri and cid."""
        asked = {"repo": self.did, "collection": kind, "rkey": key, "record": {"$type": kind, **record}}
        made = self._client.com.atproto.repo.create_record(asked)
        return {"uri": made.uri, "cid": made.cid}

    def put(self, kind: str, key: str, record: dict[str, Any]) -> dict[str, str]:
        """A record in the place of the one with that key, if there is one; its uri and cid."""
        asked = {"repo": self.did, "collection": kind, "rkey": key, "record": {"$type": kind, **record}}
        made = self._client.com.atproto.repo.put_record(asked)
        return {"uri": made.uri, "cid": made.cid}

    def delete(self, uri: str) -> None:
        _, _, repo, kind, key = uri.split("/")
        self._client.com.atproto.repo.delete_record({"repo": repo, "collection": kind, "rkey": key})

    def say_of_oneself(self, label: str) -> None:
        """Put a label on the whole account, as the app does for `!no-unauthenticated`."""
        values = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": label}]}
        self.put(PROFILE, "self", {"displayName": "Nobody's business", "labels": values})

    def deactivate(self) -> None:
        self._client.com.atproto.server.deactivate_account({})

    def moderate(self, moderation: str, event: str, subject: dict[str, str], **more: object) -> None:
        """An event in the moderation service, by way of this moderator's own data server."""
        asked = {"event": {"$type": f"tools.ozone.moderation.defs#{event}", **more}, "subject": subject, "created_by": self.did}
        self._client.tools.ozone.moderation.emit_event(asked, headers={"atproto-proxy": f"{moderation}#atproto_labeler"})

    def close(self) -> None:
        self._client.request.close()


class BlueskyNetwork:
    """The running servers. `pds` and `view` are hosts with ports; `feeds` and `moderation` the ids of services."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self.process, self._errors = process, errors
        self._lines: SimpleQueue[str] = SimpleQueue()
        Thread(target=self._listen, daemon=True).start()
        self._accounts: list[Account] = []
        where = self._heard()
        self.pds, self.view = where["pds"], where["view"]
        self.feeds, self.moderation = where["feeds"], where["moderation"]
        self._moderator = self.account("moderator")
        self._tell("appoint", self._moderator.did)

    def account(self, name: str) -> Account:
        self._accounts.append(Account(self.pds, name))
        return self._accounts[-1]

    def settle(self) -> None:
        """Come back when the app view shows all that was written, deleted and moderated."""
        self._tell("settle")

    def label(self, subject: dict[str, str], *, put: list[str] | None = None, away: list[str] | None = None) -> None:
        """Moderators put labels on a post or account, or take them away."""
        labels = {"create_label_vals": put or [], "negate_label_vals": away or []}
        self._moderator.moderate(self.moderation, "modEventLabel", subject, **labels)

    def take_down(self, subject: dict[str, str]) -> None:
        self._moderator.moderate(self.moderation, "modEventTakedown", subject)

    def put_back(self, subject: dict[str, str]) -> None:
        self._moderator.moderate(self.moderation, "modEventReverseTakedown", subject)

    def close(self) -> None:
        """The servers stop when nobody can tell them anything any more.

        Raises
        ------
        RuntimeError
            Where they had stopped before, with what they wrote.
        """
        for account in self._accounts:
            account.close()
        if self.process.poll() is not None:
            raise self._stopped()
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=LONGEST_S)

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            self._lines.put(line)
        self._lines.put("")

    def _tell(self, *what: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{json.dumps(what)}\n")
        self.process.stdin.flush()
        self._heard()

    def _heard(self) -> Any:
        try:
            line = self._lines.get(timeout=LONGEST_S)
        except Empty:
            line = ""
        if not line:
            raise self._stopped()
        return json.loads(line)

    def _stopped(self) -> RuntimeError:
        return RuntimeError(f"Bluesky's servers stopped or say nothing: {self._errors.read_text(encoding='utf-8')[-4_000:]}")


@contextmanager
def running() -> Iterator[BlueskyNetwork]:
    """The servers on loopback, with an empty database; what they wrote goes when they go."""
    node, postgres = node_folder(), debian_postgres.programs()
    assert node
    assert postgres
    with debian_postgres.running(postgres) as address, tempfile.TemporaryDirectory(prefix="coprod-bluesky-") as folder:
        errors = Path(folder) / "errors.txt"
        command: list[str | Path] = [node / "bin" / "node", "--require", GUARD, LISTS / "network.mjs", address]
        with (
            errors.open("w", encoding="utf-8") as error_file,
            subprocess.Popen(
                command, cwd=FOLDER, env=os.environ | {"TMPDIR": folder}, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=error_file,
            ) as process,
        ):  # fmt: skip
            try:
                network = BlueskyNetwork(process, errors)
                yield network
                network.close()
            finally:
                process.kill()
