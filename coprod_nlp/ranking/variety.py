"""The order of the list: each place goes to the lead that scores best once what stands above it has been heard."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from heapq import heapify, heappop, heappush

from coprod_nlp.ranking.score import with_variety
from coprod_nlp.records import RankedLead


def in_order(leads: Sequence[RankedLead], *, weight: float) -> list[RankedLead]:
    """Leads by score, each with the part `variety`: 1 where no lead above has its voices or its area.

    A score only falls as leads are put above it, so that scores never rise down the list, and a lead that still comes before what the
    others scored when they were looked at last is the best. After maximal marginal relevance (Carbonell and Goldstein 1998,
    doi:10.1145/290941.291025).
    """
    heard: set[str] = set()
    areas: Counter[str] = Counter()

    def placed(lead: RankedLead) -> RankedLead:
        again, voices = len(heard.intersection(lead.voices)), len(lead.voices)
        return replace(lead, score=with_variety(lead.score, heard=again, voices=voices, same_area=areas[lead.area], weight=weight))

    waiting = [(-placed(lead).score.total, lead.lead_id, lead) for lead in leads]
    heapify(waiting)
    ordered: list[RankedLead] = []
    while waiting:
        _, lead_id, lead = heappop(waiting)
        now = placed(lead)
        if waiting and (-now.score.total, lead_id) > waiting[0][:2]:
            heappush(waiting, (-now.score.total, lead_id, lead))
            continue
        ordered.append(now)
        heard.update(lead.voices)
        areas[lead.area] += 1
    return ordered
