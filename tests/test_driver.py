"""Plain Git in a store: pull, merge, rebase and cherry-pick merge by meaning; hooks say what is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from domain_helpers import Shell, mail, people, put
from helpers import assert_sound, git, run_git

from sbfs import conflicts, doctor, driver, messages, projects, sync, worktree
from sbfs.git import config
from sbfs.store import Store

PROJECT = "projects/web/project.yaml"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with two projects and a message."""
    made = Store.init(tmp_path / "store")
    people(made, "web", "api")
    mail(made)
    return made


def branches(store: Store, here: object, there: object) -> None:
    """Do one thing on main and another on the branch `other`, both from where the store is now."""
    git(store.root, "branch", "other")
    here()
    mine = store.head()
    git(store.root, "checkout", "-q", "-B", "keep", mine)
    git(store.root, "checkout", "-q", "-B", "main", "other")
    there()
    git(store.root, "branch", "-f", "other", "main")
    git(store.root, "checkout", "-q", "-B", "main", mine)


def merge(store: Store, *command: str) -> tuple[int, str]:
    """Run git, with sbfs as its driver. Returns status and what it said."""
    done = run_git(store.root, *command)
    return done.returncode, (done.stdout + done.stderr).decode()


@pytest.mark.parametrize("command", ["merge --no-edit other", "rebase -q other", "cherry-pick other"])
def test_plain_git_merges_by_meaning(store, command):
    """Breaks if `git merge`, `rebase` or `cherry-pick` met two changes of one record as a conflict."""
    branches(
        store,
        lambda: projects.set(store, project="web", alias="here"),
        lambda: projects.set(store, project="web", description="there"),
    )
    status, said = merge(store, *command.split())
    assert status == 0, said
    both = projects.show(store, project="web")
    assert (both.alias, both.description) == ("here", "there")
    assert_sound(store.root)


def test_git_pull(store, tmp_path):
    """Breaks if a pull made with plain Git lost a status that had gone further."""
    git(tmp_path, "clone", "-q", str(store.root), "clone")
    with Store.open(tmp_path / "clone") as clone:
        assert doctor.check(clone, fix=True).left == ()
        id = messages.list(store, project="api").items[0].message.id
        messages.mark(store, message_ids=[id], status="archived")
        messages.mark(clone, message_ids=[id], status="read")
        status, said = merge(clone, "pull", "-q", "--no-rebase", "--no-edit", "origin", "main")
        assert status == 0, said
        assert messages.show(clone, message_id=id).message.status == "archived"


def test_a_value_that_loses_is_kept_for_save(store):
    """Breaks if a plain merge dropped a value without a trace, or stopped for it."""
    branches(
        store,
        lambda: projects.set(store, project="web", alias="here"),
        lambda: projects.set(store, project="web", alias="there"),
    )
    status, said = merge(store, "merge", "--no-edit", "other")
    assert status == 0, said
    assert "sbfs save" in said
    assert [edit.kind for edit in worktree.save(store).saved] == ["conflict"]
    (conflict,) = conflicts.list(store).items
    assert {conflict.kept, conflict.lost} == {"here", "there"}


def test_records_that_look_alike_are_not_mixed(store):
    """Failure mode 52: Git takes an added record for a renamed one, and merges an edit into it."""
    id = messages.list(store, project="api").items[0].message.id
    path = messages.show(store, message_id=id).path
    text = (store.root / path).read_text()
    other = path.replace(id, "msg-01ZZZZZZZZZZZZZZZZZZZZZZZZ")

    def moved() -> None:
        put(store, other, text.replace(id, "msg-01ZZZZZZZZZZZZZZZZZZZZZZZZ"))
        git(store.root, "rm", "-q", path)
        git(store.root, "add", "-A")
        git(store.root, "commit", "-qm", "moved")

    branches(store, moved, lambda: messages.mark(store, message_ids=[id], status="read"))
    status, _ = merge(store, "merge", "--no-edit", "other")
    assert status == 1
    assert "status: unread" in (store.root / other).read_text()
    git(store.root, "merge", "--abort")


def test_without_the_driver_it_is_loud(store):
    """Failure modes 25 and 29: no driver. Breaks if lines were merged into a record with a key twice."""
    (store.root / ".git" / "info" / "attributes").unlink()
    branches(
        store,
        lambda: projects.set(store, project="web", alias="here"),
        lambda: projects.set(store, project="web", description="there"),
    )
    status, said = merge(store, "merge", "--no-edit", "other")
    assert status == 1
    assert "CONFLICT" in said
    assert Shell(store.root)("send", "web", "api", "-s", "x", "-b", "y").status == 1
    codes = {finding.code for finding in doctor.check(store).findings}
    assert codes >= {"unfinished", "configuration"}
    git(store.root, "merge", "--abort")
    doctor.check(store, fix=True)
    assert merge(store, "merge", "--no-edit", "other")[0] == 0


def test_conflict_markers_are_refused(store):
    """Failure mode 26. Breaks if markers that a person committed were read as values, or merged."""
    text = (store.root / PROJECT).read_text()
    put(store, PROJECT, f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n")
    (edit,) = worktree.save(store).invalid
    assert (edit.path, edit.line) == (PROJECT, 1)
    git(store.root, "checkout", "--", PROJECT)


@pytest.mark.parametrize("base", [b"", b"<<<<<<< ours\na: 1\n", b"\xff\xfe", b"- a list\n"])
def test_an_ancestor_that_is_none(tmp_path, base):
    """Failure mode 19. Breaks if an empty or garbled ancestor, as after a criss-cross, stopped the driver."""
    for name, text in {"base": base, "ours": b"name: web\ncreated: 2026-01-01T00:00:00.000Z\ntags: [a]\n"}.items():
        (tmp_path / name).write_bytes(text)
    (tmp_path / "theirs").write_bytes(b"name: web\ncreated: 2026-01-01T00:00:00.000Z\ntags: [b]\n")
    said = driver.merge(tmp_path / "base", tmp_path / "ours", tmp_path / "theirs", PROJECT, tmp_path)
    assert (said.merged, said.said) == (True, [])
    assert (tmp_path / "ours").read_text().endswith("tags:\n- a\n- b\n") or "[a, b]" in (tmp_path / "ours").read_text()


def test_what_cannot_be_read_is_left_alone(tmp_path):
    """Breaks if the driver wrote over a version that it cannot read."""
    for name, text in {"base": b"", "ours": b"name: [\n", "theirs": b"name: web\n"}.items():
        (tmp_path / name).write_bytes(text)
    said = driver.merge(tmp_path / "base", tmp_path / "ours", tmp_path / "theirs", PROJECT, tmp_path)
    assert not said.merged
    assert (tmp_path / "ours").read_bytes() == b"name: [\n"


def test_hooks(store):
    """Breaks if an installed hook let an invalid record through, kept a valid one out, or replaced a person's own."""
    own = store.root / ".git" / "hooks" / "post-merge"
    own.parent.mkdir(exist_ok=True)
    own.write_text("#!/bin/sh\n")
    said = Shell(store.root).json("hooks", "install", "git")
    assert said["kept"] == [".git/hooks/post-merge"]
    assert own.read_text() == "#!/bin/sh\n"
    put(store, PROJECT, "name: [broken\n")
    git(store.root, "add", "-A")
    done = run_git(store.root, "commit", "-qm", "broken")
    assert done.returncode == 1
    assert PROJECT in done.stderr.decode()
    git(store.root, "checkout", "-q", "HEAD", "--", PROJECT)
    put(store, PROJECT, (store.root / PROJECT).read_text() + "extra: 1\n")
    git(store.root, "add", "-A")
    assert run_git(store.root, "commit", "-qm", "fine").returncode == 0


@pytest.mark.parametrize("event", ["post-merge", "post-checkout"])
def test_hooks_bring_lists_along(store, event):
    """Breaks if the first list after a pull had to read all that came, or a hook stopped Git."""
    shutil.rmtree(store.root / ".git" / "sbfs" / "catalog", ignore_errors=True)
    assert Shell(store.root)("hook", event, "0").status == 0
    assert any((store.root / ".git" / "sbfs" / "catalog").rglob("*"))


def test_the_driver_is_configured(tmp_path, store):
    """Failure mode 29. Breaks if `init` or `clone` left a clone without the driver, or `check` did not miss it."""
    git(tmp_path, "clone", "-q", "--bare", str(store.root), "hub.git")
    sync.clone(str(tmp_path / "hub.git"), tmp_path / "clone")
    for root in (store.root, tmp_path / "clone"):
        assert config.missing(root / ".git") == []
        assert "merge-driver" in git(root, "config", "merge.sbfs.driver")
    git(tmp_path, "clone", "-q", str(tmp_path / "hub.git"), "plain")
    with Store.open(tmp_path / "plain") as plain:
        (finding,) = [one for one in doctor.check(plain).findings if one.code == "configuration"]
        assert "merge.sbfs.driver" in finding.what
        assert doctor.check(plain, fix=True).left == ()


def test_what_lies_in_the_work_tree_is_not_run(store, tmp_path):
    """Breaks if a file that came with a pull, named like a module, ran when Git called the driver or a hook."""
    driver.install(store)
    for name in ("click.py", "sbfs.py", "yaml.py"):
        put(store, name, f"open({str(tmp_path / 'sprung')!r}, 'w')\n")
    git(store.root, "add", "-f", "click.py", "sbfs.py", "yaml.py")
    git(store.root, "commit", "-qm", "planted")
    branches(
        store,
        lambda: projects.set(store, project="web", alias="here"),
        lambda: projects.set(store, project="web", description="there"),
    )
    status, said = merge(store, "merge", "--no-edit", "other")
    assert status == 0, said
    assert projects.show(store, project="web").description == "there"
    assert not (tmp_path / "sprung").exists()
