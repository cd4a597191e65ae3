"""Parameters of a device: what is in force, who gave it, and changing it while the gateway runs."""

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.http.context import Asked, Context, Wished, etag
from api.http.device_changes import DeviceChange, DeviceId, Known, change_device, known
from api.http.texts import Id, Name
from gateway.core.plan import Device, Setting
from gateway.core.values import Json, show_duration

router = APIRouter(prefix="/devices", tags=["devices"])

Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]


class ParamView(BaseModel):
    """One parameter of a device."""

    name: str
    value: Setting = Field(description="in force: a number, or a duration such as 3m")
    form: Literal["number", "duration"] = Field(description="what it takes")
    source: str = Field(description="who gave the value: `profile`, `site`, `device` or `run time`")
    files: Setting = Field(description="what the files say: null, given as a value, goes back to it")


class ParamsView(BaseModel):
    """The parameters of a device. ``version`` counts what people did to the device; it is the ETag."""

    device: str
    version: int
    params: list[ParamView]


class Tuning(DeviceChange):
    """Values by name; null takes one back to what the files say."""

    params: dict[Id, Number | Name | None] = Field(
        min_length=1,
        max_length=100,
        examples=[{"motor_temp_high": 85, "emergency_call_test_every": "48h", "voltage_low": None}],
    )


@router.get("/{device}/params")
async def list_params(asked: Asked, device: DeviceId, response: Response) -> ParamsView:
    """Every parameter with the value in force, who gave it, and what it may be."""
    found = await known(asked, device)
    response.headers.update(etag(found.version))
    return _view(asked, found)


@router.patch("/{device}/params")
async def tune(wish: Wished, device: DeviceId, body: Tuning, response: Response) -> ParamsView:
    """Change parameters of one device now, and across restarts. All of them or none; the rules are judged at once."""
    params: dict[str, Json] = {**body.params}
    asked, now = await change_device(wish, "device.tune", device, {"params": params}, body.version, _view)
    response.headers.update(etag(now.version))
    return _view(asked, now)


def _view(asked: Context, found: Known) -> ParamsView:
    tuned = {} if found.state is None else found.state.params
    files = asked.plan.tuner(found.device.id, {})
    base = files if isinstance(files, Device) else found.device
    return ParamsView(
        device=found.device.id,
        version=found.version,
        params=[_param_view(found.device, base, name, run_time=name in tuned) for name in base.kind.params],
    )


def _param_view(device: Device, base: Device, name: str, *, run_time: bool) -> ParamView:
    given = base.origins.get(name, "profile")
    return ParamView(
        name=name,
        value=_shown(device, name),
        form="duration" if name in base.kind.durations else "number",
        source="run time" if run_time else given,
        files=_shown(base, name),
    )


def _shown(device: Device, name: str) -> Setting:
    value = device.kind.params[name]
    return show_duration(int(value)) if name in device.kind.durations else value
