"""The only place where adapters are built and joined."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.adapters.attachments import Attachments
from gateway.adapters.influx_settings import InfluxSettings
from gateway.adapters.mqtt_settings import MqttSettings
from gateway.adapters.mqtt_source import connect_source
from gateway.adapters.notices.courier import Carrier, Courier, Patience
from gateway.adapters.sql.notices import Deliveries
from gateway.adapters.sql.outbox import SqlOutbox
from gateway.adapters.sql.recorder import Bundle
from gateway.adapters.sql.store import Store
from gateway.adapters.sql.upkeep import Keep
from gateway.adapters.telemetry_drain import Drain
from gateway.codecs.decoder import Decoder
from gateway.codecs.tag_keys import TagKeys
from gateway.collector import resting
from gateway.core.plan import SitePlan
from gateway.core.values import HOUR, MINUTE
from gateway.errors import SettingsError
from gateway.gateway import Gateway
from gateway.ports import TelemetryStore
from gateway.runtime import Loop
from gateway.settings import ADDRESSES, Settings, notice_addresses
from gateway.site import SiteBundle, build_plan, read_bundle
from gateway.upkeep import Upkeep


def read_site(path: Path) -> tuple[Bundle, SitePlan]:
    """The site file and its profiles, as the text to keep and as the plan. Raises :class:`gateway.errors.SiteError`."""
    with resting():
        bundle = read_bundle(path)
        return Bundle(bundle.digest, bundle.encode()), build_plan(bundle)


def plan_of(_digest: str, body: bytes) -> SitePlan:
    """The plan that a kept configuration means."""
    with resting():
        return build_plan(SiteBundle.decode(body))


@contextlib.asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[Gateway]:
    """A gateway ready to run; leaving the block releases everything.

    Raises:
        SiteError: the site file is wrong.
        SettingsError: a setting is wrong.
        DataDirError: the data directory cannot be used.
    """
    bundle, plan = read_site(settings.site)
    mqtt = mqtt_settings(settings, plan)
    source = connect_source(mqtt, record=settings.data_dir / "subscriptions.json")
    influx_settings(settings)  # said before anything starts
    check_font(settings)
    carriers, keys = notice_carriers(plan), tag_keys(settings)
    async with contextlib.AsyncExitStack() as stack:
        store = Store.open(settings.data_dir)
        stack.push_async_callback(store.close)
        telemetry = telemetry_store(settings)
        stack.push_async_callback(telemetry.close)
        drain = Drain(SqlOutbox(store), telemetry, in_flight=1)
        loop = Loop(
            source,
            store,
            bundle,
            plan,
            plan_of,
            linger=settings.linger_ms / 1000,
            batch=settings.batch,
            outbox_cap=settings.outbox_cap_mb << 20,
            keys=keys,
        )
        courier = _courier(settings, carriers, store, loop)
        upkeep = _upkeep(settings, plan, store, telemetry)
        yield Gateway(
            loop, source, store, telemetry, drain, courier, upkeep, lambda: read_site(settings.site)
        )


def _courier(settings: Settings, carriers: dict[str, list[Carrier]], store: Store, loop: Loop) -> Courier:
    return Courier(
        Deliveries(store),
        carriers,
        lambda: loop.plan,
        lambda: loop.clock.now(),  # noqa: PLW0108 - the loop takes up another clock when it knows the records
        public_url=settings.public_url,
        patience=Patience(
            fresh=settings.notices_fresh_minutes * MINUTE, give_up=settings.notices_give_up_hours * HOUR
        ),
    )


def _upkeep(settings: Settings, plan: SitePlan, store: Store, telemetry: TelemetryStore) -> Upkeep:
    keep = Keep(
        settings.journal_days, settings.journal_mb << 20, settings.readings_days, plan.event_retention
    )
    attachments = Attachments(settings.data_dir / "attachments", settings.attachment_max)
    return Upkeep(store, telemetry, attachments, keep)


def mqtt_settings(settings: Settings, plan: SitePlan) -> MqttSettings:
    """How to reach the broker. Raises :class:`gateway.errors.SettingsError`."""
    password = settings.mqtt_password
    given = {
        "username": settings.mqtt_username,
        "password": password.get_secret_value() if password else None,
        "ca_file": settings.mqtt_ca,
        "cert_file": settings.mqtt_cert,
        "key_file": settings.mqtt_key,
    }
    return MqttSettings.from_url(
        settings.mqtt_url,
        client_id=settings.mqtt_client_id or f"facility-gateway-{plan.site}",
        filters=Decoder(plan).filters,
        version=settings.mqtt_version,
        receive_maximum=settings.mqtt_receive_maximum,
        **{name: value for name, value in given.items() if value is not None},  # type: ignore[arg-type]  # mypy sees one type for all values of a mixed dict
    )


def tag_keys(settings: Settings) -> TagKeys | None:
    """What cryptographic tags are verified with; None where no key is set. Raises :class:`gateway.errors.SettingsError`."""
    return None if settings.tag_key is None else TagKeys.parse(settings.tag_key.get_secret_value())


def check_font(settings: Settings) -> None:
    """That PDF files can be written with the font that was named. Raises :class:`gateway.errors.SettingsError`."""
    if settings.font is None:
        return
    from gateway.reports.fonts import typeface  # noqa: PLC0415 - a fifth of a second, for those who name a font

    try:
        typeface(settings.font)
    except ValueError as error:
        raise SettingsError(f"FGW_FONT: {error}") from None


def notice_carriers(plan: SitePlan) -> dict[str, list[Carrier]]:
    """The ways to everybody who has an address. Raises :class:`gateway.errors.SettingsError`.

    The library that knows them takes half a second to load, so only who uses it pays for that.
    """
    found = {name: addresses for name in plan.targets if (addresses := notice_addresses(name))}
    if not found:
        return {}
    from gateway.adapters.notices.carrier import AppriseCarrier  # noqa: PLC0415 - as said above

    carriers: dict[str, list[Carrier]] = {}
    for name, addresses in found.items():
        try:
            carriers[name] = [AppriseCarrier(address.get_secret_value()) for address in addresses]
        except SettingsError as error:
            variable = ADDRESSES + name.upper().replace("-", "_")
            raise SettingsError(f"{variable}: {error}") from None  # the cause may hold the address
    return carriers


def telemetry_store(settings: Settings) -> TelemetryStore:
    """Where readings are kept. Only the driver in use is loaded: InfluxDB's takes most of a second."""
    influx = influx_settings(settings)
    if influx is None:
        from gateway.adapters.embedded.store import EmbeddedStore  # noqa: PLC0415 - as said above

        return EmbeddedStore(settings.data_dir / "telemetry")
    from gateway.adapters.influx import InfluxStore  # noqa: PLC0415 - as said above

    return InfluxStore(influx)


def influx_settings(settings: Settings) -> InfluxSettings | None:
    """Where readings go; None for the embedded store. Raises :class:`gateway.errors.SettingsError`."""
    if not settings.influx_url:
        return None
    token = settings.influx_token
    return InfluxSettings.parse(
        settings.influx_url,
        token=token.get_secret_value() if token else None,
        org=settings.influx_org,
        bucket=settings.influx_bucket,
    )
