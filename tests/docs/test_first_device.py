"""The README's own first device, as it is written there, over a real broker."""

import re
import shlex
from pathlib import Path

import aiomqtt
import pytest

from gateway.site.check import check_file
from tests.docs.pages import ROOT, blocks, section
from tests.e2e.process import GatewayProcess
from tests.servers.mosquitto import Mosquitto

TEXT = section((ROOT / "README.md").read_text(), "## A first device of your own in ten minutes")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "my-site"
    folder.mkdir()
    for block in blocks(TEXT, "yaml"):
        name = block.text.splitlines()[0].removeprefix("# ")
        (folder / name).write_text(block.text)
    return folder / "site.yaml"


def test_the_check_says_what_the_readme_shows(site: Path) -> None:
    (shown,) = blocks(TEXT, "text")
    assert str(check_file(site)).replace(str(site), "my-site/site.yaml") == shown.text.strip()


def test_a_misspelt_point_is_named_with_its_line_and_the_right_one(site: Path) -> None:
    profile = site.with_name("water_tank.yaml")
    profile.write_text(profile.read_text().replace("{point: level, below: 5}", "{point: levle, below: 5}"))
    (problem,) = check_file(profile).problems
    assert profile.read_text().splitlines()[problem.line - 1].count("levle") == 1
    assert "did you mean 'level'" in problem.message


async def test_the_tank_raises_its_alert_and_its_order(site: Path, tmp_path: Path) -> None:
    published = [shlex.split(line) for line in TEXT.splitlines() if line.startswith("mosquitto_pub")]
    assert len(published) == 3
    with Mosquitto(tmp_path / "broker") as broker:
        gateway = GatewayProcess(tmp_path / "gateway", site, broker.url).start()
        try:
            await gateway.watching()
            async with aiomqtt.Client("127.0.0.1", broker.port) as client:
                for words in published:
                    flags = dict(zip(words[1::2], words[2::2], strict=True))
                    await client.publish(flags["-t"], flags["-m"], qos=int(flags["-q"]))
            await gateway.until(lambda: gateway.meter("fgw_messages_committed_total") == 3, "three messages")
            answers = [
                gateway.get(path) for path in re.findall(r"localhost:8480(/api\S+?)'?$", TEXT, re.MULTILINE)
            ]
        finally:
            assert gateway.stop() == 0
    alerts, orders, refused = [answer.json()["items"] for answer in answers if answer is not None]
    assert [(one["device"]["id"], one["rule"], one["level"]) for one in alerts] == [
        ("tank-1", "low", "critical")
    ]
    assert (alerts[0]["cause"]["value"], alerts[0]["cause"]["limit"]) == (3.9, 5)
    assert [(one["template"], one["team"], len(one["clocks"])) for one in orders] == [
        ("fill-tank", "house", 2)
    ]
    assert [one["detail"] for one in refused] == ["water_tank has no point 'levle'"]
