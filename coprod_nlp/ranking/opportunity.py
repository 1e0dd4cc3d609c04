"""The opportunity map: public energy per policy area, from every post that was read, with or without an author."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from coprod_nlp.vocabulary import PolicyArea, Signal


@dataclass
class Energy:
    """Posts about one policy area, and how many of them are willing, propose, complain or ask."""

    posts: int = 0
    willing: int = 0
    proposing: int = 0
    complaining: int = 0
    asking: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


class OpportunityMap:
    """Counts as posts go by."""

    def __init__(self) -> None:
        self.areas = {area: Energy() for area in PolicyArea}

    def add(self, *, areas: Iterable[str], signals: Mapping[str, float], is_willing: bool) -> None:
        for area in areas:
            energy = self.areas[PolicyArea(area)]
            energy.posts += 1
            energy.willing += is_willing
            energy.proposing += Signal.PROPOSE in signals
            energy.complaining += Signal.COMPLAINT in signals
            energy.asking += Signal.REQUEST in signals
