"""What tests of live sources share: a clock that jumps, an ear for waits, and a configuration with a campaign."""

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from config.load import CONFIG_DIR, load_config
from config.settings import Settings
from flows.job import Job, make_request, open_job
from flows.progress import Silent
from models.base import utc_now
from tests.fakes.reddit import ACCOUNT, CLIENT_ID, CLIENT_SECRET

AUTHOR_KEY = "0123456789abcdef-a-key-for-tests-only"


class SimulatedClock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Heard(Silent):
    """What a listener is told of waits."""

    def __init__(self) -> None:
        self.waits: list[tuple[float, str]] = []

    def waiting(self, seconds: float, why: str) -> None:
        self.waits.append((seconds, why))

    def beginnings(self, why: str) -> list[float]:
        """How long each wait for a reason was to be when it began: each is told again as it passes, and ends with a 0."""
        before = [("", ""), *self.waits]
        return [now[0] for now, last in zip(self.waits, before, strict=False) if now[1] == why != last[1]]


def write_config(
    folder: Path,
    *names: str,
    campaign: str = "",
    community: str = "",
    platform: str = "reddit",
    url: Callable[[str], str] = lambda name: f"https://www.reddit.com/r/{name}/",
) -> Path:
    """A copy of the project's configuration with communities and a campaign in force; more lines for either can be given."""
    shutil.copytree(CONFIG_DIR, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    communities = folder / "communities.toml"
    tables = [
        f'[[community]]\nplatform = "{platform}"\nname = "{name}"\ntitle = "{name}"\ncouncil = "marlowick"\ncategory = "place"\n'
        f'url = "{url(name)}"\n{community}\n'
        for name in names
    ]
    communities.write_text(communities.read_text(encoding="utf-8") + "\n" + "\n".join(tables), encoding="utf-8")
    today = utc_now().date()
    lines = {
        "council": '"marlowick"', "purpose": '"Find residents who would help."', "statutory_function": '"Localism Act 2011 s.1"',
        "lawful_basis": '"public_task"', "dpia_reference": '"FICTIONAL-DPIA-2"', "dpia_review": _day(today, 90),
        "privacy_notice": '"https://marlowick.example/privacy"', "starts": _day(today, -90), "ends": _day(today, 90),
        "communities": str([f"{platform}:{name}" for name in names]), "reddit_approval": '"FICTIONAL-APPROVAL-1"',
        "terms": f'{{ {platform} = "2025-11" }}',
    }  # fmt: skip
    for line in filter(None, campaign.split("\n")):
        name, _, value = line.partition(" = ")
        lines[name] = value
    table = "\n".join(f"{name} = {value}" for name, value in lines.items() if value)
    campaigns = folder / "campaigns.toml"
    campaigns.write_text(f"{campaigns.read_text(encoding='utf-8')}\n[listening]\n{table}\n", encoding="utf-8")
    return folder


def live_settings(
    home: Path, config_dir: Path, address: str | None = None, *, client_id: str = CLIENT_ID, database_url: str | None = None
) -> Settings:
    return Settings(
        home=home, config_dir=config_dir, author_key=AUTHOR_KEY, workers=1, reddit_client_id=client_id,
        reddit_client_secret=CLIENT_SECRET, reddit_account=ACCOUNT, reddit_address=address, database_url=database_url,
        contact="https://marlowick.example/listening",
    )  # fmt: skip


def live_job(settings: Settings, *, campaign: str | None = None, since: str | None = None, platform: str = "reddit") -> Job:
    config = load_config(settings.config_dir)
    request = make_request(config, council=None, sources=[platform], columns=None, since=since, until=None, campaign=campaign)
    return open_job(request, out=str(settings.home / "report"), settings=settings)


def _day(today: date, days: int) -> str:
    return (today + timedelta(days=days)).isoformat()
