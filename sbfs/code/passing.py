"""Facts ⇄ bytes for another process of the same interpreter: much faster than a shard, and kept nowhere.

They are the facts that the shard of a file says, which keeps of docs and hashes a part only.
"""

from __future__ import annotations

import marshal
from typing import Any

from sbfs.code.facts import Facts, Import, Parameter, Symbol
from sbfs.code.shards import HASH, beginning


def settle(facts: Facts) -> None:
    """Make facts those that `shards.load` gives of their shard, where that was dumped as `exact`."""
    facts.attributes = []
    for one in facts.symbols:
        one.doc = beginning(one.doc)
        one.body_hash = one.body_hash[:HASH]


def pack(facts: Facts) -> bytes:
    """Facts as bytes, which are those of settled facts. Raises ValueError where a flow is nested too deep."""
    said = (
        (facts.path, facts.language, facts.blob, facts.parse, facts.notes, facts.mark, facts.lines),
        [*map(_symbol, facts.symbols)],
        [(one.spec, one.line, one.level, one.names, one.types_only, one.owner) for one in facts.imports],
        facts.exports,
        facts.config,
    )
    return marshal.dumps(said)


def _symbol(one: Symbol) -> tuple[Any, ...]:
    parameters = [(each.name, each.kind, each.has_default, each.type) for each in one.parameters]
    plain = (one.name, one.type, one.start, one.end, one.signature, one.visibility, one.exported)
    rest = (beginning(one.doc), one.complexity, one.body_hash[:HASH], one.flows, one.flow_lines, one.sites)
    return (*plain, one.flags, one.decorators, one.bases, parameters, *rest)


def unpack(raw: bytes) -> Facts:
    """The inverse of `pack`: settled facts. Raises what wrong bytes lead to: ValueError, TypeError, EOFError."""
    plain, symbols, imports, exports, config = marshal.loads(raw)  # noqa: S302 - only a process that we started says it
    facts = Facts(*plain)
    facts.symbols = [_symbol_of(*one) for one in symbols]
    facts.imports = [Import(*one) for one in imports]
    facts.exports, facts.config = exports, config
    return facts


def _symbol_of(*said: Any) -> Symbol:
    fields = (*said[:10], tuple([Parameter(*each) for each in said[10]]), *said[11:])
    return Symbol(*fields)
