"""Signals: a clean end that keeps and acknowledges what was taken, and a new configuration."""

import asyncio
import signal
from pathlib import Path

import pytest

from gateway.bootstrap import read_site
from gateway.core.values import Message
from tests.e2e.conftest import SAVES_AT_THE_END, StartGateway
from tests.e2e.ending import caught_up
from tests.e2e.mill import Stream, now, telemetry, topic, write_site
from tests.e2e.publisher import Publisher
from tests.e2e.replay import journal
from tests.servers.mosquitto import Mosquitto


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_told_to_end_it_acknowledges_what_it_took_and_ends_with_0(
    tmp_path: Path,
    broker: Mosquitto,
    publisher: Publisher,
    gateway_of: StartGateway,
    number: signal.Signals,
) -> None:
    site, stream = write_site(tmp_path), Stream(8_000, seed=32)
    gateway = gateway_of(site, broker.url).start()
    await gateway.watching()
    publishing = asyncio.create_task(publisher.publish(stream.messages), name="the stream")
    await gateway.until(lambda: gateway.kept.inputs > 1_000, "a part of the stream to be committed")
    gateway.send(number)
    assert gateway.wait() == 0, gateway.words
    assert "serving mill" in gateway.words
    assert "Traceback" not in gateway.words
    (lost,) = gateway.kept.outcomes("gateway.unobserved")
    assert lost.detail["reason"] == "the gateway was stopped"
    await publishing

    gateway.start()
    await caught_up(gateway, publisher, "end")
    assert gateway.stop() == 0
    _, plan = read_site(site)
    received = [one for one in journal(gateway.data, lambda _: plan) if isinstance(one, Message)]
    assert len(received) == stream.count + 1, "some came twice"


async def test_sighup_puts_a_good_site_file_in_force_and_leaves_a_bad_one_aside(
    tmp_path: Path, broker: Mosquitto, publisher: Publisher, gateway_of: StartGateway
) -> None:
    site = write_site(tmp_path)
    profile = tmp_path / "press.yaml"
    gateway = gateway_of(site, broker.url).start()
    await gateway.watching()

    good = profile.read_text()
    profile.write_text(good.replace("above: 80", "above: eighty"))
    gateway.send(signal.SIGHUP)
    await gateway.until(lambda: "the configuration stays as it was" in gateway.words, "a word on stderr")
    line = next(n for n, text in enumerate(good.splitlines(), 1) if "above: 80" in text)
    assert f"press.yaml:{line}: " in gateway.words
    await publisher.publish([(topic("press-1"), telemetry(now(), temp=79.0))])
    await caught_up(gateway, publisher, "old rules")
    assert gateway.kept.alerts() == []

    profile.write_text(good.replace("above: 80", "above: 70"))
    gateway.send(signal.SIGHUP)
    await gateway.until(lambda: "is in force" in gateway.words, "the new rules")
    assert [(alert.device, alert.cause.limit) for alert in gateway.kept.alerts()] == [("press-1", 70)]

    assert len(gateway.kept.outcomes("site.configured")) == 2
    assert gateway.stop() == 0


@pytest.mark.parametrize(("version", "how"), [("5", "SIGHUP"), ("3.1.1", "POST")])
async def test_a_new_configuration_receives_its_topics_without_a_restart(
    tmp_path: Path, gateway_of: StartGateway, how: str, version: str
) -> None:
    site = write_site(tmp_path)
    profile = tmp_path / "press.yaml"
    good = profile.read_text()
    with Mosquitto(tmp_path / "broker", SAVES_AT_THE_END | {"log_type": "all"}) as broker:
        publisher = Publisher(broker.port)
        gateway = gateway_of(site, broker.url, mqtt_version=version).start()
        await gateway.watching()

        async def reload(text: str, *, accepted: bool = True) -> None:
            profile.write_text(text)
            if how == "SIGHUP":
                configured = len(gateway.kept.outcomes("site.configured"))
                said = gateway.words.count("the configuration stays as it was")
                gateway.send(signal.SIGHUP)
                await gateway.until(
                    lambda: (
                        len(gateway.kept.outcomes("site.configured")) > configured
                        if accepted
                        else gateway.words.count("the configuration stays as it was") > said
                    ),
                    "the configuration to be read",
                )
            else:
                assert (gateway.post("/reload").status_code == 200) is accepted

        claiming = good.replace("points:", "topics: ['presses/{device}']\npoints:", 1)
        await reload(claiming)
        await asyncio.to_thread(broker.await_log, "presses/+ (QoS 1)")
        await publisher.publish([("presses/press-1", telemetry(now(), temp=20.0))])
        await gateway.until(lambda: gateway.kept.last("press-1", "temp") == 20.0, "the new topic to be heard")

        await reload(claiming.replace("above: 80", "above: eighty"), accepted=False)
        await publisher.publish([("presses/press-1", telemetry(now(), temp=21.0))])
        await gateway.until(lambda: gateway.kept.last("press-1", "temp") == 21.0, "the topic to be kept")

        await reload(good)
        await asyncio.to_thread(broker.await_log, "Received UNSUBSCRIBE")
        received = gateway.meter("fgw_messages_received_total")
        await publisher.publish([("presses/press-1", telemetry(now(), temp=22.0))])
        await caught_up(gateway, publisher, "end")
        assert gateway.meter("fgw_messages_received_total") == received + 1
        assert gateway.kept.last("press-1", "temp") == 21.0
        assert gateway.kept.outcomes("gateway.unobserved") == [], "the connection was dropped"
        assert gateway.ready()[1]["broker"]["ok"]
        assert gateway.stop() == 0
        publisher.close()
