"""Folders that an import or a clone puts in place as a whole: as file by file, at every step of a death."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path

import pytest
from domain_helpers import mail
from helpers import assert_sound, die_importing, die_mending, finish, git, run_git, spawn
from test_bundles import CONFIGS, content, filled, forms, fresh, out, take

from sbfs import bundles, doctor, history, messages, projects, sync
from sbfs.bundles import importing
from sbfs.errors import Failed, Invalid
from sbfs.git import folders as laid
from sbfs.git import trees
from sbfs.publish import Publisher
from sbfs.store import Store, Transaction


@pytest.fixture(autouse=True)
def whole(monkeypatch):
    """However few files a folder has, it comes as a whole."""
    monkeypatch.setattr(laid, "WHOLE_FROM", 1)


def put_down(store: Store) -> dict[str, bytes]:
    """Path → bytes of the files in the work tree."""
    found = (file for file in store.root.rglob("*") if file.is_file() and ".git" not in file.parts)
    return {file.relative_to(store.root).as_posix(): file.read_bytes() for file in found}


def told(done: bundles.Imported, store: Store) -> set[str]:
    """The paths of all that was added."""
    tree = store.view().commit.tree
    below = {
        path
        for one in done.folders
        for path, _, _ in trees.walk(store.repo.tree, store.repo.folder(tree, one.path), f"{one.path}/")
    }
    return {one.path for one in done.items if one.action == "add"} | below


@forms
@pytest.mark.parametrize("strategy", ["merge", "replace"])
def test_whole_folders_are_what_single_files_are(store, tmp_path, monkeypatch, form, strategy):
    """A tree, a work tree, an index or a preview that is another one."""
    filled(store, tmp_path)
    path = out(store, tmp_path / "x", form)
    with fresh(tmp_path, "whole") as one, fresh(tmp_path, "single") as other:
        seen = take(one, path, "preview")
        done = take(one, path, strategy)
        assert len(done.folders) > 8
        assert not (seen.folders or {item.path for item in seen.items} ^ told(done, one))
        assert seen.counts == done.counts
        assert done.count("config") == len(CONFIGS)
        monkeypatch.setattr(laid, "WHOLE_FROM", 10**9)
        alone = take(other, path, strategy)
        assert not alone.folders
        assert content(one) == content(other) == content(store)
        mine, others = put_down(one), put_down(other)
        assert {**mine, "sbfs.yaml": b""} == {**others, "sbfs.yaml": b""}
        assert git(one.root, "ls-files", "-s", "projects") == git(other.root, "ls-files", "-s", "projects")
        for root in (one.root, other.root):
            assert_sound(root)
        again = take(one, path, strategy)
        assert (again.revision, sum(again.counts.values()), again.folders) == ("", 0, ())
        history.undo(one)
        assert content(one) == {}
        assert not (one.root / "projects").exists()


def test_an_index_that_is_split(store, tmp_path, monkeypatch):
    """Entries lost, or twice, between Git's index and ours: small and split ones, and what was added by hand before."""
    filled(store, tmp_path)
    monkeypatch.setattr("sbfs.git.index.SPLIT_FROM", 8)
    path = out(store, tmp_path / "x")
    with fresh(tmp_path) as other:
        projects.add(other, name="mine")
        for number in range(9):
            messages.send(other, from_project="mine", to_project="mine", subject=f"{number}", message="x")
        taken = git(other.root, "hash-object", "-w", "--stdin", input=b"x\n")
        git(other.root, "update-index", "--add", "--cacheinfo", f"100644,{taken},projects/web/config/settings.yaml")
        assert take(other, path).folders
        assert_sound(other.root)
        assert len(content(other)) == len(content(store)) + 19
        mail(other)
        assert_sound(other.root)


def test_what_is_there_stays(store, tmp_path):
    """A file of a person's, not saved yet, or a record, that a folder would have swept away."""
    filled(store, tmp_path)
    path = out(store, tmp_path / "x")
    note = "projects/web/config/mine.md"
    with fresh(tmp_path) as other:
        (other.root / note).parent.mkdir(parents=True)
        (other.root / note).write_text("unsaved\n")
        done = take(other, path)
        assert "projects/web/config" not in {one.path for one in done.folders}
        assert done.folders
        assert (other.root / note).read_text() == "unsaved\n"
        assert git(other.root, "status", "--porcelain") == f"?? {note}"
        assert content(other) == content(store)


@pytest.mark.parametrize("saved", [True, False])
def test_another_writer_in_between(store, tmp_path, monkeypatch, saved):
    """Folders that were planned, while somebody put a record, or a file that is not saved, in their place."""
    filled(store, tmp_path)
    path = out(store, tmp_path / "x")
    real = importing.lay_out
    with fresh(tmp_path) as other, Store.open(other.root) as second:

        def lay_out(*given):
            if saved:
                projects.add(second, name="web")
                messages.send(second, from_project="web", to_project="web", subject="here", message="first")
            else:
                (other.root / "projects/web/config").mkdir(parents=True)
                (other.root / "projects/web/config/mine.md").write_text("unsaved\n")
            return real(*given)

        monkeypatch.setattr(importing, "lay_out", lay_out)
        assert not take(other, path).folders
        changed = {path for path, id in content(store).items() if content(other).get(path) != id}
        assert changed <= {"projects/web/project.yaml"}
        assert len(content(other)) == len(content(store)) + 2 * saved
        assert git(other.root, "status", "--porcelain") == ("" if saved else "?? projects/web/config/mine.md")


def test_nothing_in_a_file_decides_how_it_is_written(store, tmp_path, monkeypatch):
    """Attributes, filters and settings of a person's Git that change bytes, or run something, and files that run."""
    filled(store, tmp_path)
    folder = next((store.root / "projects").glob("*/attachments/*"))
    (folder / ".gitattributes").write_bytes(b"* text eol=crlf ident filter=harm\n")
    (folder / "note.txt").write_bytes(b"$Id$\nx\n")
    (folder / "run.sh").write_bytes(b"#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    git(store.root, "add", "-A")
    git(store.root, "commit", "-qm", "by hand")
    home = tmp_path / "home"
    home.mkdir()
    harm = f"touch {tmp_path}/harm; cat"
    (home / ".gitconfig").write_text(
        f'[core]\n\tautocrlf = true\n\thooksPath = {home}\n[filter "harm"]\n\tsmudge = {harm}\n\tclean = {harm}\n'
    )
    (home / "post-index-change").write_text(f"#!/bin/sh\n{harm}\n")
    (home / "post-index-change").chmod(0o755)
    path = out(store, tmp_path / "x")
    monkeypatch.setenv("HOME", str(home))
    with fresh(tmp_path) as other:
        done = take(other, path)
        assert any(one.path.endswith("/attachments") for one in done.folders)
        place = other.root / folder.relative_to(store.root)
        assert {file.name: file.read_bytes() for file in place.iterdir()} == {
            file.name: file.read_bytes() for file in folder.iterdir()
        }
        assert not stat.S_IMODE((place / "run.sh").stat().st_mode) & 0o111
        assert "100755" not in git(other.root, "ls-tree", "-r", "HEAD")
    assert not (tmp_path / "harm").exists()


def test_without_git(store, tmp_path, monkeypatch):
    """No git binary: file by file, to the same end."""
    filled(store, tmp_path)
    path = out(store, tmp_path / "x")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with fresh(tmp_path) as other:
        assert not take(other, path).folders
        assert content(other) == content(store)


def test_a_disk_that_is_full(store, tmp_path, monkeypatch):
    """Half of the files written: nothing of it is in the store."""
    filled(store, tmp_path)
    path = out(store, tmp_path / "x")
    with fresh(tmp_path) as other:
        before = other.head()

        def fail(*_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x")

        real, count = os.rename, 0

        def rename(*given):
            nonlocal count
            count += 1
            return fail() if count == 4 else real(*given)

        for owner, name, broken in ((laid.files, "sync_all", fail), (laid.os, "rename", rename)):
            with monkeypatch.context() as context:
                context.setattr(owner, name, broken)
                with pytest.raises(Failed, match="x: no space left"):
                    take(other, path)
            assert other.head() == before
            assert content(other) == {}
            assert not (other.root / "projects").exists()
            assert_sound(other.root)
        assert count == 4
        assert take(other, path).folders


def test_killed_at_any_step(store, tmp_path):
    """Folders half in place, or in place and unknown to the branch."""
    filled(store, tmp_path)
    bundles.export(store, all=True, output=tmp_path / "x")
    Store.init(tmp_path / "template").close()
    outcomes = set()
    for at in range(1, 400, 2):
        root = tmp_path / f"{at}"
        shutil.copytree(tmp_path / "template", root)
        git(root, "status")
        code = finish(spawn(die_importing, root, tmp_path / "x", at, 1))[0]
        placed = (root / "projects").exists()
        with Store.open(root, lock_wait=20) as other:
            found = content(other)
            outcomes.add((code, bool(found), placed))
            assert found in ({}, content(store))
            assert placed or not found
            take(other, tmp_path / "x")
            assert content(other) == content(store)
            assert not [one for one in doctor.check(other).left if one.code not in ("configuration", "left-over")]
        assert_sound(root, litter=True)
        if code == 0:
            break
        shutil.rmtree(root)
    # Killed before any folder is in place, with some in place, and after the branch moved.
    assert outcomes >= {(-9, False, False), (-9, False, True), (-9, True, True), (0, True, True)}
    assert Path(root, "projects/web/project.yaml").is_file()


def test_refused_half_way(store, tmp_path, monkeypatch):
    """Folders of an operation that was refused, put down with the one behind it that waited."""
    filled(store, tmp_path)
    path = out(store, tmp_path / "x")
    real = Publisher._publish
    with fresh(tmp_path) as other, Store.open(other.root) as second:

        def publish(publisher, operations):
            if operations[0].folders and len(operations) == 1:
                # An edit that nobody saved, at the place of a single file; and somebody who waits.
                (other.root / "groups").mkdir()
                (other.root / "groups/team.yaml").write_text("name: [broken\n")
                waiting = Transaction(second, second.view(), "note")
                waiting.put_bytes("notes/a.txt", b"hello\n")
                operations = [*operations, waiting.operation()]
            return real(publisher, operations)

        monkeypatch.setattr(Publisher, "_publish", publish)
        with pytest.raises(Invalid):
            take(other, path)
        assert not (other.root / "projects").exists()
        assert git(other.root, "status", "--porcelain") == "?? groups/"
        assert (other.root / "notes/a.txt").read_bytes() == b"hello\n"


def test_killed_and_collected(store, tmp_path):
    """Folders that are in place and in no commit, when Git has thrown away what the journal says of them."""
    filled(store, tmp_path)
    bundles.export(store, all=True, output=tmp_path / "x")
    Store.init(tmp_path / "template").close()
    met = 0
    for at in range(1, 400):
        root = tmp_path / f"{at}"
        shutil.copytree(tmp_path / "template", root)
        git(root, "status")
        before = git(root, "rev-parse", "main")
        code = finish(spawn(die_importing, root, tmp_path / "x", at, 1))[0]
        if (root / ".git/sbfs/journal").exists() and git(root, "rev-parse", "main") == before:
            run_git(root, "gc", "--prune=now", "-q")
            with Store.open(root, lock_wait=20) as other:
                projects.add(other, name="works")
                assert (other.root / "projects/works/project.yaml").is_file()
            met += 1
        shutil.rmtree(root)
        if code == 0 or met == 3:
            break
    assert met == 3


def test_a_folder_without_files(store, tmp_path):
    """A tree without entries, which no work tree can have, in a bundle: the import fails for ever."""
    filled(store, tmp_path)
    empty = git(store.root, "hash-object", "-t", "tree", "-w", "--stdin", input=b"")
    place = git(store.root, "rev-parse", "main:projects/web").strip()
    rows = git(store.root, "ls-tree", place) + f"\n040000 tree {empty}\tdocs\n"
    for folder, above in (("web", "main:projects"), ("projects", "main:")):
        made = git(store.root, "mktree", input=rows.encode())
        others = [row for row in git(store.root, "ls-tree", above).splitlines() if not row.endswith(f"\t{folder}")]
        rows = "\n".join([*others, f"040000 tree {made}\t{folder}", ""])
    commit = git(store.root, "commit-tree", git(store.root, "mktree", input=rows.encode()), "-p", "main", "-m", "x")
    git(store.root, "update-ref", "refs/heads/main", commit)
    git(store.root, "bundle", "create", "-q", str(tmp_path / "x"), "main")
    with fresh(tmp_path) as other:
        assert take(other, tmp_path / "x").folders
        assert content(other) == content(store)
        assert_sound(other.root)


def test_another_disk(store, tmp_path, monkeypatch):
    """A folder that cannot be moved to where it belongs, as it is a disk of its own."""
    filled(store, tmp_path)
    path = out(store, tmp_path / "x")
    with fresh(tmp_path) as other:
        (other.root / "projects").mkdir()
        real = os.stat

        def stat_of(place, **given):
            found = real(place, **given)
            if os.fspath(place) != os.fspath(other.root / "projects"):
                return found
            return os.stat_result([*found[:2], found.st_dev + 1, *found[3:10]], {})

        with monkeypatch.context() as context:
            context.setattr(os, "stat", stat_of)
            assert not take(other, path).folders
        assert content(other) == content(store)


# -- clones ----------------------------------------------------------------------------------------


def test_a_clone_is_put_down_whole(store, tmp_path, monkeypatch):
    """A work tree or an index that is another one than that of single files."""
    filled(store, tmp_path)
    path = out(store, tmp_path / "x")
    sync.clone(str(path), tmp_path / "whole")
    Store.open(tmp_path / "whole").close()
    monkeypatch.setattr(laid, "WHOLE_FROM", 10**9)
    sync.clone(str(path), tmp_path / "single")
    Store.open(tmp_path / "single").close()
    with Store.open(tmp_path / "whole") as one, Store.open(tmp_path / "single") as other:
        assert put_down(one) == put_down(other) == put_down(store)
        assert git(one.root, "ls-files", "-s") == git(other.root, "ls-files", "-s")
        assert_sound(one.root)
        mail(one)
        assert_sound(one.root)


def test_a_clone_that_is_killed_while_it_is_put_down(store, tmp_path):
    """Files half there that pass for a person's edits, or a folder that never comes."""
    filled(store, tmp_path)
    sync.clone(str(out(store, tmp_path / "x")), tmp_path / "template")
    outcomes = set()
    for at in range(1, 200):
        root = tmp_path / f"{at}"
        shutil.copytree(tmp_path / "template", root)
        code = finish(spawn(die_mending, root, at, 1))[0]
        outcomes.add((code, len([*root.glob("[pg]*")])))
        with Store.open(root, lock_wait=20) as clone:
            assert put_down(clone) == put_down(store)
        assert_sound(root, litter=True)
        shutil.rmtree(root)
        if code == 0:
            break
    assert outcomes >= {(-9, 0), (-9, 1), (-9, 2), (0, 2)}
