"""Device profiles that ship with the gateway: what a kind of device measures and what is wrong when. Data, no code.

``<name>.yaml`` is a profile. ``samples/<name>.yaml`` beside it holds captured payloads and what they decode to::

    profile: elevator
    received: 1790000000000          # ms UTC: when the gateway got every payload below
    device: t1-lift-1                # the device in their topics
    samples:
      - name: what this one shows
        topic: telemetry             # the last level of facility/{site}/{device}/…: telemetry, event, status or tap
        retained: false              # absent = false
        payload: '{"ts": …}'         # the text as sent; or hex: 'ff00…' for bytes that are not text
        facts:                       # what it decodes to, in order; [] for nothing
          - telemetry: {ts: 1790000000000, values: {motor_temp: 41.2}}
          - event: {ts: …, key: "…", type: fire_alarm, attributes: {test: false}}   # key only where the payload has an id
          - status: {online: true}
        rejected: [out_of_range]     # words of gateway.codecs.reasons, in order, for the parts refused; absent = none

``ts`` is absent from an expected fact whose time is that of receipt. Attributes with a default appear with it. A
sample may have both facts and rejections: the good part is kept.

``patrol/<name>.yaml`` are the gateway's own: of checkpoints, routes and guards, for which nothing speaks over MQTT. No
device of a site can be of one, and they have no samples.
"""

from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path

_HERE = files(__name__)
_INTERNAL = "patrol"


def available() -> tuple[str, ...]:
    """The names of the profiles a device can be of, sorted."""
    return _names(_HERE)


def internal() -> tuple[str, ...]:
    """The names of the gateway's own profiles, sorted."""
    return _names(_HERE.joinpath(_INTERNAL))


def profile_path(name: str) -> Path:
    """The file of a profile, one of the gateway's own included.

    Raises:
        KeyError: there is none of that name.
    """
    return _path(f"{_INTERNAL}/{name}.yaml") if name in internal() else _path(_known(name, "{}.yaml"))


def samples_path(name: str) -> Path:
    """The file of a profile's samples.

    Raises:
        KeyError: there is no profile of that name, or it is one of the gateway's own.
    """
    return _path(_known(name, "samples/{}.yaml"))


def _known(name: str, form: str) -> str:
    if name not in available():
        raise KeyError(name)
    return form.format(name)


def _names(folder: Traversable) -> tuple[str, ...]:
    found = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml")))


def _path(relative: str) -> Path:
    with as_file(_HERE.joinpath(relative)) as path:  # the package is installed as plain files
        return path
