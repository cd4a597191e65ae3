"""Settings from the environment (``FGW_…``) and from flags. Secrets come from here, never from the site file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gateway.errors import SettingsError

ADDRESSES: Final = "FGW_NOTIFY_"
"""Begins the variables with the addresses of those who are told."""


class Settings(BaseSettings):
    """Everything that may differ from one installation to the next. Flags win over the environment."""

    model_config = SettingsConfigDict(env_prefix="FGW_", env_ignore_empty=True, extra="ignore")

    site: Path = Field(Path("site.yaml"), description="the site file")
    data_dir: Path = Field(Path("data"), description="where the records are kept")

    mqtt_url: str = Field(
        "mqtt://localhost:1883", description="mqtt://[user:password@]host[:port] or mqtts://…"
    )
    mqtt_username: str | None = None
    mqtt_password: SecretStr | None = None
    mqtt_client_id: str | None = Field(None, description="stable; by default made from the site's id")
    mqtt_version: Literal["auto", "5", "3.1.1"] = "auto"
    mqtt_ca: Path | None = Field(None, description="PEM file with the authorities to trust")
    mqtt_cert: Path | None = Field(None, description="PEM file with the gateway's certificate")
    mqtt_key: Path | None = Field(None, description="PEM file with its key")
    mqtt_receive_maximum: int = Field(2_000, ge=1, le=65_535, description="messages under way at once")

    influx_url: str | None = Field(
        None, description="InfluxDB or VictoriaMetrics; the embedded store when not set"
    )
    influx_token: SecretStr | None = None
    influx_org: str | None = None
    influx_bucket: str | None = None

    http: str = Field("127.0.0.1:8480", description="host:port to serve on; loopback until log-in exists")
    http_insecure: bool = Field(False, description="serve beyond loopback although nobody needs to log in")
    http_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="further names under which the gateway may be called, with commas between them"
    )

    attachment_max: int = Field(
        10 << 20, ge=1 << 10, le=1 << 30, description="bytes a file attached to a work order may have"
    )
    public_url: str | None = Field(
        None, pattern=r"^https?://\S+$", description="where people reach the gateway, for links in notices"
    )
    notices_fresh_minutes: int = Field(60, ge=1, description="older notices are told as one")
    notices_give_up_hours: int = Field(24, ge=1, description="older notices are not tried for ever")

    tag_key: SecretStr | None = Field(
        None,
        description="the site's master key for cryptographic tags: 32 hexadecimal digits; further ones verify only",
    )
    font: Path | None = Field(
        None, description="a TrueType font with Chinese for PDF files; one found on the machine when not set"
    )

    outbox_cap_mb: int = Field(512, ge=1, description="readings that may wait for the telemetry store")
    journal_days: int = Field(60, ge=1, description="how long inputs are kept for replay")
    journal_mb: int = Field(4_096, ge=16, description="how much room they may take")
    readings_days: int = Field(400, ge=1, description="how long the embedded store keeps readings")
    linger_ms: int = Field(5, ge=0, le=1_000, description="how long a small batch waits for more")
    batch: int = Field(2_000, ge=1, le=65_535, description="messages committed at once at the most")

    @field_validator("http_hosts", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        """Names with commas between them, as they stand in an environment variable."""
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

    @property
    def http_address(self) -> tuple[str, int]:
        """Host and port of :attr:`http`. Raises :class:`SettingsError`."""
        host, colon, port = self.http.rpartition(":")
        if not colon or not port.isdigit() or not 0 <= int(port) <= 65_535:  # noqa: PLR2004 - the ports there are
            raise SettingsError(f"FGW_HTTP: {self.http!r} is not host:port, such as 127.0.0.1:8480")
        return host.strip("[]") or "127.0.0.1", int(port)


def notice_addresses(target: str, environment: Mapping[str, str] = os.environ) -> list[SecretStr]:
    """The addresses of a target: what its variable holds, with spaces between them; none where it is not set."""
    name = ADDRESSES + target.upper().replace("-", "_")
    return [SecretStr(address) for address in environment.get(name, "").split()]


def read_settings(**flags: Any) -> Settings:  # noqa: ANN401 - each flag has its field's type
    """The environment, overridden by the flags that are not None.

    Raises:
        SettingsError: naming each variable that is wrong, what was found and what is allowed.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        lines = [_line(dict(problem)) for problem in error.errors()]
        raise SettingsError("\n".join(lines)) from error


def _line(problem: dict[str, Any]) -> str:
    name = "FGW_" + "_".join(str(part) for part in problem["loc"][:1]).upper()
    found = (
        ""
        if any(word in name.lower() for word in ("password", "token", "key"))
        else f", found {problem['input']!r}"
    )
    return f"{name}: {problem['msg']}{found}"
