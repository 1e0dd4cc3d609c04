"""Ties to candidate networks, by the Leiden algorithm (Traag, Waltman and van Eck 2019, doi:10.1038/s41598-019-41695-z)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import sha256

import graspologic_native

from coprod_nlp.records import CandidateNetwork, Tie


def find_networks(
    ties: Sequence[Tie], *, order: Mapping[str, int], namespace: str, minimum_voices: int, resolution: float, iterations: int, seed: int
) -> list[CandidateNetwork]:
    """Groups of at least `minimum_voices` author keys who met each other more than others, largest first.

    Parameters
    ----------
    order
        A number for each author key, by which they are put before the algorithm: its result depends on their order, and
        author keys are as good as random, so their own order would give each installation other groups.
    namespace
        Goes into `network_id`, so that the same voices found for two councils are two networks.
    """
    if not ties:
        return []
    order = _completed(order, ties)
    pairs = sorted((*sorted((order[tie.first_key], order[tie.second_key])), tie.weight) for tie in ties)
    edges = [(str(first), str(second), weight) for first, second, weight in pairs]
    _, group_of = graspologic_native.leiden(edges, resolution=resolution, iterations=iterations, seed=seed)
    keys = {key for tie in ties for key in (tie.first_key, tie.second_key)}
    member_of = {key: group_of[str(order[key])] for key in keys}
    members: defaultdict[int, list[str]] = defaultdict(list)
    for key, group in member_of.items():
        members[group].append(key)
    inner: defaultdict[int, list[Tie]] = defaultdict(list)
    for tie in ties:
        if member_of[tie.first_key] == member_of[tie.second_key]:
            inner[member_of[tie.first_key]].append(tie)
    found = [
        CandidateNetwork(_network_id(namespace, sorted(voices)), tuple(sorted(voices)), tuple(inner[group]))
        for group, voices in members.items()
        if len(voices) >= minimum_voices
    ]
    return sorted(found, key=lambda network: (-len(network.voices), network.network_id))


def _completed(order: Mapping[str, int], ties: Sequence[Tie]) -> Mapping[str, int]:
    """Keys that the order does not know come last: they met somebody, but wrote nothing here."""
    unknown = sorted({key for tie in ties for key in (tie.first_key, tie.second_key)} - order.keys())
    return {**order, **{key: len(order) + place for place, key in enumerate(unknown)}} if unknown else order


def _network_id(namespace: str, voices: list[str]) -> str:
    return "n-" + sha256("\n".join([namespace, *voices]).encode()).hexdigest()[:16]
