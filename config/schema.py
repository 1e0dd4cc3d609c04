"""What people decide, as validated frozen objects. `load.py` fills them from the TOML files."""

import re
from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    ValidationInfo,
    field_validator,
    model_validator,
)

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
GSS_CODE = r"^[EWSN]\d{8}$"

CATEGORIES = ("place", "neighbourhood", "interest", "environment", "culture", "sport", "family", "trade", "civic")
AREA_KEYS = (
    "parks", "environment", "waste", "transport", "planning", "housing", "social_care", "children", "education", "culture", "leisure",
    "health", "safety", "hardship", "economy", "digital", "democracy", "animals",
)  # fmt: skip
RefusedCategory = Literal["health", "faith", "sexuality", "party_politics", "immigration", "minors"]
REFUSED_CATEGORIES = get_args(RefusedCategory)
# What is often added to the name of a community that is refused.
NAME_ENDINGS = ("support", "advice", "help", "chat", "uk")
REDDIT = "reddit"
# Live platforms whose communities are found by `url`.
FOUND_BY_ADDRESS = frozenset({"discourse", "mastodon", "bluesky", "lemmy", "rss"})
REDDIT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{1,20}")


def _category(value: str) -> str:
    if value in REFUSED_CATEGORIES:
        raise ValueError(f"communities about {value.replace('_', ' ')} may not be listened to")
    if value not in CATEGORIES:
        raise ValueError(f"allowed: {', '.join(CATEGORIES)}")
    return value


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("should be a number")  # noqa: TRY004  (pydantic turns only ValueError into a problem)
    return value


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold().removeprefix("/").removeprefix("r/")))


def _programme(value: object) -> object:
    """A programme of the whole council may be written as its name alone."""
    return {"name": value} if isinstance(value, str) else value


def _lowered(names: frozenset[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


def _no_person(term: str) -> str:
    if re.search(r"(?i)\bauthor\s*:|(?<!\w)/?u/\w", term):
        raise ValueError("asks for what one person wrote; search for a subject instead")
    return term


SearchTerm = Annotated[str, Field(min_length=2, max_length=200), AfterValidator(_no_person)]
Names = Annotated[frozenset[str], Field(min_length=1), AfterValidator(_lowered)]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


class PolicyArea(Frozen):
    """A policy area of the codebook, with its codes in the Local Government Services List."""

    name: str = Field(min_length=1)
    description: str = Field(min_length=1)
    lgsl: tuple[Annotated[int, Field(ge=1)], ...] = ()


class Ward(Frozen):
    """A ward, the other names people call it by, and how many live there."""

    name: str = Field(min_length=1)
    code: str = Field(pattern=GSS_CODE)
    aliases: tuple[Annotated[str, Field(min_length=2)], ...] = ()
    residents: int | None = Field(default=None, ge=1)


class Programme(Frozen):
    """Something the council already runs or funds; in the whole of its area unless wards are named."""

    name: str = Field(min_length=1)
    wards: tuple[str, ...] = ()


class AreaFit(Frozen):
    """A council's own view of one policy area: fit for co-production, and what it already runs."""

    substitutability: Share | None = None
    interdependence: Share | None = None
    programmes: tuple[Annotated[Programme, BeforeValidator(_programme)], ...] = ()


class ResidentGroup(Frozen):
    """A group of residents the council must not overlook, how many they are, and the communities listened to in which they speak."""

    name: str = Field(min_length=1)
    residents: int | None = Field(default=None, ge=1)
    source: str = ""
    communities: tuple[str, ...] = ()


class Council(Frozen):
    name: str = Field(min_length=1)
    gss_code: str = Field(pattern=GSS_CODE)
    fictional: bool = False
    residents: int | None = Field(default=None, ge=1)
    wards: tuple[Ward, ...] = ()
    groups: tuple[ResidentGroup, ...] = ()
    areas: dict[str, AreaFit] = {}


class Place(Frozen):
    """A name that texts may mention: a landmark, street or building, and the ward it lies in where it lies in one."""

    council: str
    name: str = Field(min_length=2)
    ward: str | None = Field(default=None, pattern=GSS_CODE)
    aliases: tuple[Annotated[str, Field(min_length=2)], ...] = ()


class Community(Frozen):
    """Where a council listens. `search` narrows it to what these terms find; `expected_per_day` is said where history cannot.

    `approach` says whether the council may speak up there, and `contact` whom it asks.
    """

    platform: Key
    name: str = Field(min_length=1)
    title: str = Field(min_length=1)
    council: str
    category: Annotated[str, AfterValidator(_category)]
    url: HttpUrl
    search: tuple[SearchTerm, ...] = ()
    expected_per_day: Annotated[float | None, Field(ge=0)] = None

    approach: Literal["welcome", "ask_first", "not_welcome"] | None = None
    rules: str = ""
    rules_url: HttpUrl | None = None
    contact: str = ""

    @field_validator("name")
    @classmethod
    def _as_the_platform_writes_it(cls, name: str, info: ValidationInfo) -> str:
        is_person = name.lower().startswith(("u_", "u/", "/u/", "user/", "/user/"))
        if info.data.get("platform") == REDDIT and (is_person or not REDDIT_NAME.fullmatch(name)):
            raise ValueError("should be a subreddit's name without `r/`, such as marlowick; a person's page is no community")
        return name

    @field_validator("search")
    @classmethod
    def _where_it_narrows(cls, search: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if search and info.data.get("platform") in FOUND_BY_ADDRESS:
            raise ValueError("is for Reddit only; choose a narrower category, tag, list or feed, and leave this out")
        return search

    @property
    def community_id(self) -> str:
        return f"{self.platform}:{self.name}"


class Campaign(Frozen):
    """Why a council listens. Every field is one a live run must be able to show."""

    council: str
    purpose: str = Field(min_length=10)
    statutory_function: str = Field(min_length=3)
    lawful_basis: Literal["consent", "legal_obligation", "public_task", "legitimate_interests"]
    dpia_reference: str = Field(min_length=1)
    dpia_review: date
    privacy_notice: HttpUrl
    starts: date
    ends: date
    communities: tuple[str, ...]
    reddit_approval: str | None = Field(default=None, min_length=1)
    terms: dict[Key, Annotated[str, Field(min_length=1)]] = {}

    @field_validator("ends")
    @classmethod
    def _period(cls, ends: date, info: ValidationInfo) -> date:
        starts = info.data.get("starts")
        if starts and ends < starts:
            raise ValueError(f"{ends} is before `starts` ({starts}); one of them must change")
        return ends


class TieWeights(Frozen):
    reply: Share
    mention: Share
    thread: Share
    half_life_days: Positive
    thread_limit: int = Field(ge=2, le=200)
    area: Share
    area_reach: int = Field(ge=1, le=20)
    area_days: Positive


class GroupSettings(Frozen):
    resolutions: tuple[Positive, ...] = Field(min_length=1, max_length=10)
    seeds: int = Field(ge=1, le=50)
    iterations: int = Field(ge=1, le=50)
    seed: int = Field(ge=0)
    divide_above: int = Field(ge=6)


class IntervalSettings(Frozen):
    resamples: int = Field(ge=20, le=10_000)
    seed: int = Field(ge=0)


class PlaceSettings(Frozen):
    every: int = Field(ge=0)


class Weights(Frozen):
    willingness: float = Field(ge=0)
    ability: float = Field(ge=0)
    identification: float = Field(ge=0)
    substance: float = Field(ge=0)
    fit: float = Field(ge=0)
    connectedness: float = Field(ge=0)
    freshness: float = Field(ge=0)
    under_exploration: float = Field(ge=0)
    approachability: float = Field(ge=0)
    variety: float = Field(ge=0)

    @model_validator(mode="after")
    def _some_weight(self) -> "Weights":
        if not any(self.model_dump().values()):
            raise ValueError("at least one weight must be above 0")
        return self


class Ranking(Frozen):
    minimum_voices: int = Field(ge=3)
    likely_from: float = Field(gt=0, lt=1)
    leads_shown: int = Field(ge=1)
    evidence_shown: int = Field(ge=1, le=50)
    ties: TieWeights
    groups: GroupSettings
    interval: IntervalSettings
    places: PlaceSettings
    weights: Weights


class Retention(Frozen):
    kept_days: Annotated[int, BeforeValidator(_number)] = Field(ge=1)
    training_allowed: bool = False
    recheck_hours: Annotated[int, BeforeValidator(_number)] = Field(default=48, ge=1, le=720)


def is_listed(name: str, names: frozenset[str]) -> bool:
    """Whether a community's name is among refused ones, however it is written: `r/Mental_Health_Advice` is `mentalhealth`."""
    letters = _letters(name)
    written = {letters, *(letters.removesuffix(ending) for ending in NAME_ENDINGS)}
    return name.lower() in names or not written.isdisjoint(map(_letters, names))


class Config(Frozen):
    """Everything in `config/*.toml`. `digest` is the SHA-256 of the files it was read from."""

    councils: dict[str, Council]
    policy_areas: dict[str, PolicyArea]
    communities: tuple[Community, ...]
    places: tuple[Place, ...]
    campaigns: dict[str, Campaign]
    ranking: Ranking
    retention: dict[str, Retention]
    refused: dict[RefusedCategory, Names]
    digest: str

    def is_refused(self, name: str) -> bool:
        """Whether a community of this name may not be listened to."""
        return self.refused_category(name) is not None

    def refused_category(self, name: str) -> RefusedCategory | None:
        """The category on whose list a community's name stands, however it is written there."""
        return next((category for category, names in self.refused.items() if is_listed(name, names)), None)

    def community(self, community_id: str) -> Community | None:
        return next((c for c in self.communities if c.community_id == community_id), None)

    def kept_days(self, platform: str) -> int:
        return self.retention.get(platform, self.retention["default"]).kept_days

    def recheck_hours(self, platform: str) -> int:
        """Within how many hours a live platform is asked again whether it still shows a post."""
        return self.retention.get(platform, self.retention["default"]).recheck_hours

    def training_allowed(self, platform: str) -> bool:
        """Whether posts of a platform may be used as training material."""
        return self.retention.get(platform, self.retention["default"]).training_allowed
