"""Upkeep keeps the object folder in bounds, whatever brought the objects and whoever dies at it."""

from __future__ import annotations

import os
import random
import shutil
import sys
import time
import tracemalloc
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from helpers import add, assert_sound, assert_whole, finish, git, ids, spawn, stopped, trip, wait_for, write_notes

from sbfs import upkeep
from sbfs.errors import Busy, Failed
from sbfs.git import joining, packs, trees
from sbfs.git.repository import Repository
from sbfs.store import Store

START = upkeep.start


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one commit, which is empty and loose."""
    git(tmp_path, "init", "-q", "-b", "main", "repo")
    git(tmp_path / "repo", "config", "gc.auto", "0")
    git(tmp_path / "repo", "commit", "-q", "--allow-empty", "-m", "first")
    return tmp_path / "repo"


def _folder(root: Path) -> Path:
    return root / ".git" / "objects" / "pack"


def _blob(data: bytes) -> packs.Object:
    return "blob", trees.object_id("blob", data), data


def _lock() -> AbstractContextManager[None]:
    return nullcontext()


def _count(root: Path) -> int:
    return len(list(_folder(root).glob("*.pack")))


def _objects(root: Path) -> list[str]:
    return sorted(git(root, "cat-file", "--batch-all-objects", "--batch-check").splitlines())


def _write_loose(root: Path, count: int) -> None:
    for number in range(count):
        (root / f"{number}.txt").write_text(f"loose {number}\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "loose")
    _age(root)


def _age(root: Path) -> None:
    old = time.time() - 60
    for file in joining.loose(root / ".git" / "objects"):
        os.utime(file, (old, old))


def _fill(root: Path, count: int, size: int = 100_000) -> list[packs.Object]:
    """So many packs that are not tiny."""
    made = [_blob(random.Random(number).randbytes(size)) for number in range(count)]
    for one in made:
        packs.write(_folder(root), [one])
    return made


def test_bounds_after_thousands_of_publications(root: Path):
    """Failure mode 45: at no time more than 50 packs, and each byte is copied a few times only.

    Breaks if a tier grew without end, or if everything were copied again and again.
    """
    copied = 0
    with Repository(root) as repo:
        for number in range(3000):
            packs.write(_folder(root), [_blob(random.Random(number).randbytes(6000))])
            packs.join_small(_folder(root))
            if upkeep.due(repo):
                copied += sum(pack.stat().st_size for pack in joining.plan(_folder(root)))
                assert upkeep.run(repo, _lock)
                assert not upkeep.due(repo)
            assert _count(root) <= 50
        state = upkeep.state(repo)
    assert copied < 6 * 3000 * 6000
    assert (state.packs, state.due, state.problem) == (_count(root), False, "")
    assert len(_objects(root)) == 3002
    assert_whole(root)


def test_bounds_without_upkeep(root: Path):
    """Where upkeep never gets to run, publications do the most urgent themselves. Breaks if packs piled up."""
    for number in range(1200):
        packs.write(_folder(root), [_blob(random.Random(number).randbytes(5000))])
        packs.join_small(_folder(root))
    assert _count(root) <= 50
    assert len(_objects(root)) == 1202


@pytest.mark.parametrize("with_git", [True, False])
def test_packs_with_deltas(root: Path, monkeypatch: pytest.MonkeyPatch, with_git: bool):
    """Failure mode 44: what `git repack` and `git fetch` packed is joined, without a git binary too.

    Breaks if a delta lost its base, were copied with an offset of its old pack, or if joining
    unpacked what was small.
    """
    for number in range(60):
        text = "".join(f"line {line} {random.Random(line).random()}\n" for line in range(300))
        (root / "file.txt").write_text(text + f"{number}\n")
        git(root, "add", ".")
        git(root, "commit", "-q", "-m", f"{number}")
        if number % 2:
            git(root, "repack", "-q", "-d")
    whole = git(root, "rev-list", "--objects", "main~20").encode()
    git(root, "pack-objects", "-q", "--delta-base-offset", str(_folder(root) / "pack"), input=whole)
    git(root, "pack-objects", "-q", str(_folder(root) / "pack"), input=whole + b"\n")
    git(root, "multi-pack-index", "write")
    before, size = _objects(root), sum(pack.stat().st_size for pack in _folder(root).glob("*.pack"))
    assert _count(root) > 28
    with Repository(root) as repo:
        contents = {line.split()[0]: repo.read(line.split()[0]) for line in before}
        if not with_git:
            monkeypatch.setenv("PATH", "")
        assert upkeep.due(repo)
        assert upkeep.run(repo, _lock)
        # The repository was open all the time, on packs that are gone now.
        assert {id: repo.read(id) for id in contents} == contents
    with Repository(root) as repo:
        assert {id: repo.read(id) for id in contents} == contents
    monkeypatch.undo()
    assert _count(root) < 28
    assert sum(pack.stat().st_size for pack in _folder(root).glob("*.pack")) <= size
    assert _objects(root) == before
    assert not (_folder(root) / "multi-pack-index").exists()
    assert_whole(root)


def test_what_git_holds_stays(root: Path):
    """Packs with .keep, .promisor or .mtimes are never touched. Breaks if one were joined or removed."""
    _fill(root, 40)
    held = sorted(_folder(root).glob("*.pack"))[:3]
    for pack, mark in zip(held, joining.HELD, strict=True):
        pack.with_suffix(mark).touch()
    with Repository(root) as repo:
        upkeep.run(repo, _lock)
        assert upkeep.state(repo).kept == 3
    assert all(pack.exists() for pack in held)
    assert _count(root) < 28


def test_loose_objects_are_packed(root: Path):
    """Failure mode 44: what plain `git commit` left loose is packed; garbage, and what just came, is left alone.

    Breaks if an object went whose content is in no pack, or a broken one were taken for whole.
    """
    _write_loose(root, 1200)
    objects = root / ".git" / "objects"
    all = _objects(root)
    files = list(joining.loose(objects))
    broken, wrong, young = files[0], files[1], files[2]
    kept = {file: file.read_bytes() for file in (broken, wrong, young)}
    for file, data in ((broken, b"garbage"), (wrong, files[3].read_bytes())):
        file.chmod(0o644)
        file.write_bytes(data)
    (objects / "00").mkdir(exist_ok=True)
    (objects / "00" / "note.txt").write_text("a person's")
    _age(root)
    os.utime(young)
    with Repository(root) as repo:
        assert upkeep.due(repo)
        assert upkeep.run(repo, _lock)
        assert not upkeep.due(repo)
        assert upkeep.state(repo).loose == 3
    assert sorted(joining.loose(objects)) == sorted((broken, wrong, young))
    assert broken.read_bytes() == b"garbage"
    assert (objects / "00" / "note.txt").exists()
    (objects / "00" / "note.txt").unlink()
    for file in (broken, wrong):
        file.write_bytes(kept[file])
    assert _objects(root) == all
    assert_whole(root)


def test_memory_is_bounded(root: Path):
    """Breaks if a pack, or the joined one, were in memory as a whole."""
    folder = _folder(root)
    for pack in range(16):
        packs.write(folder, [_blob(random.Random(f"{pack} {one}").randbytes(1 << 19)) for one in range(8)])
    chosen = joining.plan(folder)
    assert sum(pack.stat().st_size for pack in chosen) > 60e6
    tracemalloc.start()
    try:
        packs.exchange(folder, joining.join(folder, chosen), chosen)
        assert tracemalloc.get_traced_memory()[1] < 16e6
    finally:
        tracemalloc.stop()
    assert _count(root) == 1
    assert_whole(root)


def _die(root: Path, at: int) -> None:
    """Process: do upkeep and die at a step."""
    joining.LOOSE, joining._LIMIT, joining._TINY_LIMIT = 3, 3, 3
    with Repository(root) as repo:
        trip("kill", "before", at)
        upkeep.run(repo, _lock)


def test_kill_at_every_step(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """SIGKILL before any step of packing loose objects, joining and exchanging.

    Breaks if an object were in no pack for a moment, or if what was left could not be swept up.
    """
    for name in ("LOOSE", "_LIMIT", "_TINY_LIMIT"):
        monkeypatch.setattr(joining, name, 3)
    _write_loose(root, 4)
    _fill(root, 4)
    before = _objects(root)
    at, code = 0, -9
    while code == -9:
        at += 1
        copy = tmp_path / f"{at}"
        shutil.copytree(root, copy, copy_function=shutil.copy2)
        (code,) = finish(spawn(_die, copy, at))
        assert _objects(copy) == before
        assert_whole(copy)
        with Repository(copy) as repo:
            for file in _folder(copy).iterdir():
                os.utime(file, (time.time() - 7200,) * 2)
            assert upkeep.run(repo, _lock)
            state = upkeep.state(repo)
        assert (state.due, state.problem) == (False, "")
        assert state.loose <= 3
        assert not list(_folder(copy).glob("tmp_*"))
        assert {f.stem for f in _folder(copy).glob("*.idx")} == {f.stem for f in _folder(copy).glob("*.pack")}
        assert _objects(copy) == before
        shutil.rmtree(copy)
    assert code == 0
    assert at > 25, "upkeep has more steps than these: the trap does not catch them"


def _keep_up(root: Path, stop: Path) -> None:
    """Process: do upkeep again and again."""
    with Store.open(root, lock_wait=60) as store:
        while not stop.exists():
            upkeep.run(store.repo, store.publisher().locked)


def _keep_up_eagerly(root: Path, stop: Path) -> None:
    """Process: the same, with joins after every few publications."""
    joining._LIMIT, joining._TINY_LIMIT = 2, 2
    _keep_up(root, stop)


def test_writers_while_upkeep_runs(tmp_path: Path):
    """Failure mode 44: maintenance beside writers. Breaks if one lost a record, or failed for a pack that went."""
    root, stop = tmp_path / "store", tmp_path / "stop"
    Store.init(root).close()
    keepers = [spawn(_keep_up_eagerly, root, stop) for _ in range(2)]
    with stopped(*keepers):
        assert finish(*[spawn(write_notes, root, f"w{number}", 60) for number in range(3)]) == [0, 0, 0]
        stop.touch()
        assert finish(*keepers) == [0, 0]
    with Store.open(root) as store:
        assert len(ids(store)) == 180
    assert_sound(root)


def test_a_pack_that_a_writer_joined_meanwhile(root: Path, monkeypatch: pytest.MonkeyPatch):
    """Breaks if upkeep failed, or gave up, where one of its packs went between plan and join."""
    _fill(root, 20)
    real, gone = joining.join, []

    def join(folder: Path, chosen: list[Path]) -> Path:
        if not gone:
            gone.append(packs._join(folder, chosen[:2]))
        return real(folder, chosen)

    monkeypatch.setattr(joining, "join", join)
    before = _objects(root)
    with Repository(root) as repo:
        assert upkeep.run(repo, _lock)
        assert not upkeep.due(repo)
    assert _objects(root) == before


def test_a_damaged_pack(root: Path):
    """Breaks if damage were copied under a fresh checksum, or kept the other packs from being joined."""
    _fill(root, 20)
    bad = min(_folder(root).glob("*.pack"))
    bad.chmod(0o644)
    data = bytearray(bad.read_bytes())
    data[5000] ^= 1
    bad.write_bytes(data)
    with Repository(root) as repo:
        assert upkeep.run(repo, _lock)
        assert bad.name in upkeep.state(repo).problem
        assert not upkeep.after_publication(repo)
    assert bad.read_bytes() == data
    assert _count(root) < 14
    assert not list(_folder(root).glob("tmp_*"))


def test_full_disk(root: Path, monkeypatch: pytest.MonkeyPatch):
    """Failure mode 14. Breaks if half a pack stayed, or if upkeep were started again at once."""
    _fill(root, 20)
    before = _objects(root)
    with Repository(root) as repo:
        untrip = trip("full", "before", 1)
        try:
            with pytest.raises(Failed):
                upkeep.run(repo, _lock)
        finally:
            untrip()
        assert upkeep.state(repo).problem
        assert not upkeep.after_publication(repo)
    assert not list(_folder(root).glob("tmp_*"))
    assert _objects(root) == before


def test_a_store_that_stays_locked(tmp_path: Path):
    """Breaks if upkeep went on without the lock. What it joined is used by the next run."""
    with Store.init(tmp_path / "store") as store, Store.open(store.root, lock_wait=0) as other:
        add(store, "one")
        _fill(store.root, 20)
        with store.publisher().locked(), pytest.raises(Busy):
            upkeep.run(other.repo, other.publisher().locked)
        assert _count(store.root) >= 20
        assert upkeep.run(other.repo, other.publisher().locked)
        assert _count(store.root) < 14
    assert_sound(tmp_path / "store")


def test_only_one_works(root: Path):
    """Breaks if two processes joined the same packs."""
    with Repository(root) as repo, upkeep._alone(repo) as alone:
        assert alone
        assert not upkeep.run(repo, _lock)


def test_start_in_the_background(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Breaks if a command waited for upkeep, a dead child stayed, or each publication started one."""
    said = tmp_path / "said"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$$" "$@" >> {said}\nsleep 0.5\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(upkeep, "start", START)
    with Repository(root) as repo:
        assert not upkeep.after_publication(repo)
        _fill(root, 20)
        began = time.monotonic()
        assert upkeep.after_publication(repo)
        assert time.monotonic() - began < 0.4
        assert not upkeep.after_publication(repo)
    pid, *arguments = wait_for(lambda: said.exists() and said.read_text().split())
    assert arguments == ["-P", "-m", "sbfs", "--store", str(root), "upkeep", "--background"]
    wait_for(lambda: not Path(f"/proc/{pid}").exists())


def test_what_cannot_be_read_is_not_due(root: Path):
    """Breaks if a publication failed as its objects' folder cannot be listed."""
    shutil.rmtree(_folder(root))
    with Repository(root) as repo:
        assert not upkeep.due(repo)
        assert not upkeep.after_publication(repo)
