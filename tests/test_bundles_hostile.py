# ruff: noqa: E501 - what is wrong with a file is read best on one line
"""Files from elsewhere that mean harm, or are damaged: refused with the member's name, nothing written, nothing run."""

from __future__ import annotations

import json
import os
import shutil
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from domain_helpers import Shell, mail, people, snapshot
from helpers import assert_sound, git

from sbfs import bundles, messages
from sbfs.bundles import checking
from sbfs.errors import Error, Invalid, WrongFormat
from sbfs.store import Store

PATH = "projects/web/reflections/2026/11/refl-1.yaml"


@pytest.fixture
def source(tmp_path: Path):
    """A store that something is exported from."""
    with Store.init(tmp_path / "source") as made:
        people(made, "web", "api")
        mail(made)
        yield made


def refused(store: Store, path: Path, *words: str) -> Error:
    """Every strategy refuses a file, and so does verify; nothing is written. Returns the error."""
    before, head, packs = snapshot(store.root), store.head(), sorted((store.root / ".git/objects/pack").iterdir())
    for strategy in ("preview", "merge", "replace"):
        with pytest.raises(Error) as caught:
            bundles.import_(store, path=path, strategy=strategy)
        assert all(word in caught.value.sentence for word in words), caught.value.sentence
        assert caught.value.exit_code in (4, 6)
    assert (snapshot(store.root), store.head()) == (before, head)
    assert sorted((store.root / ".git/objects/pack").iterdir()) == packs
    assert_sound(store.root)
    return caught.value


def repacked(source: Path, target: Path, change: Callable[[dict[str, bytes]], object], *, honest: bool = True) -> Path:
    """A zip with other members, and a manifest that fits them or does not."""
    import hashlib

    with zipfile.ZipFile(source) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    change(members)
    if honest:
        head = json.loads(members["manifest.json"])
        paths = sorted(name.removeprefix("store/") for name in members if name.startswith("store/"))
        lines = [
            json.dumps({"path": one, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)})
            for one in paths
            for data in [members[f"store/{one}"]]
        ]
        begin = json.dumps({**head, "files": []}).removesuffix("]}")
        members["manifest.json"] = (begin + "\n" + ",\n".join(lines) + "\n]}\n").encode()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target


@pytest.fixture
def plain(source, tmp_path) -> Path:
    """An honest zip."""
    bundles.export(source, all=True, format="zip", output=tmp_path / "plain.zip")
    return tmp_path / "plain.zip"


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../escape.yaml", "store/../../escape.yaml", "/etc/escape.yaml", "store/projects/web/../../../../x.yaml",
        "store/.git/hooks/post-checkout", "store/.GIT/config", "store/projects/.git/config", "C:\\x", "store\\..\\x",
        "store/projects/web/inbox/a\x01b.yaml", "store/git~1/config", "store//x", "store/./x",
    ],
)  # fmt: skip
def test_names_that_lead_out(store, tmp_path, plain, name):
    """Failure mode 41, AM-9: a member that is written outside of the store, or into Git's own folder."""
    path = repacked(plain, tmp_path / "bad.zip", lambda members: members.update({name: b"x\n"}))
    error = refused(store, path, "bad.zip")
    assert name.encode("unicode_escape").decode()[-6:] in error.sentence.encode("unicode_escape").decode()
    assert not (tmp_path / "escape.yaml").exists()


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_members_that_are_no_files(store, tmp_path, plain, mode):
    """A link in an archive through which the next member is written elsewhere."""
    shutil.copy(plain, tmp_path / "bad.zip")
    with zipfile.ZipFile(tmp_path / "bad.zip", "a") as archive:
        info = zipfile.ZipInfo(f"store/{PATH}")
        info.create_system, info.external_attr = 3, (mode | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    refused(store, tmp_path / "bad.zip", PATH, "link" if mode == stat.S_IFLNK else "no file")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("projects/web/attachments/" + "a" * 64 + "/Note.txt", "projects/web/attachments/" + "a" * 64 + "/note.txt"),
        ("projects/web/attachments/" + "a" * 64 + "/caf\u00e9", "projects/web/attachments/" + "a" * 64 + "/cafe\u0301"),
    ],
)
def test_names_that_are_one_on_some_systems(store, tmp_path, plain, one, other):
    """Failure mode 29: two members of which the second overwrites the first."""
    path = repacked(
        plain, tmp_path / "bad.zip", lambda members: members.update({f"store/{one}": b"1", f"store/{other}": b"2"})
    )
    refused(store, path, "differs only in case")


def test_names_that_are_one_and_were_here_before(store, source, tmp_path):
    """What both sides have already keeps everything else from coming."""
    folder = "projects/web/attachments/" + "a" * 64
    blob = git(source.root, "hash-object", "-w", "--stdin", input=b"x\n")
    for name in ("Note.txt", "note.txt", "more.txt", "MORE.txt"):
        git(source.root, "update-index", "--add", "--cacheinfo", f"100644,{blob},{folder}/{name}")
        git(source.root, "commit", "-qm", name)
        git(source.root, "bundle", "create", "-q", str(tmp_path / name.lower()), "main")
        if name == "note.txt":
            root = tmp_path / "clone"
            git(tmp_path, "clone", "-q", "-b", "main", str(tmp_path / "note.txt"), str(root))
        if name == "more.txt":
            with Store.open(root) as clone:
                bundles.import_(clone, path=tmp_path / "more.txt", strategy="merge")
                assert (root / folder / "more.txt").is_file()
    with Store.open(root) as clone:
        refused(clone, tmp_path / "more.txt", "differs only in case")


def test_a_member_below_a_file_and_one_that_is_there_twice(store, tmp_path, plain):
    """A file that is a folder for another member."""
    below = repacked(plain, tmp_path / "below.zip", lambda members: members.update({"store/sbfs.yaml/x": b"x"}))
    refused(store, below, "lies below a file")
    shutil.copy(plain, tmp_path / "twice.zip")
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(tmp_path / "twice.zip", "a") as archive:
        archive.writestr("store/sbfs.yaml", "format: 1\n")
    refused(store, tmp_path / "twice.zip", "twice")


# -- sizes -----------------------------------------------------------------------------------------


def test_a_zip_bomb(store, tmp_path, plain):
    """A few kilobytes that fill the disk or the memory."""
    shutil.copy(plain, tmp_path / "bomb.zip")
    with zipfile.ZipFile(tmp_path / "bomb.zip", "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"store/projects/web/attachments/{'b' * 64}/{number}", b"\0" * (60 << 20))
    refused(store, tmp_path / "bomb.zip", "swell")
    with zipfile.ZipFile(tmp_path / "one.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b" " * (65 << 20))
    refused(store, tmp_path / "one.zip", "manifest.json", "more than")


def test_members_that_lie_over_each_other(store, tmp_path, plain):
    """The other bomb: many members that share one body, each as large as they say."""
    raw = bytearray(plain.read_bytes())
    first = raw.find(b"PK\x01\x02")
    second = raw.find(b"PK\x01\x02", first + 4)
    raw[second + 42 : second + 46] = raw[first + 42 : first + 46]
    (tmp_path / "over.zip").write_bytes(raw)
    refused(store, tmp_path / "over.zip", "lies over")


def test_a_member_that_is_larger_than_it_says(store, tmp_path, plain):
    """A size in the directory that is not the data's."""
    raw = bytearray(plain.read_bytes())
    at = raw.find(b"PK\x01\x02")
    (size,) = struct.unpack_from("<I", raw, at + 24)
    struct.pack_into("<I", raw, at + 24, size - 1)
    (tmp_path / "lie.zip").write_bytes(raw)
    with pytest.raises(Invalid), bundles_zip(tmp_path / "lie.zip") as archive:
        archive.read("config.json")


def bundles_zip(path: Path):
    """A zip as imports open it."""
    from sbfs.bundles.zips import Archive

    return Archive(path)


def test_an_attachment_above_the_limit(store, source, tmp_path):
    """A large object in a bundle's pack, which no name or size of a member tells of."""
    folder = source.root / "projects/web/attachments" / ("c" * 64)
    folder.mkdir(parents=True)
    (folder / "big").write_bytes(b"\0" * (26 << 20))
    git(source.root, "add", "-A")
    git(source.root, "commit", "-qm", "big")
    git(source.root, "bundle", "create", "-q", str(tmp_path / "big.bundle"), "main")
    refused(store, tmp_path / "big.bundle", "big", "bytes, more than")


# -- manifests and sums ----------------------------------------------------------------------------


def _first(members: dict[str, bytes]) -> str:
    return next(name for name in members if "/outbox/" in name)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda m: m.update({_first(m): m[_first(m)][:-2] + b"0\n"}), "sum differs"),
        (lambda m: m.pop(_first(m)), "which is not there"),
        (lambda m: m.update({f"store/{PATH}": b"id: refl-1\n"}), "does not name"),
        (lambda m: m.update({"other.txt": b"x"}), "does not name"),
        (lambda m: m.update({"manifest.json": b"{}"}), "not as sbfs writes it"),
        (lambda m: m.update({"manifest.json": b"[" * 100_000}), "not as sbfs writes it"),
        (lambda m: m.update({"manifest.json": m["manifest.json"].replace(b'"size": ', b'"size": "x", "s": ')}), "none of its own"),
        (lambda m: m.update({"manifest.json": m["manifest.json"].replace(b'"holds"', b'"held"')}), "does not say what it holds"),
        (lambda m: m.update({"manifest.json": m["manifest.json"].replace(b'"commit"', b'"comit"')}), "what it is from"),
        (lambda m: m.update({"manifest.json": m["manifest.json"].replace(b'"removed": []', b'"removed": ["../x"]')}), "leads out"),
    ],
    ids=range(10),
)  # fmt: skip
def test_a_manifest_that_lies(store, tmp_path, plain, change, word):
    """AM-34: a checksum that nobody checks."""
    refused(store, repacked(plain, tmp_path / "lie.zip", change, honest=False), word)


def test_another_format(store, source, tmp_path, plain):
    """AM-37: an unknown version only warns."""
    newer = repacked(
        plain, tmp_path / "new.zip", lambda m: m.update({"manifest.json": m["manifest.json"].replace(b'"format": 1', b'"format": 2')}), honest=False
    )  # fmt: skip
    assert isinstance(refused(store, newer, "format 2"), WrongFormat)
    settings = source.root / "sbfs.yaml"
    settings.write_text(settings.read_text().replace("format: 1", "format: 7"))
    git(source.root, "commit", "-qam", "newer")
    git(source.root, "bundle", "create", "-q", str(tmp_path / "new.bundle"), "main")
    assert isinstance(refused(store, tmp_path / "new.bundle", "format 7"), WrongFormat)


@pytest.mark.parametrize("form", ["bundle", "zip"])
def test_a_cut_or_changed_file(store, source, tmp_path, form):
    """Failure mode 38: a file of which only the beginning came, or one with a flipped bit."""
    bundles.export(source, all=True, format=form, output=tmp_path / "x")
    raw = (tmp_path / "x").read_bytes()
    for end in (0, 3, 10, 40, len(raw) // 3, len(raw) - 30, len(raw) - 1):
        (tmp_path / "cut").write_bytes(raw[:end])
        with pytest.raises(Error) as caught:
            bundles.import_(store, path=tmp_path / "cut", strategy="merge")
        assert "cut" in caught.value.sentence
    head = store.head()
    for at in range(0, len(raw), 97):
        changed = bytearray(raw)
        changed[at] ^= 0x10
        (tmp_path / "flip").write_bytes(changed)
        # A flipped byte of what no sum covers (a time of a zip) may pass; nothing else may come of it.
        try:
            done = bundles.import_(store, path=tmp_path / "flip", strategy="preview")
            assert done.counts["add"] == 4
        except Error:
            pass
    assert store.head() == head
    assert_sound(store.root)


@pytest.mark.parametrize("by", ["git", "dulwich"])
@pytest.mark.parametrize(
    "head",
    [
        b"# v4 git bundle\n\n", b"# v3 git bundle\n@object-format=sha256\n" + b"a" * 64 + b" refs/heads/main\n\n",
        b"# v2 git bundle\nnonsense\n\n", b"# v2 git bundle\n" + b"a" * 40 + b" refs/heads/main\n\nPACK",
        b"# v2 git bundle\n-" + b"b" * 40 + b" x\n" + b"a" * 40 + b" refs/heads/main\n\nPACK",
        b"# v2 git bundle\n" + b"a" * 64 + b" refs/heads/main\n\n", b"# v2 git bundle\n\n", b"# v2 git bundle\n" + b"x" * 20_000,
    ],
    ids=range(8),
)  # fmt: skip
def test_a_head_that_is_none(store, tmp_path, monkeypatch, head, by):
    """Failure mode 38: an AssertionError of the library instead of a sentence; a repository of SHA-256."""
    (tmp_path / "bad.bundle").write_bytes(head)
    if by == "dulwich":
        monkeypatch.setattr(shutil, "which", lambda _: None)
    refused(store, tmp_path / "bad.bundle", "bad.bundle")


# -- records ---------------------------------------------------------------------------------------

ALIASES = b"a: &a [x, x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\nd: [*c, *c, *c, *c]\n"
RECORDS = {
    "aliases": ALIASES,
    "tag": b"id: refl-1\ntitle: !!python/object/apply:os.system ['touch /tmp/sbfs-was-here']\ncreated: 2026-11-22T14:03:07.123Z\n",
    "twice": b"id: refl-1\nid: refl-1\ntitle: x\ncreated: 2026-11-22T14:03:07.123Z\n",
    "depth": b"a: " + b"[" * 5000 + b"]" * 5000 + b"\n",
    "markers": b"<<<<<<< ours\nid: refl-1\n=======\nid: refl-1\n>>>>>>> theirs\n",
    "other id": b"id: refl-2\ntitle: x\ncreated: 2026-11-22T14:03:07.123Z\n",
    "bytes": b"id: refl-1\ntitle: \xff\xfe\ncreated: 2026-11-22T14:03:07.123Z\n",
    "field": b"id: refl-1\ncreated: 2026-11-22T14:03:07.123Z\n",
}  # fmt: skip


@pytest.mark.parametrize("form", ["bundle", "zip"])
@pytest.mark.parametrize("raw", RECORDS.values(), ids=RECORDS)
def test_records_that_mean_harm(store, source, tmp_path, plain, raw, form):
    """YAML that swells or runs something; each is named."""
    path = tmp_path / "bad"
    if form == "zip":
        repacked(plain, path, lambda members: members.update({f"store/{PATH}": raw}))
    else:
        file = source.root / PATH
        file.parent.mkdir(parents=True)
        file.write_bytes(raw)
        git(source.root, "add", "-A")
        git(source.root, "commit", "-qm", "bad")
        git(source.root, "bundle", "create", "-q", str(path), "main")
    refused(store, path, PATH)
    with pytest.raises(Invalid, match="refl-1"):
        bundles.verify(path, scratch=tmp_path)
    assert not Path("/tmp/sbfs-was-here").exists()


def test_links_and_hooks_in_a_bundle(store, source, tmp_path):
    """Failure mode 41: a tree of Git with a link, or with a file that Git would run."""
    git(source.root, "config", "core.protectHFS", "false")
    (source.root / "hooks").mkdir()
    (source.root / "hooks/post-checkout").write_text("#!/bin/sh\ntouch /tmp/sbfs-was-here\n")
    os.chmod(source.root / "hooks/post-checkout", 0o755)
    git(source.root, "add", "-A")
    git(source.root, "commit", "-qm", "hook")
    git(source.root, "bundle", "create", "-q", str(tmp_path / "hook.bundle"), "main")
    bundles.import_(store, path=tmp_path / "hook.bundle", strategy="merge")
    assert not (store.root / "hooks").exists()
    place = f"projects/web/attachments/{'d' * 64}"
    (source.root / place).mkdir(parents=True)
    os.symlink("/etc/passwd", source.root / place / "note")
    git(source.root, "add", "-A")
    git(source.root, "commit", "-qm", "link")
    git(source.root, "bundle", "create", "-q", str(tmp_path / "bad.bundle"), "main")
    refused(store, tmp_path / "bad.bundle", f"bad.bundle: {place}/note", "is a link")


def test_a_tree_with_names_that_git_itself_refuses(store, source, tmp_path, monkeypatch):
    """Failure mode 41, 54: `..` or `.git` as the name of an entry, which git fast-import lets through no more."""
    blob = git(source.root, "hash-object", "-w", "--stdin", input=b"x\n")
    for name in ("..", ".git", ".GIT", "a\\b"):
        raw = b"100644 " + name.encode() + b"\0" + bytes.fromhex(blob)
        inner = git(source.root, "hash-object", "-t", "tree", "-w", "--stdin", "--literally", input=raw)
        settings = git(source.root, "rev-parse", "main:sbfs.yaml")
        listing = f"040000 tree {inner}\tprojects\n100644 blob {settings}\tsbfs.yaml\n"
        top = git(source.root, "mktree", input=listing.encode())
        commit = git(source.root, "commit-tree", top, "-m", "bad")
        git(source.root, "update-ref", "refs/heads/bad", commit)
        git(source.root, "bundle", "create", "-q", str(tmp_path / "bad.bundle"), "bad")
        refused(store, tmp_path / "bad.bundle", "bad.bundle")
        with monkeypatch.context() as context:
            context.setattr(shutil, "which", lambda _: None)
            refused(store, tmp_path / "bad.bundle", "bad.bundle")


def test_what_is_no_archive(store, tmp_path):
    """A traceback for a file that is something else."""
    (tmp_path / "x").write_bytes(b"hello\n")
    refused(store, tmp_path / "x", "nothing that can be imported")
    answer = Shell(store.root).fails(1, "failed", "import", str(tmp_path / "nothing"))
    assert "nothing" in answer["error"]


# -- the quick look at a message -------------------------------------------------------------------


def test_the_quick_look_takes_nothing_that_reading_would_refuse(store):
    """A message that is believed unread though it is invalid."""
    people(store, "web", "api")
    message = mail(store, subject="hello there", message="two\nlines\n", context={"branch": "main"})
    for kind, box in ((messages.INBOX, "inbox"), (messages.OUTBOX, "outbox")):
        project = "api" if box == "inbox" else "web"
        path = kind.path_of(project=project, date=message.date, id=message.id)
        raw = (store.root / path).read_bytes()
        assert checking._is_plain_message(kind, path, raw)
        wrong = [
            raw.replace(b"hello there", b"true"), raw.replace(b"hello there", b"*alias"), raw.replace(b"hello there", b"!!x y"),
            raw.replace(b"web", b"null"), raw.replace(b"    two", b"     two"), raw.replace(b"    lines", b"   lines"),
            raw.replace(b"  message: |", b"  message: &a |"), raw + b"id: twice\n", raw.replace(b"subject: ", b"subject: a: "),
            raw.replace(b"lines", b"l\x00nes"), raw.replace(b"-11-", b"-13-"), raw.replace(b"hello there", b"hello #there:"),
            raw.replace(b"lines", b"l\xc2\x85nes"), raw.replace(b"branch: main", b"branch: &a main"), raw.replace(b"\n", b"\r\n"),
        ]  # fmt: skip
        assert not any(checking._is_plain_message(kind, path, one) for one in wrong if one != raw)
        assert not checking._is_plain_message(kind, path.replace(message.id, "msg-" + "0" * 26), raw)
