"""The linker that follows a project: after any edits it says what linking from nothing would say."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sbfs.code.reading import read
from sbfs.linking import Linker, link

BODIES = {
    "a.py": [
        "from b import Base, run\nclass A(Base):\n    def step(self):\n        run(self.step)\nA().go()\n",
        "from b import *\ndef f():\n    pass\nrun(f)\n",
        "import b\nb.Base().go()\nb.hook = lambda: 1\n",
    ],
    "b.py": [
        (
            "class Base:\n    def go(self):\n        self.step()\n    def step(self):\n        pass\n"
            "def run(f):\n    f()\n"
        ),
        "from a import A as Base\nrun = print\n",
        (
            "def run(f, g=max):\n    return f() or g()\n"
            "class Base:\n    @property\n    def go(self):\n        return run\n"
        ),
    ],
    "pkg/__init__.py": ["from .c import h\n", "h = print\n", "from b import run as h\n"],
    "pkg/c.py": ["def h():\n    unknown.go()\n", "import pkg\npkg.h(1)\n"],
    "w.js": [
        "import { g } from './x.js'\nclass C { m() { g(this.m) } }\nnew C().m()\n",
        "import * as x from './x.js'\nx.g(() => x)\n",
    ],
    "x.js": ["export function g(f) { f() }\n", "export const g = (f) => f\n"],
    "t.rb": ["class T\n  def go\n    help { stop }\n  end\n  def help\n    yield\n  end\nend\n", "T.new.go\n"],
    "m.go": ["package m\n\nfunc F() { G() }\n\nfunc G() {}\n"],
}
COMMENTS = {".py": "# moved\n", ".js": "// moved\n", ".rb": "# moved\n", ".go": "// moved\n"}


@st.composite
def states(draw):
    """A file's text: one of its bodies, moved down by some lines of comment; None for no file."""
    path = draw(st.sampled_from(sorted(BODIES)))
    body = draw(st.sampled_from([*BODIES[path], None]))
    if body is None:
        return path, None
    return path, COMMENTS[path[path.rindex(".") :]] * draw(st.integers(0, 2)) + body


def facts(path, text):
    return None if text is None else read(path, text.encode())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(states(), max_size=3).map(dict), max_size=5))
def test_updates_equal_linking_from_nothing(steps):
    now = {path: bodies[0] for path, bodies in BODIES.items()}
    linker = Linker(facts(path, text) for path, text in now.items())
    known = {key_of(edge): edge for edge in linker.links.edges}
    unresolved = {}
    for step in steps:
        now |= step
        change = linker.update({path: facts(path, text) for path, text in step.items()})
        expected = link(facts(path, text) for path, text in now.items() if text is not None)
        assert linker.links == expected
        for edge in change.removed:
            assert known.pop(key_of(edge)) == edge
        for edge in change.added:
            assert key_of(edge) not in known
            known[key_of(edge)] = edge
        assert sorted(known) == sorted(key_of(edge) for edge in expected.edges)
        assert all(known[key_of(edge)] == edge for edge in expected.edges)
        unresolved |= change.unresolved
        for path, calls in unresolved.items():
            assert calls == [one for one in expected.unresolved if one.source.partition("::")[0] == path]


def key_of(edge):
    return edge.source, edge.target, edge.type, edge.flags


def test_moved_lines_move_edges_without_solving():
    linker = Linker(facts(path, bodies[0]) for path, bodies in BODIES.items())
    solver = linker._reader.solver
    change = linker.update({"b.py": facts("b.py", "# moved\n" + BODIES["b.py"][0])})
    assert linker._reader.solver is solver
    assert {edge.source.partition("::")[0] for edge in change.added} == {"b.py"}
    (before,) = [edge.lines for edge in change.removed if edge.source == "b.py::Base.go"]
    (after,) = [edge.lines for edge in change.added if edge.source == "b.py::Base.go"]
    assert after == (before[0] + 1,)
    linker.update({"b.py": facts("b.py", BODIES["b.py"][1])})
    assert linker._reader.solver is not solver
