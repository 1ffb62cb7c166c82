"""A writer that dies: nothing acknowledged is lost, nothing is half there, and the next command just works."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import (
    COUNTER,
    add,
    assert_sound,
    assert_whole,
    die_mending,
    die_operating,
    die_saving,
    finish,
    git,
    hold_lock,
    note_path,
    operate,
    operate_for_ever,
    operations_on_branch,
    operations_on_disk,
    run_git,
    seed,
    spawn,
    stopped,
    trip,
    wait_for,
    write_one,
)

from sbfs import messages, projects, worktree
from sbfs.store import Store


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A store with one operation done, to be copied for each death."""
    with Store.init(tmp_path / "template") as store:
        seed(store)
        operate(store)
    return tmp_path / "template"


def _copy(template: Path, root: Path) -> Path:
    shutil.copytree(template, root)
    git(root, "status")  # the copies have other inodes, which Git notes once
    return root


def _die(root: Path, mode: str, when: str, at: int) -> dict:
    """Run one writer that fails at a step; what it reported, and how it ended."""
    report = root.parent / f"{root.name}.report"
    code = finish(spawn(die_operating, root, mode, when, at, report))[0]
    said = json.loads(report.read_text()) if report.exists() else {"acknowledged": [], "steps": 0}
    return said | {"code": code}


def _assert_mended(root: Path, acknowledged: list[int]) -> None:
    """After the death: all that was acknowledged is there, whole, and the next command works."""
    with Store.open(root, lock_wait=20) as store:
        count = operations_on_branch(store)
        assert count >= max(acknowledged, default=1)
        assert operate(store) == count + 1
        assert operations_on_branch(store) == count + 1
    assert operations_on_disk(root) == count + 1
    assert_sound(root, litter=True)


@pytest.mark.parametrize("commit", ["", "git commit"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_kill_at_every_step(template: Path, tmp_path: Path, when: str, commit: str):
    """Failure modes 11 and 51: SIGKILL before or after any step that reaches the disk.

    Breaks if a step were out of order, a journal were believed too early or a lock were left that
    nobody takes away; with a `git commit` right after the death, if Git could commit an index that
    lacks what the branch already has.
    """
    for at in range(1, 200):
        root = _copy(template, tmp_path / f"{at}")
        said = _die(root, "kill", when, at)
        if commit:
            (root / "other.txt").write_text("a person's file\n")
            run_git(root, "add", "other.txt")
            run_git(root, "commit", "-q", "-m", "A person commits")
        if said["code"] == 0:
            break
        assert said["code"] == -9
        if commit and not git(root, "ls-files", "other.txt"):
            # Git was kept out; the next command of sbfs lets it in again.
            Store.open(root, lock_wait=20).close()
            git(root, "add", "other.txt")
        if commit:
            run_git(root, "commit", "-q", "-m", "A person commits, later")
            assert git(root, "ls-tree", "--name-only", "main", "other.txt") == "other.txt"
        _assert_mended(root, said["acknowledged"])
        shutil.rmtree(root)
    assert at > 25, "the writer has more steps than these: the trap does not catch them"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("mode", ["full", "interrupt"])
def test_failure_at_every_step(template: Path, tmp_path: Path, mode: str, when: str):
    """Failure modes 10 and 14: a full disk or Ctrl-C at any step; the same process goes on afterwards.

    Breaks if a lock or a file descriptor were kept after an exception, if the system's error came
    through raw, or if half an operation stayed.
    """
    expected = {"full": {"Failed", "Busy"}, "interrupt": {"KeyboardInterrupt"}}[mode]
    errors = set()
    for at in range(1, 200):
        root = _copy(template, tmp_path / f"{at}")
        said = _die(root, mode, when, at)
        assert said["code"] == 0, said
        _assert_mended(root, said["acknowledged"])
        assert said["open"] <= 0, said
        if at > said["steps"]:
            break
        if said["error"]:
            errors.add(said["error"])
        shutil.rmtree(root)
    assert at > 25, "the writer has more steps than these: the trap does not catch them"
    assert errors
    assert errors <= expected


def test_kill_while_mending(template: Path, tmp_path: Path):
    """Failure mode 11, twice: who mends what a dead writer left may die as well, at any step.

    Breaks if mending were not repeatable.
    """
    half = []
    for at in range(1, 60):
        root = _copy(template, tmp_path / f"half-{at}")
        if _die(root, "kill", "before", at)["code"] == 0:
            break
        if (root / ".git" / "sbfs" / "journal").exists():
            half.append(root)
    assert len(half) > 5
    for root in half[::6]:
        for at in range(1, 100):
            again = _copy(root, tmp_path / f"{root.name}-{at}")
            code = finish(spawn(die_mending, again, at))[0]
            assert code in (0, -9)
            _assert_mended(again, [])
            shutil.rmtree(again)
            if code == 0:
                break
        assert at > 3


def test_kill_while_founding(tmp_path: Path):
    """Failure modes 7 and 11: a founder that dies leaves nothing, or a store that works.

    Breaks if a half-made repository appeared under its final name.
    """
    for at in range(1, 60):
        root = tmp_path / f"{at}"
        code = finish(spawn(_found_and_die, root, at))[0]
        assert code in (0, -9)
        with Store.init(root) as store:
            seed(store)
            assert operate(store) == 1
        assert_sound(root, litter=True)
        if code == 0:
            break
    assert at > 5


def _found_and_die(root: Path, at: int) -> None:
    trip("kill", "after", at)
    Store.init(root).close()


def test_dead_leader_does_not_take_followers_along(store: Store, tmp_path: Path):
    """Failure modes 11 and 17: a leader dies with another process's operation in hand; the follower is neither lost
    nor published twice.

    Breaks if an operation in a dead leader's hands were forgotten, or repeated after the branch has moved.
    """
    seed(store)
    root, died, answered_by_mending = store.root, 0, 0
    for at in range(1, 100):
        ready, release = tmp_path / f"ready-{at}", tmp_path / f"release-{at}"
        report, path = tmp_path / f"report-{at}", note_path(f"follower-{at}")
        leader = spawn(_lead_and_die, root, ready, release, at)
        with stopped(leader):
            wait_for(ready.exists)
            follower = spawn(write_one, root, f"follower-{at}", report)
            with stopped(follower):
                wait_for(lambda: list((root / ".git" / "sbfs" / "queue").glob("*.json")))
                # The follower is held still, so that what the leader leaves can be looked at.
                os.kill(follower.pid, signal.SIGSTOP)
                release.touch()
                code = finish(leader)[0]
                assert code in (0, -9), "the leader died of something else than the test"
                there = run_git(root, "cat-file", "-e", f"main:{path}").returncode == 0
                told = bool(list((root / ".git" / "sbfs" / "queue").glob("*.done")))
                os.kill(follower.pid, signal.SIGCONT)
                assert finish(follower) == [0]
        assert report.read_text() == "done"
        died += code == -9
        answered_by_mending += code == -9 and there and not told
        assert len(git(root, "log", "--format=%H", "main", "--", path).splitlines()) == 1
        if code == 0:
            break
    assert code == 0, "the leader has more steps than these"
    assert died > 15
    assert answered_by_mending > 0, "no leader died between the branch's move and its answer"
    assert operations_on_branch(store) == operations_on_disk(root)
    assert_sound(root, litter=True)


def _lead_and_die(root: Path, ready: Path, release: Path, at: int) -> None:
    with Store.open(root) as store:
        publisher = store.publisher()
        with publisher.locked():
            # Published under the lock that is held here, and with it whatever waits.
            store.publisher = lambda: publisher  # type: ignore[method-assign]
            ready.touch()
            wait_for(release.exists)
            trip("kill", "before", at)
            operate(store)


def test_what_a_person_wrote_after_a_crash_stays(template: Path, tmp_path: Path):
    """Failure modes 11 and 33: between the death and the next command a person edits a file that was being written.

    Breaks if mending took their text for the dead writer's and put the branch's over it.
    """
    edited = 0
    for at in range(1, 100):
        root = _copy(template, tmp_path / f"{at}")
        said = _die(root, "kill", "before", at)
        if said["code"] == 0:
            break
        assert said["code"] == -9
        if (root / ".git" / "sbfs" / "journal").exists():
            edited += 1
            (root / COUNTER).write_text("a person's\n")
            with Store.open(root) as store:
                count = operations_on_branch(store)
                assert (root / COUNTER).read_text() == "a person's\n"
                assert git(root, "status", "--porcelain") == f" M {COUNTER}"
                git(root, "checkout", "--", COUNTER)
                assert operate(store) == count + 1
            assert_sound(root, litter=True)
        shutil.rmtree(root)
    assert said["code"] == 0
    assert edited > 5


def test_an_edit_survives_the_death_of_what_saves_it(template: Path, tmp_path: Path):
    """Failure modes 11 and 33: whoever saves a person's edit dies, at any step; the edit stays in the file.

    Breaks if taking back the unfinished commit also took back what the person had written before it.
    """
    taken_back = 0
    for at in range(1, 100):
        root = _copy(template, tmp_path / f"{at}")
        (root / COUNTER).write_bytes(b"41\n")
        code = finish(spawn(die_saving, root, b"41\n", at))[0]
        assert code in (0, -9)
        half = (root / ".git" / "sbfs" / "journal").exists()
        with Store.open(root) as store:
            saved = store.view().read(COUNTER) == b"41\n"
            assert (root / COUNTER).read_bytes() == b"41\n"
            assert git(root, "status", "--porcelain") == ("" if saved else f" M {COUNTER}")
            add(store, "next")
        taken_back += half and not saved
        assert_whole(root)
        shutil.rmtree(root)
        if code == 0:
            break
    assert saved
    assert taken_back > 0, "no death left an unfinished commit to take back"


def test_intents_of_dead_processes_are_not_published(store: Store, tmp_path: Path):
    """Failure mode 17: who waited and was killed was told nothing, so nothing of it is published later.

    Breaks if the queue were read without asking whether its owner lives.
    """
    ready, release = tmp_path / "ready", tmp_path / "release"
    holder = spawn(hold_lock, store.root, ready, release)
    with stopped(holder):
        wait_for(ready.exists)
        waiting = spawn(write_one, store.root, "ghost", tmp_path / "report")
        with stopped(waiting):
            wait_for(lambda: list((store.root / ".git" / "sbfs" / "queue").glob("*.json")))
        release.touch()
        assert finish(holder) == [0]
    add(store, "living")
    assert store.view().find_id(note_path("ghost")) is None
    assert not (store.root / note_path("ghost")).exists()
    add(store, "living-on")
    assert_sound(store.root)


def _storm(root: Path, logs: Path, kills: int) -> None:
    """Four writers, of which one after the other is killed and followed by a new one."""
    dice = random.Random(kills)
    with Store.init(root) as store:
        seed(store)
    logs.mkdir()
    writers = [spawn(operate_for_ever, root, logs / f"{number}") for number in range(4)]
    try:
        for _ in range(kills):
            time.sleep(dice.uniform(0.02, 0.12))
            victim = dice.randrange(4)
            writers[victim].kill()
            writers[victim].join()
            assert [one.exitcode for one in writers if one.exitcode not in (None, -9)] == []
            writers[victim] = spawn(operate_for_ever, root, logs / f"{victim}")
        lines = sum(len(log.read_text().splitlines()) for log in logs.iterdir())
        wait_for(lambda: sum(len(log.read_text().splitlines()) for log in logs.iterdir()) > lines + 3)
    finally:
        for writer in writers:
            writer.kill()
        for writer in writers:
            writer.join()
    acknowledged = [int(line) for log in logs.iterdir() for line in log.read_text().split("\n")[:-1]]
    assert len(set(acknowledged)) == len(acknowledged)
    _assert_mended(root, acknowledged)


def test_random_kills(tmp_path: Path):
    """Failure mode 11: four writers, killed at random. Breaks if any instant were unsafe that no step names."""
    _storm(tmp_path / "store", tmp_path / "logs", 15)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_random_kills_by_the_hundred(tmp_path: Path):
    """Failure mode 11, hundreds of times."""
    _storm(tmp_path / "store", tmp_path / "logs", 400)


_DIE_IN_SAVE = """
import os, signal, sys
from sbfs import Store, worktree
from sbfs.git.repository import Repository

move = Repository.move_ref

def die(*arguments, **named):
    if sys.argv[2] == "after":
        move(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)

Repository.move_ref = die
worktree.save(Store.open(sys.argv[1]))
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_save_loses_nothing_that_a_person_wrote(tmp_path: Path, when: str) -> None:
    """Failure modes 11 and 33: what a person wrote and save would complete, move or stamp is on the
    branch or still on the disk, whenever save dies."""
    root = tmp_path / "store"
    with Store.init(root) as store:
        for name in ("web", "api"):
            projects.add(store, name=name)
    note, facts = root / "projects/web/outbox/note.yaml", root / "projects/web/project.yaml"
    note.parent.mkdir(parents=True)
    note.write_text("# mine\nto_project: api\nsubject: Hello\ncontent: precious\n")
    edited = facts.read_text() + "description: precious too\n"
    facts.write_text(edited)
    command = [sys.executable, "-c", _DIE_IN_SAVE, str(root), when]
    died = subprocess.run(command, check=False, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    with Store.open(root) as store:
        if when == "before":
            assert "precious" in note.read_text()
            assert facts.read_text() == edited
            assert len(worktree.save(store).delivered) == 1
        assert not note.exists()
        assert "precious too" in facts.read_text()
        (shown,) = messages.list(store, project="api").items
        assert shown.message.body == "precious"
        assert not worktree.status(store).edits
