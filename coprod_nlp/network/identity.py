"""The same network from ranking to ranking: matched by the willing voices that both have."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from coprod_nlp.records import CandidateNetwork
from coprod_nlp.vocabulary import Change, PolicyArea

# A network comes from one of the ranking before where this much of either is in both.
SHARED = 0.5


@dataclass(frozen=True, slots=True)
class KnownNetwork:
    """A network of the ranking before: who would help in it, by the numbers of now."""

    network_id: str
    area: PolicyArea
    willing: frozenset[int]


@dataclass(frozen=True, slots=True)
class IdentifiedNetwork:
    """A candidate network under its lasting id, and what became of it; voices are counted in willing ones."""

    network_id: str
    network: CandidateNetwork
    change: Change
    voices_before: int = 0
    joined: int = 0
    departed: int = 0
    origins: tuple[str, ...] = ()


def identify(
    networks: Sequence[CandidateNetwork], known: Sequence[KnownNetwork], *, names: Sequence[str], namespace: str, held: Collection[str] = ()
) -> tuple[list[IdentifiedNetwork], list[KnownNetwork]]:
    """Networks under the ids they had, where they had one, in the order they came; and the known ones that are gone.

    An id goes to the network that has most of the old one's voices in proportion; a network that holds half of two or more old ones
    has merged, and of several that came out of one old network the others have split off.

    Parameters
    ----------
    names
        For each voice something public that is its own, such as the id of its first post: new ids are made of it.
    namespace
        Goes into new ids, so that the same voices found for two councils are two networks.
    held
        Ids of networks of any other ranking: no new network gets one of them.
    """
    shared = _shared(networks, known)
    heir = _heirs(networks, known, shared)
    inherited = set(heir.values())
    parents: defaultdict[int, list[int]] = defaultdict(list)
    sources: defaultdict[int, list[int]] = defaultdict(list)
    for (new, before), count in sorted(shared.items()):
        if count >= SHARED * len(known[before].willing):
            parents[new].append(before)
        if count >= SHARED * len(networks[new].willing):
            sources[new].append(before)
    taken = {*held, *(network.network_id for network in known)}
    found = []
    for place, network in enumerate(networks):
        old = heir.get(place)
        network_id = known[old].network_id if old is not None else _new_id(network, names, namespace, taken)
        taken.add(network_id)
        merged = [one for one in parents[place] if one == old or one not in inherited]
        split = [one for one in sources[place] if one != old]
        found.append(_identified(network, network_id, known, old, merged, split))
    continued = {*inherited, *(old for some in parents.values() for old in some)}
    return found, [network for place, network in enumerate(known) if place not in continued]


def _shared(networks: Sequence[CandidateNetwork], known: Sequence[KnownNetwork]) -> dict[tuple[int, int], int]:
    """How many willing voices a new network and an old one of its area have in common, where there are any."""
    olds: defaultdict[tuple[PolicyArea, int], list[int]] = defaultdict(list)
    for place, old in enumerate(known):
        for voice in old.willing:
            olds[old.area, voice].append(place)
    counts: defaultdict[tuple[int, int], int] = defaultdict(int)
    for place, new in enumerate(networks):
        for voice in new.willing:
            for old_place in olds.get((new.area, voice), ()):
                counts[place, old_place] += 1
    return dict(counts)


def _heirs(networks: Sequence[CandidateNetwork], known: Sequence[KnownNetwork], shared: dict[tuple[int, int], int]) -> dict[int, int]:
    """Which old network each new one continues, the most alike first; each at most once."""

    def alikeness(pair: tuple[int, int]) -> float:
        return shared[pair] / (len(networks[pair[0]].willing) + len(known[pair[1]].willing) - shared[pair])

    near = [pair for pair, count in shared.items() if count >= SHARED * min(len(networks[pair[0]].willing), len(known[pair[1]].willing))]
    heir: dict[int, int] = {}
    given: set[int] = set()
    for new, old in sorted(near, key=lambda pair: (-alikeness(pair), pair)):
        if new not in heir and old not in given:
            heir[new] = old
            given.add(old)
    return heir


def _identified(
    network: CandidateNetwork, network_id: str, known: Sequence[KnownNetwork], old: int | None, merged: Iterable[int], split: Iterable[int]
) -> IdentifiedNetwork:
    before = known[old].willing if old is not None else frozenset()
    now = frozenset(network.willing)
    joined, departed = len(now - before), len(before - now)
    came_together, came_out_of = list(merged), list(split)
    if len(came_together) > 1:
        change, origins = Change.MERGED, came_together
    elif came_out_of:
        change, origins = Change.SPLIT, came_out_of
    else:
        origins = []
        change = Change.NEW if old is None else Change.SAME if not joined + departed else _grown_or_shrunk(joined, departed)
    return IdentifiedNetwork(
        network_id, network, change, len(before), joined, departed, tuple(known[place].network_id for place in origins)
    )


def _grown_or_shrunk(joined: int, departed: int) -> Change:
    return Change.GROWN if joined >= departed else Change.SHRUNK


def _new_id(network: CandidateNetwork, names: Sequence[str], namespace: str, taken: set[str]) -> str:
    text = "\n".join([namespace, network.area, *sorted(names[voice] for voice in network.willing)])
    while (made := "n-" + sha256(text.encode()).hexdigest()[:16]) in taken:
        text += "\nagain"
    return made
