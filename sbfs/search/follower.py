"""The index follows the branch: a search compares trees, and brings along what differs.

Place: `.git/sbfs/index/<schema>/`, where the schema's name is made from everything that decides what an
index holds. A manifest, written last, names the tree that the index was made from and its files with
their checksums. What cannot be trusted or read is put aside and built anew; nobody needs the index to
get an answer. It is never committed, shared, or opened where somebody else could have written it: the
files of the backend are code.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sbfs import files
from sbfs.errors import Damaged, Error, Failed
from sbfs.search import entries
from sbfs.search.engine import Broken, Engine
from sbfs.store import Store, View

FORMAT = 1
"""Of the manifest, and of what `entries` makes of records."""

_ASKING = {
    "__init__",
    "follower",
    "indexing",
    "lookup",
    "ranking",
    "results",
    "scan",
    "searching",
    "snippets",
    "syntax",
}
"""Modules that only ask: what they do is no part of what an index holds."""

WAIT = 0.5
"""Seconds to wait for another process that brings the index along, which takes milliseconds."""

Progress = Callable[[int], object]
"""Told how many entries were read so far."""


@dataclass(frozen=True)
class Manifest:
    """What an index says of itself.

    generation: name of the folder with the backend's files. tree: that it was made from. entries: how
    many it holds. files: path below the folder → (size, time of change in nanoseconds, checksum).
    """

    generation: str
    tree: str
    entries: int
    files: dict[str, tuple[int, int, int]]


@dataclass
class Served:
    """What a search works with. view: of the branch as it was compared. engine: None where there is no
    index to be had, and records are read instead. incomplete: why an answer may lack something, or "".
    notice: what else should be known of the index, or ""."""

    view: View
    engine: Engine | None
    incomplete: str = ""
    notice: str = ""


@dataclass
class _Opened:
    """An engine that stays open between the searches of one process."""

    manifest: Manifest
    engine: Engine


class Foreign(Exception):
    """An index that somebody else has written, or could have."""


def schema() -> str:
    """A name for what decides an index's content: the backend, the analysis, the kinds that are searched."""
    seen = hashlib.sha256(repr((FORMAT, backend(), entries.declared())).encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        if source.stem not in _ASKING:
            seen.update(files.read(source) or b"")
    return seen.hexdigest()[:16]


def backend() -> str:
    """The backend and its version."""
    return "whoosh-reloaded 2.7.5"


# -- where it lies ---------------------------------------------------------------------------------


class Place:
    """The folder of an index, and what may be said of it without opening it."""

    def __init__(self, gitdir: Path):
        self.own = gitdir / "sbfs"
        self.home = self.own / "index"
        self.folder = self.home / schema()
        self.file = self.folder / "manifest.json"
        self.pending = self.folder / "pending"

    def manifest(self) -> Manifest | None:
        """The manifest; None where there is no index. Raises Foreign, or Broken where it makes no sense."""
        for folder in (self.home, self.folder):
            if not os.path.lexists(folder):
                return None
            _trust_folder(folder)
        raw = self._read_own(self.file)
        if raw is None:
            return None
        try:
            said = json.loads(raw)
            known = {name: (int(a), int(b), int(c)) for name, (a, b, c) in said["files"].items()}
            found = Manifest(_plain(said["generation"]), str(said["tree"]), int(said["entries"]), known)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Broken("its manifest cannot be read") from None
        return found

    def _read_own(self, file: Path) -> bytes | None:
        if not os.path.lexists(file):
            return None
        _trust_file(file)
        return files.read(file)

    def generation(self, manifest: Manifest) -> Path:
        """The folder of the backend's files."""
        return self.folder / manifest.generation

    def check(self, manifest: Manifest, *, thorough: bool = False, clean: bool = True) -> None:
        """Raise Foreign or Broken where the files are not those that the manifest names.

        A file is read only if its time of change is another than was noted, or where thorough. clean:
        whether the last writer came to its end: then no file may be missing.
        """
        folder = self.generation(manifest)
        if not os.path.lexists(folder):
            raise Broken("its files are gone")
        _trust_folder(folder)
        for name, (size, changed, sum) in manifest.files.items():
            file = folder / name
            try:
                found = _trust_file(file)
            except FileNotFoundError:
                if clean:
                    raise Broken(f"{name} is missing") from None
                continue
            if found.st_size != size:
                raise Broken(f"{name} has another size than was noted")
            if (thorough or found.st_mtime_ns != changed) and _sum(file) != sum:
                raise Broken(f"{name} holds something else than was noted")

    def keep(self, generation: str, tree: str, count: int, known: Manifest | None = None) -> Manifest:
        """Write the manifest of what now lies in a generation's folder."""
        folder = self.folder / generation
        before = known.files if known and known.generation == generation else {}
        found: dict[str, tuple[int, int, int]] = {}
        for file in _files_below(folder):
            name, state = file.relative_to(folder).as_posix(), file.stat()
            old = before.get(name)
            same = old is not None and old[:2] == (state.st_size, state.st_mtime_ns)
            found[name] = (state.st_size, state.st_mtime_ns, old[2] if old and same else _sum(file))
        made = Manifest(generation, tree, count, found)
        said = {"backend": backend(), "generation": generation, "tree": tree, "entries": count, "files": found}
        files.write(self.file, json.dumps(said).encode(), mode=0o600)
        return made

    def prepare(self) -> Path:
        """Make the folders of an index, that only their owner can enter. Returns the name of a new generation's."""
        self.own.mkdir(exist_ok=True)
        for folder in (self.home, self.folder):
            with suppress(FileExistsError):
                os.mkdir(folder, 0o700)
            _trust_folder(folder)
        return self.folder / f"g{secrets.token_hex(6)}"

    def put_aside(self) -> None:
        """Take what lies there out of the way. Raises OSError."""
        for folder in (self.folder, self.home):
            if not os.path.lexists(folder):
                continue
            try:
                _trust_folder(self.home)
            except Foreign:
                if folder == self.folder:
                    continue
            # Beside it: to move a folder of another user's elsewhere needs more than to rename it.
            os.rename(folder, folder.with_name(f"aside-{secrets.token_hex(6)}"))
            return

    def sweep(self, keep: str) -> None:
        """Remove what was put aside, generations that nobody uses any more, and all but one index of other schemas."""
        others = sorted(self._others(), key=lambda one: one.stat().st_mtime, reverse=True)[1:]
        old = [one for one in self.folder.iterdir() if one.is_dir() and one.name != keep]
        for folder in [*old, *others, *self.own.glob("aside-*"), *self.home.glob("aside-*")]:
            _remove(folder)

    def _others(self) -> Iterator[Path]:
        known = (one for one in self.home.iterdir() if one != self.folder and not one.name.startswith("aside-"))
        return (one for one in known if one.is_dir() and not one.is_symlink())


def _remove(folder: Path) -> None:
    import shutil

    if folder.is_symlink():
        folder.unlink(missing_ok=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _plain(name: object) -> str:
    if not isinstance(name, str) or not name.isalnum():
        raise ValueError
    return name


def _trust_folder(folder: Path) -> None:
    """Raise Foreign unless this is a folder that its owner, who is who we are, alone can change."""
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode):
        raise Foreign(f"{folder} is no folder")
    if found.st_uid != os.geteuid():
        raise Foreign(f"{folder} belongs to another user")
    if found.st_mode & 0o022:
        raise Foreign(f"others may write to {folder}")


def _trust_file(file: Path) -> os.stat_result:
    found = os.lstat(file)
    if not stat.S_ISREG(found.st_mode):
        raise Foreign(f"{file} is no plain file")
    if found.st_uid != os.geteuid():
        raise Foreign(f"{file} belongs to another user")
    return found


def _files_below(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())


def _sum(file: Path) -> int:
    """CRC-32 of a file: against damage, not against malice, which `_trust_file` is for."""
    sum = 0
    with open(file, "rb") as stream:
        while part := stream.read(1 << 20):
            sum = zlib.crc32(part, sum)
    return sum


# -- following -------------------------------------------------------------------------------------


class Follower:
    """The index of one store, for the searches of one process. trouble: why none could be built, or ""."""

    def __init__(self, store: Store):
        self.place = Place(store.repo.gitdir)
        self.trouble = ""
        self._opened: _Opened | None = None

    def serve(self, store: Store, progress: Progress = lambda _: None) -> Served:
        """An index that is up to date with the branch, if there can be one. Never fails for the index's sake."""
        view = store.view()
        engine = self._current(view.commit.tree)
        if engine is not None:
            return Served(view, engine)
        try:
            with self.locked(WAIT) as held:
                if held:
                    return self._bring_along(store, progress)
            return self._as_it_is(view, "another process is bringing the index up to date")
        except (OSError, Failed):
            served = self._as_it_is(view, "the index is behind, and .git/sbfs cannot be written")
            # Without an index all records are read: that lacks nothing.
            notice = "no index can be kept, since .git/sbfs cannot be written: records are read instead"
            return served if served.engine else Served(view, None, notice=notice)

    @contextmanager
    def locked(self, wait: float) -> Iterator[bool]:
        """Hold the index's lock; False where another process keeps it for `wait` seconds. Raises OSError."""
        from filelock import FileLock, Timeout

        self.place.own.mkdir(exist_ok=True)
        lock = FileLock(self.place.own / "index-lock", thread_local=False)
        try:
            lock.acquire(timeout=wait, poll_interval=0.005)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def fit(self) -> None:
        """Fit anew what an answer stood on, where that lacks much of what is there by now and nobody else is at it."""
        opened = self._opened
        if opened is None or not opened.engine.wants_fit:
            return
        with suppress(OSError, Failed, Broken, Foreign), self.locked(0) as held:
            if held and self.place.manifest() == opened.manifest:
                guarded(opened.engine.fit)
                was = opened.manifest
                opened.manifest = self.place.keep(was.generation, was.tree, was.entries, was)

    def put_aside(self) -> None:
        """Take an index out of the way that opened and still could not answer, if it is still there."""
        self.drop()
        with suppress(OSError, Failed), self.locked(WAIT) as held:
            if held:
                self.place.put_aside()

    def drop(self) -> None:
        """Let go of an engine that is of no use any more."""
        if self._opened is not None:
            opened, self._opened = self._opened, None
            _close(opened.engine)

    def _current(self, tree: str) -> Engine | None:
        """The engine, if the index is of this tree and whole."""
        try:
            manifest = self.place.manifest()
            if manifest is None or manifest.tree != tree or self.place.pending.exists():
                return None
            self.place.check(manifest)
            return self._engine(manifest)
        except (Broken, Foreign, OSError):
            # Whether it is damaged or only just being changed is known under the lock.
            return None

    def _as_it_is(self, view: View, why: str) -> Served:
        """The index as another process left it, or is about to replace it."""
        try:
            manifest = self.place.manifest()
            if manifest is not None:
                self.place.check(manifest)
                return Served(view, self._engine(manifest), why if manifest.tree != view.commit.tree else "")
        except (Broken, Foreign, OSError):
            self.drop()
        return Served(view, None, why)

    def _engine(self, manifest: Manifest) -> Engine:
        if self._opened is not None and self._opened.manifest == manifest:
            return self._opened.engine
        self.drop()
        engine: Engine = guarded(Engine.open, self.place.generation(manifest))
        self._opened = _Opened(manifest, engine)
        return engine

    # -- under the lock

    def _bring_along(self, store: Store, progress: Progress) -> Served:
        view = store.view()
        try:
            manifest = self.place.manifest()
            if manifest is not None:
                return Served(view, self.caught_up(view, manifest))
        except (Broken, Foreign, Damaged):
            self.drop()
            self.place.put_aside()
        except BaseException:
            self.drop()
            raise
        return self.build(view, progress)

    def caught_up(self, view: View, manifest: Manifest) -> Engine:
        """The engine, with what came since. Under the lock.

        Raises Broken or Foreign; Damaged where the old tree is gone.
        """
        place, tree = self.place, view.commit.tree
        begun = files.read(place.pending)
        place.check(manifest, thorough=begun is not None, clean=begun is None)
        if manifest.tree == tree and begun is None:
            return self._engine(manifest)
        before = {manifest.tree, *([begun.decode("ascii", "replace")] if begun else [])}
        difference = entries.Entries(view.repo, tree).since(*before)
        engine = self._engine(manifest)
        if difference.paths:
            files.write(place.pending, tree.encode(), mode=0o600)
            guarded(engine.apply, difference.remove, difference.add)
        kept = place.keep(manifest.generation, tree, guarded(engine.count), manifest)
        place.pending.unlink(missing_ok=True)
        self._opened = _Opened(kept, engine)
        with suppress(OSError):
            place.sweep(manifest.generation)
        return engine

    def build(self, view: View, progress: Progress) -> Served:
        """Build the index anew, beside the one that is there, which goes then. Under the lock."""
        try:
            self.trouble = ""
            return Served(view, self._built(view, progress))
        except (Broken, Foreign) as error:
            self.drop()
            self.trouble = str(error)
            return Served(view, None, notice=f"the index cannot be built, so records are read instead: {error}")

    def _built(self, view: View, progress: Progress) -> Engine:
        folder = self.place.prepare()
        try:
            self._fill(folder, view, progress)
            self.drop()
            engine: Engine = guarded(Engine.open, folder)
            kept = self.place.keep(folder.name, view.commit.tree, guarded(engine.count))
        except BaseException:
            _remove(folder)
            raise
        self.place.pending.unlink(missing_ok=True)
        self._opened = _Opened(kept, engine)
        with suppress(OSError):
            self.place.sweep(folder.name)
        return engine

    def _fill(self, folder: Path, view: View, progress: Progress) -> None:
        from sbfs.search import building

        engine = guarded(Engine.create, folder)
        try:
            guarded(building.fill, engine, view.repo, view.commit.tree, progress)
        finally:
            _close(engine)


def guarded(call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Call the backend; whatever it raises is Broken, but for what sbfs itself says of a question or the store."""
    try:
        return call(*arguments, **named)
    except (Broken, Error):
        raise
    except Exception as error:
        # A backend's fault of any sort must not fail a search.
        raise Broken(f"{type(error).__name__}: {error}") from error


def _close(engine: Engine) -> None:
    with suppress(Broken):
        guarded(engine.close)


# -- by store --------------------------------------------------------------------------------------

_FOLLOWERS: WeakKeyDictionary[Store, Follower] = WeakKeyDictionary()


def of(store: Store) -> Follower:
    """The follower of a store, kept as long as the store is."""
    if store not in _FOLLOWERS:
        _FOLLOWERS[store] = Follower(store)
    return _FOLLOWERS[store]
