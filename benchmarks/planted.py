"""Made-up communities with planted networks whose size, density, noise and willingness are known.

Shares no code with what finds networks: plain tuples, the standard library's random numbers. People are numbers.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, combinations
from random import Random

AREAS = ("parks", "waste", "transport", "culture", "social_care", "environment")
FIRM, SOFT = ("active", "organise", "offer", "offer"), ("offer", "seek", "seek", "seek")
DAYS = 360.0


@dataclass(frozen=True)
class Plan:
    """What is planted, and in what noise.

    `noise` is the share of what a member of a planted network does that is done with people outside it; `willingness` the share of
    members who would help. `missed` is the share of willing messages that a reader overlooks, `mistaken` the share of everybody
    else who are read as willing once, in some area. Decoys are circles that talk a great deal and want nothing.
    """

    people: int = 3_000
    communities: int = 4
    networks: int = 12
    size: int = 14
    standouts: int = 0
    standout_size: int = 24
    standout_willingness: float = 0.9
    density: float = 0.3
    noise: float = 0.4
    willingness: float = 0.7
    missed: float = 0.2
    mistaken: float = 0.04
    decoys: int = 10
    decoy_size: int = 20
    talk: float = 2.0
    seed: int = 1


@dataclass
class World:
    """What came of a plan: meetings (kind, source, target, day), messages (person, community, area, day, signals, chance, is_willing)."""

    plan: Plan
    meetings: list[tuple[str, int, int, float]] = field(default_factory=list)
    messages: list[tuple[int, int, str, float, tuple[str, ...], float, bool]] = field(default_factory=list)
    posts: Counter[int] = field(default_factory=Counter)
    network_of: dict[int, int] = field(default_factory=dict)
    area_of: dict[int, str] = field(default_factory=dict)

    def without(self, share: float, seed: int) -> "World":
        """The same world after a random share of its meetings and messages was deleted."""
        keeps = Random(seed)  # noqa: S311
        return World(
            self.plan,
            [one for one in self.meetings if keeps.random() >= share],
            [one for one in self.messages if keeps.random() >= share],
            self.posts,
            self.network_of,
            self.area_of,
        )


def make_world(plan: Plan) -> World:
    """Plant the networks and decoys of a plan among everybody else."""
    return _Maker(plan).world


class _Maker:
    def __init__(self, plan: Plan) -> None:
        self.plan, self.random, self.world = plan, Random(plan.seed), World(plan)  # noqa: S311
        self.home = [self.random.randrange(plan.communities) for _ in range(plan.people)]
        self.activity = [self.random.paretovariate(1.6) for _ in range(plan.people)]
        self.neighbours: list[list[int]] = [[] for _ in range(plan.communities)]
        for person, community in enumerate(self.home):
            self.neighbours[community].append(person)
        self.pull = [list(accumulate(min(self.activity[person], 30.0) for person in some)) for some in self.neighbours]
        self.free = [list(some) for some in self.neighbours]
        for some in self.free:
            self.random.shuffle(some)
        self._chatter()
        for number in range(plan.networks):
            self._plant(number)
        for number in range(plan.decoys):
            self._circle(self._take(number % plan.communities, plan.decoy_size), density=0.5, noise=plan.noise, often=6)
        self._strays()

    def _day(self) -> float:
        return self.random.uniform(0, DAYS)

    def _somebody(self, community: int) -> int:
        return self.random.choices(self.neighbours[community], cum_weights=self.pull[community])[0]

    def _take(self, community: int, count: int) -> list[int]:
        """People who are in no network or circle yet."""
        return [self.free[community].pop() for _ in range(min(count, len(self.free[community])))]

    def _meet(self, kind: str, one: int, other: int, day: float) -> None:
        self.world.meetings.append((kind, one, other, day))
        self.world.posts[one] += 1

    def _chatter(self) -> None:
        """Threads about anything, among whoever is around."""
        plan = self.plan
        wanted = int(plan.people * plan.talk)
        while len(self.world.meetings) < wanted:
            community, day = self.random.randrange(plan.communities), self._day()
            size = 2 + min(10, int(self.random.expovariate(0.4)))
            present = list(dict.fromkeys(self._somebody(community) for _ in range(size)))
            for place, person in enumerate(present[1:], start=1):
                self._meet("reply", person, present[self.random.randrange(place)], day)
            for one, other in combinations(present, 2):
                self.world.meetings.append(("thread", one, other, day))
            for person in present:
                self.world.posts[person] += self.random.randrange(3)
                if self.random.random() < 0.2:
                    self._say(person, self.random.choice(AREAS), day, (), willing=False)

    def _circle(self, members: list[int], *, density: float, noise: float, often: int) -> None:
        """People who meet each other, and people outside besides."""
        inside: Counter[int] = Counter()
        for one, other in combinations(members, 2):
            if self.random.random() >= density:
                continue
            for _ in range(self.random.randint(1, often)):
                asks, answers = self.random.sample((one, other), 2)
                self._meet("reply", asks, answers, self._day())
                inside.update((one, other))
            if self.random.random() < 0.5:
                self.world.meetings.append(("thread", one, other, self._day()))
        for person in members:
            self.world.posts[person] += often
            for _ in range(round(inside[person] * noise / (1 - noise))):
                other = self._somebody(self.home[person])
                if other != person:
                    self._meet("reply", person, other, self._day())

    def _plant(self, number: int) -> None:
        plan = self.plan
        stands_out = number < plan.standouts
        members = self._take(number % plan.communities, plan.standout_size if stands_out else plan.size)
        willingness = plan.standout_willingness if stands_out else plan.willingness
        area = AREAS[number % len(AREAS)]
        self.world.area_of[number] = area
        self._circle(members, density=plan.density, noise=plan.noise, often=2)
        for person in members:
            self.world.network_of[person] = number
            is_willing = self.random.random() < willingness
            for _ in range(self.random.randint(1, 3)):
                said = (self.random.choice(FIRM), *self._besides()) if is_willing else self._besides()
                self._say(person, area, self._day(), said, willing=is_willing and self.random.random() >= plan.missed)

    def _besides(self) -> tuple[str, ...]:
        return tuple(signal for signal, share in (("ability", 0.25), ("purpose", 0.25), ("propose", 0.15)) if self.random.random() < share)

    def _strays(self) -> None:
        """Goodwill, and the reader's mistakes, of people in no network."""
        for person in range(self.plan.people):
            if person not in self.world.network_of and self.random.random() < self.plan.mistaken:
                self._say(person, self.random.choice(AREAS), self._day(), (self.random.choice(SOFT),), willing=True)

    def _say(self, person: int, area: str, day: float, signals: tuple[str, ...], *, willing: bool) -> None:
        kept = signals if willing else tuple(signal for signal in signals if signal in {"ability", "purpose", "propose"})
        chance = self.random.betavariate(6, 2) if willing else self.random.betavariate(1, 12)
        self.world.messages.append((person, self.home[person], area, day, kept, chance, willing))
        self.world.posts[person] += 1


def grid() -> Iterator[tuple[str, Plan]]:
    """The plans that recovery and precision are reported for; the first is moderate in everything."""
    yield "moderate", Plan()
    for noise in (0.2, 0.6):
        yield f"noise {noise}", Plan(noise=noise)
    for density in (0.15, 0.6):
        yield f"density {density}", Plan(density=density)
    for size in (6, 30):
        yield f"size {size}", Plan(size=size)
    for willingness in (0.4, 0.9):
        yield f"willingness {willingness}", Plan(willingness=willingness)
    yield "mistaken 10 %", Plan(mistaken=0.1)
    yield "everybody talks more", Plan(talk=6.0)
