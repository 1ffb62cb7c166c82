"""Trees as mappings, compared with Git's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import git
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sbfs.errors import Invalid
from sbfs.git import trees

NAMES = st.sampled_from(["a", "b", "a.b", "a-b", "a0", "ab", "ä", "a b", "A", "Z", "_"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
BLOBS = [trees.object_id("blob", b"%d" % number) for number in range(3)]
STEPS = st.lists(st.tuples(PATHS, st.none() | st.sampled_from(BLOBS)), max_size=14)


class Objects(dict[str, trees.Entries]):
    """Trees by id, as an object store would have them."""

    def keep(self, fresh: list[tuple[str, bytes]]) -> None:
        """Take new trees, which must be what their ids say."""
        for id, data in fresh:
            assert trees.object_id("tree", data) == id
            self[id] = trees.parse(data)

    def read(self, id: str) -> trees.Entries:
        return self[id]


def _apply(editor: trees.TreeEditor, files: dict[str, str], steps: list[tuple[str, str | None]]) -> None:
    for path, id in steps:
        if id is None:
            editor.remove(path)
            files.pop(path, None)
            continue
        parents = {path[:at] for at, char in enumerate(path) if char == "/"}
        if parents & files.keys() or any(other.startswith(path + "/") for other in files):
            with pytest.raises(Invalid):
                editor.set(path, id)
        else:
            editor.set(path, id)
            files[path] = id


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=3))
@example([[("a/a", BLOBS[0]), ("a/a", None), ("a", BLOBS[0])]])
@example([[("a/b/a", BLOBS[0])], [("a/b/a", None), ("a", BLOBS[1])], [("a", None), ("a/b", BLOBS[2])]])
def test_any_changes(rounds: list[list[tuple[str, str | None]]]):
    """A tree edited step by step equals a tree of the same files made at once; empty folders vanish.

    Breaks if a removal left an empty folder, or a file and a folder of one name met.
    """
    objects, files, tree = Objects(), {}, None
    for steps in rounds:
        editor = trees.TreeEditor(objects.read, tree)
        _apply(editor, files, steps)
        assert all(editor.get(path) == (trees.FILE, id) for path, id in files.items())
        tree, fresh = editor.write()
        objects.keep(fresh)
        objects.setdefault(tree, trees.Entries())
        again = trees.TreeEditor(objects.read, None)
        for path, id in files.items():
            again.set(path, id)
        same, more = again.write()
        assert same == tree
        objects.keep(more)
        assert {path: id for path, _, id in trees.walk(objects.read, tree)} == files
        assert editor.write() == (tree, [])


@settings(max_examples=100, deadline=None)
@given(STEPS, STEPS)
def test_difference(first: list[tuple[str, str | None]], second: list[tuple[str, str | None]]):
    """Breaks if a change in a folder of equal name were overlooked, or a file that became a folder told once only."""
    objects, sides = Objects(), []
    for steps in (first, second):
        files: dict[str, str] = {}
        editor = trees.TreeEditor(objects.read, None)
        _apply(editor, files, steps)
        tree, fresh = editor.write()
        objects.keep(fresh)
        objects.setdefault(tree, trees.Entries())
        sides.append((tree, files))
    (old, before), (new, after) = sides
    expected = {
        (path, before.get(path), after.get(path))
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path)
    }
    found = list(trees.diff(objects.read, old, new))
    assert len(found) == len(set(found))
    assert set(found) == expected
    assert {(path, b, a) for path, a, b in found} == set(trees.diff(objects.read, new, old))
    assert {path for path, _, _ in trees.diff(objects.read, None, new)} == set(after)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(PATHS, st.sampled_from(BLOBS), max_size=8))
def test_as_git_writes_them(tmp_path_factory, files: dict[str, str]):
    """Git's ids for the same files. Breaks if entries were sorted or written otherwise than Git does."""
    root: Path = tmp_path_factory.mktemp("repo")
    git(root, "init", "-q")
    editor, put = trees.TreeEditor(lambda _: trees.Entries(), None), {}
    for path, id in files.items():
        try:
            editor.set(path, id)
        except Invalid:
            continue
        put[path] = id
    rows = "".join(f"100644 {id}\t{path}\n" for path, id in put.items())
    git(root, "update-index", "--index-info", input=rows.encode())
    assert editor.write()[0] == git(root, "write-tree", "--missing-ok")


def test_a_tree_is_written_once():
    """Breaks if unchanged folders were written again, so that a write cost as much as the store is large."""
    objects = Objects()
    editor = trees.TreeEditor(objects.read, None)
    for number in range(20):
        editor.set(f"folder-{number}/deep/file", BLOBS[0])
    tree, fresh = editor.write()
    objects.keep(fresh)
    reads = []

    def read(id: str) -> trees.Entries:
        reads.append(id)
        return objects[id]

    editor = trees.TreeEditor(read, tree)
    editor.set("folder-7/deep/file", BLOBS[1])
    assert len(editor.write()[1]) == 3
    assert len(reads) == 3
    editor.set("folder-7/deep/file", BLOBS[1])
    editor.remove("folder-8/none")
    editor.remove("none/none")
    assert editor.write()[0] != tree


def test_names_that_are_not_utf8():
    """Breaks if a name that Git has, and UTF-8 has not, were changed by being read."""
    data = b"100644 caf\xe9\0" + bytes.fromhex(BLOBS[0])
    assert trees.serialize(trees.parse(data)) == data


def test_modes_are_kept():
    """Breaks if an executable or a link beside a record lost its mode."""
    entries = {
        "x": (trees.EXECUTABLE, BLOBS[0]),
        "l": (trees.LINK, BLOBS[1]),
        "f": (trees.FOLDER, BLOBS[2]),
        "m": (0o160000, BLOBS[2]),
    }
    assert trees.parse(trees.serialize(entries)) == entries
    assert b"40000 f\0" in trees.serialize(entries)


def test_removing_a_folder_by_name_removes_nothing():
    """Failure mode 54: breaks if `remove` of a path that became a folder dropped all that is in it."""
    objects = Objects()
    editor = trees.TreeEditor(objects.read, None)
    editor.set("a/one", BLOBS[0])
    tree, fresh = editor.write()
    objects.keep(fresh)
    again = trees.TreeEditor(objects.read, tree)
    again.remove("a")
    assert again.get("a/one") == (trees.FILE, BLOBS[0])
    assert again.write() == (tree, [])


@given(st.sets(st.text("ab.-/", min_size=1, max_size=5).filter(lambda text: all(text.split("/"))), max_size=12))
def test_what_is_new_comes_in_the_order_of_its_paths(found):
    """A folder's files before or behind a file whose name begins as the folder's does."""
    paths = {path for path in found if not any(other.startswith(f"{path}/") for other in found)}
    made: dict[str, trees.Entries] = {}
    editor = trees.TreeEditor(made.__getitem__, None)
    for path in paths:
        editor.set(path, "0" * 40)
    tree, fresh = editor.write()
    made |= {id: trees.parse(data) for id, data in fresh}
    made.setdefault(tree, trees.Entries())
    assert [path for path, _, _ in trees.diff(made.__getitem__, None, tree)] == sorted(paths)
