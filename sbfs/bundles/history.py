"""The history of a part of a store: each commit anew, with that part of its tree only.

A commit comes out the same wherever and whenever it is made, and names the commit that it was made from. So
bundles of one selection continue each other, and an import finds what it has in common with a store.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice

from sbfs.bundles.selecting import Picker, Selection
from sbfs.git import bulk, trees
from sbfs.git.repository import Commit, Repository, serialize_commit

_FAR = 24
"""Ancestors that a snapshot names: 1, 2, 4 … commits back."""

_WALKED = 20_000
"""Commits that are looked at for something in common."""


class Rewriter:
    """Makes commits anew. store: the id of the store they are from."""

    def __init__(self, repo: Repository, chosen: Selection, store: str, writer: bulk.PackWriter):
        self._repo, self._writer = repo, writer
        self._picker = Picker(repo.tree, repo.blob, chosen, base=True)
        self._trailers = {"Export": json.dumps(chosen.dump()), "Store": store}
        self._cut = repo.shallow()
        self._done: dict[str, str] = {}
        self._trees: dict[str, str] = {}

    def tip(self, id: str) -> str:
        """The commit that another becomes: itself anew, or, where it changed nothing of the part, an older one."""
        waiting = [id]
        while waiting:
            at = waiting[-1]
            parents = [] if at in self._cut else self._repo.commit(at).parents
            missing = [one for one in parents if one not in self._done]
            if at not in self._done and missing:
                waiting += missing
                continue
            if at not in self._done:
                self._done[at] = self._anew(at, [self._done[one] for one in parents])
            waiting.pop()
        return self._done[id]

    def _anew(self, id: str, parents: list[str]) -> str:
        parents = list(dict.fromkeys(parents))
        picked = self._picker.pick(self._repo.commit(id).tree)
        if len(parents) == 1 and self._trees[parents[0]] == picked.tree:
            return parents[0]
        bulk.write_trees(self._writer, picked.fresh.items())
        data = _with(self._repo.read(id)[1], picked.tree, parents, {**self._trailers, "Source": id})
        made = trees.object_id("commit", data)
        self._writer.add("commit", made, data)
        self._trees[made] = picked.tree
        return made


def _with(data: bytes, tree: str, parents: list[str], trailers: dict[str, str]) -> bytes:
    """A commit's bytes with another tree, other parents, and more trailers. A signature would not fit any more."""
    head, _, message = data.partition(b"\n\n")
    kept = re.findall(rb"^(?:author|committer|encoding) .*$", head, re.M)
    lines = [f"tree {tree}".encode(), *(f"parent {one}".encode() for one in parents), *kept]
    return b"\n".join(lines) + b"\n\n" + _said(message, trailers)


def _said(message: bytes, trailers: dict[str, str]) -> bytes:
    text = message.rstrip(b"\n")
    last = text.rpartition(b"\n\n")[2]
    joint = b"\n" if re.fullmatch(rb"(?:[A-Z][A-Za-z-]+: .*(?:\n|$))+", last) else b"\n\n"
    return text + joint + "".join(f"Sbfs-{key}: {value}\n" for key, value in trailers.items()).encode()


def snapshot(repo: Repository, source: Commit, chosen: Selection, store: str, writer: bulk.PackWriter) -> str:
    """A commit without parents that holds the part of another: the same state gives the same commit."""
    picked = Picker(repo.tree, repo.blob, chosen, base=True).pick(source.tree)
    bulk.write_trees(writer, picked.fresh.items())
    trailers = {"Export": json.dumps(chosen.dump()), "Store": store, "Source": source.id}
    trailers["Ancestors"] = " ".join(ancestors(repo, source.id))
    message = _said(b"Snapshot of a store", trailers).decode()
    id, data = serialize_commit(picked.tree, (), "sbfs <sbfs@localhost>", source.time, message)
    writer.add("commit", id, data)
    return id


def ancestors(repo: Repository, id: str) -> list[str]:
    """A few commits before one, ever further back: enough to find something near that two stores share."""
    found: list[str] = []
    at, step = id, 1
    cut = repo.shallow()
    while len(found) < _FAR:
        for _ in range(step):
            parents = () if at in cut else repo.commit(at).parents
            if not parents:
                return found if not found or found[-1] == at else [*found, at]
            at = parents[0]
        found.append(at)
        step = min(step * 2, 4096)
    return found


def sources(repo: Repository, tip: str) -> Iterator[str]:
    """The commits of the store it came from that a bundle's commit holds, the youngest first."""
    for commit in islice(repo.history(tip), _WALKED):
        said = commit.trailers
        yield said.get("Sbfs-Source", commit.id)
        yield from said.get("Sbfs-Ancestors", "").split()
