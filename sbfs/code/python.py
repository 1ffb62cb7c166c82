"""Read Python: the standard parser, and one quick walk; where a file does not parse, what tree-sitter makes of it."""

from __future__ import annotations

import ast
import warnings

from sbfs.code.facts import Facts
from sbfs.code.python_body import Body
from sbfs.code.python_source import Source, decoded


def read(path: str, raw: bytes, language: str = "python") -> Facts:
    """What one Python file says. Raises ImportError where it does not parse and there is no tolerant grammar."""
    text, note = decoded(raw)
    facts = Facts(path=path, language=language, blob="", notes=(note,) if note else ())
    tree = _parsed(text, facts)
    if tree is None:
        from sbfs.code import python_partial

        tree = python_partial.parsed(text)
        facts.parse = "partial"
    Body(facts, Source(path, raw, text)).read_module(tree)
    _finish(facts)
    return facts


def _parsed(text: str, facts: Facts) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes that a later Python will refuse
        try:
            return ast.parse(text)
        except SyntaxError as error:
            problem = f"line {error.lineno}: {error.msg}" if error.lineno else str(error.msg)
        except (ValueError, MemoryError, RecursionError, OverflowError) as error:
            problem = str(error) or "nested too deep"
    facts.notes = (*facts.notes, f"does not parse, {problem}")
    return None


def _finish(facts: Facts) -> None:
    """Put symbols in the order of the source, and say which other files can see."""
    order = {id(symbol): place for place, symbol in enumerate(facts.symbols)}
    facts.symbols.sort(key=lambda symbol: (symbol.name != "", symbol.start, -symbol.end, order[id(symbol)]))
    exports = None if facts.exports is None else set(facts.exports)
    seen: dict[str, bool] = {"": True}
    functions = {symbol.name for symbol in facts.symbols if symbol.type in ("function", "method")}
    for symbol in facts.symbols:
        outer, _, name = symbol.name.rpartition(".")
        if not outer and symbol.name and exports is not None:
            exported = name.partition("#")[0] in exports
        else:
            exported = symbol.visibility == "public" and seen.get(outer, False) and outer not in functions
        symbol.exported = seen[symbol.name] = exported and not name.startswith("<")
