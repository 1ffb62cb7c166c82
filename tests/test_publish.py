"""Many writers, one commit an operation, all or nothing."""

from __future__ import annotations

import gc
import os
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from helpers import (
    COUNTER,
    NOTE,
    add,
    assert_sound,
    change,
    commit_with_git,
    commits,
    finish,
    git,
    hold_lock,
    ids,
    left_behind,
    note_path,
    operate_often,
    operations_on_branch,
    operations_on_disk,
    rewrite_note,
    seed,
    spawn,
    stop_in_the_middle,
    stopped,
    wait_for,
    write_notes,
    write_one,
    write_same,
)

from sbfs.errors import Busy, Error, Invalid, Stale
from sbfs.operation import Change, Edited, Moved, Operation
from sbfs.record import Record
from sbfs.store import Store, Transaction

WHEN = datetime(2026, 11, 22, 14, 3, 7, 123000, tzinfo=UTC)


def _packs(root: Path) -> set[str]:
    return {file.name for file in (root / ".git" / "objects" / "pack").glob("*.pack")}


def _queue(root: Path) -> list[Path]:
    return list((root / ".git" / "sbfs" / "queue").glob("*.json"))


def _eight_writers(root: Path, count: int) -> None:
    Store.init(root).close()
    names = [f"w{number}" for number in range(8)]
    assert finish(*[spawn(write_notes, root, name, count) for name in names], seconds=900) == [0] * 8
    expected = sorted(f"{name}-{number:04}" for name in names for number in range(count))
    with Store.open(root) as store:
        assert ids(store) == expected
        for id in expected[:: max(1, len(expected) // 50)]:
            assert store.view().record(note_path(id)).data["text"].endswith(f"of {id[:2]}\n")
    assert commits(root) == 1 + 8 * count
    # One operation, one commit, one record: nobody's change rode along in another's commit.
    touched = git(root, "log", "--format=", "--name-only", "main", "--", "notes").split()
    assert sorted(touched) == sorted(note_path(id) for id in expected)
    assert_sound(root)


def test_eight_writers(tmp_path: Path):
    """Failure modes 1, 2, 3, 5, 9 and 15: 8 processes write 25 notes each, all of which are there once.

    Breaks if two of them could read the branch, the index or a temporary name at the same time.
    """
    _eight_writers(tmp_path / "store", 25)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_eight_writers_a_hundred_each(tmp_path: Path):
    """Failure mode 3 as it is written: 8 processes, 100 notes each, all delivered."""
    _eight_writers(tmp_path / "store", 100)


def test_same_content_written_at_once(store: Store):
    """Failure mode 4: equal content makes equal objects. Breaks if one writer's object were in another's way."""
    assert finish(*[spawn(write_same, store.root, f"w{number}", 8) for number in range(4)]) == [0] * 4
    assert len(git(store.root, "ls-files", "same").splitlines()) == 32
    assert_sound(store.root)


def test_writers_of_the_same_records(store: Store):
    """Failure mode 8: check-then-write by four processes on one counter; every operation counts, none gives up.

    Breaks if an operation were published on what another had changed meanwhile, or if one that loses the race again
    and again never got its turn.
    """
    seed(store)
    assert finish(*[spawn(operate_often, store.root, 15) for _ in range(4)]) == [0] * 4
    assert operations_on_branch(store) == operations_on_disk(store.root) == 60
    assert_sound(store.root)


def test_threads_with_stores_of_their_own(store: Store):
    """Failure mode 9: one process, several servers. Breaks if the lock held only between processes."""
    failures = []

    def work(name: str) -> None:
        try:
            write_notes(store.root, name, 6)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(ids(store)) == 24
    assert_sound(store.root)


def test_git_commits_beside_writers(store: Store, tmp_path: Path):
    """Failure modes 1, 31 and 51: a person commits with plain Git in a loop while three processes write.

    Breaks if a commit of either were orphaned, or the person's Git committed an index without our records.
    """
    root = store.root
    env = {key: value for key, value in os.environ.items() if key.startswith(("GIT_", "HOME"))}
    person = spawn(commit_with_git, root, "person.txt", 12, tmp_path / "report", env)
    writers = [spawn(write_notes, root, f"w{number}", 15) for number in range(3)]
    assert finish(person, *writers) == [0] * 4
    done = int((tmp_path / "report").read_text())
    assert done > 0
    assert len(ids(store)) == 45
    assert commits(root) == 1 + 45 + done
    assert len(git(root, "log", "--format=%H", "main", "--", "person.txt").splitlines()) == done
    assert git(root, "log", "--format=%H", "--diff-filter=D", "main") == ""
    git(root, "add", "person.txt")  # the last try may have been refused half-way
    git(root, "commit", "-q", "--allow-empty", "-m", "rest")
    assert_sound(root)


def test_lost_swap_is_built_anew(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Failure mode 1: the branch moves just before it is swapped; both commits stay, one on top of the other.

    Breaks if the parent were not compared when the branch is moved.
    """
    add(store, "before")
    root, link, raced = store.root, os.link, []

    def slow_link(source: str, target: str) -> None:
        if str(target).endswith("main.lock") and not raced:
            raced.append(target)
            tree = git(root, "rev-parse", "main^{tree}")
            git(root, "update-ref", "refs/heads/main", git(root, "commit-tree", tree, "-p", "main", "-m", "in between"))
        link(source, target)

    monkeypatch.setattr(os, "link", slow_link)
    add(store, "ours")
    assert raced
    subjects = git(root, "log", "--format=%s", "main").splitlines()
    assert subjects == ["Note ours", "in between", "Note before", "Begin the store"]
    assert_sound(root)


def test_waiting_operations_are_published_together(store: Store, tmp_path: Path):
    """Six waiting writers become six commits, in one pack, with one move of the branch; each can be undone alone.

    Breaks if waiting writers cost a pack each, or were melted into one commit.
    """
    add(store, "first")
    root, before = store.root, _packs(store.root)
    moves = len(git(root, "reflog", "show", "main").splitlines())
    holder = spawn(hold_lock, root, tmp_path / "ready", tmp_path / "release")
    with stopped(holder):
        wait_for((tmp_path / "ready").exists)
        writers = [spawn(write_one, root, f"together-{number}", tmp_path / f"report-{number}") for number in range(6)]
        with stopped(*writers):
            wait_for(lambda: len(_queue(root)) == 6)
            (tmp_path / "release").touch()
            assert finish(holder, *writers) == [0] * 7
    assert [(tmp_path / f"report-{number}").read_text() for number in range(6)] == ["done"] * 6
    assert commits(root) == 8
    assert len(_packs(root) - before) == 1
    assert len(git(root, "reflog", "show", "main").splitlines()) == moves + 1
    middle = git(root, "log", "--format=%H", "main", "--", note_path("together-3"))
    git(root, "revert", "--no-edit", middle)
    assert ids(store) == ["first", *(f"together-{number}" for number in (0, 1, 2, 4, 5))]
    assert_sound(root)


def test_one_of_many_fails_alone(store: Store, tmp_path: Path):
    """Two waiting writers want the same name: one gets it, the other is told, and a third is not touched by that.

    Breaks if one conflict failed the whole group, or the later one overwrote the earlier.
    """
    holder = spawn(hold_lock, store.root, tmp_path / "ready", tmp_path / "release")
    with stopped(holder):
        wait_for((tmp_path / "ready").exists)
        names = ["same", "same", "other"]
        writers = [
            spawn(write_one, store.root, name, tmp_path / f"report-{number}", 60, f"text {number}")
            for number, name in enumerate(names)
        ]
        with stopped(*writers):
            wait_for(lambda: len(_queue(store.root)) == 3)
            (tmp_path / "release").touch()
            assert finish(holder, *writers) == [0] * 4
    reports = [(tmp_path / f"report-{number}").read_text() for number in range(3)]
    assert reports[2] == "done"
    assert sorted(reports[:2]) == ["AlreadyExists: note 'same' already exists", "done"]
    winner = reports.index("done")
    assert store.view().record(note_path("same")).data["text"] == f"text {winner}"
    assert_sound(store.root)


def _operation(*changes: Change, id: str = "op-1", **more) -> Operation:
    return Operation(id, "An operation\n\nSbfs-Operation: test\n", "tester <t@sbfs>", WHEN, changes, **more)


def test_an_operation_survives_the_queue(store: Store):
    """Breaks if an operation that waits its turn lost a part: a merge its parent, a saved edit what it saves."""
    operation = _operation(
        Change("a.txt", b"\0\xff", "absent"),
        Change("b.txt", None, "0" * 40, "1" * 40),
        needs=(("c.txt", "3" * 40),),
        parents=("2" * 40,),
    )
    assert Operation.load(operation.dump()) == operation


def test_the_same_operation_twice(store: Store):
    """Failure mode 17: an operation that is repeated, since its answer was lost, is never done twice."""
    operation = _operation(Change("note.txt", b"once\n", "absent"))
    revision = store.publisher().publish(operation)
    with pytest.raises(Moved):
        store.publisher().publish(operation)
    assert store.head() == revision
    assert commits(store.root) == 2


def test_an_operation_that_changes_nothing(store: Store):
    """Breaks if saying what is already so made a commit."""
    path = add(store, "one")
    head = store.head()
    record = store.view().record(path)
    assert store.publisher().publish(_operation(Change(path, record.raw, record.etag))) == head
    change(store, "one", text="hello")
    assert store.head() == head


def test_what_is_needed_must_be_there(store: Store):
    """Breaks if a note could be added to what was removed meanwhile."""
    with pytest.raises(Moved):
        store.publisher().publish(_operation(Change("a.txt", b"a", "absent"), needs=(("missing.txt", "0" * 40),)))
    assert commits(store.root) == 1


def test_lock_of_a_stopped_process_is_not_stolen(store: Store, tmp_path: Path):
    """Failure mode 6: the holder is stopped (SIGSTOP). Others wait, then say who holds it; once the holder goes on,
    all is as before.

    Breaks if a lock were broken by its age, or a withdrawn operation were published later.
    """
    root = store.root
    holder = spawn(hold_lock, root, tmp_path / "ready", tmp_path / "release")
    with stopped(holder):
        wait_for((tmp_path / "ready").exists)
        os.kill(holder.pid, signal.SIGSTOP)
        (tmp_path / "release").touch()
        with Store.open(root, lock_wait=0.3) as impatient:
            with pytest.raises(Busy, match=f"process {holder.pid} on ") as caught:
                add(impatient, "small")
            assert caught.value.hint
            with pytest.raises(Busy):
                add(impatient, "large", "x" * 200_000)
            assert ids(impatient) == []
        assert left_behind(root) == []
        os.kill(holder.pid, signal.SIGCONT)
        assert finish(holder) == [0]
    add(store, "later")
    assert ids(store) == ["later"]
    assert_sound(root)


@pytest.mark.parametrize("at", [8, 14, 20, 26])
def test_writer_stopped_in_the_middle(store: Store, tmp_path: Path, at: int):
    """Failure mode 6: a writer is stopped half-way. Readers go on, writers say Busy, and it completes when it goes on.

    Breaks if somebody mended, as a crash's left-over, what a living process is doing.
    """
    seed(store)
    root = store.root
    slow = spawn(stop_in_the_middle, root, at, tmp_path / "report")
    with stopped(slow):
        wait_for(lambda: _state(slow.pid) == "T")
        with Store.open(root, lock_wait=0.2) as other:
            assert operations_on_branch(other) in (0, 1)
            with pytest.raises(Busy):
                add(other, "meanwhile")
        os.kill(slow.pid, signal.SIGCONT)
        assert finish(slow) == [0]
    assert (tmp_path / "report").read_text() == "1"
    assert operations_on_branch(store) == operations_on_disk(root) == 1
    assert ids(store) == []
    assert_sound(root)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_lock_is_free_after_every_error(store: Store):
    """Failure mode 10: exceptions on all ways leave no lock, no open file and nothing half done.

    Breaks if an error path forgot the lock, or every write leaked a descriptor.
    """

    def crash(change: Transaction) -> None:
        change.put_bytes("x.txt", b"x")
        raise ZeroDivisionError

    def lead_out(change: Transaction) -> None:
        change.put_bytes("../x.txt", b"x")

    add(store, "one")
    (store.root / "folder").mkdir()
    store.close()
    gc.collect()  # What earlier tests left to the collector must not close in between.
    before = os.listdir("/dev/fd")
    for _ in range(40):
        with pytest.raises(ZeroDivisionError):
            store.write("crash", crash)
        with pytest.raises(Invalid):
            store.write("lead out", lead_out)
        with pytest.raises(Invalid):
            store.write("in the way", lambda change: change.put_bytes("folder", b"x"))
        with pytest.raises(Moved):
            store.publisher().publish(_operation(Change(note_path("one"), b"x", "absent")))
        store.close()
    assert len(os.listdir("/dev/fd")) == len(before)
    with Store.open(store.root, lock_wait=0.2) as other:
        add(other, "two")
    (store.root / "folder").rmdir()
    assert_sound(store.root)


def test_lock_is_not_entered_twice(store: Store):
    """Failure mode 10: who writes while they hold the lock elsewhere gets Busy, no deadlock, and the lock stays sound.

    Breaks if the lock were re-entrant by accident, or waiting had no end.
    """
    with Store.open(store.root, lock_wait=0.2) as inner:
        with store.publisher().locked():
            with pytest.raises(Busy):
                add(inner, "inside")
            with pytest.raises(Busy), inner.publisher().locked():
                pass
        add(inner, "outside")
    assert ids(store) == ["outside"]
    assert left_behind(store.root) == []


def test_publishing_under_ones_own_lock(store: Store):
    """A publisher that holds the lock publishes in it. Breaks if it waited for itself."""
    publisher = store.publisher()
    with publisher.locked():
        publisher.publish(_operation(Change("a.txt", b"a", "absent")))
    publisher.publish(_operation(Change("b.txt", b"b", "absent"), id="op-2"))
    assert commits(store.root) == 3
    assert_sound(store.root)


def test_a_reader_never_sees_half_a_file(store: Store):
    """Failure mode 16: a long note is rewritten while its file, and the branch, are read over and over.

    Breaks if a file were written in place.
    """
    lines = 20_000
    add(store, "long", "0\n" * lines, number=0)
    writer = spawn(rewrite_note, store.root, "long", 25, lines)
    file, seen = store.root / note_path("long"), set()
    with stopped(writer), Store.open(store.root) as reader:
        while writer.exitcode is None:
            for record in (Record.parse("long.yaml", file.read_bytes()), reader.view().record(note_path("long"))):
                number = record.data["number"]
                assert record.data["text"] == f"{number}\n" * lines
                seen.add(number)
            writer.join(0.001)
        assert writer.exitcode == 0
    assert len(seen) > 2
    assert_sound(store.root)


def test_many_files_in_one_commit(store: Store):
    """Bulk writes sync the file system once.

    Breaks if a file of many were forgotten, or left under its temporary name.
    """

    def build(change: Transaction) -> None:
        for number in range(130):
            change.put_bytes(f"many/{number % 7}/{number}.txt", b"%d\n" % number)

    store.write("many", build)
    store.write("fewer", lambda change: [change.drop(f"many/{number % 7}/{number}.txt") for number in range(0, 130, 2)])
    assert len(git(store.root, "ls-files", "many").splitlines()) == 65
    assert commits(store.root) == 3
    assert_sound(store.root)


def test_unsaved_edit_stops_the_operation(store: Store):
    """Failure mode 33 at this level: what a person wrote and nobody saved is never overwritten."""
    path = add(store, "one")
    record = store.view().record(path)
    (store.root / path).write_text("id: one\ntext: by hand\n")
    operation = _operation(Change(path, b"id: one\ntext: ours\n", record.etag))
    with pytest.raises(Edited) as caught:
        store.publisher().publish(operation)
    assert caught.value.path == path
    assert (store.root / path).read_text() == "id: one\ntext: by hand\n"
    assert left_behind(store.root) == []


def test_branch_that_moves_all_the_time(store: Store):
    """Breaks if a writer that always loses to Git went on for ever, instead of saying so."""
    add(store, "one")
    tries = []

    def build(change: Transaction) -> None:
        tries.append(1)
        old = change.get(note_path("one"), "note", "one")
        change.replace(NOTE, old, old.data | {"text": "ours"})
        (store.root / note_path("one")).write_text(f"id: one\ntext: person {len(tries)}\n")
        git(store.root, "commit", "-q", "-a", "-m", f"person {len(tries)}")

    with pytest.raises(Stale) as caught:
        store.write("note.change", build)
    assert caught.value.hint
    assert len(tries) < 50
    assert commits(store.root) == 2 + len(tries)
    add(store, "two")
    assert_sound(store.root)


def test_counter_is_what_the_helpers_say(store: Store):
    """The operations of the crash tests can fail: half an operation is noticed. Breaks if they asserted nothing."""
    seed(store)
    (store.root / COUNTER).write_text("1\n")
    with pytest.raises(AssertionError):
        operations_on_disk(store.root)


def test_an_operation_refused_half_way_leaves_nothing_to_the_next(store: Store) -> None:
    """Published together with others, an operation that fails in its middle must not leak its first files."""
    publisher = store.publisher()

    def operation(id: str, *changes: Change) -> Operation:
        return Operation(id, f"{id}\n", "t <t@t>", store.clock(), changes)

    bad = operation("bad", Change("first.txt", b"1", "absent"), Change("first.txt/below.txt", b"2", "absent"))
    good = operation("good", Change("second.txt", b"3", "absent"))
    with publisher.locked():
        outcomes = publisher._publish([bad, good])
        publisher._forget_journal()
    assert isinstance(outcomes["bad"], Error)
    assert isinstance(outcomes["good"], str)
    assert store.view().read("second.txt") == b"3"
    assert store.view().read("first.txt") is None
