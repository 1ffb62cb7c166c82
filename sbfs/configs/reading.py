"""Verbs that read configurations."""

from __future__ import annotations

import json
from builtins import list as builtin_list
from dataclasses import dataclass
from typing import Any

from sbfs import projects
from sbfs.configs.editing import value_at
from sbfs.configs.value import FORMATS, KIND, Config, loaded, names_of
from sbfs.errors import Ambiguous, Invalid, NotFound
from sbfs.kind import check_word
from sbfs.listing import owners, unsaved
from sbfs.store import Page, Store, View


@dataclass(frozen=True)
class Shown:
    """A configuration as it is shown. value: what stands at the key that was asked for, else all that it says.
    text: to print: the file's own, or the value as people write it. edited: whether an unsaved edit is shown."""

    config: Config
    value: Any
    text: str
    edited: bool = False


def get(store: Store, *, project: str, name: str, key: str = "", at: str | None = None) -> Shown:
    """A configuration, by its file's name with or without the ending, or what stands at a dotted key of it.

    Raises NotFound, or Ambiguous where two files differ only in their endings. An unsaved edit is shown, and said.
    """
    view = store.view(at)
    record = view.record(path_of(view, projects.resolve(view, project).name, name))
    edited = None if at else unsaved(store, record)
    config = loaded(edited or record)
    if not key:
        return Shown(config, config.data, config.text, edited is not None)
    value = value_at(config.data, key)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Shown(config, value, f"{text}\n", edited is not None)


def files_of(view: View, project: str) -> builtin_list[str]:
    """The names of a project's configurations, without those that were removed."""
    paths = (path for path, _ in view.walk(KIND, newest=False, project=project) if KIND.places(path))
    return [path.rpartition("/")[2] for path in paths if not _is_removed(view, path)]


def _is_removed(view: View, path: str) -> bool:
    record = view.find_record(path) if path.endswith((".yaml", ".json")) else None
    return record is not None and record.removed


def path_of(view: View, project: str, name: str) -> str:
    """The path of the one configuration of a project that a name means. Raises NotFound or Ambiguous."""
    known = files_of(view, project)
    found = names_of(known, name)
    if not found:
        raise NotFound("configuration", name, known=known)
    if len(found) > 1:
        raise Ambiguous("configuration", name, found)
    return KIND.path_of(project=project, file=found[0])


def list(
    store: Store,
    *,
    project: str = "",
    format: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
    at: str | None = None,
) -> Page:
    """Configurations of a project, or of all, by project and name. Items: Config. cursor: a former answer's `next`."""
    if format is not None:
        check_word(format, FORMATS, "format")
    view = store.view(at)
    paths = sorted(
        KIND.path_of(project=name, file=file)
        for name in owners(view, project)
        for file in files_of(view, name)
        if format is None or file.endswith(f".{format}")
    )
    items: builtin_list[Config] = []
    troubles: builtin_list[tuple[str, str]] = []
    left = [path for path in paths if cursor is None or path > cursor]
    for path in left[:limit]:
        try:
            items.append(loaded(view.record(path)))
        except Invalid as error:
            troubles.append((path, error.why))
    more = left[limit - 1] if len(left) > limit else None
    return Page(items, len(paths), more, tuple(troubles))
