"""The opportunity map: public energy per policy area and ward, from every post that was read, with or without an author."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from coprod_nlp.vocabulary import PolicyArea, Signal

COUNTED = ("posts", "willing", "proposing", "complaining", "asking")


class Standing(StrEnum):
    """Public energy beside what the council runs: where to look first."""

    READY_ABSENT = "ready_absent"
    READY_PRESENT = "ready_present"
    UNHEARD = "unheard"
    QUIET = "quiet"
    NOT_KNOWN = "not_known"


@dataclass
class Energy:
    """Posts about one policy area or ward, and how many of them are willing, propose, complain or ask.

    `voices` and `willing_voices` hold a number for each author; posts without one count as a voice each.
    """

    posts: int = 0
    willing: int = 0
    proposing: int = 0
    complaining: int = 0
    asking: int = 0
    voices: set[int] = field(default_factory=set)
    willing_voices: set[int] = field(default_factory=set)

    def add(self, voice: int, signals: Mapping[str, float], *, is_willing: bool) -> None:
        self.posts += 1
        self.willing += is_willing
        self.proposing += Signal.PROPOSE in signals
        self.complaining += Signal.COMPLAINT in signals
        self.asking += Signal.REQUEST in signals
        self.voices.add(voice)
        if is_willing:
            self.willing_voices.add(voice)

    def as_dict(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in COUNTED}

    def standing(self, programmes: int | None, *, minimum_voices: int) -> Standing:
        """What energy and programmes say together; people are ready where enough different voices are willing."""
        if programmes is None:
            return Standing.NOT_KNOWN
        if len(self.willing_voices) >= minimum_voices:
            return Standing.READY_PRESENT if programmes else Standing.READY_ABSENT
        return Standing.UNHEARD if programmes else Standing.QUIET


class OpportunityMap:
    """Counts as posts go by."""

    def __init__(self) -> None:
        self.areas = {area: Energy() for area in PolicyArea}
        self.wards: defaultdict[str, Energy] = defaultdict(Energy)
        self.cells: defaultdict[tuple[PolicyArea, str], Energy] = defaultdict(Energy)
        self.places: Counter[str] = Counter()
        self.programmes: Counter[str] = Counter()
        self.posts = 0
        self.placed = 0
        self._numbers: dict[str, int] = {}

    def add(
        self, *, areas: Iterable[str], signals: Mapping[str, float], is_willing: bool, author_key: str | None = None,
        places: Iterable[str] = (), wards: Iterable[str] = (), programmes: Iterable[str] = (),
    ) -> None:  # fmt: skip
        """Count one post: the policy areas it is about, and the places, wards and programmes it names."""
        about, wards, places = [PolicyArea(area) for area in areas], set(wards), set(places)
        if not about:
            return
        self.posts += 1
        self.placed += bool(wards)
        self.places.update(places)
        self.programmes.update(set(programmes))
        voice = -self.posts if author_key is None else self._numbers.setdefault(author_key, len(self._numbers))
        energies = [self.areas[area] for area in about] + [self.wards[ward] for ward in wards]
        energies += [self.cells[area, ward] for area in about for ward in wards]
        for energy in energies:
            energy.add(voice, signals, is_willing=is_willing)
