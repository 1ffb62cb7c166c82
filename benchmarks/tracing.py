"""Who calls whom while a program runs, written down by the interpreter's own profiler hook.

A pytest plugin (`-p tracing`), and a program that runs a script (`python tracing.py SCRIPT [WORDS]`). It needs nothing
but the standard library, so that any interpreter can load it. `TRACED_BELOW` says in which folder (default: here),
`TRACED_INTO` names the file for the answer (`pairs.json`): [[caller, callee]…], each [path, qualified name, line].

The hook sees who steps a generator, not who made it: that pair is written down only where the one who steps names the
generator's function. Comprehensions are no callees.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import sys
import threading
from types import CodeType, FrameType
from typing import Any

BELOW = os.path.realpath(os.environ.get("TRACED_BELOW", ".")) + os.sep
INTO = os.environ.get("TRACED_INTO", "pairs.json")
STEPPED = 0x20 | 0x200
"""Flags of generators, plain and async."""
COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")

Name = tuple[str, str, int]

_names: dict[CodeType, Name | None] = {}
_pairs: set[tuple[Name, Name]] = set()


def name_of(code: CodeType) -> Name | None:
    """Where a body of code stands; None outside of the folder."""
    if code not in _names:
        path = os.path.realpath(code.co_filename)
        inside = path.startswith(BELOW)
        _names[code] = (path.removeprefix(BELOW), code.co_qualname, code.co_firstlineno) if inside else None
    return _names[code]


def note(frame: FrameType, event: str, _argument: Any) -> None:
    """The hook: note a call of which both sides are inside."""
    code, back = frame.f_code, frame.f_back
    if event != "call" or back is None or code.co_name in COMPREHENSIONS:
        return
    if code.co_flags & STEPPED and code.co_name not in back.f_code.co_names:
        return
    callee = name_of(code)
    caller = name_of(back.f_code) if callee is not None else None
    if callee is not None and caller is not None:
        _pairs.add((caller, callee))


def begin() -> None:
    """Note calls from now on, in all threads."""
    threading.setprofile(note)
    sys.setprofile(note)


def end() -> None:
    """Stop, and write what was noted."""
    sys.setprofile(None)
    with open(INTO, "w", encoding="utf-8") as file:
        json.dump(sorted(_pairs), file)


def pytest_configure() -> None:
    """pytest begins."""
    begin()


def pytest_unconfigure() -> None:
    """pytest ends."""
    end()


def main() -> None:
    """Run a script as if it were run by itself."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("script")
    parser.add_argument("words", nargs=argparse.REMAINDER, help="what the script is given")
    given = parser.parse_args()
    sys.argv[:] = [given.script, *given.words]
    sys.path[0] = os.path.dirname(os.path.abspath(given.script))
    begin()
    try:
        runpy.run_path(given.script, run_name="__main__")
    finally:
        end()


if __name__ == "__main__":
    main()
