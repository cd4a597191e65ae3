"""Calls from the command line to a running gateway over HTTP."""

import http.client
import json
import ssl
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

import typer

from gateway.errors import GatewayError

URL: Final = "http://127.0.0.1:8480"
PATIENCE: Final = 30.0
"""Seconds to wait for an answer."""
_WORDS_MOST: Final = 500


class CallFailed(GatewayError):
    """The gateway did not answer, or did not do what it was asked."""


class Caller(NamedTuple):
    """Who calls which gateway."""

    url: str
    actor: str

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever the JSON is
        """What a path under ``/api/v1`` answers. Raises :class:`CallFailed`."""
        return self._call("GET", path, None)

    def post(self, path: str, body: object) -> Any:  # noqa: ANN401 - as above
        """Have something done. Raises :class:`CallFailed`."""
        return self._call("POST", path, body)

    def delete(self, path: str) -> Any:  # noqa: ANN401 - as above
        """Have something taken back. Raises :class:`CallFailed`."""
        return self._call("DELETE", path, None)

    def items(self, path: str) -> list[dict[str, Any]]:
        """All of a list, page by page. Raises :class:`CallFailed`."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self.get(f"{path}?limit=500&cursor={quote(cursor)}" if cursor else f"{path}?limit=500")
            found += page["items"]
            cursor = page.get("next")
        return found

    def _call(self, method: str, path: str, body: object) -> Any:  # noqa: ANN401 - as above
        place = urlsplit(self.url)
        make = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        connection = make(place.hostname or "", place.port, timeout=PATIENCE)
        headers = {"Accept": "application/json", "X-Actor": self.actor.encode().decode("latin-1")}
        text = None
        if body is not None:
            text, headers["Content-Type"] = json.dumps(body), "application/json"
        try:
            connection.request(method, f"{place.path.rstrip('/')}/api/v1{path}", text, headers)
            answer = connection.getresponse()
            content = answer.read()
        except ValueError as error:  # a header of several lines
            raise CallFailed("the name in --actor is one line of text") from error
        except ssl.SSLError as error:
            raise CallFailed(f"{self.url} is not trusted: {error.reason}") from error
        except (OSError, http.client.HTTPException) as error:
            words = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise CallFailed(
                f"no gateway answers at {self.url}: {words}; --url or FGW_URL names another"
            ) from error
        finally:
            connection.close()
        return self._read(answer.status, content)

    def _read(self, status: int, content: bytes) -> Any:  # noqa: ANN401 - as above
        try:
            found = json.loads(content) if content else None
        except ValueError:
            raise CallFailed(f"{self.url} answers ({status}), but not as a gateway does") from None
        if 200 <= status < 300:  # noqa: PLR2004 - what went well
            return found
        detail = found.get("detail") if isinstance(found, dict) else None
        words = str(detail or f"status {status}")[:_WORDS_MOST]
        allowed = found.get("allowed") if isinstance(found, dict) else None
        if isinstance(allowed, list) and allowed and len(allowed) <= 40:  # noqa: PLR2004 - a few lines
            words += f"; possible: {', '.join(map(str, allowed))}"
        raise CallFailed(words)


def gateway_url(text: str) -> str:
    """Check the address of a gateway. Raises :class:`typer.BadParameter`."""
    try:
        place = urlsplit(text)
        named = bool(place.hostname) and (place.port is None or place.port > 0)
    except ValueError:
        named = False
    else:
        named = (
            named
            and place.scheme in ("http", "https")
            and not (place.username or place.query or place.fragment)
        )
    if not named:
        raise typer.BadParameter(f"{text!r} is not http://host:port or https://host")
    return text.rstrip("/")
