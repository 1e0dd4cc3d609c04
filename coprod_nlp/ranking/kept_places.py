"""Places in the list that are kept for policy areas and communities which are seldom heard."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median

from coprod_nlp.records import RankedLead

# Heard of less than this share of what the middle one of its kind is.
SELDOM = 0.5


def with_kept_places(leads: Sequence[RankedLead], heard: Mapping[str, int], *, every: int) -> list[RankedLead]:
    """Leads in the order of the list: each `every`th place goes to the best lead of somebody under-heard, if there is one, and says so.

    Under-heard is an area or community with less than half the posts of the middle one of its kind, of which no lead stands above.
    """
    if every < 1:
        return list(leads)
    quiet = _quiet(heard)
    waiting, listed = list(leads), list[RankedLead]()
    seen: set[str] = set()
    while waiting:
        choice, kept_for = 0, None
        if (len(listed) + 1) % every == 0:
            choice, kept_for = next(_under_heard(waiting, quiet - seen), (0, None))
        lead = waiting.pop(choice)
        listed.append(replace(lead, kept_for=kept_for) if choice else lead)
        seen |= set(_names(lead))
    return listed


def _names(lead: RankedLead) -> tuple[str, str]:
    return f"area:{lead.area}", f"community:{lead.community_id}"


def _under_heard(waiting: Sequence[RankedLead], quiet: set[str]) -> Iterator[tuple[int, str | None]]:
    for place, lead in enumerate(waiting):
        for name in _names(lead):
            if name in quiet:
                yield place, name


def _quiet(heard: Mapping[str, int]) -> set[str]:
    quiet: set[str] = set()
    for kind in ("area:", "community:"):
        counts = {name: count for name, count in heard.items() if name.startswith(kind)}
        middle = median(counts.values()) if counts else 0
        quiet |= {name for name, count in counts.items() if count < SELDOM * middle}
    return quiet
