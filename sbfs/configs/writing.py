"""Verbs that write configurations. A secret in one is refused: what is kept must be what was written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sbfs import projects
from sbfs.configs import schemas
from sbfs.configs.editing import with_value
from sbfs.configs.reading import files_of, path_of
from sbfs.configs.value import KIND, SCHEMA, Config, check_file, loaded, names_of
from sbfs.errors import Invalid, NotFound
from sbfs.kind import check_size
from sbfs.record import Record
from sbfs.store import Store, Transaction, View, checked_text


def set(
    store: Store,
    *,
    project: str,
    name: str,
    text: str | None = None,
    key: str = "",
    value: Any = None,
    schema: Mapping[str, Any] | None = None,
    actor: str = "",
) -> Config:
    """Keep a configuration as it is written, or change what stands at a dotted key of one.

    name: of its file, `settings.yaml`; of one that is there, the ending may be left out. schema: a JSON Schema, kept
    beside it as `settings.schema.json`; whatever is set later has to be as it says. Raises Invalid, naming the line or
    the field, for what breaks its format or its schema, and for a secret.
    """
    if (text is None) == (not key):
        raise Invalid("needs a text, or a key and its value", field="text", hint="give one of them")

    def build(tx: Transaction) -> Config:
        owner = projects.resolve(tx.view, project).name
        path = _target(tx.view, owner, name, is_new=text is not None)
        if schema is not None:
            schemas.check_schema(dict(schema))
            _put(
                store, tx, f"{path.rpartition('.')[0]}{SCHEMA}", json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
            )
        known = tx.find(path)
        config = _put(store, tx, path, text if text is not None else _changed(path, known, key, value))
        tx.actor = tx.actor or owner
        tx.need(projects.KIND.path_of(project=owner))
        tx.describe(f"{owner} {'changes' if known else 'adds'} the configuration {config.name}", Ids=config.name)
        return config

    return store.write("config.set", build, actor=actor)


def remove(store: Store, *, project: str, name: str, actor: str = "") -> Config:
    """Remove a configuration; `sbfs undo` brings it back. Its schema stays, and is removed by its own name."""

    def build(tx: Transaction) -> Config:
        owner = projects.resolve(tx.view, project).name
        path = path_of(tx.view, owner, name)
        config = loaded(tx.view.record(path))
        if config.format in ("yaml", "json"):
            tx.remove(KIND, path)
        else:
            # A tombstone would be taken for what the file says.
            tx.drop(path, KIND)
        tx.actor = tx.actor or owner
        tx.describe(f"{owner} removes the configuration {config.name}", Ids=config.name)
        return config

    return store.write("config.remove", build, actor=actor)


def apply(
    store: Store, *, project: str, files: Mapping[str, str], replace: bool = False, actor: str = ""
) -> tuple[Config, ...]:
    """Keep the files of a template, filled in, as one commit. files: name → text.

    One that is there and says something else is refused, unless replace.
    """

    def build(tx: Transaction) -> tuple[Config, ...]:
        owner = projects.resolve(tx.view, project).name
        made = put_all(store, tx, owner, files, replace=replace)
        tx.actor = tx.actor or owner
        tx.describe(f"{owner} takes over {', '.join(one.name for one in made)}", Ids=owner)
        return made

    return store.write("config.apply", build, actor=actor)


def put_all(
    store: Store, tx: Transaction, owner: str, files: Mapping[str, str], *, replace: bool = False
) -> tuple[Config, ...]:
    """Configurations of one project, within a transaction that may do more."""
    for name, text in files.items():
        known = tx.find(KIND.path_of(project=owner, file=check_file(name)))
        if known is not None and known.raw != text.encode() and not replace:
            hint = f"see 'sbfs config get {owner} {name}'; --replace puts the template's in its place"
            raise Invalid(f"{owner} has a {name} that says something else", field="name", hint=hint)
    # Schemas first: what they are for is checked by them.
    order: Sequence[str] = sorted(files, key=lambda name: not name.endswith(SCHEMA))
    made = {name: _put(store, tx, KIND.path_of(project=owner, file=name), files[name]) for name in order}
    return tuple(made[name] for name in files)


def check_by_schema(tx: Transaction, record: Record) -> None:
    """Raise Invalid where a configuration is not as the schema beside it says."""
    if record.path.endswith((SCHEMA, ".md")):
        if record.path.endswith(SCHEMA):
            schemas.check_schema(record.data)
        return
    place = f"{record.path.rpartition('.')[0]}{SCHEMA}"
    if found := tx.find(place):
        schemas.check_data(record.data, found.data, path=record.path, by=place)


def _target(view: View, owner: str, name: str, *, is_new: bool) -> str:
    known = files_of(view, owner)
    if len(found := names_of(known, name)) == 1 or not is_new:
        return KIND.path_of(project=owner, file=found[0]) if len(found) == 1 else path_of(view, owner, name)
    return KIND.path_of(project=owner, file=check_file(name))


def _changed(path: str, known: Record | None, key: str, value: Any) -> str:
    if known is None:
        raise NotFound("configuration", path)
    return with_value(known, key, value).decode()


def _put(store: Store, tx: Transaction, path: str, text: str) -> Config:
    hint = "shorten it, or raise limits.body in sbfs.yaml"
    check_size(text, field="text", limit=store.limit("body"), hint=hint)
    raw = checked_text(KIND, path, text.encode(), tx.rules)
    record = Record.parse(path, raw)
    if record.removed:
        why = "says at the top of a file that it was removed"
        raise Invalid(why, field="removed", path=path, hint="put it below another key")
    check_by_schema(tx, record)
    tx.put(KIND, path, raw)
    return loaded(record)
