"""Errors as RFC 9457 problems: one shape for everything that goes wrong."""

import http
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from gateway.errors import SiteError, StoreError, TelemetryUnavailable

MEDIA_TYPE = "application/problem+json"
ERRORS_MOST = 50
"""Mistakes listed in one answer."""

log = logging.getLogger(__name__)


class FieldError(BaseModel):
    """One mistake in a request."""

    field: str = Field(description="where: query.limit, body.text …")
    message: str = Field(description="what was found and what is allowed")


class ProblemBody(BaseModel):
    """RFC 9457. Members beyond these belong to the kind of problem."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None


class Problem(Exception):
    """Ends a request with a problem.

    Args:
        status: the HTTP status.
        detail: what is wrong, for a person.
        headers: further response headers.
        more: further members, such as ``version`` or ``allowed``.
    """

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: object
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.headers, self.more = dict(headers or {}), more

    def response(self) -> Response:
        """The problem as it goes out."""
        body = {
            "type": "about:blank",
            "title": http.HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        return JSONResponse({**body, **self.more}, self.status, self.headers, MEDIA_TYPE)


def wrong(field: str, message: str) -> Problem:
    """A request that is well formed and still wrong in one field."""
    return Problem(422, message, errors=[{"field": field, "message": message}])


RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "model": ProblemBody,
        "description": "What is wrong with the request",
        "content": {MEDIA_TYPE: {}},
    },
    "5XX": {
        "model": ProblemBody,
        "description": "What is wrong with the gateway",
        "content": {MEDIA_TYPE: {}},
    },
}
"""What every route may answer beside its own."""


def install(app: FastAPI) -> None:
    """Answer every error with a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(StoreError, _store)
    app.add_exception_handler(TelemetryUnavailable, _telemetry)
    app.add_exception_handler(SiteError, _site)


def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - Starlette's signature is wider than its behaviour
    return error.response()


def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        words = found[0].get("ctx", {}).get("error", "malformed")
        return Problem(400, f"the body is not JSON: {words}").response()
    errors = [_field_error(one) for one in found[:ERRORS_MOST]]
    detail = "; ".join(f"{one['field']}: {one['message']}" for one in errors[:3])
    return Problem(422, detail, errors=errors).response()


def _field_error(one: Mapping[str, Any]) -> dict[str, str]:
    place: Sequence[object] = one["loc"]
    message = str(one["msg"]).removeprefix("Value error, ")
    value = one.get("input")
    if isinstance(value, str | int | float | bool) and "found" not in message:
        message = f"{message[:1].lower()}{message[1:]}; found {_shown(value)}"
    return {"field": ".".join(_shown_part(part) for part in place)[:200], "message": message[:1_000]}


def _shown(value: object) -> str:
    text = ascii(value)  # a lone surrogate could not be sent back
    return text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004 - a line's worth


def _shown_part(part: object) -> str:
    return str(part).encode("ascii", "backslashreplace").decode()


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    headers = dict(error.headers or {})
    detail = error.detail
    match error.status_code:
        case 400 if "parsing the body" in detail:
            detail = "the body cannot be read: it is nested too deeply, or is no text"
        case 404 if detail == "Not Found":
            detail = "there is nothing here; /docs lists what there is"
        case 405:
            detail = f"{request.method} is not possible here; {headers.get('Allow', 'another method')} is"
    return Problem(error.status_code, detail, headers).response()


def _store(_request: Request, error: Exception) -> Response:
    log.error("the records could not be used: %s", error)
    words = "the records cannot be read or written just now; /readyz says why"
    return Problem(503, words, {"Retry-After": "2"}).response()


def _telemetry(_request: Request, error: Exception) -> Response:
    wait = getattr(error, "retry_after", None)
    headers = {"Retry-After": str(max(1, round(wait)) if wait else 5)}
    return Problem(503, f"the telemetry store does not answer: {error}", headers).response()


def _site(_request: Request, error: Exception) -> Response:
    assert isinstance(error, SiteError)  # noqa: S101 - as above
    problems = [one._asdict() for one in error.problems[:ERRORS_MOST]]
    words = "the site file is wrong; what was in force stays in force"
    return Problem(422, words, problems=problems, text=str(error)[:10_000]).response()
