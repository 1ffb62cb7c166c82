"""Facts ⇄ the bytes of a shard: JSON, one record a line, the same bytes for the same facts everywhere.

Line numbers would change with every line that is inserted above. So none stands in a record: all of them are in
one last line, each as its distance from the one before, where an inserted line changes a handful of numbers.
A shard does not name its file: one that moves keeps its bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Any

from sbfs.code.facts import SCHEMA, Facts, Import, Parameter, Symbol
from sbfs.errors import Invalid

READERS = 1
"""Of the readers of languages: it grows when one of them gives other facts for the same bytes, so that shards are
made anew."""

Clean = Callable[[Any], Any]
"""Takes secrets out of a plain value."""

_HEAD = ("schema", "reader", "language", "blob")
_SYMBOL = {
    "signature": "",
    "visibility": "public",
    "exported": True,
    "flags": (),
    "decorators": (),
    "bases": (),
    "doc": "",
    "complexity": 0,
    "body_hash": "",
}
"""Field of a symbol → what it is where the record does not say."""

_TEXTS = ("flags", "decorators", "bases")


def dump(facts: Facts, *, clean: Clean | None = None) -> bytes:
    """The bytes of a shard. clean: takes secrets out of what stands in the source, which is all but the first and the
    last line."""
    rest: dict[str, Any] = {}
    if facts.parse != "full":
        rest["parse"] = facts.parse
    rest |= {name: value for name, value in (("notes", [*facts.notes]), ("mark", facts.mark)) if value}
    if facts.exports is not None:
        rest["exports"] = [*facts.exports]
    if facts.config:
        rest["config"] = facts.config
    symbols = [_symbol(one) for one in facts.symbols]
    imports = [_import(one) for one in facts.imports]
    if clean is not None:
        rest, symbols, imports = clean(rest), clean(symbols), clean(imports)
    head = {"schema": SCHEMA, "reader": READERS, "language": facts.language, "blob": facts.blob}
    lines = [_text(head)[:-1] + ","]
    lines += [f"{_text(name)}:{_text(value)}," for name, value in rest.items()]
    lines += _list("symbols", symbols)
    lines += _list("imports", imports)
    lines.append(f'"lines":{_text(_distances(facts))}}}\n')
    return "\n".join(lines).encode("utf-8", "replace")


def _text(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        # A constant key that JSON has no number for: infinity, or one of thousands of digits.
        return json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"))


def _finite(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    return None if isinstance(value, int) and abs(value) > 1 << 64 else value


def _list(name: str, records: list[Any]) -> Iterator[str]:
    yield f'"{name}":['
    if records:
        yield ",\n".join(map(_text, records))
    yield "],"


def _symbol(one: Symbol) -> dict[str, Any]:
    record: dict[str, Any] = {"name": one.name, "type": one.type}
    for name, usual in _SYMBOL.items():
        value = getattr(one, name)
        if value != usual:
            record[name] = [*value] if name in _TEXTS else value
    if one.parameters:
        record["parameters"] = [_parameter(each) for each in one.parameters]
    if one.flows:
        record["flows"] = one.flows
    return record


def _parameter(one: Parameter) -> str | list[Any]:
    """The name alone, where that says all; else [name, kind, whether it has a default, type]."""
    said = [one.name, one.kind, one.has_default, one.type]
    return one.name if said[1:] == ["positional", False, ""] else said


def _import(one: Import) -> dict[str, Any]:
    record: dict[str, Any] = {"spec": one.spec}
    if one.level:
        record["level"] = one.level
    if one.names:
        record["names"] = [[*pair] for pair in one.names]
    if one.types_only:
        record["types_only"] = True
    if one.owner:
        record["owner"] = one.owner
    return record


def _distances(facts: Facts) -> list[Any]:
    """[lines of the file, for each symbol [start, lines behind it, of its flows, of its sites], imports]."""
    symbols = []
    at = 0
    for one in facts.symbols:
        symbols.append(
            [one.start - at, one.end - one.start, [*_steps(one.flow_lines, one.start)], [*_steps(one.sites, one.start)]]
        )
        at = one.start
    return [facts.lines, symbols, [*_steps((one.line for one in facts.imports), 0)]]


def _steps(lines: Iterable[int], at: int) -> Iterator[int]:
    for line in lines:
        yield line - at
        at = line


def load(path: str, raw: bytes) -> Facts:
    """The facts of a shard. path: of the source file, below the source's folder. Raises Invalid for what is none."""
    try:
        return facts_of(path, json.loads(raw))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        why = "is not JSON" if isinstance(error, ValueError) else "is no shard of a code graph"
        raise Invalid(why, hint="index the project again: sbfs graph index PROJECT") from None


def facts_of(path: str, data: dict[str, Any]) -> Facts:
    """The same of a shard's plain data. Raises what wrong data leads to: KeyError, TypeError and the like."""
    if data["schema"] != SCHEMA:
        raise KeyError("schema")
    lines, spans, import_lines = data["lines"]
    symbols = []
    start = 0
    for record, (step, length, flow_steps, site_steps) in zip(data["symbols"], spans, strict=True):
        start += step
        symbols.append(_loaded(record, start, length, flow_steps, site_steps))
    places = [*accumulate(import_lines)]
    return Facts(
        path=path,
        language=data["language"],
        blob=data["blob"],
        parse=data.get("parse", "full"),
        notes=tuple(data.get("notes", ())),
        mark=data.get("mark", ""),
        lines=lines,
        symbols=symbols,
        imports=[_loaded_import(one, line) for one, line in zip(data["imports"], places, strict=True)],
        exports=tuple(data["exports"]) if "exports" in data else None,
        config=data.get("config", {}),
    )


def _loaded(record: dict[str, Any], start: int, length: int, flow_steps: list[int], site_steps: list[int]) -> Symbol:
    get = record.get
    return Symbol(
        name=record["name"],
        type=record["type"],
        start=start,
        end=start + length,
        signature=get("signature", ""),
        visibility=get("visibility", "public"),
        exported=get("exported", True),
        flags=tuple(get("flags", ())),
        decorators=tuple(get("decorators", ())),
        bases=tuple(get("bases", ())),
        parameters=tuple([_loaded_parameter(one) for one in get("parameters", ())]),
        doc=get("doc", ""),
        complexity=get("complexity", 0),
        body_hash=get("body_hash", ""),
        flows=get("flows", []),
        flow_lines=_places(flow_steps, start),
        sites=_places(site_steps, start),
    )


def _places(steps: list[int], start: int) -> list[int]:
    return [*accumulate(steps, initial=start)][1:] if steps else []


def _loaded_parameter(said: str | list[Any]) -> Parameter:
    return Parameter(said) if isinstance(said, str) else Parameter(*said)


def _loaded_import(record: dict[str, Any], line: int) -> Import:
    get = record.get
    names = tuple([(name, here) for name, here in get("names", ())])
    return Import(record["spec"], line, get("level", 0), names, get("types_only", False), get("owner", ""))


def head(raw: bytes) -> dict[str, Any]:
    """What the first line of a shard says: schema, reader, language, blob; {} where it is none of ours."""
    line = raw.partition(b"\n")[0]
    try:
        found: dict[str, Any] = json.loads(line.removesuffix(b",") + b"}")
    except ValueError:
        return {}
    return found if found.keys() == {*_HEAD} else {}
