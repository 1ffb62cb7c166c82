"""Git's index, written by us: Git itself says whether it is right."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import add, assert_sound, git, note_path, run_git
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sbfs.errors import Failed
from sbfs.git import index
from sbfs.git.index import Entry
from sbfs.store import Store

NAMES = (
    "a", "b", "a.txt", "a-b", "a b", "ä", "a\u0308", "日本", "aa", "ab", "A", "-", "x\ttab", 'q"uote', "back\\slash",
    "n" * 120, "new\nline", "\udcff", "z",
)  # fmt: skip

PATHS = st.one_of(
    st.sampled_from(NAMES),
    st.lists(st.sampled_from(NAMES), min_size=2, max_size=3).map("/".join),
    st.sampled_from(["p/" * 40 + "deep", "a/b.txt", "a/b/c.txt", "a0", "a/", "n" * 120 + "/" + "m" * 120]).filter(
        lambda path: not path.endswith("/")
    ),
)

EDITS = st.lists(st.dictionaries(PATHS, st.none() | st.binary(max_size=6), min_size=1, max_size=6), max_size=6)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A plain repository with one commit, made by Git."""
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / ".git" / "sbfs").mkdir()
    for name in ("kept.txt", "folder/kept.txt"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("kept\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "begin")
    return root


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes are split from three entries on, and folded at six changes."""
    monkeypatch.setattr(index, "SPLIT_FROM", 3)
    monkeypatch.setattr(index, "_FOLD_FROM", 6)


def _blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _put(root: Path, changes: dict[str, bytes | None], *, split: bool = True) -> None:
    """What a publication does to files and index (None takes a file away), the branch left alone."""
    edits = {}
    for path, data in changes.items():
        file = root / path
        if data is None:
            file.unlink(missing_ok=True)
            edits[path] = Entry(None)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            edits[path] = Entry(_blob(data), stat=os.lstat(file))
    index.prepare(root / ".git", root / ".git" / "sbfs" / "index.next", edits, split=split)
    os.replace(root / ".git" / "sbfs" / "index.next", root / ".git" / "index")


def _staged(root: Path) -> dict[str, str]:
    """Path → blob, as Git reads the index; fails for stages and modes that nobody wrote."""
    found = {}
    for row in git(root, "ls-files", "-s", "-z").split("\0")[:-1]:
        head, _, path = row.partition("\t")
        mode, id, stage = head.split()
        assert (mode, stage, path in found) == ("100644", "0", False)
        found[path] = id
    return found


def _edited(root: Path) -> list[str]:
    """What Git takes for edited in the work tree; it looks into files where the index gives no answer."""
    run_git(root, "update-index", "-q", "--refresh")
    return git(root, "diff-files", "--name-only").splitlines()


def _is_split(root: Path) -> bool:
    return b"link" in (root / ".git" / "index").read_bytes()


def _store_objects(root: Path) -> None:
    """Give Git the blobs that the index names, so that it can be asked about them."""
    names = git(root, "ls-files", "-z").split("\0")[:-1]
    git(
        root,
        "hash-object",
        "-w",
        "--stdin-paths",
        input="\n".join(n for n in names if "\n" not in n).encode("utf-8", "surrogateescape"),
    )


def _fits(paths: dict[str, bytes | None], known: dict[str, bytes]) -> dict[str, bytes | None]:
    """The changes that a file system can hold beside each other: no file where a folder is needed.

    As the store does, a file that gives way to a folder is taken away by its own entry.
    """
    after = dict(known)
    result: dict[str, bytes | None] = {}
    for path, data in paths.items():
        if data is None:
            if path in after:
                result[path] = None
                del after[path]
            continue
        parents = [path[:i] for i, char in enumerate(path) if char == "/"]
        if any(one in after for one in parents) or any(one.startswith(path + "/") for one in after):
            continue
        after[path] = data
        result[path] = data
    return result


@pytest.mark.parametrize("split", [True, False])
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(rounds=EDITS)
def test_any_edits_as_git_sees_them(tmp_path_factory, small, split: bool, rounds):
    """Whatever is added, changed and taken away, Git lists just that, in its order, and finds nothing changed.

    Breaks if an entry were padded, sorted or counted wrongly, or lost between the shared part and the rest.
    """
    root = tmp_path_factory.mktemp("repo")
    git(root, "init", "-q", "-b", "main")
    git(root, "config", "core.quotepath", "false")
    (root / ".git" / "sbfs").mkdir()
    known: dict[str, bytes] = {"one": b"1", "two": b"2", "three": b"3"}
    _put(root, dict(known), split=split)
    for changes in rounds:
        fitting = _fits(changes, known)
        for path, data in fitting.items():
            if data is None:
                file = root / path
                file.unlink()
                for folder in file.parents:
                    if folder == root or any(folder.iterdir()):
                        break
                    folder.rmdir()
                known.pop(path)
            else:
                known[path] = data
        _put(root, fitting, split=split)
        if not split:
            assert not _is_split(root)
        assert _staged(root) == {path: _blob(data) for path, data in known.items()}
    order = [os.fsencode(path) for path in git(root, "ls-files", "-z").split("\0")[:-1]]
    assert order == sorted(order)
    assert _edited(root) == []
    _store_objects(root)
    if not any("\n" in path for path in known):
        git(root, "commit", "-q", "-m", "all")
        assert git(root, "status", "--porcelain", "-uall") == ""
        git(root, "fsck", "--strict", "--full")


def _git_status(root: Path) -> None:
    os.utime(root / "kept.txt")  # so that there is something to note
    git(root, "status")


def _git_add(root: Path) -> None:
    (root / "added.txt").write_text("added by a person\n")
    git(root, "add", "added.txt")


def _git_commit(root: Path) -> None:
    (root / "kept.txt").write_text("changed by a person\n")
    git(root, "commit", "-q", "-a", "-m", "a person's")


def _git_remove(root: Path) -> None:
    git(root, "rm", "-q", "kept.txt")


def _git_read_tree(root: Path) -> None:
    git(root, "read-tree", "HEAD")


def _git_stash(root: Path) -> None:
    (root / "kept.txt").write_text("changed, but not now\n")
    git(root, "stash", "-q")


def _git_checkout(root: Path) -> None:
    git(root, "checkout", "-q", "-b", "other")
    git(root, "checkout", "-q", "main")


def _git_version_4(root: Path) -> None:
    git(root, "update-index", "--index-version", "4")


def _git_untracked_cache(root: Path) -> None:
    git(root, "update-index", "--force-untracked-cache")
    git(root, "status")


def _git_split(root: Path) -> None:
    git(root, "update-index", "--split-index")


def _git_split_changed(root: Path) -> None:
    git(root, "update-index", "--split-index")
    (root / "kept.txt").write_text("replaced in the split part\n")
    git(root, "add", "kept.txt")
    git(root, "rm", "-q", "--cached", "folder/kept.txt")


def _git_unsplit(root: Path) -> None:
    git(root, "update-index", "--no-split-index")


def _git_ita(root: Path) -> None:
    (root / "meant.txt").write_text("to be added\n")
    git(root, "add", "-N", "meant.txt")


def _git_force_write(root: Path) -> None:
    git(root, "update-index", "--force-write-index")


REWRITES = [
    _git_status,
    _git_add,
    _git_commit,
    _git_remove,
    _git_read_tree,
    _git_stash,
    _git_checkout,
    _git_version_4,
    _git_untracked_cache,
    _git_split,
    _git_split_changed,
    _git_unsplit,
    _git_ita,
    _git_force_write,
]


@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda one: one.__name__.strip("_"))
@pytest.mark.parametrize("sizes", ["whole", "split"])
def test_after_git_wrote_the_index(repo: Path, monkeypatch, sizes: str, rewrite: Callable[[Path], None]):
    """Failure mode 2: Git and we take turns in writing the index; nobody's entries are lost.

    Breaks if an extension were copied that is no longer true, or an entry of Git's were misread.
    """
    if sizes == "split":
        monkeypatch.setattr(index, "SPLIT_FROM", 3)
        monkeypatch.setattr(index, "_FOLD_FROM", 4)
    _put(repo, {"ours/1": b"1", "ours/2": b"2", "ours/3": b"3"})
    _store_objects(repo)
    git(repo, "commit", "-q", "-m", "ours")
    rewrite(repo)
    expected = _staged(repo)
    for number in range(4, 12):
        _put(repo, {f"ours/{number}": b"%d" % number, "ours/1": b"again %d" % number, "ours/2": None})
        expected |= {f"ours/{number}": _blob(b"%d" % number), "ours/1": _blob(b"again %d" % number)}
        expected.pop("ours/2", None)
        assert _staged(repo) == expected
        if number % 3 == 0:
            git(repo, "status")
    assert [path for path in _edited(repo) if path.startswith("ours/")] == []


@pytest.mark.parametrize("sizes", ["whole", "split"])
def test_what_a_person_staged_or_marked_stays(repo: Path, monkeypatch, sizes: str):
    """Staged changes and `assume-unchanged`, `skip-worktree` marks outlive our writes.

    Breaks if entries were made anew from the work tree instead of being kept.
    """
    if sizes == "split":
        monkeypatch.setattr(index, "SPLIT_FROM", 2)
    git(repo, "update-index", "--assume-unchanged", "kept.txt")
    git(repo, "update-index", "--skip-worktree", "folder/kept.txt")
    (repo / "staged.txt").write_text("staged\n")
    git(repo, "add", "staged.txt")
    (repo / "staged.txt").write_text("edited after that\n")
    for number in range(5):
        _put(repo, {f"ours/{number}": b"%d" % number})
    assert git(repo, "ls-files", "-v", "kept.txt", "folder/kept.txt") == "S folder/kept.txt\nh kept.txt"
    assert git(repo, "show", ":staged.txt") == "staged"
    assert "AM staged.txt" in git(repo, "status", "--porcelain")


@pytest.mark.parametrize("sizes", ["whole", "split", "folded"])
@pytest.mark.parametrize("moment", ["at once", "a second later"])
def test_edit_of_the_same_size_right_after_a_write_is_seen(repo: Path, monkeypatch, sizes: str, moment: str):
    """A person's edit within the same clock tick as our write, of the same size, shows in `git status`, also once a
    later write has made the index younger than the edit.

    Breaks if an entry stayed trusted that is as young as the index that held it (Git's racy-git.txt; Git as
    it is built by default compares whole seconds).
    """
    if sizes != "whole":
        monkeypatch.setattr(index, "SPLIT_FROM", 2)
        monkeypatch.setattr(index, "_FOLD_FROM", 1 if sizes == "folded" else 100)
    for attempt in range(4):
        _wait_for_a_new_second()
        _put(repo, {f"ours/raced-{attempt}": b"one"})
        file = repo / "ours" / f"raced-{attempt}"
        written = file.stat()
        with open(file, "r+b") as stream:
            stream.write(b"two")
        edited = file.stat()
        if (int(edited.st_mtime), edited.st_ino, edited.st_size) == (int(written.st_mtime), written.st_ino, 3):
            break
    else:
        pytest.fail("four times the clock moved on in between")
    if moment == "a second later":
        _wait_for_a_new_second()
    _put(repo, {"ours/other": b"other"})
    assert _edited(repo) == [f"ours/raced-{attempt}"]


def _wait_for_a_new_second() -> None:
    until = int(time.time()) + 1
    while time.time() < until + 0.02:
        time.sleep(0.01)


def test_half_merged_index_is_left_to_git(repo: Path):
    """Breaks if the stages of an unfinished merge were dropped or duplicated."""
    lines = "\n".join(f"100644 {_blob(b'%d' % stage)} {stage}\tkept.txt" for stage in (1, 2, 3))
    git(repo, "update-index", "--index-info", input=b"0 " + b"0" * 40 + b"\tkept.txt\n" + lines.encode() + b"\n")
    _put(repo, {"ours/1": b"1"})
    assert [row.split("\t")[0][-1] for row in git(repo, "ls-files", "-s", "kept.txt").splitlines()] == ["1", "2", "3"]
    assert git(repo, "ls-files", "ours") == "ours/1"


@pytest.mark.parametrize("damage", ["empty", "cut", "garbage"])
def test_damaged_index_is_an_error_that_says_so(repo: Path, damage: str):
    """Failure mode 13: breaks if a damaged index were silently replaced, and with it what a person staged."""
    raw = (repo / ".git" / "index").read_bytes()
    (repo / ".git" / "index").write_bytes({"empty": b"", "cut": raw[:40], "garbage": b"x" * 200}[damage])
    with pytest.raises(Failed) as caught:
        _put(repo, {"ours/1": b"1"})
    assert "index" in caught.value.sentence
    assert caught.value.hint


def test_missing_index_and_missing_shared_part(repo: Path, small):
    """A deleted index is made anew with what is known; a deleted shared part is named.

    Breaks if either ended in a traceback or an index that Git refuses.
    """
    for number in range(8):
        _put(repo, {f"ours/{number}": b"%d" % number})
    assert _is_split(repo)
    for shared in (repo / ".git").glob("sharedindex.*"):
        shared.unlink()
    with pytest.raises(Failed):
        _put(repo, {"ours/9": b"9"})
    (repo / ".git" / "index").unlink()
    _put(repo, {"ours/9": b"9"})
    assert list(_staged(repo)) == ["ours/9"]


def test_old_shared_parts_are_cleared_away(repo: Path, small):
    """Breaks if every fold left a file of the whole index's size for ever, or the one in use were removed."""
    for number in range(40):
        _put(repo, {f"ours/{number}": b"%d" % number})
        for shared in (repo / ".git").glob("sharedindex.*"):
            if shared.stem and time.time() - shared.stat().st_mtime < 100:
                os.utime(shared, (time.time() - 7200,) * 2)
    assert len(list((repo / ".git").glob("sharedindex.*"))) <= 2
    assert len(_staged(repo)) == 42


def test_entry_beyond_git_is_refused_by_name(repo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Version 4 needs a git binary; without one the error says so. Breaks if it were a traceback."""
    git(repo, "update-index", "--index-version", "4")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Failed, match="version 4") as caught:
        _put(repo, {"ours/1": b"1"})
    assert "install git" in caught.value.hint


def test_variables_of_the_caller_do_not_reach_git(repo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Git hooks run with GIT_DIR and GIT_INDEX_FILE set. Breaks if ours went to another repository's index."""
    git(repo, "update-index", "--index-version", "4")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    _put(repo, {"ours/1": b"1"})
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert git(repo, "ls-files", "ours") == "ours/1"
    assert not (tmp_path / "index").exists()


def test_store_with_split_index_is_plain_git(store: Store, small):
    """Failure modes 31 and 51: a store whose index is split takes `git add`, `git commit`, `git status` and ours in
    turn, and no record leaves the branch.

    Breaks if Git read an index of ours in which a record is missing.
    """
    root = store.root
    for number in range(12):
        add(store, f"n{number}")
        (root / f"person-{number}.txt").write_text("x\n")
        git(root, "add", f"person-{number}.txt")
        git(root, "commit", "-q", "-m", f"person {number}")
    assert len(git(root, "ls-tree", "-r", "--name-only", "main", "notes").splitlines()) == 12
    assert_sound(root)


def test_split_index_is_off_where_git_says_so(store: Store, small):
    """`core.splitIndex=false` is respected. Breaks if tools that read whole indexes only had no way to be served."""
    add(store, "one")
    assert _is_split(store.root)
    git(store.root, "config", "core.splitIndex", "false")
    add(store, "two")
    assert not _is_split(store.root)
    assert git(store.root, "ls-files", note_path("two")) == note_path("two")
    assert_sound(store.root)


def test_git_is_not_started_for_an_ordinary_write(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Promise 5: no git binary is needed to write. Breaks if every write cost a process."""
    add(store, "one")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        subprocess.run(["git", "version"], check=True)
    add(store, "two")
    monkeypatch.undo()
    assert run_git(store.root, "cat-file", "-e", f"main:{note_path('two')}").returncode == 0
