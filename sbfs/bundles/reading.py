"""Opening what comes from elsewhere: a bundle of Git, a zip of ours, or what another system left.

Everything ends as one tree in a scratch repository, so that planning need not know where it is from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

from sbfs import files, times
from sbfs.bundles import history, zips
from sbfs.bundles.checking import LeftOut
from sbfs.bundles.selecting import WORDS, Picker, Selection
from sbfs.errors import Damaged, Failed, Invalid, NotFound
from sbfs.git import bulk, bundlefile, trees
from sbfs.git.repository import Repository
from sbfs.record import Record, etag
from sbfs.store import SETTINGS, check_format

_LOOK_BACK = 10_000
"""Commits in which an earlier import is looked for."""


@dataclass
class Incoming:
    """What a file holds.

    tree: in the scratch repository, as it came. commit, moment: of the store that it is from, where it is
    from one. store: that store's id. sources: that commit and commits before it, the youngest first. chosen:
    what it holds. since: the commit that it builds on, or "". tip: the commit that keeps its history. left_out:
    what could not be carried. named: known names of what it is about, for people.
    """

    name: str
    format: str
    tree: str
    chosen: Selection = field(default_factory=Selection)
    commit: str = ""
    store: str = ""
    moment: datetime | None = None
    sources: Callable[[], Iterable[str]] = tuple
    since: str = ""
    tip: str = ""
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def is_ours(self) -> bool:
        """Whether it came out of a store."""
        return self.format in ("bundle", "zip")


def source_of(path: Path, folder: Path) -> str:
    """The commit of a store whose state an export holds; "" where it does not say. folder: for what is unpacked."""
    with _opened(path) as file:
        kind = _kind(file)
        if kind == "zip":
            with zips.Archive(path) as archive:
                return str(zips.Manifest(archive).head.get("commit", "")) if zips.MANIFEST in archive.members else ""
        if kind != "bundle":
            return ""
        head = bundlefile.read_head(file, path.name)
    tip = head.tip
    # A selection's commit names its source in its message, which is in the pack.
    return _source_in_pack(path, head, folder) or tip


def _source_in_pack(path: Path, head: bundlefile.Head, folder: Path) -> str:
    with bulk.Scratch(folder) as scratch, _opened(path) as file:
        file.seek(head.at)
        try:
            scratch.take(file, path.name, whole=not head.needs)
            return scratch.repo.commit(head.tip).trailers.get("Sbfs-Source", "")
        except (Invalid, NotFound, Damaged):
            return ""


def _opened(path: Path) -> IO[bytes]:
    try:
        return open(path, "rb")
    except (OSError, ValueError) as error:
        # A ValueError is a zero byte in the name.
        why = getattr(error, "strerror", None) or str(error)
        raise Failed(f"{path}: {why.lower()}", hint="check the name of the file") from error


def _kind(file: IO[bytes]) -> str:
    beginning = file.read(64)
    file.seek(0)
    if bundlefile.is_bundle(beginning):
        return "bundle"
    return "zip" if beginning[:4] in (b"PK\x03\x04", b"PK\x05\x06") else ""


def take(path: Path, scratch: bulk.Scratch, lender: Repository | None) -> Incoming:
    """Read a file, or a folder, into a scratch repository. lender: the store's, None where there is none.

    Raises Invalid, naming the member, for what is not whole or not safe, Failed for a file that cannot be read.
    """
    if path.is_dir():
        return _foreign(path, scratch)
    with _opened(path) as file:
        kind = _kind(file)
        if kind == "bundle":
            return _bundle(path, file, scratch, lender)
    if kind == "zip":
        with zips.Archive(path) as archive:
            if zips.MANIFEST in archive.members and not archive.members.keys() & {"registry.json"}:
                return _zip(archive, scratch, lender)
    return _foreign(path, scratch)


def needs_of(path: Path) -> tuple[str, ...]:
    """The commits that a bundle builds on; its pack is checked as far as that goes without them."""
    if path.is_dir():
        return ()
    with _opened(path) as file:
        if _kind(file) != "bundle":
            return ()
        head = bundlefile.read_head(file, path.name)
        if head.needs:
            bulk.check_sum(file, path.name)
        return head.needs


# -- bundles ---------------------------------------------------------------------------------------


def _bundle(path: Path, file: IO[bytes], scratch: bulk.Scratch, lender: Repository | None) -> Incoming:
    head = bundlefile.read_head(file, path.name)
    if not head.tip:
        raise Invalid(
            "says of no branch that it is the one", path=path.name, hint="name it main: git bundle create FILE main"
        )
    missing = [id for id in head.needs if lender is None or not lender.has(id)]
    if missing:
        what = f"{len(missing)} commits" if len(missing) > 1 else f"the commit {missing[0][:10]}"
        hint = "import first what it was exported --since"
        raise Invalid(f"builds on {what} that this store does not have", path=path.name, hint=hint)
    scratch.take(file, path.name)
    try:
        commit = scratch.repo.commit(head.tip)
        tree = scratch.repo.tree(commit.tree)
    except (NotFound, Damaged, ValueError) as error:
        raise Invalid(f"does not hold its own commit: {error}", path=path.name, hint="get the file again") from None
    if SETTINGS not in tree or tree[SETTINGS][0] != trees.FILE:
        raise Invalid(
            "holds no sbfs.yaml, so it is no store's",
            path=path.name,
            hint="see docs/bundles.md for what can be imported",
        )
    raw = scratch.repo.blob(tree[SETTINGS][1])
    check_format(raw)
    said = commit.trailers
    chosen = Selection.load(_json(said["Sbfs-Export"]), path.name) if "Sbfs-Export" in said else Selection()
    store = said.get("Sbfs-Store") or str(Record.parse(SETTINGS, raw).data.get("id", ""))
    return Incoming(
        path.name,
        "bundle",
        commit.tree,
        chosen,
        commit=said.get("Sbfs-Source", commit.id),
        store=store,
        moment=commit.time,
        sources=lambda: history.sources(scratch.repo, commit.id),
        tip=commit.id,
    )


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


# -- zips ------------------------------------------------------------------------------------------


def _zip(archive: zips.Archive, scratch: bulk.Scratch, lender: Repository | None) -> Incoming:
    manifest = zips.Manifest(archive)
    head, name = manifest.head, archive.name
    chosen = Selection.load(head.get("holds"), name)
    try:
        sources = [head["commit"], *head["ancestors"]]
        if not all(isinstance(one, str) for one in (*sources, head["store"])):
            raise TypeError
        moment = times.load(head["time"])
    except (KeyError, TypeError):
        raise Invalid("does not say what it is from", path=f"{name}: {zips.MANIFEST}") from None
    since, removed = _since(head, name)
    base = _base_of(since, chosen, scratch, lender, name) if since else None
    editor = trees.TreeEditor(scratch.repo.tree if base is None else base[1], base[0] if base else None)
    for path in removed:
        editor.remove(path)
    with scratch.pack() as writer:
        for path, data in manifest.contents():
            if path == SETTINGS:
                check_format(data)
            id = etag(data)
            writer.add("blob", id, data)
            editor.set(path, id)
        tree, fresh = editor.write()
        bulk.write_trees(writer, fresh)
        if base:
            bulk.write_trees(writer, ((id, data) for id, data in base[2].items()))
    return Incoming(name, "zip", tree, chosen, sources[0], head["store"], moment, sources=lambda: sources, since=since)


def _since(head: dict[str, Any], name: str) -> tuple[str, list[str]]:
    since, removed = head.get("since") or "", head.get("removed") or []
    if not isinstance(since, str) or not isinstance(removed, list) or not all(isinstance(one, str) for one in removed):
        raise Invalid("does not say what it builds on", path=f"{name}: {zips.MANIFEST}")
    return since, [files.check_path(one) for one in removed]


def _base_of(
    since: str, chosen: Selection, scratch: bulk.Scratch, lender: Repository | None, name: str
) -> tuple[str, Callable[[str], trees.Entries], dict[str, bytes]]:
    """(tree, reader, new trees) of the state that a zip builds on."""
    tree = None if lender is None or not re.fullmatch("[0-9a-f]{40}", since) else _known(lender, since)
    if tree is None:
        hint = "import first what it was exported --since"
        raise Invalid(f"builds on the commit {since[:10]} that this store does not have", path=name, hint=hint)
    picked = Picker(scratch.repo.tree, scratch.repo.blob, chosen, base=True).pick(tree)
    made = picked.entries()
    return picked.tree, lambda one: made[one] if one in made else scratch.repo.tree(one), dict(picked.fresh)


def _known(lender: Repository, source: str) -> str | None:
    """The tree of a commit of the store that a zip is from: our own, or as it was imported, under its own names."""
    if lender.has(source):
        return lender.commit(source).tree
    for commit in islice(lender.history(), _LOOK_BACK):
        said = commit.trailers
        tree = said.get("Sbfs-Tree")
        if tree and said.get("Sbfs-Commit") == source and "Sbfs-Map" not in said and lender.has(tree):
            return tree
    return None


# -- from elsewhere --------------------------------------------------------------------------------


def _foreign(path: Path, scratch: bulk.Scratch) -> Incoming:
    from sbfs.bundles import foreign

    found = foreign.read(path)
    editor = trees.TreeEditor(scratch.repo.tree, None)
    with scratch.pack() as writer:
        for place, data in found.files.items():
            writer.add("blob", etag(data), data)
            editor.set(place, etag(data))
        tree, fresh = editor.write()
        bulk.write_trees(writer, fresh)
    return Incoming(path.name, found.format, tree, Selection(), left_out=[*found.left_out])


def words_of(read: Callable[[str], trees.Entries], tree: str) -> Iterator[str]:
    """The words of what a tree holds."""
    from sbfs.bundles.selecting import FOLDERS

    root = read(tree)
    names: set[str] = set()
    if "projects" in root:
        for mode, id in read(root["projects"][1]).values():
            if mode == trees.FOLDER:
                names |= read(id).keys()
    for word in WORDS:
        if word in ("groups", "templates") and word in root or names & {*FOLDERS.get(word, ())}:
            yield word
