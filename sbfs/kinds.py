"""All kinds there are, and which one a path belongs to."""

from __future__ import annotations

import functools
import re
from typing import Any

from sbfs import configs, conflicts, conversations, messages, projects, quality, reflections
from sbfs.conversations import prices
from sbfs.graph.documented import DOCS
from sbfs.graph.value import SHARD, SNAPSHOT
from sbfs.kind import Field, Kind
from sbfs.store import SETTINGS, rules_of


def _load_settings(data: dict[str, Any]) -> dict[str, Any]:
    rules_of(data)
    if data.get("prices") is not None:
        prices.load(data["prices"], field="prices.")
    return data


STORE: Kind[dict[str, Any]] = Kind(
    name="settings",
    pattern=SETTINGS,
    fields=(
        Field("format", int, rule="fixed", required=True),
        Field("id", rule="fixed", required=True),
        Field("created", rule="fixed", required=True, is_time=True),
        Field("limits", dict, rule="mapping"),
        Field("limits.body", int),
        Field("limits.attachment", int),
        Field("redact", dict, rule="mapping"),
        Field("redact.rules", list),
        Field("redact.allow", list, rule="set"),
        Field("prices", dict, rule="mapping"),
        Field("imports", dict, rule="mapping"),
        Field("imports.projects", dict),
        Field("graph", dict, rule="mapping"),
        Field("graph.exclude", list, rule="set"),
    ),
    load=_load_settings,
    dump=lambda data: data,
)

KINDS: tuple[Kind[Any], ...] = (
    STORE,
    projects.KIND,
    projects.GROUP,
    messages.INBOX,
    messages.OUTBOX,
    conversations.KIND,
    conversations.TURNS,
    conflicts.KIND,
    reflections.KIND,
    quality.KIND,
    configs.KIND,
    SNAPSHOT,
    SHARD,
    DOCS,
)

_TEMPLATE = re.compile(r"templates/.+")
_PLAIN = re.compile(rf"\.gitattributes|\.gitignore|projects/[^/]+/attachments/[0-9a-f]{{64}}/[^/]+|{_TEMPLATE.pattern}")
_OURS = re.compile(r"(?:projects|groups|conflicts)/.+")


def _place_of(path: str) -> str:
    """What of a path, or of a kind's pattern, tells most kinds apart: the first folder, and below a project's the next
    name. Paths are asked for by the hundred thousand, and trying every pattern takes several times as long."""
    first, *rest = path.split("/", 3)
    return f"{first}/{rest[1]}" if first == "projects" and len(rest) > 1 else first


_BY_PLACE: dict[str, list[Kind[Any]]] = {}
for _kind in KINDS:
    _BY_PLACE.setdefault(_place_of(_kind.pattern), []).append(_kind)


@functools.lru_cache(1024)
def kind_of(path: str) -> Kind[Any] | None:
    """The kind whose record lies at a path."""
    kinds = _BY_PLACE.get(_place_of(path), ())
    return next((kind for kind in kinds if kind.places(path) is not None), None)


def is_plain(path: str) -> bool:
    """Whether a path belongs to a store without being a record: attachments, Git's own dotfiles."""
    return bool(_PLAIN.fullmatch(path))


def is_template(path: str) -> bool:
    """Whether a file belongs to a store's own templates."""
    return bool(_TEMPLATE.fullmatch(path))


def is_misplaced(path: str) -> bool:
    """Whether a file lies where only records lie, and is none."""
    return bool(_OURS.fullmatch(path)) and kind_of(path) is None and not is_plain(path)
