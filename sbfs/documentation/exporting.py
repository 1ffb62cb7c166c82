"""The verb that writes documentation as a folder of pages: HTML that opens from disk, or Markdown.

All text of the source is data: the template escapes it, Markdown is rendered without the HTML in it, and the pages'
policy lets a browser run no script and load nothing.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from sbfs import files as disk
from sbfs import shared
from sbfs.code.documented import PROSE, Item
from sbfs.documentation.asking import everything, summary, which
from sbfs.documentation.parsing import Told, parse
from sbfs.errors import Invalid
from sbfs.graph.documented import title_of
from sbfs.kind import check_word
from sbfs.store import Store

FORMATS = ("html", "md")

_FOLDER = "templates/documentation"

_GROUPS = (("readme", "Read me"), ("section", "Prose"), ("adr", "Decisions"), ("changelog", "Changes"))


@dataclass(frozen=True)
class Exported:
    """What was written. folder: absolute. entry: the page to begin with. pages: how many."""

    project: str
    format: str
    folder: str
    entry: str
    pages: int


@dataclass(frozen=True)
class _File:
    path: str
    language: str
    items: tuple[Item, ...]

    @property
    def is_prose(self) -> bool:
        return self.items[0].type in PROSE

    @property
    def summary(self) -> str:
        first = self.items[0]
        return (first.title or summary(first.text))[:160] if self.is_prose or not first.name else ""


def export(
    store: Store, *, output: str, project: str = "", format: str = "html", force: bool = False, at: str | None = None
) -> Exported:
    """Write documentation as a folder of pages that link to each other, one a file.

    output: the folder; made where it is not there. force: write into one that holds something, and replace what has a
    page's name. Raises Invalid for a folder that is not empty, NotFound without documentation, Failed where it cannot
    be written.
    """
    check_word(format, FORMATS, "format")
    if not output:
        raise Invalid("is missing", field="output", hint="name the folder to write")
    view = store.view(at)
    name = which(view, project)
    folder = Path(output)
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise Invalid(f"{output} is not empty", field="output", hint="name another folder, or add --force")
    found = [_File(*one) for one in everything(view, name) if one[2]]
    pages = dict(_html(name, found) if format == "html" else _markdown(name, found))
    try:
        for path, text in pages.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise disk.failed(error, folder) from error
    entry = "index.html" if format == "html" else "index.md"
    return Exported(name, format, os.path.abspath(folder), entry, len(pages))


def _groups(found: Sequence[_File]) -> Iterator[tuple[str, list[_File]]]:
    for type, name in _GROUPS:
        if files := [one for one in found if one.items[0].type == type]:
            yield name, files
    if code := [one for one in found if not one.is_prose]:
        yield "Code", code


def _place(path: str, ending: str) -> str:
    return f"files/{path}.{ending}"


# -- HTML ------------------------------------------------------------------------------------------


def _html(project: str, found: Sequence[_File]) -> Iterator[tuple[str, str]]:
    groups = [{"name": name, "files": [_link(one) for one in files]} for name, files in _groups(found)]
    yield "index.html", _page(project=project, title=project, up="", path="", groups=groups, outline=[], items=[])
    for one in found:
        items = [_item(one, item) for item in one.items]
        outline = [item for item in items if item["title"]] if len(items) > 1 else []
        up = "../" * (one.path.count("/") + 1)
        text = _page(project=project, title=one.path, up=up, path=one.path, groups=[], outline=outline, items=items)
        yield _place(one.path, "html"), text


def _link(one: _File) -> Mapping[str, str]:
    return {"path": one.path, "href": quote(_place(one.path, "html")), "summary": one.summary}


def _item(file: _File, item: Item) -> dict[str, Any]:
    title = title_of(file.path, item) if item.name else ""
    facts: dict[str, Any] = {"anchor": item.name or "module", "type": item.type, "title": title, "line": item.line}
    facts["level"] = item.level or item.name.count(".") + 1
    if file.is_prose:
        body = _rendered(item.text) if file.language == "markdown" else _text(item.text)
        return {**facts, "signature": "", "summary": "", "body": body, "tables": [], "notes": []}
    parsed = parse(item.text, file.language)
    described = _text(parsed.description) if file.language == "python" else _rendered(parsed.description)
    return {
        **facts,
        "signature": _painted(item.signature, file.language),
        "summary": parsed.summary,
        "body": described,
        "tables": [(name, rows) for name, rows in _tables(parsed) if rows],
        "notes": parsed.notes,
    }


def _tables(parsed: Any) -> Iterator[tuple[str, tuple[Told, ...]]]:
    yield "Parameters", parsed.parameters
    yield "Attributes", parsed.attributes
    yield "Returns", parsed.returns
    yield "Raises", parsed.raises


def _text(text: str) -> Markup | str:
    return Markup('<pre class="text">{}</pre>').format(text) if text.strip() else ""


def _rendered(text: str) -> Markup | str:
    if not text.strip():
        return ""
    return Markup(_renderer().render(text))  # noqa: S704 - HTML within it is escaped by the renderer


@functools.cache
def _renderer() -> Any:
    from markdown_it import MarkdownIt

    def paint(code: str, language: str, _: str) -> str:
        return str(_painted(code, language)) or html.escape(code)

    # Pictures would be loaded from elsewhere.
    return MarkdownIt("commonmark", {"html": False, "highlight": paint}).enable("table").disable("image")


def _painted(code: str, language: str) -> Markup:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    if not code:
        return Markup("")
    try:
        lexer = get_lexer_by_name(language or "text", stripnl=False, ensurenl=False)
    except ClassNotFound:
        return Markup("{}").format(code)
    formatter: Any = HtmlFormatter(nowrap=True)
    return Markup(highlight(code, lexer, formatter))  # noqa: S704 - escaped by the formatter


@functools.cache
def _style() -> tuple[str, str]:
    """(style, policy that allows it and nothing else)."""
    style = shared.read(f"{_FOLDER}/page.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return style, f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _page(**facts: Any) -> str:
    style, policy = _style()
    text: str = _template().render(**facts, style=Markup(style), policy=policy)  # noqa: S704 - our own file
    return text


@functools.cache
def _template() -> Any:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(lambda name: shared.read(f"{_FOLDER}/{name}")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")


# -- Markdown --------------------------------------------------------------------------------------


def _markdown(project: str, found: Sequence[_File]) -> Iterator[tuple[str, str]]:
    lines = [f"# {project}", ""]
    for name, files in _groups(found):
        lines += [f"## {name}", ""]
        for one in files:
            said = f": {_safe(one.summary)}" if one.summary else ""
            lines.append(f"- [{_safe(one.path)}](<{quote(_place(one.path, 'md'))}>){said}")
        lines.append("")
    yield "index.md", "\n".join(lines)
    for one in found:
        yield _place(one.path, "md"), "\n".join(_markdown_page(one))


def _markdown_page(file: _File) -> Iterator[str]:
    yield f"# {_safe(file.path)}\n"
    for item in file.items:
        if item.name:
            level = "#" * min(6, 1 + (item.level or 1))
            kind = "" if file.is_prose else f"{item.type} "
            yield f"{level} {kind}{_safe(title_of(file.path, item))}\n"
            yield f"{_safe(file.path)}:{item.line}\n"
        if file.is_prose:
            yield (item.text if file.language == "markdown" else _fenced(item.text, "rst")) + "\n"
            continue
        if item.signature:
            yield _fenced(item.signature, file.language) + "\n"
        parsed = parse(item.text, file.language)
        yield from (f"{_safe(text)}\n" for text in (parsed.summary, parsed.description) if text)
        for name, rows in _tables(parsed):
            if rows:
                yield f"**{name}**\n"
                for told in rows:
                    what = " ".join(filter(None, (told.name, told.type and f"({told.type})")))
                    yield f"- `{what or name}` {_safe(told.text)}".rstrip()
                yield ""
        for name, text in parsed.notes:
            yield f"**{_safe(name)}**\n\n{_fenced(text, '')}\n"


def _safe(text: str) -> str:
    """What would be HTML is text."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _fenced(text: str, language: str) -> str:
    longest = max((len(run) for run in text.replace("\n", " ").split() if set(run) == {"`"}), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
