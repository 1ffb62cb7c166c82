"""Configurations: kept as they were written, a key at a time, by their schema, without secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from domain_helpers import SECRET, Shell, people, put
from helpers import commits, git
from hypothesis import given
from hypothesis import strategies as st

from sbfs import configs, doctor, search, sync, worktree
from sbfs.configs.editing import read_value, value_at, with_value
from sbfs.errors import Ambiguous, Invalid, NotFound
from sbfs.record import Record
from sbfs.store import Store

TEXTS = {
    "a.yaml": "# by hand\nserver:\n  port: 80  # the usual\n  names: [a, b]\n",
    "a.json": '{\n    "server": {"port": 80, "names": ["a", "b"]}\n}\n',
    "a.toml": '# by hand\n[server]\nport = 80  # the usual\nnames = ["a", "b"]\nsince = 2026-11-22\n',
    "a.md": "# Instructions\n\nDo *this*.\n",
}


@pytest.fixture
def team(store: Store) -> Store:
    """A store with two projects."""
    people(store, "web", "api")
    return store


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_kept_as_it_was_written(team, name):
    """A format that sbfs writes anew in its own way."""
    made = configs.set(team, project="web", name=name, text=TEXTS[name])
    assert (team.root / made.path).read_text() == TEXTS[name]
    assert configs.get(team, project="web", name=name).text == TEXTS[name]
    assert not git(team.root, "status", "--porcelain")
    assert doctor.check(team).findings == ()


@pytest.mark.parametrize("name", ["a.yaml", "a.json", "a.toml"])
def test_one_key_changes_and_the_rest_stays(team, name):
    """A comment or an indent that is lost, or a key that is added at the wrong place."""
    configs.set(team, project="web", name=name, text=TEXTS[name])
    configs.set(team, project="web", name=name, key="server.port", value=8080)
    text = configs.get(team, project="web", name=name).text
    if name == "a.json":
        assert json.loads(text)["server"] == {"port": 8080, "names": ["a", "b"]}
        assert '\n    "' in text
    else:
        assert text == TEXTS[name].replace("80", "8080")
    configs.set(team, project="web", name=name, key="log.level", value="debug")
    assert configs.get(team, project="web", name=name, key="log.level").value == "debug"
    assert configs.get(team, project="web", name=name, key="server.names.1").value == "b"


def test_what_has_no_keys_says_so(team):
    """A key in Markdown, below a value, or of a file that is not there."""
    configs.set(team, project="web", name="a.md", text=TEXTS["a.md"])
    configs.set(team, project="web", name="a.yaml", text=TEXTS["a.yaml"])
    for name, key, kind in (("a.md", "x", Invalid), ("a.yaml", "server.port.x", Invalid), ("b.yaml", "x", NotFound)):
        with pytest.raises(kind):
            configs.set(team, project="web", name=name, key=key, value=1)
    with pytest.raises(NotFound, match=r"server\.host"):
        configs.get(team, project="web", name="a.yaml", key="server.host")
    with pytest.raises(Invalid):
        configs.set(team, project="web", name="a.yaml")


def test_names(team):
    """A name that climbs out, has a foreign ending, or means two files."""
    for wrong in ("../x.yaml", "a/b.yaml", "a.exe", "a", ".yaml", "a..yaml", "x" * 120 + ".md"):
        with pytest.raises((Invalid, NotFound)):
            configs.set(team, project="web", name=wrong, text="a: 1\n")
    configs.set(team, project="web", name="a.yaml", text="a: 1\n")
    configs.set(team, project="web", name="a", text="a: 2\n")
    assert configs.get(team, project="web", name="a").value == {"a": 2}
    configs.set(team, project="web", name="a.md", text="x\n")
    with pytest.raises(Ambiguous):
        configs.get(team, project="web", name="a")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "a: [1\n"),
        ("a.yaml", "- a list\n"),
        ("a.yaml", "a: !!python/object/apply:os.system [id]\n"),
        ("a.yaml", "removed: 2026-11-22\n"),
        ("a.json", '{"a": 1,}\n'),
        ("a.json", '{"a": 1, "a": 2}\n'),
        ("a.toml", "a = \n"),
        ("a.toml", "a = 1\na = 2\n"),
        ("a.yaml", f"token: {SECRET}\n"),
        ("a.json", json.dumps({"token": SECRET})),
        ("a.toml", f'token = "{SECRET}"\n'),
        ("a.md", f"The token is {SECRET}.\n"),
    ],
)
def test_what_cannot_be_kept_changes_nothing(team, name, text):
    """A broken text, a secret: by the verb, and by hand."""
    before = team.head()
    with pytest.raises(Invalid):
        configs.set(team, project="web", name=name, text=text)
    assert team.head() == before
    if "removed" in text:
        return
    put(team, f"projects/web/config/{name}", text.encode())
    (edit,) = worktree.save(team).invalid
    assert (edit.path, SECRET in edit.error) == (f"projects/web/config/{name}", False)
    assert team.head() == before


def test_a_schema_is_followed_from_then_on(team):
    """A value that breaks it: set, changed by key, or by hand."""
    schema = {"type": "object", "properties": {"port": {"type": "integer", "maximum": 65535}}, "required": ["port"]}
    configs.set(team, project="web", name="a.yaml", text="port: 80\n", schema=schema)
    assert (team.root / "projects/web/config/a.schema.json").is_file()
    with pytest.raises(Invalid) as caught:
        configs.set(team, project="web", name="a.yaml", key="port", value="eighty")
    assert (caught.value.field, "a.schema.json" in caught.value.hint) == ("port", True)
    put(team, "projects/web/config/a.yaml", b"port: 99999\n")
    (edit,) = worktree.save(team).invalid
    assert "65535" in edit.error
    git(team.root, "checkout", "--", ".")
    with pytest.raises(Invalid):
        configs.set(team, project="web", name="b.yaml", text="a: 1\n", schema={"type": "nonsense"})
    assert configs.list(team, project="web").total == 2


def test_a_hostile_schema_is_refused_in_bounded_time(team):
    """A schema that fetches another from the network, or whose pattern never ends."""
    for schema in (
        {"$ref": "http://127.0.0.1:9/x.json"},
        {"properties": {"a": {"pattern": "(a+)+$"}}},
        {"patternProperties": {"(?=a)": {"type": "integer"}}},
    ):
        with pytest.raises(Invalid):
            configs.set(team, project="web", name="a.yaml", text=f"a: {'a' * 60}b\n", schema=schema)
    assert configs.list(team).total == 0


def test_two_clones_change_one_configuration(team, tmp_path):
    """Two keys of one file, two lines of another, changed apart: a conflict, or a loss."""
    configs.set(team, project="web", name="a.yaml", text=TEXTS["a.yaml"] + "log: {level: info}\n")
    configs.set(team, project="web", name="a.md", text="one\n\n\ntwo\n\n\nthree\n")
    git(tmp_path, "init", "-q", "--bare", "hub.git")
    sync.remote_add(team, name="origin", url=str(tmp_path / "hub.git"))
    sync.sync(team)
    sync.clone(str(tmp_path / "hub.git"), tmp_path / "other")
    with Store.open(tmp_path / "other") as other:
        configs.set(other, project="web", name="a.yaml", key="log.level", value="debug")
        configs.set(other, project="web", name="a.md", text="one\n\n\ntwo\n\n\nTHREE\n")
        configs.set(team, project="web", name="a.yaml", key="server.port", value=81)
        configs.set(team, project="web", name="a.md", text="ONE\n\n\ntwo\n\n\nthree\n")
        for store in (team, other, team):
            assert sync.sync(store).conflicts == ()
        for store in (team, other):
            found = configs.get(store, project="web", name="a.yaml")
            assert (value_at(found.value, "server.port"), value_at(found.value, "log.level")) == (81, "debug")
            assert "# the usual" in found.text
            assert configs.get(store, project="web", name="a.md").text == "ONE\n\n\ntwo\n\n\nTHREE\n"


def test_a_configuration_is_found(team):
    """One that search does not know, in each format."""
    for name, text in {**TEXTS, "a.json": '{"xylophone": 1}\n'}.items():
        configs.set(team, project="web", name=name, text=text if name == "a.json" else f"{text}# xylophone\n")
    found = search.search(team, query="xylophone", kind=("config",)).results
    assert {one.title for one in found} == {*TEXTS}


@given(
    st.dictionaries(
        st.sampled_from("abc"), st.integers() | st.booleans() | st.text("xyz: #'\"", max_size=8), min_size=1
    )
)
def test_a_value_that_is_set_is_read(data):
    """A value of a key that comes back as another, in each format."""
    for ending, text in (("yaml", "k: 1\n"), ("json", '{"k": 1}\n'), ("toml", "k = 1\n")):
        record = Record.parse(f"x.{ending}", text.encode())
        for key, value in data.items():
            if ending != "toml" or not isinstance(value, int) or abs(value) < 2**63:
                record = Record.parse(record.path, with_value(record, key, value))
                assert value_at(record.data, key) == value
        assert record.data["k"] == 1


def test_values_as_people_write_them():
    """`true` that becomes a text, or a text that must be quoted."""
    assert [read_value(one) for one in ("true", "5", "[a, b]", "some words", "a: b: c", "")] == [
        True, 5, ["a", "b"], "some words", "a: b: c", None,
    ]  # fmt: skip


def test_the_command_line(team: Store, tmp_path: Path):
    """What a person types, right and wrong."""
    shell = Shell(team.root)
    (tmp_path / "s.json").write_text('{"type": "object"}')
    told = shell("config", "set", "web", "a.yaml", "--text", "port: 80\n", "--schema", str(tmp_path / "s.json"))
    assert (told.status, told.out) == (0, "kept projects/web/config/a.yaml\n")
    assert shell("config", "set", "web", "b.md", input="# B\n").status == 0
    assert shell("config", "get", "web", "b").out == "# B\n"
    assert shell("config", "set", "web", "a", "--key", "port", "--value", "8080").status == 0
    assert shell("config", "get", "web", "a", "--key", "port").out == "8080\n"
    assert shell.json("config", "list", "--project", "web")["count"] == 3
    assert "b.md" in shell("config", "list").out
    shell.fails(2, "usage", "config", "set", "web", "a", "--key", "port")
    shell.fails(2, "usage", "config", "set", "web", "a", "--value", "1")
    shell.fails(3, "not_found", "config", "get", "web", "nothing")
    shell.fails(4, "invalid", "config", "set", "web", "c.json", "--text", "{")
    before = commits(team.root)
    assert shell("config", "remove", "web", "b").out == "removed projects/web/config/b.md\n"
    assert commits(team.root) == before + 1
    shell.fails(3, "not_found", "config", "get", "web", "b")
