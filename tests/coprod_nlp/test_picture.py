"""The network picture: every voice is drawn, none over another's part, and a picture of thousands stays small and quick."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot
from random import Random

import networkx as nx
import pytest

from coprod_nlp.drawing.picture import DRAWN_SINGLY, HEIGHT, PARTS_DRAWN, WIDTH, network_graph, network_picture


@dataclass(frozen=True)
class Meeting:
    source_key: str
    target_key: str
    meetings: int


def meetings(pairs: Iterable[tuple[int, int]]) -> list[Meeting]:
    return [Meeting(f"key{first:05}", f"key{second:05}", 1 + (first + second) % 3) for first, second in pairs]


def planted(voices: int, parts: int) -> "nx.Graph[str]":
    """A network of so many voices who meet mostly within their part."""
    random = Random(5)
    pairs = {
        tuple(sorted((one, other if random.random() < 0.9 else random.randrange(voices))))
        for one in range(voices)
        for other in random.choices(range(one % parts, voices, parts), k=4)
    }
    ties = meetings((first, second) for first, second in pairs if first != second)
    return network_graph(ties, {f"key{number:05}": number % 7 == 0 for number in range(voices)})


@pytest.mark.parametrize("voices", [3, DRAWN_SINGLY, DRAWN_SINGLY + 1, 400, 2000])
def test_every_voice_is_drawn_once_and_inside_the_field(voices: int) -> None:
    picture = network_picture(planted(voices, 12))
    dots = [dot.removesuffix("h0").split() for dot in (picture.willing_dots + picture.other_dots).split("M")[1:]]
    assert len(dots) == voices
    assert picture.willing_dots.count("M") == len(range(0, voices, 7))
    assert all(0 <= float(x) <= WIDTH and 0 <= float(y) <= HEIGHT for x, y in dots)


def test_a_network_of_two_thousand_is_drawn_by_parts_none_over_another() -> None:
    picture = network_picture(planted(2000, 12))
    assert 2 < len(picture.discs) <= PARTS_DRAWN + 1
    for place, one in enumerate(picture.discs):
        for other in picture.discs[place + 1 :]:
            assert hypot(one.x - other.x, one.y - other.y) > one.radius + other.radius
    assert sum(int(disc.label.replace(",", "") or 0) for disc in picture.discs) > 1900
    assert len(picture.willing_dots + picture.other_dots) + sum(len(path) for path, _ in picture.lines) < 45_000


def test_voices_who_met_nobody_are_drawn_too() -> None:
    alone = network_graph([], {f"key{number}": True for number in range(90)})
    picture = network_picture(alone)
    assert (picture.willing_dots.count("M"), picture.lines, len(picture.discs)) == (90, (), 1)


@pytest.mark.parametrize("voices", [40, 300])
def test_the_same_network_gives_the_same_picture_in_whatever_order_it_comes(voices: int) -> None:
    graph = planted(voices, 5)
    ties = [Meeting(first, second, weight) for first, second, weight in graph.edges(data="weight")]
    Random(3).shuffle(ties)
    assert network_picture(network_graph(ties, dict(graph.nodes(data="willing")))) == network_picture(graph)


def test_no_picture_holds_a_key() -> None:
    assert "key0" not in repr(network_picture(planted(300, 5))) + repr(network_picture(planted(30, 3)))
