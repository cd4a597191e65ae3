"""Serving inside the caller's loop: where, when not, and how it ends."""

import asyncio
import gc
import signal
import socket
import weakref
from pathlib import Path

import httpx
import pytest

from api.http.server import listen, serve, url_of
from gateway.errors import SettingsError
from tests.api.house import House, open_house
from tests.api.listener import served
from tests.servers.mosquitto import Mosquitto


async def test_it_serves_over_a_socket_without_a_banner_and_leaves_the_signals_alone(house: House) -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with served(house) as (url, _), httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/healthz")
        assert signal.getsignal(signal.SIGTERM) is before
    assert (answer.json(), "server" in answer.headers) == ({"ok": True}, False)


async def test_the_port_is_free_again_when_it_has_stopped(house: House) -> None:
    async with served(house) as (url, _):
        port = int(url.rpartition(":")[2])
    for one in listen("127.0.0.1", port):
        one.close()


async def test_a_taken_port_is_named(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port} is taken by another program"):
            await serve(house.app, "127.0.0.1", port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", ""])  # noqa: S104 - refused before it is bound
def test_an_address_others_can_reach_needs_an_explicit_word(host: str) -> None:
    with pytest.raises(SettingsError, match="FGW_HTTP_INSECURE=1"):
        listen(host, 0)


def test_with_that_word_it_listens_everywhere() -> None:
    sockets = listen("0.0.0.0", 0, insecure=True)  # noqa: S104 - closed at once
    try:
        assert sockets[0].getsockname()[0] == "0.0.0.0"  # noqa: S104 - as above
    finally:
        for one in sockets:
            one.close()


def test_an_address_of_another_machine_is_refused_with_its_name() -> None:
    with pytest.raises(SettingsError, match=r"192\.0\.2\.1:0 cannot be used"):
        listen("192.0.2.1", 0, insecure=True)


def test_localhost_listens_on_one_port_for_all_its_addresses() -> None:
    sockets = listen("localhost", 0)
    try:
        assert len({one.getsockname()[1] for one in sockets}) == 1
        assert url_of(sockets[0]).startswith("http://")
    finally:
        for one in sockets:
            one.close()


async def test_a_request_under_way_is_finished_before_the_end(house: House) -> None:
    alert = await house.alert()
    async with served(house) as (url, serving), httpx.AsyncClient() as client:
        path = f"{url}/api/v1/alerts/{alert['id']}/comment"
        asked = [asyncio.create_task(client.post(path, json={"text": f"n{number}"})) for number in range(8)]
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        serving.cancel()
        answers = await asyncio.gather(*asked, return_exceptions=True)
    finished = [one for one in answers if isinstance(one, httpx.Response)]
    assert finished
    assert {one.status_code for one in finished} == {200}
    texts = [
        one["detail"].get("text")
        for one in (await house.http.get(f"/alerts/{alert['id']}")).json()["history"]
    ]
    assert len([text for text in texts if text]) >= len(finished)


async def test_nothing_stays_in_memory_of_a_gateway_that_has_ended(broker: Mosquitto, tmp_path: Path) -> None:
    """FastAPI remembers every callable that is a route for as long as the process lives."""
    async with open_house(broker, tmp_path) as house:
        assert (await house.http.get("http://localhost/docs")).status_code == 200
        kept: list[weakref.ref[object]] = [weakref.ref(house.app), weakref.ref(house.gateway)]
    del house
    gc.collect()
    assert [one() for one in kept] == [None, None]
