"""Broken machines and broken stores: a clear error, nothing lost, and work goes on once the cause is gone.

The numbers are those of the list of failure modes that the kernel was built against.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import (
    add,
    assert_sound,
    assert_whole,
    change,
    commits,
    finish,
    found_store,
    git,
    ids,
    left_behind,
    note_path,
    run_git,
    spawn,
    visit_as_nobody,
)

from sbfs.errors import Busy, Damaged, Error, Failed, Invalid, NotAStore, WrongFormat
from sbfs.store import Store

# -- beginnings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("processes", [2, 8])
def test_founded_by_several_at_once(tmp_path: Path, processes: int):
    """Failure mode 7: several processes make the same store at the same moment; it is one store, and all write to it.

    Breaks if a second founder wrote over the first one's repository.
    """
    import multiprocessing

    for attempt in range(4 if processes == 2 else 2):
        root = tmp_path / f"{attempt}"
        with multiprocessing.get_context("forkserver").Manager() as manager:
            barrier = manager.Barrier(processes)
            founders = [spawn(found_store, root, barrier) for _ in range(processes)]
            assert finish(*founders) == [0] * processes
        with Store.open(root) as store:
            assert ids(store) == sorted(f"founder-{one.pid}" for one in founders)
        assert commits(root) == 1 + processes
        assert git(root, "rev-list", "--max-parents=0", "main").count("\n") == 0
        assert_sound(root)


def test_init_twice_is_no_harm(store: Store):
    """Breaks if a second `init` made a second store over the first."""
    add(store, "one")
    head = store.head()
    with Store.init(store.root) as again:
        assert again.head() == head
        assert ids(again) == ["one"]
    assert_sound(store.root)


def test_init_restores_lost_configuration(store: Store):
    """A clone has none of our configuration; `init` on it sets it and keeps the rest."""
    git(store.root, "config", "--unset", "gc.auto")
    git(store.root, "config", "user.name", "Somebody")
    Store.init(store.root).close()
    assert git(store.root, "config", "gc.auto") == "0"
    assert git(store.root, "config", "user.name") == "Somebody"


def test_init_refuses_what_is_not_its_own(tmp_path: Path):
    """Breaks if a repository that holds something else, or a folder with files, were taken over."""
    foreign, full, file = tmp_path / "foreign", tmp_path / "full", tmp_path / "file"
    foreign.mkdir()
    git(foreign, "init", "-q", "-b", "main")
    git(foreign, "commit", "-q", "--allow-empty", "-m", "something else")
    full.mkdir()
    (full / "thesis.tex").write_text("years of work\n")
    file.write_text("a file\n")
    for root, why in ((foreign, "holds something else"), (full, "thesis.tex"), (file, "file")):
        with pytest.raises(Error, match=why) as caught:
            Store.init(root)
        assert isinstance(caught.value, Invalid | Failed)
    assert os.listdir(full) == ["thesis.tex"]
    assert commits(foreign) == 1
    assert not (foreign / "sbfs.yaml").exists()


def test_not_a_store(tmp_path: Path):
    """Each way of not being a store is named. Breaks if one ended in a traceback."""
    (tmp_path / "plain").mkdir()
    (tmp_path / "git").mkdir()
    git(tmp_path / "git", "init", "-q", "-b", "main")
    for name in ("missing", "plain", "git"):
        with pytest.raises(NotAStore) as caught:
            Store.open(tmp_path / name)
        assert name in caught.value.sentence
        assert caught.value.hint


def test_linked_work_tree_is_refused(store: Store, tmp_path: Path):
    """Failure mode 31: a linked work tree has another index and HEAD. Breaks if we wrote to the wrong ones."""
    git(store.root, "worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    with pytest.raises(NotAStore, match="linked work tree"):
        Store.open(tmp_path / "linked")


def test_newer_format_is_refused(store: Store):
    """Breaks if an old program wrote into a store whose rules it does not know."""
    settings = store.root / "sbfs.yaml"
    settings.write_text(settings.read_text().replace("format: 1", "format: 2"))
    with pytest.raises(WrongFormat, match="format 2") as caught:
        Store.open(store.root)
    assert "install" in caught.value.hint
    settings.write_text("# no format at all\n")
    with pytest.raises(Error):
        Store.open(store.root)


# -- locks that nobody holds -------------------------------------------------------------------------


def test_stale_index_lock(store: Store):
    """Failure mode 12: a killed Git left `index.lock`. We say so and wait for a person, since Git may be alive.

    Breaks if the lock were broken by its age, or the store stayed locked once it is gone.
    """
    lock = store.root / ".git" / "index.lock"
    lock.touch()
    os.utime(lock, (0, 0))
    store.lock_wait = 0.2
    with pytest.raises(Busy, match=r"index\.lock") as caught:
        add(store, "one")
    assert "check --fix" in caught.value.hint
    assert lock.exists()
    assert ids(store) == []
    lock.unlink()
    assert left_behind(store.root) == []
    add(store, "one")
    assert_sound(store.root)


def test_our_own_stale_index_lock_is_taken_away(store: Store):
    """Failure mode 12: a writer of ours died with `index.lock`; the next command goes on without help."""
    shutil.copy(store.root / ".git" / "sbfs" / "index.tag", store.root / ".git" / "index.lock")
    Store.open(store.root).close()
    assert_sound(store.root)
    shutil.copy(store.root / ".git" / "sbfs" / "index.tag", store.root / ".git" / "index.lock")
    add(store, "one")
    assert_sound(store.root)


def test_stale_branch_lock(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Failure mode 12: a killed Git left `refs/heads/main.lock`. Nothing is published; the files are as before.

    Breaks if the work tree kept what the branch did not take.
    """
    path = add(store, "one")
    lock = store.root / ".git" / "refs" / "heads" / "main.lock"
    lock.touch()
    # Ten seconds are not waited for in a test: time runs faster here.
    clock = iter(range(0, 10_000, 6))
    monkeypatch.setattr("sbfs.git.repository.time.monotonic", lambda: next(clock))
    with pytest.raises(Busy, match=r"main\.lock") as caught:
        change(store, "one", text="two")
    assert "check --fix" in caught.value.hint
    assert lock.exists()
    assert "text: hello" in (store.root / path).read_text()
    lock.unlink()
    assert_sound(store.root)
    change(store, "one", text="two")
    assert_sound(store.root)


@pytest.mark.parametrize("name", ["HEAD.lock", "packed-refs.lock", "config.lock"])
def test_stale_locks_that_do_not_concern_us(store: Store, name: str):
    """Failure mode 12: other left-over locks keep no write away. Breaks if we took locks that we do not need."""
    lock = store.root / ".git" / name
    lock.touch()
    add(store, "one")
    lock.unlink()
    assert_sound(store.root)


# -- damage ----------------------------------------------------------------------------------------


def _objects(root: Path) -> list[Path]:
    return sorted((root / ".git" / "objects" / "pack").glob("*.pack"))


def _loosen(root: Path) -> list[Path]:
    """Turn packs into loose objects, as Git would have them."""
    packs = [pack.read_bytes() for pack in _objects(root)]
    for pack in _objects(root):
        pack.unlink()
        pack.with_suffix(".idx").unlink()
    for pack in packs:
        git(root, "unpack-objects", "-q", input=pack)
    return sorted(file for file in (root / ".git" / "objects").glob("??/*") if file.is_file())


def _damage(file: Path, how: str) -> None:
    raw = file.read_bytes()
    file.chmod(0o644)
    if how == "missing":
        file.unlink()
    else:
        file.write_bytes(
            {
                "empty": b"",
                "cut": raw[: len(raw) // 2],
                "zeros": b"\0" * len(raw),
                "garbage": b"\x78\x9c" + os.urandom(len(raw)),
            }[how]
        )


@pytest.mark.parametrize("kind", ["loose", "pack", "index of a pack"])
@pytest.mark.parametrize("how", ["missing", "empty", "cut", "zeros", "garbage"])
def test_damaged_objects(tmp_path: Path, kind: str, how: str):
    """Failure mode 13: objects that a power cut left empty, cut or full of zeros. Whatever needs them says `Damaged`.

    Breaks if reading ended in a traceback, or in an answer as if there were nothing.
    """
    template = tmp_path / "template"
    with Store.init(template) as store:
        add(store, "one")
        add(store, "two")
    count = len(_loosen(template)) if kind == "loose" else len(_objects(template))
    suffix = {"loose": "", "pack": ".pack", "index of a pack": ".idx"}[kind]
    errors = 0
    for number in range(count):
        root = tmp_path / f"{number}"
        shutil.copytree(template, root)
        files = sorted((root / ".git" / "objects").glob("??/*")) if kind == "loose" else _objects(root)
        _damage(files[number].with_suffix(suffix) if suffix else files[number], how)
        try:
            with Store.open(root) as store:
                for id in ids(store):
                    store.view().record(note_path(id))
                assert [commit.subject for commit in store.repo.history()][-1] == "Begin the store"
                assert ids(store) == ["one", "two"]
                store.settings()
        except Damaged as error:
            errors += 1
            assert error.hint  # noqa: PT017
        except NotAStore:
            pytest.fail("damage is not the same as being no store")
    assert errors >= count // 3  # some are needed by older revisions only


@pytest.mark.parametrize("content", ["", "\n", "\0" * 41, "0" * 40 + "\n", "f" * 40 + "\n", "nonsense\n", "abc"])
def test_damaged_branch(store: Store, content: str):
    """Failure mode 13: the branch's file is empty, cut or names nothing.

    Breaks if the store were then taken for an empty one, and written to as if new.
    """
    add(store, "one")
    store.close()
    (store.root / ".git" / "refs" / "heads" / "main").write_text(content)
    with pytest.raises(Damaged) as caught, Store.open(store.root) as again:
        ids(again)
    assert caught.value.hint
    with pytest.raises(Damaged):
        add(store, "two")


@pytest.mark.parametrize("content", [None, "", "nonsense\n", "ref: \n"])
def test_damaged_head(store: Store, content: str | None):
    """Failure mode 13: HEAD is gone or empty. Reading goes on from the branch; writing says what is wrong."""
    add(store, "one")
    head = store.root / ".git" / "HEAD"
    head.unlink() if content is None else head.write_text(content)
    with pytest.raises(Error) as caught:
        add(store, "two")
    assert caught.value.hint
    head.write_text("ref: refs/heads/main\n")
    add(store, "two")
    assert_sound(store.root)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"old": null}'])
def test_damaged_journal(store: Store, content: str):
    """Failure mode 13: a power cut may leave the journal empty or cut. That is told, and what it says helps.

    Breaks if it were a traceback, or half an operation were mended by guessing.
    """
    add(store, "one")
    journal = store.root / ".git" / "sbfs" / "journal"
    journal.write_text(content)
    for attempt in (lambda: Store.open(store.root), lambda: add(store, "two")):
        with pytest.raises(Damaged, match="journal") as caught:
            attempt()
        assert "remove it" in caught.value.hint
    journal.unlink()
    with Store.open(store.root) as again:
        add(again, "two")
        assert ids(again) == ["one", "two"]
    assert_sound(store.root)


# -- the machine says no -----------------------------------------------------------------------------


def _mount(folder: Path, *options: str) -> None:
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip(f"this needs the right to mount: {done.stderr.decode().strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    _mount(folder, "-t", "tmpfs", "-o", "size=3m", "tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_full_disk(small_disk: Path):
    """Failure mode 14, ENOSPC: the disk fills up. Each write is whole or not there, the error says why, and once
    there is space, work goes on.

    Breaks if a write were acknowledged that is not there, or its remains stopped the next one.
    """
    root, kept = small_disk / "store", []
    noise = os.urandom(60_000).hex()
    (small_disk / "filling-reserve").write_bytes(b"x" * 300_000)
    with Store.init(root) as store:
        with pytest.raises(Failed, match="no space left") as caught:  # noqa: PT012
            for number in range(200):
                add(store, f"n{number:03}", noise[number:])
                kept.append(f"n{number:03}")
        assert "free some space" in caught.value.hint
        assert len(kept) > 2
        for filling in (4096, 1):
            with open(small_disk / f"filling-{filling}", "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(b"x" * filling)
                except OSError as error:
                    assert error.errno == errno.ENOSPC  # noqa: PT017
        for _ in range(2):
            with pytest.raises(Failed):
                add(store, "none")
        with Store.open(root) as reader:
            assert ids(reader) == kept
        for filling in small_disk.glob("filling-*"):
            filling.unlink()
        add(store, "after", "short")
        assert ids(store) == sorted([*kept, "after"])
    assert_sound(root)


def _limited(root: Path, limit: str, value: int) -> subprocess.CompletedProcess[str]:
    """Write in a process of its own under a limit; prints the error's class, sentence and hint."""
    program = f"""
import resource, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from helpers import add, ids
from sbfs.errors import Error
from sbfs.store import Store
store = Store.open({str(root)!r})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
hard = resource.getrlimit(resource.{limit})[1]
resource.setrlimit(resource.{limit}, ({value}, hard))
try:
    for number in range(70):
        add(store, f"limited-{{number}}", "x" * 40_000 if "FSIZE" in {limit!r} else "x")
except Error as error:
    print(type(error).__name__, error.sentence, error.hint, sep="|")
resource.setrlimit(resource.{limit}, (hard if hard > 0 else 4096, hard))
add(store, "after")
print(len(ids(store)))
"""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)


def test_files_that_may_not_grow(store: Store):
    """Failure mode 14, EFBIG: a quota on the size of files. Breaks if the system's error came through raw."""
    done = _limited(store.root, "RLIMIT_FSIZE", 20_000)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Failed|")
    assert done.stdout.endswith("\n1\n")
    assert_sound(store.root)


def test_few_file_descriptors(store: Store):
    """Failure mode 14, EMFILE: 64 descriptors are enough for any number of writes, packs are not held open for ever.

    Breaks if descriptors grew with the number of packs.
    """
    done = _limited(store.root, "RLIMIT_NOFILE", 64)
    assert (done.returncode, done.stdout) == (0, "71\n"), done.stderr
    assert_sound(store.root)


def test_no_file_descriptors(store: Store):
    """Failure mode 14, EMFILE: with none left the error says so, and how to get more. Breaks if it were a traceback."""
    done = _limited(store.root, "RLIMIT_NOFILE", 4)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Failed|")
    assert "too many open files" in done.stdout
    assert "ulimit" in done.stdout
    assert done.stdout.endswith("\n1\n")
    assert_sound(store.root)


@pytest.fixture
def read_only(store: Store, tmp_path: Path) -> Iterator[Path]:
    """The store with one note, on a file system that may only be read."""
    add(store, "one")
    store.close()
    folder = tmp_path / "read-only"
    folder.mkdir()
    _mount(folder, "--bind", str(store.root))
    try:
        _mount(folder, "-o", "remount,ro,bind")
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_read_only_file_system(read_only: Path):
    """Failure modes 14 and 48, EROFS: a store that may only be read can be read; writing says why not.

    Breaks if opening needed to write a lock or a cache.
    """
    with Store.open(read_only) as store:
        assert ids(store) == ["one"]
        assert store.view().record(note_path("one")).data["text"] == "hello"
        with pytest.raises(Failed, match="read-only file system") as caught:
            add(store, "two")
        assert caught.value.hint
    with pytest.raises(Failed):
        Store.init(read_only / "inner")


def test_store_of_another_user(tmp_path: Path):
    """Failure modes 14 and 48, EACCES: another user's store, no home, no `user.name`: it can be read, and writing
    says that it is not allowed.

    Breaks if reading asked Git, whose `safe.directory` refuses other users' repositories, or wrote a lock.
    """
    if os.geteuid():
        pytest.skip("this needs the right to become another user")
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        with Store.init(Path(place) / "store") as store:
            add(store, "one")
        Store.init(tmp_path / "own").close()
        assert finish(spawn(visit_as_nobody, store.root, tmp_path / "own", tmp_path / "report")) == [0]
        assert_sound(store.root)
    said = json.loads((tmp_path / "report").read_text())
    assert said["refused by git"]
    assert said["ids"] == ["one"]
    assert said["error"][0] == "Failed"
    assert "permission denied" in said["error"][1]
    assert "permissions" in said["error"][2]


def test_no_user_name(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Failure mode 48: Git has no `user.name`. Breaks if a write asked Git who is writing."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME")
        monkeypatch.delenv(f"GIT_{role}_EMAIL")
    add(store, "one")
    store.write("unnamed", lambda change: change.put_bytes("a.txt", b"a"))
    assert git(store.root, "log", "-1", "--format=%an").startswith("sbfs")
    assert_sound(store.root)


# -- paths that lead astray ---------------------------------------------------------------------------


BAD_PATHS = [
    "../out.txt", "/out.txt", "a/../../out.txt", "a//b.txt", "a/./b.txt", "", ".", "a/", ".git/config", ".GIT/config",
    "a/.git/hooks/x", "git~1/config", "a\\b.txt", "a\0b", "a\nb", ".git./x", ".git /x", "C:x", "a\ud800b",
    ".g\u200cit/x", "n" * 251,
]  # fmt: skip


@pytest.mark.parametrize("path", BAD_PATHS, ids=ascii)
def test_unsafe_paths(store: Store, path: str):
    """Failure mode 54: a path that leads out, into `.git`, or that file systems refuse, never reaches Git.

    Breaks if a name from a record, an archive or a remote could write elsewhere, or made `git fsck` complain.
    """
    with pytest.raises(Invalid) as caught:
        store.write("bad", lambda change: change.put_bytes(path, b"x"))
    assert caught.value.path == path
    assert commits(store.root) == 1
    assert not (store.root.parent / "out.txt").exists()
    assert_sound(store.root)


def test_file_for_a_folder_and_folder_for_a_file(store: Store):
    """Failure mode 54: a file where the store has a folder, and the other way round, is refused and nothing is dropped.

    Breaks if the folder's records silently left the tree.
    """
    path = add(store, "one")
    for wrong in ("notes", "notes/2026", f"{path}/inner.txt"):
        with pytest.raises(Invalid) as caught:
            store.write("bad", lambda change, wrong=wrong: change.put_bytes(wrong, b"x"))
        assert "folder" in caught.value.sentence
    assert ids(store) == ["one"]
    assert_sound(store.root)


def test_folder_replaced_by_a_file(store: Store):
    """Failure mode 54: a file takes a folder's place in two operations; in one, it is refused and nothing changes.

    Breaks if the refusal came after the folder's files were gone.
    """
    store.write("folder", lambda change: change.put_bytes("thing/a.txt", b"a"))
    head = store.head()

    def at_once(change) -> None:
        change.drop("thing/a.txt")
        change.put_bytes("thing", b"now a file")

    with pytest.raises(Invalid, match="is a folder"):
        store.write("file", at_once)
    assert (store.root / "thing" / "a.txt").read_bytes() == b"a"
    assert store.head() == head
    store.write("drop", lambda change: change.drop("thing/a.txt"))
    store.write("file", lambda change: change.put_bytes("thing", b"now a file"))
    assert (store.root / "thing").read_bytes() == b"now a file"
    assert_sound(store.root)


def test_untracked_things_in_the_way(store: Store):
    """Failure mode 54: a person's unsaved file or folder where ours shall go is neither overwritten nor removed."""
    (store.root / "thing").mkdir()
    (store.root / "thing" / "theirs.txt").write_text("theirs\n")
    with pytest.raises(Invalid, match="folder"):
        store.write("bad", lambda change: change.put_bytes("thing", b"x"))
    (store.root / "other").write_text("theirs\n")
    with pytest.raises(Error):
        store.write("bad", lambda change: change.put_bytes("other/ours.txt", b"x"))
    assert (store.root / "thing" / "theirs.txt").read_text() == "theirs\n"
    assert (store.root / "other").read_text() == "theirs\n"
    assert commits(store.root) == 1
    assert left_behind(store.root) == []
    assert_whole(store.root)
    add(store, "one")


@pytest.mark.parametrize("target", ["outside", "inside"])
def test_links_are_not_followed(store: Store, tmp_path: Path, target: str):
    """Failure mode 41 at the kernel: a folder of the work tree became a link. Breaks if we wrote through it."""
    aim = tmp_path / "outside" if target == "outside" else store.root / "inside"
    aim.mkdir()
    (store.root / "notes").symlink_to(aim, target_is_directory=True)
    with pytest.raises(Invalid, match="link"):
        add(store, "one")
    assert os.listdir(aim) == []
    (store.root / "notes").unlink()
    add(store, "one")
    assert_sound(store.root)


def test_left_over_temporary_files_are_no_records(store: Store):
    """Failure mode 15: what a killed writer left is in no list, not committed, and in nobody's way."""
    path = add(store, "one")
    folder = (store.root / path).parent
    for name in (".two.yaml.123.0123456789ab~", "two.yaml~", ".two.yaml.swp", "two.yaml.tmp", ".DS_Store"):
        (folder / name).write_text("id: two\ntext: litter\n")
    add(store, "three")
    assert ids(store) == ["one", "three"]
    assert git(store.root, "status", "--porcelain") == ""
    assert len(git(store.root, "ls-files", "notes").splitlines()) == 2


def test_limits_were_set(store: Store):
    """The tests above run where limits can be lowered. Breaks where they would pass for the wrong reason."""
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] > 64
    assert run_git(store.root, "--version").returncode == 0
