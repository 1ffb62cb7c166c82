"""A zip as the design of Session Buddy describes it: `config.json`, `reflections.json`, `quality_history.json` and
`project_groups.json`, each a list, or a mapping that holds one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sbfs import projects, quality, reflections, times
from sbfs.bundles.foreign.found import Found, moment, own_id, project_name
from sbfs.bundles.zips import Archive
from sbfs.errors import Invalid
from sbfs.kind import LINE_LIMIT, check_id

_OLD = datetime(1970, 1, 1, tzinfo=UTC)
_MEMBERS = ("reflections.json", "quality_history.json", "project_groups.json")


def is_it(archive: Archive) -> bool:
    """Whether a zip is of that design."""
    return "config.json" in archive.members and any(name in archive.members for name in _MEMBERS)


def read(archive: Archive) -> Found:
    """Read it: reflections, measurements, groups and what projects say of each other."""
    found = Found("session-buddy")
    config = archive.json("config.json")
    session = str(config.get("session_id") or "") if isinstance(config, dict) else ""
    own = project_name(session.rstrip("/").rpartition("/")[2]) or "session"
    exported = moment(config.get("exported_at")) if isinstance(config, dict) else None
    for name, take in zip(_MEMBERS, (_reflection, _measurement, _group), strict=True):
        if name not in archive.members:
            found.leave(name, "is not in it")
            continue
        for number, entry in enumerate(_entries(archive.json(name)), 1):
            place = f"{name}: entry {number}"
            try:
                take(found, entry, own, exported or _OLD, place)
            except (Invalid, TypeError, ValueError) as error:
                found.leave(place, str(error))
    for name in archive.members:
        if name not in (*_MEMBERS, "config.json"):
            found.leave(name, "is nothing that is known")
    return found


def _entries(value: Any) -> Iterator[dict[str, Any]]:
    """The entries of a list, of a mapping of lists, or of one by ids."""
    if isinstance(value, list):
        for one in value:
            yield one if isinstance(one, dict) else {"value": one}
    elif isinstance(value, dict):
        lists = [item for item in value.values() if isinstance(item, list)]
        if lists:
            for item in lists:
                yield from _entries(item)
        else:
            yield from ({"id": key, **item} for key, item in value.items() if isinstance(item, dict))


def _id(prefix: str, entry: Mapping[str, Any], *parts: object) -> str:
    said = entry.get("id")
    try:
        return check_id(said) if isinstance(said, str) else own_id(prefix, *parts)
    except Invalid:
        return own_id(prefix, said, *parts)


def _project_of(entry: Mapping[str, Any], own: str) -> str:
    said = entry.get("project")
    return project_name(said.rstrip("/").rpartition("/")[2]) or own if isinstance(said, str) else own


def _rest(entry: Mapping[str, Any], *known: str) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in known and value not in (None, "", [], {})}


def _reflection(found: Found, entry: dict[str, Any], own: str, exported: datetime, place: str) -> None:
    text = entry.get("content") or entry.get("text") or entry.get("value")
    if not isinstance(text, str) or not text.strip():
        raise Invalid("has no content")
    project = _project_of(entry, own)
    created = moment(entry.get("created_at") or entry.get("timestamp")) or exported
    tags = [one for one in entry.get("tags") or () if isinstance(one, str)]
    title = " ".join((entry.get("title") or text.strip().splitlines()[0]).split())[:LINE_LIMIT]
    kind = entry.get("insight_type") if entry.get("insight_type") in reflections.TYPES else "insight"
    id = _id("refl", entry, project, text)
    known = ("id", "content", "text", "value", "title", "tags", "project", "created_at", "updated_at", "timestamp")
    data = {
        "id": id,
        "type": kind,
        "title": title,
        **({"text": text} if text.strip() != title else {}),
        **({"tags": tags} if tags else {}),
        "created": times.dump(created),
        "updated": times.dump(moment(entry.get("updated_at")) or created),
        **_rest(entry, *known, "type", "created", "updated"),
    }
    month = created.astimezone(UTC).strftime("%Y/%m")
    if found.put(reflections.KIND.path_of(project=project, month=month, id=id), data, place):
        found.project(project, created)


def _measurement(found: Found, entry: dict[str, Any], own: str, exported: datetime, place: str) -> None:
    scores = [entry.get(key) for key in ("score", "quality_score", "total_score", "overall", "value")]
    score = next((one for one in scores if isinstance(one, int | float) and not isinstance(one, bool)), None)
    if score is not None and not 0 <= score <= 100:
        raise Invalid(f"{score} is no score from 0 to 100")
    parts = entry.get("components") or entry.get("breakdown") or {}
    components = {}
    for name, value in parts.items() if isinstance(parts, dict) else ():
        number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100
        if label := project_name(str(name)):
            components[label] = {"value": value if number else None}
    if score is None and not components:
        raise Invalid("has no score")
    project = _project_of(entry, own)
    created = moment(entry.get("timestamp") or entry.get("created_at") or entry.get("captured_at")) or exported
    id = _id("qual", entry, project, score, times.dump(created), sorted(components))
    data = {
        "id": id,
        "score": score,
        **({"components": components} if components else {}),
        **({"note": str(entry["label"])} if entry.get("label") else {}),
        "created": times.dump(created),
    }
    month = created.astimezone(UTC).strftime("%Y/%m")
    if found.put(quality.KIND.path_of(project=project, month=month, id=id), data, place):
        found.project(project, created)


def _group(found: Found, entry: dict[str, Any], _own: str, exported: datetime, place: str) -> None:
    if "source_project" in entry:
        _relation(found, entry, exported)
        return
    name = project_name(str(entry.get("name") or entry.get("id") or ""))
    names = [project_name(str(one).rstrip("/").rpartition("/")[2]) for one in entry.get("projects") or ()]
    members = sorted({*filter(None, names)})
    if not name or not members:
        raise Invalid("has no name, or no projects")
    created = moment(entry.get("created_at")) or exported
    for one in members:
        found.project(one, created)
    data = {
        "name": name,
        **({"description": str(entry["description"])} if entry.get("description") else {}),
        "projects": members,
        "created": times.dump(created),
        "updated": times.dump(created),
        **_rest(entry, "id", "name", "description", "projects", "created_at", "created", "updated"),
    }
    found.put(projects.GROUP.path_of(group=name), data, place)


def _relation(found: Found, entry: dict[str, Any], exported: datetime) -> None:
    one, other = (project_name(str(entry.get(key) or "")) for key in ("source_project", "target_project"))
    kind = entry.get("dependency_type")
    if not one or not other or one == other or kind not in projects.RELATIONS:
        raise Invalid(f"is no relation that is known: {kind!r}")
    created = moment(entry.get("created_at")) or exported
    found.project(other, created)
    found.project(one, created, relations={kind: [other]})
