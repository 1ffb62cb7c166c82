"""Stores that meet over a bare repository: what each did is in all, the same bytes everywhere."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
import servers
from domain_helpers import Shell, mail, people, put
from helpers import assert_sound, assert_whole, finish, git, spawn

from sbfs import conflicts, doctor, history, messages, projects, settling, sync, threeway, worktree
from sbfs.errors import Invalid, NotFound, RemoteRefused, Stale, WrongFormat
from sbfs.record import Record
from sbfs.store import Store


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """An empty bare repository."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "hub.git")
    return tmp_path / "hub.git"


@pytest.fixture
def pair(tmp_path: Path, hub: Path) -> tuple[Store, Store]:
    """Two clones of one store with three projects and a message."""
    first = Store.init(tmp_path / "a")
    people(first, "web", "api", "docs")
    mail(first)
    sync.remote_add(first, name="origin", url=str(hub))
    sync.sync(first)
    sync.clone(str(hub), tmp_path / "b")
    return first, Store.open(tmp_path / "b")


def meet(*stores: Store, litter: bool = False) -> None:
    """Sync until all have what all have. litter: as of `assert_sound`."""
    for store in (*stores, *stores):
        sync.sync(store)
    assert len({store.head() for store in stores}) == 1
    for store in stores:
        assert_sound(store.root, litter=litter)


def tree(store: Store) -> str:
    """The id of what a store holds."""
    return store.view().commit.tree


def subjects(store: Store, project: str) -> set[str]:
    """Of the mail that a project received."""
    return {shown.message.subject for shown in messages.list(store, project=project, limit=1000).items}


def set_field(store: Store, path: str, **fields: object) -> None:
    """Change a record's fields by an editor, and save."""
    record = store.view().record(path)
    (store.root / path).write_bytes(record.changed({**record.data, **fields}).raw)
    assert worktree.save(store).saved


def commit_by_git(store: Store, path: str, text: str | None) -> None:
    """Change a file and commit it with plain Git."""
    if text is None:
        git(store.root, "rm", "-q", path)
    else:
        (store.root / path).parent.mkdir(parents=True, exist_ok=True)
        (store.root / path).write_text(text)
    git(store.root, "add", "-A")
    git(store.root, "commit", "-qm", f"by hand: {path}")


# -- the main job ----------------------------------------------------------------------------------


def test_mail_goes_both_ways(pair):
    """Breaks if a sync sent or received only one side's mail, or told of mail that was there before."""
    first, second = pair
    mail(first, subject="from here")
    there = mail(second, sender="api", to="web", subject="from there")
    assert sync.sync(first).sent == 1
    said = sync.sync(second)
    assert (said.received, said.messages, said.conflicts) == (1, (subjects_ids(second, "from here")), ())
    assert sync.sync(first).messages == (there.id,)
    assert sync.sync(first) == sync.Synced("origin", first.head(), 0, 0, 1)
    assert tree(first) == tree(second)
    assert "from here" in subjects(second, "api")
    assert "from there" in subjects(first, "web")
    assert_sound(first.root)


def subjects_ids(store: Store, subject: str) -> tuple[str, ...]:
    found = messages.list(store, project="api", limit=100).items
    return tuple(shown.message.id for shown in found if shown.message.subject == subject)


def test_nothing_to_merge_makes_no_commit(pair):
    """Breaks if a store that only received made a merge of its own, so that two clones never came to rest."""
    first, second = pair
    mail(first)
    sync.sync(first)
    sync.sync(second)
    assert second.head() == first.head()
    assert git(second.root, "log", "--merges", "--oneline") == ""


def test_edits_are_saved_before_and_invalid_ones_stay(pair):
    """Breaks if a sync lost a hand edit, or an invalid one kept everything else from going."""
    first, second = pair
    (first.root / "projects/web/project.yaml").write_text("name: [broken\n")
    note = first.root / "projects/api/outbox/x.yaml"
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text("to_project: web\nsubject: by hand\ncontent: hello\n")
    said = sync.sync(first)
    assert [edit.path for edit in said.invalid] == ["projects/web/project.yaml"]
    sync.sync(second)
    assert "by hand" in subjects(second, "web")
    assert (first.root / "projects/web/project.yaml").read_text() == "name: [broken\n"


def test_an_invalid_edit_of_what_comes_stops_the_sync(pair):
    """Breaks if a merge wrote over an unsaved edit that could not be saved."""
    first, second = pair
    set_field(second, "projects/web/project.yaml", description="there")
    sync.sync(second)
    file = first.root / "projects/web/project.yaml"
    file.write_text("name: [broken\n")
    before = first.head()
    with pytest.raises(Invalid, match=r"projects/web/project\.yaml"):
        sync.sync(first)
    assert file.read_text() == "name: [broken\n"
    assert first.head() == before


# -- both sides changed the same -------------------------------------------------------------------


def test_the_furthest_status_stays(pair):
    """Breaks if `read` won over `archived` because it came later, or a conflict were made of it."""
    first, second = pair
    id = messages.list(first, project="api").items[0].message.id
    messages.mark(first, message_ids=[id], status="archived")
    messages.mark(second, message_ids=[id], status="read")
    meet(first, second)
    assert messages.show(first, message_id=id).message.status == "archived"
    assert conflicts.list(first).items == []


def test_the_later_value_stays_and_the_other_is_kept(pair):
    """Breaks if a value that lost a merge were gone, or stood differently in the two clones."""
    first, second = pair
    projects.set(first, project="web", alias="here")
    projects.set(second, project="web", alias="there")
    meet(first, second)
    found = conflicts.list(second).items
    assert [(one.path, one.field, {one.kept, one.lost}, one.base) for one in found] == [
        ("projects/web/project.yaml", "alias", {"here", "there"}, None)
    ]
    assert len(found[0].commits) == 2
    assert projects.show(first, project="web").alias == found[0].kept == "there"
    assert Shell(first.root)("conflicts").out.count("projects/web/project.yaml") == 1


@pytest.mark.parametrize(
    ("take", "value", "stands"), [("kept", None, "there"), ("lost", None, "here"), ("value", "x", "x")]
)
def test_settling(pair, take, value, stands):
    """Breaks if a settled conflict stood in the list, came back with the next sync, or set the wrong value."""
    first, second = pair
    projects.set(first, project="web", alias="here")
    projects.set(second, project="web", alias="there")
    meet(first, second)
    id = conflicts.list(first).items[0].id
    settling.settle(first, conflict_id=id[:16], take=take, value=value)
    assert projects.show(first, project="web").alias == stands
    meet(first, second)
    assert projects.show(second, project="web").alias == stands
    assert conflicts.list(second).items == []
    with pytest.raises(NotFound):
        settling.settle(second, conflict_id="conflict-none", take="kept")


def test_settling_what_was_changed_since(pair):
    """Breaks if `--take lost` silently took back what somebody decided after the merge."""
    first, second = pair
    projects.set(first, project="web", alias="here")
    projects.set(second, project="web", alias="there")
    meet(first, second)
    projects.set(first, project="web", alias="decided")
    id = conflicts.list(first).items[0].id
    with pytest.raises(Stale):
        settling.settle(first, conflict_id=id, take="lost")
    settling.settle(first, conflict_id=id, take="kept")
    assert projects.show(first, project="web").alias == "decided"


def test_unknown_keys_and_comments_survive(pair):
    """Failure mode 22. Breaks if a merge dropped a key of a newer version, or a person's comment."""
    first, second = pair
    path = "projects/web/project.yaml"
    (first.root / path).write_text((first.root / path).read_text() + "future: {a: 1}  # keep me\n")
    worktree.save(first)
    projects.set(second, project="web", description="said there")
    meet(first, second)
    text = (second.root / path).read_text()
    assert "# keep me" in text
    assert Record.parse(path, text.encode()).data["future"] == {"a": 1}
    assert projects.show(first, project="web").description == "said there"


def test_the_same_project_added_on_both_sides(pair):
    """Failure modes 20 and 27: add against add. Breaks if one side's record replaced the other's unseen."""
    first, second = pair
    projects.add(first, name="new", alias="n")
    projects.add(second, name="new", description="from there")
    meet(first, second)
    both = projects.show(first, project="new")
    assert (both.alias, both.description) == ("n", "from there")


def test_removed_against_changed(pair):
    """Failure mode 24: a removed message is not brought back by who read it, nor by who never heard of it."""
    first, second = pair
    id = messages.list(first, project="api").items[0].message.id
    messages.remove(first, message_id=id)
    messages.mark(second, message_ids=[id], status="read")
    meet(first, second)
    for store in (first, second):
        assert messages.list(store, project="api").items == []
        assert conflicts.list(store).items == []


def test_deleted_by_plain_git_against_an_edit(pair):
    """Failure mode 20: `git rm` leaves no tombstone. Breaks if it ate what somebody wrote at the same time."""
    first, second = pair
    projects.group_add(first, group="team", projects=["web"])
    meet(first, second)
    commit_by_git(first, "groups/team.yaml", None)
    projects.group_add(second, group="team", description="we need it")
    meet(first, second)
    assert projects.group_show(first, group="team").description == "we need it"
    assert [one.lost for one in conflicts.list(first).items] == [None]


def test_mail_to_a_project_that_was_renamed_meanwhile(pair):
    """Failure mode 35. Breaks if mail sent, or marked, under the former name stayed where nobody looks."""
    first, second = pair
    id = messages.list(first, project="api").items[0].message.id
    projects.rename(first, project="api", name="backend")
    late = mail(second, sender="web", to="api", subject="late")
    messages.mark(second, message_ids=[id], status="read")
    projects.set(second, project="api", description="described under the old name")
    meet(first, second)
    for store in (first, second):
        assert subjects(store, "backend") >= {"late"}
        assert messages.show(store, message_id=id).message.status == "read"
        assert messages.show(store, message_id=late.id).path.startswith("projects/backend/inbox/")
        assert projects.show(store, project="api").description == "described under the old name"
        assert sorted(os.listdir(store.root / "projects" / "api")) == ["project.yaml"]
        assert conflicts.list(store).items == []


def test_renamed_twice_at_once(pair):
    """Breaks if two renamings of one project left two projects with the same mail."""
    first, second = pair
    projects.rename(first, project="api", name="backend")
    projects.rename(second, project="api", name="server")
    meet(first, second)
    live = {project.name for project in projects.list(first).items}
    assert live == {"web", "docs", "server"}
    assert projects.show(first, project="backend").name == "server"
    assert projects.show(first, project="api").name == "server"
    assert len(messages.list(first, project="server").items) == 1


def test_a_renaming_that_was_taken_back_meanwhile(pair):
    """Breaks if mail and marks made under the name that was taken back were lost, or lay under no project."""
    first, second = pair
    id = messages.list(first, project="api").items[0].message.id
    projects.rename(first, project="api", name="backend")
    meet(first, second)
    history.undo(first)
    messages.mark(second, message_ids=[id], status="archived")
    mail(second, to="backend", subject="late")
    meet(first, second)
    for store in pair:
        assert messages.show(store, message_id=id).message.status == "archived"
        assert "late" in subjects(store, "api")
        assert doctor.check(store).findings == ()
        assert projects.show(store, project="backend").name == "api"


@pytest.mark.parametrize("act", ["undo", "remove"])
def test_mail_to_a_project_that_was_removed_meanwhile(pair, act):
    """Breaks if such mail were gone, or lay where nobody looks without a word."""
    first, second = pair
    projects.add(first, name="new")
    meet(first, second)
    if act == "undo":
        history.undo(first)
    else:
        projects.remove(first, project="new")
    late = mail(second, to="new", subject="late")
    meet(first, second)
    assert [finding.code for finding in doctor.check(first).findings] == ["orphan"]
    projects.add(first, name="new")
    assert subjects(first, "new") == {"late"}
    assert messages.show(first, message_id=late.id)
    assert doctor.check(first).findings == ()


def test_lines_of_a_description_merge(pair):
    """Breaks if two people who changed different lines of a text met as a conflict."""
    first, second = pair
    path = "projects/web/project.yaml"
    set_field(first, path, description="one\ntwo\nthree\nfour\n")
    meet(first, second)
    set_field(first, path, description="ONE\ntwo\nthree\nfour\n")
    set_field(second, path, description="one\ntwo\nthree\nFOUR\n")
    meet(first, second)
    assert projects.show(first, project="web").description == "ONE\ntwo\nthree\nFOUR\n"
    assert conflicts.list(first).items == []


# -- histories -------------------------------------------------------------------------------------


def test_merging_is_commutative_and_idempotent(pair):
    """Failure mode 23. Breaks if the tree depended on who merges, or merging again changed something."""
    first, second = pair
    projects.set(first, project="web", alias="here", tags=["a"])
    projects.set(second, project="web", alias="there", tags=["b"])
    projects.rename(second, project="docs", name="pages")
    mail(first, sender="web", to="docs", subject="for docs")
    git(first.root, "fetch", "-q", str(second.root), "main")
    git(second.root, "fetch", "-q", str(first.root), "main")
    mine, other = first.head(), second.head()
    trees = []
    for store, ours, theirs in ((first, mine, other), (second, other, mine)):

        def build(tx, store=store, ours=ours, theirs=theirs):
            joined = threeway.join(store.repo, ours, theirs)
            for path, change in joined.changes.items():
                tx.bring(None, path, change.data, id=change.id)
            tx.parents = (theirs,)

        store.write("sync", build)
        trees.append(tree(store))
    assert trees[0] == trees[1]
    git(first.root, "fetch", "-q", str(second.root), "main")
    assert threeway.join(first.repo, first.head(), second.head()).changes == {}


def test_criss_cross(pair):
    """Failure mode 19: two merges of the same two. Breaks if what one side took back came up again."""
    first, second = pair
    meet(first, second)
    projects.set(first, project="web", tags=["a", "b"])
    projects.set(second, project="web", tags=["c"])
    heads = first.head(), second.head()
    for store, other in ((first, second), (second, first)):
        git(store.root, "fetch", "-q", str(other.root), "main")
    sync._merge(first, heads[1], "x", "", sync._Tally())
    sync._merge(second, heads[0], "x", "", sync._Tally())
    assert tree(first) == tree(second)
    projects.set(first, project="web", tags=["a", "c"])
    mail(second, subject="on the other side")
    meet(first, second)
    assert set(projects.show(second, project="web").tags) == {"a", "c"}
    assert conflicts.list(second).items == []


def test_unrelated_histories(tmp_path, hub):
    """Failure mode 28: two machines ran `init`. Breaks if their stores could not be joined, or lost something."""
    first, second = Store.init(tmp_path / "a"), Store.init(tmp_path / "b")
    for store, name in ((first, "web"), (second, "api")):
        people(store, name, "both")
        mail(store, sender=name, to="both", subject=f"from {name}")
        sync.remote_add(store, name="origin", url=str(hub))
    meet(first, second)
    assert subjects(first, "both") == subjects(second, "both") == {"from web", "from api"}
    assert conflicts.list(first).items == []
    assert first.settings()["id"] == second.settings()["id"]


def test_a_repository_that_is_no_store_is_refused(pair, tmp_path):
    """Breaks if the wrong address mixed a store with somebody's source code."""
    first, _ = pair
    git(tmp_path, "init", "-q", "-b", "main", "code")
    (tmp_path / "code/a.py").write_text("x = 1\n")
    git(tmp_path / "code", "add", "-A")
    git(tmp_path / "code", "commit", "-qm", "x")
    sync.remote_add(first, name="code", url=str(tmp_path / "code"))
    with pytest.raises(Invalid, match="no store"):
        sync.sync(first, remote="code")
    with pytest.raises(Invalid, match="no store"):
        sync.clone(str(tmp_path / "code"), tmp_path / "c")
    assert not (tmp_path / "c" / ".git").exists()


def test_a_newer_format_is_refused(pair):
    """Breaks if an old program merged what it does not understand."""
    first, second = pair
    commit_by_git(second, "sbfs.yaml", (second.root / "sbfs.yaml").read_text().replace("format: 1", "format: 2"))
    git(second.root, "push", "-q", "origin", "main")
    with pytest.raises(WrongFormat):
        sync.sync(first)


@pytest.mark.parametrize("evil", ["link", "gitlink", "dotgit", "dots"])
def test_a_hostile_tree_is_refused(pair, tmp_path, evil):
    """Failure mode 41: a tree that would write outside the store, or into .git, when it is checked out."""
    first, second = pair
    blob = git(second.root, "hash-object", "-w", "--stdin", input=b"#!/bin/sh\n")
    rows = {
        "link": f"120000 blob {git(second.root, 'hash-object', '-w', '--stdin', input=b'/etc')}\tlinked",
        "gitlink": f"160000 commit {second.head()}\tsub",
        "dotgit": f"040000 tree {_tree_of(second, f'100755 blob {blob}', 'post-merge')}\t.GIT",
        "dots": f"040000 tree {_tree_of(second, f'100644 blob {blob}', 'x')}\t..",
    }
    listing = git(second.root, "ls-tree", "HEAD") + "\n" + rows[evil] + "\n"
    made = git(second.root, "mktree", "--missing", input=listing.encode())
    commit = git(second.root, "commit-tree", made, "-p", "HEAD", "-m", "evil")
    git(second.root, "push", "-q", "origin", f"{commit}:refs/heads/main")
    before = first.head()
    with pytest.raises((Invalid, RemoteRefused)):
        sync.sync(first)
    assert first.head() == before
    # Git leaves the pack that it refused for its own clean-up.
    assert_sound(first.root, litter=True)
    with pytest.raises((Invalid, RemoteRefused)):
        sync.clone(str(tmp_path / "hub.git"), tmp_path / "c")
    assert not (tmp_path / "c" / ".git").exists()


def _tree_of(store: Store, what: str, name: str) -> str:
    return git(store.root, "mktree", input=f"{what}\t{name}\n".encode())


def test_clocks_a_day_apart(tmp_path, hub):
    """Failure mode 30. Breaks if a slow clock made bases that are none, or lost a change."""
    import sbfs.times

    first = Store.init(tmp_path / "a", clock=lambda: sbfs.times.now() - timedelta(days=1))
    people(first, "web", "api")
    sync.remote_add(first, name="origin", url=str(hub))
    sync.sync(first)
    sync.clone(str(hub), tmp_path / "b")
    second = Store.open(tmp_path / "b", clock=lambda: sbfs.times.now() + timedelta(days=1))
    for turn in range(3):
        mail(first, subject=f"a{turn}")
        mail(second, subject=f"b{turn}")
        projects.set(first, project="web", alias=f"a{turn}")
        projects.set(second, project="api", alias=f"b{turn}")
        meet(first, second)
    assert subjects(first, "api") == {f"{side}{turn}" for side in "ab" for turn in range(3)}
    assert (projects.show(second, project="web").alias, projects.show(first, project="api").alias) == ("a2", "b2")


def test_edits_in_one_folder(pair):
    """Failure mode 21. Breaks if a merge took a folder as a whole and lost one side's files in it."""
    first, second = pair
    ids = {mail(store, subject=f"{number}").id for store in pair for number in range(5)}
    removed = messages.list(first, project="api").items[-1].message.id
    messages.remove(second, message_id=removed)
    meet(first, second)
    for store in pair:
        found = {shown.message.id for shown in messages.list(store, project="api", limit=100).items}
        assert found >= ids
        assert removed not in found


def test_line_ends_of_windows(pair):
    """Failure mode 29. Breaks if a clone that commits CRLF met every line as changed on both sides."""
    first, second = pair
    path = "projects/web/project.yaml"
    text = (first.root / path).read_bytes().replace(b"\n", b"\r\n")
    blob = git(first.root, "hash-object", "-w", "--no-filters", "--stdin", input=text)
    git(first.root, "update-index", "--cacheinfo", f"100644,{blob},{path}")
    git(first.root, "commit", "-qm", "from Windows")
    git(first.root, "checkout", "-q", "--", path)
    projects.set(second, project="web", alias="w")
    sync.sync(first)
    sync.sync(second)
    sync.sync(first)
    assert tree(first) == tree(second)
    assert projects.show(first, project="web").alias == "w"
    assert conflicts.list(first).items == []


def test_a_server_restored_from_a_backup(pair, hub):
    """Failure mode 32. Breaks if what the server forgot were taken for deleted, or an id used twice."""
    first, second = pair
    before = first.head()
    kept = mail(first, subject="after the backup")
    meet(first, second)
    git(hub, "update-ref", "refs/heads/main", before)
    late = mail(second, subject="after the restore")
    meet(first, second)
    for store in pair:
        assert messages.show(store, message_id=kept.id)
        assert messages.show(store, message_id=late.id)


def test_an_amended_commit(pair):
    """Failure mode 31. Breaks if history that a person rewrote after a push lost what others had built on it."""
    first, second = pair
    git(first.root, "commit", "-q", "--amend", "-m", "said better")
    mine, other = mail(first, subject="on the new"), mail(second, subject="on the old")
    meet(first, second)
    for store in pair:
        assert {mine.subject, other.subject} <= subjects(store, "api")
        assert conflicts.list(store).items == []


@pytest.mark.parametrize("way", ["daemon", "http", "ssh"])
def test_over_a_real_server(tmp_path, way, monkeypatch):
    """Breaks if a protocol that Git speaks did not carry a sync, a clone and the way back."""
    hub = servers.bare(tmp_path / "remotes")
    serve = {"daemon": servers.git_daemon, "http": servers.git_http, "ssh": servers.sshd}[way]
    with serve(hub.parent) as said:
        base = said
        if way == "ssh":
            base, command = said
            base += str(hub.parent)
            monkeypatch.setenv("GIT_SSH_COMMAND", command)
        first = Store.init(tmp_path / "a")
        people(first, "web", "api")
        sync.remote_add(first, name="origin", url=f"{base}/{hub.name}")
        sync.sync(first)
        sync.clone(f"{base}/{hub.name}", tmp_path / "b")
        second = Store.open(tmp_path / "b")
        mail(first, subject="there")
        mail(second, sender="api", to="web", subject="and back")
        meet(first, second)
        assert subjects(first, "web") == {"and back"}
        assert subjects(second, "api") == {"there"}


# -- many at once ----------------------------------------------------------------------------------

CLONES, EACH = 5, 8


def send_and_mark(root: Path, number: int) -> None:
    """Process: send mail and mark some as read, syncing in between."""
    with Store.open(root) as store:
        for turn in range(EACH):
            mail(store, sender=f"p{number}", to=f"p{(number + 1) % CLONES}", subject=f"{number}-{turn}")
            unread = messages.list(store, project=f"p{number}", status="unread", limit=2).items
            if unread:
                messages.mark(store, message_ids=[shown.message.id for shown in unread], status="read")
            if turn % 3 == 2:
                sync.sync(store)


def test_a_storm_of_pushes(tmp_path, hub):
    """Failure mode 18: five clones send, mark and sync at once. Breaks if one lost mail or never came through."""
    first = Store.init(tmp_path / "0")
    people(first, *(f"p{number}" for number in range(CLONES)))
    sync.remote_add(first, name="origin", url=str(hub))
    sync.sync(first)
    roots = [tmp_path / str(number) for number in range(CLONES)]
    for root in roots[1:]:
        sync.clone(str(hub), root)
        Store.open(root).close()
    assert finish(*[spawn(send_and_mark, root, number) for number, root in enumerate(roots)]) == [0] * CLONES
    stores = [Store.open(root) for root in roots]
    for store in stores:
        sync.sync(store)
    meet(*stores)
    for number in range(CLONES):
        want = {f"{(number - 1) % CLONES}-{turn}" for turn in range(EACH)}
        assert subjects(stores[0], f"p{number}") == want
    assert conflicts.list(stores[0]).items == []
    assert_whole(hub)


def kill_in_sync(root: Path, mode: str, when: str, at: int, report: Path) -> None:
    """Process: sync, and die at a step."""
    from helpers import trip

    with Store.open(root) as store:
        steps = trip(mode, when, at)
        sync.sync(store)
        report.write_text(str(steps()))


@pytest.mark.parametrize("at", range(1, 40, 3))
def test_killed_in_a_sync(pair, tmp_path, at):
    """Breaks if a sync that is killed half-way lost what either side had, or the next one did not complete it."""
    first, second = pair
    mine = mail(first, subject="here")
    theirs = mail(second, sender="api", to="web", subject="there")
    sync.sync(second)
    finish(spawn(kill_in_sync, first.root, "kill", "before", at, tmp_path / "report"))
    first = Store.open(first.root)
    meet(first, second, litter=True)
    for store in (first, second):
        assert messages.show(store, message_id=mine.id)
        assert messages.show(store, message_id=theirs.id)


# -- refused ---------------------------------------------------------------------------------------


def test_offline_everything_stays_here(pair, hub):
    """Breaks if a sync without a network lost a commit, left with another status than 7, or was not made up for."""
    first, second = pair
    mail(first, subject="kept")
    hub.rename(hub.with_name("gone"))
    said = Shell(first.root)("sync", "--json")
    assert said.status == 7
    assert said.document["code"] == "remote"
    assert "next sync" in said.document["hint"]
    hub.with_name("gone").rename(hub)
    sync.sync(first)
    sync.sync(second)
    assert "kept" in subjects(second, "api")


def test_a_hook_that_refuses(pair, hub):
    """Breaks if a refused push was tried again and again, or the server's words were not told."""
    first, _ = pair
    hook = hub / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no mail on sundays >&2\nexit 1\n")
    hook.chmod(0o755)
    mail(first)
    with pytest.raises(RemoteRefused, match="sundays"):
        sync.sync(first)
    hook.unlink()
    assert sync.sync(first).sent == 1


def test_only_the_remote_that_was_named(pair, tmp_path):
    """Failure mode 42. Breaks if a sync pushed to another remote than it was told."""
    first, _ = pair
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "other.git")
    sync.remote_add(first, name="public", url=str(tmp_path / "other.git"))
    mail(first)
    sync.sync(first)
    assert git(tmp_path / "other.git", "for-each-ref") == ""
    sync.sync(first, remote="public")
    assert git(tmp_path / "other.git", "rev-parse", "main") == first.head()
    with pytest.raises(NotFound):
        sync.sync(first, remote="nobody")
    sync.remote_remove(first, name="public")
    assert [one.name for one in sync.remote_list(first)] == ["origin"]


def test_without_a_remote(tmp_path):
    """Breaks if a sync with nobody were a success, or did not say what to do."""
    store = Store.init(tmp_path / "a")
    with pytest.raises(Invalid, match="no remote") as caught:
        sync.sync(store)
    assert "remote add" in caught.value.hint


@pytest.mark.parametrize("under_way", ["detached", "branch", "merge"])
def test_what_is_under_way_is_told(pair, under_way):
    """Failure mode 31. Breaks if a sync wrote to main while a person was somewhere else with Git."""
    first, second = pair
    mail(second)
    sync.sync(second)
    if under_way == "detached":
        git(first.root, "checkout", "-q", "--detach")
    elif under_way == "branch":
        git(first.root, "checkout", "-q", "-b", "mine")
    else:
        (first.root / ".git" / "MERGE_HEAD").write_text(first.head() + "\n")
    before = first.head()
    shell = Shell(first.root)("sync")
    assert shell.status == 1
    assert first.head() == before


def test_a_shallow_clone(pair, hub, tmp_path):
    """Failure mode 31. Breaks if a store cut off from its history took the other side's for unrelated."""
    first, _ = pair
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{hub}", "shallow")
    store = Store.open(tmp_path / "shallow")
    mail(store, subject="from the shallow one")
    mail(first, subject="from the whole one")
    sync.sync(first)
    sync.sync(store)
    sync.sync(first)
    assert subjects(first, "api") >= {"from the shallow one", "from the whole one"}
    assert git(first.root, "rev-list", "--count", "main") != ""
    assert conflicts.list(first).items == []


def test_the_dulwich_way(pair, monkeypatch):
    """Breaks if a machine without a git binary could not sync."""
    first, second = pair
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    mail(first, subject="one")
    mail(second, subject="two")
    meet_without_git(first, second)
    assert subjects(first, "api") == subjects(second, "api") >= {"one", "two"}


def meet_without_git(*stores: Store) -> None:
    for store in (*stores, *stores):
        sync.sync(store)
    assert len({store.head() for store in stores}) == 1


# -- watching --------------------------------------------------------------------------------------


def test_watch_prints_new_mail(pair):
    """Breaks if mail that arrives by a sync were not told, or told twice."""
    first, second = pair
    command = [sys.executable, "-m", "sbfs", "--store", str(second.root), "sync", "--watch", "--every", "0.3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            mail(first, subject="look here")
            sync.sync(first)
            assert process.stdout is not None
            assert "look here" in process.stdout.readline()
            mail(second, subject="and here")
            assert "and here" in process.stdout.readline()
        finally:
            process.terminate()


def test_watch_saves_edits_as_they_are_made(pair):
    """Breaks if mail that a person writes by hand waited for a command while somebody watches."""
    first, _ = pair
    command = [sys.executable, "-m", "sbfs", "--store", str(first.root), "--json", "watch", "web", "--save"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            time.sleep(0.5)
            put(first, "projects/docs/outbox/x.yaml", "to_project: api\nsubject: not for web\ncontent: x\n")
            put(first, "projects/api/outbox/x.yaml", "to_project: web\nsubject: by hand\ncontent: x\n")
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["subject"] == "by hand"
        finally:
            process.terminate()


def test_pauses_grow():
    """Breaks if clones that push at once met again in every round."""
    random.seed(1)
    pauses = sync._pauses()
    found = [max(next(pauses) for _ in range(1)) for _ in range(12)]
    assert max(found) <= 5
    assert max(found[6:]) > max(found[:2])
