"""A document as a page of HTML: one file without scripts or requests, that prints well on A4."""

from collections.abc import Iterator
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from gateway.reports.document import Block, Document


def html_parts(document: Document) -> Iterator[str]:
    """The page in parts, as they are made."""
    return _template().generate(document=document)


def html_page(document: Document) -> bytes:
    """The whole page, UTF-8."""
    return "".join(html_parts(document)).encode()


def _kind(block: Block) -> str:
    return type(block).__name__


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("gateway.reports", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.globals["kind_of"] = _kind
    return environment.get_template("page.html")
