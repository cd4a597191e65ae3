"""Invented people: names and credentials for gates and guards. None of them exists."""

import random
from typing import NamedTuple

_FAMILY = ("Chen", "Li", "Wang", "Zhang", "Liu", "Zhao", "Meyer", "Okafor", "Silva", "Novak", "Rossi", "Sato")
_GIVEN = ("An", "Bo", "Dan", "Eva", "Fang", "Hana", "Ivo", "Jun", "Lea", "Min", "Noa", "Rui", "Tao", "Yan")


class Person(NamedTuple):
    """A holder of a credential."""

    credential: str
    name: str


def residents(key: str, count: int) -> tuple[Person, ...]:
    """The same people for the same ``key`` in every run."""
    rng = random.Random(key)
    return tuple(
        Person(f"C-{rng.randrange(10_000, 100_000)}", f"{rng.choice(_GIVEN)} {rng.choice(_FAMILY)}")
        for _ in range(count)
    )
