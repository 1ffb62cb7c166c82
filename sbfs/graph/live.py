"""From shards to links: all of a graph at once, or what a change makes of links that are held in memory.

A process that indexes one project again and again (a server, a hook) holds what it linked last. Whatever is held, or
cached on the disk, is named by the tree of shards that it was made of, and is made anew where that is another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sbfs.code.facts import Facts
from sbfs.code.shards import load
from sbfs.errors import Busy, Invalid
from sbfs.git import trees
from sbfs.graph import cache, hints
from sbfs.graph.cache import meta
from sbfs.graph.garbage import no_collecting, put_aside
from sbfs.store import Store, View

if TYPE_CHECKING:
    from sbfs.linking.links import Edge, Links

Progress = Callable[[str, int, int], None]

_LARGE = 200
"""Files of a project from which on the search for garbage is kept away from what is held of it."""


def cache_of(store: Store, project: str) -> Path:
    """The cache of a project's current state."""
    return hints.folder(store.repo.gitdir) / f"{project}.sqlite"


@dataclass(frozen=True)
class Made:
    """A state, linked."""

    facts: dict[str, Facts]
    links: Links
    naming: cache.Dotted


def linked(view: View, tree: str | None, tell: Progress) -> Made:
    """All of a state, from its shards."""
    return linked_facts(read_all(view, tree), tell)


def linked_facts(facts: dict[str, Facts], tell: Progress) -> Made:
    """All of a state, from its facts by path."""
    from sbfs.linking import link

    tell("link", 0, 0)
    with no_collecting():
        return Made(facts, link(facts.values()), namer(facts))


class _Held:
    """What a process holds of one project: its facts and what links them, at one tree of shards. first: the links that
    were made first, until they are in the cache. total: of what is told of the files."""

    def __init__(self, facts: dict[str, Facts]):
        from sbfs.linking import Linker

        self.tree = ""
        self.facts = facts
        self.linker: Any = Linker(facts.values())
        links = self.linker.links
        self.first: Links | None = links
        self.told = {path: _told(one) for path, one in facts.items()}
        self.total: Counter[str] = Counter()
        for one in self.told.values():
            self.total.update(one)
        self.calls = sum(map(_is_call, links.edges))
        self.open = dict(Counter(one.source.partition("::")[0] for one in links.unresolved))

    def update(self, changed: Mapping[str, Facts | None]) -> Any:
        """Take other facts of some files in. Returns what that did to the links."""
        for path, one in changed.items():
            self.facts.pop(path, None)
            self.total.subtract(self.told.pop(path, {}))
            if one is not None:
                self.facts[path], self.told[path] = one, _told(one)
                self.total.update(self.told[path])
        self.first = None
        with no_collecting():
            found = self.linker.update(changed)
        self.calls += sum(map(_is_call, found.added)) - sum(map(_is_call, found.removed))
        for path, one in changed.items():
            if one is None:
                self.open.pop(path, None)
        self.open |= {path: len(calls) for path, calls in found.unresolved.items()}
        return found

    def counts(self) -> dict[str, int]:
        """How much there is of what, as a snapshot says it."""
        found = {name: self.total[name] for name in _COUNTED}
        return {"files": len(self.facts), **found, "calls": self.calls, "unresolved": sum(self.open.values())}


_COUNTED = ("lines", "symbols", "functions", "classes", "imports")

_CLASSES = ("class", "interface", "type", "enum", "trait", "namespace", "component")


def _told(one: Facts) -> dict[str, int]:
    """What is counted of one file."""
    types: Counter[str] = Counter(symbol.type for symbol in one.symbols if symbol.name)
    functions = types["function"] + types["method"]
    classes = sum(types[type] for type in _CLASSES)
    counts = (one.lines, types.total(), functions, classes, len(one.imports))
    return dict(zip(_COUNTED, counts, strict=True))


def _is_call(edge: Edge) -> bool:
    return edge.type in ("calls", "component_calls")


_HELD: WeakKeyDictionary[Store, dict[str, _Held]] = WeakKeyDictionary()
"""Store → the project that was indexed last → what is held of it. Only one a store: a large project takes memory."""


@contextmanager
def held(store: Store, project: str) -> Iterator[None]:
    """Be the only process that makes this project's links. Raises Busy where another one does for too long."""
    from filelock import FileLock, Timeout

    folder = hints.folder(store.repo.gitdir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{project}.linking", timeout=max(store.lock_wait, 60.0), thread_local=False)
        lock.acquire()
    except Timeout:
        hint = "wait until it is done, and repeat"
        raise Busy(f"another program is linking the code graph of {project}", hint=hint) from None
    except OSError:
        # A store that may only be read: whoever cannot lock cannot write either.
        yield
        return
    try:
        yield
    finally:
        lock.release()


def read_all(view: View, tree: str | None, but: Mapping[str, Any] = {}) -> dict[str, Facts]:
    """The facts of every shard of a tree, by path. but: paths that are left out. A shard that cannot be read is left
    out, too: 'sbfs check' names it."""
    found: dict[str, Facts] = {}
    shards = sorted(trees.walk(view.repo.tree, tree)) if tree else []
    with no_collecting():
        for name, _, id in shards:
            path = name.removesuffix(".json")
            if path not in but:
                try:
                    found[path] = load(path, view.repo.blob(id))
                except Invalid:
                    continue
    return found


class Change:
    """What a change of shards makes of a graph; nothing is worked out before it is asked for."""

    def __init__(
        self,
        store: Store,
        view: View,
        project: str,
        tree: str | None,
        changed: Mapping[str, bytes | None],
        read: Mapping[str, Facts],
        tell: Progress,
        ahead: Ahead | None,
    ):
        self._ahead = ahead
        self._store, self._view, self._project, self._tree = store, view, project, tree
        self._changed, self._read, self._tell = changed, read, tell
        self._held: _Held | None = None
        self._difference: Any = None
        self._facts: dict[str, Facts | None] = {}

    def _make(self) -> _Held:
        """Bring what is held to the new state; it is held again by `keep` only."""
        if self._held is not None:
            return self._held
        self._tell("link", 0, 0)
        known = _HELD.setdefault(self._store, {}).pop(self._project, None)
        with no_collecting():
            changed = {path: self._facts_of(path, raw) for path, raw in sorted(self._changed.items())}
        self._facts = dict(changed)
        if known is not None and known.tree == (self._tree or ""):
            self._difference = known.update(changed)
        else:
            facts = read_all(self._view, self._tree, changed)
            facts |= {path: new for path, new in changed.items() if new is not None}
            known = self._linked_ahead(facts)
            if known is None:
                with no_collecting():
                    known = _Held({path: facts[path] for path in sorted(facts)})
        self._held = known
        return known

    def _linked_ahead(self, facts: Mapping[str, Facts]) -> _Held | None:
        """What was linked before it was known what would be written, brought to that."""
        held = self._ahead.held if self._ahead is not None else None
        if held is not None:
            paths = sorted(held.facts.keys() | facts.keys())
            others = {path: facts.get(path) for path in paths if held.facts.get(path) is not facts.get(path)}
            if others:
                held.update(others)
        return held

    def _facts_of(self, path: str, raw: bytes | None) -> Facts | None:
        found = self._read.get(path)
        return load(path, raw) if found is None and raw is not None else found

    def counts(self) -> dict[str, int]:
        """Of the new state, as a snapshot says them."""
        return self._make().counts()

    def languages(self) -> dict[str, int]:
        """Language → files of the new state."""
        found = Counter(one.language for one in self._make().facts.values())
        return dict(sorted(found.items()))

    def keep(self, tree: str) -> None:
        """The new state is that of the store now: bring the cache along, and hold what is held."""
        if self._held is None and not self._changed:
            return
        made = self._make()
        file = cache_of(self._store, self._project)
        naming = namer(made.facts)
        if not self._brought(file, tree, naming):
            write(file, tree, made.facts, made.first or made.linker.links, naming)
        made.tree, made.first = tree, None
        _HELD[self._store] = {self._project: made}
        if len(made.facts) >= _LARGE:
            put_aside(made)

    def _brought(self, file: Path, tree: str, naming: cache.Dotted) -> bool:
        found = self._difference
        if found is None:
            return False
        return cache.change(
            file, meta(self._tree or ""), meta(tree), self._facts, found.removed, found.added, found.unresolved, naming
        )


def prepare(
    store: Store,
    view: View,
    project: str,
    tree: str | None,
    fresh: Mapping[str, bytes],
    gone: Sequence[str],
    read: Mapping[str, Facts],
    tell: Progress,
    ahead: Ahead | None = None,
) -> Change:
    """A change of shards: those that are new or other than they were, and those that went. read: the facts of new ones,
    as far as they are at hand. ahead: what was linked of all or most of them."""
    return Change(store, view, project, tree, {**fresh, **dict.fromkeys(gone)}, read, tell, ahead)


@dataclass(frozen=True)
class Ahead:
    """What was linked of facts before their shards were made."""

    held: _Held


def ahead(facts: Mapping[str, Facts], tell: Progress) -> Ahead:
    """Link facts, by path, that may turn out to be all there is."""
    tell("link", 0, 0)
    with no_collecting():
        return Ahead(_Held({path: facts[path] for path in sorted(facts)}))


def namer(facts: Mapping[str, Facts]) -> cache.Dotted:
    """Names symbols as the imports of their language would."""
    from sbfs.linking.names import dotted

    paths = frozenset(facts)
    return lambda path, language, name: dotted(path, language, name, paths)


def write(file: Path, tree: str, facts: Mapping[str, Facts], links: Links, naming: cache.Dotted) -> None:
    """Write the cache of a state. A store that may only be read goes without."""
    with no_collecting():
        cache.create(file, meta(tree), [*facts.values()], links, naming)
