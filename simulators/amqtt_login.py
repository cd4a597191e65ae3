"""The log-in of the demo's amqtt broker, loaded by amqtt by its dotted path."""

from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session


class OpenLogin(BaseAuthPlugin):  # type: ignore[misc]  # amqtt is an optional extra, so its types are unknown
    """Lets everybody in without calling them anonymous.

    amqtt's own plugin marks such sessions as anonymous and then forgets them a second after the connection is
    gone, also when the client asked for a persistent session.
    """

    async def authenticate(self, *, session: Session) -> bool:  # noqa: ARG002  amqtt's signature
        """Everybody may come in; the listener is on loopback."""
        return True
