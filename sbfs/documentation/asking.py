"""The verbs that index documentation, list it, find in it and show it."""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sbfs import search as searching
from sbfs.code.documented import PROSE, Item
from sbfs.documentation.parsing import Parsed, parse
from sbfs.errors import Ambiguous, Invalid, NotFound
from sbfs.git import trees
from sbfs.graph import asking as graph_asking
from sbfs.graph import naming
from sbfs.graph.asking import Call
from sbfs.graph.documented import DOCS, folder_of, id_of, load, title_of
from sbfs.graph.indexing import Indexed, read
from sbfs.graph.opened import Graph, Node, Progress, asked, quiet, snapshot_of
from sbfs.graph.opened import which as which_graph
from sbfs.graph.standing import Standing
from sbfs.record import Record
from sbfs.search import Result, Results
from sbfs.store import Page, Store, View

CALLERS = 20
"""Callers that are shown beside a symbol's documentation."""

TYPES = ("module", "class", "function", "method", "attribute", *PROSE)


@dataclass(frozen=True)
class Listed:
    """One documented thing. name: of a symbol within its file, or a section's title. summary: its first paragraph."""

    id: str
    name: str
    type: str
    file: str
    line: int
    summary: str


@dataclass(frozen=True)
class Shown:
    """A symbol, attribute or section with what is said of it. documented: whether anything is. signatures: of all
    definitions of that name. docstring: whole. callers: the nearest, of callers_count. stands: of the code graph."""

    id: str
    name: str
    type: str
    file: str
    line: int
    documented: bool
    signatures: tuple[str, ...]
    docstring: str
    parsed: Parsed
    callers: tuple[Call, ...]
    callers_count: int
    stands: Standing


@dataclass(frozen=True)
class Found:
    """A result of a search, and the documentation that it stands for."""

    result: Result
    name: str
    doc_type: str
    docstring: str
    file_path: str
    line: int


@dataclass(frozen=True)
class FoundDocs:
    """What a search gave: the results of `search`, each with its documentation."""

    results: Results
    found: tuple[Found, ...]


def index(
    store: Store,
    *,
    project: str = "",
    path: str | Path = "",
    pattern: Sequence[str] = (),
    progress: Progress = quiet,
    actor: str = "",
) -> Indexed:
    """Read what a project's source and its prose document, in one pass and one commit with its code graph.

    pattern: of the files to document, by path or name, with `*`; without one, all. `graph index` keeps to the same from
    then on. Only what changed is read. Raises NotFound, Invalid, or Failed for a folder that cannot be read.
    """
    if any(not one.strip() for one in pattern):
        raise Invalid("is empty", field="pattern", hint="write a pattern such as '*.py' or 'docs/*'")
    return read(store, project, path, progress, actor, docs=True, patterns=[*pattern])


def list(
    store: Store,
    *,
    project: str = "",
    type: str = "",
    file: str = "",
    limit: int = 50,
    cursor: str | None = None,
    at: str | None = None,
) -> Page:
    """What is documented, by file and line. Items: Listed.

    type: module, class, function, method, attribute, section, readme, changelog or adr. file: a path, or a pattern.
    Raises NotFound where a project has no documentation.
    """
    check_type(type)
    view = store.view(at)
    found = [
        Listed(id_of(path, one), title_of(path, one), one.type, path, one.line, summary(one.text))
        for path, _, items in everything(view, which(view, project))
        if not file or path == file or fnmatch.fnmatchcase(path, file)
        for one in items
        if not type or one.type == type
    ]
    if limit < 1:
        raise Invalid("must be at least 1", field="limit")
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 9):
        raise Invalid(f"{cursor!r} is no cursor", field="cursor", hint="take a former answer's `next`")
    begin = int(cursor or 0)
    following = str(begin + limit) if begin + limit < len(found) else None
    return Page(found[begin : begin + limit], len(found), following)


def check_type(type: str) -> None:
    """Raise Invalid for a word that is no type of documentation."""
    if type and type not in TYPES:
        raise Invalid(f"{type!r} is none of {', '.join(TYPES)}", field="type")


def summary(text: str) -> str:
    """The first paragraph on one line."""
    return " ".join(text.strip().partition("\n\n")[0].split())


def which(view: View, project: str) -> str:
    """The project that is asked about, which has documentation. Raises NotFound, Invalid."""
    name = which_graph(view, project)
    snapshot = snapshot_of(view, name)
    if snapshot is None or not snapshot.docs:
        raise NotFound("documentation of", name, hint=f"read it: sbfs docs index {name}")
    return name


def everything(view: View, project: str) -> Iterator[tuple[str, str, tuple[Item, ...]]]:
    """(path, language, items) of each documented file, by path. One that cannot be read is left out: 'sbfs check' names
    it."""
    tree = view.repo.folder(view.commit.tree, folder_of(project))
    for name, _, id in sorted(trees.walk(view.repo.tree, tree)) if tree else ():
        try:
            found = load(Record.parse(name, view.repo.blob(id)).data)
        except Invalid:
            continue
        yield name.removesuffix(".json"), found.language, found.items


def of_file(view: View, project: str, path: str) -> tuple[str, tuple[Item, ...]]:
    """(language, items) of a file, without any where it documents nothing."""
    record = view.find_record(DOCS.path_of(project=project, source=path))
    if record is None or record.removed:
        return "", ()
    try:
        found = load(record.data)
    except Invalid:
        return "", ()
    return found.language, found.items


# -- search ----------------------------------------------------------------------------------------

_in_docs = searching.within("doc")


@functools.wraps(_in_docs)
def search(store: Store, **given: Any) -> FoundDocs:
    """Find documentation of code, and sections of prose, by what they say. Takes what `search` takes."""
    for one in _types(given.get("where") or {}):
        check_type(one)
    results = _in_docs(store, **given)
    view = store.view(given.get("at"))
    return FoundDocs(results, tuple(_with_docs(view, one) for one in results.results))


search.__name__ = "search"


def _types(where: Any) -> Sequence[str]:
    said = where.get("type", ())
    return (said,) if isinstance(said, str) else said


def _with_docs(view: View, result: Result) -> Found:
    source = (DOCS.places(result.path) or {}).get("source", "")
    _, items = of_file(view, result.project, source)
    wanted = result.id.removeprefix("doc:")
    item = next((one for one in items if id_of(source, one) == wanted), None)
    if item is None:
        return Found(result, result.title, str(result.facets.get("type", "")), "", source, 0)
    return Found(result, title_of(source, item), item.type, item.text, source, item.line)


# -- show ------------------------------------------------------------------------------------------


def show(store: Store, *, symbol: str, project: str = "", at: str | None = None, progress: Progress = quiet) -> Shown:
    """What is said of a symbol, an attribute, a file or a section: where it stands, its parts, who calls it.

    symbol: a name as short as is unique, an id, or a section's title. Raises NotFound, or Ambiguous with the choices.
    """
    view = store.view(at)
    name = which(view, project)

    def question(found: Any) -> tuple[Sequence[Node], Standing]:
        return _nodes(found.graph, symbol), found.standing

    nodes, standing = asked(store, name, at, progress, question)
    if not nodes:
        path, language, item = _said(view, name, symbol)
        return _shown(path, language, item, item, (), (), 0, standing)
    return _of_nodes(store, view, name, nodes, standing, at, progress)


def _nodes(graph: Graph, symbol: str) -> Sequence[Node]:
    try:
        return naming.find(graph, symbol, files=True)
    except NotFound:
        return graph.nodes("dotted = ? AND type = 'file'", [symbol])


def _of_nodes(
    store: Store,
    view: View,
    project: str,
    nodes: Sequence[Node],
    standing: Standing,
    at: str | None,
    progress: Progress,
) -> Shown:
    path = nodes[0].path
    language, items = of_file(view, project, path)
    names = {"" if one.type == "file" else one.name: one for one in nodes}
    item = next((one for one in items if one.type not in (*PROSE, "attribute") and one.name in names), None)
    node = names[item.name] if item else nodes[0]
    type = "module" if node.type == "file" else node.type
    bare = Item("" if node.type == "file" else node.name, type, max(node.first, 1), "")
    signatures = tuple(dict.fromkeys(one.symbol.signature for one in nodes if one.symbol.signature))
    calls: tuple[Call, ...] = ()
    count = 0
    if node.type != "file":
        answer = graph_asking.callers(
            store, symbol=nodes[0].id, project=project, limit=CALLERS, at=at, progress=progress
        )
        calls, count = answer.items, answer.total
    return _shown(path, language, item or bare, bare, signatures, calls, count, standing, node.dotted)


def _shown(
    path: str,
    language: str,
    item: Item,
    bare: Item,
    signatures: tuple[str, ...],
    calls: tuple[Call, ...],
    count: int,
    standing: Standing,
    dotted: str = "",
) -> Shown:
    return Shown(
        id_of(path, item),
        dotted or title_of(path, item),
        bare.type,
        path,
        item.line,
        bool(item.text.strip()),
        signatures or ((item.signature,) if item.signature else ()),
        item.text,
        parse(item.text, language),
        calls,
        count,
        standing,
    )


def _said(view: View, project: str, wanted: str) -> tuple[str, str, Item]:
    """(path, language, item) of what is no symbol: an attribute, a section, by id, name or title."""
    parts = wanted.rpartition("::")[2].split(".")
    found = [
        (path, language, one)
        for path, language, items in everything(view, project)
        for one in items
        if one.type in (*PROSE, "attribute") and _is_meant(path, one, wanted, parts)
    ]
    exact = [one for one in found if id_of(one[0], one[2]) == wanted]
    found = exact or found
    if not found:
        known = [title_of(path, one) for path, _, items in everything(view, project) for one in items]
        raise NotFound("symbol or section", wanted, known=known)
    if len(found) > 1:
        choices = [id_of(path, one) for path, _, one in found]
        raise Ambiguous("symbol or section", wanted, choices, hint="write one of these")
    return found[0]


def _is_meant(path: str, one: Item, wanted: str, parts: Sequence[str]) -> bool:
    if id_of(path, one) == wanted:
        return True
    if one.type in PROSE:
        return wanted.casefold() in (one.title.casefold(), one.name)
    whole = [*path.rpartition(".")[0].split("/"), *one.name.split(".")]
    return whole[-len(parts) :] == [*parts]


__all__ = ["Found", "FoundDocs", "Listed", "Shown", "index", "list", "search", "show"]
