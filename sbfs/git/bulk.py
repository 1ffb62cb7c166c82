"""Objects by the hundred thousand: read in a stream, written as one pack, tried out before they count.

A git binary, where there is one, does the heavy part; the library does it elsewhere, to the same end.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import struct
import subprocess
import threading
import zlib
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO, Any, Self

from sbfs import files
from sbfs.errors import Failed, Invalid
from sbfs.git.packs import entry_of, listing_of, staged
from sbfs.git.repository import BRANCH, Repository
from sbfs.git.trees import FOLDER

Stream = IO[bytes]

_FEW = 64
"""Objects up to which starting a program takes longer than reading them here."""

_CHUNK = 1 << 18

_ASKED = 512
"""Objects that are asked for at once."""

_LARGE_FROM = 2 << 20
_LARGE = ("-c", f"core.bigFileThreshold={_LARGE_FROM}")
"""What is larger, Git copies in a stream and builds no delta on: of large attachments it would hold ten in memory, and
try each on each. Records never are."""

_AHEAD = 1 << 20
"""Bytes that Git may be ahead of who reads from it, where the system lets one say so: by default it would stop at once
while what it sent is looked at."""


def environment(gitdir: Path) -> dict[str, str]:
    """For a git binary that shall know this repository and nothing else."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return {**env, "GIT_DIR": os.fspath(gitdir), "GIT_CONFIG_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


# -- reading ---------------------------------------------------------------------------------------


class TooLarge(Exception):
    """An object is larger than the reader takes. size: in bytes. name: what `named_blobs` was given with it."""

    def __init__(self, size: int, name: str = ""):
        super().__init__(f"an object has {size} bytes")
        self.size, self.name = size, name


def blobs(repo: Repository, ids: Iterable[str], *, limit: int | None = None) -> Iterator[bytes]:
    """The bytes of many objects, in the order of their ids, one at a time. Raises TooLarge above a limit in bytes."""
    waiting = iter(ids)
    first = list(islice(waiting, _FEW))
    if len(first) < _FEW or not shutil.which("git"):
        for id in (*first, *waiting):
            data = _within(repo.blob(id), limit)
            is_large = len(data) > _LARGE_FROM
            yield data
            if is_large:
                # The pack is mapped into memory as far as it was read.
                del data
                repo.close()
        return
    yield from _by_git(repo, first, waiting, limit)


def named_blobs(
    repo: Repository, named: Iterable[tuple[str, str]], *, limit: int | None = None
) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of many objects of which (name, id) is given. These are asked for in another thread, ahead of what
    comes of them: meanwhile, nobody else may read from the repository. Raises TooLarge above a limit in bytes."""
    asked: deque[str] = deque()

    def ids() -> Iterator[str]:
        for name, id in named:
            asked.append(name)
            yield id

    try:
        for data in blobs(repo, ids(), limit=limit):
            yield asked.popleft(), data
    except TooLarge as error:
        raise TooLarge(error.size, error.name or asked[0]) from None


def _within(data: bytes, limit: int | None) -> bytes:
    if limit is not None and len(data) > limit:
        raise TooLarge(len(data))
    return data


def _by_git(repo: Repository, first: Sequence[str], rest: Iterator[str], limit: int | None) -> Iterator[bytes]:
    # By default Git maps a pack into memory as far as it reads it, all of it in the end.
    windows = ("-c", "core.packedGitWindowSize=8m", "-c", "core.packedGitLimit=64m")
    command = ["git", *windows, "cat-file", "--batch", "--buffer"]
    process = subprocess.Popen(
        command,
        env=environment(repo.gitdir),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=_CHUNK,
    )
    # What was asked for and is not answered yet, so that an answer can be told from a damaged one.
    asked: deque[str] = deque()
    assert process.stdout is not None
    _widen(process.stdout)
    failed: list[Exception] = []
    sender = threading.Thread(target=_ask, args=(process.stdin, first, rest, asked, failed), daemon=True)
    sender.start()
    try:
        while True:
            head = process.stdout.readline().split()
            if len(head) != 3:
                break
            size = int(head[2])
            if limit is not None and size > limit:
                raise TooLarge(size)
            data = process.stdout.read(size)
            if len(data) != size or process.stdout.read(1) != b"\n":
                break
            asked.popleft()
            yield data
        sender.join()
        if failed:
            raise failed[0]
        # Git stopped at one that it cannot read: look oneself, which finds packs that moved, or says what is wrong.
        for id in asked:
            yield _within(repo.blob(id), limit)
    finally:
        process.kill()
        sender.join()
        process.stdout.close()
        process.wait()


def _widen(pipe: IO[bytes]) -> None:
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _AHEAD)


def _ask(stream: Any, first: Sequence[str], rest: Iterator[str], asked: deque[str], failed: list[Exception]) -> None:
    """failed: is given what went wrong where the ids come from, for who waits for what they name."""
    try:
        for ids in (iter(first), rest):
            while some := [*islice(ids, _ASKED)]:
                asked += some
                with suppress(BrokenPipeError):
                    stream.write("".join(f"{id}\n" for id in some).encode())
    except Exception as error:  # noqa: BLE001 - raised in the other thread
        failed.append(error)
    finally:
        with suppress(OSError):
            stream.close()


# -- writing ---------------------------------------------------------------------------------------


class PackWriter:
    """A pack that is written object by object, each as it is and whole. Equal objects are written once.

    out: where, from its present place on; it must be readable too. Memory: about 40 bytes an object.
    level: how hard to compress; the same for the same bytes.
    """

    def __init__(self, out: IO[bytes]):
        self._out = out
        self._begin = out.tell()
        self._known: set[bytes] = set()
        self.ids = bytearray()
        self.offsets = array("Q")
        self.crcs = array("I")
        self._here = 12
        out.write(b"PACK" + struct.pack(">II", 2, 0))

    def add(self, type: str, id: str, data: bytes) -> None:
        """Write an object, unless it is there."""
        key = bytes.fromhex(id)
        if key in self._known:
            return
        self._known.add(key)
        _, crc, entry = entry_of(type, id, data)
        self.ids += key
        self.offsets.append(self._here)
        self.crcs.append(crc)
        self._out.write(entry)
        self._here += len(entry)

    def finish(self) -> bytes:
        """Write how many there are, and the checksum, which is returned. Nothing is added then."""
        self._known.clear()
        out = self._out
        out.seek(self._begin + 8)
        out.write(struct.pack(">I", len(self.offsets)))
        out.flush()
        out.seek(self._begin)
        digest = hashlib.sha1(usedforsecurity=False)
        while piece := out.read(_CHUNK):
            digest.update(piece)
        out.write(digest.digest())
        out.flush()
        return digest.digest()

    def listing(self, digest: bytes) -> bytes:
        """The bytes of the pack's index."""
        ids = bytes(self.ids)
        index = sorted(
            (ids[20 * at : 20 * at + 20], offset, crc)
            for at, (offset, crc) in enumerate(zip(self.offsets, self.crcs, strict=True))
        )
        return listing_of(index, digest)


# -- packs from elsewhere --------------------------------------------------------------------------


def take_pack(repo: Repository, stream: Stream, name: str, *, whole: bool = True) -> None:
    """Bring the pack that begins where a file stands into a repository. name: of the file, for errors. whole: whether
    all that its objects name must be here.

    Raises Invalid where it is damaged, cut, or holds an object that Git would refuse.
    """
    if shutil.which("git"):
        _take_by_git(repo, stream, name, ["--fix-thin", "--strict"] if whole else [])
    else:
        _take_by_library(repo, stream, name)
    repo.close()


def _take_by_git(repo: Repository, stream: Stream, name: str, how: Sequence[str]) -> None:
    os.lseek(stream.fileno(), stream.tell(), os.SEEK_SET)
    command = ["git", *_LARGE, "-c", "pack.threads=2", "index-pack", "--stdin", *how]
    done = subprocess.run(command, env=environment(repo.gitdir), stdin=stream, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise _broken(name, said[-1].removeprefix("fatal: ") if said else "git index-pack failed")


def _take_by_library(repo: Repository, stream: Stream, name: str) -> None:
    from dulwich.errors import ApplyDeltaError, ChecksumMismatch, FileFormatException
    from dulwich.object_store import DiskObjectStore
    from dulwich.pack import UnresolvedDeltas

    wrong = (ApplyDeltaError, ChecksumMismatch, FileFormatException, UnresolvedDeltas, AssertionError)
    store = DiskObjectStore(os.fspath(repo.gitdir / "objects"))
    try:
        head = stream.read(12)
        if len(head) < 12 or head[:4] != b"PACK":
            raise _broken(name, "it holds no pack")
        stream.seek(-12, os.SEEK_CUR)
        if struct.unpack(">I", head[8:])[0]:
            store.add_thin_pack(stream.read, None)
    except (*wrong, KeyError, ValueError, EOFError, IndexError, OSError, zlib.error, struct.error) as error:
        raise _broken(name, str(error) or type(error).__name__) from None
    finally:
        store.close()


# -- trying out ------------------------------------------------------------------------------------


class Scratch:
    """A repository of its own that borrows a store's objects: what is in it counts for nobody until it is moved.

    folder: made for it, on the store's disk where objects shall move there. lender: None where there is no store.
    """

    def __init__(self, folder: Path, lender: Repository | None = None):
        self.folder = folder / f".incoming.{os.getpid()}.{secrets.token_hex(6)}~"
        gitdir = self.folder / ".git"
        for name in ("objects/info", "objects/pack", "refs/heads"):
            (gitdir / name).mkdir(parents=True)
        (gitdir / "HEAD").write_text(f"ref: {BRANCH}\n")
        if lender is not None:
            (gitdir / "objects" / "info" / "alternates").write_text(f"{lender.gitdir.resolve() / 'objects'}\n")
        self.repo = Repository(self.folder)
        self._packs = gitdir / "objects" / "pack"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.repo.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def pack(self) -> Packing:
        """A pack in here, for the length of a block."""
        return Packing(self._packs, self.repo)

    def take(self, stream: Stream, name: str, *, whole: bool = True) -> None:
        """Bring in the pack that begins where a file stands: see `take_pack`."""
        take_pack(self.repo, stream, name, whole=whole)

    def move_into(self, repo: Repository) -> None:
        """Move the objects to the store's own, synced. They stay readable from here."""
        self.repo.close()
        target = repo.gitdir / "objects" / "pack"
        names = sorted(os.listdir(self._packs), key=lambda name: name.endswith(".idx"))
        try:
            files.sync_many(os.fspath(self._packs / name) for name in names)
            for name in names:
                # A pack is there for Git once its index is, so that comes last.
                if name.startswith("pack-") and not (target / name).exists():
                    os.replace(self._packs / name, target / name)
            files.sync_folder(target)
        except OSError as error:
            raise files.failed(error, target) from error
        repo.close()


class Packing:
    """A block in which objects are added to one pack of a scratch repository."""

    def __init__(self, folder: Path, repo: Repository):
        self._folder, self._repo = folder, repo
        self._stage = staged(folder)

    def __enter__(self) -> PackWriter:
        self._out = open(self._stage.pack, "w+b", buffering=_CHUNK)
        self._writer = PackWriter(self._out)
        return self._writer

    def __exit__(self, kind: object, *_: object) -> None:
        with self._stage:
            if kind is None and self._writer.offsets:
                digest = self._writer.finish()
                self._out.close()
                Path(self._stage.listing).write_bytes(self._writer.listing(digest))
                self._stage.place(digest)
            self._out.close()
        self._repo.close()


def _broken(name: str, why: str) -> Invalid:
    return Invalid(f"its pack is damaged or not complete: {why}", path=name, hint="get the file again")


def check_sum(stream: IO[bytes], name: str) -> None:
    """Raise Invalid where the pack that begins where a file stands is cut or changed, by its own sum."""
    digest, last = hashlib.sha1(usedforsecurity=False), b""
    first = True
    while piece := stream.read(_CHUNK):
        if first and piece[:4] != b"PACK":
            raise _broken(name, "it holds no pack")
        first, last = False, last + piece
        digest.update(last[:-20])
        last = last[-20:]
    if len(last) < 20 or digest.digest() != last:
        raise _broken(name, "its sum differs")


# -- packing what is reachable ---------------------------------------------------------------------


def pack_reachable(repo: Repository, tips: Sequence[str], without: Sequence[str], out: IO[bytes]) -> None:
    """Write a pack with all that some commits hold and others do not. out: a new file, at the pack's place."""
    if not shutil.which("git"):
        _pack_here(repo, tips, without, out)
        return
    out.flush()
    os.lseek(out.fileno(), out.tell(), os.SEEK_SET)
    asked = "".join(f"{id}\n" for id in tips) + "".join(f"^{id}\n" for id in without)
    command = ["git", *_LARGE, "pack-objects", "--revs", "--stdout", "--delta-base-offset", "-q"]
    done = subprocess.run(
        command,
        env=environment(repo.gitdir),
        input=asked.encode(),
        stdout=out,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise Failed(f"git pack-objects failed: {said}", hint="run 'sbfs check'")
    out.seek(0, os.SEEK_END)


def _pack_here(repo: Repository, tips: Sequence[str], without: Sequence[str], out: IO[bytes]) -> None:
    known: set[str] = set()
    for commit in _commits(repo, without, set()):
        known.add(commit)
        known.update(id for id, _ in _below(repo, repo.commit(commit).tree, known))
    pack_whole(repo, _commits(repo, tips, known), known, out)


def pack_whole(repo: Repository, commits: Iterable[str], known: set[str], out: IO[bytes]) -> None:
    """Write a pack with some commits and what is in them but not known, without deltas: commits and trees first.

    The same commits give the same bytes, however the repository keeps them.
    """
    writer = PackWriter(out)
    contents: dict[str, None] = {}
    for commit in commits:
        writer.add("commit", commit, repo.read(commit)[1])
        for id, is_file in _below(repo, repo.commit(commit).tree, known):
            known.add(id)
            if is_file:
                contents[id] = None
            else:
                writer.add("tree", id, repo.read(id)[1])
    for id, data in zip(contents, blobs(repo, contents), strict=True):
        writer.add("blob", id, data)
    writer.finish()


def _commits(repo: Repository, tips: Sequence[str], but: set[str]) -> Iterator[str]:
    waiting, seen, cut = list(tips), set(but), repo.shallow()
    while waiting:
        if (id := waiting.pop()) in seen:
            continue
        seen.add(id)
        yield id
        if id not in cut:
            waiting += repo.commit(id).parents


def _below(repo: Repository, tree: str, known: set[str]) -> Iterator[tuple[str, bool]]:
    """(id, whether it is a file) of a tree and all in it that is not known yet."""
    if tree in known:
        return
    yield tree, False
    for mode, id in repo.tree(tree).values():
        if mode == FOLDER:
            yield from _below(repo, id, known)
        elif id not in known:
            yield id, True


def write_trees(writer: PackWriter, fresh: Iterable[tuple[str, bytes]]) -> None:
    """Write trees as an editor gives them."""
    for id, data in fresh:
        writer.add("tree", id, data)
