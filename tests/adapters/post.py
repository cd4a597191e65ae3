"""A web hook and a mail server on the loopback interface, and a small site whose people are told."""

import json
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from gateway.adapters.sql.store import Store
from gateway.core.effects import Effects, Outcome
from gateway.core.order_state import OrderState, WorkOrder
from gateway.core.plan import SitePlan
from gateway.core.state import Alert, AlertState, Cause, State
from gateway.core.values import Level, Millis
from gateway.site import SiteBundle, build_plan
from tests.servers.ports import free_port

NOW: Millis = 1_790_000_000_000
"""2026-09-21 16:13:20 in Berlin."""

PROFILE = {
    "profile": "lift",
    "points": {
        "motor_temp": {
            "type": "float",
            "unit": "Cel",
            "title": {"en": "Motor temperature", "zh": "电机温度"},
        }
    },
    "report_every": "10s",
    "events": {
        "opened": {
            "title": {"en": "Door opened", "zh": "门被打开"},
            "attributes": {"zone": {"type": "text"}, "who": {"type": "text", "personal": True}},
        }
    },
    "rules": {
        "hot": {
            "title": {"en": "Motor overheating", "zh": "电机过热"},
            "levels": {"critical": {"when": {"point": "motor_temp", "above": 100}}},
            "runbook": {"en": "Stop the lift.\nThen call.", "zh": "停梯。\n然后打电话。"},
        },
        "forced": {
            "title": {"en": "Door forced", "zh": "强行开门"},
            "levels": {"warning": {"when": {"event": "opened"}}},
        },
    },
}
SITE: dict[str, Any] = {
    "site": "mill",
    "title": {"en": "The mill", "zh": "磨坊"},
    "timezone": "Europe/Berlin",
    "profiles": ["lift.yaml"],
    "buildings": {
        "t1": {
            "title": {"en": "Tower 1", "zh": "1 号楼"},
            "floors": {"b1": {"title": {"en": "Basement", "zh": "地下"}}},
        }
    },
    "teams": {"house": {"title": {"en": "House team", "zh": "工程班"}, "notify": ["duty"]}},
    "work_orders": {"repair": {"team": "house", "title": {"en": "Repair", "zh": "维修"}}},
    "devices": [
        {
            "id": "lift-1",
            "profile": "lift",
            "title": {"en": "Lift 1", "zh": "1 号梯"},
            "building": "t1",
            "floor": "b1",
        },
        {"id": "lift-2", "profile": "lift"},
    ],
    "notify": {
        "targets": {"duty": {}, "lead": {"language": "zh"}},
        "callouts": {"all": {"to": ["duty", "lead"]}},
    },
}


def site_texts() -> dict[str, str]:
    """The files of the site."""
    return {"site.yaml": yaml.safe_dump(SITE), "lift.yaml": yaml.safe_dump(PROFILE)}


def site_plan() -> SitePlan:
    """What they mean."""
    return build_plan(SiteBundle("site.yaml", site_texts()))


def write_site(folder: Path) -> Path:
    """The files on disk."""
    for name, text in site_texts().items():
        (folder / name).write_text(text)
    return folder / "site.yaml"


class Hook:
    """A web hook; ``status`` says what it answers, ``refuses`` a word it takes from nobody."""

    def __init__(self) -> None:
        self.port = free_port()
        self.got: list[dict[str, str]] = []
        self.tries = 0
        self.status, self.refuses = 200, ""
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address as a person would write it, with a secret in its path."""
        return f"json://127.0.0.1:{self.port}/T0PS3CRET"

    async def start(self) -> None:
        """Begin to listen."""
        app = web.Application()
        app.router.add_post("/T0PS3CRET", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.tries += 1
        body = json.loads(await request.read())
        if self.status != 200 or (self.refuses and self.refuses in body["title"]):
            return web.Response(status=self.status if self.status != 200 else 400)
        self.got.append({"title": body["title"], "body": body["message"]})
        return web.Response()


class MailServer:
    """A mail server that keeps what it is given."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())

    @property
    def url(self) -> str:
        """A mailbox on it."""
        return f"mailto://127.0.0.1:{self._controller.port}/?from=gateway@mill.example&to=duty@mill.example&mode=insecure"

    def start(self) -> None:
        """Begin to listen, in a thread of its own."""
        self._controller.start()

    def stop(self) -> None:
        """Listen no more."""
        self._controller.stop()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """A mail has come."""
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.got.append(mail)
        return "250 OK"


def alert(number: int = 1, *, device: str = "lift-1", **changed: Any) -> Alert:  # noqa: ANN401 - any field
    """An unacknowledged alert of a motor at 104.25 °C."""
    cause = Cause(NOW, point="motor_temp", value=104.25, limit=100.0, unit="Cel")
    fields = {"rule": "hot", "level": Level.CRITICAL, "state": AlertState.UNACKNOWLEDGED, "cause": cause}
    return Alert(id=f"al-{number}", device=device, raised_at=NOW, **{**fields, **changed})


def order() -> WorkOrder:
    """A new order on a lift."""
    return WorkOrder(
        id="wo-1",
        template="repair",
        title={"en": "Repair", "zh": "维修"},
        priority="emergency",
        state=OrderState.ASSIGNED,
        reported_at=NOW,
        opened_at=NOW,
        device="lift-1",
        team="house",
    )


def notice(*names: str, at: Millis = NOW, to: tuple[str, ...] = ("duty",), **detail: Any) -> Outcome:  # noqa: ANN401
    """A notice as the engine reports it."""
    told = {"targets": [*to], "why": "new", "alerts": [*names], "callout": "all", **detail}
    return Outcome(at, "notice.sent", rule="hot", detail=told)


async def log(
    store: Store, *outcomes: Outcome, alerts: tuple[Alert, ...] = (), orders: tuple[WorkOrder, ...] = ()
) -> None:
    """Commit them as the loop would."""
    effects = Effects()
    effects.outcomes.extend(outcomes)
    effects.alerts.update({one.id: one for one in alerts})
    effects.orders.update({one.id: one for one in orders})
    await store.commit([], effects, State())
