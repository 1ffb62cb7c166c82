"""The verb that tells what is public and undocumented, and which documentation no longer fits its signature."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sbfs.code.documented import Item
from sbfs.code.facts import Facts, Symbol
from sbfs.documentation.asking import everything, which
from sbfs.documentation.parsing import parse
from sbfs.graph.documented import fits
from sbfs.graph.live import read_all
from sbfs.graph.opened import snapshot_of
from sbfs.graph.value import folder_of
from sbfs.store import Store

_MAKERS = ("__init__", "__new__", "constructor", "initialize")
_OWN = ("self", "cls", "this")
_TESTS = re.compile(
    r"(?:^|/)(?:tests?|specs?|__tests__)/|(?:^|/)(?:test_[^/]*|conftest|[^/]*_test|[^/]*[._]spec|[^/]*\.test)\.\w+$"
)
_TOLD_TYPES = ("function", "method", "class", "component")


@dataclass(frozen=True)
class Missing:
    """A public name without documentation."""

    id: str
    name: str
    type: str
    line: int


@dataclass(frozen=True)
class Covered:
    """A file: how many public names it has, itself among them, how many are documented, and which are not."""

    file: str
    public: int
    documented: int
    missing: tuple[Missing, ...]


@dataclass(frozen=True)
class Mismatch:
    """A documentation that tells of other parameters than the signature has. unknown: told, and not in it. untold: in
    it, and not told although others are."""

    id: str
    name: str
    file: str
    line: int
    unknown: tuple[str, ...]
    untold: tuple[str, ...]


@dataclass(frozen=True)
class Coverage:
    """Of a project. percent: of public names that are documented, 100.0 where there are none."""

    project: str
    public: int
    documented: int
    percent: float
    modules: tuple[Covered, ...]
    mismatches: tuple[Mismatch, ...]


def coverage(store: Store, *, project: str = "", file: str = "", at: str | None = None) -> Coverage:
    """What is public and undocumented, per file with a total, and parameters that no longer fit the signature.

    Public is what the language exports and nothing around it hides; not what is within functions, special methods,
    tests, and files made by programs or by others. file: a path, or a pattern. Raises NotFound without documentation.
    """
    view = store.view(at)
    name = which(view, project)
    snapshot = snapshot_of(view, name)
    patterns: Sequence[str] = snapshot.docs.get("patterns", ()) if snapshot is not None else ()
    facts = {
        path: one
        for path, one in read_all(view, view.repo.folder(view.commit.tree, folder_of(name))).items()
        if fits(path, patterns) and (not file or path == file or fnmatch.fnmatchcase(path, file))
    }
    modules = tuple(one for path in sorted(facts) if (one := _covered(path, facts[path])).public)
    public = sum(one.public for one in modules)
    documented = sum(one.documented for one in modules)
    wrong = tuple(
        one
        for path, language, items in everything(view, name)
        if path in facts
        for one in _mismatches(path, language, items, facts[path])
    )
    percent = round(100 * documented / public, 1) if public else 100.0
    return Coverage(name, public, documented, percent, modules, wrong)


def _covered(path: str, facts: Facts) -> Covered:
    public = [*_public(path, facts)]
    # Of several definitions of one name, as overloads are, one that is documented is enough.
    told = {_bare(one.name) for one in public if one.doc.strip()}
    first: dict[str, Symbol] = {}
    for one in public:
        first.setdefault(_bare(one.name), one)
    missing = tuple(
        Missing(f"{path}::{one.name}", name or path, one.type, one.start)
        for name, one in first.items()
        if name not in told
    )
    return Covered(path, len(first), len(first) - len(missing), missing)


def _bare(name: str) -> str:
    return re.sub(r"#\d+(?=\.|$)", "", name)


def _public(path: str, facts: Facts) -> Iterator[Symbol]:
    if facts.mark or _TESTS.search(path) or facts.language == "config":
        return
    if facts.language == "python" and any(_hidden(part.partition(".")[0]) for part in path.split("/")):
        return
    by_name = {one.name: one for one in facts.symbols}
    for one in facts.symbols:
        if one.type == "module":
            # A file that only marks a folder says nothing; of other languages few files begin with a word.
            if facts.language == "python" and len(facts.symbols) > 1:
                yield one
        elif _is_public(one, by_name):
            yield one


def _hidden(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def _is_public(one: Symbol, by_name: Mapping[str, Symbol]) -> bool:
    last = one.name.rpartition(".")[2].partition("#")[0]
    special = (last.startswith("__") and last.endswith("__")) or last in _MAKERS
    if special or "<" in one.name or {"setter", "block", "test"} & {*one.flags} or "@" in last:
        return False
    parts = one.name.split(".")
    around = [by_name.get(".".join(parts[:count])) for count in range(1, len(parts) + 1)]
    for each in around:
        if each is None:
            continue
        if each.visibility != "public" or (each is around[0] and not each.exported):
            return False
        if each is not one and each.type in ("function", "method", "component"):
            return False
    return not any(_hidden(part.partition("#")[0]) for part in parts)


# -- signatures ------------------------------------------------------------------------------------


def _mismatches(path: str, language: str, items: Sequence[Item], facts: Facts) -> Iterator[Mismatch]:
    by_name = {one.name: one for one in facts.symbols}
    for item in items:
        symbol = by_name.get(item.name)
        if item.type not in _TOLD_TYPES or symbol is None:
            continue
        if symbol.type == "class":
            makers = (by_name.get(f"{item.name}.{maker}") for maker in _MAKERS)
            symbol = next((one for one in makers if one is not None), None)
        if symbol is None or symbol.type not in ("function", "method", "component"):
            continue
        told = [re.split(r"[.\[]", one.name)[0] for one in parse(item.text, language).parameters if one.name]
        if told and (wrong := _compared(told, symbol)) is not None:
            yield Mismatch(f"{path}::{item.name}", item.name, path, item.line, *wrong)


def _compared(told: Sequence[str], symbol: Symbol) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    taken = [one for one in symbol.parameters if one.name not in _OWN]
    names = {one.name.lstrip("*&") for one in taken}
    # What `**options` takes may be told by name, and so may what a pattern takes apart.
    is_open = any(one.kind in ("keywords", "block") or not one.name.isidentifier() for one in taken)
    unknown = () if is_open else tuple(dict.fromkeys(one for one in told if one not in names))
    plain = (one.name for one in taken if one.kind in ("positional", "only", "keyword") and one.name.isidentifier())
    untold = tuple(one for one in plain if one not in told and not one.startswith("_"))
    return (unknown, untold) if unknown or untold else None
