"""A measurement and its kind: what the files of a quality history hold."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sbfs import times
from sbfs.errors import Invalid
from sbfs.kind import Field, Kind, check_id, check_line, check_name
from sbfs.record import Record

if TYPE_CHECKING:
    from sbfs.entry import Entry

Score = float | None
"""0 to 100, higher is better; None where it was not measured."""

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_DETAIL_LIMIT = 300


@dataclass(frozen=True)
class Component:
    """One part of a measurement. source: where the value came from, such as `coverage.xml` or
    `person`. detail: what was counted. extra: keys that this version does not know."""

    value: Score
    source: str = ""
    detail: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurement:
    """What was measured at one moment. project: whose folder it lies in. components: by name. commit:
    of the project's source, where known. conversation: whose score it is; "" of the project itself.
    extra: keys that this version does not know."""

    id: str
    created: datetime
    score: Score
    components: Mapping[str, Component] = field(default_factory=dict)
    project: str = ""
    commit: str = ""
    conversation: str = ""
    note: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def month(self) -> str:
        """The month's folder that it lies in: YYYY/MM of `created`, UTC."""
        return self.created.astimezone(UTC).strftime("%Y/%m")


def mean(values: Iterable[Score]) -> Score:
    """The mean of what was measured, to two digits; None where nothing was."""
    measured = [value for value in values if value is not None]
    return rounded(math.fsum(measured) / len(measured)) if measured else None


def rounded(value: float) -> float:
    """To two digits; a whole number without any."""
    return int(value) if value == int(value) else round(value, 2)


def load(data: Mapping[str, Any]) -> Measurement:
    """From a record's data; the project is not in it. Raises Invalid, naming the field."""
    rest = dict(data)
    components = rest.pop("components", None) or {}
    return Measurement(
        id=check_id(rest.pop("id")),
        created=times.load(rest.pop("created"), field="created"),
        score=check_score(rest.pop("score", None), "score"),
        components={str(name): load_component(name, one) for name, one in components.items()},
        commit=check_commit(rest.pop("commit", None) or ""),
        conversation=check_conversation(rest.pop("conversation", None) or ""),
        note=rest.pop("note", None) or "",
        extra=rest,
    )


def load_component(name: Any, data: Any) -> Component:
    """From a component's name and its mapping. Raises Invalid."""
    place = f"components.{check_name(name, field='components', what='component')}"
    if not isinstance(data, Mapping):
        raise Invalid("must be a mapping of value, source and detail", field=place)
    rest = dict(data)
    return Component(
        check_score(rest.pop("value", None), f"{place}.value"),
        _check_said(rest.pop("source", None), f"{place}.source"),
        _check_said(rest.pop("detail", None), f"{place}.detail"),
        rest,
    )


def _check_said(text: Any, field: str) -> str:
    return check_line(text, field=field, limit=_DETAIL_LIMIT) if text else ""


def check_score(value: Any, field: str) -> Score:
    """A score or None, or Invalid."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise Invalid(f"{value!r:.40} is no score", field=field, hint="0 to 100, or null for what was not measured")
    return value


def check_commit(commit: Any) -> str:
    """A commit's id in the source, or ""; else Invalid."""
    if commit and not (isinstance(commit, str) and _COMMIT.fullmatch(commit)):
        raise Invalid(f"{commit!r:.80} is no id of a commit", field="commit", hint="7 to 64 hex digits in lower case")
    return commit or ""


def check_conversation(id: str) -> str:
    """A conversation's id, or "". Only the form: a conversation may be held in another store, or be gone."""
    return check_id(id, field="conversation") if id else ""


def dump(measurement: Measurement) -> dict[str, Any]:
    """As a record's data, keys in the order that people like to read."""
    facts = {
        "components": {name: _dump_component(one) for name, one in measurement.components.items()},
        "commit": measurement.commit,
        "conversation": measurement.conversation,
        "note": measurement.note,
    }
    return {
        "id": measurement.id,
        "score": measurement.score,
        **{key: value for key, value in facts.items() if value},
        "created": times.dump(measurement.created),
        **measurement.extra,
    }


def _dump_component(one: Component) -> dict[str, Any]:
    said = {"source": one.source, "detail": one.detail}
    return {"value": one.value, **{key: text for key, text in said.items() if text}, **one.extra}


def _header(data: dict[str, Any]) -> list[Any]:
    one = load(data)
    values = {name: component.value for name, component in one.components.items()}
    return [times.dump(one.created), one.score, values, one.commit, one.conversation]


@dataclass(frozen=True)
class Header:
    """What lists and trends know of a measurement without reading it; the twin of `_header`."""

    path: str
    created: str
    score: Score
    values: Mapping[str, Score]
    commit: str
    conversation: str

    @property
    def id(self) -> str:
        """The measurement's id."""
        return self.path.rpartition("/")[2].removesuffix(".yaml")

    @property
    def order(self) -> str:
        """What lists sort by, and cursors name."""
        return f"{self.created},{self.id}"


def _entries(record: Record) -> Iterator[Entry]:
    from sbfs.entry import Entry

    one = loaded(record)
    details = (f"{name}: {part.detail or part.source}" for name, part in one.components.items())
    facets: dict[str, str | tuple[str, ...]]
    facets = {"conversation": one.conversation, "commit": one.commit, "component": tuple(one.components)}
    yield Entry(
        id=one.id,
        kind="quality",
        project=one.project,
        path=record.path,
        title=headline(one),
        timestamp=times.dump(one.created),
        text="\n".join(filter(None, (one.note, *details))),
        identifiers=" ".join(one.components),
        facets={key: value for key, value in facets.items() if value},
        quality=one.score,
    )


def headline(one: Measurement) -> str:
    """A measurement in a line: `quality 81.5 (coverage 90, lint 73)`."""
    said = [f"{name} {_said(part.value)}" for name, part in one.components.items()]
    return f"quality {_said(one.score)}" + (f" ({', '.join(said)})" if said else "")


def _said(value: Score) -> str:
    return "not measured" if value is None else f"{value:g}"


def loaded(record: Record) -> Measurement:
    """With the project that its place names. Raises Invalid, with path and line, where it breaks the rules."""
    KIND.check(record)
    return replace(load(record.data), project=record.path.split("/")[1])


KIND: Kind[Measurement] = Kind(
    name="quality",
    prefix="qual",
    pattern="projects/{project}/quality/{month}/{id}.yaml",
    fields=(
        Field("id", rule="fixed", required=True),
        Field("score", (int, float), rule="fixed"),
        Field("components", dict, rule="fixed"),
        Field("commit", rule="fixed"),
        Field("conversation", rule="fixed"),
        Field("note", rule="text"),
        Field("created", rule="fixed", required=True, is_time=True),
    ),
    load=load,
    dump=dump,
    header=_header,
    entries=_entries,
)
