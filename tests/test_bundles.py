"""Bundles: what goes out comes in again, equal; merged, replaced, renamed; older states take nothing back."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from domain_helpers import SECRET, Shell, mail, people, put
from helpers import assert_sound, git, run_git
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sbfs import (
    bundles,
    configs,
    conflicts,
    conversations,
    doctor,
    documentation,
    furnishing,
    history,
    messages,
    projects,
    quality,
    reflections,
    worktree,
)
from sbfs.errors import AlreadyExists, Invalid, NotFound, Usage
from sbfs.git import trees
from sbfs.store import Store

FORMS: dict[str, dict[str, Any]] = {
    "bundle": {"format": "bundle"},
    "snapshot": {"format": "bundle", "snapshot": True},
    "zip": {"format": "zip"},
}
forms = pytest.mark.parametrize("form", FORMS)


CONFIGS = {
    "settings.yaml": "# ours\nport:   8080  # odd spaces stay\n",
    "tools.json": '{"b": 1,   "a": [2]}\n',
    "build.toml": "[tool]\nname = 'x' # why\n",
    "instructions.md": "# Read me\n\n  - so *and* so\n",
}


def filled(store: Store, folder: Path) -> None:
    """Some of everything."""
    people(store, "web", "api", "docs")
    projects.group_add(store, group="team", projects=["web", "api"])
    (folder / "note.txt").write_text("attached\n")
    first = mail(store, attach=[folder / "note.txt"])
    messages.reply(store, message_id=first.id, message="yes: *no* & !maybe\n  - indented\n")
    messages.send(store, from_project="api", to_project="docs", subject="to docs", message="x")
    reflections.add(store, project="web", title="Lock", type="lesson", tags=["db"])
    quality.add(store, project="api", components={"coverage": 80, "types": None})
    for name, text in CONFIGS.items():
        configs.set(store, project="web", name=name, text=text)


def content(store: Store, *folders: str) -> dict[str, str]:
    """Path → id of all records, or of those below some folders."""
    walked = trees.walk(store.repo.tree, store.view().commit.tree)
    found = {
        path: id for path, _, id in walked if path.startswith(("projects/", "groups/", "conflicts/", "templates/"))
    }
    return {path: id for path, id in found.items() if not folders or path.startswith(folders)}


def fresh(folder: Path, name: str = "other") -> Store:
    """Another store."""
    return Store.init(folder / name)


def out(store: Store, path: Path, form: str = "bundle", **keys: Any) -> Path:
    """Export into a file."""
    keys.setdefault("all", "projects" not in keys)
    bundles.export(store, output=path, **FORMS[form], **keys)
    return path


def take(store: Store, path: Path, strategy: str = "merge", **keys: Any) -> bundles.Imported:
    """Import a file."""
    return bundles.import_(store, path=path, strategy=strategy, **keys)


# -- round trips -----------------------------------------------------------------------------------


@forms
def test_what_goes_out_comes_in_equal(store, tmp_path, form):
    """AM-34, failure mode 40: a lossy export. The preview changes nothing, the import is one commit, twice is once."""
    filled(store, tmp_path)
    path = out(store, tmp_path / "x", form)
    with fresh(tmp_path) as other:
        before = other.head()
        seen = take(other, path, "preview")
        assert other.head() == before
        done = take(other, path)
        assert (seen.counts, seen.items) == (done.counts, done.items)
        assert content(other) == content(store)
        assert history.log(other).items[0].operation == "import"
        assert len(history.log(other).items) == 2
        again = take(other, path)
        assert (again.revision, sum(again.counts.values())) == ("", 0)
        assert_sound(other.root)
        history.undo(other)
        assert content(other) == {}
        assert take(other, path).counts == done.counts
        assert content(other) == content(store)


EVERYTHING = {"attachments", "config", "conversations", "docs", "graph", "inbox", "outbox", "quality", "reflections"}
"""The folders of a project, one a kind."""
_words = st.text(min_size=1, max_size=60).filter(lambda text: text.strip() and text.isprintable())


def read(store: Store, folder: Path, texts: list[str]) -> None:
    """A conversation of these texts, an attachment, a code graph and documentation of a source that says them."""
    talk = folder / "talk.jsonl"
    said = [{"role": "user", "content": text, "timestamp": "2026-02-11T09:00:00Z"} for text in texts]
    talk.write_text("".join(json.dumps(one) + "\n" for one in said))
    conversations.import_(store, paths=[talk], project="web")
    (folder / "all.bin").write_bytes("\0".join(texts).encode("utf-8", "surrogatepass"))
    mail(store, attach=[folder / "all.bin"])
    (folder / "source").mkdir()
    for number, text in enumerate(texts):
        (folder / "source" / f"m{number}.py").write_text(f"def f():\n    {text!r}\n    return f()\n")
    (folder / "source" / "README.md").write_text("# Read me\n\n" + "\n\n".join(texts), errors="replace")
    documentation.index(store, project="api", path=folder / "source")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=200), min_size=1, max_size=4),
    titles=st.lists(_words, min_size=1, max_size=3),
    form=st.sampled_from([*FORMS]),
)
def test_round_trip_of_any_text(tmp_path_factory, texts, titles, form):
    """Any text of a record in any form of file: the trees are equal, and the same store gives the same bytes."""
    folder = tmp_path_factory.mktemp("trip")
    with Store.init(folder / "one") as one, Store.init(folder / "two") as two:
        people(one, "web", "api")
        for text in texts:
            messages.send(one, from_project="web", to_project="api", subject="s", message=text)
        for number, title in enumerate(titles):
            reflections.add(one, project="web", title=title)
            configs.set(one, project="web", name=f"n{number}.md", text=f"{title}\r\n")
            configs.set(one, project="web", name=f"n{number}.json", text=json.dumps({"a": [title]}))
            projects.group_add(one, group=f"g{number}", projects=["web"], description=title)
            quality.add(one, project="api", score=number)
        read(one, folder, [*texts, *titles])
        path = out(one, folder / "x", form)
        take(two, path)
        assert content(two) == content(one)
        assert {name.split("/")[2] for name in content(two) if name.count("/") > 2} == EVERYTHING
        if form != "bundle":
            assert out(one, folder / "y", form).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("form", ["snapshot", "zip"])
def test_the_same_state_gives_the_same_bytes(store, tmp_path, form):
    """AM-34: bytes that depend on how Git keeps its objects, or on when the file was made."""
    filled(store, tmp_path)
    one = out(store, tmp_path / "one", form, projects=["web"]).read_bytes()
    shutil.copytree(store.root, tmp_path / "copy")
    git(tmp_path / "copy", "repack", "-adfq", "--depth=50", "--window=50")
    with Store.open(tmp_path / "copy") as copy:
        assert out(copy, tmp_path / "two", form, projects=["web"]).read_bytes() == one


@pytest.mark.parametrize("form", ["bundle", "snapshot"])
@pytest.mark.parametrize("chosen", [{}, {"projects": ["web"]}, {"exclude": ["mail"]}], ids=["all", "web", "no mail"])
def test_git_takes_every_bundle(store, tmp_path, form, chosen):
    """A bundle that Git does not verify, or whose clone does not hold the files; a clone is a store."""
    filled(store, tmp_path)
    path = out(store, tmp_path / "x.bundle", form, **chosen)
    assert run_git(store.root, "bundle", "verify", str(path)).returncode == 0
    git(tmp_path, "clone", "-q", str(path), "clone")
    git(tmp_path / "clone", "fsck", "--strict")
    with Store.open(tmp_path / "clone") as clone:
        found = content(clone)
        assert found
        assert found.items() <= content(store).items()
        assert clone.settings()["id"] == store.settings()["id"]
    names = {path.split("/")[1] for path in found if path.startswith("projects/")}
    assert names == ({"web"} if "projects" in chosen else {"web", "api", "docs"})
    assert any("/outbox/" in path for path in found) == (chosen != {"exclude": ["mail"]})


def test_what_dulwich_writes_git_reads_and_the_other_way_round(store, tmp_path, monkeypatch):
    """Without a git binary: another file, or one that is not taken (failure mode 38)."""
    filled(store, tmp_path)
    by_git = out(store, tmp_path / "git.bundle")
    begin = store.head()
    mail(store)
    git(store.root, "bundle", "create", "-q", str(tmp_path / "thin.bundle"), f"{begin}..main")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    by_us = out(store, tmp_path / "us.bundle")
    with fresh(tmp_path) as other:
        take(other, by_git)
        mine = content(other)
        take(other, by_us)
        assert content(other) == content(store) != mine
    with fresh(tmp_path, "third") as third, pytest.raises(Invalid, match=r"builds on the commit"):
        take(third, tmp_path / "thin.bundle")
    monkeypatch.undo()
    git(tmp_path, "clone", "-q", str(by_us), "clone")


def test_the_zip_says_what_it_holds(store, tmp_path):
    """A manifest without sums, or times of the machine in it."""
    filled(store, tmp_path)
    path = out(store, tmp_path / "x.zip", "zip", projects=["web"])
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        config = json.loads(archive.read("config.json"))
        names = {name.removeprefix("store/") for name in archive.namelist() if name.startswith("store/")}
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert {one["path"] for one in manifest["files"]} == names
    assert (manifest["format"], manifest["store"]) == (1, store.settings()["id"])
    assert manifest["commit"] == store.head()
    assert config["session_id"] == "web"
    assert config["includes"] == {"reflections": True, "quality_history": True, "multi_project": True}
    assert config["exported_at"].startswith(store.view().commit.time.isoformat()[:19])


# -- what both have in common ----------------------------------------------------------------------


@forms
def test_an_older_state_takes_nothing_back(store, tmp_path, form):
    """GP-12, failure mode 39 (beads#3822, #4128): imported over what came since, a change or a removal is undone."""
    filled(store, tmp_path)
    old = out(store, tmp_path / "old", form)
    projects.set(store, project="web", description="newer")
    learnt = reflections.list(store, project="web").items[0]
    reflections.remove(store, reflection_id=learnt.id)
    messages.mark(store, message_ids=[messages.list(store, project="api").items[0].message.id], status="archived")
    before = content(store)
    done = take(store, old)
    assert content(store) == before
    assert done.revision == ""
    with fresh(tmp_path) as other:
        take(other, old)
        take(other, out(store, tmp_path / "new", form))
        assert content(other) == before
        assert take(other, old).counts["conflict"] == 0
        assert content(other) == before
        assert conflicts.list(other).items == []


@forms
def test_two_stores_that_went_on_apart_merge(store, tmp_path, form):
    """What one side changed alone is no conflict where an earlier import is what both began with."""
    filled(store, tmp_path)
    with fresh(tmp_path) as other:
        take(other, out(store, tmp_path / "one", form))
        projects.set(other, project="web", alias="ours")
        projects.set(store, project="web", description="theirs")
        projects.set(store, project="api", alias="only there")
        done = take(other, out(store, tmp_path / "two", form))
        assert done.counts["conflict"] == 0
        found = projects.show(other, project="web")
        assert (found.alias, found.description) == ("ours", "theirs")
        assert projects.show(other, project="api").alias == "only there"
        assert_sound(other.root)


@forms
def test_what_is_left_out_is_not_removed(store, tmp_path, form):
    """A file that is none of the store's, changed on the other side: left out, it looks as if it had been deleted."""
    filled(store, tmp_path)
    file = store.root / "projects/web/notes.txt"
    file.write_text("one\n")
    git(store.root, "add", "-A")
    git(store.root, "commit", "-qm", "notes")
    shutil.copytree(store.root, tmp_path / "copy")
    file.write_text("two\n")
    git(store.root, "commit", "-qam", "changed")
    with Store.open(tmp_path / "copy") as copy:
        done = take(copy, out(store, tmp_path / "x", form))
        assert [one.name for one in done.left_out] == ["projects/web/notes.txt"]
        assert (copy.root / "projects/web/notes.txt").read_text() == "one\n"


@pytest.mark.parametrize(
    ("choice", "stands", "kept"),
    [
        ("both", "later", 1),
        ("newer", "later", 0),
        ("ours", "later", 0),
        ("theirs", "earlier", 0),
        ("ask", "earlier", 0),
    ],
)
def test_conflicts_come_out_as_chosen(store, tmp_path, clock, choice, stands, kept):
    """A conflict that falls to the other side, or leaves a value nowhere."""
    filled(store, tmp_path)
    with Store.init(tmp_path / "other", clock=clock) as other:
        take(other, out(store, tmp_path / "one"))
        clock.forward(minutes=1)
        projects.set(store, project="web", alias="earlier")
        clock.forward(minutes=1)
        projects.set(other, project="web", alias="later")
        path = out(store, tmp_path / "two")
        asked: list[str] = []

        def choose(item):
            asked.append(item.path)
            return "theirs"

        seen = take(other, path, "preview", on_conflict=[choice], choose=choose)
        assert [(one.id, one.action) for one in seen.items] == [("web", "conflict")]
        assert "alias" in seen.items[0].detail
        take(other, path, on_conflict=[f"project={choice}"], choose=choose)
        assert asked == (["projects/web/project.yaml"] * 2 if choice == "ask" else [])
        assert projects.show(other, project="web").alias == stands
        assert len(conflicts.list(other).items) == kept


def test_replace_makes_the_projects_equal(store, tmp_path):
    """A record that stays though the bundle has none, or another project's that goes."""
    filled(store, tmp_path)
    path = out(store, tmp_path / "web", projects=["web"])
    with fresh(tmp_path) as other:
        people(other, "web", "mine")
        reflections.add(other, project="web", title="only here")
        mail(other, sender="mine", to="web")
        before = content(other, "projects/mine/")
        seen = take(other, path, "preview")
        assert seen.counts["remove"] == 0
        done = take(other, path, "replace")
        assert done.counts["remove"] == 2
        assert content(other, "projects/web/") == content(store, "projects/web/")
        assert content(other, "projects/mine/") == before
        history.undo(other)
        assert reflections.list(other, project="web").items[0].title == "only here"
        assert_sound(other.root)


def test_replace_leaves_what_the_bundle_is_not_about(store, tmp_path):
    """Mail that goes because a bundle without mail replaced its project."""
    filled(store, tmp_path)
    path = out(store, tmp_path / "x", projects=["web"], exclude=["mail"])
    mail(store)
    before = content(store)
    take(store, path, "replace")
    assert content(store) == before


# -- other names, parts, what is new ---------------------------------------------------------------


@forms
def test_another_name_on_the_way(store, tmp_path, form):
    """A project whose records still say the old name; mapped again, it is the same project."""
    filled(store, tmp_path)
    path = out(store, tmp_path / "x", form, projects=["web"])
    with fresh(tmp_path) as other:
        done = take(other, path, map=["web=shop"])
        assert done.projects == ("shop",)
        assert {one.split("/")[1] for one in content(other, "projects/")} == {"shop"}
        assert projects.show(other, project="shop").name == "shop"
        sent = messages.list(other, project="shop", box="outbox").items[0].message
        assert sent.from_project == "shop"
        assert projects.group_show(other, group="team").projects == ("api", "shop")
        assert take(other, path, map=["web=shop"]).revision == ""
        projects.set(store, project="web", alias="new")
        take(other, out(store, tmp_path / "y", form, projects=["web"]), map=["web=shop"])
        assert projects.show(other, project="shop").alias == "new"
        assert not conflicts.list(other).items


def test_a_copy_beside_the_original(store, tmp_path):
    """Imported into the store it is from, under another name: nothing comes, since both have it in common."""
    filled(store, tmp_path)
    for number, chosen in enumerate(({"projects": ["web"]}, {"all": True})):
        before = content(store)
        path = out(store, tmp_path / f"{number}", exclude=["mail"], **chosen)
        done = take(store, path, map=[f"web=copy-{number}"])
        assert done.counts["remove"] == 0
        assert content(store).items() >= {path: id for path, id in before.items() if "groups" not in path}.items()
        assert projects.show(store, project=f"copy-{number}").name == f"copy-{number}"
        assert len(reflections.list(store, project=f"copy-{number}").items) == 1


@pytest.mark.parametrize(
    "wrong", [["web"], ["web=x", "web=y"], ["web=x", "api=x"], ["web=../x"], ["nobody=x"], ["web=api"]]
)
def test_a_map_that_cannot_be(store, tmp_path, wrong):
    """Two projects become one, or a name leads out."""
    filled(store, tmp_path)
    with fresh(tmp_path) as other, pytest.raises(Invalid):
        take(other, out(store, tmp_path / "x"), "preview", map=wrong)


def test_only_a_part(store, tmp_path):
    """More comes in than was asked for."""
    filled(store, tmp_path)
    path = out(store, tmp_path / "x")
    with fresh(tmp_path) as other:
        take(other, path, only=["reflections", "web"])
        assert {one.split("/")[2] for one in content(other)} == {"project.yaml", "reflections"}
        with pytest.raises(Invalid, match="no project"):
            take(other, path, only=["nobody"])


@pytest.mark.parametrize("form", ["bundle", "zip"])
@pytest.mark.parametrize("chosen", [{}, {"projects": ["web"]}], ids=["all", "web"])
def test_only_what_is_new(store, tmp_path, form, chosen):
    """A thin bundle without its base is taken, or one with it brings something else than the whole would."""
    filled(store, tmp_path)
    first = out(store, tmp_path / "first", form, **chosen)
    mail(store)
    learnt = reflections.list(store, project="web").items[0].id
    projects.set(store, project="web", alias="newer")
    reflections.edit(store, reflection_id=learnt, title="edited")
    second = out(store, tmp_path / "second", form, since=str(first), **chosen)
    assert second.stat().st_size < out(store, tmp_path / "whole", form, **chosen).stat().st_size
    with fresh(tmp_path) as other:
        with pytest.raises(Invalid, match="builds on"):
            take(other, second, "preview")
        take(other, first)
        take(other, second)
        assert content(other) == content(store, *(["projects/web/", "groups/"] if chosen else ()))
        assert take(other, second).revision == ""
        assert_sound(other.root)
    with pytest.raises(Invalid, match="nothing is new"):
        out(store, tmp_path / "third", form, since=store.head(), **chosen)


def test_one_conversation_or_group_goes_alone(store, tmp_path):
    """`@group`, and names that are none."""
    filled(store, tmp_path)
    made = bundles.export(store, projects=["@team"], output=tmp_path / "x")
    assert made.chosen.projects == ("api", "web")
    for wrong in (["nobody"], []):
        with pytest.raises((NotFound, Invalid)):
            bundles.export(store, projects=wrong, output=tmp_path / "y")
    with pytest.raises(AlreadyExists):
        bundles.export(store, all=True, output=tmp_path / "x")
    assert not (tmp_path / "y").exists()


TALK = """\
{"role": "user", "name": "Pat", "content": "Why is it old?", "timestamp": "2026-02-11T09:00:00Z"}
{"role": "assistant", "content": "The cache.", "timestamp": "2026-02-11T09:00:20Z"}
"""


@forms
def test_one_conversation_goes_alone(store, tmp_path, form):
    """Another conversation that comes along, or what was learnt in this one that does not."""
    people(store, "web", "api")
    for name in ("one", "two"):
        (tmp_path / f"{name}.jsonl").write_text(TALK.replace("old", name))
        conversations.import_(store, paths=[tmp_path / f"{name}.jsonl"], project="web")
    ids = {one.header.title[-4:-1]: one.header.id for one in conversations.list(store).items}
    learnt = reflections.add(store, project="web", title="Cache", conversation=ids["one"]).reflection
    reflections.add(store, project="web", title="Other", conversation=ids["two"])
    quality.add(store, project="web", score=50, conversation=ids["one"])
    made = bundles.export(store, projects=[ids["one"]], output=tmp_path / "x", **FORMS[form])
    assert made.config["session_id"] == ids["one"]
    with fresh(tmp_path) as other:
        take(other, tmp_path / "x")
        assert [one.header.id for one in conversations.list(other).items] == [ids["one"]]
        assert [one.id for one in reflections.list(other).items] == [learnt.id]
        assert len(quality.list(other).items) == 1
        assert content(other).items() <= content(store).items()
        assert take(other, tmp_path / "x").revision == ""


def test_a_cloned_conversation_is_one_of_its_own(store, tmp_path):
    """Turns that stay behind, or a reflection of the copy that names the original."""
    people(store, "web")
    (tmp_path / "one.jsonl").write_text(TALK)
    conversations.import_(store, paths=[tmp_path / "one.jsonl"], project="web")
    (old,) = conversations.list(store).items
    reflections.add(store, project="web", title="Cache", conversation=old.header.id)
    bundles.clone_project(store, project="web", name="shop")
    (new,) = conversations.list(store, project="shop").items
    assert new.header.id.startswith("conv-")
    shown = conversations.show(store, conversation_id=new.header.id)
    assert len(shown.turns) == 2
    assert reflections.list(store, project="shop").items[0].conversation == new.header.id
    assert_sound(store.root)


def test_mail_that_came_in_an_import_is_not_delivered_here(store, tmp_path, clock):
    """`check --fix` puts another team's mail into the inbox of a project here that only has the same name."""
    with Store.init(tmp_path / "other", clock=clock) as other:
        people(other, "api")
        clock.forward(minutes=1)
        people(store, "web", "api")
        mail(store)
        take(other, out(store, tmp_path / "x", projects=["web"]))
        assert "undelivered" not in {one.code for one in doctor.check(other).left}
        lost = mail(other, sender="web", to="api")
        file = next(path for path in content(other, "projects/api/inbox/") if lost.id in path)
        (other.root / file).unlink()
        git(other.root, "commit", "-qam", "lost")
        found = [one.path for one in doctor.check(other).left if one.code == "undelivered"]
        assert [lost.id in path for path in found] == [True]


# -- configurations and templates ------------------------------------------------------------------

RELEASE = "description: A release\nfields: {version: }\nmessage: {subject: 'Out: {{ version }}', body: See there}\n"


def furnished(store: Store, folder: Path) -> None:
    """Some of everything, and a template of the store's own."""
    filled(store, folder)
    put(store, "templates/messages/release/template.yaml", RELEASE.encode())
    worktree.save(store)


@forms
def test_configurations_come_as_they_were_written(store, tmp_path, form):
    """A text that is written anew on the way, under another name too; or more comes than was asked for."""
    furnished(store, tmp_path)
    path = out(store, tmp_path / "x", form)
    with fresh(tmp_path) as other:
        done = take(other, path, only=["config"], map=["web=shop"])
        assert {one.id for one in done.items if one.kind == "config"} == {*CONFIGS}
        assert {one.name: one.text for one in configs.list(other, project="shop").items} == CONFIGS
        assert not any(path.startswith("templates/") for path in content(other))
        configs.set(other, project="shop", name="settings", key="port", value=1)
        assert take(other, path, only=["config"], map=["web=shop"]).revision == ""
        take(other, path, "replace", only=["config"], map=["web=shop"])
        assert configs.get(other, project="shop", name="settings.yaml").text == CONFIGS["settings.yaml"]
        history.undo(other)
        assert configs.get(other, project="shop", name="settings", key="port").value == 1
        take(other, path)
        assert content(other).items() >= content(store, "projects/", "templates/").items()


@forms
def test_the_stores_templates_come_along(store, tmp_path, form):
    """A store's templates that stay behind, or that come with one project."""
    furnished(store, tmp_path)
    with fresh(tmp_path) as other:
        take(other, out(store, tmp_path / "web", form, projects=["web"]))
        assert not content(other, "templates/")
        done = take(other, out(store, tmp_path / "x", form), only=["templates"])
        assert [one.id for one in done.items] == ["templates/messages/release/template.yaml"]
        assert content(other, "templates/") == content(store, "templates/")
        history.undo(other)
        assert not content(other, "templates/")


@pytest.mark.parametrize("format", ["bundle", "zip"])
def test_what_others_can_begin_with(store, tmp_path, format):
    """Mail that goes out with a template, in the files or in a history; a file whose templates cannot be used."""
    with pytest.raises(Invalid, match="no project has configurations"):
        bundles.export(store, as_template=True, format=format, output=tmp_path / "no")
    furnished(store, tmp_path)
    path = tmp_path / "t"
    made = bundles.export(store, as_template=True, format=format, output=path)
    assert made.chosen.projects == ("web",)
    bundles.export(store, as_template=True, format=format, output=tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()
    with fresh(tmp_path) as other:
        take(other, path)
        wanted = content(store, "projects/web/config/", "templates/", "projects/web/project.yaml")
        assert content(other) == wanted
    with fresh(tmp_path, "third") as third:
        people(third, "web", "api")
        given = ("send", "web", "api", "--template", "release", "--templates", str(path), "--set", "version=2")
        assert Shell(third.root)(*given).status == 0
        assert messages.list(third, project="api").items[0].message.subject == "Out: 2"
        listed = furnishing.templates(third, kind="message", templates=path)
        assert {one.origin for one in listed if one.name == "release"} == {str(path)}
    for wrong in ({"include": ["mail"]}, {"since": "HEAD"}):
        with pytest.raises(Invalid):
            bundles.export(store, as_template=True, output=tmp_path / "no", **wrong)
    with pytest.raises(Invalid, match="no templates"):
        furnishing.templates(store, templates=out(store, tmp_path / "none", projects=["web"]))
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(Invalid):
        furnishing.templates(store, templates=path)


def test_a_configuration_with_a_secret_stays_behind(store, tmp_path):
    """Half a settings file comes in, or a key."""
    filled(store, tmp_path)
    (store.root / "projects/web/config/settings.yaml").write_text(f"port: 1\nkey: {SECRET}\n")
    git(store.root, "commit", "-qam", "by hand")
    with fresh(tmp_path) as other:
        done = take(other, out(store, tmp_path / "x"))
        assert [one.name for one in done.left_out] == ["projects/web/config/settings.yaml"]
        assert {one.name for one in configs.list(other).items} == {*CONFIGS} - {"settings.yaml"}


# -- secrets ---------------------------------------------------------------------------------------


def test_secrets_are_named_on_the_way_out_and_taken_out_on_the_way_in(store, tmp_path):
    """Failure mode 42: a secret that plain Git brought into the history goes on to another store in silence."""
    filled(store, tmp_path)
    file = store.root / "projects/web/project.yaml"
    file.write_text(file.read_text() + f"description: the key is {SECRET}\n")
    git(store.root, "commit", "-qam", "by hand")
    for form in FORMS:
        for _ in range(2):
            made = bundles.export(store, all=True, output=tmp_path / form, force=True, **FORMS[form])
            assert [(one.path, one.type) for one in made.secrets] == [("projects/web/project.yaml", "github-token")]
        with fresh(tmp_path, f"other-{form}") as other:
            done = take(other, tmp_path / form)
            assert dict(done.redacted) == {"github-token": 1}
            assert SECRET not in (other.root / "projects/web/project.yaml").read_text()


def test_a_clean_store_is_looked_at_once(store, tmp_path):
    """A secret that came since is overlooked because the store was clean before."""
    filled(store, tmp_path)
    assert not bundles.export(store, all=True, output=tmp_path / "one").secrets
    file = store.root / "projects/web/project.yaml"
    file.write_text(file.read_text() + f"host: {SECRET}\n")
    git(store.root, "commit", "-qam", "by hand")
    assert len(bundles.export(store, all=True, output=tmp_path / "two").secrets) == 1


def test_only_exports_of_stores_replace(store, tmp_path):
    """Usage that has no meaning."""
    filled(store, tmp_path)
    with pytest.raises(Invalid):
        bundles.export(store, all=True, output=tmp_path / "x", snapshot=True, since="HEAD")
    with pytest.raises(Invalid):
        take(store, out(store, tmp_path / "y"), "overwrite")
    assert issubclass(Usage, Exception)
