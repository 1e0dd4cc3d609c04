"""A real desk on loopback, and people with browsers in front of it."""

import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine, select
from sqlmodel import col

from config.settings import Settings
from desk.app import create_app
from desk.auth import cookie_name, new_token, token_hash
from desk.office import Office
from models import account_actions
from models.account_queries import account_by_username
from models.desk_words import Role
from models.run import AuditEntry
from models.session import open_engine, unit_of_work
from tests.desk.stock import COUNCIL

AUTHOR_KEY = "0123456789abcdef-a-key-for-tests-only"
PASSWORD = "nineteen purple kettles"


@dataclass
class Browser:
    """Somebody's browser without a script: cookies, pages, forms with the token that the page gave."""

    client: httpx.Client

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.client.get(path, **more)

    def post(self, path: str, *, page: str | None = None, **fields: Any) -> httpx.Response:
        """Send a form as `page` holds it (by default the one at the same address)."""
        found = re.search(r'name="form_token" value="([0-9a-f]+)"', self.get(page or path).text)
        assert found, f"no form on {page or path}"
        return self.client.post(path, data={"form_token": found[1], **fields})


@dataclass
class RunningDesk:
    """A desk whose users type `address`, and that listens on `listening`."""

    app: FastAPI
    address: str
    listening: str
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def office(self) -> Office:
        office: Office = self.app.state.office
        return office

    @property
    def engine(self) -> Engine:
        return self.office.engine

    def nobody(self) -> Browser:
        self.clients.append(httpx.Client(base_url=self.listening, follow_redirects=True, timeout=60))
        return Browser(self.clients[-1])

    def account(self, username: str, *roles: Role, council: str = COUNCIL, password_hash: str | None = None) -> str:
        """An account; returns its id."""
        with unit_of_work(self.engine) as session:
            found = account_by_username(session, username) or account_actions.create_account(
                session,
                username=username,
                display_name=username.title(),
                council=council,
                roles=roles,
                by="test",
                password_hash=password_hash,
            )
            return found.account_id

    def token(self, username: str, *roles: Role, council: str = COUNCIL) -> str:
        """The session token of somebody signed in."""
        self.account(username, *roles, council=council)
        token = new_token()
        with unit_of_work(self.engine) as session:
            account = account_by_username(session, username)
            assert account
            account_actions.record_sign_in(session, account, token_hash=token_hash(token), way="password")
        return token

    def sign_in(self, *roles: Role, username: str = "", council: str = COUNCIL) -> Browser:
        """A browser in which somebody with these roles is signed in."""
        browser = self.nobody()
        token = self.token(username or "-".join(roles), *roles, council=council)
        browser.client.cookies.set(cookie_name(self.office), token, domain="127.0.0.1")
        return browser

    def wait_for(self, kind: str, *, code: int | None = 0) -> None:
        """Until an errand of the desk is done; `code` is the exit code it should have, None for any."""
        errand, limit = self.office.errands.latest[kind], monotonic() + 600
        while errand.is_running and monotonic() < limit:
            sleep(0.05)
        assert not errand.is_running, kind
        assert code in {None, errand.code}, errand.words

    def audited(self) -> list[tuple[str, str, str]]:
        with self.engine.connect() as connection:
            columns = (col(AuditEntry.by), col(AuditEntry.action), col(AuditEntry.subject))
            return [(row[0], row[1], row[2]) for row in connection.execute(select(*columns).order_by(col(AuditEntry.entry_id)))]


@contextmanager
def running(home: Path, **changed: Any) -> Iterator[RunningDesk]:
    """A desk on a free port, in a thread of this process."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = create_app(Settings(**{"home": home, "author_key": AUTHOR_KEY, "workers": 1, "desk_address": address, **changed}))
        server = uvicorn.Server(uvicorn.Config(app, http="h11", log_level="critical", lifespan="off", server_header=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        limit = monotonic() + 30
        while not server.started and monotonic() < limit:
            sleep(0.01)
        assert server.started
        desk = RunningDesk(app, app.state.office.settings.desk_address, address)
        yield desk
        for client in desk.clients:
            client.close()
        server.should_exit = True
        thread.join(timeout=30)
        app.state.office.engine.dispose()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store, migrated once: a copy of it takes no second."""
    home = tmp_path_factory.mktemp("empty")
    open_engine(f"sqlite:///{home / 'coprod.sqlite3'}").dispose()
    return home / "coprod.sqlite3"


@pytest.fixture
def stored(empty_store: Path) -> Callable[[Path], Path]:
    """Makes a home with an empty store below a folder."""

    def make(folder: Path) -> Path:
        (folder / "home").mkdir()
        shutil.copy(empty_store, folder / "home")
        return folder / "home"

    return make


@pytest.fixture
def desk(tmp_path: Path, stored: Callable[[Path], Path]) -> Iterator[RunningDesk]:
    """A desk with an empty store."""
    with running(stored(tmp_path)) as running_desk:
        yield running_desk


@pytest.fixture
def first_code(desk: RunningDesk) -> Callable[[], str]:
    def code() -> str:
        found = desk.office.doors.first_run_code
        assert found
        return found

    return code
