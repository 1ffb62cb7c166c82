"""One key within a configuration's text; what else a person wrote in it stays, comments too."""

from __future__ import annotations

import json
import re
from typing import Any

from sbfs import yamlform
from sbfs.errors import Invalid, NotFound
from sbfs.record import Record


def value_at(data: Any, key: str) -> Any:
    """What stands at a dotted key. A number counts in a list, from 0. Raises NotFound."""
    for part in key.split("."):
        if isinstance(data, dict) and part in data:
            data = data[part]
        elif isinstance(data, list) and part.isdigit() and int(part) < len(data):
            data = data[int(part)]
        else:
            raise NotFound("key", key, known=[str(one) for one in data] if isinstance(data, dict) else ())
    return data


def read_value(text: str) -> Any:
    """A value as a person writes it: `true`, `5`, `[a, b]`, or a text. Raises Invalid."""
    try:
        value: Any = yamlform.load(f"value: {text}\n".encode())["value"]
    except Invalid:
        return text
    return value


def with_value(record: Record, key: str, value: Any) -> bytes:
    """The record's text with another value at a dotted key; mappings on the way are made. Raises Invalid."""
    if record.path.endswith(".md"):
        raise Invalid("is Markdown, which has no keys", field="key", path=record.path, hint="set its whole text")
    if record.path.endswith(".toml"):
        return _in_toml(record.raw.decode("utf-8-sig"), key, value)
    data = json.loads(json.dumps(record.data))
    _put(data, key, value)
    if record.path.endswith(".json"):
        indent = re.search(rb"^[{\[]\r?\n([ \t]+)", record.raw)
        text = json.dumps(data, ensure_ascii=False, indent=indent[1].decode() if indent else 2)
        return f"{text}\n".encode()
    return record.changed(data).raw


def _put(data: Any, key: str, value: Any) -> None:
    *above, last = key.split(".")
    for part in above:
        inner = data.setdefault(part, {}) if isinstance(data, dict) else None
        if not isinstance(inner, dict):
            raise Invalid(f"{part!r} is no mapping", field="key", hint="set the whole value above it")
        data = inner
    data[last] = value


def _in_toml(text: str, key: str, value: Any) -> bytes:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        _put(document, key, value)
        return tomlkit.dumps(document).encode()
    except (TOMLKitError, TypeError, ValueError) as error:
        raise Invalid(f"cannot be written as TOML: {error}", field="value") from None
