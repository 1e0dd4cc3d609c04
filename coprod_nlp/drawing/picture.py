"""A network as a picture, without names or keys: each voice a dot where they are few, parts as discs of dots where they are many."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import cos, hypot, pi, sin, sqrt
from typing import Any

import graspologic_native
import networkx as nx

WIDTH, HEIGHT, MARGIN = 360, 240, 16
# Room below a disc for its number.
LABEL_ROOM = 14
# Up to this many voices each is drawn with its ties; a network of more is drawn by its parts.
DRAWN_SINGLY = 60
PARTS_DRAWN = 24
SMALL_PART, LABELLED_PART = 4, 10
LAYOUT_SEED = 7
GOLDEN_ANGLE = pi * (3 - sqrt(5))
LINE_WIDTHS = (0.6, 1.2, 2.0, 3.0)
SINGLE_CAPTION = "Filled: the willing voices of this lead. Open: others in the network who answer them. Thicker lines: met more often."
PARTS_CAPTION = (
    "Each disc is a part of the network whose voices meet each other most, with their number. Each dot is a voice, dark where willing. "
    "Thicker lines: parts that meet more often."
)

Places = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Disc:
    """A part of the network: its voices stand inside it. `label` is their number, where there is room."""

    x: float
    y: float
    radius: float
    label: str


@dataclass(frozen=True)
class NetworkPicture:
    """Dots and lines in a field of `width` by `height`, each kind as one SVG path; `words` say the same."""

    willing_dots: str
    other_dots: str
    dot: float
    lines: tuple[tuple[str, float], ...]
    discs: tuple[Disc, ...]
    words: str
    caption: str
    width: int = WIDTH
    height: int = HEIGHT


def network_graph(ties: Iterable[Any], voices: Mapping[str, bool]) -> "nx.Graph[str]":
    """Ties (source_key, target_key, meetings) and voices, each with whether it is willing, as a graph in a fixed order."""
    totals: defaultdict[tuple[str, str], int] = defaultdict(int)
    for tie in ties:
        totals[min(tie.source_key, tie.target_key), max(tie.source_key, tie.target_key)] += tie.meetings
    graph: nx.Graph[str] = nx.Graph()
    for key in sorted({*voices, *(key for pair in totals for key in pair)}):
        graph.add_node(key, willing=voices.get(key, False))
    graph.add_weighted_edges_from((first, second, meetings) for (first, second), meetings in sorted(totals.items()))
    return graph


def network_picture(graph: "nx.Graph[str]") -> NetworkPicture:
    """The picture of a graph that `network_graph` made, the same each time."""
    willing = sum(is_willing for _, is_willing in graph.nodes(data="willing"))
    words = f"Network of {willing} willing voices and {len(graph) - willing} others, joined by {graph.number_of_edges()} ties"
    return _singly(graph, words) if len(graph) <= DRAWN_SINGLY else _by_parts(graph, words)


def _singly(graph: "nx.Graph[str]", words: str) -> NetworkPicture:
    places = _spread(graph)
    heaviest = max((weight for _, _, weight in graph.edges(data="weight")), default=1)
    drawn: defaultdict[float, list[str]] = defaultdict(list)
    for first, second, weight in graph.edges(data="weight"):
        drawn[_width(weight / heaviest)].append(_line(places[first], places[second]))
    lines = tuple((" ".join(paths), width) for width, paths in sorted(drawn.items()))
    return NetworkPicture(*_dots(graph, places), dot=11.0, lines=lines, discs=(), words=words, caption=SINGLE_CAPTION)


def _by_parts(graph: "nx.Graph[str]", words: str) -> NetworkPicture:
    part_of = _parts(graph)
    members: defaultdict[int, list[str]] = defaultdict(list)
    for key in sorted(graph, key=lambda key: (not graph.nodes[key]["willing"], key)):
        members[part_of[key]].append(key)
    between: Counter[tuple[int, int]] = Counter()
    for first, second, weight in graph.edges(data="weight"):
        one, other = sorted((part_of[first], part_of[second]))
        if one != other:
            between[one, other] += weight
    discs = _discs({part: len(keys) for part, keys in members.items()}, between)
    dot = max(1.6, min(7.0, 1.5 * min(disc.radius / sqrt(len(members[part])) for part, disc in discs.items())))
    places = {key: _in_disc(discs[part], number, len(keys)) for part, keys in members.items() for number, key in enumerate(keys)}
    heaviest = max(between.values(), default=1)
    drawn: defaultdict[float, list[str]] = defaultdict(list)
    for (one, other), weight in sorted(between.items()):
        a, b = discs[one], discs[other]
        drawn[_width(weight / heaviest)].append(_line((a.x, a.y), (b.x, b.y)))
    lines = tuple((" ".join(paths), width) for width, paths in sorted(drawn.items()))
    words = f"{words}, drawn as {len(discs)} parts"
    return NetworkPicture(*_dots(graph, places), dot=dot, lines=lines, discs=tuple(discs.values()), words=words, caption=PARTS_CAPTION)


def _parts(graph: "nx.Graph[str]") -> dict[str, int]:
    """Parts by the Leiden algorithm, largest first; voices who met nobody, and parts too small to draw, are one part together."""
    number = {key: place for place, key in enumerate(graph)}
    edges = [(str(number[first]), str(number[second]), float(weight)) for first, second, weight in graph.edges(data="weight")]
    found: Mapping[str, int] = graspologic_native.leiden(edges, seed=LAYOUT_SEED)[1] if edges else {}
    part_of = {key: found.get(str(place), -1) for key, place in number.items()}
    sizes = Counter(part_of.values())
    kept = [part for part, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])) if part >= 0 and size >= SMALL_PART]
    place = {part: number for number, part in enumerate(kept[:PARTS_DRAWN])}
    return {key: place.get(part, len(place)) for key, part in part_of.items()}


def _discs(sizes: Mapping[int, int], between: Mapping[tuple[int, int], int]) -> dict[int, Disc]:
    """Discs with an area for each voice, near those they meet, none over another, as large as the field allows."""
    radius = {part: sqrt(size) for part, size in sorted(sizes.items())}
    among: nx.Graph[int] = nx.Graph()
    among.add_nodes_from(radius)
    among.add_weighted_edges_from((one, other, weight**0.5) for (one, other), weight in sorted(between.items()))
    span = 2 * sum(radius.values()) / sqrt(len(radius))
    layout = nx.spring_layout(among, seed=LAYOUT_SEED, iterations=60)
    at = {part: [float(x) * span * WIDTH / HEIGHT, float(y) * span] for part, (x, y) in sorted(layout.items())}
    _push_apart(at, radius)
    low_x, low_y = (min(at[part][axis] - radius[part] for part in at) for axis in (0, 1))
    high_x, high_y = (max(at[part][axis] + radius[part] for part in at) for axis in (0, 1))
    scale = min((WIDTH - MARGIN) / (high_x - low_x), (HEIGHT - MARGIN - LABEL_ROOM) / (high_y - low_y))
    left, top = (WIDTH - scale * (high_x - low_x)) / 2, (HEIGHT - LABEL_ROOM - scale * (high_y - low_y)) / 2
    return {
        part: Disc(
            round(left + scale * (x - low_x), 1), round(top + scale * (y - low_y), 1), round(scale * radius[part], 1),
            f"{sizes[part]:,}" if sizes[part] >= LABELLED_PART else "",
        )
        for part, (x, y) in at.items()
    }  # fmt: skip


def _push_apart(at: dict[int, list[float]], radius: Mapping[int, float]) -> None:
    """Move discs until none lies over another, those near the middle staying near it."""
    parts = sorted(at)
    for _ in range(400):
        is_clear = True
        for place, one in enumerate(parts):
            for other in parts[place + 1 :]:
                dx, dy = at[other][0] - at[one][0], at[other][1] - at[one][1]
                apart, wanted = hypot(dx, dy) or 1e-6, 1.12 * (radius[one] + radius[other]) + 0.5
                if apart < wanted - 1e-3:
                    is_clear = False
                    push = (wanted - apart) / 2 / apart
                    at[one][0], at[one][1] = at[one][0] - push * dx, at[one][1] - push * dy
                    at[other][0], at[other][1] = at[other][0] + push * dx, at[other][1] + push * dy
        if is_clear:
            return


def _in_disc(disc: Disc, number: int, count: int) -> tuple[float, float]:
    """The place of a voice in its disc: seeds of a sunflower, the willing in the middle."""
    out = 0.92 * disc.radius * sqrt((number + 0.5) / count)
    return round(disc.x + out * cos(number * GOLDEN_ANGLE), 1), round(disc.y + out * sin(number * GOLDEN_ANGLE), 1)


def _dots(graph: "nx.Graph[str]", places: Places) -> tuple[str, str]:
    """Dots of the willing and of the others, as lines of no length with round ends: a tenth of the size of as many circles."""
    drawn: tuple[list[str], list[str]] = ([], [])
    for key, is_willing in graph.nodes(data="willing"):
        drawn[not is_willing].append(f"M{places[key][0]:g} {places[key][1]:g}h0")
    return "".join(drawn[0]), "".join(drawn[1])


def _line(start: tuple[float, float], end: tuple[float, float]) -> str:
    return f"M{start[0]:g} {start[1]:g}L{end[0]:g} {end[1]:g}"


def _width(share: float) -> float:
    return LINE_WIDTHS[min(int(share * len(LINE_WIDTHS)), len(LINE_WIDTHS) - 1)]


def _spread(graph: "nx.Graph[str]") -> Places:
    """A force layout, scaled to the field."""
    weighed: nx.Graph[str] = nx.Graph()
    weighed.add_nodes_from(graph)
    weighed.add_weighted_edges_from((first, second, weight**0.5) for first, second, weight in graph.edges(data="weight"))
    layout = nx.spring_layout(weighed, seed=LAYOUT_SEED, iterations=80, k=1.8 / max(1, len(weighed)) ** 0.5)
    xs, ys = [float(x) for x, _ in layout.values()], [float(y) for _, y in layout.values()]
    return {key: (round(_scaled(float(x), xs, WIDTH), 1), round(_scaled(float(y), ys, HEIGHT), 1)) for key, (x, y) in layout.items()}


def _scaled(value: float, among: list[float], size: int) -> float:
    low, high = min(among), max(among)
    return size / 2 if high == low else MARGIN + (value - low) / (high - low) * (size - 2 * MARGIN)
