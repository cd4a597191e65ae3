"""``fgw run``: the gateway."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer


def run(
    site: Annotated[Path | None, typer.Option(help="The site file (FGW_SITE).")] = None,
    *,
    data_dir: Annotated[Path | None, typer.Option(help="Where the records are kept (FGW_DATA_DIR).")] = None,
    mqtt_url: Annotated[str | None, typer.Option(help="The broker (FGW_MQTT_URL).")] = None,
    influx_url: Annotated[str | None, typer.Option(help="InfluxDB (FGW_INFLUX_URL).")] = None,
    http: Annotated[str | None, typer.Option(help="host:port to serve on (FGW_HTTP).")] = None,
) -> None:
    """Watch a site. Settings come from FGW_… variables; flags win over them."""
    from gateway.collector import resting

    with resting():  # a tenth of the way from a power cut to watching again
        from api.cli.serving import serve_for_ever
        from gateway.settings import read_settings

    settings = read_settings(
        site=site, data_dir=data_dir, mqtt_url=mqtt_url, influx_url=influx_url, http=http
    )
    asyncio.run(serve_for_ever(settings))
