"""The rules of a device: how they stand on it, shelving them, taking them or the device out of service."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import Field

from api.http.context import Asked, Context, Wish, Wished, etag
from api.http.device_changes import DeviceChange, DeviceId, Known, change_device, device_of, known
from api.http.instants import Moment
from api.http.problems import Problem
from api.http.rule_views import RuleChanged, RulesView, rule_state_view, rules_view
from api.http.shelving import ShelfGiven, shelf_args, shelf_problem
from api.http.texts import Id, Reason
from gateway.core.values import Json

router = APIRouter(prefix="/devices", tags=["devices"])

RuleName = Annotated[Id, Path(description="a rule of the device's profile")]
ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {"description": "Asked for: somebody else must confirm it within the hour"}
}


class ShelveRule(ShelfGiven, DeviceChange):
    """A shelf for a rule, be there an alert or not."""


class TakeOut(DeviceChange):
    """Why it goes out of service, and until when."""

    why: Reason = Field(examples=["detector loop is being rewired"])
    until: Moment | None = Field(None, description="until somebody puts it back when left out")


class PutBack(DeviceChange):
    """Back into service."""

    why: Reason | None = None


@router.get("/{device}/rules")
async def list_rules(asked: Asked, device: DeviceId, response: Response) -> RulesView:
    """Every rule with its levels, the limits in force, and how it stands. The ETag is the device's version."""
    found = await known(asked, device)
    response.headers.update(etag(found.version))
    return rules_view(asked, found.device, found.state)


@router.post("/{device}/out-of-service", responses=ACCEPTED)
async def take_device_out(wish: Wished, device: DeviceId, body: TakeOut, response: Response) -> RulesView:
    """Take every rule of a device out of service. Where one is about life safety, a second person sends the same."""
    args = body.model_dump(exclude_unset=True, exclude={"version"})
    asked, now = await change_device(wish, "device.out_of_service", device, args, body.version, _rules)
    view = _rules(asked, now)
    return _sent(view, now, response, waits=view.outage is not None and not view.outage.in_force)


@router.post("/{device}/in-service")
async def put_device_back(
    wish: Wished, device: DeviceId, response: Response, body: PutBack | None = None
) -> RulesView:
    """Put a device back into service, or withdraw what waits to be confirmed."""
    args, version = _reason(body)
    asked, now = await change_device(wish, "device.in_service", device, args, version, _rules)
    return _sent(_rules(asked, now), now, response)


@router.post("/{device}/rules/{rule}/shelve")
async def shelve_rule(
    wish: Wished, device: DeviceId, rule: RuleName, body: ShelveRule, response: Response
) -> RuleChanged:
    """Set a rule aside on a device: nobody is told of its alerts until the time is up."""
    args = shelf_args(body)
    try:
        return await _change_rule(wish, "device.shelve", device, rule, args, body.version, response)
    except Problem as problem:
        raise shelf_problem(wish.asked, device, rule, problem) from None


@router.post("/{device}/rules/{rule}/unshelve")
async def unshelve_rule(
    wish: Wished, device: DeviceId, rule: RuleName, response: Response, body: DeviceChange | None = None
) -> RuleChanged:
    """End that by hand."""
    version = None if body is None else body.version
    return await _change_rule(wish, "device.unshelve", device, rule, {}, version, response)


@router.post("/{device}/rules/{rule}/out-of-service", responses=ACCEPTED)
async def take_rule_out(
    wish: Wished, device: DeviceId, rule: RuleName, body: TakeOut, response: Response
) -> RuleChanged:
    """Take a rule of a device out of service. Where it is about life safety, a second person sends the same."""
    args = body.model_dump(exclude_unset=True, exclude={"version"})
    view = await _change_rule(wish, "device.out_of_service", device, rule, args, body.version, response)
    if view.outage is not None and view.outage.rule == rule and not view.outage.in_force:
        response.status_code = 202
    return view


@router.post("/{device}/rules/{rule}/in-service")
async def put_rule_back(
    wish: Wished, device: DeviceId, rule: RuleName, response: Response, body: PutBack | None = None
) -> RuleChanged:
    """Put a rule back into service, or withdraw what waits to be confirmed."""
    args, version = _reason(body)
    return await _change_rule(wish, "device.in_service", device, rule, args, version, response)


def _reason(body: PutBack | None) -> tuple[dict[str, Json], int | None]:
    if body is None:
        return {}, None
    return ({} if body.why is None else {"why": body.why}), body.version


def _rules(asked: Context, now: Known) -> RulesView:
    return rules_view(asked, now.device, now.state)


def _sent(view: RulesView, now: Known, response: Response, *, waits: bool = False) -> RulesView:
    response.headers.update(etag(now.version))
    if waits:
        response.status_code = 202
    return view


async def _change_rule(
    wish: Wish,
    verb: str,
    device: str,
    rule: str,
    args: dict[str, Json],
    version: int | None,
    response: Response,
) -> RuleChanged:
    found = device_of(wish.asked, device)
    if rule not in found.kind.rules:
        raise Problem(404, f"{device} has no rule {rule}; it has {', '.join(found.kind.rules)}")

    def view(asked: Context, now: Known) -> RuleChanged:
        its = rule_state_view(asked, now.device, now.device.kind.rules[rule], now.state)
        return RuleChanged(**its.model_dump(), device=device, version=now.version)

    asked, now = await change_device(wish, verb, device, {"rule": rule, **args}, version, view)
    response.headers.update(etag(now.version))
    return view(asked, now)
