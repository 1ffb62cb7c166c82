"""The quick reader of YAML says what the library says, or nothing."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_yamlform import DATA, TRICKY, _same

from sbfs import quickyaml, yamlform
from sbfs.errors import Invalid

LINES = [
    "a: b", "a: 'b'", 'a: "b"', 'a: "b\\n"', 'a: "\\u0041"', 'a: "\\x41"', "a: 1", "a: -1", "a: 01", "a: 1.50",
    "a: 1e3", "a: 2026-11-22T14:03:07.123Z", "a: 2026-11-22", "a: true", "a: Null", "a: ~", "a: []", "a: {}",
    "a: [b, 1, null]", "a: [b, [c]]", "a: {b: c, d: 1}", "a: {b: c: d}", "a: [b , c]", "a: [b,c]", "a: |", "a: |-",
    "a: |+", "a: |2", "a: >", "a:", "b:", "  c: d", "  c:", "    e: f", "- a", "- a: b", "  b: c", "- ", "-", "- - a",
    "  - a", "- [a, b]", "- |", "  text", "  more text", "", "   ", "\t", "# note", "a: b # c", "a: b#c", "a: b:c",
    "a: b: c", "a: b:", "a : b", " a: b", "? a", ": b", "...", "---", "%x", "a: &b c", "a: *b", "a: !c d", "a: @b",
    "a: `b", "a: %b", "a: -b", "a: .5", "a: /b", "a: _", "a: é", "é: a", "a: b ", "a: \xa0b", "a: b\x85c", "a:  b",
    "true: a", "null: b", "a.b: c", "a-b: c", "<<: a", "a: <<", "a: =", "a: 123456789012345678901234567890",
    "a: 1_000", "a: 0x1F", "a: 1:30", "a: no", "a: ???", "x" * 300 + ": a",
    "2026-02-11T20:", "  9a: b", "a: 2.1.39", "a: [2.1.39, 1e5]", "- 99b", "a: 1 b", "a: 1: b", "1e5: a", "a: 1e",
]  # fmt: skip


def _agree(text: str) -> None:
    found = quickyaml.read(text)
    if found is None:
        return
    try:
        said = yamlform._load(text)
    except Invalid as error:
        raise AssertionError(f"read what the library refuses: {error}") from None
    assert _same(found, said)


@settings(max_examples=500, deadline=None)
@given(DATA)
def test_what_is_written_is_read_as_the_library_reads_it(data):
    """A value that is taken for another one, silently, in every record."""
    _agree(yamlform.dump(data))


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=7))
@example(["a: |", "  text", "", "", "b: c"])
@example(["a: |-", "  text", "   ", "b: c"])
@example(["a:", "- b: c", "  d: e", "- f", "g: h"])
def test_what_people_write_is_read_as_the_library_reads_it(lines):
    """A line whose meaning hangs on the one before it: continued, nested, commented, cut."""
    _agree("\n".join(lines) + "\n")


@settings(max_examples=500, deadline=None)
@given(DATA, st.data())
def test_what_is_written_and_then_spoiled(data, choose):
    """One character more, less or other, as editors and merges leave it."""
    text = yamlform.dump(data)
    at = choose.draw(st.integers(0, len(text)))
    _agree(
        text[:at]
        + choose.draw(st.sampled_from([*" \n\t:#-|'\"[]{},&*!?%@", "", "é"]))
        + text[at + choose.draw(st.integers(0, 2)) :]
    )


@pytest.mark.parametrize("text", [f"a: {one}\n" for one in TRICKY] + [f"{one}: a\n" for one in TRICKY])
def test_words_that_read_as_something_else(text):
    """`no`, `1:30`, `<<` and their like, as values and as keys."""
    _agree(text)


def test_records_are_read_without_the_library():
    """A reader that is never sure, so that every command loads the library after all."""
    message = {
        "id": "msg-01KAP3S6C1V9M8T2WZ4Q7XN5RD", "from_project": "backend-api", "timestamp": "2026-11-22T14:03:07.123Z",
        "subject": "User stats API ready: see #12", "priority": "high", "status": "unread",
        "content": {
            "type": "notification", "message": "GET /api/stats works.\n\n  indented\n", "context": {"n": 1, "f": 0.5},
            "attachments": [{"name": "report.html", "sha256": "0" * 64, "size": 12, "path": "attachments/" + "0" * 64}],
        },
        "tags": ["a", "b"], "empty": [], "none": {}, "quoted": "yes", "score": 87.5, "nothing": None,
    }  # fmt: skip
    text = yamlform.dump(message)
    assert _same(quickyaml.read(text), message)


def test_words_that_are_quoted_are_those_of_the_library():
    """A word that a reader of YAML 1.1 takes for a truth, written without quotes; or one more that is quoted."""
    words = ["yes", "no", "true", "false", "on", "off", "null", "y", "n", "nan", "inf", "none", "e1", "x1f"]
    for word in words:
        for cases in itertools.product(*((char.lower(), char.upper()) for char in word)):
            text = "".join(cases)
            by_library = any(pattern.match(text) for pattern in yamlform._resolvers().get(text[0], ()))
            assert yamlform._reads_as_other(text) == by_library, text
