"""What the tests of transcripts and conversations share: the given transcripts, and lines made for a test."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from helpers import assert_sound, git

from sbfs import conversations, projects, sync
from sbfs.record import etag
from sbfs.store import Store

GIVEN = Path(__file__).parent / "data" / "transcripts"
LONG = "258c7280-ae70-4798-800f-63464d01a85d"
SMALL = "d6e0bada-1959-4eec-a9d2-0bfade768d8f"
PARTS = (
    f"{LONG}.jsonl",
    f"{LONG}/subagents/agent-a881341.jsonl",
    f"{LONG}/subagents/agent-acompact-fffbd0.jsonl",
    "tool_heavy.jsonl",
)
"""The given files, in the order of their table."""


def begin(store: Store) -> Store:
    """A store with the project that transcripts go to."""
    projects.add(store, name="spotter")
    return store


def fresh(folder: Path) -> Store:
    """A new store with that project."""
    return begin(Store.init(folder))


def bring(store: Store, *paths: Path | str, **options: Any) -> conversations.Imported:
    """Import transcripts into that project."""
    return conversations.import_(store, paths=paths, **{"project": "spotter", **options})


def content(store: Store) -> dict[str, bytes]:
    """Path → bytes of all that the branch holds of conversations."""
    view = store.view()
    found = {}
    for path in _paths(view):
        found[path] = view.read(path) or b""
    return found


def sums(store: Store) -> dict[str, str]:
    """Path → etag of the same."""
    return {path: etag(raw) for path, raw in content(store).items()}


def _paths(view: Any) -> Iterable[str]:
    from sbfs.conversations.imports import folders

    for folder, _ in folders(view):
        yield from (f"{folder}/{name}" for name in view.names(folder))


def forget(store: Store) -> None:
    """Throw away what this machine knows of its imports."""
    shutil.rmtree(store.root / ".git" / "sbfs" / "imports", ignore_errors=True)


def write(file: Path, *entries: Any) -> Path:
    """A transcript of these entries: mappings, or lines as they are."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in entries]
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    return file


def said(id: str, text: Any, time: str = "2026-02-10T10:00:00.000Z", **more: Any) -> dict[str, Any]:
    """What somebody says to Claude Code."""
    entry = {"type": "user", "uuid": id, "timestamp": time, "sessionId": "s", "cwd": "/home/pat/api"}
    return {**entry, "message": {"role": "user", "content": text}, **more}


def answered(
    id: str, message: str | None, *blocks: Any, time: str = "2026-02-10T10:00:01.000Z", output: int = 5, **more: Any
) -> dict[str, Any]:
    """A chunk of what Claude Code answers."""
    usage = {"input_tokens": 1, "output_tokens": output, "cache_read_input_tokens": 10}
    content = [{"type": "text", "text": one} if isinstance(one, str) else one for one in blocks]
    inner = {"id": message, "role": "assistant", "model": "claude-x", "content": content, "usage": usage}
    entry = {"type": "assistant", "uuid": id, "timestamp": time, "sessionId": "s", "requestId": f"req-{message}"}
    return {**entry, "message": inner, **more}


def pair(tmp_path: Path) -> tuple[Store, Store]:
    """Two clones of one store with the project, and a repository in which they meet."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "hub.git")
    first = fresh(tmp_path / "near")
    sync.remote_add(first, name="origin", url=str(tmp_path / "hub.git"))
    sync.sync(first)
    sync.clone(str(tmp_path / "hub.git"), tmp_path / "far")
    return first, Store.open(tmp_path / "far")


def meet(*stores: Store) -> None:
    """Sync until all have what all have."""
    for store in (*stores, *stores):
        sync.sync(store)
    assert len({store.head() for store in stores}) == 1
    for store in stores:
        assert_sound(store.root)


def import_in_pieces(root: Path, folder: Path) -> None:
    """Process: import transcripts in pieces so small that there are many commits."""
    conversations.importing.PIECE = 30_000
    with Store.open(root, lock_wait=60) as store:
        bring(store, folder)
