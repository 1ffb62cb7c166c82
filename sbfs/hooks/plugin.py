"""A plugin folder for Claude Code: manifest, hooks, commands, the server's entry; from `templates/claude-code/`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from sbfs import __version__, files, projects, shared
from sbfs.errors import Invalid
from sbfs.hooks import claude_code
from sbfs.store import Store

_MANIFEST = ".claude-plugin/plugin.json"


def make(store: Store, program: Sequence[str], *, project: str = "") -> Mapping[str, str]:
    """The files of the plugin, path → text. project: who the agent is; else the one that holds its folder."""
    name = projects.resolve(store.view(), project).name if project else ""
    whom = f"the project `{name}`" if name else "the project whose source folder you work in (`sbfs project list`)"
    found = {
        path: text.replace("%PROJECT%", name or "PROJECT").replace("%WHO%", whom)
        for path, text in shared.tree("templates/claude-code").items()
    }
    hooks = {event: [claude_code.entry(event, program, project=name)] for event in claude_code.EVENTS}
    server = [*program[1:], "mcp", *(["--project", name] if name else [])]
    manifest = {"name": "sbfs", "version": __version__, "description": "The team's mail, memory and search"}
    made = {
        _MANIFEST: manifest,
        "hooks/hooks.json": {"hooks": hooks},
        ".mcp.json": {"mcpServers": {"sbfs": {"command": program[0], "args": server}}},
    }
    return {**found, **{path: json.dumps(data, ensure_ascii=False, indent=2) + "\n" for path, data in made.items()}}


def write(folder: Path, made: Mapping[str, str]) -> None:
    """Write the plugin into a new folder, or over an earlier one of ours. Raises Invalid where something else is."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / _MANIFEST).is_file())):
        raise Invalid(f"{folder} holds something else", field="plugin", hint="name a new folder")
    try:
        for path, text in made.items():
            place = files.join(folder, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            files.write(place, text.encode())
    except OSError as error:
        raise files.failed(error, folder) from error
