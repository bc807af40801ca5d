"""Rule: a link of a document that is not to the web leads to a file of the repository, and to a heading that it has."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from tests.house.sources import NOT_OURS, Violation, files

_FENCED: Final = re.compile(r"^ *(```+|~~~+).*?^ *\1[`~]*[ \t]*$", re.DOTALL | re.MULTILINE)
_CODE: Final = re.compile(r"(?<!`)(`+)(?!`)[^\n]+?(?<!`)\1(?!`)")
_LINK: Final = re.compile(
    r"\]\(\s*<?([^)\s>]*)>?(?:\s+[\"'][^)]*)?\)|^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)|\b(?:href|src)=[\"']([^\"']*)",
    re.MULTILINE,
)
_HEADING: Final = re.compile(r"^ {0,3}#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
_NAMED: Final = re.compile(r"<\w+[^>]*\b(?:id|name)=[\"']([^\"']+)")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:|//")


def violations(root: Path) -> Iterator[Violation]:
    """Each relative link or anchor of a Markdown file that leads nowhere."""
    for path in files(root, ".md"):
        text = _blank(_CODE, _blank(_FENCED, (root / path).read_text("utf-8")))
        for found in _LINK.finditer(text):
            target = next(group for group in found.groups() if group is not None)
            if not _SCHEME.match(target) and (problem := _problem(root, path, unquote(target))):
                yield Violation(path, text.count("\n", 0, found.start()) + 1, f"{target}: {problem}")


def anchors(text: str) -> frozenset[str]:
    """The anchors of a Markdown text, as GitHub makes them of headings, and those that HTML in it names."""
    counts: Counter[str] = Counter()
    found = set(_NAMED.findall(text))
    for heading in _HEADING.findall(_blank(_FENCED, text)):
        anchor = slug(heading)
        found.add(f"{anchor}-{counts[anchor]}" if counts[anchor] else anchor)
        counts[anchor] += 1
    return frozenset(found)


def slug(heading: str) -> str:
    """GitHub's anchor of a heading, when it is the first of that text: small letters, hyphens, no punctuation."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def _problem(root: Path, path: Path, target: str) -> str | None:
    """What is wrong with a link in the document `path`; None if it leads somewhere."""
    name, _, anchor = target.partition("#")
    start = path.name if not name else name.partition("?")[0]
    file = Path(os.path.normpath(start.lstrip("/") if start.startswith("/") else path.parent / start))
    if ".." in file.parts or not NOT_OURS.isdisjoint(file.parts) or not (root / file).exists():
        return f"there is no {file} in the repository"
    if anchor and file.suffix == ".md" and anchor not in anchors((root / file).read_text("utf-8")):
        return f"{file} has no heading whose anchor is #{anchor}"
    return None


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """The text with spaces in place of what the pattern finds, so that lines keep their numbers."""
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
