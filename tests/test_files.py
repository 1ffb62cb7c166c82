"""Files: names that stay below their root, writes that are whole or not there."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbfs import files
from sbfs.errors import Failed, Invalid

REFUSED = [
    "", ".", "..", "/", "/a", "a/", "a//b", "../a", "a/..", "a/../b", "./a", "a/./b", ".git", ".git/config",
    "a/.git/b", ".GIT/x",
    ".Git", "git~1", "GIT~1/x", "a\\b", "..\\a", "a\0", "a\nb", "a\tb", "C:a", "a:b", "a*", "a?", 'a"', "a<", "a>",
    "a|",
    "a.", "a ", "a./b", ".git ", ".git.", "n" * 251, "ä" * 126, ".g\u200cit", "\ufeff.git", "\u200d", "a\ud800",
]  # fmt: skip


@pytest.mark.parametrize("path", REFUSED, ids=ascii)
def test_paths_that_are_refused(path: str, tmp_path: Path):
    """Failure mode 54: each way out of a folder, into `.git`, or past what some file system can hold."""
    for check in (files.check_path, lambda path: files.join(tmp_path, path)):
        with pytest.raises(Invalid) as caught:
            check(path)
        assert caught.value.path == path


@pytest.mark.parametrize("path", ["a", "a/b.yaml", ".gitattributes", ".github/x", "a b", "ä/日本", "..a", "a..b",
    "...a", "-a",
                                  "git~2", "n" * 250, "~", ".gitx"])  # fmt: skip
def test_paths_that_are_taken(path: str, tmp_path: Path):
    """Breaks if ordinary names were refused."""
    assert files.check_path(path) == path
    assert files.join(tmp_path, path) == tmp_path / path


@settings(max_examples=300)
@given(st.text(st.sampled_from("a./\\~:gitG \0\u200c"), max_size=14))
def test_no_path_leads_out(path: str):
    """Whatever is taken lies below the root, and not in `.git`. Breaks for combinations that nobody listed."""
    try:
        files.check_path(path)
    except Invalid:
        return
    root = "/somewhere/root"
    full = os.path.normpath(os.path.join(root, path))
    assert full == f"{root}/{path}"
    assert not any(part.lower() == ".git" for part in path.split("/"))


def test_links_lead_nowhere(tmp_path: Path):
    """Breaks if a link on the way, or at the end, or one that dangles, were followed out of the root."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "file").write_text("outside")
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "file")
    (root / "dangling").symlink_to(outside / "none")
    (root / "inner").symlink_to(root)
    for path in ("folder/file", "folder/new/deep", "file", "dangling", "inner/x"):
        with pytest.raises(Invalid, match="link") as caught:
            files.join(root, path)
        assert caught.value.hint
    (tmp_path / "alias").symlink_to(root)
    assert files.join(tmp_path / "alias", "x") == tmp_path / "alias" / "x"


def test_read_says_none_for_nothing(tmp_path: Path):
    """Breaks if a missing file, a folder, or a file on the way were errors."""
    (tmp_path / "file").write_bytes(b"x\0\xff")
    assert files.read(tmp_path / "file") == b"x\0\xff"
    for nothing in (tmp_path / "none", tmp_path, tmp_path / "file" / "deeper"):
        assert files.read(nothing) is None


@pytest.mark.parametrize("count", [1, 3, 60])
def test_writing_and_removing(tmp_path: Path, count: int):
    """Breaks if a file were left out, or a temporary one left behind, below and above the bulk limit."""
    targets = {tmp_path / f"{n % 5}" / "deep" / f"{n}.txt": b"%d\n" % n for n in range(count)}
    files.write_many(targets)
    assert {path: path.read_bytes() for path in targets} == targets
    changed = {path: None if n % 2 else b"new" for n, path in enumerate(targets)}
    files.write_many(changed)
    files.write_many(dict.fromkeys(targets))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    files.prune_folders(tmp_path, {path.parent for path in targets})
    assert list(tmp_path.iterdir()) == []


def test_prune_stops_at_what_is_not_empty(tmp_path: Path):
    """Breaks if a folder with a person's file went, or the root itself."""
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "a" / "kept.txt").touch()
    files.prune_folders(tmp_path, [tmp_path / "a" / "b" / "c", tmp_path / "never", tmp_path])
    assert sorted(os.listdir(tmp_path)) == ["a"]
    assert os.listdir(tmp_path / "a") == ["kept.txt"]


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str):
    """Failure mode 14: a full disk at any step. Breaks if the old content were gone, or a temporary file stayed."""
    file = tmp_path / "file"
    files.write(file, b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, step, full)
        with pytest.raises(Failed, match="no space left") as caught:
            files.write_many({file: b"new", tmp_path / "other": b"new"})
    assert "free some space" in caught.value.hint
    assert file.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_what_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Promise 2: content is on disk before it gets its name, and the name before the write returns.

    Breaks if a sync were left out, which no test without a power cut could notice otherwise.
    """
    done: list[str] = []
    sync, rename = os.fsync, os.replace

    def noted_sync(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "content")
        sync(handle)

    def noted_rename(source: str, target: Path) -> None:
        done.append("rename")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "replace", noted_rename)
    files.write(tmp_path / "new" / "file.txt", b"x")
    # The folder of the file, and the one above, which got a new entry.
    assert done == ["content", "rename", "folder", "folder"]
    done.clear()
    files.write_many({tmp_path / "new" / "file.txt": None})
    assert done == ["folder"]


def test_temporary_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Failure mode 15: temporary names differ for every writer, and are told from records' names.

    Breaks if two writers of one file met, or a left-over looked like a file of somebody's.
    """
    seen, real = [], os.replace
    monkeypatch.setattr(os, "replace", lambda source, target: (seen.append(Path(source).name), real(source, target)))
    for _ in range(20):
        files.write(tmp_path / "file.yaml", b"x")
    files.write(tmp_path / ("n" * 250), b"x")
    assert len(set(seen)) == 21
    assert all(files.TEMPORARY.fullmatch(name) for name in seen)
    assert all(len(name) <= 255 for name in seen)
    for name in ("file.yaml", "file.yaml~", ".file.yaml.swp", ".file~", ".x.1.0123456789a~", ".hidden.12.abc~"):
        assert not files.TEMPORARY.fullmatch(name)


def test_mode_of_new_files(tmp_path: Path):
    """Breaks if records were executable or, by the usual umask, unreadable for a group."""
    old = os.umask(0o022)
    try:
        files.write(tmp_path / "file", b"x")
    finally:
        os.umask(old)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def test_folder_in_the_way(tmp_path: Path):
    """Breaks if the system's error came through raw."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for target in (tmp_path / "folder", tmp_path / "file" / "inner"):
        with pytest.raises(Failed) as caught:
            files.write(target, b"x")
        assert target.name in caught.value.sentence or "file" in caught.value.sentence
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_places_one_after_another(tmp_path: Path):
    """What was found of one folder is taken for the next one, or a link is followed where its folder was looked at."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "a" / "b").mkdir(parents=True)
    outside.mkdir()
    for file in (root / "top", root / "a" / "one", root / "a" / "b" / "two", outside / "three"):
        file.write_text(file.name)
    (root / "a" / "linked").symlink_to(outside / "three")
    (root / "away").symlink_to(outside)
    paths = [
        "top",
        "a/one",
        "a/none",
        "a/linked",
        "a/b/two",
        "a/b",
        "none/x",
        "none/y",
        "top/x",
        "a/one",
        "none",
        "top",
    ]
    paths += ["away/three", "away/three", "away/none", "a/one", "away/three", "top", "../outside/three", "a//one"]
    places = files.Places(root)
    for path in paths:
        file = root / path
        if _leads_out(root, path):
            with pytest.raises(Invalid):
                places.find(path)
            continue
        found, state = places.find(path)
        assert Path(found) == file
        assert (state is not None) == file.exists()
        assert state is None or stat.S_ISDIR(state.st_mode) == file.is_dir()


def _leads_out(root: Path, path: str) -> bool:
    try:
        files.join(root, path)
    except Invalid:
        return True
    return False


def test_long_names_that_begin_alike(tmp_path: Path):
    """A temporary name holds only the beginning of the file's, and two files of one write would share one."""
    wanted = {tmp_path / ("x" * 230 + str(number)): str(number).encode() for number in range(20)}
    files.write_many(wanted)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == wanted
