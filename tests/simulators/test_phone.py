import pytest

from gateway.core.values import SECOND
from simulators.phone import BATCH, LONGEST_PAUSE, Phone
from tests.simulators.listening import START


def phone(taps: int = 1) -> Phone:
    made = Phone("phone-1", "g-01", "seed")
    for number in range(taps):
        made.read(START + number, {"tag": "04A22B1C3D5E80"})
    return made


@pytest.mark.parametrize("status", [None, 408, 429, 500, 503])
def test_a_tap_stays_and_keeps_its_id_until_somebody_answers_for_it(status: int | None) -> None:
    held = phone()
    first = held.upload(START)
    assert first is not None
    held.answered(first, status, START)
    assert held.upload(START + SECOND) is None
    again = held.upload(START + 2 * SECOND)
    assert again is not None
    assert again.body["taps"] == first.body["taps"]
    assert again.body["sent"] == START + 2 * SECOND
    held.answered(again, 200, START + 2 * SECOND)
    assert (held.queued, held.taken, held.refused) == (0, 1, 0)
    assert held.upload(START + 3 * SECOND) is None


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_what_is_refused_for_good_is_dropped_and_counted(status: int) -> None:
    held = phone()
    upload = held.upload(START)
    assert upload is not None
    held.answered(upload, status, START)
    assert (held.queued, held.taken, held.refused) == (0, 0, 1)


def test_it_tries_less_and_less_often() -> None:
    held, at, waits = phone(), START, []
    for _ in range(8):
        upload = held.upload(at)
        assert upload is not None
        held.answered(upload, None, at)
        wait = next(wait for wait in range(0, 120 * SECOND, SECOND) if held.upload(at + wait) is not None)
        waits.append(wait // SECOND)
        at += wait
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
    assert waits[-1] * SECOND == LONGEST_PAUSE


def test_a_long_queue_goes_in_batches_and_says_how_much_is_left() -> None:
    held = phone(2 * BATCH + 3)
    left, stamps = [], []
    while (upload := held.upload(START + SECOND)) is not None:
        left.append(upload.body["queued"])
        taps = upload.body["taps"]
        assert isinstance(taps, list)
        stamps += [tap["ts"] for tap in taps if isinstance(tap, dict)]
        held.answered(upload, 200, START + SECOND)
    assert left == [BATCH + 3, 3, 0]
    assert stamps == [START + number for number in range(2 * BATCH + 3)]


def test_a_phone_with_nothing_to_upload_says_so_once() -> None:
    held = phone(0)
    assert held.upload(START) is None
    held.report()
    upload = held.upload(START)
    assert upload is not None
    assert upload.body == {"device": "phone-1", "sent": START, "queued": 0, "taps": []}
    held.answered(upload, 200, START)
    assert held.upload(START) is None


def test_the_same_seed_gives_the_same_ids() -> None:
    def bodies(seed: str) -> object:
        made = Phone("phone-1", "g-01", seed)
        made.read(START, {"tag": "04A22B1C3D5E80"})
        upload = made.upload(START)
        return None if upload is None else upload.body

    assert bodies("1") == bodies("1") != bodies("2")
