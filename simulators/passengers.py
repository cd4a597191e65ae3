"""Who wants to go where: seeded demand for one elevator, and the order in which a car serves it."""

import random
from dataclasses import dataclass, field

UP_PEAK = 9.5
"""Until this hour most people come in and go up."""
DOWN_PEAK = 16.5
"""From this hour on most people leave."""


@dataclass(frozen=True, slots=True)
class Passenger:
    """One person with a way to go; ``weight`` in kg."""

    origin: int
    target: int
    weight: float


@dataclass(slots=True)
class Demand:
    """The people of one elevator: those waiting and those in the car."""

    lowest: int
    highest: int
    waiting: list[Passenger] = field(default_factory=list)
    riding: list[Passenger] = field(default_factory=list)

    @property
    def weight(self) -> float:
        """What the people in the car weigh, kg."""
        return sum(person.weight for person in self.riding)

    def arrive(self, rng: random.Random, hour: float) -> Passenger:
        """One more person waits at a landing; where they want to go depends on the hour."""
        upper = rng.randint(1, self.highest)
        other = rng.choice([floor for floor in range(self.lowest, self.highest + 1) if floor != upper])
        lobby = rng.random()
        if hour < UP_PEAK:
            way = (0, upper) if lobby < 0.7 else (upper, other)  # noqa: PLR2004  share of people who come in
        elif hour >= DOWN_PEAK:
            way = (upper, 0) if lobby < 0.7 else (other, upper)  # noqa: PLR2004  share of people who leave
        else:
            way = (upper, other) if lobby < 0.5 else (0, upper)  # noqa: PLR2004  half stay in the house
        person = Passenger(*way, weight=min(110.0, max(35.0, rng.gauss(70.0, 13.0))))
        self.waiting.append(person)
        return person

    def exchange(self, floor: int, capacity: float) -> int:
        """Everybody for this floor leaves, and who waits here boards while there is room; returns how many moved."""
        leaving = [person for person in self.riding if person.target == floor]
        self.riding = [person for person in self.riding if person.target != floor]
        boarding = 0
        for person in [person for person in self.waiting if person.origin == floor]:
            if self.weight + person.weight > capacity:
                break
            self.waiting.remove(person)
            self.riding.append(person)
            boarding += 1
        return len(leaving) + boarding

    def wanted(self) -> set[int]:
        """The floors somebody wants the car at."""
        return {person.target for person in self.riding} | {person.origin for person in self.waiting}

    def next_stop(self, floor: int, heading: int) -> tuple[int, int] | None:
        """The next floor by collective control, and the heading there: onwards as long as somebody wants it."""
        others = self.wanted() - {floor}
        if not others:
            return None
        ahead = [stop for stop in others if (stop - floor) * heading > 0]
        if not ahead:
            heading = -heading
            ahead = list(others)
        return min(ahead, key=lambda stop: (abs(stop - floor), stop)), heading
