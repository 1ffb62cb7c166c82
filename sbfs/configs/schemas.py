"""What a JSON Schema says of a configuration. Schemas lie in the store, beside what they are for; none is fetched.

Patterns are RE2's, whose time is linear: a schema comes from whoever can write to the store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sbfs.errors import Invalid


def check_schema(schema: Any) -> None:
    """Raise Invalid for what is no schema."""
    from jsonschema.exceptions import SchemaError

    try:
        _validator(schema).check_schema(schema)
    except SchemaError as error:
        place = ".".join(map(str, error.absolute_path))
        raise Invalid(f"is no JSON Schema: {error.message:.200}", field=f"schema.{place}".rstrip(".")) from None


def check_data(data: Any, schema: Any, *, path: str, by: str) -> None:
    """Raise Invalid, naming the field, where data is not as the schema says. by: the schema's file, for the hint."""
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    check_schema(schema)
    try:
        error = best_match(_validator(schema)(schema, registry=_nothing()).iter_errors(data))
    except Unresolvable as missing:
        why = f"refers to {missing.ref!r}, which is not in it"
        raise Invalid(why, path=by, hint="put what it refers to into its $defs") from None
    if error is not None:
        field = ".".join(map(str, error.absolute_path))
        raise Invalid(error.message[:300], field=field, path=path, hint=f"{by} says how it has to look")


def _nothing() -> Any:
    from referencing import Registry

    return Registry()


def _validator(schema: Any) -> Any:
    from jsonschema import validators

    base: Any = validators.validator_for(schema, default=validators.Draft202012Validator)
    return validators.extend(base, {"pattern": _pattern, "patternProperties": _pattern_properties})


def _search(pattern: str, text: str) -> bool:
    import re2

    try:
        return bool(re2.search(pattern, text))
    except re2.error:
        raise Invalid(f"the pattern {pattern!r:.80} cannot be used", hint="use what RE2 knows") from None


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if isinstance(instance, str) and not _search(pattern, instance):
        yield ValidationError(f"{instance!r:.80} does not match {pattern!r:.80}")


def _pattern_properties(validator: Any, patterns: Mapping[str, Any], instance: Any, _: Any) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    for pattern, inner in patterns.items():
        for key, value in instance.items():
            if _search(pattern, str(key)):
                yield from validator.descend(value, inner, path=key, schema_path=pattern)
