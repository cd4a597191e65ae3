"""Broker and InfluxDB go away and come back: readings wait, nothing is lost, and the gateway says what is wrong."""

import asyncio
import random
import signal
from pathlib import Path

from tests.e2e.conftest import StartGateway
from tests.e2e.ending import assert_all_kept, caught_up, finish
from tests.e2e.mill import Stream, write_site
from tests.e2e.publisher import Publisher
from tests.servers.influx import InfluxServer
from tests.servers.mosquitto import Mosquitto


async def test_a_broker_restarted_in_between_and_killed_with_messages_handed_over_but_not_acknowledged_loses_nothing(
    tmp_path: Path, durable_broker: Mosquitto, gateway_of: StartGateway
) -> None:
    broker, publisher = durable_broker, Publisher(durable_broker.port)
    site, stream = write_site(tmp_path), Stream(6_000, seed=21)
    gateway = gateway_of(site, broker.url).start()
    await gateway.watching()
    one, two, three, four = stream.cut(4, random.Random(21))
    await publisher.publish(one)

    # Handed over, unacknowledged: what Mosquitto has not handed over yet when it is killed, it may forget (operations.md).
    gateway.send(signal.SIGSTOP)
    await publisher.publish(two[:500])
    await publisher.settled()
    broker.kill()
    gateway.send(signal.SIGCONT)
    broker.start()
    publishing = asyncio.create_task(publisher.publish([*two[500:], *three]), name="the third part")
    await gateway.until(lambda: publisher.answered > len(one) + len(two), "the publisher to be back")
    broker.stop()
    broker.start()
    await publishing

    gateway.kill()
    broker.stop()
    broker.start()
    gateway.start()
    await publisher.publish(four)
    await finish(gateway, publisher)
    publisher.close()
    await assert_all_kept(gateway, site, stream)


async def test_with_influxdb_down_for_the_middle_third_nothing_is_lost(
    tmp_path: Path, broker: Mosquitto, publisher: Publisher, influx: InfluxServer, gateway_of: StartGateway
) -> None:
    site, stream = write_site(tmp_path), Stream(12_000, seed=22)
    first, middle, last = stream.messages[:4_000], stream.messages[4_000:8_000], stream.messages[8_000:]
    gateway = gateway_of(site, broker.url, influx_url=influx.url).start()
    await gateway.watching()
    await publisher.publish(first)

    influx.kill()
    await publisher.publish(middle)
    await caught_up(gateway, publisher, "middle")
    assert gateway.kept.waiting >= 4_000
    status, parts = gateway.ready()
    assert (status, parts["telemetry"]["ok"]) == (503, False)
    assert "readings wait in the outbox" in parts["telemetry"]["words"]
    assert parts["ingest"]["ok"]

    influx.start()
    await publisher.publish(last)
    await finish(gateway, publisher)
    await assert_all_kept(gateway, site, stream, influx_url=influx.url)


async def test_a_full_outbox_stops_acknowledging_says_why_and_goes_on_by_itself(
    tmp_path: Path, broker: Mosquitto, publisher: Publisher, influx: InfluxServer, gateway_of: StartGateway
) -> None:
    site, stream = write_site(tmp_path), Stream(12_000, seed=23, padding=300)
    influx.kill()
    gateway = gateway_of(
        site, broker.url, influx_url=influx.url, outbox_cap_mb=1, batch=200, mqtt_receive_maximum=500
    ).start()
    await gateway.watching()
    await publisher.publish(stream.messages)
    await gateway.until(lambda: not gateway.ready()[1].get("ingest", {"ok": True})["ok"], "reading to stop")
    status, parts = gateway.ready()
    assert status == 503
    assert "the telemetry outbox is full" in parts["ingest"]["words"]
    assert "nothing is acknowledged" in parts["ingest"]["words"]
    assert "the telemetry outbox is full" in gateway.words

    acknowledged = gateway.meter("fgw_messages_acknowledged_total")
    assert 0 < acknowledged < 6_000
    opened = gateway.post("/work-orders", {"template": "repair", "device": "press-3"})
    assert opened.status_code == 201, opened.text
    order = opened.json()["id"]
    assert gateway.post(f"/work-orders/{order}/comment", {"text": "later"}).status_code == 200
    assert gateway.meter("fgw_messages_acknowledged_total") == acknowledged
    assert [one.detail["reason"] for one in gateway.kept.outcomes("gateway.unobserved")] == [
        "the telemetry outbox is full"
    ]

    influx.start()
    await gateway.until(lambda: gateway.ready()[0] == 200, "the gateway to go on")
    await finish(gateway, publisher)
    await assert_all_kept(gateway, site, stream, influx_url=influx.url, without=order)
