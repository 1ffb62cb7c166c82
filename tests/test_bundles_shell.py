"""Bundles as people and agents use them: the shell, MCP, and a process that dies in an import."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from domain_helpers import SECRET, Shell, mail
from helpers import assert_sound, die_importing, finish, git, spawn
from test_bundles import content, filled
from test_mcp import ask, document

from sbfs import bundles, doctor, history, projects, sync
from sbfs.store import Store


def test_a_preview_then_a_merge(store, tmp_path):
    """A preview that people cannot read, or one whose document is not the one that is promised."""
    filled(store, tmp_path)
    said = Shell(store.root).json("export", "web", "-o", str(tmp_path / "web.bundle"))
    assert (said["projects"], said["format"], said["secrets"]) == (["web"], "bundle", [])
    assert said["size_bytes"] == (tmp_path / "web.bundle").stat().st_size
    assert (tmp_path / "web.bundle").stat().st_mode & 0o777 == 0o600
    with Store.init(tmp_path / "other") as other:
        shell = Shell(other.root)
        seen = shell("import", str(tmp_path / "web.bundle"), "--map", "web=shop")
        assert seen.status == 0
        assert "add     project" in seen.out
        assert "would be:" in seen.out
        told = shell.json("import", str(tmp_path / "web.bundle"), "--map", "web=shop")
        plan = told["import_plan"]
        assert {*plan} == {
            "config",
            "reflections",
            "quality_history",
            "project_groups",
            "conflicts",
            "changes",
            "folders",
        }
        assert {*plan["changes"][0]} == {"path", "kind", "id", "action", "detail"}
        assert (plan["reflections"], plan["project_groups"], told["revision"]) == (1, 1, "")
        done = shell.json("import", str(tmp_path / "web.bundle"), "--map", "web=shop", "--strategy", "merge")
        assert (done["counts"], done["revision"]) == (told["counts"], other.head())
        shell.fails(4, "invalid", "import", str(tmp_path / "web.bundle"), "--map", "web")
        shell.fails(4, "invalid", "import", str(tmp_path / "web.bundle"), "--on-conflict", "mine")
        shell.fails(4, "exists", "export", "--all", "-o", str(tmp_path / "web.bundle"))
        shell.fails(4, "invalid", "export", "-o", str(tmp_path / "x"))
        shell.fails(3, "not_found", "export", "nobody", "-o", str(tmp_path / "x"))
    assert not (tmp_path / "x").exists()


def test_a_person_is_asked(store, tmp_path, clock):
    """--on-conflict ask, and nobody there to be asked."""
    filled(store, tmp_path)
    with Store.init(tmp_path / "other", clock=clock) as other:
        bundles.export(store, all=True, output=tmp_path / "one")
        bundles.import_(other, path=tmp_path / "one", strategy="merge")
        clock.forward(minutes=1)
        projects.set(other, project="web", alias="ours")
        clock.forward(minutes=1)
        projects.set(store, project="web", alias="theirs")
        bundles.export(store, all=True, output=tmp_path / "two")
        shell = Shell(other.root)
        answer = shell("import", str(tmp_path / "two"), "--strategy", "merge", "--on-conflict", "ask", input="ours\n")
        assert answer.status == 0, answer
        assert projects.show(other, project="web").alias == "ours"
        shell("undo")
        wrong = shell("import", str(tmp_path / "two"), "--on-conflict", "ask", "--json")
        assert wrong.status == 4


def test_verify_needs_no_store(store, tmp_path):
    """A file that is only known to be good once it is too late."""
    filled(store, tmp_path)
    shell = Shell(None)
    for form in ("bundle", "zip"):
        bundles.export(store, all=True, format=form, output=tmp_path / form)
        said = shell.json("bundle", "verify", str(tmp_path / form))
        assert (said["whole"], said["format"], said["projects"]) == (True, form, ["api", "docs", "web"])
        assert said["counts"] == {
            "config": 4,
            "file": 2,
            "group": 1,
            "message": 6,
            "project": 3,
            "quality": 1,
            "reflection": 1,
        }
        assert said["holds"] == ["mail", "reflections", "quality", "config", "groups"]
        assert (said["store"], said["commit"]) == (store.settings()["id"], store.head())
        raw = bytearray((tmp_path / form).read_bytes())
        raw[len(raw) // 2] ^= 1
        (tmp_path / "bad").write_bytes(raw)
        shell.fails(4, "invalid", "bundle", "verify", str(tmp_path / "bad"))
    mail(store)
    bundles.export(store, all=True, since=str(tmp_path / "bundle"), output=tmp_path / "since")
    said = shell.json("bundle", "verify", str(tmp_path / "since"))
    assert (said["whole"], len(said["needs"])) == (False, 1)
    (tmp_path / "cut").write_bytes((tmp_path / "since").read_bytes()[:-1])
    shell.fails(4, "invalid", "bundle", "verify", str(tmp_path / "cut"))


def test_secrets_are_said_on_the_way_out(store, tmp_path):
    """A secret that leaves in silence."""
    filled(store, tmp_path)
    file = store.root / "projects/web/project.yaml"
    file.write_text(file.read_text() + f"description: the key is {SECRET}\n")
    git(store.root, "commit", "-qam", "by hand")
    answer = Shell(store.root)("export", "--all", "-o", str(tmp_path / "x"))
    assert answer.status == 0
    assert "projects/web/project.yaml:" in answer.err
    assert SECRET not in answer.out + answer.err


def test_a_bundle_is_a_repository_to_clone(store, tmp_path, monkeypatch):
    """`sbfs clone FILE`: a store of its own, with the history."""
    filled(store, tmp_path)
    bundles.export(store, all=True, output=tmp_path / "x.bundle")
    monkeypatch.chdir(tmp_path)
    sync.clone("x.bundle", tmp_path / "clone")
    with Store.open(tmp_path / "clone") as clone:
        assert clone.head() == store.head()
        assert len(history.log(clone).items) == len(history.log(store).items)


def test_agents_export_and_import(store, tmp_path, monkeypatch):
    """The two tools do not have the shapes that the systems before sbfs gave them."""
    filled(store, tmp_path)

    async def talk(client):
        given = {"session_id": "web", "include_quality_history": False}
        made = document(await client.call_tool("export_session_config", given))
        seen = document(await client.call_tool("import_session_config", {"zip_path": made["export_path"]}))
        wrong = await client.call_tool("export_session_config", {"session_id": "nobody"})
        return made, seen, document(wrong)

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    made, seen, wrong = ask(store.root, talk)
    assert {"success", "export_path", "size_bytes", "config"} <= {*made}
    assert made["config"]["includes"] == {"reflections": True, "quality_history": False, "multi_project": True}
    assert made["config"]["session_id"] == "web"
    with zipfile.ZipFile(made["export_path"]) as archive:
        assert {"manifest.json", "config.json"} <= {*archive.namelist()}
        assert not any("/quality/" in name for name in archive.namelist())
    assert (seen["merge_strategy"], seen["import_plan"]["changes"]) == ("preview", [])
    assert (wrong["success"], wrong["code"]) == (False, "not_found")


def test_killed_in_an_import(store, tmp_path):
    """Killed at any step: the import is there whole, or not at all, and the next command works."""
    filled(store, tmp_path)
    bundles.export(store, all=True, output=tmp_path / "x")
    Store.init(tmp_path / "template").close()
    outcomes = set()
    for at in range(1, 600, 11):
        root = tmp_path / f"{at}"
        shutil.copytree(tmp_path / "template", root)
        git(root, "status")
        code = finish(spawn(die_importing, root, tmp_path / "x", at))[0]
        with Store.open(root, lock_wait=20) as other:
            found = content(other)
            outcomes.add((code, bool(found)))
            assert found in ({}, content(store))
            bundles.import_(other, path=tmp_path / "x", strategy="merge")
            assert content(other) == content(store)
            assert not [one for one in doctor.check(other).left if one.code not in ("configuration", "left-over")]
        assert_sound(root, litter=True)
        if code == 0:
            break
    assert outcomes >= {(-9, False), (0, True)}
    assert (Path(root) / "projects/web/project.yaml").is_file()
