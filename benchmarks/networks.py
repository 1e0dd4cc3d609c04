"""Networks: how well planted ones are found and ranked, and how far the list depends on chance.

    .venv/bin/python -m benchmarks.networks [--seeds 5] [--stability 20]

A grid of made-up communities (`planted.py`), each with several seeds. Recovery is the adjusted mutual information between what was
planted and what was found, over every willing voice; those in no network are one class of their own. Precision is how many of the first
ten leads are about one planted network: most of their voices are in it, and its area is theirs. Beside it, networkx Louvain on all
meetings, its groups ranked by how many posts their people wrote.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from statistics import mean

import networkx as nx
import numpy as np
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.planted import AREAS, DAYS, Plan, World, grid, make_world
from config.load import load_config
from config.schema import Config
from coprod_nlp.network.gather import Wills
from coprod_nlp.network.groups import GroupRules, find_networks
from coprod_nlp.network.identity import identify
from coprod_nlp.network.ties import build_ties
from coprod_nlp.ranking.leads import rank_leads
from coprod_nlp.ranking.rules import RankingRules
from coprod_nlp.records import INTERACTION_KINDS, Interactions, Message
from coprod_nlp.vocabulary import InteractionKind, PolicyArea, Signal

END = datetime(2026, 6, 1, tzinfo=UTC)
TOP = 10
DELETED = 0.05


@dataclass(frozen=True)
class Found:
    """Groups of willing voices, each in one area, in the order of the list; `is_shown` where they met, not only share a community."""

    area: str
    voices: tuple[int, ...]
    has_met: bool = True


@cache
def _config() -> Config:
    return load_config()


def ours(world: World, *, seed: int | None = None) -> list[Found]:
    """Networks as a run would rank them, with the configuration that the project ships."""
    ranking = _config().ranking
    seed = ranking.groups.seed if seed is None else seed
    kinds = [INTERACTION_KINDS.index(InteractionKind(meeting[0])) for meeting in world.meetings]
    people = np.array([meeting[1:3] for meeting in world.meetings], dtype=np.int32)
    ages = DAYS - np.array([meeting[3] for meeting in world.meetings])
    ties = build_ties(
        Interactions(np.array(kinds, dtype=np.int8), people[:, 0], people[:, 1], ages),
        weights={InteractionKind.REPLY: ranking.ties.reply, InteractionKind.THREAD: ranking.ties.thread},
        half_life_days=ranking.ties.half_life_days,
    )
    rules = GroupRules(
        minimum_voices=ranking.minimum_voices, resolutions=ranking.groups.resolutions, seeds=ranking.groups.seeds, seed=seed,
        iterations=ranking.groups.iterations, divide_above=ranking.groups.divide_above, half_life_days=ranking.ties.half_life_days,
        area_weight=ranking.ties.area, area_reach=ranking.ties.area_reach, area_days=ranking.ties.area_days,
    )  # fmt: skip
    networks = find_networks(ties, _wills(world), voices=world.plan.people, rules=rules)
    keys = [f"{person:06}" for person in range(world.plan.people)]
    identified, _ = identify(networks, [], names=keys, namespace="planted")
    leads = rank_leads(
        identified,
        _messages(world),
        keys=keys,
        rules=RankingRules(
            weights=ranking.weights.model_dump(), minimum_voices=ranking.minimum_voices, resamples=50, seed=seed,
            half_life_days=ranking.ties.half_life_days, as_of=END, fits={}, kept_every=ranking.places.every,
        ),
        heard=Counter(f"area:{message[2]}" for message in world.messages),
    )  # fmt: skip
    gathered = {one.network_id for one in identified if one.network.is_gathered}
    return [Found(lead.area.value, tuple(map(int, lead.voices)), lead.network_id not in gathered) for lead in leads]


def louvain_by_posts(world: World) -> list[Found]:
    """Louvain over all meetings; its groups, by area with enough willing voices, ranked by how much their people post."""
    graph: nx.Graph[int] = nx.Graph()
    counts = Counter((min(one, other), max(one, other)) for _, one, other, _ in world.meetings if one != other)
    graph.add_weighted_edges_from((one, other, count) for (one, other), count in counts.items())
    groups = nx.community.louvain_communities(graph, seed=world.plan.seed)
    willing: defaultdict[str, set[int]] = defaultdict(set)
    for message in world.messages:
        if message[6]:
            willing[message[2]].add(message[0])
    found = [
        (sum(world.posts[person] for person in group), Found(area, tuple(sorted(group & willing[area]))))
        for group in groups
        for area in AREAS
        if len(group & willing[area]) >= 3
    ]
    return [one for _, one in sorted(found, key=lambda item: (-item[0], item[1].area, item[1].voices))]


def recovery(world: World, found: Sequence[Found]) -> float:
    """Adjusted mutual information over willing voices in their areas."""
    label = {(one.area, voice): f"{one.area} {place}" for place, one in enumerate(found) if one.has_met for voice in one.voices}
    willing = sorted({(message[2], message[0]) for message in world.messages if message[6]})
    planted = [f"{area} {world.network_of[voice]}" if _is_planted(world, area, voice) else "none" for area, voice in willing]
    return float(adjusted_mutual_info_score(planted, [label.get(one, "none") for one in willing]))


def precision(world: World, found: Sequence[Found]) -> float:
    """Of the first ten, or of as many as there are planted, the share that is about one planted network."""
    wanted = min(TOP, world.plan.networks)
    return sum(_is_right(world, one) for one in found[:wanted]) / wanted


def overlap(one: Sequence[Found], other: Sequence[Found]) -> int:
    """How many of the first ten stay: a lead stays where one of the other ten shares half of both their voices."""
    return sum(any(_is_same(a, b) for b in other[:TOP]) for a in one[:TOP])


def _is_same(one: Found, other: Found) -> bool:
    mine, theirs = set(one.voices), set(other.voices)
    return one.area == other.area and 2 * len(mine & theirs) >= len(mine | theirs)


def _is_planted(world: World, area: str, voice: int) -> bool:
    return voice in world.network_of and world.area_of[world.network_of[voice]] == area


def _is_right(world: World, one: Found) -> bool:
    network, count = Counter(world.network_of.get(voice, -1) for voice in one.voices).most_common(1)[0]
    return network >= 0 and world.area_of[network] == one.area and 2 * count > len(one.voices)


def _wills(world: World) -> dict[PolicyArea, Wills]:
    wills = {}
    for area in AREAS:
        about = [message for message in world.messages if message[2] == area]
        some = [message for message in about if message[6]]
        crowd = Counter(community for community, _ in {(message[1], message[0]) for message in about})
        wills[PolicyArea(area)] = Wills(
            np.array([message[0] for message in some], dtype=np.int32), np.array([message[1] for message in some], dtype=np.int32),
            DAYS - np.array([message[3] for message in some]), crowd,
        )  # fmt: skip
    return wills


def _messages(world: World) -> list[Message]:
    return [
        Message(
            f"p{place:06}", f"{person:06}", f"c{community}", END - timedelta(days=DAYS - day), chance, is_willing, {PolicyArea(area): 0.9},
            {Signal(signal): 0.9 for signal in signals},
        )
        for place, (person, community, area, day, signals, chance, is_willing) in enumerate(world.messages)
    ]  # fmt: skip


def main() -> None:
    """Print the grid, then how far the list stays the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="worlds for each plan")
    parser.add_argument("--stability", type=int, default=20, help="seeds and deletions that the list is compared over; 0 leaves it out")
    asked = parser.parse_args()
    print(f"{'plan':24} recovery ours/Louvain   top ten right ours/by posts   (means of {asked.seeds} worlds, lowest in brackets)")
    for name, plan in grid():
        rows = []
        for seed in range(1, asked.seeds + 1):
            world = make_world(replace(plan, seed=seed))
            mine, peers = ours(world), louvain_by_posts(world)
            rows.append((recovery(world, mine), recovery(world, peers), TOP * precision(world, mine), TOP * precision(world, peers)))
        found, peers_found, right, peers_right = (mean(column) for column in zip(*rows, strict=True))
        worst, _, fewest, _ = (min(column) for column in zip(*rows, strict=True))
        print(f"{name:24} {found:.2f} [{worst:.2f}] / {peers_found:.2f}         {right:.1f} [{fewest:.0f}] / {peers_right:.1f}")
    if asked.stability:
        plans = {
            "alike by making": Plan(networks=24, people=6_000),
            "ten stand out": Plan(networks=24, people=6_000, size=10, standouts=10),
        }
        for name, plan in plans.items():
            _print_stability(name, make_world(plan), asked.stability)


def _print_stability(name: str, world: World, count: int) -> None:
    """How many of the first ten stay, beside how many would if every planted network were known and ranked by its willing voices."""
    whole, wanted = ours(world), planted_order(world)[:TOP]
    seeds, less, best = [], [], []
    for seed in range(count):
        rest = world.without(DELETED, seed)
        seeds.append(overlap(whole, ours(world, seed=seed)))
        less.append(overlap(whole, ours(rest, seed=seed)))
        best.append(len(set(wanted) & set(planted_order(rest)[:TOP])))
    for what, found in (("seeds", seeds), ("random deletions of 5 %", less), ("the same deletions, all that was planted known", best)):
        print(f"{name}: of the top ten stay over {count} {what}: mean {mean(found):.1f}, lowest {min(found)}")


def planted_order(world: World) -> list[int]:
    """The planted networks by how many of their voices are read as willing, most first: what a finder that knew them all would list."""
    willing: defaultdict[int, set[int]] = defaultdict(set)
    for message in world.messages:
        if message[6] and _is_planted(world, message[2], message[0]):
            willing[world.network_of[message[0]]].add(message[0])
    return sorted(willing, key=lambda network: (-len(willing[network]), network))


if __name__ == "__main__":
    main()
