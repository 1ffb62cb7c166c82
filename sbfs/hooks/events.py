"""What is said at an agent's events: unread mail, what was learnt, what to keep. Short, cheap, and never an error.

An event is what the agent's program writes on standard input; only `session_id`, `cwd`, `source`, `transcript_path`
and `agent_id` are read. Nothing is run; what has to be done in the background is returned.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sbfs import files, times
from sbfs.errors import Error
from sbfs.store import Store

# Domains are fetched by the functions that need them: at most prompts none is.

_MAIL, _LEARNT = 8, 4
"""How many are named at the start of a session."""

_FILES, _CALLED = 6, 5
"""Files that are named after a compaction; calls from which on a function is worth naming."""

_LINE = 160
"""Characters of a line about a record."""


@dataclass(frozen=True)
class Said:
    """context: for the agent. notice: for the person beside it. later: a command of sbfs, for the background."""

    context: str = ""
    notice: str = ""
    later: tuple[str, ...] = ()


def answer(store: Store, event: str, given: Mapping[str, Any], *, project: str = "") -> Said:
    """What to say at an event, one of EVENTS. project: who the agent is; else the one that holds its folder.

    Sub-agents, and folders of no project, are told nothing.
    """
    if given.get("agent_id") or given.get("agent_type"):
        return Said()
    if event == "prompt" and _is_as_told(store, given):
        return Said()
    name = _project(store, given, project)
    return EVENTS[event](store, given, name) if name else Said()


def _project(store: Store, given: Mapping[str, Any], project: str) -> str:
    from sbfs import projects

    view = store.view()
    if project:
        return projects.name_now(view, project)
    folder = given.get("cwd")
    return projects.holding(view, os.path.normpath(folder)) if isinstance(folder, str) and folder else ""


def _session_start(store: Store, given: Mapping[str, Any], project: str) -> Said:
    parts = [f"You are the project `{project}` in your team's store (sbfs, {store.root})."]
    if given.get("source") == "compact":
        parts.append("The conversation was compacted; what was said before is kept: `sbfs conversation list`.")
        parts += _code(store, project)
    parts += [*_unread(store, project), *_learnt(store, project)]
    parts.append(
        f'Ask before you build: `sbfs search "…"`. Read: `sbfs message read ID`. Write: `sbfs send {project} PROJECT '
        f'--subject "…" --body "…"`. Keep what you learn: `sbfs reflection add {project} --title "…"`.'
    )
    _remember(store, given, _known(store, project))
    return Said("\n\n".join(parts))


def _unread(store: Store, project: str) -> list[str]:
    from sbfs import messages

    page = messages.list(store, project=project, status="unread", limit=_MAIL)
    if not page.items:
        return ["No unread mail."]
    rank = {"urgent": 0, "high": 1}
    found = sorted((one.message for one in page.items), key=lambda one: rank.get(one.priority, 2))
    lines = [
        _line(f"- {one.id} from {one.from_project}{_pressing(one.priority)}: {one.subject}") for one in found
    ]  # fmt: skip
    more = [f"- and {page.total - len(found)} more: `sbfs inbox {project} --unread`"] if page.next else []
    return ["\n".join([f"Unread mail ({page.total}):", *lines, *more])]


def _pressing(priority: str) -> str:
    return f", {priority}" if priority in ("urgent", "high") else ""


def _learnt(store: Store, project: str) -> list[str]:
    from sbfs import reflections

    page = reflections.list(store, project=project, limit=_LEARNT)
    lines = [_line(f"- {one.id} {one.type}: {one.title}") for one in page.items]
    return ["\n".join(["Lately learnt here:", *lines])] if lines else []


def _code(store: Store, project: str) -> list[str]:
    """Where the work is: files that changed since the code graph was made, then those that are called most, each with
    what belongs to it."""
    from sbfs import graph

    try:
        called = graph.metrics(store, project=project, metric="fan_in", threshold=_CALLED, limit=200)
    except Error:
        return []  # There is no graph, or its source is not here.
    functions: dict[str, list[str]] = {file: [] for file in called.standing.stale_files}
    for one in called.items:
        functions.setdefault(one.file, []).append(f"{one.name.rpartition('.')[2]} (called {one.value:g} times)")
    shown = [*functions.items()][:_FILES]
    lines = [_line(f"- {file}{_about(names)}{_with(store, project, file)}") for file, names in shown]
    return ["\n".join(["Code, what changed lately first:", *lines])] if lines else []


def _about(functions: list[str]) -> str:
    return f": {', '.join(functions[:3])}" if functions else ""


def _with(store: Store, project: str, file: str) -> str:
    """The files that belong to a file."""
    from sbfs import graph

    with suppress(Error):
        found = graph.related(store, file=file, project=project, limit=2).items
        return f"; with {', '.join(one.file for one in found)}" if found else ""
    return ""


def _line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LINE else f"{flat[: _LINE - 1]}…"


def _prompt(store: Store, given: Mapping[str, Any], project: str) -> Said:
    known, before = _known(store, project), _told(store, given).get("count")
    _remember(store, given, known)
    count = known["count"]
    if count in (0, before):
        return Said()
    urgent = _urgent(store, project)
    what = f"{count} unread {'message' if count == 1 else 'messages'} for `{project}`"
    lines = [_line(f"- urgent: {one}") for one in urgent]
    return Said("\n".join([f"{what}: `sbfs inbox {project} --unread`", *lines]))


def _known(store: Store, project: str) -> Mapping[str, Any]:
    """What is to be told, and from when on it may be something else; see `_told`."""
    from sbfs import messages
    from sbfs.messages.reading import next_due

    # What is written while this counts makes another head, and is told at the next prompt.
    head, now = store.head(), times.dump(store.clock())
    count = messages.count(store, project=project, unread=True)
    return {"count": count, "head": head, "due": next_due(store.view(), project, now)}


def _urgent(store: Store, project: str) -> list[str]:
    from sbfs import messages

    page = messages.list(store, project=project, status="unread", priority="urgent", limit=3)
    return [f"{one.message.id} from {one.message.from_project}: {one.message.subject}" for one in page.items]


def _pre_compact(store: Store, given: Mapping[str, Any], project: str) -> Said:
    return _kept(store, given, project)


def _session_end(store: Store, given: Mapping[str, Any], project: str) -> Said:
    hand_over = f"sbfs send {project} {project} --template hand-over --set work=… --set done=… --set next=…"
    said = _kept(store, given, project)
    return Said(notice=f"to leave a note for the next session: {hand_over}", later=said.later)


def _kept(_store: Store, given: Mapping[str, Any], project: str) -> Said:
    """The transcript's import, which may take longer than an agent is to wait."""
    path = given.get("transcript_path")
    if not isinstance(path, str) or not Path(path).is_file():
        return Said()
    return Said(later=("conversation", "import", str(Path(path).absolute()), "--project", project))


EVENTS: Mapping[str, Callable[[Store, Mapping[str, Any], str], Said]] = {
    "session-start": _session_start,
    "prompt": _prompt,
    "pre-compact": _pre_compact,
    "session-end": _session_end,
}

# -- what a session was told ---------------------------------------------------------------------------


def _note(store: Store, given: Mapping[str, Any]) -> Path | None:
    session = given.get("session_id")
    if not isinstance(session, str) or not re.fullmatch(r"[A-Za-z0-9._-]{1,128}", session) or ".." in session:
        return None
    return store.repo.gitdir / "sbfs" / "told" / session


def _told(store: Store, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a session was told last: `count` of unread mail, `head` of the branch, when more is `due`. Empty where that
    is not known."""
    note = _note(store, given)
    raw = files.read(note) if note else None
    with suppress(ValueError):
        found = json.loads(raw) if raw else None
        return found if isinstance(found, dict) else {}
    return {}


def _is_as_told(store: Store, given: Mapping[str, Any]) -> bool:
    """Whether nothing was written since a session was told; a look at the branch is all it takes."""
    told = _told(store, given)
    due = told.get("due")
    return told.get("head") == store.head() and isinstance(due, str) and not "" < due <= times.dump(store.clock())


def _remember(store: Store, given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Keep it, where this may be written; whoever may not is told again."""
    note = _note(store, given)
    with suppress(Error, OSError):
        if note is not None:
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(json.dumps(known) + "\n")
