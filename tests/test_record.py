"""Records: one file as a mapping, in YAML or JSON."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbfs.errors import Invalid
from sbfs.record import Record, dump, etag

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    TEXT | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["a.yaml", "a.json"]), st.dictionaries(TEXT, VALUES, max_size=4))
def test_round_trip(path: str, data: dict[str, Any]):
    """Both formats keep values, types and the order of keys. Breaks if a record changed by being written."""
    record = Record.make(path, data)
    back = Record.parse(path, record.raw)
    assert repr(back.data) == repr(data)
    assert back.changed(data).raw == record.raw
    assert back.raw.endswith(b"\n")


def test_etag_is_gits_id():
    """Breaks if etags did not compare with blob ids in a tree."""
    assert etag(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    raw = b"a: 1\n"
    assert Record.parse("a.yaml", raw).etag == hashlib.sha1(b"blob 5\0" + raw).hexdigest()


def test_changed_keeps_a_persons_layout_and_only_that():
    """A canonical file stays canonical; a person's keeps its comments; JSON is written anew."""
    canonical = Record.make("a.yaml", {"a": 1})
    assert canonical.changed({"a": 1, "b": {"c": 2}}).raw == dump("a.yaml", {"a": 1, "b": {"c": 2}})
    person = Record.parse("a.yaml", b"a:   1  # mine\n")
    assert person.changed({"a": 2}).raw == b"a: 2  # mine\n"
    assert person.changed({"a": 1}).raw == person.raw
    assert Record.parse("a.json", b'{"a":1}').changed({"a": 2}).raw == b'{\n "a": 2\n}\n'


def test_json_keeps_letters():
    """Breaks if JSON were escaped so that nobody can read or grep it."""
    assert "ä日".encode() in dump("a.json", {"a": "ä日"})


@pytest.mark.parametrize(("path", "raw", "line"), [
    ("a.yaml", b"- 1\n", 1), ("a.yaml", b"", 1), ("a.yaml", b"text\n", 1), ("a.yaml", b"a: 1\nb: [\n", 3),
    ("a.json", b"[]", 1), ("a.json", b"", 1), ("a.json", b'{"a": 1,\n"b": }', 2), ("a.json", b'{"a": 1, "a": 2}', None),
    ("a.json", b'{"a": "\xff"}', None), ("a.json", b'{"a": {"b": 1, "b": 2}}', None), ("a.json", b"[" * 100_000, None),
    ("a.json", b'{"a": ' + b"9" * 5000 + b"}", None), ("a.json", b'{"a": NaN}', None), ("a.json",
    b'{"a": -Infinity}', None),
    ("a.json", b'{"a": ["\\ud800"]}', None),
], ids=range(15))  # fmt: skip
def test_refused_with_path_and_line(path: str, raw: bytes, line: int | None):
    """Failure mode 34. Breaks if a broken file were read in part, or the complaint did not name it."""
    with pytest.raises(Invalid) as caught:
        Record.parse(path, raw)
    assert caught.value.path == path
    assert caught.value.line == line
    assert path in caught.value.sentence


@pytest.mark.parametrize("value", ["\ud800", float("nan"), float("inf")])
def test_json_that_other_readers_refuse(value: Any):
    """Breaks if a JSON record held what no JSON reader, or no UTF-8 file, can hold."""
    with pytest.raises(Invalid):
        dump("a.json", {"a": value})


def test_tombstones():
    """Breaks if a removed record looked like one that is there."""
    assert Record.make("a.yaml", {"removed": "2026-11-22T14:03:07.123Z"}).removed
    assert not Record.make("a.yaml", {"id": "removed"}).removed


def test_line_of():
    """Breaks if the complaint about a field pointed nowhere."""
    assert Record.parse("a.yaml", b"a: 1\nb:\n  c: 2\n").line_of("b.c") == 3
    assert Record.parse("a.json", b'{"a": 1}').line_of("a") is None


# -- JSON Lines --------------------------------------------------------------------------------------

_LINE = st.dictionaries(TEXT, TEXT | st.integers() | st.lists(TEXT), max_size=3)


@given(st.lists(_LINE, max_size=4))
def test_lines_of_json_come_back_one_a_line(turns):
    """A text with line ends, or of another script, that breaks a line in two or comes back changed."""
    record = Record.make("x/messages-0001.jsonl", {"turns": turns})
    assert record.raw.count(b"\n") == len(turns)
    assert Record.parse(record.path, record.raw).data == {"turns": turns}
    assert record.changed({"turns": turns}).raw == record.raw


def test_lines_of_json_hold_turns_and_nothing_else():
    """A key that would be lost, since a line has no place for it."""
    with pytest.raises(Invalid, match="holds turns"):
        Record.make("x.jsonl", {"turns": [], "more": 1})
    with pytest.raises(Invalid, match="lone surrogate"):
        Record.make("x.jsonl", {"turns": [{"a": "\ud800"}]})
    assert Record.parse("x.jsonl", b'\xef\xbb\xbf{"a": 1}\r\n\r\n{"b": 2}').data == {"turns": [{"a": 1}, {"b": 2}]}
