"""The live feed over a real socket: named events, resuming without gap or repetition, readings, and its end."""

import asyncio
import socket
from pathlib import Path

import pytest

from api.http.frames import Reading
from api.http.live import merged
from gateway.adapters.sql import records
from gateway.feed import BACKLOG, Published
from tests.api.house import LIFT, MOVING_OPEN, SAFE, House, open_house, reached
from tests.api.listener import listening, served
from tests.servers.mosquitto import Mosquitto


async def test_what_happens_arrives_under_its_groups_name_with_its_number_as_id(house: House) -> None:
    async with served(house) as (url, _), listening(url) as stream:
        assert stream.answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        await house.publish(f"{LIFT}/status", b"offline")
        device = await stream.until("device")
        await house.say(LIFT, MOVING_OPEN)
        alert = await stream.until("alert")
        order = await stream.until("work_order")
        await house.say(LIFT, {"motor_temp": 900.0})
        rejected = await stream.until("rejected")
    assert device.data["kind"] == "device.offline"
    assert (alert.data["kind"], alert.data["device"], alert.data["level"]) == (
        "alert.raised",
        LIFT,
        "critical",
    )
    assert order.data["kind"] == "work_order.opened"
    assert rejected.data["detail"]["reason"] == "out_of_range"
    assert [int(one.id or 0) for one in (device, alert, order, rejected)] == sorted(
        one.data["seq"] for one in (device, alert, order, rejected)
    )


async def test_a_client_that_comes_back_misses_nothing_and_hears_nothing_twice(house: House) -> None:
    async with served(house) as (url, _):
        async with listening(url) as stream:
            await house.say(LIFT, MOVING_OPEN)
            first = await stream.until("alert")
        await house.say(LIFT, SAFE)
        await house.http.post(f"/alerts/{first.data['subject']}/ack")
        async with listening(url, last=first.id) as stream:
            await house.http.post(f"/alerts/{first.data['subject']}/reset")
            seen = [await stream.next()]
            while seen[-1] is not None and seen[-1].data["kind"] != "alert.ended":
                seen.append(await stream.next())
    on_disk = await house.gateway.store.read(
        lambda connection: records.outcomes(connection, int(first.id or 0), 100)
    )
    assert [int(one.id or 0) for one in seen if one] == [one.seq for one in on_disk]


async def test_resuming_while_much_is_committed_gives_every_number_once(house: House) -> None:
    async with served(house) as (url, _):
        alert = await house.alert()

        async def chatter() -> None:
            for number in range(60):
                await house.http.post(f"/alerts/{alert['id']}/comment", json={"text": f"n{number}"})

        talking = asyncio.create_task(chatter())
        numbers: list[int] = []
        last = "0"
        while len(numbers) < 62:
            async with listening(url, "kinds=alert,work_order", last=last) as stream:
                for _ in range(7):
                    heard = await stream.next()
                    assert heard is not None
                    assert heard.id is not None
                    numbers.append(int(heard.id))
                    last = heard.id
                    if len(numbers) == 62:
                        break
        await talking
    assert numbers == sorted(set(numbers))
    kinds = await house.gateway.store.read(lambda connection: records.outcomes(connection, 0, 100))
    groups = ("alert", "work_order")
    assert numbers == [one.seq for one in kinds if one.outcome.kind.split(".")[0] in groups]


async def test_an_id_that_is_not_on_record_resets_the_client(house: House) -> None:
    async with served(house) as (url, _), listening(url, last="999999") as stream:
        heard = await stream.next()
        assert heard is not None
        assert (heard.name, int(heard.id or 0) < 100) == ("reset", True)
        await house.say(LIFT, MOVING_OPEN)
        assert (await stream.until("alert")).data["kind"] == "alert.raised"


async def test_kinds_and_devices_narrow_what_is_heard(house: House) -> None:
    async with (
        served(house) as (url, _),
        listening(url, "kinds=alert&device=t1-lift-2&readings=false") as stream,
    ):
        await house.say("t1-lift-1", MOVING_OPEN)
        await house.say("t1-lift-2", MOVING_OPEN)
        heard = await stream.next()
    assert heard is not None
    assert (heard.name, heard.data["device"]) == ("alert", "t1-lift-2")


async def test_every_reading_is_sent_when_all_are_wanted_and_carries_no_id(house: House) -> None:
    async with served(house) as (url, _), listening(url, "readings=all") as stream:
        for number in range(5):
            await house.say(LIFT, {"motor_temp": float(number)})
        heard = [await stream.until("reading") for _ in range(5)]
    assert [one.data["values"] for one in heard] == [{"motor_temp": float(number)} for number in range(5)]
    assert {one.id for one in heard} == {None}
    assert heard[0].data["device"] == LIFT


async def test_the_latest_readings_of_a_device_are_merged_between_two_sendings(house: House) -> None:
    async with served(house) as (url, _), listening(url, "readings=true&every=400ms") as stream:
        await house.say(LIFT, {"motor_temp": 1.0})
        first = await stream.until("reading")
        await house.say(LIFT, {"motor_temp": 2.0})
        await house.say(LIFT, {"motor_temp": 3.0, "door": "open"})
        await house.say(LIFT, {"load": 4.0})
        second = await stream.until("reading")
    assert first.data["values"] == {"motor_temp": 1.0}
    assert second.data["values"] == {"motor_temp": 3.0, "door": "open", "load": 4.0}


def test_of_two_readings_the_newer_value_of_each_point_wins_whatever_came_last() -> None:
    newer, older = Reading("d", 20, {"a": 1}), Reading("d", 10, {"a": 2, "b": 3})
    assert merged(newer, older) == merged(older, newer) == Reading("d", 20, {"a": 1, "b": 3})


async def test_a_quiet_stream_is_kept_alive_by_comments(broker: Mosquitto, tmp_path: Path) -> None:
    async with (
        open_house(broker, tmp_path, heartbeat=0.05) as house,
        served(house) as (url, _),
        listening(url, "kinds=alert") as stream,
    ):
        heard = await stream.next()
    assert heard is not None
    assert (heard.name, heard.data) == (":", "still here")


async def test_the_stream_ends_with_a_word_when_the_server_stops(house: House) -> None:
    async with served(house) as (url, serving), listening(url) as stream:
        serving.cancel()
        heard = [await stream.next(), await stream.next()]
    assert [one and one.data for one in heard] == ["the gateway is stopping", None]


async def test_the_stream_ends_with_a_word_when_the_gateway_stops(house: House) -> None:
    async with served(house) as (url, _), listening(url, "kinds=alert") as stream:
        house.gateway.stop()
        heard = [await stream.next(), await stream.next()]
    assert [one and one.data for one in heard] == ["the gateway is stopping", None]


async def test_a_client_that_does_not_read_is_cut_off_and_nobody_waits_for_it(house: House) -> None:
    async with served(house) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(slow, (host, int(port)))
            request = f"GET /api/v1/live?readings=all HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"
            await loop.sock_sendall(slow, request.encode())
            await reached(lambda: house.gateway.feed.listeners == 1, "the slow client listens")
            batch = (await _one_batch(house))._replace(outcomes=[])
            fat = batch._replace(rows=list(batch.rows) * 2_000)
            for _ in range(BACKLOG + 40):
                house.gateway.feed.publish(fat._replace())
                await asyncio.sleep(0)
            await reached(lambda: house.gateway.feed.cut_off == 1, "the slow client is cut off")
            assert house.gateway.feed.listeners == 0
            assert (await house.http.get("/alerts")).status_code == 200
        await reached(lambda: house.app.state.live.streams == 0, "its stream is closed")


async def _one_batch(house: House) -> Published:
    waiting = asyncio.create_task(house.published(lambda batch: bool(batch.rows)))
    await reached(lambda: house.gateway.feed.listeners > 1, "the test listens")
    await house.say(LIFT, {"motor_temp": 20.0})
    return await waiting


async def test_a_client_that_goes_leaves_nothing_behind(house: House) -> None:
    async with served(house) as (url, _):
        async with listening(url):
            assert house.app.state.live.streams == house.gateway.feed.listeners == 1
        await reached(lambda: house.app.state.live.streams == house.gateway.feed.listeners == 0, "it is gone")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("kinds=alert,nonsense", "nonsense"),
        ("every=0s", "1ms"),
        ("readings=some", "some"),
        ("last_event_id=abc", "number"),
        ("device=../etc", "pattern"),
        ("kind=alert", "extra"),
    ],
)
async def test_a_wrong_wish_is_refused_before_anything_is_sent(house: House, query: str, words: str) -> None:
    answer = await house.http.get(f"/live?{query}")
    assert (answer.status_code, words in answer.text.lower()) == (422, True), answer.text


async def test_there_is_an_end_to_the_number_of_streams(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.http.live.STREAMS_MOST", 1)
    async with served(house) as (url, _), listening(url), listening(url) as second:
        assert second.answer.status_code == 503
