"""Backups: full, then what is new, checked, thinned; brought back whole. And copies of a project beside it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from domain_helpers import Shell, mail, people
from helpers import assert_sound, git, run_git
from test_bundles import content, filled

from sbfs import bundles, doctor, history, messages, projects, quality, reflections
from sbfs.errors import AlreadyExists, Invalid, NotFound
from sbfs.store import Store


def names(folder: Path) -> list[str]:
    """`full` and `more`, in order."""
    return [name.rpartition("-")[2].removesuffix(".bundle") for name in sorted(os.listdir(folder))]


def test_full_then_what_is_new_then_nothing(store, tmp_path, clock):
    """A backup that cannot be brought back; one of nothing; a second full one each time."""
    filled(store, tmp_path)
    folder = tmp_path / "safe"
    assert bundles.backup(store, folder=folder).made.full
    assert bundles.backup(store, folder=folder).made is None
    for number in range(3):
        clock.forward(hours=1)
        mail(store, subject=f"number {number}")
        made = bundles.backup(store, folder=folder)
        assert not made.made.full
        assert (Path(made.made.path).stat().st_mode & 0o777) == 0o600
    assert names(folder) == ["full", "more", "more", "more"]
    assert made.kept == 4
    done = bundles.restore(folder, tmp_path / "back")
    assert len(done.used) == 4
    with Store.open(tmp_path / "back") as back:
        assert (content(back), back.head()) == (content(store), store.head())
        assert history.log(back, limit=100).items == history.log(store, limit=100).items
        assert_sound(back.root)
    git(tmp_path, "clone", "-q", str(folder / min(os.listdir(folder))), "by-git")


def test_as_it_was(store, tmp_path, clock):
    """--at brings back another state, or one from after it."""
    filled(store, tmp_path)
    folder = tmp_path / "safe"
    bundles.backup(store, folder=folder)
    before, then = content(store), clock.now
    clock.forward(hours=2)
    mail(store)
    bundles.backup(store, folder=folder)
    bundles.restore(folder, tmp_path / "old", at=then)
    bundles.restore(folder / min(os.listdir(folder)), tmp_path / "first")
    for name in ("old", "first"):
        with Store.open(tmp_path / name) as back:
            assert content(back) == before
    clock.forward(days=-30)
    with pytest.raises(NotFound):
        bundles.restore(folder, tmp_path / "older", at=clock.now)
    assert not (tmp_path / "older").exists()


def test_old_ones_are_thinned_by_the_rule(store, tmp_path, clock):
    """The last copy of a month goes, or a chain loses the one that the others build on."""
    people(store, "web", "api")
    folder = tmp_path / "safe"
    for day in range(120):
        mail(store, subject=f"day {day}")
        bundles.backup(store, folder=folder, keep="3,2,12")
        clock.forward(days=1)
    found = sorted(os.listdir(folder))
    assert len(found) < 60
    months = {re.search(r"-(\d{6})\d\dT", name)[1] for name in found}
    assert len(months) == 5
    assert names(folder)[0] == "full"
    kept = bundles.restore(folder, tmp_path / "back")
    with Store.open(tmp_path / "back") as back:
        assert content(back) == content(store)
    assert len(kept.used) <= 8
    with pytest.raises(Invalid):
        bundles.backup(store, folder=folder, keep="many")


def test_a_damaged_backup_is_refused_and_nothing_made(store, tmp_path):
    """A file with a flipped byte is brought back in part."""
    filled(store, tmp_path)
    folder = tmp_path / "safe"
    path = Path(bundles.backup(store, folder=folder).made.path)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(raw)
    with pytest.raises(Invalid, match=path.name):
        bundles.restore(folder, tmp_path / "back")
    assert not (tmp_path / "back").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    for target in (tmp_path / "full", tmp_path / "full" / "mine.txt"):
        with pytest.raises(Invalid):
            bundles.restore(folder, target)
    assert (tmp_path / "full" / "mine.txt").read_text() == "x"


def test_history_that_was_rewritten_begins_a_full_one(store, tmp_path, clock):
    """After a force-push or a gc, the commit of the last backup is gone: what is new since cannot be told."""
    people(store, "web")
    folder = tmp_path / "safe"
    bundles.backup(store, folder=folder)
    clock.forward(hours=1)
    git(store.root, "commit", "-q", "--amend", "-m", "other")
    git(store.root, "reflog", "expire", "--expire=now", "--all")
    git(store.root, "gc", "-q", "--prune=now")
    with Store.open(store.root, clock=clock) as again:
        assert bundles.backup(again, folder=folder).made.full
    assert run_git(tmp_path, "clone", "-q", str(folder / sorted(os.listdir(folder))[1]), "x").returncode == 0


def test_backups_from_the_shell(store, tmp_path):
    """A restore whose files are not there until the next command."""
    filled(store, tmp_path)
    shell = Shell(store.root)
    assert shell.json("backup", str(tmp_path / "safe"))["made"]["full"] is True
    assert shell.json("backup", str(tmp_path / "safe"))["made"] is None
    answer = Shell(None).json("restore", str(tmp_path / "safe"), str(tmp_path / "back"))
    assert answer["store"] == store.settings()["id"]
    assert (tmp_path / "back/projects/web/project.yaml").is_file()
    Shell(None).fails(3, "not_found", "restore", str(tmp_path / "nowhere"), str(tmp_path / "other"))


# -- a copy beside it ------------------------------------------------------------------------------


def test_a_clone_has_ids_of_its_own_and_remembers(store, tmp_path):
    """Two records with one id; a copy whose threads point into the original; mail that `check --fix` sends again."""
    filled(store, tmp_path)
    conversation = "conv-1"
    quality.add(store, project="web", score=50, conversation=conversation)
    learnt = reflections.list(store, project="web").items[0]
    reflections.add(store, project="web", title="See", links=[learnt.id])
    before = content(store)
    made = bundles.clone_project(store, project="web", name="shop")
    assert made.extra["origin"]["project"] == "web"
    after = content(store)
    assert after.items() >= before.items()
    ids = {Path(path).stem for path in after if "/inbox/" in path or "/reflections/" in path or "/quality/" in path}
    # Configurations have names, not ids.
    mine = {Path(path).stem for path in after if path.startswith("projects/shop/") and "/config/" not in path}
    assert not mine & {Path(path).stem for path in before} - {"project", "note"}
    assert ids
    sent = messages.list(store, project="shop", box="outbox").items[0].message
    answer = messages.list(store, project="shop").items[0].message
    original = messages.list(store, project="web", box="outbox").items[0].message
    assert (sent.from_project, sent.to_project, sent.body) == ("shop", "api", original.body)
    assert sent.extra["copied_from"] == original.id
    assert (answer.to_project, answer.in_reply_to, answer.thread) == ("shop", sent.id, sent.id)
    copied = {one.title: one for one in reflections.list(store, project="shop").items}
    assert copied["See"].links == (copied["Lock"].id,)
    assert copied["See"].extra["copied_from"] != copied["See"].id
    found = doctor.check(store, fix=True)
    assert [one for one in found.findings if one.code != "configuration"] == []
    assert content(store) == after
    assert_sound(store.root)
    with pytest.raises(AlreadyExists):
        bundles.clone_project(store, project="web", name="api")
    history.undo(store)
    assert content(store) == before
    assert projects.show(store, project="web").name == "web"
