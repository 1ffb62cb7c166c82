"""What the verbs of bundles answer with."""

from __future__ import annotations

from typing import Any

from sbfs import times
from sbfs.bundles.backups import BackedUp, Restored
from sbfs.bundles.exporting import Exported
from sbfs.bundles.importing import Imported
from sbfs.bundles.planning import Item
from sbfs.bundles.verifying import Verified

Document = dict[str, Any]


def exported(made: Exported) -> Document:
    """The file that was made."""
    facts = {name: getattr(made, name) for name in ("format", "store", "commit", "exported_at", "snapshot", "files")}
    return {
        "export_path": made.path,
        "size_bytes": made.size,
        "config": made.config,
        **facts,
        "since": made.since or None,
        "projects": None if made.chosen.projects is None else [*made.chosen.projects],
        "holds": [*made.chosen.words],
        "secrets": [vars(one) for one in made.secrets],
    }


def imported(done: Imported) -> Document:
    """What an import did, or would do."""
    items = [_item(one) for one in done.items]
    plan = {
        "config": {
            "file": done.file,
            "format": done.format,
            "store": done.store,
            "commit": done.commit,
            "projects": [*done.projects],
            "holds": [*done.holds],
        },
        "reflections": done.count("reflection"),
        "quality_history": done.count("quality"),
        "project_groups": done.count("group"),
        "conflicts": [one for one in items if one["action"] == "conflict"],
        "changes": [one for one in items if one["action"] != "conflict"],
        "folders": [{"path": one.path, "action": "add", "files": one.count} for one in done.folders],
    }
    document: Document = {
        "merge_strategy": done.strategy,
        "import_plan": plan,
        "message": _said(done),
        "counts": dict(done.counts),
        "left_out": [vars(one) for one in done.left_out],
        "revision": done.revision,
    }
    return {**document, **({"redacted": dict(done.redacted)} if done.redacted else {})}


def _item(one: Item) -> Document:
    return {"path": one.path, "kind": one.kind, "id": one.id, "action": one.action, "detail": one.detail}


def _said(done: Imported) -> str:
    told = ", ".join(f"{count} {_DONE[action]}" for action, count in done.counts.items() if count)
    if done.strategy == "preview":
        return f"would be: {told}" if told else "nothing would change: all of it is here"
    if not done.revision:
        return "nothing changed" + (f": {told}" if told else ": all of it is here")
    return f"imported as one commit: {told}"


_DONE = {"add": "added", "change": "changed", "keep": "kept as here", "remove": "removed", "conflict": "in conflict"}


def backed_up(done: BackedUp) -> Document:
    """What a backup did."""
    facts = {"folder": done.folder, "kept": done.kept, "thinned": [*done.thinned]}
    return {**facts, "made": None if done.made is None else {**vars(done.made), "made": times.dump(done.made.made)}}


def restored(done: Restored) -> Document:
    """What a store was brought back from."""
    return {
        "root": done.root,
        "store": done.store,
        "commit": done.commit,
        "made": times.dump(done.made),
        "used": [*done.used],
    }


def verified(found: Verified) -> Document:
    """What a file is."""
    facts = {name: value for name, value in vars(found).items() if name not in ("left_out", "moment", "words")}
    lists = {name: [*facts[name]] for name in ("needs", "projects")}
    left = [vars(one) for one in found.left_out]
    return {**facts, **lists, "time": found.moment or None, "holds": [*found.words], "left_out": left}
