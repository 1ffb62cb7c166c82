"""Claude Code's settings: our hooks in, our hooks out, and every other byte as it was.

The form of the settings and of a hook's answer: https://code.claude.com/docs/en/hooks (2026). A hook before a
compaction cannot add to it; what the agent should know afterwards is said when the session starts anew with source
`compact`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sbfs import files, jsontext
from sbfs.errors import Invalid

EVENTS = {
    "SessionStart": "session-start",
    "UserPromptSubmit": "prompt",
    "PreCompact": "pre-compact",
    "SessionEnd": "session-end",
}
"""Its names of events → ours."""

_SECONDS = 10
"""After which Claude Code ends a hook; ours end themselves long before."""

_OURS = re.compile(rf"\bhook (?:{'|'.join(EVENTS.values())})\b")


@dataclass(frozen=True)
class Change:
    """What is done to a settings file. before, after: its text, None where there is none. events: that are ours."""

    path: Path
    before: str | None
    after: str | None
    events: tuple[str, ...]


def entry(event: str, program: Sequence[str], *, project: str = "") -> dict[str, Any]:
    """One hook, as the settings hold it. program: how sbfs is called, with its store."""
    words = [*program, "hook", EVENTS[event], *(["--project", project] if project else [])]
    return {"hooks": [{"type": "command", "command": shlex.join(words), "timeout": _SECONDS}]}


def installed(path: Path, program: Sequence[str], *, project: str = "") -> Change:
    """What the settings become with our hooks; those of a former install give way. Raises Invalid, naming the line."""
    before = _read(path)
    text = _without(before, path) if before is not None else "{}\n"
    try:
        for event in EVENTS:
            text = jsontext.append(text, ("hooks", event), entry(event, program, project=project))
    except Invalid as error:
        raise error.at(str(path)) from None
    return Change(path, before, text, tuple(EVENTS))


def uninstalled(path: Path) -> Change:
    """What the settings become without our hooks."""
    before = _read(path)
    if before is None:
        return Change(path, None, None, ())
    after: str | None = _without(before, path)
    there = tuple(event for event in EVENTS if _has(before, event))
    if there and after is not None and not json.loads(after):
        # There was nothing in it but ours.
        after = None
    return Change(path, before, after, there)


def apply(change: Change) -> None:
    """Write the settings. Raises Failed."""
    try:
        if change.after is None:
            change.path.unlink(missing_ok=True)
        elif change.after != change.before:
            change.path.parent.mkdir(parents=True, exist_ok=True)
            mode = os.stat(change.path).st_mode & 0o777 if change.before is not None else 0o644
            files.write(change.path.resolve(), change.after.encode(), mode=mode)
    except OSError as error:
        raise files.failed(error, change.path) from error


def _read(path: Path) -> str | None:
    try:
        raw = files.read(path.resolve())
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        raise Invalid("is not UTF-8", path=str(path)) from None
    except OSError as error:
        raise files.failed(error, path) from error


def _without(text: str, path: Path) -> str:
    try:
        for event in EVENTS:
            text = jsontext.remove(text, ("hooks", event), is_ours)
    except Invalid as error:
        raise error.at(str(path)) from None
    return text


def _has(text: str, event: str) -> bool:
    found = json.loads(text).get("hooks", {}).get(event, [])
    return isinstance(found, list) and any(map(is_ours, found))


def is_ours(element: Any) -> bool:
    """Whether an entry of the settings is one that `installed` made: all that it runs is a hook of sbfs."""
    hooks = element.get("hooks") if isinstance(element, dict) else None
    if not isinstance(hooks, list) or not hooks:
        return False
    commands = [str(one.get("command", "")) if isinstance(one, dict) else "" for one in hooks]
    return all("sbfs" in command and _OURS.search(command) for command in commands)
