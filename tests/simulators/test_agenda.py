from functools import partial

from simulators.agenda import NEVER, Agenda


def note(fired: list[str], name: str, _at: int) -> None:
    fired.append(name)


def test_timers_fire_in_order_each_at_its_own_moment() -> None:
    agenda = Agenda()
    fired: list[int] = []
    for name, moment in (("c", 30), ("a", 10), ("b", 20), ("late", 41)):
        agenda.at(name, moment, fired.append)
    agenda.run(40)
    assert fired == [10, 20, 30]
    assert agenda.next == 41


def test_equal_moments_fire_in_the_order_they_were_set() -> None:
    agenda = Agenda()
    fired: list[str] = []
    for name in ("z", "a", "m"):
        agenda.at(name, 5, partial(note, fired, name))
    agenda.run(5)
    assert fired == ["z", "a", "m"]


def test_setting_a_name_again_moves_its_timer() -> None:
    agenda = Agenda()
    fired: list[int] = []
    agenda.at("door", 10, fired.append)
    agenda.at("door", 20, fired.append)
    agenda.run(100)
    assert fired == [20]


def test_a_dropped_timer_never_fires() -> None:
    agenda = Agenda()
    fired: list[int] = []
    agenda.at("door", 10, fired.append)
    agenda.drop("door")
    agenda.drop("never set")
    agenda.run(100)
    assert fired == []
    assert agenda.due("door") == agenda.next == NEVER


def test_a_timer_set_by_a_timer_fires_in_the_same_run() -> None:
    agenda = Agenda()
    fired: list[int] = []

    def again(at: int) -> None:
        fired.append(at)
        agenda.at("again", at + 10, again)

    agenda.at("again", 10, again)
    agenda.run(35)
    assert fired == [10, 20, 30]
