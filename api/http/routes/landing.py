"""Where a phone lands that has read a tag or scanned a label without the app.

The page only shows what was read. Its script uploads the tap, so a preview, a robot or a reload changes nothing by
itself. The page is whole: it asks no other host, and nothing but its own script runs in it.
"""

import base64
import hashlib
from functools import cache
from typing import NamedTuple

import msgspec
from fastapi import APIRouter, Request
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from starlette.responses import HTMLResponse

from api.http.context import Asked
from api.http.landing_view import MARKS, Landing, landing
from api.http.landing_words import OUTCOMES, PAGE, SCRIPT, Language, language_of
from gateway.core.plan import SitePlan
from gateway.reports.words import Wording

router = APIRouter(include_in_schema=False)


class _Page(NamedTuple):
    """The page's own files, and the policy under which they run."""

    template: Template
    style: Markup
    script: Markup
    policy: str


@router.get("/t")
async def get_landing(asked: Asked, request: Request) -> HTMLResponse:
    """The page of a tag's address, or of a label's."""
    raw = request.scope["query_string"].decode("latin-1")
    wanted = request.query_params.get("lang")
    language = language_of(wanted, request.headers.get("accept-language", ""))
    query = "&".join(part for part in raw.split("&") if part.partition("=")[0] != "lang")
    found = landing(asked, request.headers.get("host", ""), query, language)
    return HTMLResponse(
        _page_of(asked.plan, found, query, language),
        headers={"Content-Security-Policy": _page().policy, "Vary": "Accept-Language"},
    )


def _page_of(plan: SitePlan, found: Landing, query: str, language: Language) -> str:
    wording, page = Wording(plan, language), _page()
    facts = {
        "lang": "zh-CN" if language == "zh" else "en-GB",
        "zone": plan.timezone,
        "how": found.how,
        "key": found.key,
        "tap": found.tap,
        "words": {name: wording.of(title) for name, title in SCRIPT.items()},
        "outcomes": {name: wording.of(title) for name, title in OUTCOMES.items()},
    }
    other = f"lang={'en' if language == 'zh' else 'zh'}"
    return page.template.render(
        language=language,
        site=wording.of(plan.title),
        title=found.title,
        place=found.place,
        tone=found.tone,
        mark=MARKS[found.tone],
        proof=found.proof,
        more=found.more,
        words={name: wording.of(title) for name, title in PAGE.items()},
        other=f"?{query}&{other}" if found.tap else f"?{other}",
        facts=msgspec.json.encode(facts).decode(),
        style=page.style,
        script=page.script,
    )


@cache
def _page() -> _Page:
    loader = PackageLoader("api.http", "pages")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    style, script = (loader.get_source(environment, f"landing.{kind}")[0] for kind in ("css", "js"))
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; connect-src 'self'; "
        "img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    template = environment.get_template("landing.html")
    return _Page(template, Markup(style), Markup(script), policy)  # noqa: S704 - both are files of ours


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
