"""Parameters of one device changed at run time, laid over those of the files and kept across restarts and reloads."""

from gateway.core import levels, observing, schedules
from gateway.core.desk import Desk
from gateway.core.inputs import Command
from gateway.core.plan import Device, Setting
from gateway.core.shelving import Answer
from gateway.core.state import DeviceState
from gateway.core.values import Json

PARAMS_MOST = 100
"""Parameters of one device that may differ from the files."""


def tune(desk: Desk, device: Device, dev: DeviceState, command: Command) -> Answer:
    """Change ``params``; None takes one back to what the files say. The levels are judged again at once."""
    given = command.args.get("params")
    if not isinstance(given, dict) or not given:
        return Answer("refused", "give params: names with a number, a duration such as 3m, or null")
    wrong = sorted(str(name) for name, value in given.items() if not _is_setting(value))
    if wrong:
        return Answer("refused", f"{', '.join(wrong)}: a number, a duration such as 3m, or null is needed")
    settings: dict[str, Setting | None] = {**dev.params, **given}
    params = {name: value for name, value in settings.items() if value is not None}
    if params == dev.params:
        return Answer("conflict", "that would change nothing")
    if len(params) > PARAMS_MOST:
        return Answer("refused", f"at most {PARAMS_MOST} parameters of a device can differ from the files")
    unknown = sorted(given.keys() - device.kind.params.keys())
    tuned = desk.plan.tuner(device.id, params)
    if unknown or isinstance(tuned, list):
        words = [f"{device.kind.profile} has no parameter {name}" for name in unknown]
        return Answer("refused", "; ".join(words or tuned if isinstance(tuned, list) else words))
    was: dict[str, Json] = {name: dev.params.get(name) for name in sorted(given)}
    dev.params = params
    desk.tune(tuned)
    desk.touch_device(dev, device.id)
    told = {name: given[name] for name in sorted(given)}
    desk.report("device.tuned", device=device.id, actor=command.actor, params=told, was=was)
    _judge_again(desk, tuned, dev)
    return Answer("done")


def _is_setting(value: object) -> bool:
    return value is None or (isinstance(value, int | float | str) and not isinstance(value, bool))


def lay_over(desk: Desk) -> None:
    """Apply what is remembered to a plan that comes from the files; what does not fit any more is dropped and told."""
    tuned: dict[str, Device] = {}
    for name, dev in desk.state.devices.items():
        if not dev.params or name not in desk.plan.devices:
            continue
        found = desk.plan.tuner(name, dev.params)
        if isinstance(found, list):
            dropped, dev.params = dev.params, {}
            desk.touch_device(dev, name)
            desk.report("device.params_dropped", device=name, params={**dropped}, words="; ".join(found))
        else:
            tuned[name] = found
    if tuned:
        desk.tune(*tuned.values())


def _judge_again(desk: Desk, device: Device, dev: DeviceState) -> None:
    observing.drop_unknown(desk, device, dev)
    program = desk.program(device.kind)
    levels.evaluate(desk, device, dev, program.levels)
    if desk.state.scalars.observing:
        observing.watch(desk, device, program)
    schedules.watch(desk)
