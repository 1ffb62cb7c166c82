"""One source file, read whole: the parts of this package put together."""

from __future__ import annotations

from sbfs.code.facts import Facts, Symbol
from sbfs.code.javascript import calls, classes, expressions, functions, hoisting, statements
from sbfs.code.javascript.reader import Reader
from sbfs.code.javascript.source import Text

_MEMBERS = frozenset(("class", "component", "interface", "enum", "namespace", "type"))

Reader.values = {**expressions.VALUES, **functions.VALUES, **classes.VALUES, **calls.VALUES}
Reader.statements = dict(statements.STATEMENTS)
Reader.hoists = staticmethod(hoisting.hoist)
Reader.declares = staticmethod(statements.declared)


def source_file(path: str, raw: bytes, language: str) -> Facts:
    """Read a file of JavaScript or TypeScript."""
    reader = Reader(Text(raw, language), path)
    reader.run()
    facts = reader.facts(language)
    script = not reader.exports and not reader.imports
    for symbol in facts.symbols:
        symbol.exported = _exported(symbol, reader, script=script)
    return facts


def _exported(symbol: Symbol, reader: Reader, *, script: bool) -> bool:
    """By the module's exports; a script's top level is seen by all; members by what they are members of."""
    name = symbol.name
    if name == "":
        return True
    above, _, last = name.rpartition(".")
    if last.startswith("<"):
        return False
    if not above:
        return script or name in reader.exported or name in reader.exports
    owner = reader.symbols.get(above)
    if name in reader.exported:
        return True
    if owner is None or owner.type == "namespace":
        return owner is None and above in reader.exported
    return owner.type in _MEMBERS and symbol.visibility != "private" and owner.exported
