"""What several tests share: a small kind of record, plain Git, sound stores, and processes that write or die.

The functions that run in other processes are started through `spawn`, as real processes of a fork
server, so that hundreds of them are cheap and none inherits the test's threads.
"""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sbfs import files
from sbfs.errors import Error
from sbfs.kind import Field, Kind
from sbfs.record import etag
from sbfs.store import Store, Transaction

DAY = "2026/11/22"

NOTE: Kind[dict[str, Any]] = Kind(
    name="note",
    prefix="note",
    pattern="notes/{date}/{id}.yaml",
    fields=(
        Field("id", rule="fixed", required=True),
        Field("text", required=True),
        Field("author", rule="fixed"),
        Field("status", rule="highest", choices=("unread", "read", "archived")),
        Field("created", is_time=True),
        Field("number", int),
        Field("context", dict, rule="mapping"),
        Field("context.where", rule="fixed"),
    ),
    load=dict,
    dump=dict,
)


# -- notes -----------------------------------------------------------------------------------------


def note_path(id: str, day: str = DAY) -> str:
    """Where a note lies."""
    return NOTE.path_of(date=day, id=id)


def add(store: Store, id: str, text: str = "hello", **fields: Any) -> str:
    """Publish a note and return its path."""
    path = note_path(id)

    def build(change: Transaction) -> None:
        change.create(NOTE, path, {"id": id, "text": text, **fields})
        change.describe(f"Note {id}", Ids=id)

    store.write("note.add", build, actor="tester")
    return path


def change(store: Store, id: str, **fields: Any) -> None:
    """Publish new values for a note's fields."""

    def build(change: Transaction) -> None:
        old = change.get(note_path(id), "note", id)
        change.replace(NOTE, old, old.data | fields)
        change.describe(f"Change {id}", Ids=id)

    store.write("note.change", build, actor="tester")


def ids(store: Store) -> list[str]:
    """The ids of all notes on the branch, sorted."""
    return sorted(NOTE.places(path)["id"] for path, _ in store.view().walk(NOTE))


# -- Git -------------------------------------------------------------------------------------------


def run_git(root: Path, *arguments: str, input: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run Git in a folder; the caller looks at how it ended."""
    return subprocess.run(["git", *arguments], cwd=root, input=input, capture_output=True)


def git(root: Path, *arguments: str, input: bytes | None = None) -> str:
    """What Git says, without the last line end. Fails the test if Git fails."""
    done = run_git(root, *arguments, input=input)
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


def assert_sound(root: Path, *, litter: bool = False) -> None:
    """`git status` shows nothing, `git fsck --strict` finds nothing, and no lock is left.

    litter: whether temporary files are allowed, as a killed writer leaves them until `sbfs check`.
    """
    assert git(root, "status", "--porcelain") == ""
    assert_whole(root)
    assert left_behind(root, temporary=not litter) == []


def assert_whole(root: Path) -> None:
    """`git fsck --strict --full` finds nothing."""
    done = run_git(root, "fsck", "--strict", "--full", "--no-dangling", "--no-progress")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def left_behind(root: Path, *, temporary: bool = True) -> list[str]:
    """Locks, journals, waiting operations and temporary files that a writer forgot."""
    own = root / ".git" / "sbfs"
    found = [*(root / ".git").rglob("*.lock"), *own.glob("journal"), *own.glob("queue/*.json")]
    if temporary:
        found += [*root.rglob("*~"), *root.rglob("tmp_*"), *own.glob("queue/*"), *own.glob("index.next")]
    return sorted(str(file.relative_to(root)) for file in found if not file.is_dir())


def commits(root: Path) -> int:
    """How many commits the branch has."""
    return int(git(root, "rev-list", "--count", "main"))


# -- processes -------------------------------------------------------------------------------------

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    [
        "sbfs.store",
        "sbfs.founding",
        "sbfs.git.index",
        "dulwich.object_store",
        "dulwich.refs",
        "dulwich.config",
        "filelock",
        "yaml",
    ]
)


def spawn(job: Callable[..., None], *arguments: Any) -> multiprocessing.process.BaseProcess:
    """Start a function of this module in a process of its own."""
    process = _SERVER.Process(target=job, args=arguments)
    process.start()
    return process


def finish(*processes: multiprocessing.process.BaseProcess, seconds: float = 240) -> list[int]:
    """Wait for processes; how they ended."""
    for process in processes:
        process.join(seconds)
        assert process.exitcode is not None, "a process hangs"
    return [process.exitcode for process in processes]


@contextmanager
def stopped(*processes: multiprocessing.process.BaseProcess) -> Iterator[None]:
    """Processes that do not outlive the block."""
    try:
        yield
    finally:
        for process in processes:
            if process.exitcode is None:
                process.kill()
            process.join()


def wait_for(what: Callable[[], Any], seconds: float = 60) -> Any:
    """The first true answer of `what`."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.005)
    return answer


def write_notes(root: Path, name: str, count: int) -> None:
    """Process: write `count` notes of its own, one a commit."""
    with Store.open(root, lock_wait=120) as store:
        for number in range(count):
            add(store, f"{name}-{number:04}", f"note {number} of {name}\n" * 3)


def write_one(root: Path, id: str, report: Path, lock_wait: float = 60, text: str = "hello") -> None:
    """Process: write one note and report the error, or "done"."""
    try:
        with Store.open(root, lock_wait=lock_wait) as store:
            add(store, id, text)
        said = "done"
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"
    report.write_text(said)


def found_store(root: Path, barrier: Any) -> None:
    """Process: make a store at the same moment as others, and write to it."""
    barrier.wait(60)
    with Store.init(root, lock_wait=60) as store:
        add(store, f"founder-{os.getpid()}")


def visit_as_nobody(root: Path, own: Path, report: Path) -> None:
    """Process: become another user, and read and write a store that is not theirs."""
    with Store.open(own) as store:
        add(store, "warm")  # all modules are loaded now: the other user may not be able to read them
    with open(report, "w") as file:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        for name in list(os.environ):
            if name.startswith(("GIT_", "HOME", "XDG")):
                del os.environ[name]
        said: dict[str, Any] = {"refused by git": run_git(root, "status").returncode != 0}
        with Store.open(root) as store:
            said["ids"] = ids(store)
            try:
                add(store, "two")
            except Error as error:
                said["error"] = (type(error).__name__, error.sentence, error.hint)
        json.dump(said, file)


def hold_lock(root: Path, ready: Path, release: Path) -> None:
    """Process: hold the store's lock until told otherwise."""
    with Store.open(root) as store, store.publisher().locked():
        ready.touch()
        wait_for(release.exists, 120)


# -- operations that touch three files, and processes that die in them -------------------------------

STEPS = [
    *((os, name) for name in ("fsync", "replace", "rename", "link", "unlink", "mkdir", "mkfifo", "rmdir", "utime")),
    (files, "_sync_at_once"),
]
COUNTER = "notes/counter/counter.yaml"


def seed(store: Store) -> None:
    """What `operate` needs to begin with."""

    def build(change: Transaction) -> None:
        change.put_bytes(COUNTER, b"0\n")
        change.put_bytes("places/place-0000.txt", b"0\n")

    store.write("seed", build)


def operate(store: Store) -> int:
    """One operation of three files: a new note in a new folder, a changed counter, a file that moves.

    Returns its number; the three together say whether it happened.
    """

    def build(change: Transaction) -> int:
        number = int(change.view.read(COUNTER)) + 1
        change.put_bytes(COUNTER, b"%d\n" % number)
        change.drop(f"places/place-{number - 1:04}.txt")
        change.put_bytes(f"places/place-{number:04}.txt", b"%d\n" % number)
        change.put_bytes(f"notes/new/{number:04}/note.txt", b"note %d\n" % number)
        change.describe(f"Operation {number}")
        return number

    return store.write("operate", build)


def operations(read: Callable[[str], bytes | None], names: Callable[[str], list[str]]) -> int:
    """How many operations a state shows. Fails if one of them is half there."""
    number = int(read(COUNTER) or b"-1")
    assert names("places") == [f"place-{number:04}.txt"]
    assert read(f"places/place-{number:04}.txt") == b"%d\n" % number
    notes = names("notes/new")
    assert notes == [f"{one:04}" for one in range(1, number + 1)]
    assert all(read(f"notes/new/{name}/note.txt") == b"note %d\n" % int(name) for name in notes)
    return number


def operations_on_branch(store: Store) -> int:
    """How many operations the branch shows."""
    view = store.view()
    return operations(view.read, view.names)


def operations_on_disk(root: Path) -> int:
    """How many operations the work tree shows."""

    def read(path: str) -> bytes | None:
        return (root / path).read_bytes() if (root / path).exists() else None

    return operations(read, lambda path: sorted(os.listdir(root / path)) if (root / path).exists() else [])


def trip(mode: str, when: str, at: int) -> Callable[[], int]:
    """From now on this process's `at`-th step that reaches the disk fails, before or after it is done.

    mode: "kill" (SIGKILL), "stop" (SIGSTOP), "full" (no space left), "interrupt" (Ctrl-C). Returns a function that ends
    this and says how many steps were taken.
    """
    count = 0
    real = {(owner, name): getattr(owner, name) for owner, name in STEPS}

    def wrap(owner: object, name: str) -> Callable[..., Any]:
        def step(*args: Any, **keys: Any) -> Any:
            nonlocal count
            count += 1
            hit = count == at
            if hit and when == "before":
                fail(name)
            try:
                return real[owner, name](*args, **keys)
            finally:
                if hit and when == "after":
                    fail(name)

        return step

    def fail(name: str) -> None:
        if mode == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if mode == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
            return
        if mode == "interrupt":
            raise KeyboardInterrupt
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)

    for owner, name in STEPS:
        setattr(owner, name, wrap(owner, name))

    def untrip() -> int:
        for (owner, name), function in real.items():
            setattr(owner, name, function)
        return count

    return untrip


def die_operating(root: Path, mode: str, when: str, at: int, report: Path) -> None:
    """Process: operate once and meet a failure at step `at`; report the numbers that were acknowledged."""
    acknowledged: list[int] = []
    said = {"acknowledged": acknowledged, "error": "", "open": -1, "steps": 0}
    write = report.write_text
    with Store.open(root, lock_wait=20) as store:
        before = len(os.listdir("/dev/fd"))
        untrip = trip(mode, when, at)
        try:
            acknowledged.append(operate(store))
            with suppress(OSError):
                write(json.dumps(said))
        except BaseException as error:
            said["error"] = type(error).__name__
        said["steps"] = untrip()
        if said["error"]:
            # The same process goes on: no lock is kept, nothing is half there.
            acknowledged.append(operate(store))
        store.close()
        said["open"] = len(os.listdir("/dev/fd")) - before
        write(json.dumps(said))


def die_mending(root: Path, at: int, whole_from: int = 10**9) -> None:
    """Process: open a store that a dead writer left half done, and die at step `at` of mending it. whole_from: files
    from which on folders come as a whole."""
    from sbfs.git import folders

    folders.WHOLE_FROM = whole_from
    trip("kill", "before", at)
    Store.open(root).close()


def operate_for_ever(root: Path, log: Path) -> None:
    """Process: operate until killed; each acknowledged number is a line of the log."""
    with open(log, "a", buffering=1) as lines, Store.open(root, lock_wait=60) as store:
        while True:
            lines.write(f"{operate(store)}\n")


def operate_often(root: Path, count: int) -> None:
    """Process: operate `count` times, on the same three records as everybody else."""
    with Store.open(root, lock_wait=120) as store:
        for _ in range(count):
            operate(store)


def write_same(root: Path, name: str, count: int) -> None:
    """Process: write files of equal content, so that all writers make the same objects."""
    with Store.open(root, lock_wait=120) as store:
        for number in range(count):
            store.write("same", lambda change, n=number: change.put_bytes(f"same/{n}/{name}.txt", b"the same %d\n" % n))


def stop_in_the_middle(root: Path, at: int, report: Path) -> None:
    """Process: operate, and be stopped (SIGSTOP) at a step."""
    with Store.open(root, lock_wait=60) as store:
        trip("stop", "before", at)
        number = operate(store)
    report.write_text(f"{number}")


def rewrite_note(root: Path, id: str, count: int, lines: int) -> None:
    """Process: change one long note again and again; its text is one number, repeated."""
    with Store.open(root, lock_wait=60) as store:
        for number in range(1, count + 1):
            change(store, id, text=f"{number}\n" * lines, number=number)


def commit_with_git(root: Path, name: str, count: int, report: Path, env: dict[str, str]) -> None:
    """Process: a person who commits a file again and again; reports how often Git let them."""
    os.environ.update(env)
    done = 0
    for number in range(count * 50):
        (root / name).write_text(f"{number}\n")
        if run_git(root, "add", name).returncode == 0:
            done += run_git(root, "commit", "-q", "-m", f"{name} {number}").returncode == 0
        if done == count:
            break
        time.sleep(0.01)
    report.write_text(f"{done}")


def die_saving(root: Path, data: bytes, at: int) -> None:
    """Process: save a person's edit of the counter as it lies there, and die at a step."""
    with Store.open(root, lock_wait=20) as store:
        trip("kill", "before", at)
        store.write("save", lambda change: change.adopt(None, COUNTER, data, etag(data)))


def die_importing(root: Path, path: Path, at: int, whole_from: int = 10**9) -> None:
    """Process: import a file, and die at a step. whole_from: files from which on folders come as a whole."""
    from sbfs import bundles
    from sbfs.git import folders

    folders.WHOLE_FROM = whole_from
    with Store.open(root, lock_wait=20) as store:
        trip("kill", "before", at)
        bundles.import_(store, path=path, strategy="merge")
