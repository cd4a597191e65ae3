"""Health, readiness, metrics and the pages that describe the interface."""

import re

from prometheus_client.parser import text_string_to_metric_families

from api.http.docs_page import POLICY
from tests.api.house import LIFT, MOVING_OPEN, House, reached
from tests.servers.mosquitto import Mosquitto


async def test_the_gateway_is_ready_and_names_each_part(house: House) -> None:
    answer = await house.http.get("http://localhost/readyz")
    assert answer.status_code == 200
    assert list(answer.json()["parts"]) == ["broker", "store", "telemetry", "ingest"]
    assert all(part["ok"] and part["words"] for part in answer.json()["parts"].values())


async def test_without_its_broker_the_gateway_lives_but_is_not_ready(house: House, broker: Mosquitto) -> None:
    broker.stop()
    try:
        await reached(lambda: not house.gateway.health()["broker"].ok, "the loss is noticed")
        ready = await house.http.get("http://localhost/readyz")
        alive = await house.http.get("http://localhost/healthz")
        lift = (await house.http.get(f"/devices/{LIFT}")).json()
    finally:
        broker.start()
    assert (ready.status_code, ready.json()["ok"], ready.json()["parts"]["store"]["ok"]) == (503, False, True)
    assert ready.json()["parts"]["broker"]["words"]
    assert alive.json() == {"ok": True}
    assert lift["values"] == {}


async def test_metrics_count_what_was_done_and_are_well_formed(house: House) -> None:
    await house.say(LIFT, MOVING_OPEN)
    await house.say(LIFT, {"motor_temp": 900.0})
    await house.http.get("/nothing")
    answer = await house.http.get("http://localhost/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert values["fgw_messages_committed_total",] == 2
    assert values["fgw_rejected_total", "out_of_range"] == 1
    assert values["fgw_outcomes_total", "alert.raised"] == 1
    assert values["fgw_healthy", "broker"] == 1
    assert values["fgw_devices",] == 4
    assert values["fgw_http_requests_total", "GET", "4xx"] == 1
    assert families["fgw_outbox_rows"].type == "gauge"
    assert all(family.documentation for family in families.values())
    assert not any("as the gateway reports it" in family.documentation for family in families.values())


async def test_the_interface_describes_itself_without_a_foreign_host(house: House) -> None:
    document = (await house.http.get("http://localhost/openapi.json")).json()
    page = await house.http.get("http://localhost/docs")
    assert "/api/v1/alerts/{alert}/ack" in document["paths"]
    assert (
        "application/problem+json" in document["paths"]["/api/v1/site"]["get"]["responses"]["4XX"]["content"]
    )
    assert page.headers["content-security-policy"] == POLICY
    assert not re.search(r"https?://|<script", page.text)
    for path in document["paths"]:
        assert path in page.text
    assert "unacknowledged, acknowledged" in page.text


async def test_whoever_opens_the_address_lands_on_the_page_that_explains_it(house: House) -> None:
    answer = await house.http.get("http://localhost/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")
