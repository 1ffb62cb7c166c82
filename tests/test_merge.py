"""Merging one file: each rule, and what has to hold for all of them on every machine."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sbfs import conversations, kinds, messages, projects
from sbfs.kind import Field, Kind
from sbfs.merge import Lost, Merged, merge_file
from sbfs.record import Record, dump

CARD: Kind[dict[str, Any]] = Kind(
    name="card",
    pattern="cards/{id}.yaml",
    fields=(
        Field("id", rule="fixed", required=True),
        Field("author", rule="fixed"),
        Field("title"),
        Field("status", rule="highest", choices=("unread", "read", "archived")),
        Field("tags", list, rule="set"),
        Field("body", rule="text"),
        Field("links", dict, rule="mapping"),
        Field("links.owner", rule="fixed"),
        Field("links.seen", rule="highest", choices=("no", "yes")),
        Field("created", rule="fixed", is_time=True),
        Field("updated", is_time=True),
    ),
    load=dict,
    dump=dict,
)

PATH = "cards/one.yaml"
T1, T2, T3 = (f"2026-11-2{day}T14:03:07.123Z" for day in (1, 2, 3))
LONG = "a\nb\nc\nd\ne\n"


def yaml(**data: Any) -> bytes:
    return dump(PATH, data)


def merge(base: bytes | None, ours: bytes | None, theirs: bytes | None, kind=CARD, path: str = PATH) -> Merged:
    """Merge, from both sides, and again with either."""
    merged = merge_file(kind, path, base, ours, theirs)
    assert merged == merge_file(kind, path, base, theirs, ours)
    for side, again in itertools.product((ours, theirs), (base, ours, theirs)):
        if again in (base, side):
            assert merge_file(kind, path, again, merged.data, side).data == merged.data
            assert merge_file(kind, path, again, side, merged.data).data == merged.data
    return merged


def merge_data(base: dict[str, Any] | None, ours: dict[str, Any], theirs: dict[str, Any]) -> Any:
    """(data, what lost) of the merge of three mappings."""
    merged = merge(None if base is None else dump(PATH, base), dump(PATH, ours), dump(PATH, theirs))
    assert merged.data is not None
    return Record.parse(PATH, merged.data).data, [(one.field, one.kept, one.lost, one.base) for one in merged.lost]


# -- each rule -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("base", "ours", "theirs", "merged", "lost"), [
    # Each side's own change, an absence too.
    ({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 2}, []),
    ({"a": 1, "b": 1, "c": 1}, {"b": 1, "c": 1}, {"a": 1, "b": 1, "c": 2}, {"b": 1, "c": 2}, []),
    # later: by `updated`, then by the value; an absent one loses to none, and is told as None.
    ({"title": "a"}, {"title": "x", "updated": T1}, {"title": "b", "updated": T2}, {"title": "b", "updated": T2},
     [("title", "b", "x", "a")]),
    ({"title": "a"}, {"title": "b"}, {"title": "x"}, {"title": "x"}, [("title", "x", "b", "a")]),
    ({"title": "a"}, {"updated": T2}, {"title": "b", "updated": T1}, {"updated": T2}, [("title", None, "b", "a")]),
    (None, {"title": "b", "updated": T1}, {"title": "x"}, {"title": "b", "updated": T1}, [("title", "b", "x", None)]),
    # Undeclared keys as later; 1 and true are two values.
    ({"new": 0}, {"new": 1}, {"new": True}, {"new": True}, [("new", True, 1, 0)]),
    # highest
    ({"status": "unread"}, {"status": "archived", "updated": T1}, {"status": "read", "updated": T2},
     {"status": "archived", "updated": T2}, []),
    ({"status": "read", "a": 1}, {"status": "unread", "a": 1}, {"status": "read", "a": 2},
     {"status": "unread", "a": 2}, []),
    ({"status": "unread"}, {"status": "read"}, {"status": "zapped"}, {"status": "zapped"},
     [("status", "zapped", "read", "unread")]),
    # set
    ({"tags": ["a", "b"]}, {"tags": ["a", "b", "z"]}, {"tags": ["a", "c"]}, {"tags": ["a", "c", "z"]}, []),
    (None, {"tags": ["b"]}, {"tags": ["a", "b"]}, {"tags": ["a", "b"]}, []),
    ({"tags": ["a"]}, {"title": "x"}, {"tags": ["a", "b"]}, {"title": "x", "tags": ["b"]}, []),
    ({"tags": []}, {"tags": [1]}, {"tags": [True, 1.0]}, {"tags": [1, 1.0, True]}, []),
    ({"tags": ["a", "b"]}, {"tags": ["b", "a"]}, {"tags": ["a", "b", "b"]}, {"tags": ["b", "a"]}, []),
    ({"tags": []}, {"tags": [["a"]]}, {"tags": ["b"]}, {"tags": [["a"]]}, [("tags", [["a"]], ["b"], [])]),
    # text: by lines, else as later
    ({"body": LONG}, {"body": f"x\n{LONG}"}, {"body": f"{LONG}y\n"}, {"body": f"x\n{LONG}y\n"}, []),
    ({"body": "a"}, {"body": "a\nx"}, {"body": "y\na"}, {"body": "y\na\nx"}, []),
    ({"body": "a\nb"}, {"body": "a\nx"}, {"body": "a\ny"}, {"body": "a\ny"}, [("body", "a\ny", "a\nx", "a\nb")]),
    # mapping: key by key, by the rules of the declared keys inside; so is what is not declared
    ({"links": {"seen": "no"}}, {"links": {"seen": "yes", "a": 1}}, {"links": {"seen": "no", "b": 1}},
     {"links": {"seen": "yes", "b": 1, "a": 1}}, []),
    ({"x": {"y": {"a": 1, "b": 1}}}, {"x": {"y": {"a": 2, "b": 1}}}, {"x": {"y": {"a": 3}}}, {"x": {"y": {"a": 3}}},
     [("x.y.a", 3, 2, 1)]),
    # fixed: of the record that came first; what makes it first goes with it, and without a word
    (None, {"author": "x", "created": T2}, {"author": "a", "created": T1}, {"author": "a", "created": T1},
     [("author", "a", "x", None)]),
    (None, {"links": {"owner": "x"}, "timestamp": T2}, {"links": {"owner": "a"}, "timestamp": T1},
     {"links": {"owner": "a"}, "timestamp": T1}, [("links.owner", "a", "x", None), ("timestamp", T1, T2, None)]),
    (None, {"id": "x"}, {"id": "a"}, {"id": "x"}, []),
    # Times of another zone, and what is none
    ({}, {"title": "x", "updated": "2026-11-22T10:00:00+02:00"}, {"title": "b", "updated": "2026-11-22T09:00:00Z"},
     {"title": "b", "updated": "2026-11-22T09:00:00Z"}, [("title", "b", "x", None)]),
    ({}, {"title": "x", "updated": 5}, {"title": "b", "updated": T1}, {"title": "b", "updated": T1},
     [("title", "b", "x", None)]),
])  # fmt: skip
def test_rules(base, ours, theirs, merged, lost):
    """Failure modes 23, 24 and 30. Breaks if a rule decided otherwise, by the side, or lost a value silently."""
    assert merge_data(base, ours, theirs) == (merged, lost)


def test_two_add_one_tag_at_different_places():
    """Failure mode 25: a merge by lines would be clean and hold the key twice.

    Breaks if the result did not parse, or held an element twice.
    """
    base = b"id: one\ntitle: t\ncreated: x\n"
    merged = merge(base, b"id: one\ntags: [a]\ntitle: t\ncreated: x\n", base + b"tags: [a, b]\n")
    assert Record.parse(PATH, merged.data).data["tags"] == ["a", "b"]


def test_order_of_keys_is_the_later_records():
    """Breaks if keys were sorted, or in the order of the side that happened to be ours."""
    data, _ = merge_data({"b": 1}, {"b": 2, "a": 1, "updated": T2}, {"z": 1, "b": 1, "y": 1, "updated": T1})
    assert [*data] == ["b", "a", "updated", "z", "y"]


# -- bytes -----------------------------------------------------------------------------------------


def test_a_persons_comments_stay():
    """Breaks if a merge rewrote a file in which a person left comments, on either side or on both."""
    base = yaml(title="a", status="unread")
    person = b"# mine\ntitle:   a  # why\nstatus: unread\n"
    assert merge(base, person, yaml(title="a", status="read")).data == person.replace(b"unread", b"read")
    other = b"title: a\nstatus: read # seen\n"
    assert merge(base, person.replace(b"unread", b"archived"), other).data == person.replace(b"unread", b"archived")


def test_equal_values_in_other_words():
    """Breaks if two layouts of one record gave another text on each machine, or a Lost."""
    assert merge(None, b"a: 1\nb: 2\n", b"b: 2\na: 1\n") == Merged(b"b: 2\na: 1\n")
    assert merge(None, b"a: 1\nb: 2\n", b"a:   1\nb: 2\n") == Merged(b"a:   1\nb: 2\n")


def test_json():
    """Breaks if a JSON record were merged as lines, or written as YAML."""
    merged = merge(b'{"a": 1, "b": 1}', b'{"a": 2, "b": 1}', b'{"a": 1, "b": 2}', path="cards/one.json")
    assert merged == Merged(b'{\n "a": 2,\n "b": 2\n}\n')


# -- files that are gone, tombstones ---------------------------------------------------------------

ALIVE = {"id": "one", "title": "a", "status": "unread"}
DEAD = {"id": "one", "removed": T2}


def test_removed_against_changed():
    """Failure mode 24. Breaks if a stale clone brought a removed record back, or its changes were lost silently."""
    base, dead = yaml(**ALIVE), yaml(**DEAD)
    assert merge(base, dead, yaml(**ALIVE | {"status": "read", "updated": T3})) == Merged(dead)
    changed = yaml(**ALIVE | {"title": "b"})
    assert merge(base, dead, changed) == Merged(dead, (Lost("", dead.decode(), changed.decode(), base.decode()),))
    assert merge(None, dead, changed) == Merged(dead, (Lost("", dead.decode(), changed.decode(), None),))


def test_written_anew_over_a_tombstone():
    """Failure mode 24. Breaks if a tombstone ate the record that was written after it."""
    dead, alive = yaml(**DEAD), yaml(**ALIVE)
    assert merge(dead, dead, alive) == Merged(alive)
    assert merge(dead, dead + b"# left by hand\n", alive) == Merged(alive)


def test_two_tombstones():
    """Breaks if two clones that removed one record could not agree when."""
    assert merge_data(ALIVE, DEAD, DEAD | {"removed": T1, "renamed_to": "x"}) == (
        {"id": "one", "removed": T1, "renamed_to": "x"},
        [],
    )


def test_deleted_against_changed():
    """Failure mode 20: a foreign `git rm`. Breaks if an edit were deleted, or a mere mark brought a file back."""
    base = yaml(**ALIVE)
    assert merge(base, None, base) == Merged(None)
    assert merge(base, None, yaml(**ALIVE | {"status": "read", "updated": T3})) == Merged(None)
    changed = yaml(**ALIVE | {"title": "b"})
    assert merge(base, None, changed) == Merged(changed, (Lost("", changed.decode(), None, base.decode()),))
    assert merge(base, None, yaml(**DEAD)) == Merged(yaml(**DEAD))
    assert merge(base, None, None) == Merged(None)
    assert merge(None, None, None) == Merged(None)


def test_added_on_one_side_or_on_both():
    """Failure mode 20: add/add. Breaks if a new file were taken for a deleted one, or one of two were dropped."""
    assert merge(None, None, b"title: x\n") == Merged(b"title: x\n")
    assert merge(None, b"title: x\n", b"body: y\n") == Merged(b"title: x\nbody: y\n")


# -- what cannot be read ---------------------------------------------------------------------------

GARBAGE = [b"", b"\xff\xfe", b"a: [", b"- 1\n", b"<<<<<<< ours\ntitle: x\n=======\n>>>>>>> theirs\n", b"a: 1\na: 2\n"]


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_as_base(garbage: bytes):
    """Failure modes 19 and 26: Git passes empty and half-merged ancestors. Breaks if such a base were believed."""
    ours, theirs = yaml(title="x", tags=["a"]), yaml(title="b", tags=["b"], body="t")
    assert merge(garbage, ours, theirs) == merge(None, ours, theirs)
    assert merge(garbage, None, theirs) == Merged(theirs)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_as_a_side(garbage: bytes):
    """Failure mode 26. Breaks if a broken file won over one that can be read, or were lost without a word."""
    base, good = yaml(title="a"), yaml(title="b")
    shown = garbage.decode(errors="replace")
    assert merge(base, garbage, good) == Merged(good, (Lost("", good.decode(), shown, base.decode()),))
    assert merge(base, garbage, b"z: {") == Merged(
        max(garbage, b"z: {"),
        (Lost("", *(one.decode(errors="replace") for one in (*sorted((garbage, b"z: {"))[::-1], base))),),
    )
    assert merge(base, garbage, base) == Merged(garbage)


def test_what_can_be_read_but_not_written():
    """Breaks if a number that has too many digits to be written ended in a traceback."""
    huge = b"title: 0x" + b"f" * 5000 + b"\n"
    assert merge(yaml(title="a"), huge, yaml(title="b")).data == yaml(title="b")


def test_deep_records():
    """Breaks if a record that is nested deeply, and can be read, were too deep to be merged."""

    def deep(value: int) -> bytes:
        return b"a: " + b"{a: " * 98 + b"%d" % value + b"}" * 98 + b"\n"

    assert Record.parse(PATH, merge(deep(1), deep(2), deep(3)).data).data == Record.parse(PATH, deep(3)).data


# -- files that are no records ---------------------------------------------------------------------


def test_plain_files():
    """Breaks if texts that can be merged were not, or the loser of a clash were not named."""
    base = LONG.encode()
    ours, theirs = b"x\n" + base, base + b"y\n"
    for kind, path in ((None, ".gitignore"), (None, "odd.yaml"), (CARD, "notes.txt")):
        assert merge(base, ours, theirs, kind, path) == Merged(b"x\n" + base + b"y\n")
    assert merge(None, b"a", b"b", None, "x") == Merged(b"b", (Lost("", "b", "a", None),))
    assert merge(b"a", None, b"b", None, "x") == Merged(b"b", (Lost("", "b", None, "a"),))
    (lost,) = merge(b"a", b"\xff\xfe", b"b", None, "x").lost
    assert lost == Lost("", f"2 bytes, sha256 {lost.kept[-64:]}", "b", "a")


def test_light_to_import():
    """Breaks if every start paid for the merge of texts, which hardly any needs."""
    code = "import sys, sbfs.merge; sys.exit('merge3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# -- for all records of all kinds ------------------------------------------------------------------

REAL = {
    kinds.STORE: kinds.STORE.pattern,
    projects.KIND: "projects/web/project.yaml",
    projects.GROUP: "groups/all.yaml",
    messages.INBOX: "projects/web/inbox/2026/11/22/msg-1.yaml",
    messages.OUTBOX: "projects/web/outbox/2026/11/22/msg-1.yaml",
}
KINDS = [(CARD, PATH), (CARD, "cards/one.json"), *REAL.items()]

TEXTS = st.sampled_from(["", "a", "b", "a\nb\nc", "a\nx\nc", "x\na\nb\nc", "a\nb\nc\nx", "a\na\nb\n", "read", "urgent"])
TIMES = st.sampled_from([T1, T2, T3, "2026-11-22T16:03:07.123+02:00", "never", 5])
LISTS = st.lists(st.sampled_from(["a", "b", "c", 1, True]), max_size=4)
SCALARS = TEXTS | st.sampled_from([0, 1, 1.0, True, None, -0.0])
MAPPINGS = st.recursive(
    st.dictionaries(st.sampled_from(["x", "y", "a.b"]), SCALARS | LISTS, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from(["x", "y", "owner", "seen"]), inner | SCALARS, max_size=2),
    max_leaves=4,
)


def values_of(field: Field) -> st.SearchStrategy[Any]:
    """Values that fit a field, now and then ones that do not."""
    fitting: st.SearchStrategy[Any] = TEXTS
    if field.is_time or field.name in ("created", "updated"):
        fitting = TIMES
    elif field.choices:
        fitting = st.sampled_from(field.choices)
    elif field.type in (list, dict):
        fitting = LISTS if field.type is list else MAPPINGS
    return fitting | fitting | fitting | SCALARS | MAPPINGS


def records(kind: Kind[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Data of a kind's records, with unknown keys, tombstones among them."""
    fields = {field.name: values_of(field) for field in kind.fields if "." not in field.name}
    inside = {
        outer: {
            field.name.partition(".")[2]: values_of(field)
            for field in kind.fields
            if field.name.startswith(f"{outer}.")
        }
        for outer in ("content", "links")
    }
    nested = {outer: st.fixed_dictionaries({}, optional=parts) for outer, parts in inside.items() if parts}
    unknown = {"zz_new": SCALARS | MAPPINGS, "zz_more": LISTS | MAPPINGS, "timestamp": TIMES, "updated": TIMES}
    living = st.fixed_dictionaries({}, optional={**unknown, **fields, **nested})
    return living | living | living | st.builds(lambda data, when: data | {"removed": when}, living, TIMES)


@st.composite
def versions(draw: st.DrawFn, kind: Kind[Any], path: str) -> tuple[bytes | None, bytes | None, bytes | None]:
    """Base and two sides: mostly two changes of a few fields of one record, now and then anything."""
    base = draw(records(kind))

    def side() -> bytes | None:
        if draw(st.integers(0, 15)) == 0:
            return draw(st.sampled_from([None, *GARBAGE]))
        other = draw(records(kind))
        data = other
        if draw(st.integers(0, 4)):
            keys = [*{**base, **other}]
            changed = draw(st.sets(st.sampled_from(keys), max_size=4)) if keys else set()
            data = {key: (other if key in changed else base).get(key, ...) for key in keys}
            data = {key: value for key, value in data.items() if value is not ...}
        if draw(st.booleans()):
            data = dict(draw(st.permutations([*data.items()])))
        return by_hand(path, data, draw(st.integers(0, 5)))

    old = by_hand(path, base, draw(st.integers(0, 3)))
    return draw(st.sampled_from([old, old, old, old, None, *GARBAGE[:3]])), side(), side()


def by_hand(path: str, data: dict[str, Any], style: int) -> bytes:
    """A record as sbfs writes it, or with a person's comments in it."""
    raw = dump(path, data)
    if path.endswith(".json") or not data:
        return raw.replace(b"\n ", b"\n   ") if style == 0 else raw
    comments = {0: (b"# above\n", b""), 1: (b"", b"# below\n")}.get(style, (b"", b""))
    return raw.join(comments).replace(b"\n", b"\r\n") if style == 2 else raw.join(comments)


@pytest.mark.parametrize(("kind", "path"), KINDS, ids=[path for _, path in KINDS])
@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_merge(kind: Kind[Any], path: str, data: st.DataObject):
    """Failure modes 19, 22, 23 and 30, for any three texts: both sides get the same bytes, and again with either side.

    Breaks if anything depended on the side, on a tie, on the layout, or if a key were dropped.
    """
    base, ours, theirs = data.draw(versions(kind, path))
    merged = merge(base, ours, theirs, kind, path)
    if ours == base:
        assert merged == Merged(theirs)
    _assert_no_key_dropped(kind, path, base, ours, theirs, merged)


def _assert_no_key_dropped(kind, path, base, ours, theirs, merged):
    old, one, other, new = (_data(path, raw) for raw in (base, ours, theirs, merged.data))
    if one is None or other is None or base in (ours, theirs) or ("removed" in one) != ("removed" in other):
        return
    lost = {loss.field for loss in merged.lost}
    for name in {*_names(one), *_names(other)} - {*_names(old or {})}:
        # A mapping that stands against a text loses as one.
        above = {name[:i] for i, char in enumerate(name) if char == "."} | {name}
        assert name in _names(new) or above & lost or "highest" in _rules(kind, above), name


def _rules(kind, names):
    return {field.rule for field in kind.fields if field.name in names and field.rule == "highest"}


def _data(path: str, raw: bytes | None) -> dict[str, Any] | None:
    try:
        return Record.parse(path, raw).data
    except Exception:
        return None


def _names(data: Any, above: str = "") -> set[str]:
    found = set()
    for key, value in data.items() if isinstance(data, dict) else ():
        found |= {f"{above}{key}"} | _names(value, f"{above}{key}.")
    return found


@settings(max_examples=200, deadline=None)
@given(*[TEXTS | st.text("ab\n", max_size=12) | st.none()] * 3)
@example("a\nb\nc", "b\nc\na", "a\nb\nc\na")
def test_any_merge_of_texts(base, ours, theirs):
    """Failure mode 23. Breaks if a moved line came back, or came twice, in the next merge."""
    merge(*(None if text is None else text.encode() for text in (base, ours, theirs)), kind=None, path="x.txt")


@pytest.mark.parametrize(("kind", "path"), KINDS, ids=[path for _, path in KINDS])
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_new_keys_of_both_sides_are_kept(kind: Kind[Any], path: str, data: st.DataObject):
    """Failure mode 22: two newer programs each add keys, outside and inside of what is declared.

    Breaks as the driver did that wrote only the fields it knew.
    """
    base = data.draw(records(kind)) | {"content": {"type": "update"}, "links": {"a": 1}}
    base.pop("removed", None)
    sides = [
        base
        | {f"new_{side}": side, "content": base["content"] | {f"inner_{side}": [side]}, "links": {"a": 1, side: {}}}
        for side in ("x", "y")
    ]
    merged = merge(dump(path, base), *(dump(path, side) for side in sides), kind, path)
    new = Record.parse(path, merged.data).data
    assert merged.lost == ()
    assert _names(new) == _names(sides[0]) | _names(sides[1])


@pytest.mark.parametrize(("kind", "path"), KINDS, ids=[path for _, path in KINDS])
@settings(max_examples=25, deadline=None)
@given(st.data(), st.binary(max_size=30))
def test_hostile_bytes(kind: Kind[Any], path: str, data: st.DataObject, hostile: bytes):
    """Failure mode 19. Breaks if any bytes, as the base or as a side, ended in a traceback."""
    _, ours, theirs = data.draw(versions(kind, path))
    merge(hostile, ours, theirs, kind, path)
    merge(ours, hostile, theirs, kind, path)


# -- conversations -----------------------------------------------------------------------------------

_TURNS = "projects/a/conversations/2026/01/s-1/messages-0001.jsonl"


def _turns(*turns: tuple[int, str, str]) -> bytes:
    """A file of turns: (place, id, text)."""
    said = [{"seq": seq, "id": id, "content": [{"type": "text", "text": text}]} for seq, id, text in turns]
    return Record.make(_TURNS, {"turns": said}).raw


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        # Two that went on alike, one of them further.
        ([(1, "a", "x")], [(1, "a", "x"), (2, "b", "y")], [(1, "a", "x"), (2, "b", "y"), (3, "c", "z")], "abc"),
        # Two that went on differently keep both.
        ([(1, "a", "x")], [(1, "a", "x"), (2, "b", "y")], [(1, "a", "x"), (2, "c", "z")], "abc"),
        # What one side took away, and the other left as it was, goes.
        ([(1, "a", "x"), (2, "b", "y")], [(2, "b", "y")], [(1, "a", "x"), (2, "b", "y"), (3, "c", "z")], "bc"),
        (None, [(1, "a", "x")], [(1, "a", "x"), (2, "b", "y")], "ab"),
    ],
)
def test_turns_are_united_by_their_ids(base, ours, theirs, merged):
    """Turns that a merge loses, doubles, or keeps as a conflict."""
    sides = [None if base is None else _turns(*base), _turns(*ours), _turns(*theirs)]
    for one, other in ((1, 2), (2, 1)):
        found = merge_file(conversations.TURNS, _TURNS, sides[0], sides[one], sides[other])
        assert found.lost == ()
        assert "".join(turn["id"] for turn in Record.parse(_TURNS, found.data).data["turns"]) == merged


def test_the_fuller_version_of_a_turn_wins_but_not_over_a_change():
    """An answer that is cut to what a clone saw of it first; a secret that comes back after it was taken out."""
    base, half, full = (_turns((1, "a", text)) for text in ("x", "x and", "x and more"))
    assert merge_file(conversations.TURNS, _TURNS, base, half, full).data == full
    assert merge_file(conversations.TURNS, _TURNS, full, half, full).data == half


_TURN = st.tuples(st.integers(1, 4), st.sampled_from("abcd"), st.sampled_from(["x", "xx", "y"]))
_TURN_FILE = st.lists(_TURN, max_size=4, unique_by=lambda turn: turn[1]).map(lambda turns: _turns(*sorted(turns)))


@given(base=st.none() | _TURN_FILE, ours=_TURN_FILE, theirs=_TURN_FILE)
def test_a_merge_of_turns_knows_no_side_and_comes_to_rest(base, ours, theirs):
    """Two clones that come to different turns, or that change them again with every merge (failure mode 23)."""
    merged = merge_file(conversations.TURNS, _TURNS, base, ours, theirs).data
    assert merged == merge_file(conversations.TURNS, _TURNS, base, theirs, ours).data
    for side in (ours, theirs):
        assert merge_file(conversations.TURNS, _TURNS, side, merged, side).data == merged
        assert merge_file(conversations.TURNS, _TURNS, base, merged, side).data == merged


_FACTS = "projects/a/conversations/2026/01/s-1/conversation.yaml"


def _facts(updated: int, prompts: int, **more) -> bytes:
    data = {"id": "s-1", "agent": "codex", "updated": f"2026-01-0{updated}T00:00:00.000Z", **more}
    return Record.make(_FACTS, {**data, "facts": {"prompts": prompts}}).raw


def test_what_is_worked_out_leaves_no_conflict_and_stays_together():
    """Counts of two clones that are mixed, or kept as conflicts although they can be worked out again."""
    base, ours, theirs = _facts(1, 1), _facts(2, 5, title="Ours", quality=70), _facts(3, 3, title="Theirs")
    merged = merge_file(conversations.KIND, _FACTS, base, ours, theirs)
    data = Record.parse(_FACTS, merged.data).data
    assert merged.lost == ()
    assert (data["title"], data["facts"], data["quality"]) == ("Theirs", {"prompts": 3}, 70)
    assert merge_file(conversations.KIND, _FACTS, base, theirs, ours).data == merged.data
    for side in (ours, theirs):
        assert merge_file(conversations.KIND, _FACTS, side, merged.data, side).data == merged.data


def test_a_removed_conversation_is_no_conflict_with_one_that_grew():
    """A removal that keeps what was removed, under another name."""
    base, grown = _facts(1, 1), _facts(2, 2)
    dead = Record.make(_FACTS, {"id": "s-1", "removed": "2026-01-05T00:00:00.000Z"}).raw
    assert merge_file(conversations.KIND, _FACTS, base, dead, grown) == Merged(dead)
    kept = merge_file(conversations.KIND, _FACTS, base, dead, _facts(2, 2, quality=70))
    assert (kept.data, len(kept.lost)) == (dead, 1)
