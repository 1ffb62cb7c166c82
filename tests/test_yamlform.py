"""YAML: what is written reads back equal, on every machine the same bytes, and people's comments stay."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sbfs import yamlform
from sbfs.errors import Invalid

TRICKY = [
    "", "no", "on", "yes", "y", "True", "null", "~", "1:30", "0777", "0123456", "007", "1_000", "0x1F", "0o17", "0b11",
    "1e5", "12e03", "1.", ".5", "-.inf", ".nan", "+1", "2026-11-22", "2026-11-22T14:03:07.123Z", "2026-11-22 14:03:07",
    "<<", "=", "-", "- a", "?", "? a", ":", "a:", "a: b", ":a", "a #b", "#", "# a", "...", "---", "--- a", "... a",
    "%x", "@x", "`", "&a", "*a", "!a", "|", ">", "'", '"', "a'b", "{", "}", "[x]", "a, b", " x", "x ", "\t", "\tx",
    "\n", "\n\n", "a\n", "a\n\n", "\na", " a\nb", "a\n b\n", "\ta\nb", "a\n\t\n", "a \nb", "a\n---\nb\n", "# a\n#b\n",
    "\x85", "a\x85b\nc", "\u2028", "\u2029x", "\ufeff", "\ufeffa\nb", "\0", "a\0b\n", "\x1b[0m", "\x7f", "\x9f",
    "\r", "a\r\nb", "\U0001f600", "\U0010ffff", "\ufffe", "\uffff", "\xa0", "x" * 3000, "x " * 2000, "http://a.b/c",
    "<<<<<<< HEAD\n", "=======\n", ">>>>>>> x\n", "ä", "日本語", "\u0301x", "C:\\x", "a\\nb", "%", "~x", "a: |\n  b\n",
]  # fmt: skip

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(TRICKY)
SCALARS = st.one_of(
    TEXT, st.integers(), st.floats(allow_nan=False), st.booleans(), st.none(), st.sampled_from([10**300, -(2**64), 0.1])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)
KEYS = TEXT | st.sampled_from(["k" * 1100, "k" * 2000, "k " * 600])
DATA = st.dictionaries(KEYS, VALUES, max_size=5)


def _same(one: Any, other: Any) -> bool:
    """Equal with equal types: to Python 1, 1.0 and True are the same."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other and (not isinstance(one, float) or math.copysign(1, one) == math.copysign(1, other))


@pytest.fixture(params=["libyaml", "pure"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """Reading with libyaml, and as on a machine that has none."""
    if request.param == "libyaml":
        yield "libyaml"
        return
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    yamlform._loader.cache_clear()
    assert issubclass(yamlform._loader(), yaml.SafeLoader)
    yield "pure"
    yamlform._loader.cache_clear()


# -- round trips -------------------------------------------------------------------------------------


@settings(max_examples=500, deadline=None)
@given(DATA)
def test_round_trip(data: dict[str, Any]):
    """Any value reads back equal, of the same type, in the same order; and is written the same again.

    Breaks for U+0085 in PyYAML's own emitter, for `no`, dates, and whatever else reads as something else.
    """
    text = yamlform.dump(data)
    back = yamlform.load(text.encode())
    assert _same(back, data)
    assert yamlform.dump(back) == text


@settings(max_examples=300, deadline=None)
@given(DATA)
def test_both_loaders_read_the_same(data: dict[str, Any]):
    """Failure mode 53: with libyaml and without it, what we write reads equal. There is one emitter, ours."""
    text = yamlform.dump(data)
    pure = yamlform._construct(yamlform._compose(text, pure=True), {})
    assert _same(pure, data)


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML was built without libyaml: there is one loader only")
@pytest.mark.parametrize("text", [
    "a: 1\nb: [x, 'y', \"z\\n\"]\n", "a: |\n  text\n\n  more\nb: >-\n  folded\n  text\n", "a:\n- b: 1\n  c: 2\n- 3\n",
    "? long key\n: value\n", "{a: {b: c}, d: [1, 2.5, ~, true]}\n", "a: 'it''s'\n", "# only a comment\n", "a:\n",
    "a: plain\n  over lines\n", "\"a\": 0o17\n0x1F: b\n",
])  # fmt: skip
def test_both_loaders_read_what_people_write(text: str):
    """Failure mode 53, for layouts that only people write."""
    assert type(yamlform._loader()(text)).__mro__[1] is yaml.CSafeLoader
    pure = yamlform._construct(yamlform._compose(text, pure=True), {})
    assert _same(yamlform.load(text.encode()), pure)


@pytest.mark.parametrize("text", TRICKY)
@pytest.mark.parametrize("shape", ["value", "key", "item", "flow", "deep"])
def test_texts_that_look_like_something_else(text: str, shape: str):
    """Each tricky text in each place, read by our reader and, as a value, by a YAML 1.1 reader alike."""
    data = {"value": {"a": text}, "key": {text: "a"}, "item": {"a": [text, [text]]}, "flow": {"a": {"b": text, "c": 1}},
            "deep": {"a": [{"b": {"c": text}, "d": "x" * 70}]}}[shape]  # fmt: skip
    written = yamlform.dump(data)
    assert _same(yamlform.load(written.encode()), data)
    assert written.isprintable() or not re.search(r"[^\n\t -\U0010ffff]", written)
    if not yamlform._TIME.fullmatch(
        text
    ):  # times are plain: people like to read them, and YAML 1.1 reads the same moment
        assert yaml.safe_load(written) == data


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=60), min_size=2, max_size=6))
def test_bodies_are_blocks_and_lines_are_not_wrapped(lines: list[str]):
    """People read bodies as they were written. Breaks if printable lines were escaped, or long ones folded."""
    text = "\n".join(lines) + "\n"
    assume(text.strip("\n \t") and not yamlform._UNPRINTABLE.search(text))
    written = yamlform.dump({"message": text})
    assert written.startswith("message: |")
    assert [line.removeprefix("  ") for line in written.split("\n")[1:]] == text.split("\n")


def test_how_it_looks():
    """The form on disk that the format document promises.

    Breaks if the bytes of equal values changed between versions.
    """
    data = {
        "id": "msg-1", "time": "2026-11-22T14:03:07.123Z", "subject": "Build: red", "no": "no", "count": 3, "rate": 0.5,
        "none": None, "yes": True, "content": {"message": "a\nb\n", "context": {"endpoint": "/api", "n": 1}},
        "tags": ["a", "b c"], "attachments": [{"name": "r.html", "path": "x" * 60}], "empty": [], "also": {},
    }  # fmt: skip
    assert yamlform.dump(data) == (
        'id: msg-1\ntime: 2026-11-22T14:03:07.123Z\nsubject: "Build: red"\n"no": "no"\n'
        "count: 3\nrate: 0.5\nnone: null\n"
        '"yes": true\ncontent:\n  message: |\n    a\n    b\n  context: {endpoint: /api, n: 1}\ntags: [a, b c]\n'
        f"attachments:\n- name: r.html\n  path: {'x' * 60}\nempty: []\nalso: {{}}\n"
    )
    assert yamlform.dump({}) == "{}\n"


@pytest.mark.parametrize(
    "value", ["\ud800", "a\udfff", {"\ud800": 1}, ["\udc80\n"], object(), b"bytes", {1, 2}, 10**5000], ids=range(8)
)
def test_what_cannot_be_written(value: Any):
    """Lone surrogates and other types are refused. Breaks if they were written as something that cannot be read."""
    with pytest.raises(Invalid):
        yamlform.dump({"a": value})


def test_special_numbers():
    """Breaks if infinities and not-a-number became text."""
    back = yamlform.load(yamlform.dump({"a": math.inf, "b": -math.inf, "c": math.nan, "d": -0.0, "e": 1e300}).encode())
    assert back["a"] == math.inf
    assert back["b"] == -math.inf
    assert math.isnan(back["c"])
    assert math.copysign(1, back["d"]) == -1
    assert back["e"] == 1e300


# -- what is refused -------------------------------------------------------------------------------


def _bomb() -> str:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "\n".join(lines) + "\n"


REFUSED = {
    "unclosed": ("a: 1\nb: [2\n", 3),
    "duplicate": ("a: 1\nb: 2\na: 3\n", 3),
    "duplicate, quoted": ("a: 1\n'a': 3\n", 2),
    "duplicate, nested": ("a:\n  b: 1\n  c: 2\n  b: 3\n", 4),
    "duplicate in flow": ("a: 1\nb: {c: 1, c: 2}\n", 2),
    "anchor": ("a: 1\nb: &x 2\n", 2),
    "alias": ("a: 1\nb: *x\n", 2),
    "alias bomb": (_bomb(), 1),
    "merge key": ("a: &x {b: 1}\nc:\n  <<: *x\n", 1),
    "tag": ("a: 1\nb: !!python/object/apply:os.system [id]\n", 2),
    "tag of text": ("a: !!str 1\n", 1),
    "several documents": ("a: 1\n---\nb: 2\n", 2),
    "tab as indentation": ("a:\n\tb: 1\n", 2),
    "conflict markers": ("a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> other\n", 2),
    "control character": ("a: 1\nb: \x01\n", 2),
    "escape": ("a: 1\nb: \x1b[0m\n", 2),
    "key that is a list": ("a: 1\n? [b]\n: 2\n", 2),
    "huge integer": ("a: 1\nb: " + "9" * 5000 + "\n", 2),
    "bad escape": ('a: 1\nb: "\\q"\n', 2),
    "lone surrogate": ('a: 1\nb: "\\ud800"\n', 2),
    "beyond Unicode": ('a: 1\nb: "\\UFFFFFFFF"\n', 2),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_its_line(loader: str, case: str):
    """Failure modes 25, 26, 34 and 53: each kind of broken or dangerous YAML is refused, and the line is right."""
    text, line = REFUSED[case]
    with pytest.raises(Invalid) as caught:
        yamlform.load(text.encode())
    assert caught.value.line == line
    assert caught.value.why


@pytest.mark.parametrize(
    ("raw", "line"), [(b"a: \xff\n", 1), (b"a: 1\nb: caf\xe9\n", 2), ("a: 1\n".encode("utf-16"), 1)]
)
def test_not_utf8(raw: bytes, line: int):
    """Failure mode 34. Breaks if bytes were guessed at, or the error were the codec's own."""
    with pytest.raises(Invalid, match="UTF-8") as caught:
        yamlform.load(raw)
    assert caught.value.line == line
    assert caught.value.hint


@pytest.mark.parametrize("text", [
    "a: " + "[" * 100_000, "a: " + "{b: " * 5000, "[" * 5000 + "]" * 5000,
    "a:\n" + "".join(" " * depth + "- \n" for depth in range(300)), "- " * 3000 + "a",
    "".join(" " * depth + "k:\n" for depth in range(3000)),
], ids=["lists", "mappings", "closed", "dashes", "one line", "indented"])  # fmt: skip
def test_too_deep(loader: str, text: str):
    """Failure modes 34 and 53: nesting that would end the process in C or in Python. Breaks if depth had no bound."""
    with pytest.raises(Invalid):
        yamlform.load(text.encode())


def test_as_deep_as_anyone_writes():
    """Breaks if the bound on depth hit a long flat file."""
    flat = {"items": [{"a": [n], "b": {"c": n}} for n in range(2000)]}
    assert yamlform.load(yamlform.dump(flat).encode()) == flat


@pytest.mark.parametrize(("raw", "data"), [
    (b"\xef\xbb\xbfa: 1\n", {"a": 1}), (b"a: 1\r\nb: |\r\n  x\r\n", {"a": 1, "b": "x\n"}),
    (b"a: no\nb: 1:30\nc: 0777\nd: 2026-11-22\n", {"a": "no", "b": "1:30", "c": "0777", "d": "2026-11-22"}),
    (b"a: 12345678901234567890123\n", {"a": 12345678901234567890123}), (b"", None), (b"# c\n", None),
    (b"---\na: 1\n", {"a": 1}),
    (b"a: a & b * c ! d\n", {"a": "a & b * c ! d"}), (b"a: x <<<<<<< y\n", {"a": "x <<<<<<< y"}),
    (b"a: 0x1F\nb: 0o17\nc: TRUE\nd: ~\n", {"a": 31, "b": 15, "c": True, "d": None}), (b"a: 1", {"a": 1}),
])  # fmt: skip
def test_accepted(loader: str, raw: bytes, data: Any):
    """Failure modes 34 and 53: what editors and people write and mean. Breaks if YAML 1.1's surprises came back."""
    assert _same(yamlform.load(raw), data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text("ab:-[]{},#&*!|>'\"\n \t?%@`0.", max_size=80).map(str.encode))
@example(b"a: !!binary x")
@example(b"%YAML 1.1\n---\na: 1\n")
@example(b"? ? ? a")
@example(b"!<tag:yaml.org,2002:str> a: b")
def test_any_bytes_are_read_or_refused(raw: bytes):
    """Whatever a file holds, reading it answers or raises Invalid. Breaks if anything else came through."""
    try:
        value = yamlform.load(raw)
    except Invalid:
        return
    if isinstance(value, dict):
        assert _same_or_nan(yamlform.load(yamlform.dump(value).encode()), value)


def _same_or_nan(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)


# -- lines of fields -------------------------------------------------------------------------------


def test_locate():
    """Breaks if a complaint about a field pointed to another line."""
    raw = b"# first\na: 1\nb:\n  c: 2\n\n  d:\n  - x\n  - y: 3\n"
    found = {field: yamlform.locate(raw, field) for field in ("a", "b", "b.c", "b.d", "b.d.1.y", "b.none", "none", "")}
    assert found == {"a": 2, "b": 3, "b.c": 4, "b.d": 6, "b.d.1.y": 8, "b.none": 3, "none": 2, "": 2}


# -- changes in a person's text ----------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(DATA.filter(bool), DATA, st.data())
def test_patch_says_what_is_wanted_and_keeps_comments(old: dict[str, Any], more: dict[str, Any], choose: st.DataObject):
    """Any change of any file: the result reads as wanted, and no comment above a key is lost.

    Breaks if a value's end were found wrongly, or a comment were cut out with the value above it.
    """
    raw = "".join(f"# c{n}\n{yamlform._pair(key, value, 0)}" for n, (key, value) in enumerate(old.items()))
    assert _same(yamlform.load(raw.encode()), old)
    new = {**old, **more}
    for key in choose.draw(st.sets(st.sampled_from(list(old)))):
        new.pop(key, None)
    out = yamlform.patch(raw.encode(), new)
    back = yamlform.load(out.encode())
    assert back == new or (not new and back is None)
    assert all(f"# c{n}\n" in out for n in range(len(old)))
    assert yamlform.patch(raw.encode(), old) == raw


PERSON = """\
# the head
id: one          # who

# about the text
text: |          # a block
  line 1

  line 2 # not a comment
tags: [a, b]     # flow
context:
  # inside
  where: here    # place
  deep:
    x: 1   # ex
    y: 2
  last: z
folded: >-
  some
  words
# the end
"""


def _patched(**new: Any) -> str:
    data = yamlform.load(PERSON.encode()) | new
    data = {key: value for key, value in data.items() if value != "GONE"}
    out = yamlform.patch(PERSON.encode(), data)
    assert yamlform.load(out.encode()) == data
    return out


def test_patch_one_value():
    """Breaks if anything but the value on its line changed."""
    assert _patched(id="two") == PERSON.replace("id: one          # who", "id: two  # who")
    assert _patched(tags=["c"]) == PERSON.replace("tags: [a, b]     # flow", "tags: [c]  # flow")
    assert _patched(folded="new") == PERSON.replace("folded: >-\n  some\n  words\n", "folded: new\n")


def test_patch_a_nested_value():
    """Breaks if a change deep inside rewrote the mapping around it."""
    context = {"where": "here", "deep": {"x": 5, "y": 2}, "last": "z"}
    assert _patched(context=context) == PERSON.replace("x: 1   # ex", "x: 5  # ex")
    context["deep"]["new"] = [1]
    assert _patched(context=context) == PERSON.replace("x: 1   # ex\n    y: 2", "x: 5  # ex\n    y: 2\n    new: [1]")


def test_patch_a_block():
    """Breaks if a `#` inside a block were taken for a comment, or the comment at its head got lost."""
    out = _patched(text="short")
    assert "text: short" in out
    assert "# a block" in out
    assert "line 2" not in out
    out = _patched(text="two\nlines\n")
    assert "# a block" in out
    assert "  two\n  lines\n" in out


def test_patch_removes_and_adds():
    """Breaks if a removed key took its neighbours' comments with it, or a new key came before the last line's end."""
    out = _patched(tags="GONE", status="read")
    assert "tags" not in out
    assert out.count("#") == PERSON.count("#")
    assert out.index("status: read") > out.index("folded")
    assert _patched(id="GONE", text="GONE", tags="GONE", context="GONE", folded="GONE", only=1).count("#") > 3


@pytest.mark.parametrize("text", ["{a: 1, b: 2}  # flow\n", "a: 1", "a: 1\n...\n", "---\na: 1\n", "# only\n", "",
    "a: 1\r\nb: 2\r\n",
                                  "a:\t1  # tab\n"])  # fmt: skip
def test_patch_of_unusual_texts(text: str):
    """Texts that cannot be changed in place are written anew, comments above.

    Breaks if the result said anything else.
    """
    out = yamlform.patch(text.encode(), {"a": 5, "new": "x"})
    assert yamlform.load(out.encode()) == {"a": 5, "new": "x"}
    assert re.findall("#.*", out) == re.findall("#.*", text)


def test_patch_tells_types_apart():
    """Breaks if 1, 1.0, true and "1" were taken for equal, and the change left out."""
    for value in (1.0, True, "1"):
        out = yamlform.patch(b"a: 1 # c\n", {"a": value})
        assert _same(yamlform.load(out.encode()), {"a": value})
        assert "# c" in out
