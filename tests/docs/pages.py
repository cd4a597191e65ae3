"""The pages a person reads, and what can be taken out of them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    text: str


def blocks(text: str, *languages: str) -> list[Block]:
    """The blocks in some languages, in order."""
    found = [Block(*pair) for pair in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]
    return [block for block in found if block.language in languages]


def commands(text: str) -> Iterator[str]:
    """Every command line that starts ``fgw``, in blocks and in running text."""
    for block in blocks(text, "sh"):
        for line in block.text.replace("\\\n", " ").splitlines():
            if found := re.search(r"(?:^|[\s/])fgw +([^#]*)", line):
                yield found[1]
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for code in re.findall(r"`([^`\n]+)`", outside):
        if code.startswith("fgw "):
            yield code.removeprefix("fgw ")


def section(text: str, heading: str) -> str:
    """From a heading to the next one of the same depth."""
    mark = re.escape(heading.partition(" ")[0])
    found = re.search(rf"^{re.escape(heading)}$\n(.*?)(?=^{mark} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found[1]


def anchors(text: str) -> set[str]:
    """The names under which the headings of a page can be linked to."""
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", outside, re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


def rows(text: str) -> list[list[str]]:
    """The cells of every table row, headings included."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in lines]
