"""Templates: what a store, a project, a message or a configuration begins with."""

from __future__ import annotations

from pathlib import Path

import pytest
from domain_helpers import SECRET, Shell, people, put
from helpers import assert_sound, commits

from sbfs import configs, furnishing, messages, projects, templating, worktree
from sbfs.errors import Ambiguous, Invalid, NotFound
from sbfs.store import Store
from sbfs.templating import fill, pick, read

OWN = templating.own()
WORD = "a word, with 'quotes' and: a colon # and more"


def made(kind: str, files: dict[str, str]) -> templating.Template:
    """A template of one kind."""
    (found,) = read({f"{kind}s/x/{name}": text for name, text in files.items()}, origin="here")
    return found


def test_the_promised_ones_are_there():
    """A kind of store or a form that nobody wrote."""
    names = {(one.kind, one.name) for one in OWN}
    assert names >= {("store", "single-developer"), ("store", "team"), ("store", "maintainer")}
    forms = ("api-ready", "test-failure", "hand-over", "review-request", "question")
    assert names >= {("message", form) for form in forms}
    assert {kind for kind, _ in names} == {*templating.KINDS}


@pytest.mark.parametrize("template", OWN, ids=lambda one: f"{one.kind}/{one.name}")
def test_each_can_be_used(store: Store, template):
    """A template that is shipped broken, or whose values break out of their place."""
    assert template.description
    people(store, "web", "api")
    fields = {
        one.name: "core" if template.kind == "store" and one.name != "purpose" else WORD for one in template.fields
    }
    known = {"project": "web", "from_project": "web", "to_project": "api", "date": "2026-11-22"}
    if template.kind == "store":
        fields = {
            name: value if value != "core" else f"core-{number}" for number, (name, value) in enumerate(fields.items())
        }
        names = furnishing.furnish(store, filled=fill(template, fields))
        assert {one.name for one in projects.list(store).items} >= {*names}
        assert names
    elif template.kind == "project":
        filled = fill(template, fields, known={**known, "project": "new"})
        facts = furnishing.facts(filled)
        begin = furnishing.beginning(store, project="new", filled=filled)
        assert projects.add(store, name="new", **facts, begin=begin).description
    elif template.kind == "message":
        form = furnishing.form(fill(template, fields, known=known))
        assert WORD in messages.send(store, from_project="web", to_project="api", **form).messages[0].body
    else:
        assert configs.apply(store, project="web", files=fill(template, fields, known=known).files)
    assert_sound(store.root)


def test_a_store_is_made_by_one_command(tmp_path: Path):
    """A store that is half made, or made of a template that cannot be."""
    shell = Shell(None)
    shell.fails(4, "invalid", "init", str(tmp_path / "no"), "--template", "maintainer")
    shell.fails(4, "invalid", "init", str(tmp_path / "no"), "--template", "team", "--set", "backend=Not A Name")
    shell.fails(4, "invalid", "init", str(tmp_path / "no"), "--template", "team", "--set", "nobody=x")
    shell.fails(3, "not_found", "init", str(tmp_path / "no"), "--template", "taem")
    shell.fails(2, "usage", "init", str(tmp_path / "no"), "--set", "backend=x")
    assert not (tmp_path / "no").exists()
    assert shell("init", str(tmp_path / "team"), "--template", "team", "--set", "backend=core").status == 0
    with Store.open(tmp_path / "team") as store:
        assert {one.name for one in projects.list(store).items} == {"core", "frontend", "qa"}
        assert projects.show(store, project="frontend").relations == {"uses": ("core",)}
        assert projects.group_show(store, group="team").projects == ("core", "frontend", "qa")
        assert "core tells frontend" in configs.get(store, project="qa", name="instructions.md").text
        assert commits(store.root) == 2
    assert_sound(tmp_path / "team")


def test_a_project_and_a_message_begin_with_one(store: Store):
    """A form whose words are not sent, or that overrides what a person says."""
    people(store, "web")
    shell = Shell(store.root)
    before = commits(store.root)
    given = ("--template", "service", "--set", "purpose=Counts", "--tag", "x")
    assert shell("project", "add", "api", *given).out == "added api\n"
    assert commits(store.root) == before + 1
    assert projects.show(store, project="api").tags == ("service", "x")
    assert "Counts" in configs.get(store, project="api", name="instructions").text
    form = ("--template", "question", "--set", "question=Why?")
    sent = shell.json("send", "web", "api", *form, "--priority", "urgent")
    shown = messages.show(store, message_id=sent["message_id"]).message
    assert (shown.subject, shown.type, shown.priority) == ("Question: Why?", "request", "urgent")
    assert shown.context == {"blocked": "no"}
    own = shell.json("send", "web", "api", *form, "--subject", "Mine", "--body", "My words")
    shown = messages.show(store, message_id=own["message_id"]).message
    assert (shown.subject, shown.body) == ("Mine", "My words")
    shell.fails(4, "invalid", "send", "web", "api", "--template", "question")
    shell.fails(3, "not_found", "send", "web", "api", "--template", "team")
    shell.fails(2, "usage", "send", "web", "api", "--set", "question=Why?")
    shell.fails(2, "usage", "send", "web", "api")


def test_files_that_are_there_are_not_replaced_unasked(store: Store):
    """Instructions that a person changed, lost to a template."""
    people(store, "web")
    shell = Shell(store.root)
    assert shell("config", "apply", "web", "code-review").status == 0
    assert shell("config", "apply", "web", "code-review").status == 0
    configs.set(store, project="web", name="code-review.md", text="Mine\n")
    shell.fails(4, "invalid", "config", "apply", "web", "code-review")
    assert configs.get(store, project="web", name="code-review").text == "Mine\n"
    assert shell("config", "apply", "web", "code-review", "--replace").status == 0
    assert configs.get(store, project="web", name="code-review").text != "Mine\n"


def test_a_teams_own_templates(store: Store, tmp_path: Path):
    """Templates of a folder, or of the store itself, that are not found, or do not win over those that ship."""
    people(store, "web", "api")
    shell = Shell(store.root)
    text = 'description: Ours\nfields: {what: }\nmessage: {subject: "Ours: {{ what }}", body: "{{ what }}"}\n'
    put(store, "templates/messages/question/template.yaml", text.encode())
    assert [edit.valid for edit in worktree.save(store).saved] == [True]
    assert shell("send", "web", "api", "--template", "question", "--set", "what=Now").status == 0
    assert messages.list(store, project="api").items[0].message.subject == "Ours: Now"
    folder = tmp_path / "templates/messages/question"
    folder.mkdir(parents=True)
    (folder / "template.yaml").write_text(text.replace("Ours", "Theirs"))
    (folder / "link").symlink_to("/etc/hostname")
    given = ("--template", "question", "--templates", str(tmp_path / "templates"), "--set", "what=Now")
    assert shell("send", "web", "api", *given).status == 0
    assert messages.list(store, project="api").items[0].message.subject == "Theirs: Now"
    listed = shell.json("config", "templates", "--templates", str(tmp_path / "templates"))["templates"]
    assert {one["origin"] for one in listed if one["name"] == "question"} == {str(tmp_path / "templates")}
    assert "asks for what" in shell("config", "templates", "--kind", "message").out
    put(store, "templates/messages/bad/template.yaml", f"description: {SECRET}\n".encode())
    assert [edit.path for edit in worktree.save(store).invalid] == ["templates/messages/bad/template.yaml"]
    shell.fails(4, "invalid", "config", "templates", "--templates", str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ self.__init__.__globals__ }}",
        "{% for a in range(1000000000) %}x{% endfor %}",
        "{{ 'x' * 1000000000 }}",
        "{{ 9 ** 99999999 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ nobody }}",
        "{{ lipsum() }}",
        "{% include '/etc/hostname' %}",
        "{% import 'os' as os %}",
        "{{ a",
        "{% if %}",
        "{{ 1 / 0 }}",
    ],
)
def test_a_hostile_text_is_refused(text):
    """A template that reaches out, never ends, or is broken."""
    with pytest.raises(Invalid) as caught:
        fill(made("config", {"template.yaml": "description: x\n", "files/a.md": text}), {})
    assert "files/a.md" in caught.value.path


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("message", "message: {subjekt: x}\n"),
        ("message", "message: [x]\n"),
        ("store", "projects: {a: 1}\n"),
        ("store", "projects: [{name: ../x}]\n"),
        ("store", "projects: [{name: a, relations: {uses: [b]}}]\n"),
        ("store", "projects: [{name: a, files: [b.md]}]\n"),
        ("store", "projects: [{name: a}]\ngroups: {g: [b]}\n"),
        ("store", "projects: [{name: a, colour: red}]\n"),
        ("project", "project: {colour: red}\n"),
    ],
)
def test_a_template_that_says_nonsense_is_named(kind, text):
    """A word that is overlooked, a project that is nowhere."""
    filled = fill(made(kind, {"template.yaml": text}), {})
    makers = {"store": furnishing.furniture, "project": furnishing.facts, "message": furnishing.form}
    with pytest.raises(Invalid):
        makers[kind](filled)


@pytest.mark.parametrize(
    "files",
    [
        {"files/a.md": "x"},
        {"template.yaml": "fields: [a]\n"},
        {"template.yaml": "fields: {a b: }\n"},
        {"template.yaml": "fields: {a: {colour: red}}\n"},
        {"template.yaml": "colour: red\n"},
        {"template.yaml": "a: [1\n"},
    ],
)
def test_what_is_no_template_is_named(files):
    """A folder that is read as something else."""
    with pytest.raises(Invalid):
        made("config", files)


def test_names_pick_one(store: Store):
    """A name of two kinds that picks either."""
    found = [
        made("config", {"template.yaml": ""} | {"template.yaml": "description: a\n"}),
        made("project", {"template.yaml": "description: b\n"}),
    ]
    with pytest.raises(Ambiguous):
        pick(found, "x", ("config", "project"))
    assert pick(found, "project/x", ("config", "project")).description == "b"
    assert pick(found, "x", ("config",)).description == "a"
    with pytest.raises(NotFound):
        pick(found, "y", ("config",))
