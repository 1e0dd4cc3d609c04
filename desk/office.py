"""What every request works with, made once when the desk opens."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine

from config.desk import Desk, DeskRules, desk_of
from config.load import load_config, load_desk
from config.schema import Config
from config.settings import Settings
from desk.doors import Doors
from desk.errands import Errands
from desk.label_queue import LabelQueues
from desk.under_way import SignIns
from models.session import open_engine


@dataclass(frozen=True)
class Office:
    """Settings, configuration and store of one running desk. `doors` counts who knocks too often."""

    settings: Settings
    config: Config
    rules: dict[str, DeskRules]
    engine: Engine
    doors: Doors = field(default_factory=Doors)
    errands: Errands = field(default_factory=Errands)
    queues: LabelQueues = field(default_factory=LabelQueues)
    sign_ins: SignIns = field(default_factory=SignIns)

    def desk(self, council: str | None) -> Desk:
        return desk_of(self.rules, council)

    @property
    def is_https(self) -> bool:
        return self.settings.desk_address.startswith("https://")

    def council_name(self, council: str | None) -> str:
        """The council's name; before anybody signed in, the one there is, or none."""
        if council in self.config.councils:
            return self.config.councils[council].name
        names = [each.name for each in self.config.councils.values()]
        return names[0] if len(names) == 1 else ""

    def area_name(self, area: str) -> str:
        return self.config.policy_areas[area].name

    def community_title(self, community_id: str) -> str:
        return self.titles.get(community_id) or community_id.partition(":")[2]

    @cached_property
    def titles(self) -> dict[str, str]:
        """Titles by community: pages ask for many, and a council may listen to thousands."""
        return {community.community_id: community.title for community in self.config.communities}


def open_office(settings: Settings) -> Office:
    """Read the configuration and open the store.

    Raises
    ------
    ConfigError, StoreError
        With what is wrong and what to do.
    """
    config = load_config(settings.config_dir)
    return Office(settings, config, load_desk(config, settings.config_dir), open_engine(settings.address()))


def office_of(request: Request) -> Office:
    office: Office = request.app.state.office
    return office


async def the_office(request: Request) -> Office:
    """The same as a dependency; asynchronous, for what needs no thread should not wait for one."""
    return office_of(request)


TheOffice = Annotated[Office, Depends(the_office)]
