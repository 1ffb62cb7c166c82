"""What Python's reader makes of one file: symbols, imports and flows; and that no input stops it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbfs.code.facts import Import, Parameter, plain_signature
from sbfs.code.reading import blob_of, read


def facts_of(source, path="pkg/mod.py"):
    if isinstance(source, str):
        source = textwrap.dedent(source).encode()
    return read(path, source)


def symbol_of(source, name):
    return next(symbol for symbol in facts_of(source).symbols if symbol.name == name)


def flows_of(source, name=""):
    return symbol_of(source, name).flows


def names_of(source):
    return [symbol.name for symbol in facts_of(source).symbols]


# -- symbols -----------------------------------------------------------------------------------


def test_names_tell_the_place_in_the_file():
    source = """
        def f():
            def inner():
                pass
            return lambda: lambda: 0
        class A:
            class B:
                def go(self): pass
            def go(self): pass
        def f():
            def inner(): pass
        top = lambda: 1
    """
    assert names_of(source) == [
        "",
        "f",
        "f.inner",
        "f.<lambda1>",
        "f.<lambda1>.<lambda1>",
        "A",
        "A.B",
        "A.B.go",
        "A.go",
        "f#2",
        "f#2.inner",
        "<lambda1>",
    ]


def test_lambdas_are_numbered_as_they_stand_in_the_source():
    source = "x = [(lambda: a, b) for b in map(lambda: 1, c)]\ny = lambda: 2\n"
    spans = {symbol.name: symbol.signature for symbol in facts_of(source).symbols}
    assert sorted(spans) == ["", "<lambda1>", "<lambda2>", "<lambda3>"]
    assert flows_of(source, "<lambda1>") == [["return", ":a"]]
    assert flows_of("x = (lambda: a) if (lambda: b)() else (lambda: c)\n", "<lambda2>") == [["return", ":b"]]


def test_spans_hold_decorators_and_the_whole_body():
    symbol = symbol_of("x = 1\n@one\n@two(\n  3)\ndef f():\n    return (1,\n      2)\n\ny = 2\n", "f")
    assert (symbol.start, symbol.end) == (2, 7)
    assert symbol.decorators == ("one", "two(3)")


def test_kinds_of_symbols():
    source = """
        import enum
        class Colour(enum.Enum): pass
        class Shape(Protocol): pass
        class Plain(Base, metaclass=Meta): pass
        def function(): pass
        class A:
            def method(self):
                def local(): pass
    """
    kinds = {symbol.name: symbol.type for symbol in facts_of(source).symbols}
    assert kinds == {
        "": "module",
        "Colour": "enum",
        "Shape": "interface",
        "Plain": "class",
        "function": "function",
        "A": "class",
        "A.method": "method",
        "A.method.local": "function",
    }
    assert symbol_of(source, "Plain").bases == ("Base",)
    assert symbol_of(source, "Plain").signature == "Plain(Base, metaclass=Meta)"


def test_flags():
    source = """
        class A:
            @property
            def a(self): return 1
            @a.setter
            def a(self, value): pass
            @staticmethod
            def b(): pass
            @classmethod
            def c(cls): yield
            @functools.cached_property
            def d(self): pass
            @abc.abstractmethod
            async def e(self): pass
            @overload
            def f(self): pass
            @functools.lru_cache(maxsize=1)
            def g(self): yield from x
        @dataclass(frozen=True)
        class B(ABC): pass
    """
    flags = {symbol.name: symbol.flags for symbol in facts_of(source).symbols if symbol.flags}
    assert flags == {
        "A.a": ("property",),
        "A.a#2": ("setter",),
        "A.b": ("static",),
        "A.c": ("classmethod", "generator"),
        "A.d": ("cached", "property"),
        "A.e": ("abstract", "async"),
        "A.f": ("overload",),
        "A.g": ("cached", "generator"),
        "B": ("abstract", "dataclass"),
    }


def test_tests_are_flagged_where_tests_are():
    source = (
        "class ThingTests(TestCase):\n    def test_it(self): pass\n    def helper(self): pass\ndef test_more(): pass\n"
    )
    marked = [symbol.name for symbol in facts_of(source, "tests/things.py").symbols if "test" in symbol.flags]
    assert marked == ["ThingTests", "ThingTests.test_it", "test_more"]
    assert not [symbol for symbol in facts_of(source, "things.py").symbols if "test" in symbol.flags]


def test_signatures_and_parameters():
    symbol = symbol_of(
        "def f(a, /, b: int = 1, *rest: str, c, d: 'T' = None, **more) -> list[\n    int,\n]: pass\n", "f"
    )
    assert symbol.signature == "f(a, /, b: int = 1, *rest: str, c, d: 'T' = None, **more) -> list[int]"
    assert symbol.parameters == (
        Parameter("a", "only"),
        Parameter("b", "positional", True, "int"),
        Parameter("rest", "rest", False, "str"),
        Parameter("c", "keyword"),
        Parameter("d", "keyword", True, "'T'"),
        Parameter("more", "keywords"),
    )
    assert plain_signature(symbol) == "f(a, /, b, *rest, c, d, **more)"


@pytest.mark.parametrize("written", ["f()", "f(a)", "f(a, /)", "f(a, /, b)", "f(*, a)", "f(*a, b)", "f(a, *b, c, **d)"])
def test_a_plain_signature_is_the_one_that_is_written(written):
    symbol = symbol_of(f"def {written}: pass\n", "f")
    assert plain_signature(symbol) == symbol.signature == written


def test_visibility_and_what_other_files_see():
    source = """
        def a(): pass
        def _b(): pass
        class C:
            def __init__(self): pass
            def __d(self): pass
            def e(self):
                def f(): pass
    """
    told = {symbol.name: (symbol.visibility, symbol.exported) for symbol in facts_of(source).symbols if symbol.name}
    assert told == {
        "a": ("public", True),
        "_b": ("protected", False),
        "C": ("public", True),
        "C.__init__": ("public", True),
        "C.__d": ("private", False),
        "C.e": ("public", True),
        "C.e.f": ("public", False),
    }


def test_all_says_what_is_exported():
    facts = facts_of(
        "__all__ = ['a']\n__all__ += ['_b']\n__all__.extend(('c',))\n__all__.append('d')\n"
        "def a(): pass\ndef _b(): pass\ndef z(): pass\n"
    )
    assert facts.exports == ("a", "_b", "c", "d")
    assert [symbol.name for symbol in facts.symbols if symbol.exported] == ["", "a", "_b"]
    assert facts_of("x = 1\n").exports is None
    assert facts_of("__all__ = []\n").exports == ()


def test_docstrings_are_cleaned():
    source = '''
        """Of the module."""
        class A:
            """One.

              Indented.
            Two.
            """
            def f(self):
                "Short."
            def g(self):
                f"no {doc}"
    '''
    docs = {symbol.name: symbol.doc for symbol in facts_of(source).symbols}
    assert docs == {"": "Of the module.", "A": "One.\n\n  Indented.\nTwo.", "A.f": "Short.", "A.g": ""}


def test_complexity_counts_ways_through():
    source = """
        def plain(): return 1
        def f(a):
            if a and b or c:
                pass
            elif d:
                pass
            for x in y:
                while z:
                    pass
            try:
                pass
            except A:
                pass
            except B:
                pass
            finally:
                pass
            return 1 if a else 2
        def g(v):
            match v:
                case 1:
                    pass
                case _:
                    pass
            return [x for x in y if x]
        def h():
            def inner():
                if a: pass
    """
    found = {symbol.name: symbol.complexity for symbol in facts_of(source).symbols}
    assert found == {"": 0, "plain": 1, "f": 1 + 4 + 2 + 2 + 1, "g": 1 + 1 + 2, "h": 1, "h.inner": 2}


def test_a_body_hash_tells_changes_from_moves():
    one = symbol_of('def f(a):\n    """Doc."""\n    x = 1\n    return g(x)\n', "f").body_hash
    moved = symbol_of(
        "class A:\n\n    def renamed(self):\n        x = 1\n\n        # why\n        return g(x)   \n", "A.renamed"
    )
    changed = symbol_of("def f(a):\n    x = 1\n    return g(x, 1)\n", "f").body_hash
    nested = symbol_of("def f(a):\n    if x:\n        y()\n    z()\n", "f").body_hash
    flat = symbol_of("def f(a):\n    if x:\n        y()\n        z()\n", "f").body_hash
    assert one == moved.body_hash != changed
    assert nested != flat
    assert symbol_of("def f(): return 1\n", "f").body_hash == symbol_of("def g():\n    return 1\n", "g").body_hash


# -- imports -----------------------------------------------------------------------------------


def test_imports_of_every_form():
    facts = facts_of("""
        import a.b, c as d
        from . import e
        from ..f.g import h as i, j
        from k import *
        if TYPE_CHECKING:
            from l import M
        def f():
            import n
    """)
    assert facts.imports == [
        Import("a.b", 2, 0, (("", "a"),)),
        Import("c", 2, 0, (("", "d"),)),
        Import("", 3, 1, (("e", "e"),)),
        Import("f.g", 4, 2, (("h", "i"), ("j", "j"))),
        Import("k", 5, 0, (("*", ""),)),
        Import("l", 7, 0, (("M", "M"),), True),
        Import("n", 9, 0, (("", "n"),), False, "f"),
    ]
    assert ["star", "k", 0] in facts.symbols[0].flows
    assert ["=", "M", ["module", "l", 0, "M", True]] in facts.symbols[0].flows


# -- flows: scopes -----------------------------------------------------------------------------


def test_names_are_sought_outwards():
    source = """
        top = a
        def outer(p):
            own = b
            def inner():
                return top, own, p, unknown
            return inner
    """
    assert flows_of(source, "outer.inner") == [["return", ["tuple", [":top", "outer:own", "outer:p", ":unknown"]]]]


def test_a_class_hides_its_names_from_its_methods():
    source = "class A:\n    x = f\n    y = x\n    def go(self): return x\n"
    assert flows_of(source, "A") == [["=", "x", ":f"], ["=", "y", "x"]]
    assert flows_of(source, "A.go") == [["return", ":x"]]


def test_global_and_nonlocal_are_one_cell():
    source = """
        x = f
        def g():
            global x
            x = h
            return x
        def outer():
            y = f
            def inner():
                nonlocal y
                y = h
            return y
    """
    assert flows_of(source) == [["=", "x", ":f"]]
    assert flows_of(source, "g") == [["=", ":x", ":h"], ["return", ":x"]]
    assert ["=", "outer:y", ":h"] in flows_of(source, "outer.inner")
    assert ["return", "y"] in flows_of(source, "outer")


def test_a_cell_may_hold_any_of_its_values_at_any_time():
    source = """
        x = f
        x = k
        x()
        def g():
            global x
            x = h
        def outer():
            y = f
            y = k
            def inner():
                nonlocal y
                y = h
            y()
    """
    assert ["do", ["call", 0, "x", []]] in flows_of(source)
    assert ["do", ["call", 0, "y", []]] in flows_of(source, "outer")


def test_comprehensions_bind_in_a_scope_of_their_own():
    flows = flows_of("def f(x, xs):\n    a = [x for x in xs]\n    return x\n", "f")
    assert flows[-1] == ["return", "x"]
    assert flows[0][1] != "x"


def test_defaults_and_decorators_belong_to_the_scope_around():
    source = "def outer(d, v):\n    @d(1)\n    def f(a=v, *, b=g()): pass\n"
    assert flows_of(source, "outer") == [
        [
            "=",
            "f",
            ["call", 2, ["call", 0, "d", [None]], [["func", "outer.f", [["a", "v"], ["b", ["call", 1, ":g", []]]]]]],
        ]
    ]
    assert flows_of(source, "outer.f") == []


def test_private_names_are_mangled():
    source = "class _A:\n    __x = f\n    def __g(self): return self.__x, self.__h__\n"
    assert ["=", "_A__x", ":f"] in flows_of(source, "_A")
    assert flows_of(source, "_A.__g") == [["return", ["tuple", [["attr", "self", "_A__x"], ["attr", "self", "__h__"]]]]]


def test_a_classs_annotations_are_its_fields_in_order():
    source = "class A:\n    a: B = None\n    b: object\n    c: ClassVar[int] = 1\n    d: 'list[B]' = field()\n"
    hints = [flow[1:] for flow in flows_of(source, "A") if flow[0] == "hint"]
    assert hints == [
        ["a", ["inst", ":B", []]],
        ["b", None],
        ["d", ["inst", ":list", [["inst", ":B", []]]]],
    ]


# -- flows: what overwrites what ---------------------------------------------------------------


def test_a_name_that_is_bound_again_is_another_variable():
    assert flows_of("def g():\n    x = a\n    x()\n    x = b\n    x()\n", "g") == [
        ["=", "x", ":a"],
        ["do", ["call", 0, "x", []]],
        ["=", "x@2", ":b"],
        ["do", ["call", 1, "x@2", []]],
    ]


def test_others_see_a_modules_last_value():
    flows = flows_of("x = a\nx = b\n")
    assert flows == [["=", "x@1", ":a"], ["=", "x@2", ":b"], ["=", "x", "x@2"]]


def test_branches_are_joined_but_not_where_they_leave():
    flows = flows_of(
        """
        def f():
            x = a
            if c:
                x = b
            x()
            if d:
                x = e
                return
            x()
    """,
        "f",
    )
    calls = [flow[1][2] for flow in flows if flow[0] == "do"]
    assert calls == [["any", ["x@2", "x"]], ["any", ["x@2", "x"]]]


def test_a_loops_head_may_have_what_its_end_left():
    flows = flows_of("def f(y):\n    x = a\n    while y:\n        x()\n        x = b\n    return x\n", "f")
    head = next(flow[1][2] for flow in flows if flow[0] == "do")
    assert ["=", head, ["any", ["x", "x@3"]]] in flows
    assert flows[-2] == ["return", ["any", ["x", "x@3"]]] or ["return", ["any", ["x", "x@3"]]] in flows


def test_a_function_sees_what_holds_when_it_can_first_run():
    source = "x = a\ndef early(): return x\nearly()\nx = b\ndef late(): return x\n"
    assert flows_of(source, "early") == [["return", ["any", [":x@1", ":x@2"]]]]
    assert flows_of(source, "late") == [["return", ":x"]]


def test_what_was_stored_is_read_again_until_a_call():
    flows = flows_of("def f(o):\n    o.a = g\n    o.a()\n    o.a()\n", "f")
    assert [flow[1][2] for flow in flows if flow[0] == "do"] == [":g", ["attr", "o", "a"]]


def test_an_entry_that_is_overwritten_makes_a_container_anew():
    flows = flows_of("d = {'a': f, 'b': g}\nd['a'] = h\nd['a']()\n")
    assert ["=", "d@2", ["dict", [["a", ":h"], ["b", ":g"]]]] in flows
    assert ["do", ["call", 0, ["item", "d@2", "a"], []]] in flows


def test_a_container_that_others_hold_keeps_what_it_held():
    flows = flows_of("d = {'a': f}\nkeep(d)\nd['a'] = h\n")
    assert ["=", ["item", "d@1", "a"], ":h"] in flows


def test_tests_for_types_hold_in_their_arm():
    source = "def f(x):\n    if isinstance(x, A):\n        x.go()\n    x.stop()\n"
    flows = flows_of(source, "f")
    narrowed = next(flow[1] for flow in flows if flow[0] == "=")
    assert ["=", narrowed, ["cast", "x", ["inst", ":A", []]]] in flows
    assert [flow[1][2][1] for flow in flows if flow[0] == "do" and flow[1][2][0] == "attr"] == [narrowed, "x"]


@pytest.mark.parametrize("test", ["not isinstance(x, A)", "y or not isinstance(x, A)", "not (y and isinstance(x, A))"])
def test_a_guard_that_leaves_tells_the_type_of_what_is_behind_it(test):
    flows = flows_of(f"def f(x, y):\n    if {test}:\n        return\n    x.go()\n", "f")
    narrowed = next(flow[1] for flow in flows if flow[0] == "=" and flow[2][0] == "cast")
    assert flows[-1] == ["do", ["call", 1, ["attr", narrowed, "go"], []]]


@pytest.mark.parametrize("test", ["isinstance(x, A)", "y and not isinstance(x, A)", "y or isinstance(x, A)"])
def test_a_guard_that_does_not_tell_the_type_changes_nothing(test):
    flows = flows_of(f"def f(x, y):\n    if {test}:\n        return\n    x.go()\n", "f")
    assert flows[-1] == ["do", ["call", 1, ["attr", "x", "go"], []]]


def test_what_cannot_matter_is_not_written():
    assert flows_of("def f(a):\n    n = 1\n    n += a\n    s = 'x'\n    return n > 2\n", "f") == []


# -- flows: lines ------------------------------------------------------------------------------


def test_every_flow_and_every_site_has_its_line():
    symbol = symbol_of("def f():\n    a(\n        b(),\n    )\n    return c.d()\n", "f")
    assert symbol.flows == [
        ["do", ["call", 0, ":a", [["call", 1, ":b", []]]]],
        ["return", ["call", 2, ["attr", ":c", "d"], []]],
    ]
    assert symbol.flow_lines == [2, 5]
    assert symbol.sites == [2, 3, 5]


def test_a_change_in_one_function_leaves_others_as_they_were():
    one = facts_of("def f():\n    a()\n\ndef g():\n    b()\n")
    other = facts_of("def f():\n    a()\n    c()\n\ndef g():\n    b()\n")
    assert one.symbols[2].flows == other.symbols[2].flows


# -- what does not parse -----------------------------------------------------------------------


def test_a_broken_definition_leaves_the_others_whole():
    facts = facts_of("import os\ndef broken(:\n    f(\n\nclass A:\n    def go(self):\n        return g()\n\nx = h()\n")
    assert facts.parse == "partial"
    assert "line 2" in facts.notes[0]
    assert {"A", "A.go"} <= {symbol.name for symbol in facts.symbols}
    assert ["=", "x", ["call", 0, ":h", []]] in facts.symbols[0].flows
    assert [one.spec for one in facts.imports] == ["os"]


def test_an_open_bracket_does_not_swallow_what_follows():
    facts = facts_of("def f(:\n    x = g(1\n\ndef h():\n    return k()\ny = [\n@d\nclass A:\n    def m(self): pass\n")
    assert [symbol.name for symbol in facts.symbols if symbol.name in ("h", "A", "A.m")] == ["h", "A", "A.m"]
    assert [symbol.decorators for symbol in facts.symbols if symbol.name == "A"] == [("d",)]


def test_python_2_is_read():
    source = """
        import urllib2
        class Old:
            def go(self, a=1, *args):
                print "x", self.name()
                try:
                    raise Wrong, "text"
                except Wrong, e:
                    exec "code"
                return `a`
        if __name__ == '__main__':
            Old().go()
    """
    facts = facts_of(source)
    assert facts.parse == "partial"
    method = next(symbol for symbol in facts.symbols if symbol.name == "Old.go")
    assert ["do", ["call", 0, ["attr", "self", "name"], []]] in method.flows
    assert ["raise", ":Wrong"] in method.flows
    assert method.start == 4
    assert ["do", ["call", 0, ["attr", ["call", 1, "Old", []], "go"], []]] in facts.symbols[0].flows


TOLERATED = """
from __future__ import annotations
import a.b as c, d
from ..e import (f as g, h)
from .i import *
@dec(1)
class A(B, metaclass=M):
    def m(self, p, /, q: int = 1, *r, s, t=u, **v) -> W:
        self.x, *y = p
        self.z += [n()]
        with open(p) as o, lock:
            for k, (l, m) in o:
                yield from l
        while x:
            break
        else:
            continue
        return (q if p else r) or not s and t
    async def n(self):
        async with a as b:
            await b
        return lambda w, *z: w(z)
try:
    x: int = f'{aa()!r:>{bb()}}' 'cc'
except (E, F) as error:
    raise error
except G:
    pass
else:
    del x, y
finally:
    assert g, h
a = b = [i for i in j if k for l in i]
{k: v for k, v in w}, {*s}, {**t, 'u': 1}, (x for x in y)
call(*a, k=1, **b)[1:2, ...]
def typed(a: list[int], b: 'dict[str, A]' = None, *c: list[A] | B | None) -> Optional[x.Y[A, B]]: pass
b'a'.b(), b'a' b'b', Rb'c'
d = a[1:], a[:-1], a[n():], a[::2], a[-1](), a['k']()
if (y := z()): pass
elif q: pass
else: global_()
match v:
    case 1: go()
"""


def test_the_tolerant_tree_says_what_the_strict_one_says():
    """The same source, read as it is and behind a line that no Python knows: the same symbols, imports and calls."""
    from sbfs.code import python_partial
    from sbfs.code.facts import Facts
    from sbfs.code.python_body import Body
    from sbfs.code.python_source import Source

    raw = TOLERATED.encode()
    told = []
    for tree in (ast.parse(TOLERATED), _tolerant(TOLERATED)):
        facts = Facts("m.py", "python", "")
        Body(facts, Source("m.py", raw, TOLERATED)).read_module(tree)
        told.append(facts)
    strict, tolerant = told
    assert [symbol.signature for symbol in strict.symbols] == [symbol.signature for symbol in tolerant.symbols]
    assert strict.imports == tolerant.imports
    for one, other in zip(strict.symbols, tolerant.symbols, strict=True):
        assert (one.name, one.start, one.end, one.bases, one.decorators) == (
            other.name, other.start, other.end, other.bases, other.decorators
        )  # fmt: skip
        assert len(one.sites) == len(other.sites), one.name
        assert one.flows == other.flows, one.name
    assert python_partial.parsed("x = 1\n").body


def _tolerant(text):
    from tree_sitter import Parser

    from sbfs.code.python_partial import _Tolerant
    from sbfs.code.treesitter import language

    return ast.Module(_Tolerant().block(Parser(language("python")).parse(text.encode()).root_node.children), [])


# -- encodings and other bytes -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "doc", "notes"),
    [
        ("def f():\n    'é'\n".encode(), "é", 0),
        ("\ufeffdef f():\n    'é'\n".encode(), "é", 0),
        ("# -*- coding: latin-1 -*-\ndef f():\n    'é'\n".encode("latin-1"), "é", 0),
        ("#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\ndef f():\n    '€'\n".encode("cp1252"), "€", 0),
        ("def f():\n    'é'\n".encode("latin-1"), "é", 1),
        (b"# coding: nonsense\ndef f():\n    'x'\n", "x", 1),
        (b"# coding: rot13\ndef f():\n    'x'\n", "x", 1),
    ],
)
def test_encodings(raw, doc, notes):
    facts = facts_of(raw)
    assert [symbol.doc for symbol in facts.symbols] == ["", doc]
    assert len(facts.notes) == notes
    assert facts.blob == blob_of(raw)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_do_not_matter(end):
    source = "def f():\n    'Doc.\n\n    More.'\n    return g(\n        1)\n\ndef h(): pass\n".replace("\n", "\n")
    source = source.replace("'Doc.", "'''Doc.").replace("More.'", "More.'''")
    facts = facts_of(source.replace("\n", end).encode())
    spans = [(symbol.name, symbol.start, symbol.end, symbol.doc, symbol.body_hash) for symbol in facts.symbols]
    assert spans == [
        (symbol.name, symbol.start, symbol.end, symbol.doc, symbol.body_hash) for symbol in facts_of(source).symbols
    ]


def test_tabs_form_feeds_and_wide_characters():
    facts = facts_of("def f(größe='ä', *, b: 'ü' = 1):\n\treturn größe.x(b)\n\x0c\nclass Ä(B): pass\n".encode())
    assert [symbol.signature for symbol in facts.symbols] == ["", "f(größe='ä', *, b: 'ü' = 1)", "Ä(B)"]
    assert facts.symbols[1].flows[-1] == ["return", ["call", 0, ["attr", "größe", "x"], ["b"]]]


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"\n",
        b"\xff\xfe\x00",
        b"def f():\n    g()\n\x00\x00",
        b"x = " + b"(" * 20_000 + b")" * 20_000 + b"\n",
        b"x = " + b"-" * 20_000 + b"1\n",
        b"x = " + b"1 + " * 20_000 + b"f()\n",
        b"x = a" + b".b" * 20_000 + b"\n",
        b"x = a" + b"()" * 20_000 + b"\n",
        b"x = " + b"[" * 20_000 + b"\n",
        b"x = " + b"lambda: " * 20_000 + b"1\n",
        b"x = " + b"9" * 20_000 + b"\n",
        b"x = d[" + b"9" * 30 + b"]\n",
        b"x = '" + b"y" * 500_000 + b"'\n",
        b"x = {" + b"'a': 'b'," * 50_000 + b"}\n",
        b"".join(b" " * depth + b"if x:\n" for depth in range(120)) + b" " * 120 + b"f()\n",
        b"if x: pass\n" + b"elif y: f()\n" * 3_000,
        b"async def f(): await = 1\n",
        b"class\n", b"def\n", b"@\n", b"import\n", b"from . import\n", b"x = '\\ud800'\nd['\\ud800'] = f\n",
    ],
    ids=lambda raw: raw[:12].decode("latin-1").replace("\x00", "0"),
)  # fmt: skip
def test_nothing_stops_the_reader(source):
    facts = facts_of(source)
    assert facts.symbols[0].name == ""
    json.dumps([symbol.flows for symbol in facts.symbols]).encode()


@pytest.mark.parametrize("depth", [900, 5_000])
def test_what_is_nested_too_deep_is_noted_and_the_rest_is_read(depth):
    facts = facts_of(b"def f():\n    g()\nx = " + b"not " * depth + b"h()\ndef k():\n    m()\n")
    assert facts.parse == "partial"
    assert facts.notes
    assert [symbol.name for symbol in facts.symbols] == ["", "f", "k"]


def test_a_long_sum_is_no_deep_nesting():
    facts = facts_of("x = " + " + ".join(["f()"] * 600) + "\n")
    assert facts.parse == "full"
    assert len(facts.symbols[0].sites) == 600


# -- determinism -------------------------------------------------------------------------------


def test_hash_seeds_change_nothing():
    program = (
        "import sys, dataclasses, json; sys.path.insert(0, '.');"
        "from sbfs.code.reading import read; p = 'tests/test_code_python.py';"
        "print(json.dumps(dataclasses.asdict(read(p, open(p, 'rb').read()))))"
    )
    root = Path(__file__).resolve().parent.parent
    told = {
        subprocess.run(
            [sys.executable, "-c", program], cwd=root, env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(told) == 1


PIECES = st.sampled_from(
    [
        *("def f(a, b=1):", "class A(B):", "    ", "\n", "x = ", "x, *y = ", "return ", "yield ", "lambda z: z", "x.y"),
        *("f(x)", "for x in y:", "if x:", "else:", "elif y:", "try:", "except E as e:", "finally:", "with a as b:"),
        *(
            "import a.b",
            "from . import c",
            "global x",
            "nonlocal x",
            "del x",
            "@d",
            "async ",
            "await ",
            "'s'",
            "f'{x()}'",
        ),
        *("1", "not ", "and ", "or ", "x[1:2]", "x['k']", "match x:", "case A(b=c):", "pass", "raise X", "while x:"),
        *("isinstance(x, A)", "break", "continue", "self.x = ", "print 1", "`x`", "é", "\x00", "\t", "\r\n", '"""'),
        *("()[]{}:,*=#\\"),
        *(":=", "->"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_text_is_read_and_always_alike(text):
    _read_twice(text.encode("utf-8"))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read(raw):
    _read_twice(raw)


@pytest.mark.soak
@settings(max_examples=5_000, deadline=None)
@given(st.lists(PIECES, max_size=80).map("".join))
def test_any_text_is_read_and_always_alike_at_length(text):
    _read_twice(text.encode("utf-8"))


def _read_twice(raw):
    one, other = facts_of(raw), facts_of(raw)
    assert one == other
    json.dumps([symbol.flows for symbol in one.symbols]).encode()
    for symbol in one.symbols:
        assert len(symbol.flows) == len(symbol.flow_lines)
        assert 1 <= symbol.start <= symbol.end
