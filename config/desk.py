"""What a council decides about its desk."""

import re
from string import Formatter

from pydantic import BaseModel, ConfigDict, Field, field_validator

DRAFT_FIELDS = frozenset({"council", "community", "area", "privacy_notice", "objection_page"})
NEEDED_FIELDS = frozenset({"privacy_notice", "objection_page"})
LEAST_CONTRAST = 4.5


class DeskRules(BaseModel):
    """How one council's desk looks, what it says first, and what it holds back. None: as `default` says."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    colour: str | None = None
    cool_off_days: int | None = Field(default=None, ge=7, le=730)
    voice_views_a_week: int | None = Field(default=None, ge=1, le=200)
    idle_minutes: int | None = Field(default=None, ge=5, le=480)
    session_hours: int | None = Field(default=None, ge=1, le=24)
    draft: str | None = None
    team: str | None = Field(default=None, max_length=200)
    responsible_owner: str | None = Field(default=None, max_length=200)
    contact_email: str | None = Field(default=None, max_length=200)
    data_protection_email: str | None = Field(default=None, max_length=200)

    @field_validator("colour")
    @classmethod
    def _dark(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
            raise ValueError('should be a colour such as "#0b5c6b"')
        if (seen := contrast_with_white(value)) < LEAST_CONTRAST:
            raise ValueError(f"too light for white text: contrast {seen:.1f}, wanted {LEAST_CONTRAST} or more; choose a darker colour")
        return value.lower()

    @field_validator("draft")
    @classmethod
    def _complete(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            fields = {name for _, name, _, _ in Formatter().parse(value) if name is not None}
        except ValueError as error:
            raise ValueError(f"braces do not match ({error})") from None
        if unknown := sorted(fields - DRAFT_FIELDS):
            raise ValueError(f"unknown {{{unknown[0]}}}; allowed: {', '.join(sorted(DRAFT_FIELDS))}")
        if missing := sorted(NEEDED_FIELDS - fields):
            raise ValueError(f"{{{missing[0]}}} is missing; a draft says where the privacy notice is and how to object")
        return value


class Desk(BaseModel):
    """The same with nothing left open."""

    model_config = ConfigDict(frozen=True)

    colour: str
    cool_off_days: int
    voice_views_a_week: int
    idle_minutes: int
    session_hours: int
    draft: str
    team: str
    responsible_owner: str
    contact_email: str
    data_protection_email: str


def desk_of(rules: dict[str, DeskRules], council: str | None) -> Desk:
    """What holds for a council, or for nobody in particular."""
    merged = rules["default"].model_dump()
    if council in rules:
        merged |= rules[council].model_dump(exclude_none=True)
    return Desk(**merged)


def contrast_with_white(colour: str) -> float:
    """Contrast as WCAG 2.2 defines it (relative luminance)."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)
