"""The verbs on the index itself: how it stands, build it anew, prove that it names what the store holds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sbfs.errors import Busy, Damaged, Failed
from sbfs.git import trees
from sbfs.store import Store, View

# Fetched by the functions that need it: every command loads this module.
if TYPE_CHECKING:
    from sbfs.search.follower import Follower, Manifest


@dataclass(frozen=True)
class State:
    """An index as it lies there, without opening it.

    state: `current`, `behind`, `missing`, `damaged` or `foreign` (somebody else could have written it).
    why: what is wrong with it. entries: how many things it holds. behind: files that came, went or
    changed since; None where that cannot be told. bytes: on the disk.
    """

    state: str
    path: str
    why: str = ""
    entries: int = 0
    behind: int | None = None
    bytes: int = 0
    backend: str = ""


@dataclass(frozen=True)
class Rebuilt:
    """A new index. entries: how many things it holds. bytes: on the disk."""

    entries: int
    bytes: int
    path: str


@dataclass(frozen=True)
class Verified:
    """Whether index and store name the same. missing: keys of the store that the index lacks. surplus:
    keys that only the index has. changed: keys whose file is another than was indexed. why: what keeps
    the index from being compared at all, or ""."""

    entries: int
    missing: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    why: str = ""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.missing or self.surplus or self.changed or self.why)


def index_status(store: Store) -> State:
    """How the index stands. Nothing is changed, and nothing of the backend's is read."""
    from sbfs.search import follower
    from sbfs.search.engine import Broken

    place, view = follower.Place(store.repo.gitdir), store.view()
    path = place.folder.relative_to(store.root).as_posix()
    known = State("missing", path, "the next search makes one", backend=follower.backend())
    try:
        manifest = place.manifest()
        if manifest is None:
            return known
        place.check(manifest)
    except follower.Foreign as error:
        return replace(known, state="foreign", why=f"{error}; it is not opened, and the next search makes another")
    except (Broken, OSError) as error:
        return replace(known, state="damaged", why=f"{error}; the next search makes another")
    behind = _behind(view, manifest)
    state = "behind" if behind != 0 or place.pending.exists() else "current"
    return replace(known, state=state, why="", entries=manifest.entries, behind=behind, bytes=_bytes(manifest))


def _behind(view: View, manifest: Manifest) -> int | None:
    from sbfs.search import entries

    try:
        paths = trees.diff(view.repo.tree, manifest.tree, view.commit.tree)
        return sum(1 for path, _, _ in paths if entries.searched(path))
    except Damaged:
        return None


def _bytes(manifest: Manifest) -> int:
    return sum(size for size, _, _ in manifest.files.values())


def index_rebuild(store: Store, *, progress: Callable[[int], object] = lambda _: None) -> Rebuilt:
    """Build the index anew; searches go on with the old one meanwhile.

    progress: called with the number of entries read. Raises Busy where another process is at it.
    """
    from sbfs.search import follower
    from sbfs.search.engine import Broken

    follows = follower.of(store)
    with follows.locked(store.lock_wait) as held:
        if not held:
            raise Busy(
                "another process is building the index", hint="wait for it to end, and look at 'sbfs index status'"
            )
        with suppress(Broken, OSError):
            _aside_if_foreign(follows)
        served = follows.build(store.view(), progress)
    if served.engine is None:
        raise Failed(f"the index cannot be built: {follows.trouble}", hint="search works without it, only slower")
    manifest = follows.place.manifest()
    assert manifest is not None
    path = follows.place.folder.relative_to(store.root).as_posix()
    return Rebuilt(manifest.entries, _bytes(manifest), path)


def _aside_if_foreign(follows: Follower) -> None:
    from sbfs.search.follower import Foreign

    try:
        follows.place.manifest()
    except Foreign:
        follows.place.put_aside()


def index_verify(store: Store) -> Verified:
    """Prove that the index names the very records that the store holds, each as it is now.

    What was written since is brought along first. Files are compared with their checksums. Nothing is
    mended: 'sbfs index rebuild' does that.
    """
    from sbfs.search import follower
    from sbfs.search.engine import Broken

    follows = follower.of(store)
    with follows.locked(store.lock_wait) as held:
        if not held:
            raise Busy("another process is writing the index", hint="wait for it to end")
        view = store.view()
        try:
            manifest = follows.place.manifest()
            if manifest is None:
                return Verified(0, why="there is no index; the next search makes one")
            follows.place.check(manifest, thorough=True, clean=not follows.place.pending.exists())
            indexed: dict[str, str] = follower.guarded(follows.caught_up(view, manifest).keys)
        except (Broken, follower.Foreign, Damaged) as error:
            follows.drop()
            return Verified(0, why=str(error))
    return _compared(indexed, view)


def _compared(indexed: dict[str, str], view: View) -> Verified:
    from sbfs.search import entries

    held = {key: blob for key, blob, _ in entries.Entries(view.repo, view.commit.tree).everything()}
    return Verified(
        entries=len(held),
        missing=tuple(sorted(held.keys() - indexed.keys())),
        surplus=tuple(sorted(indexed.keys() - held.keys())),
        changed=tuple(sorted(key for key in held.keys() & indexed.keys() if held[key] != indexed[key])),
    )
