"""Packs, as Git reads them."""

from __future__ import annotations

import os
import zlib
from array import array
from pathlib import Path

import pytest
from helpers import git, run_git
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sbfs.git import joining, packs, trees


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """An empty repository."""
    git(tmp_path, "init", "-q", "-b", "main", "repo")
    return tmp_path / "repo"


def _folder(root: Path) -> Path:
    return root / ".git" / "objects" / "pack"


def _blob(data: bytes) -> packs.Object:
    return "blob", trees.object_id("blob", data), data


def _assert_whole(root: Path) -> None:
    """Git finds nothing wrong, in a repository that may have no branch yet."""
    done = run_git(root, "fsck", "--strict", "--full", "--no-dangling", "--no-progress")
    assert done.returncode == 0, done.stderr
    assert b"error" not in done.stderr + done.stdout


def _names(root: Path) -> set[str]:
    return {pack.stem for pack in _folder(root).glob("*.pack")}


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.binary(max_size=300) | st.integers(0, 70_000).map(lambda n: b"x" * n), max_size=8, unique=True))
def test_git_reads_what_we_write(tmp_path_factory, contents: list[bytes]):
    """Any sizes, the empty object too. Breaks if a header, an offset or a checksum were wrong."""
    root: Path = tmp_path_factory.mktemp("repo")
    git(root, "init", "-q", "-b", "main")
    pack = packs.write(_folder(root), [_blob(data) for data in contents])
    git(root, "verify-pack", str(pack.with_suffix(".idx")))
    for data in contents:
        assert git(root, "cat-file", "-s", _blob(data)[1]) == str(len(data))
    _assert_whole(root)
    assert not list(_folder(root).glob("tmp_*"))
    assert pack.stat().st_mode & 0o222 == 0


def test_all_types(repo: Path):
    """Breaks if a type got another's number."""
    blob = _blob(b"content\n")
    tree_data = trees.serialize({"a.txt": (trees.FILE, blob[1])})
    tree = ("tree", trees.object_id("tree", tree_data), tree_data)
    commit_data = f"tree {tree[1]}\nauthor a <a@b> 0 +0000\ncommitter a <a@b> 0 +0000\n\nx\n".encode()
    commit = ("commit", trees.object_id("commit", commit_data), commit_data)
    tag_data = f"object {commit[1]}\ntype commit\ntag v1\ntagger a <a@b> 0 +0000\n\nx\n".encode()
    tag = ("tag", trees.object_id("tag", tag_data), tag_data)
    packs.write(_folder(repo), [blob, tree, commit, tag])
    for type, id, _ in (blob, tree, commit, tag):
        assert git(repo, "cat-file", "-t", id) == type
    git(repo, "update-ref", "refs/heads/main", commit[1])
    _assert_whole(repo)
    assert git(repo, "show", "main:a.txt") == "content"


def test_the_same_objects_twice(repo: Path):
    """Failure mode 4: the same pack written again replaces itself. Breaks if the second were an error."""
    objects = [_blob(b"a"), _blob(b"b")]
    assert packs.write(_folder(repo), objects) == packs.write(_folder(repo), objects)
    assert len(_names(repo)) == 1
    _assert_whole(repo)


def test_a_failed_write_leaves_nothing(repo: Path, monkeypatch: pytest.MonkeyPatch):
    """Failure mode 14. Breaks if half a pack got a pack's name, or its temporary file stayed."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for step in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, step, full)
            with pytest.raises(OSError, match="No space"):
                packs.write(_folder(repo), [_blob(b"a")])
        assert list(_folder(repo).iterdir()) == []


def test_small_packs_are_joined(repo: Path):
    """Failure mode 45: many small packs become one with all their objects; larger ones are joined in their own time.

    Breaks if an object were lost, or packs grew without end.
    """
    contents = [b"%d\n" % number for number in range(200)]
    for data in contents:
        packs.write(_folder(repo), [_blob(data), _blob(b"in every pack")])
        packs.join_small(_folder(repo))
        assert len(_names(repo)) < 40
    found = git(repo, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").splitlines()
    assert set(found) == {_blob(data)[1] for data in [*contents, b"in every pack"]}
    _assert_whole(repo)


def test_packs_of_git_are_left_alone(repo: Path):
    """Failure mode 44: packs with deltas, with .keep or .rev are Git's. Breaks if we joined what we cannot copy."""
    for number in range(30):
        text = "".join(f"line {line}\n" for line in range(300)) + f"{number}\n"
        (repo / "file.txt").write_text(text)
        git(repo, "add", ".")
        git(repo, "commit", "-q", "-m", f"{number}")
        git(repo, "repack", "-q", "-d")
    git(repo, "repack", "-q", "-a", "-d", "-f")
    theirs = _names(repo)
    for number in range(40):
        packs.write(_folder(repo), [_blob(b"ours %d" % number)])
        if number == 3:
            kept = packs.write(_folder(repo), [_blob(b"kept")])
            kept.with_suffix(".keep").touch()
        packs.join_small(_folder(repo))
    assert theirs <= _names(repo)
    assert kept.exists()
    assert len(_names(repo)) < 40
    _assert_whole(repo)
    assert git(repo, "rev-list", "--count", "main") == "30"


def test_a_pack_with_deltas_among_ours(repo: Path):
    """A pack of Git's without a companion file looks like ours, but holds deltas.

    Breaks if it were copied as if whole.
    """
    for number in range(3):
        (repo / "file.txt").write_text("".join(f"line {line}\n" for line in range(500)) + f"{number}\n")
        git(repo, "add", ".")
        git(repo, "commit", "-q", "-m", f"{number}")
    git(repo, "-c", "pack.writeReverseIndex=false", "repack", "-q", "-a", "-d", "-f")
    (theirs,) = _names(repo)
    for extra in _folder(repo).glob("*.rev"):
        extra.unlink()
    for number in range(40):
        packs.write(_folder(repo), [_blob(b"ours %d" % number)])
        packs.join_small(_folder(repo))
    assert theirs in _names(repo)
    _assert_whole(repo)


def _delta(object: packs.Object, base: packs.Object) -> tuple[bytes, int, bytes]:
    from dulwich.pack import create_delta

    data = b"".join(create_delta(base[2], object[2]))
    entry = packs.header(7, len(data)) + bytes.fromhex(base[1]) + zlib.compress(data)
    return bytes.fromhex(object[1]), zlib.crc32(entry), entry


def test_deltas_on_each_other(repo: Path):
    """Two packs, in each of which one object is a delta on the other: the first on the second, and back.

    Breaks if both deltas were taken, which nobody could resolve any more.
    """
    text = "".join(f"line {line}\n" for line in range(300)).encode()
    first, second, third = (_blob(text + b"%d" % number) for number in range(3))
    sources = [
        packs.write_entries(_folder(repo), [packs.entry_of(*first), _delta(second, first)]),
        # A base that comes after its delta, as `git index-pack --fix-thin` leaves it.
        packs.write_entries(_folder(repo), [_delta(first, second), packs.entry_of(*second), _delta(third, second)]),
    ]
    for order in (sources, sources[::-1]):
        joined = joining.join(_folder(repo), order)
        git(repo, "verify-pack", str(joined.with_suffix(".idx")))
    packs.exchange(_folder(repo), joined, sources)
    assert [git(repo, "cat-file", "blob", one[1]).encode() for one in (first, second, third)] == [
        one[2] for one in (first, second, third)
    ]
    _assert_whole(repo)


def test_offsets_beyond_2_gib(repo: Path, tmp_path: Path):
    """Breaks if a far offset were cut, or had the wrong place in the table of far ones."""
    from dulwich.object_format import DEFAULT_OBJECT_FORMAT
    from dulwich.pack import load_pack_index

    source = packs.write(_folder(repo), [_blob(b"%d" % number) for number in range(5)])
    with joining._Source(source) as one, joining._Joint(str(tmp_path / "joint"), [one]) as joint:
        ids = [bytes(joint._ids[at : at + 20]) for at in range(0, 100, 20)]
        places = [12, 1 << 31, (1 << 31) - 1, 5 << 40, 1 << 32]
        joint._places = array("Q", places)
        with open(tmp_path / "far.idx", "wb") as out:
            joint.list(out, bytes(20))
    index = load_pack_index(str(tmp_path / "far.idx"), DEFAULT_OBJECT_FORMAT)
    index.check()
    assert [index.object_offset(id) for id in ids] == places
    index.close()


def test_distances_of_deltas():
    """Breaks at the borders where a distance takes one byte more."""
    for number in (1, 127, 128, 16511, 16512, 2**21, 2**40):
        assert joining._base(6, joining._distance(number), 0) == (number, len(joining._distance(number)))


def test_sizes_double():
    """Breaks if packs were copied that need not be, or too many were left."""
    assert joining._split([1, 2, 4, 8]) == 0
    assert joining._split([1, 1, 4, 16]) == 2
    assert joining._split([1, 1, 3, 16]) == 3
    assert joining._split([5] * 20) == 20
    assert joining._split([5]) == joining._split([]) == 0


def test_sizes_in_headers():
    """Breaks at the borders where a size takes one byte more."""
    for size in (0, 15, 16, 2047, 2048, 2**18 - 1, 2**18, 2**40):
        header = packs.header(3, size)
        assert (header[0] >> 4) & 7 == 3
        found, shift = header[0] & 15, 4
        for byte in header[1:]:
            found |= (byte & 127) << shift
            shift += 7
        assert found == size
        assert all(byte & 128 for byte in header[:-1])
        assert not header[-1] & 128
