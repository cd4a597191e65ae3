"""The device side of a scenario as it goes over MQTT."""

import json
from pathlib import Path

from gateway.rehearsal import read
from gateway.rehearsal.timeline import Publication, publications
from gateway.site import load_site
from tests.rehearsal.mill import HEAD, file_of

START = 1_800_000_000_000


def published(folder: Path, steps: str) -> list[Publication]:
    lines = "".join(f"      {line}\n" for line in steps.splitlines())
    file = read(file_of(folder, f"{HEAD}scenarios:\n  - scenario: told\n    steps:\n{lines}"))
    return [*publications(file.scenarios[0], load_site(folder / "mill.yaml"), START)]


def told(publication: Publication) -> tuple[int, str, object]:
    channel = publication.topic.removeprefix("facility/mill/")
    return publication.at // 1000, channel, json.loads(publication.payload)


def test_reports_repeat_what_was_last_said_until_the_last_step(tmp_path: Path) -> None:
    found = published(
        tmp_path,
        "- {at: 5s, values: {temp: 20, mode: auto}}\n- {at: 16s, values: {temp: 21}}\n- {at: 30s, expect: {no_alert: hot}}",
    )
    assert [told(one) for one in found] == [
        (5, "d1/telemetry", {"ts": START + 5_000, "values": {"temp": 20, "mode": "auto"}}),
        (15, "d1/telemetry", {"ts": START + 15_000, "values": {"temp": 20, "mode": "auto"}}),
        (16, "d1/telemetry", {"ts": START + 16_000, "values": {"temp": 21}}),
        (26, "d1/telemetry", {"ts": START + 26_000, "values": {"temp": 21, "mode": "auto"}}),
    ]
    assert {one.qos for one in found} == {1}


def test_events_taps_status_and_raw_bytes_have_their_topics(tmp_path: Path) -> None:
    found = published(
        tmp_path,
        "- {at: 1s, event: trip, with: {code: over}, id: e, times: 2, every: 3s}\n"
        "- {at: 2s, reader: r1, tap: {checkpoint: gate, guard: g-07, id: t1}, ago: 1s}\n"
        "- {at: 3s, status: offline}\n"
        "- {at: 5s, raw: '{}', topic: x/y}\n"
        "- {at: 6s, phone: p-1, tap: {checkpoint: gate}}\n"
        "- {at: 7s, act: guard.check_in, target: g-07}",
    )
    assert [told(one) for one in found if not one.topic.endswith("status")] == [
        (1, "d1/event", {"ts": START + 1_000, "type": "trip", "id": "e", "code": "over"}),
        (2, "r1/tap", {"ts": START + 1_000, "id": "t1", "tag": "04000001", "guard": "g-07"}),
        (4, "d1/event", {"ts": START + 4_000, "type": "trip", "id": "e-2", "code": "over"}),
        (5, "x/y", {}),
    ]
    (status,) = [one for one in found if one.topic.endswith("status")]
    assert (status.payload, status.retain) == (b"offline", True)


def test_a_ramp_is_a_straight_line_of_reports(tmp_path: Path) -> None:
    found = published(
        tmp_path,
        "- {at: 0s, values: {level: 0, temp: 1}}\n- {at: 0s, ramp: {level: 9}, over: 25s}\n- {at: 40s, expect: {no_alert: hot}}",
    )
    values = [(one.at // 1000, json.loads(one.payload)["values"]) for one in found]
    assert values == [
        (0, {"level": 0, "temp": 1}),
        (10, {"level": 4, "temp": 1}),
        (20, {"level": 7, "temp": 1}),
        (25, {"level": 9, "temp": 1}),
        (35, {"level": 9, "temp": 1}),
    ]


def test_a_secure_tag_gives_the_address_that_whoever_plays_it_makes(tmp_path: Path) -> None:
    steps = "- {at: 1s, reader: r1, tap: {checkpoint: vault, seal: {counter: 7}, id: t1}}"
    (bare,) = published(tmp_path, steps)
    assert json.loads(bare.payload)["tag"] == "04A22B1C3D5E80"
    file = read(tmp_path / "mill.scenario.yaml")
    plan = load_site(tmp_path / "mill.yaml")
    (proven,) = publications(
        file.scenarios[0], plan, START, lambda site, seal: f"{site}:{seal['uid']}:{seal['counter']}"
    )
    assert json.loads(proven.payload)["url"] == "mill:04A22B1C3D5E80:7"


def test_flat_json_devices_speak_flat_json(tmp_path: Path) -> None:
    path = file_of(tmp_path, "")
    profile = tmp_path / "flat.yaml"
    profile.write_text(
        "profile: flat\nreport_every: 10s\ncodec: flat-json\npoints: {temp: {type: float}}\n"
        "rules: {hot: {levels: {warning: {when: {point: temp, above: 5}}}}}\n",
        "utf-8",
    )
    path.write_text(
        "profile: flat.yaml\nscenarios:\n  - scenario: told\n    steps:\n"
        "      - {at: 0s, values: {temp: 6}, expect: {alert: hot}}\n      - {at: 10s, expect: {alert: hot}}\n",
        "utf-8",
    )
    file = read(path)
    first, second = publications(file.scenarios[0], file.scenarios[0].plan, START)
    assert json.loads(first.payload) == {"ts": START, "temp": 6}
    assert json.loads(second.payload) == {"ts": START + 10_000, "temp": 6}
