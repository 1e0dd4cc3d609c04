"""The order of the list: each place goes to the lead that scores best once what stands above it has been heard."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from coprod_nlp.ranking.score import with_variety
from coprod_nlp.records import RankedLead


def in_order(leads: Sequence[RankedLead], *, weight: float) -> list[RankedLead]:
    """Leads by score, each with the part `variety`: 1 where no lead above has its voices or its area.

    A score only falls as leads are put above it, so that scores never rise down the list. After maximal marginal relevance
    (Carbonell and Goldstein 1998, doi:10.1145/290941.291025).
    """
    having: defaultdict[str, list[int]] = defaultdict(list)
    for place, lead in enumerate(leads):
        for voice in lead.voices:
            having[voice].append(place)
    heard: set[str] = set()
    repeated: Counter[int] = Counter()
    areas: Counter[str] = Counter()
    waiting = {place: _placed(lead, 0, 0, weight) for place, lead in enumerate(leads)}
    ordered: list[RankedLead] = []
    while waiting:
        best = min(waiting, key=lambda place: (-waiting[place].score.total, leads[place].lead_id))
        ordered.append(waiting.pop(best))
        areas[leads[best].area] += 1
        new = set(leads[best].voices) - heard
        heard |= new
        again = Counter(place for voice in new for place in having[voice])
        repeated.update(again)
        for place in waiting:
            if place in again or leads[place].area == leads[best].area:
                waiting[place] = _placed(leads[place], repeated[place], areas[leads[place].area], weight)
    return ordered


def _placed(lead: RankedLead, heard: int, same_area: int, weight: float) -> RankedLead:
    return replace(lead, score=with_variety(lead.score, heard=heard, voices=len(lead.voices), same_area=same_area, weight=weight))
