"""Networks and messages to ranked leads: one for each network and policy area with enough willing voices."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import sha256

from coprod_nlp.ranking.approach import approaches, stages
from coprod_nlp.ranking.rules import RankingRules
from coprod_nlp.ranking.score import score_lead
from coprod_nlp.records import CandidateNetwork, Message, RankedLead
from coprod_nlp.vocabulary import PolicyArea


def rank_leads(networks: Sequence[CandidateNetwork], messages: Iterable[Message], *, rules: RankingRules) -> list[RankedLead]:
    """Leads, best score first.

    A lead's voices are those of the network with a willing message in the area; with fewer than `rules.minimum_voices` of
    them there is no lead. Messages of the same voices in the area that are not willing support its approach and stage.
    """
    network_of = {voice: network.network_id for network in networks for voice in network.voices}
    grouped: defaultdict[tuple[str, PolicyArea], list[Message]] = defaultdict(list)
    for message in messages:
        if network_id := network_of.get(message.author_key):
            for area in message.areas:
                grouped[network_id, area].append(message)
    by_id = {network.network_id: network for network in networks}
    leads = []
    for (network_id, area), found in sorted(grouped.items()):
        voices = frozenset(message.author_key for message in found if message.is_willing)
        if len(voices) >= rules.minimum_voices:
            leads.append(_lead(by_id[network_id], area, voices, found, rules))
    return sorted(leads, key=lambda lead: (-lead.score.total, lead.lead_id))


def _lead(network: CandidateNetwork, area: PolicyArea, voices: frozenset[str], found: Sequence[Message], rules: RankingRules) -> RankedLead:
    lead_id = "l-" + sha256(f"{network.network_id}\n{area}".encode()).hexdigest()[:16]
    theirs = sorted((message for message in found if message.author_key in voices), key=lambda message: message.post_id)
    connected = frozenset(
        key for tie in network.ties if {tie.first_key, tie.second_key} <= voices for key in (tie.first_key, tie.second_key)
    )
    score = score_lead(lead_id, theirs, area=area, connected=connected, rules=rules)
    return RankedLead(lead_id, network.network_id, area, tuple(sorted(voices)), tuple(theirs), score, approaches(theirs), stages(theirs))
