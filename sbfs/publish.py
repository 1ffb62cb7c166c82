"""How a change becomes true: many writers, one commit an operation, all or nothing.

The order of steps, and why it is safe at every point of a crash, is docs/architecture.md's
"A message's way down". In short: under one operating-system lock and Git's own `index.lock`, the
objects go to disk as one pack, a journal names what will change, the files and the next index are
put down, and the branch moves by compare-and-swap. That move is the moment of truth. Whoever finds
a journal later completes or takes back what its writer began: the branch decides which.

Writers that wait leave their operation in a queue; whoever gets the lock publishes all of them with
one pack and one move of the branch, each still a commit of its own.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from sbfs import files, upkeep
from sbfs.errors import Busy, Damaged, Error, Failed, Invalid
from sbfs.git import bulk, index, packs, trees
from sbfs.git.folders import Folders, lay_out, pays
from sbfs.git.repository import BRANCH, INDEX_MARK, Commit, Repository, serialize_commit
from sbfs.operation import Change, Edited, Moved, Operation, Outcome
from sbfs.queue import Queue
from sbfs.record import etag

_QUEUE_LIMIT = 128 * 1024
"""Bytes up to which a waiting operation is handed to whoever holds the lock."""

_MANY_TREES = 200

_POLL = 0.002

_HOST = socket.gethostname()


@dataclass
class _Batch:
    """What is about to be published: commits on top of `tip`, their objects, the files they leave.

    kept: files that a person wrote just as they shall be, in the state in which they were read.
    late: people's edits that are taken over in another form, with their etags. Nobody else has what
    they hold, so they are touched only once the branch has it. files: what each path will hold: its
    bytes, None for nothing, or the id of bytes that the repository has. sizes: of those, once read.
    folders: that come as a whole, before the files.
    """

    repo: Repository
    tip: Commit | None
    head: str | None
    tree: str | None
    objects: list[packs.Object] = field(default_factory=list)
    files: dict[str, bytes | str | None] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    kept: dict[str, os.stat_result] = field(default_factory=dict)
    late: dict[str, str] = field(default_factory=dict)
    done: dict[str, str] = field(default_factory=dict)
    unwritten: dict[str, trees.Entries] = field(default_factory=dict)
    folders: Folders | None = None

    def __post_init__(self) -> None:
        self.editor = self.edit()

    def edit(self) -> trees.TreeEditor:
        """An editor of the batch's tree as it is so far, which is not on the disk yet."""
        return trees.TreeEditor(self._read_tree, self.tree, self._remember_tree)

    def _read_tree(self, id: str) -> trees.Entries:
        return self.unwritten[id] if id in self.unwritten else self.repo.tree(id)

    def _remember_tree(self, id: str, entries: trees.Entries) -> None:
        self.unwritten[id] = entries
        self.repo.remember_tree(id, entries)


class Publisher:
    """Publishes operations to one repository. lock_wait: seconds to wait for another writer."""

    def __init__(self, repo: Repository, *, lock_wait: float = 30.0):
        self.repo = repo
        self.own = repo.gitdir / "sbfs"
        self.lock_wait = lock_wait
        self.queue = Queue(self.own / "queue")
        self._holding = False

    # -- entering

    def publish(self, operation: Operation) -> str:
        """Make an operation true and return its revision.

        Raises Moved or Edited where it must be built anew, Busy where the store stays locked, and
        Failed where the machine refuses; then nothing has changed.
        """
        try:
            outcome = self._publish_or_wait(operation)
        except OSError as error:
            raise files.failed(error, self.own) from error
        if isinstance(outcome, Error):
            raise outcome
        return outcome

    def _publish_or_wait(self, operation: Operation) -> Outcome:
        if self._holding:
            return self._lead(operation)
        if self.try_lock():
            return self._lead_and_release(operation)
        if operation.size < _QUEUE_LIMIT:
            return self._wait_in_queue(operation)
        with self.locked():
            return self._lead(operation)

    def _lead_and_release(self, operation: Operation) -> Outcome:
        try:
            return self._lead(operation)
        finally:
            self.release()
            upkeep.after_publication(self.repo)

    def _wait_in_queue(self, operation: Operation) -> Outcome:
        """Leave the operation to whoever holds the lock; lead oneself once it is free."""
        deadline = time.monotonic() + self.lock_wait
        handed_over = False
        with self.queue.waiting(operation) as place, open(self.own / "lock", "ab") as probe:
            while True:
                if (outcome := place.outcome()) is not None:
                    return outcome
                if _seems_free(probe) and self.try_lock():
                    try:
                        self.recover()
                        return place.outcome() or self._lead(operation)
                    finally:
                        self.release()
                        upkeep.after_publication(self.repo)
                if time.monotonic() > deadline:
                    if handed_over or place.withdraw():
                        raise self._busy(handed_over)
                    handed_over, deadline = True, deadline + self.lock_wait
                place.sleep()

    # -- the store's lock

    def try_lock(self) -> bool:
        """Take the store's lock if nobody has it."""
        return self._acquire(0)

    def release(self) -> None:
        """Let go of the store's lock, and tell who waits for it."""
        self._lock.release()
        self.queue.wake_next()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store's lock, with whatever a dead writer left mended; `publish` works in it."""
        if self._holding:
            yield
            return
        if not self._acquire(self.lock_wait):
            raise self._busy()
        try:
            self.recover()
            self._holding = True
            yield
        finally:
            self._holding = False
            self.release()

    def _acquire(self, timeout: float) -> bool:
        from filelock import Timeout

        try:
            self._lock.acquire(timeout=timeout, poll_interval=_POLL)
        except Timeout:
            return False
        except OSError as error:
            raise files.failed(error, self.own / "lock") from error
        with suppress(OSError), open(self.own / "holder", "w") as file:
            file.write(f"process {os.getpid()} on {_HOST}")
        return True

    @cached_property
    def _lock(self) -> Any:
        from filelock import FileLock

        self.own.mkdir(exist_ok=True)
        return FileLock(self.own / "lock", thread_local=False)

    def _busy(self, handed_over: bool = False) -> Busy:
        holder = (files.read(self.own / "holder") or b"another program").decode()
        hint = "wait, or end that process; the lock is free once it is gone"
        if handed_over:
            hint += "; it has taken this operation over and may still complete it: look before you repeat it"
        return Busy(f"the store is held by {holder} for more than {self.lock_wait:g} s", hint=hint)

    # -- publishing, under the lock

    def _lead(self, operation: Operation) -> Outcome:
        self.recover()
        others = self.queue.take(but=operation.id)
        outcomes = self._publish([operation, *others])
        for other in others:
            self.queue.answer(other.id, outcomes[other.id])
        self._forget_journal()
        # Packs are joined where nobody waits for this process any more, so a failure here harms nobody.
        with suppress(OSError, Error):
            packs.join_small(self.repo.gitdir / "objects" / "pack")
        return outcomes[operation.id]

    def _guard(self) -> None:
        branch = self.repo.head_ref()
        if branch != BRANCH:
            what = branch.removeprefix("refs/heads/") if branch else "a single commit"
            raise Failed(f"{what} is checked out, not main", hint="git switch main")
        if doing := self.repo.unfinished():
            raise Failed(f"{doing} is under way in the store", hint="finish or abort it with git, then repeat")

    def _publish(self, operations: list[Operation]) -> dict[str, Outcome]:
        outcomes: dict[str, Outcome] = {}
        with self._index_lock():
            # Looked at under Git's own lock, so that no checkout can come in between.
            self._guard()
            head = self.repo.ref(BRANCH)
            tip = self.repo.commit(head) if head else None
            tree = tip.tree if tip else None
            batch = _Batch(self.repo, tip, head, tree)
            for operation in operations:
                try:
                    outcomes[operation.id] = self._stage(batch, operation)
                except Error as error:
                    outcomes[operation.id] = error
                    # It may have been refused half-way: nothing of it may reach the next one's commit.
                    batch.editor = batch.edit()
            if batch.done:
                self._make_true(batch, operations[0])
        return outcomes

    def _stage(self, batch: _Batch, operation: Operation) -> str:
        """Turn an operation into a commit of the batch, in memory."""
        for path, id in operation.needs:
            found = batch.editor.get(path)
            folder = self.repo.folder(batch.tree, path) if batch.tree and not found else None
            if id not in (found[1] if found else None, folder):
                raise Moved(f"{path} changed meanwhile")
        self._stage_folders(batch, operation.folders)
        places = files.Places(self.repo.root)
        states = {change.path: self._check(batch, change, places) for change in operation.changes}
        objects: list[packs.Object] = []
        # A file that only moves brings no new object.
        here = {change.was for change in operation.changes}
        for change in operation.changes:
            if (id := change.becomes) == "absent":
                batch.editor.remove(change.path)
            else:
                batch.editor.set(change.path, id)
                if id not in here and change.data is not None:
                    objects.append(("blob", id, change.data))
        tree, fresh = batch.editor.write()
        if tree == batch.tree and batch.head and not operation.parents and not operation.onto:
            return batch.head
        if operation.onto:
            commit = self._forwarded(batch, operation, tree)
        else:
            parents = ((batch.head,) if batch.head else ()) + operation.parents
            commit, data = serialize_commit(tree, parents, operation.who, operation.when, operation.message)
            objects += [("tree", id, data) for id, data in self._unknown(fresh)]
            objects.append(("commit", commit, data))
            self.repo.remember_commit(commit, data)
        batch.objects += objects
        for path, state in states.items():
            batch.kept.pop(path, None)
            if state is not None:
                batch.kept[path] = state
        for change in operation.changes:
            edited = change.disk not in ("", "absent", change.was)
            if edited and states[change.path] is None and change.path not in batch.files:
                batch.late[change.path] = change.disk
        batch.files.update({change.path: change.id or change.data for change in operation.changes})
        # Not before: refused half-way, they would be put down with what others wait for.
        batch.folders = operation.folders or batch.folders
        batch.head, batch.tree, batch.done[operation.id] = commit, tree, commit
        return commit

    def _stage_folders(self, batch: _Batch, folders: Folders | None) -> None:
        """Take folders into the batch. Raises Moved where something is in their place by now."""
        for path, id in folders.ids.items() if folders else ():
            if os.path.lexists(files.locate(self.repo.root, path)) or not batch.editor.set_folder(path, id):
                raise Moved(f"{path} is there meanwhile")

    def _unknown(self, fresh: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        """Trees that the repository does not have. Of many, most came with what is brought in; a few are as quickly
        written as looked for."""
        return [one for one in fresh if not self.repo.holds(one[0])] if len(fresh) > _MANY_TREES else fresh

    def _forwarded(self, batch: _Batch, operation: Operation, tree: str) -> str:
        """The commit that the branch goes to, if it says just what the operation's changes do."""
        if batch.head != operation.before:
            raise Moved("the branch moved meanwhile")
        if self.repo.commit(operation.onto).tree != tree:
            raise Damaged(f"commit {operation.onto} does not hold what was read of it", hint="run 'sbfs check'")
        return operation.onto

    def _check(self, batch: _Batch, change: Change, places: files.Places) -> os.stat_result | None:
        """Refuse a change that is built on something else than what is there.

        Returns the state of a file that already is as it shall be, as a person's edit mostly is.
        """
        files.check_path(change.path)
        found = batch.editor.get(change.path)
        if (found[1] if found else "absent") != change.was:
            raise Moved(f"{change.path} changed meanwhile")
        if change.path in batch.files:
            return None
        file, state = places.find(change.path)
        if state is not None and stat.S_ISDIR(state.st_mode):
            raise Invalid("is a folder, not a file", path=change.path)
        disk = None if state is None else files.read(file)
        have = etag(disk) if disk is not None else "absent"
        want = change.becomes
        if have not in (change.was, want, change.disk):
            raise Edited(change.path)
        as_written = disk is not None and have == want and state is not None and not state.st_mode & 0o111
        return state if as_written else None

    def _make_true(self, batch: _Batch, first: Operation) -> None:
        repo = self.repo
        if batch.objects:
            packs.write(repo.gitdir / "objects" / "pack", _unique(batch.objects))
        journal: dict[str, Any] = {"old": batch.tip.id if batch.tip else None, "new": batch.head}
        journal |= {"paths": list(batch.files), "kept": list(batch.kept), "late": batch.late, "done": batch.done}
        if batch.folders:
            journal["folders"] = dict(batch.folders.ids)
        files.write(self.own / "journal", json.dumps(journal).encode())
        if batch.folders:
            batch.folders.put_into(repo.root)
        later = batch.kept.keys() | batch.late.keys()
        self._put_files({path: data for path, data in batch.files.items() if path not in later}, batch.sizes)
        files.sync_many(f"{repo.root}/{path}" for path in batch.kept)
        self._next_index(batch)
        assert batch.head is not None
        old = batch.tip.id if batch.tip else None
        said = first.message.partition("\n")[0] if len(batch.done) == 1 else f"{len(batch.done)} operations"
        if not repo.move_ref(BRANCH, old, batch.head, first.who, said):
            raise Moved("the branch moved meanwhile")
        files.sync_folder(repo.gitdir / "refs" / "heads")
        # From here on it is true.
        self._put_late({path: batch.files[path] for path in batch.late}, batch.late)
        os.replace(self.own / "index.next", repo.gitdir / "index")

    def _put_files(self, changes: Mapping[str, bytes | str | None], sizes: dict[str, int] | None = None) -> None:
        root = self.repo.root
        files.write_many(_Contents(self.repo, changes, {} if sizes is None else sizes))
        files.prune_folders(root, {(root / path).parent for path, data in changes.items() if data is None})

    def _put_late(self, changes: Mapping[str, bytes | str | None], edits: Mapping[str, str]) -> None:
        """Replace the edits that the branch has now, but for those that were edited once more."""
        disks = {path: files.read(files.locate(self.repo.root, path)) for path in changes}
        same = {path for path, disk in disks.items() if disk is not None and etag(disk) == edits[path]}
        self._put_files({path: data for path, data in changes.items() if path in same})

    def _next_index(self, batch: _Batch) -> None:
        edits = {}
        for path, data in batch.files.items():
            id = data if isinstance(data, str) else (batch.editor.get(path) or (0, None))[1]
            state = batch.kept.get(path)
            if state is None and data is not None and path not in batch.late:
                size = batch.sizes.get(path, -1) if isinstance(data, str) else len(data)
                state = _stat(f"{self.repo.root}/{path}", size)
            edits[path] = index.Entry(id, stat=state)
        self._write_index(edits, batch.folders)

    def _write_index(self, edits: dict[str, index.Entry], folders: Folders | None = None) -> None:
        split = self.repo.config("core", "splitindex") != "false"
        more = folders.index if folders else None
        index.prepare(self.repo.gitdir, self.own / "index.next", edits, split=split, more=more)

    def _forget_journal(self) -> None:
        (self.own / "journal").unlink(missing_ok=True)

    # -- Git's own lock

    @contextmanager
    def _index_lock(self) -> Iterator[None]:
        """Hold `.git/index.lock`, made with its content at once so that it can be told from Git's."""
        lock, tag = self.repo.gitdir / "index.lock", self.own / "index.tag"
        if files.read(tag) != INDEX_MARK:
            tag.write_bytes(INDEX_MARK)
        self._take(lock, tag)
        try:
            yield
        except BaseException:
            # Half done: take it back now if that works; if not, the next command does, and until
            # then the lock keeps Git from committing what is half there.
            if (self.own / "journal").exists():
                self.recover()
            else:
                lock.unlink(missing_ok=True)
            raise
        lock.unlink(missing_ok=True)

    def _take(self, lock: Path, tag: Path) -> None:
        deadline = time.monotonic() + min(self.lock_wait, 10)
        while True:
            try:
                os.link(tag, lock)
                return
            except FileExistsError:
                if files.read(lock) == INDEX_MARK:
                    return
            except OSError as error:
                raise files.failed(error, lock) from error
            if time.monotonic() > deadline:
                raise Busy(
                    "a git command, or its editor, holds .git/index.lock",
                    hint="end it; if no git command runs, 'sbfs check --fix' removes the lock",
                )
            time.sleep(0.01)

    # -- mending

    def recover(self) -> None:
        """Complete or take back what a dead writer began. Only under the lock."""
        raw = files.read(self.own / "journal")
        if raw is None:
            if files.read(self.repo.gitdir / "index.lock") == INDEX_MARK:
                (self.repo.gitdir / "index.lock").unlink()
            return
        journal = self._read_journal(raw)
        with self._index_lock_for_recovery():
            self._replay(journal)
        self._forget_journal()

    def _read_journal(self, raw: bytes) -> dict[str, Any]:
        try:
            journal = json.loads(raw)
            if {"old", "new", "paths"} <= journal.keys():
                return dict(journal)
        except (ValueError, AttributeError):
            pass
        raise Damaged(
            ".git/sbfs/journal cannot be read",
            hint="remove it, then look at 'git status' for what was under way",
        )

    @contextmanager
    def _index_lock_for_recovery(self) -> Iterator[None]:
        lock = self.repo.gitdir / "index.lock"
        (self.own / "index.tag").write_bytes(INDEX_MARK)
        self._take(lock, self.own / "index.tag")
        yield
        lock.unlink()

    def refresh_index(self, paths: Mapping[str, str | None]) -> None:
        """Make Git's index say what the branch says of these paths. Only under the lock."""
        edits = {}
        for path, id in paths.items():
            edits[path] = index.Entry(id, stat=_stat(self.repo.root / path, None, id) if id else None)
        with self._index_lock():
            self._write_index(edits)
            os.replace(self.own / "index.next", self.repo.gitdir / "index")

    def _replay(self, journal: dict[str, Any]) -> None:
        repo = self.repo
        repo.close()
        repo.drop_ref_lock(BRANCH, journal["new"])
        head = repo.ref(BRANCH)
        tip = repo.commit(head).tree if head else None
        folders: dict[str, str] = journal.get("folders", {})
        with self._laid_out(tip, folders) as laid:
            if laid:
                laid.put_into(repo.root)
                folders = {path: id for path, id in folders.items() if path not in laid.ids}
            put, edits = self._to_mend(journal, folders, tip)
            self._put_files(put)
            moved = head == journal["new"] or bool(head and self._contains(head, journal["new"]))
            if moved and (late := journal.get("late", {})):
                ids = {path: _id_at(repo, tip, path) for path in late}
                self._put_late({path: repo.blob(id) if id else None for path, id in ids.items()}, late)
            for path, entry in edits.items():
                if entry.id and (state := _stat(repo.root / path, None, entry.id)):
                    edits[path] = index.Entry(entry.id, stat=state)
            self._write_index(edits, laid)
        os.replace(self.own / "index.next", repo.gitdir / "index")
        if moved:
            for id, commit in journal.get("done", {}).items():
                self.queue.answer(id, commit)

    @contextmanager
    def _laid_out(self, tip: str | None, folders: Mapping[str, str]) -> Iterator[Folders | None]:
        """The folders that the branch has just so and the disk has not, written beside it where that pays."""
        missing = {
            path: id
            for path, id in folders.items()
            if tip and self.repo.folder(tip, path) == id and not os.path.lexists(files.locate(self.repo.root, path))
        }
        if not pays(sum(1 for _ in self._paths_in(missing))):
            yield None
            return
        with bulk.Scratch(self.own, self.repo) as scratch:
            yield lay_out(scratch, missing)

    def _to_mend(
        self, journal: dict[str, Any], folders: Mapping[str, str], tip: str | None
    ) -> tuple[dict[str, str | None], dict[str, index.Entry]]:
        """(path → id of what it shall hold, path → what the index shall say) of what a dead writer touched."""
        repo = self.repo
        known = [_tree(repo, journal["old"]), _tree(repo, journal["new"])]
        put: dict[str, str | None] = {}
        edits: dict[str, index.Entry] = {}
        kept = set(journal.get("kept", ()))
        places: set[Path] = set()
        for path in (*journal["paths"], *self._paths_in(folders)):
            file = files.join(repo.root, path)
            disk = files.read(file)
            have = etag(disk) if disk is not None else None
            want = _id_at(repo, tip, path)
            # What is in neither commit was written by a person, and stays; so does what was there before.
            if have != want and path not in kept and have in [_id_at(repo, tree, path) for tree in known]:
                put[path] = want
            edits[path] = index.Entry(want)
            places.add(file.parent)
        for place in places:
            for left in place.glob(".*~"):
                if files.TEMPORARY.fullmatch(left.name) and not left.is_dir():
                    left.unlink(missing_ok=True)
        return put, edits

    def _paths_in(self, folders: Mapping[str, str]) -> Iterator[str]:
        """The files of folders that came as a whole. Those of one that no commit names may be collected since: what
        lies there then stays, as what a person wrote does."""
        for path, id in folders.items():
            with suppress(Damaged):
                yield from (file for file, _, _ in trees.walk(self.repo.tree, id, f"{path}/"))

    def _contains(self, head: str, commit: str | None) -> bool:
        return any(one.id == commit for one, _ in zip(self.repo.history(head), range(1000), strict=False))


class _Contents(Mapping[str, bytes | None]):
    """File → bytes, those that the repository has read one by one as they are asked for. sizes: path → of those."""

    def __init__(self, repo: Repository, changes: Mapping[str, bytes | str | None], sizes: dict[str, int]):
        self._repo, self._changes, self._sizes = repo, changes, sizes

    def __len__(self) -> int:
        return len(self._changes)

    def __iter__(self) -> Iterator[str]:
        return (f"{self._repo.root}/{path}" for path in self._changes)

    def __getitem__(self, file: str) -> bytes | None:
        said = self._changes[file.removeprefix(f"{self._repo.root}/")]
        return self._repo.blob(said) if isinstance(said, str) else said

    def items(self) -> Any:
        """In the order of the changes."""
        ids = [said for said in self._changes.values() if isinstance(said, str)]
        stored = bulk.blobs(self._repo, ids)
        for path, said in self._changes.items():
            data = next(stored) if isinstance(said, str) else said
            if isinstance(said, str):
                self._sizes[path] = len(data or b"")
            yield f"{self._repo.root}/{path}", data


def _seems_free(lock: IO[bytes]) -> bool:
    """Whether nobody holds the lock. Asking costs a thirtieth of trying to take it, and many wait."""
    import fcntl

    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    fcntl.flock(lock, fcntl.LOCK_UN)
    return True


def _unique(objects: list[packs.Object]) -> Iterator[packs.Object]:
    seen = set()
    for one in objects:
        if one[1] not in seen:
            seen.add(one[1])
            yield one


def _tree(repo: Repository, commit: str | None) -> str | None:
    """A commit's tree; None (nothing is there) for no commit, or one that never reached the disk."""
    return repo.commit(commit).tree if commit and repo.has(commit) else None


def _id_at(repo: Repository, tree: str | None, path: str) -> str | None:
    found = repo.entry(tree, path) if tree else None
    return found[1] if found and found[0] != trees.FOLDER else None


def _stat(file: str | Path, size: int | None, id: str | None = None) -> os.stat_result | None:
    """A file's state for the index, if it still is what was written: otherwise Git must look itself."""
    try:
        state = os.lstat(file)
    except OSError:
        return None
    if size is not None and state.st_size != size:
        return None
    if id is not None and etag(files.read(file) or b"") != id:
        return None
    return state
