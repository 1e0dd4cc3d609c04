"""Networks and messages to ranked leads: one for each network, which is of one policy area and has enough willing voices."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from coprod_nlp.network.identity import IdentifiedNetwork
from coprod_nlp.ranking.approach import approaches, stages, usual_shares
from coprod_nlp.ranking.kept_places import with_kept_places
from coprod_nlp.ranking.rules import RankingRules
from coprod_nlp.ranking.score import score_lead
from coprod_nlp.ranking.variety import in_order
from coprod_nlp.records import Message, RankedLead
from coprod_nlp.vocabulary import PolicyArea, Signal


def rank_leads(
    networks: Sequence[IdentifiedNetwork],
    messages: Iterable[Message],
    *,
    keys: Sequence[str],
    rules: RankingRules,
    heard: Mapping[str, int] | None = None,
) -> list[RankedLead]:
    """Leads, best score first but for the kept places.

    A lead's voices are the willing ones of its network; with fewer than `rules.minimum_voices` of them there is none. Their other messages
    in the area support its approach and stage.

    Parameters
    ----------
    keys
        The author key of each numbered voice.
    heard
        How many posts there are by `area:<key>` and `community:<id>`: where there are few, places are kept.
    """
    of_voice: defaultdict[tuple[str, PolicyArea], list[Message]] = defaultdict(list)
    for message in messages:
        for area in message.areas:
            of_voice[message.author_key, area].append(message)
    kept: list[tuple[IdentifiedNetwork, list[Message]]] = []
    for identified in networks:
        area, voices = identified.network.area, sorted(keys[voice] for voice in identified.network.willing)
        found = [message for key in voices for message in of_voice.get((key, area), ())]
        if len({message.author_key for message in found if message.is_willing}) >= rules.minimum_voices:
            kept.append((identified, sorted(found, key=lambda message: message.post_id)))
    usual = usual_shares(found for _, found in sorted(kept, key=lambda item: item[0].network_id))
    leads = in_order([_lead(identified, found, keys, rules, usual) for identified, found in kept], weight=rules.weights["variety"])
    return with_kept_places(leads, heard or {}, every=rules.kept_every)


def lead_id_of(network_id: str) -> str:
    """A lead lasts as long as its network does."""
    return "l-" + sha256(network_id.encode()).hexdigest()[:16]


def _lead(
    identified: IdentifiedNetwork, theirs: Sequence[Message], keys: Sequence[str], rules: RankingRules, usual: Mapping[Signal, float]
) -> RankedLead:
    network = identified.network
    meetings = {keys[voice]: weight for voice, weight in zip(network.willing, network.meetings, strict=True)}
    lead_id = lead_id_of(identified.network_id)
    score = score_lead(
        lead_id,
        theirs,
        area=network.area,
        meetings=meetings,
        others=max(0, network.crowd - len(network.willing)) if network.is_gathered else len(network.between),
        is_gathered=network.is_gathered,
        rules=rules,
    )
    communities = Counter(message.community_id for message in theirs if message.is_willing)
    community = min(communities, key=lambda name: (-communities[name], name))
    return RankedLead(
        lead_id, identified.network_id, network.area, tuple(sorted(keys[voice] for voice in network.willing)), tuple(theirs), score,
        approaches(theirs, usual), stages(theirs), community,
    )  # fmt: skip
