"""What places, wards, programmes and groups name must be there: rules between the files of the configuration."""

from collections.abc import Iterator, Mapping
from typing import Any

from config.toml_lines import Path as KeyPath

Found = tuple[str, KeyPath, str]


def place_references(values: Mapping[str, Any]) -> Iterator[Found]:
    """File, key and remedy of everything that is named and not there; a file that is unsound itself is left out."""
    councils = values.get("councils")
    if councils is None:
        return
    communities = {c.community_id for c in values["communities"]} if "communities" in values else None
    for key, council in councils.items():
        wards = {ward.code for ward in council.wards}
        for area, fit in council.areas.items():
            for programme in fit.programmes:
                for code in set(programme.wards) - wards:
                    yield "councils.toml", (key, "areas", area, "programmes"), _not_there("ward", code, wards)
        for place, group in enumerate(council.groups):
            for name in set(group.communities) - (communities if communities is not None else set(group.communities)):
                yield "councils.toml", (key, "groups", place, "communities"), _not_there("community", name, communities or ())
    for number, place in enumerate(values.get("places", ())):
        if place.council not in councils:
            yield "places.toml", ("place", number, "council"), _not_there("council", place.council, councils)
        elif place.ward and place.ward not in (known := {ward.code for ward in councils[place.council].wards}):
            yield "places.toml", ("place", number, "ward"), _not_there("ward", place.ward, known)


def _not_there(what: str, seen: str, known: Any) -> str:
    return f"unknown {what} {seen!r}; allowed: {', '.join(sorted(known)) or 'none yet, so leave it out or add it'}"
