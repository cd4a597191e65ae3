"""A page that lists every route, made from the OpenAPI document: no script, nothing from elsewhere."""

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse

router = APIRouter(include_in_schema=False)

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b2430 }
h2 { margin: 2.2rem 0 .4rem; border-bottom: 1px solid #c9d1da; text-transform: capitalize }
article { margin: 1.2rem 0 } code { font: 13px/1.4 ui-monospace, monospace } p { margin: .2rem 0 }
b { display: inline-block; min-width: 4.2rem } table { border-collapse: collapse; margin: .4rem 0 }
td { padding: .1rem .8rem .1rem 0; vertical-align: top } td + td { color: #48566a }
@media (prefers-color-scheme: dark) { body { background: #10151c; color: #dde5ee } td + td { color: #9fb0c3 } }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'; base-uri 'none'"


@router.get("/")
async def to_docs() -> RedirectResponse:
    """Who asks for nothing wants to know what there is."""
    return RedirectResponse("/docs")


@router.get("/docs")
async def get_docs(request: Request) -> HTMLResponse:
    """The page of this application's own document."""
    return docs_page(request.app.openapi())


def docs_page(document: dict[str, Any]) -> HTMLResponse:
    """The page of an OpenAPI document."""
    title = escape(document["info"]["title"])
    body = "".join(_sections(document))
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title}</h1><p>{escape(document['info'].get('description', ''))}</p>"
        f'<p>For programs: <a href="openapi.json">openapi.json</a></p>{body}</html>'
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})


def _sections(document: dict[str, Any]) -> Iterator[str]:
    by_tag: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            by_tag.setdefault(route.get("tags", ["other"])[0], []).append(
                _route(path, method, route, document)
            )
    for tag, articles in by_tag.items():
        yield f"<h2>{escape(tag)}</h2>{''.join(articles)}"


def _route(path: str, method: str, route: dict[str, Any], document: dict[str, Any]) -> str:
    words = escape(route.get("description") or route.get("summary", "")).replace("\n\n", "</p><p>")
    rows = [
        (f"{one['name']} ({one['in']})", one.get("description", ""), one.get("schema", {}))
        for one in route.get("parameters", [])
    ]
    rows += _body_rows(route, document)
    table = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(' · '.join(filter(None, (about, _allowed(schema, document)))))}</td></tr>"
        for name, about, schema in rows
    )
    return f"<article><b>{method.upper()}</b><code>{escape(path)}</code><p>{words}</p><table>{table}</table></article>"


def _body_rows(route: dict[str, Any], document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    schema = route.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for one in (schema, *schema.get("anyOf", [])):
        name = one.get("$ref", "").rpartition("/")[2]
        found = document["components"]["schemas"].get(name, {})
        for field, about in found.get("properties", {}).items():
            yield f"{field} (body)", about.get("description", ""), about


def _allowed(schema: dict[str, Any], document: dict[str, Any]) -> str:
    """The words, bounds and default of a value."""
    for one in (schema, schema.get("items", {}), *schema.get("anyOf", [])):
        name = one.get("$ref", "").rpartition("/")[2]
        found = document["components"]["schemas"].get(name, one)
        if "enum" in found:
            return ", ".join(map(str, found["enum"]))
    parts = []
    if "minimum" in schema and "maximum" in schema:
        parts.append(f"{schema['minimum']} to {schema['maximum']}")
    if schema.get("default") not in (None, [], ""):
        parts.append(f"{schema['default']} by default")
    return ", ".join(parts)
