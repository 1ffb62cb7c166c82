"""Kinds, names and ids: what a record must hold, and what may become part of a path."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from helpers import DAY, NOTE, note_path
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sbfs import files, kinds
from sbfs.errors import Invalid
from sbfs.kind import Field, Kind, check_id, check_name, new_id
from sbfs.record import Record

HOSTILE = st.text(st.sampled_from("aA0.-_/\\~ :*?\0\n\t%@+ä\u200c\ud800gitcon"), max_size=12) | st.text(max_size=12)


@settings(max_examples=400)
@given(HOSTILE)
@example("..")
@example("a/../b")
@example(".git")
@example("con")
@example("aux.yaml")
@example("a\n")
@example("a.")
@example("-rf")
@example("~root")
@example("a" * 65)
def test_no_name_leads_out(name: str):
    """AM-9: a name that is taken stays inside its folder on every file system; all others are refused, and named.

    Breaks if a project called `../x`, `.git` or `con` could be made.
    """
    try:
        check_name(name)
    except Invalid as error:
        assert error.field == "name"  # noqa: PT017
        assert error.hint  # noqa: PT017
        return
    _assert_harmless(name)
    assert name == name.lower()
    assert len(name) <= 64


@settings(max_examples=400)
@given(HOSTILE)
@example("../x")
@example("NUL")
@example("com1.x")
@example("a..b")
@example("a" * 129)
def test_no_id_leads_out(id: str):
    """AM-9, for ids that come from elsewhere. Breaks if an id from a mail could name another file."""
    try:
        check_id(id)
    except Invalid as error:
        assert error.field == "id"  # noqa: PT017
        return
    _assert_harmless(id)
    assert NOTE.places(note_path(id)) == {"date": DAY, "id": id}


def _assert_harmless(name: str) -> None:
    assert files.check_path(f"a/{name}/b") == f"a/{name}/b"
    assert os.path.normpath(f"root/{name}/x") == f"root/{name}/x"
    assert name.split(".")[0].lower() not in {"con", "prn", "aux", "nul", "com1", "lpt1"}
    assert Path(name).name == name
    assert not name.startswith((".", "-", "~"))
    assert name.isascii()
    assert name.isprintable()


@pytest.mark.parametrize("value", [None, 1, ["a"], b"a"])
def test_names_and_ids_are_text(value):
    """Breaks if a number from JSON ended in a traceback."""
    for check in (check_name, check_id):
        with pytest.raises(Invalid):
            check(value)


def test_good_names_and_ids():
    """Breaks if ordinary names, or ids of other systems, were refused."""
    for name in ("web", "backend-api", "a", "0", "my.project_2", "x" * 64, "console", "nullable"):
        assert check_name(name) == name
    for id in (
        "msg-01KAP3S6C1V9M8T2WZ4Q7XN5RD",
        "msg_1732000000000_abc",
        "a@b",
        "550e8400-e29b-41d4-a716-446655440000",
    ):
        assert check_id(id) == id


def test_new_ids():
    """Breaks if ids did not sort by time, repeated themselves, or lost the moment they were made."""
    moment = datetime(2026, 11, 22, 14, 3, 7, 123000, tzinfo=UTC)
    made = [new_id("msg", moment + timedelta(milliseconds=number)) for number in range(50)]
    assert made == sorted(made)
    assert len({new_id("msg", moment) for _ in range(1000)}) == 1000
    assert all(check_id(id) == id for id in made)


def test_paths_and_places():
    """A pattern and its paths tell the same. Breaks if a path of another kind, or a deeper one, were taken for one."""
    kind: Kind[dict] = Kind("letter", "projects/{project}/inbox/{date}/{id}.yaml", (), dict, dict)
    path = kind.path_of(project="web", date=DAY, id="msg-1")
    assert path == "projects/web/inbox/2026/11/22/msg-1.yaml"
    assert kind.places(path) == {"project": "web", "date": DAY, "id": "msg-1"}
    for other in (
        "projects/web/outbox/2026/11/22/msg-1.yaml", "projects/Web/inbox/2026/11/22/msg-1.yaml", path + "~",
        f"x/{path}",
        "projects/web/inbox/2026/11/msg-1.yaml", "projects/web/inbox/2026/11/22/.msg-1.yaml.1.0123456789ab~",
        "projects/web/inbox/2026/11/22/a/msg-1.yaml", "projects/web/inbox/2026/11/22/msg-1xyaml", path + "\n",
        "projects/../inbox/2026/11/22/msg-1.yaml", "projects/web/inbox/2026/11/22/msg-1.json",
    ):  # fmt: skip
        assert kind.places(other) is None, other


GOOD = {
    "id": "one",
    "text": "t",
    "status": "read",
    "created": "2026-11-22T14:03:07.123Z",
    "number": 3,
    "context": {"where": "x"},
}


@pytest.mark.parametrize(("field", "value", "why"), [
    ("text", None, "missing"), ("text", 5, "must be text"), ("text", True, "must be text"), ("text", ["t"],
    "must be text"),
    ("status", "lost", "none of unread, read, archived"), ("created", "yesterday", "no time"), ("number", True,
    "a number"),
    ("number", "3", "a number"), ("context", "x", "a mapping"), ("context.where", 1, "must be text"),
    ("id", "two", "does not fit the file's name"), ("created", 5, "must be text"),
])  # fmt: skip
def test_check_names_field_and_line(field: str, value, why: str):
    """Failure modes 34 and 35: each way of being wrong, an id that differs from the file's name among them.

    Breaks if a wrong record were taken, or the complaint did not say where to look.
    """
    data = {key: dict(item) if isinstance(item, dict) else item for key, item in GOOD.items()}
    holder = data
    *above, last = field.split(".")
    for part in above:
        holder = holder[part]
    holder[last] = value
    if value is None:
        del holder[last]
    record = Record.make(note_path("one"), data)
    with pytest.raises(Invalid, match=why) as caught:
        NOTE.check(record)
    assert (caught.value.field, caught.value.path) == (field, record.path)
    if value is not None:
        assert caught.value.line == record.line_of(field)


def test_check_takes_what_is_right():
    """Breaks if unknown keys, absent fields or tombstones were refused."""
    for data in (
        GOOD,
        GOOD | {"unknown": [1]},
        {"id": "one", "text": ""},
        {"id": "one", "removed": "2026-11-22T14:03:07.123Z"},
    ):
        NOTE.check(Record.make(note_path("one"), data))


def test_what_is_fixed_does_not_change():
    """Breaks if a fixed field could be changed, removed or added later, also a nested one."""
    old = Record.make(note_path("one"), GOOD)
    for new in (
        GOOD | {"context": {"where": "y"}},
        GOOD | {"context": {}},
        GOOD | {"author": "eve"},
        GOOD | {"context": 1},
    ):
        record = Record.make(note_path("one"), new)
        with pytest.raises(Invalid, match="does not change") as caught:
            NOTE.check_change(old, record)
        assert "put it back" in caught.value.hint
    NOTE.check_change(old, Record.make(note_path("one"), GOOD | {"text": "new", "context": {"where": "x", "more": 1}}))
    NOTE.check_change(old, Record.make(note_path("one"), {"id": "one", "removed": "2026-11-22T14:03:07.123Z"}))
    assert set(NOTE.fixed_fields()) == {"id", "author", "context.where"}


def test_a_loader_that_complains_is_placed():
    """A domain's own check is told with path and line too. Breaks if its complaint lost the file."""

    def load(data: dict) -> dict:
        raise Invalid("is never right", field="b")

    kind: Kind[dict] = Kind("odd", "odd/{id}.yaml", (Field("b"),), load, dict)
    with pytest.raises(Invalid) as caught:
        kind.check(Record.parse("odd/x.yaml", b"a: 1\nb: x\n"))
    assert caught.value.sentence == "odd/x.yaml:2: b: is never right"


_KNOWN = [
    "projects/web/inbox/2026/11/26/msg-1.yaml",
    "projects/web/outbox/2026/11/26/msg-1.yaml",
    "projects/web/conversations/2026/11/conv-1/messages-0001.jsonl",
    "projects/web/graph/files/src/a.py.json",
    "conflicts/x.yaml",
]
_PARTS = st.sampled_from(
    ["projects", "web", "inbox", "outbox", "conversations", "config", "docs", "graph", "files", "snapshot.yaml", "2026",
     "11", "26", "msg-1.yaml", "project.yaml", "settings.json", "sbfs.yaml", "groups", "conflicts", "team.yaml",
     "quality", "reflections", "messages-0001.jsonl", "conversation.yaml", "conv-1", "a.json"]
)  # fmt: skip


@given(st.one_of(st.lists(_PARTS, min_size=1, max_size=7).map("/".join), st.sampled_from(_KNOWN), st.text(max_size=20)))
def test_the_kind_of_any_path(path: str):
    """A kind is looked for among those of the wrong folder."""
    assert kinds.kind_of(path) is next((kind for kind in kinds.KINDS if kind.places(path) is not None), None)


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.pattern)
def test_each_kind_is_found(kind):
    """One kind hides another."""
    places = {
        "project": "web",
        "group": "team",
        "date": "2026/11/26",
        "month": "2026/11",
        "id": "x-1",
        "number": "0001",
    }
    path = kind.path_of(**places, line="messages", file="a.yaml", source="src/a.py")
    assert kinds.kind_of(path) is kind
