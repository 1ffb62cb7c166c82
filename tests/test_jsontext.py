"""A person's JSON: one element more, one less, and every other byte as it was."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbfs.errors import Invalid
from sbfs.jsontext import append, parse, remove

OURS = {"hooks": [{"type": "command", "command": "sbfs hook prompt"}]}

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def settings_texts(draw) -> str:
    """Settings as some program writes them: any indent, perhaps with hooks of others."""
    data = draw(st.dictionaries(st.text(max_size=5), VALUES, max_size=3))
    data.pop("hooks", None)
    if draw(st.booleans()):
        events = st.dictionaries(
            st.sampled_from(["SessionStart", "Stop"]), st.lists(VALUES, min_size=1, max_size=2), min_size=1
        )
        data["hooks"] = draw(events)
    indent = draw(st.sampled_from([None, 1, 2, 4, "\t"]))
    ends = draw(st.sampled_from(["", "\n", "\n\n"]))
    return json.dumps(data, indent=indent, ensure_ascii=draw(st.booleans())) + ends


@given(settings_texts())
def test_what_is_put_in_and_taken_out_leaves_no_trace(text):
    """A byte of another's that changes; a value that does not arrive."""
    keys = ("hooks", "SessionStart")
    before = json.loads(text)
    changed = append(text, keys, OURS)
    there = before.get("hooks", {}).get("SessionStart", [])
    assert json.loads(changed) == before | {"hooks": before.get("hooks", {}) | {"SessionStart": [*there, OURS]}}
    assert remove(changed, keys, lambda one: one == OURS) == text
    assert remove(text, keys, lambda one: one == OURS) == text


@given(VALUES, st.sampled_from([None, 2, "\t"]))
def test_places_are_those_of_the_values(data, indent):
    """A place that is off by one, or behind a character of another size."""
    text = " " + json.dumps(data, indent=indent, ensure_ascii=False) + "\n"

    def check(node, value):
        assert json.loads(text[node.start : node.end]) == value
        for key, _, inner in node.members:
            check(inner, value[key])
        for inner, one in zip(node.elements, value if node.elements else (), strict=True):
            check(inner, one)

    check(parse(text), data)


def test_several_of_ours_go_at_once_and_others_stay():
    """An uninstall that leaves one behind."""
    text = '{"hooks": {"Stop": [1, 2, 1, 3, 1]}, "x": 1}'
    assert remove(text, ("hooks", "Stop"), lambda one: one == 1) == '{"hooks": {"Stop": [2, 3]}, "x": 1}'
    assert remove('{"hooks": {"Stop": [1, 1]}, "x": 1}', ("hooks", "Stop"), lambda one: one == 1) == '{"x": 1}'
    kept = remove('{"hooks": {"Stop": [1]}}', ("hooks", "Stop"), lambda one: one == 1, emptied=False)
    assert kept == '{"hooks": {"Stop": []}}'


@pytest.mark.parametrize(
    "text", ["", "{", '{"a": 1,}', "// x\n{}", '{"hooks": 5}', '{"hooks": {"Stop": 5}}', "[]", "[" * 5000]
)
def test_what_cannot_be_changed_is_named(text):
    """A settings file that is broken, and replaced."""
    with pytest.raises(Invalid):
        append(text, ("hooks", "Stop"), OURS)
