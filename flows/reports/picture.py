"""A network as a picture: nodes placed by force, without names or keys."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import networkx as nx

WIDTH, HEIGHT, MARGIN = 360, 240, 16
MAX_NODES = 60
LAYOUT_SEED = 7


@dataclass(frozen=True)
class Node:
    x: float
    y: float
    is_willing: bool


@dataclass(frozen=True)
class NetworkPicture:
    """Nodes and lines in a field of `WIDTH` by `HEIGHT`; `left_out` voices did not fit."""

    nodes: tuple[Node, ...]
    lines: tuple[tuple[float, float, float, float, float], ...]
    willing: int
    others: int
    left_out: int
    width: int = WIDTH
    height: int = HEIGHT


def network_graph(ties: Iterable[Any], willing: set[str]) -> "nx.Graph[str]":
    """Ties (source_key, target_key, meetings) as a graph; nodes know whether they are willing."""
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(sorted(willing), willing=True)
    totals: defaultdict[tuple[str, str], int] = defaultdict(int)
    for tie in ties:
        totals[min(tie.source_key, tie.target_key), max(tie.source_key, tie.target_key)] += tie.meetings
    for (first, second), meetings in sorted(totals.items()):
        for key in (first, second):
            if key not in graph:
                graph.add_node(key, willing=False)
        graph.add_edge(first, second, weight=meetings)
    return graph


def network_picture(ties: Iterable[Any], willing: set[str]) -> NetworkPicture:
    """The willing voices and those they met most, up to `MAX_NODES` in all."""
    ties = list(ties)
    voices = willing | {key for tie in ties for key in (tie.source_key, tie.target_key)}
    near: Counter[str] = Counter()
    for tie in ties:
        if (tie.source_key in willing) != (tie.target_key in willing):
            near[tie.target_key if tie.source_key in willing else tie.source_key] += tie.meetings
    drawn = sorted(willing)[:MAX_NODES]
    drawn += sorted(near, key=lambda key: (-near[key], key))[: MAX_NODES - len(drawn)]
    shown = set(drawn)
    graph = network_graph((tie for tie in ties if tie.source_key in shown and tie.target_key in shown), willing & shown)
    graph.add_nodes_from(shown - set(graph), willing=False)
    places = _places(graph)
    heaviest = max((data["weight"] for _, _, data in graph.edges(data=True)), default=1)
    lines = tuple(
        (*places[a], *places[b], 0.6 + 2.4 * data["weight"] / heaviest)
        for a, b, data in sorted(graph.edges(data=True), key=lambda e: e[:2])
    )
    nodes = tuple(Node(*places[key], key in willing) for key in sorted(drawn, key=lambda key: key in willing))
    return NetworkPicture(nodes, lines, len(willing), len(voices) - len(willing), len(voices) - len(drawn))


def _places(graph: "nx.Graph[str]") -> dict[str, tuple[float, float]]:
    ordered: nx.Graph[str] = nx.Graph()
    ordered.add_nodes_from(sorted(graph))
    ordered.add_edges_from(sorted((min(a, b), max(a, b), {"weight": data["weight"] ** 0.5}) for a, b, data in graph.edges(data=True)))
    layout = nx.spring_layout(ordered, seed=LAYOUT_SEED, iterations=80, k=1.8 / max(1, len(ordered)) ** 0.5)
    xs, ys = [float(x) for x, _ in layout.values()], [float(y) for _, y in layout.values()]
    return {
        key: (round(_scaled(float(x), xs, WIDTH), 1), round(_scaled(float(y), ys, HEIGHT), 1)) for key, (x, y) in sorted(layout.items())
    }


def _scaled(value: float, among: list[float], size: int) -> float:
    low, high = min(among), max(among)
    return size / 2 if high == low else MARGIN + (value - low) / (high - low) * (size - 2 * MARGIN)
