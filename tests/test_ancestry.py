"""What two commits have in common, told by walks that look at times, against plain sets of what is reachable."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import pytest
from helpers import git
from hypothesis import given
from hypothesis import strategies as st

from sbfs.git import ancestry
from sbfs.git.repository import Repository

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

histories = st.lists(st.tuples(st.sets(st.integers(0, 30), max_size=2), st.integers(0, 3)), min_size=2, max_size=16)
"""A commit a row: which earlier rows are its parents, and its time in seconds. Clocks stand still or run back."""


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("ancestry")
    git(folder, "init", "-q", "-b", "main")
    return folder


def build(root: Path, rows: list[tuple[set[int], int]]) -> list[tuple[str, set[str]]]:
    """(id, ids that are reachable from it) of each row's commit, put down as a loose object."""
    made: list[tuple[str, set[str]]] = []
    for number, (choices, seconds) in enumerate(rows):
        parents = sorted({choice % number for choice in choices}) if number else []
        lines = [f"tree {EMPTY_TREE}", *(f"parent {made[one][0]}" for one in parents)]
        lines += [f"{who} a <a@b> {1_800_000_000 + seconds} +0000" for who in ("author", "committer")]
        data = "\n".join([*lines, "", f"commit {number}\n"]).encode()
        raw = b"commit %d\0" % len(data) + data
        id = hashlib.sha1(raw).hexdigest()
        file = root / ".git" / "objects" / id[:2] / id[2:]
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(zlib.compress(raw))
        made.append((id, {id}.union(*(made[one][1] for one in parents))))
    return made


@given(rows=histories)
def test_walks_agree_with_sets(root, rows):
    """Breaks if commits of one second, or clocks that are off, made a sync count or merge too much or too little."""
    made = build(root, rows)
    reachable = dict(made)
    with Repository(root) as repo:
        for ours in [id for id, _ in made[-3:]]:
            for theirs in [id for id, _ in made]:
                common = reachable[ours] & reachable[theirs]
                best = {one for one in common if not any(one != other and one in reachable[other] for other in common)}
                assert ancestry.merge_bases(repo, ours, theirs) == sorted(best)
                assert ancestry.is_ancestor(repo, theirs, ours) == (theirs in reachable[ours])


@given(rows=histories)
def test_counting_is_right_where_clocks_agree(root, rows):
    """Breaks if commits of one second, which is many a second of an agent's, were counted as come although they
    were there (a parent can come up before its child)."""
    at, even = 0, []
    for parents, seconds in rows:
        at += seconds // 2
        even.append((parents, at))
    made = build(root, even)
    with Repository(root) as repo:
        for new, reachable in made[-3:]:
            for old, known in made:
                assert set(ancestry.only_in(repo, new, old, limit=100)) == reachable - known
            assert set(ancestry.only_in(repo, new, None, limit=100)) == reachable
