"""Facts ⇄ the bytes of a shard: JSON, one record a line, the same bytes for the same facts everywhere.

A record says only what the others do not, since a project has a hundred thousand of them:

- Line numbers would change with every line that is inserted above. So none stands in a record: all numbers are in one
  last line, each line as its distance from the one before, where an inserted line changes a handful of them. A letter
  is a number: a is 0, z 25, A 26, Z 51; any other stands in parentheses.
- A symbol is `[name, type, [parameters], [flows], {the rest}]`. Its name goes on from that of the symbol before:
  `..inner` has the first two parts of it. A signature that follows from name, parameters and bases is left out, and of
  a docstring all but its first paragraph.
- The number of a call's site is its distance from the next one that is due: 0 nearly always.
- In flows a text with `~` is an attribute: `self~name` is `["attr", "self", "name"]`, and `~` alone the literal of a
  text. A `~` of the source is two.
- Flows that bind just what an import record imports are that record's number.

A shard does not name its file: one that moves keeps its bytes.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from sbfs.code.facts import SCHEMA, Facts, Import, Parameter, Symbol, plain_signature
from sbfs.errors import Invalid

READERS = 1
"""Of the readers of languages: it grows when one of them gives other facts for the same bytes, so that shards are
made anew."""

Clean = Callable[[Any], Any]
"""Takes secrets out of a plain value."""

_REST = {"visibility": "public", "exported": True, "flags": (), "decorators": (), "bases": (), "doc": ""}
"""Field of a symbol → what it is where the record does not say."""

_TEXTS = ("flags", "decorators", "bases")

_DOC = 400
"""Characters of a docstring that are kept."""

HASH = 6
"""Digits of a body's hash that are kept: it is compared with few others, of the same type."""

_NO_HASH = "----"
"""What stands for the hash of a symbol that has none; one takes four letters."""

_SITE = re.compile(r'\["(call|new|super|render)",(-?\d+)')
"""A form that begins with the number of its site. Within a text its quotes would have backslashes."""

_ATTRIBUTE = re.compile(r'\["attr","([^"\\~]+(?:~[^"\\~]+)*)","([^"\\~]+)"\]')
"""An attribute, maybe of an attribute, of a variable."""

_SHORT = re.compile(r'"([^"\\~]+(?:~[^"\\~]+)+)"')
"""The same as it is written."""

_TEXT = '["lit","str"]'

_ONE_SITE = ("call", "new", "render")


def dump(facts: Facts, *, clean: Clean | None = None, exact: bool = False) -> bytes:
    """The bytes of a shard. clean: takes secrets out of what stands in the source, which is all but the first and the
    last line. exact: rather raise ValueError than leave out what JSON or UTF-8 cannot hold."""
    text = _encode if exact else _text
    rest: dict[str, Any] = {}
    if facts.parse != "full":
        rest["parse"] = facts.parse
    rest |= {name: value for name, value in (("notes", [*facts.notes]), ("mark", facts.mark)) if value}
    if facts.exports is not None:
        rest["exports"] = [*facts.exports]
    if facts.config:
        rest["config"] = facts.config
    symbols = [*_symbols(facts)]
    imports = [_import(one) for one in facts.imports]
    if clean is not None:
        rest, symbols, imports = clean(rest), clean(symbols), clean(imports)
    lines = ['{"head":' + text([SCHEMA, READERS, facts.language, _short(facts.blob)]) + ","]
    lines += [f"{text(name)}:{text(value)}," for name, value in rest.items()]
    lines += _list("symbols", (_record(one, text) for one in symbols))
    lines += _list("imports", map(text, imports))
    lines.append(f'"numbers":{text(_numbers(facts))}}}\n')
    return "\n".join(lines).encode("utf-8", "strict" if exact else "replace")


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def _text(value: Any) -> str:
    try:
        return _encode(value)
    except ValueError:
        # A constant key that JSON has no number for: infinity, or one of thousands of digits.
        return _encode(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    return None if isinstance(value, int) and abs(value) > 1 << 64 else value


def _list(name: str, records: Iterable[str]) -> Iterator[str]:
    yield f'"{name}":['
    if text := ",\n".join(records):
        yield text
    yield "],"


def _short(digits: str) -> str:
    """Hexadecimal digits in two thirds of their number."""
    return base64.b64encode(bytes.fromhex(digits)).decode().rstrip("=")


def _long(said: str) -> str:
    """The inverse of `_short`."""
    return base64.b64decode(said + "=" * (-len(said) % 4), validate=True).hex()


def _record(record: list[Any], text: Callable[[Any], str]) -> str:
    """A symbol's record, its flows as short as may be."""
    *before, flows = record[:4]
    parts = [text(before)[1:-1], _relative(_terse(text(flows))), *map(text, record[4:])]
    return f"[{','.join(parts)}]"


def _terse(flows: str) -> str:
    """Flows with attributes of variables, and literals, as texts."""
    flows = flows.replace("~", "~~")
    count = 1
    while count and '["attr","' in flows:
        flows, count = _ATTRIBUTE.subn(r'"\1~\2"', flows)
    return flows.replace(_TEXT, '"~"')


def _told(said: str) -> Any:
    """What a text in flows that holds a `~` stands for."""
    if said == "~":
        return ["lit", "str"]
    if "~~" in said:
        return said.replace("~~", "~")
    first, *names = said.split("~")
    value: Any = first
    for name in names:
        value = ["attr", value, name]
    return value


def written_out(shard: str) -> str:
    """A shard's text with attributes in full, so that a name stands between quotes wherever it is mentioned."""
    return _SHORT.sub(lambda match: _encode(_told(match[1])), shard)


def _relative(record: str) -> str:
    """A symbol's record with the numbers of its sites as distances from the next that is due."""
    due = 0

    def distance(match: re.Match[str]) -> str:
        nonlocal due
        number = int(match[2])
        said = f'["{match[1]}",{number - due}'
        due = number + 1
        return said

    return _SITE.sub(distance, record)


def _absolute(record: str) -> str:
    """The inverse of `_relative`."""
    due = 0

    def number(match: re.Match[str]) -> str:
        nonlocal due
        found = due + int(match[2])
        due = found + 1
        return f'["{match[1]}",{found}'

    return _SITE.sub(number, record)


def _symbols(facts: Facts) -> Iterator[list[Any]]:
    before = ""
    bindings = [_bindings(one) for one in facts.imports]
    first = {_key(found[0]): number for number, found in reversed([*enumerate(bindings)]) if found}
    for one in facts.symbols:
        parameters = [_parameter(each) for each in one.parameters]
        record: list[Any] = [_going_on(before, one.name), one.type, parameters, _folded(one.flows, bindings, first)]
        rest = {name: getattr(one, name) for name, usual in _REST.items() if getattr(one, name) != usual}
        if one.doc:
            rest["doc"] = beginning(one.doc)
        if one.signature != _plain(one):
            rest["signature"] = one.signature
        if rest:
            record.append({name: [*value] if name in _TEXTS else value for name, value in rest.items()})
        before = one.name
        yield record


def _plain(one: Symbol) -> str:
    """The signature that a symbol's other fields say."""
    if one.type == "class" and one.bases:
        return f"{plain_signature(one)}({', '.join(one.bases)})"
    return plain_signature(one)


def beginning(doc: str) -> str:
    """The first paragraph of a docstring, cut behind a word where it is long."""
    first = doc.partition("\n\n")[0]
    return first if len(first) <= _DOC else first[:_DOC].rpartition(" ")[0] + " …"


def _going_on(before: str, name: str) -> str:
    """A name as it goes on from another: a dot for each of the first parts that both have."""
    parts, known = name.split("."), before.split(".")
    same = 0
    while same < min(len(known), len(parts) - 1) and known[same] == parts[same]:
        same += 1
    rest = ".".join(parts[same:])
    # A part that is empty, or what looks like an escape, would be read as something else.
    return f"\\{name}" if "" in parts[:-1] or name.startswith("\\") or rest.startswith(".") else "." * same + rest


def _whole(before: str, said: str) -> str:
    """The inverse of `_going_on`."""
    if said.startswith("\\"):
        return said[1:]
    rest = said.lstrip(".")
    same = len(said) - len(rest)
    return ".".join([*before.split(".")[:same], rest]) if same else said


def _bindings(one: Import) -> list[list[Any]]:
    """The flows that bind what an import imports."""
    types = [True] if one.types_only else []
    return [["=", here, ["module", one.spec, one.level, name, *types]] for name, here in one.names if name != "*"]


def _folded(flows: Sequence[Any], bindings: Sequence[list[Any]], first: Mapping[tuple[Any, ...], int]) -> list[Any]:
    """Flows with the number of an import in place of those that bind just what it imports. first: of the bindings of
    each import, by `_key`."""
    result: list[Any] = []
    at = 0
    while at < len(flows):
        flow = flows[at]
        number = first.get(_key(flow)) if _binds(flow) else None
        if number is not None and flows[at : at + len(bindings[number])] == bindings[number]:
            result.append(number)
            at += len(bindings[number])
        else:
            result.append(flow)
            at += 1
    return result


def _binds(flow: Any) -> bool:
    if len(flow) != 3 or flow[0] != "=" or flow[2].__class__ is not list:
        return False
    return flow[2][:1] == ["module"] and flow[1].__class__ is str


def _key(flow: list[Any]) -> tuple[Any, ...]:
    return (flow[1], *flow[2])


def _parameter(one: Parameter) -> str | list[Any]:
    """The name alone, behind it `=` for a default, where that says all; else [name, kind, has a default, type]."""
    if one.kind == "positional" and not one.type:
        return f"{one.name}=" if one.has_default else one.name
    return [one.name, one.kind, one.has_default, one.type]


def _import(one: Import) -> list[Any]:
    """[spec, [names], {the rest}]; a name is a text where it is the same here."""
    record: list[Any] = [one.spec, [name if name == here else [name, here] for name, here in one.names]]
    rest = {"level": one.level, "types_only": one.types_only, "owner": one.owner}
    if rest := {name: value for name, value in rest.items() if value}:
        record.append(rest)
    return record


# -- lines -----------------------------------------------------------------------------------------


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES = {letter: number for number, letter in enumerate(_LETTERS)}
_NUMBER = re.compile(r"\(([^)]*)\)|([a-zA-Z])")


def _letter(number: int | list[int]) -> str:
    if isinstance(number, list):
        return f"({','.join(map(str, number))})"
    return _LETTERS[number] if 0 <= number < len(_LETTERS) else f"({number})"


def _letters(numbers: Iterable[int | list[int]]) -> str:
    return "".join(map(_letter, numbers))


def _read_letters(text: str) -> list[Any]:
    """The inverse of `_letters`."""
    if "(" not in text:
        return [_VALUES[letter] for letter in text]
    return [_VALUES[letter] if letter else _read_number(said) for said, letter in _NUMBER.findall(text)]


def _read_number(said: str) -> int | list[int]:
    return [int(one) for one in said.split(",")] if "," in said else int(said)


def _numbers(facts: Facts) -> list[Any]:
    """[lines of the file, symbols, imports, complexities, hashes]; of a symbol where it begins, the lines behind that,
    and the lines of its sites, behind a dot those of its flows; symbols are parted by `|`."""
    symbols = []
    start = end = 0
    for one in facts.symbols:
        place = _letters([*_step(one.start, start, end), one.end - one.start])
        flows = _letters(_said_lines(one))
        symbols.append(place + _letters(_steps(one.sites, one.start)) + (f".{flows}" if flows else ""))
        start, end = one.start, one.end
    imports = _letters(_steps((one.line for one in facts.imports), 0))
    hashes = "".join(_short(one.body_hash[:HASH]) or _NO_HASH for one in facts.symbols)
    return [facts.lines, "|".join(symbols), imports, _letters(one.complexity for one in facts.symbols), hashes]


def _step(line: int, start: int, end: int) -> list[int | list[int]]:
    """Where a symbol begins, seen from the one before: lines behind its end; below zero, behind its start, by one more;
    a pair holds the line itself."""
    if line > end:
        return [line - end]
    return [start - line - 1] if line >= start else [[0, line]]


def _stepped(step: int | list[int], start: int, end: int) -> int:
    """The inverse of `_step`."""
    if isinstance(step, list):
        return step[1]
    return end + step if step > 0 else start - step - 1


def _said_lines(one: Symbol) -> Iterator[int | list[int]]:
    """The lines of flows that do not follow: of one that is a call, the line is that of the call's site.

    One that is not on it all the same is said as [number of the flow, line].
    """
    at = one.start
    for number, (flow, line) in enumerate(zip(one.flows, one.flow_lines, strict=True)):
        site = _site(flow, len(one.sites))
        if site is None:
            yield line - at
            at = line
        elif one.sites[site] != line:
            yield [number, line - one.start]


def _site(flow: Any, count: int) -> int | None:
    """The site of a flow that is a call, or binds or returns one."""
    last = flow[-1] if len(flow) in (2, 3) else None
    if isinstance(last, list) and len(last) > 1 and last[0] in _ONE_SITE and type(last[1]) is int and last[1] < count:
        return last[1] if flow[0] in ("do", "=", "return") else None
    return None


def _flow_lines(flows: Sequence[Any], sites: Sequence[int], said: Sequence[Any], start: int) -> list[int]:
    """The inverse of `_said_lines`."""
    others = {one[0]: one[1] + start for one in said if isinstance(one, list)}
    steps = iter([one for one in said if not isinstance(one, list)])
    lines = []
    at = start
    for number, flow in enumerate(flows):
        site = _site(flow, len(sites))
        if site is None:
            at += next(steps)
            lines.append(at)
        else:
            lines.append(others.get(number, sites[site]))
    return lines


def _steps(lines: Iterable[int], at: int) -> Iterator[int]:
    for line in lines:
        yield line - at
        at = line


def _places(steps: Sequence[int], start: int) -> list[int]:
    return [*accumulate(steps, initial=start)][1:] if steps else []


# -- back ------------------------------------------------------------------------------------------


def load(path: str, raw: bytes) -> Facts:
    """The facts of a shard. path: of the source file, below the source's folder. Raises Invalid for what is none."""
    try:
        text = raw.decode()
        return facts_of(path, json.loads("\n".join(map(_absolute, text.split("\n")))), absolute=True)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, StopIteration, RecursionError) as error:
        why = "is not JSON" if isinstance(error, json.JSONDecodeError) else "is no shard of a code graph"
        raise Invalid(why, hint="index the project again: sbfs graph index PROJECT") from None


def facts_of(path: str, data: dict[str, Any], *, absolute: bool = False) -> Facts:
    """The same of a shard's plain data. absolute: whether sites have their own numbers already.

    Raises what wrong data leads to: KeyError, TypeError and the like.
    """
    if not absolute:
        data = {**data, "symbols": [json.loads(_absolute(_text(one))) for one in data["symbols"]]}
    schema, _, language, blob = data["head"]
    if schema != SCHEMA:
        raise KeyError("head")
    lines, spans, import_steps, complexities, hashes = data["numbers"]
    places = _places(_read_letters(import_steps), 0)
    imports = [_loaded_import(one, line) for one, line in zip(data["imports"], places, strict=True)]
    bindings = [_bindings(one) for one in imports]
    complexity = _read_letters(complexities)
    symbols: list[Symbol] = []
    start, end, before = 0, 0, ""
    shared: dict[str, Any] = {}
    for number, (record, span) in enumerate(zip(data["symbols"], spans.split("|") if spans else (), strict=True)):
        sites, _, flows = span.partition(".")
        step, length, *site_steps = _read_letters(sites)
        start = _stepped(step, start, end)
        end = start + length
        one = _loaded(record, before, bindings, (start, end, _places(site_steps, start), _read_letters(flows)), shared)
        one.complexity = complexity[number]
        said = hashes[number * len(_NO_HASH) : (number + 1) * len(_NO_HASH)]
        one.body_hash = "" if said == _NO_HASH else _long(said)
        symbols.append(one)
        before = one.name
    return Facts(
        path=path,
        language=language,
        blob=_long(blob),
        parse=data.get("parse", "full"),
        notes=tuple(data.get("notes", ())),
        mark=data.get("mark", ""),
        lines=lines,
        symbols=symbols,
        imports=imports,
        exports=tuple(data["exports"]) if "exports" in data else None,
        config=data.get("config", {}),
    )


def _share(form: list[Any], shared: dict[str, Any]) -> None:
    """Let texts of a form be what they stand for, and equal ones be one: the facts of a large project take half the
    memory."""
    for place, part in enumerate(form):
        kind = part.__class__
        if kind is str:
            found = shared.get(part)
            if found is None:
                found = shared[part] = _told(part) if "~" in part else part
            form[place] = found
        elif kind is list:
            _share(part, shared)


def _loaded(
    record: list[Any],
    before: str,
    bindings: Sequence[list[Any]],
    place: tuple[int, int, list[int], list[Any]],
    shared: dict[str, Any],
) -> Symbol:
    name, type, parameters, folded = record[:4]
    get = record[4].get if len(record) > 4 else _NOTHING.get
    flows: list[Any] = []
    for flow in folded:
        if flow.__class__ is int:
            flows += bindings[flow]
        else:
            _share(flow, shared)
            flows.append(flow)
    start, end, sites, said = place
    symbol = Symbol(
        name=_whole(before, name),
        type=type,
        start=start,
        end=end,
        visibility=get("visibility", "public"),
        exported=get("exported", True),
        flags=tuple(get("flags", ())),
        decorators=tuple(get("decorators", ())),
        bases=tuple(get("bases", ())),
        parameters=tuple([_loaded_parameter(one) for one in parameters]),
        doc=get("doc", ""),
        flows=flows,
        flow_lines=_flow_lines(flows, sites, said, start),
        sites=sites,
    )
    signature = get("signature")
    symbol.signature = _plain(symbol) if signature is None else signature
    return symbol


_NOTHING: dict[str, Any] = {}


def _loaded_parameter(said: str | list[Any]) -> Parameter:
    if isinstance(said, str):
        return Parameter(said[:-1], has_default=True) if said.endswith("=") else Parameter(said)
    return Parameter(*said)


def _loaded_import(record: list[Any], line: int) -> Import:
    get = record[2].get if len(record) > 2 else _NOTHING.get
    names = tuple([(one, one) if isinstance(one, str) else (one[0], one[1]) for one in record[1]])
    return Import(record[0], line, get("level", 0), names, get("types_only", False), get("owner", ""))


def head(raw: bytes) -> dict[str, Any]:
    """What the first line of a shard says: schema, reader, language, blob; {} where it is none of ours."""
    line = raw.partition(b"\n")[0]
    try:
        schema, reader, language, blob = json.loads(line.removesuffix(b",") + b"}")["head"]
        return {"schema": schema, "reader": reader, "language": language, "blob": _long(blob)}
    except (ValueError, KeyError, TypeError):
        return {}
