"""Linking as such: order, caps, inputs that would run away, names. What each language means is in tests/callgraph."""

from __future__ import annotations

import random

import pytest

from sbfs.code.reading import read
from sbfs.linking import Linker, link
from sbfs.linking.names import dotted


def facts_of(files):
    return [read(path, text.encode()) for path, text in files.items()]


def calls(links, *confidences):
    kept = confidences or ("exact", "inferred")
    return {(edge.source, edge.target) for edge in links.edges if edge.type == "calls" and edge.confidence in kept}


PROGRAM = {
    "pkg/__init__.py": "from .shapes import *\nfrom .use import run\n",
    "pkg/shapes.py": (
        "__all__ = ['Circle']\n"
        "class Shape:\n"
        "    def draw(self):\n        return self.paint()\n"
        "    def paint(self):\n        pass\n"
        "class Circle(Shape):\n"
        "    def __init__(self, brush):\n        self.brush = brush\n"
        "    def paint(self):\n        self.brush()\n"
    ),
    "pkg/use.py": (
        "import pkg\n"
        "def brush():\n    pass\n"
        "def run(make=pkg.Circle):\n    make(brush).draw()\n"
        "table = {'run': run}\n"
        "table['run']()\n"
    ),
    "web/app.js": "import { go } from './go.js'\ngo(() => go)\n",
    "web/go.js": "export function go(f) { return f() }\n",
    "lib/tool.rb": "class Tool\n  def go\n    help\n  end\n  def help\n  end\nend\nTool.new.go\n",
}


def test_the_order_of_the_files_does_not_matter():
    facts = facts_of(PROGRAM)
    expected = link(facts)
    assert ("pkg/shapes.py::Circle.paint", "pkg/use.py::brush") in calls(expected)
    assert ("pkg/shapes.py::Shape.draw", "pkg/shapes.py::Circle.paint") in calls(expected)
    assert ("web/go.js::go", "web/app.js::<lambda1>") in calls(expected)
    assert ("lib/tool.rb::Tool.go", "lib/tool.rb::Tool.help") in calls(expected)
    for seed in range(5):
        shuffled = list(facts)
        random.Random(seed).shuffle(shuffled)
        assert link(shuffled) == expected


def test_too_many_values_are_said_to_be_too_many():
    many = "".join(f"def f{number}():\n    pass\n" for number in range(50))
    names = ", ".join(f"f{number}" for number in range(50))
    links = link(facts_of({"m.py": f"{many}for f in [{names}]:\n    f()\nf1()\n"}))
    assert calls(links) == {("m.py", "m.py::f1")}
    assert [(one.text, one.reason) for one in links.unresolved] == [("f", "too-many")]


@pytest.mark.parametrize(
    "text",
    [
        "x = x.y\nx = x()\nx()\n",
        "def f(*a):\n    f(1, *a)\nf()\n",
        "def f(**k):\n    f(a=f, **k)\nf()\n",
        "def f(x):\n    return f([x])\nf(f)()\n",
        "from functools import partial\np = partial(p, 1)\np()\n",
        "from functools import partial\ndef f(*a, **k):\n    return partial(f, *a, **k)\nf()(f)\n",
        "class A(A):\n    pass\nA().f()\n",
        "class A(B):\n    pass\nclass B(A):\n    def f(self):\n        pass\nA().f()\n",
        "class A:\n    def __call__(self):\n        return self\n    __getattr__ = __call__\nA()()().x.y()\n",
        "class A:\n    def __iter__(self):\n        return self\n    __next__ = __iter__\nfor a in A():\n    a()\n",
        "import m\nfrom m import *\nfrom m import y as y\ny()\n",
        "t = (" + "[" * 60 + "]" * 60 + ")\nt()\n",
        "t = {" + ", ".join(f"'{number}': print" for number in range(5000)) + "}\nt['7']()\n",
        "t = " + ".a()".join(["x"] * 400) + "\n",
        "t = " + " + ".join(["'x'"] * 3000) + "\n",
    ],
)
def test_nothing_runs_away(text):
    links = link(facts_of({"m.py": text, "n.py": "from m import *\n"}))
    assert links.edges


def test_a_decorator_gives_back_only_what_it_is_applied_to():
    text = (
        "def mark(*given):\n    def inner(one):\n        return one\n    return inner(*given) if given else inner\n"
        "@mark\ndef f():\n    pass\n"
        "@mark\ndef g():\n    pass\n"
        "def use():\n    f()\n"
    )
    found = {target for source, target in calls(link(facts_of({"m.py": text}))) if source == "m.py::use"}
    assert "m.py::f" in found
    assert "m.py::g" not in found


def test_the_same_links_come_from_the_linker():
    facts = facts_of(PROGRAM)
    assert Linker(facts).links == link(facts)


@pytest.mark.parametrize(
    ("path", "language", "name", "expected"),
    [
        ("pkg/mod.py", "python", "A.f", "pkg.mod.A.f"),
        ("pkg/__init__.py", "python", "", "pkg"),
        ("src/pkg/mod.py", "python", "f#2", "pkg.mod.f"),
        ("src/pkg/mod.py", "python", "f.<lambda1>", "pkg.mod.f.<lambda1>"),
        ("__init__.py", "python", "f", "f"),
        ("lib/index.js", "javascript", "f", "lib.index.f"),
        ("src/view.d.ts", "typescript", "C.#secret", "view.C.#secret"),
        ("lib/a.rb", "ruby", "A.f", "lib.a.A.f"),
    ],
)
def test_dotted_names(path, language, name, expected):
    assert dotted(path, language, name, frozenset({path})) == expected


def test_src_that_is_a_package_keeps_its_name():
    assert dotted("src/a.py", "python", "", frozenset({"src/__init__.py", "src/a.py"})) == "src.a"
