"""Opportunity map and coverage: where people are ready and where nobody is seen, counted anew from what is stored now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil

from sqlalchemy import Connection

from coprod_nlp.ranking.opportunity import Energy, OpportunityMap, Standing
from coprod_nlp.ranking.places import Gazetteer, GazetteerPlace
from coprod_nlp.vocabulary import PolicyArea
from coprod_nlp.words import STANDING_WORDS
from flows.job import Job
from models import report_queries

SHADES = 4


@dataclass(frozen=True)
class OpportunityRow:
    """One policy area: public energy beside what the council runs there. `named` counts the posts that name a programme."""

    key: str
    area: str
    posts: int
    willing: int
    willing_voices: int
    proposing: int
    complaining: int
    asking: int
    programmes: tuple[str, ...] | None
    named: int
    fit: float | None
    standing: str


@dataclass(frozen=True)
class CellRow:
    """One ward, in one policy area or (`key` empty) in all; counts are None where fewer voices than `minimum_voices` wrote."""

    ward: str
    code: str
    key: str
    area: str
    posts: int | None
    willing: int | None
    proposing: int | None
    complaining: int | None
    asking: int | None
    standing: str


@dataclass(frozen=True)
class MatrixRow:
    """One policy area across all wards: a cell each, or None where no message speaks of both; `level` 0 to 4 shades it."""

    area: str
    cells: tuple[tuple[CellRow, int] | None, ...]


@dataclass(frozen=True)
class StandingGroup:
    """Policy areas that stand alike, with the number of willing voices in each."""

    key: str
    name: str
    advice: str
    areas: tuple[tuple[str, int], ...]


def council_gazetteer(job: Job) -> Gazetteer:
    """Wards and landmarks of the council, by every name they go by."""
    wards = [GazetteerPlace(ward.name, (ward.name, *ward.aliases), ward.code) for ward in job.council.wards]
    marks = [
        GazetteerPlace(place.name, (place.name, *place.aliases), place.ward)
        for place in job.config.places
        if place.council == job.request.council
    ]
    return Gazetteer([*wards, *marks])


def count_energy(connection: Connection, job: Job, gazetteer: Gazetteer) -> OpportunityMap:
    """Every stored message about a policy area, with the places and the council's programmes that it names."""
    energy = OpportunityMap()
    programmes = Gazetteer(
        GazetteerPlace(programme.name, (programme.name,), None) for fit in job.council.areas.values() for programme in fit.programmes
    )
    for row in report_queries.messages_with_an_area(connection, job.scope(), version=job.run().versions["reading"]):
        text = f"{row.title}\n{row.body}"
        places = gazetteer.find(text)
        energy.add(
            areas=row.areas, signals=row.signals, is_willing=row.is_willing, author_key=row.author_key,
            places=[place.name for place in places], wards=[place.ward for place in places if place.ward],
            programmes=[programme.name for programme in programmes.find(text)],
        )  # fmt: skip
    return energy


def opportunity_rows(job: Job, energy: OpportunityMap) -> Iterable[OpportunityRow]:
    """One row a policy area, in the codebook's order."""
    minimum = job.config.ranking.minimum_voices
    for area in PolicyArea:
        found, fit = energy.areas[area], job.council.areas.get(area.value)
        judged = [value for value in (fit.substitutability, fit.interdependence) if value is not None] if fit else []
        programmes = tuple(programme.name for programme in fit.programmes) if fit else None
        yield OpportunityRow(
            key=area.value,
            area=job.config.policy_areas[area.value].name,
            **found.as_dict(),
            willing_voices=len(found.willing_voices),
            programmes=programmes,
            named=sum(energy.programmes[name] for name in programmes or ()),
            fit=sum(judged) / len(judged) if judged else None,
            standing=found.standing(None if programmes is None else len(programmes), minimum_voices=minimum).value,
        )


def standing_groups(rows: Iterable[OpportunityRow]) -> tuple[StandingGroup, ...]:
    """Policy areas by how public energy and the council's programmes stand to each other; groups without one are left out."""
    rows = list(rows)
    groups = []
    for standing in Standing:
        alike = sorted((row for row in rows if row.standing == standing.value), key=lambda row: (-row.willing_voices, row.area))
        if alike:
            groups.append(StandingGroup(standing.value, *STANDING_WORDS[standing], tuple((row.area, row.willing_voices) for row in alike)))
    return tuple(groups)


def ward_rows(job: Job, energy: OpportunityMap) -> Iterable[CellRow]:
    """Every ward as a whole, then every ward and policy area that a message speaks of together."""
    for ward in job.council.wards:
        yield _cell(job, ward.name, ward.code, "", energy.wards.get(ward.code, Energy()))
        for area in PolicyArea:
            if found := energy.cells.get((area, ward.code)):
                yield _cell(job, ward.name, ward.code, area.value, found)


def _cell(job: Job, ward: str, code: str, key: str, found: Energy) -> CellRow:
    """Counts of fewer voices than may be shown are left out: they would speak of somebody."""
    minimum = job.config.ranking.minimum_voices
    is_shown = not found.posts or len(found.voices) >= minimum
    counts: Mapping[str, int | None] = found.as_dict() if is_shown else dict.fromkeys(found.as_dict())
    fit = job.council.areas.get(key)
    here = [programme for programme in fit.programmes if not programme.wards or code in programme.wards] if fit else []
    standing = found.standing(len(here), minimum_voices=minimum) if fit else Standing.NOT_KNOWN
    name = job.config.policy_areas[key].name if key else ""
    return CellRow(ward=ward, code=code, key=key, area=name, **counts, standing=standing.value)


def ward_matrix(job: Job, rows: Iterable[CellRow]) -> tuple[MatrixRow, ...]:
    """Policy areas by wards; areas that no message speaks of together with a ward are left out."""
    cells = {(row.key, row.code): row for row in rows if row.key}
    most = max((row.willing or 0 for row in cells.values()), default=0)
    found = []
    for area in PolicyArea:
        across = [cells.get((area.value, ward.code)) for ward in job.council.wards]
        if any(across):
            shaded = tuple((cell, ceil(SHADES * (cell.willing or 0) / most) if most else 0) if cell else None for cell in across)
            found.append(MatrixRow(job.config.policy_areas[area.value].name, shaded))
    return tuple(found)
