"""Git's configuration of a store's repository."""

from __future__ import annotations

import os
import secrets
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sbfs import files
from sbfs.errors import Failed

CONFIG = {
    ("core", "repositoryformatversion"): "0",
    ("core", "bare"): "false",
    ("core", "filemode"): "true",
    ("core", "logallrefupdates"): "true",
    ("core", "autocrlf"): "false",
    ("core", "fsync"): "loose-object,pack,reference",
    ("core", "quotepath"): "false",
    ("gc", "auto"): "0",
    ("merge", "directoryRenames"): "false",
}
"""What .git/config says. It does not travel with a clone; `sbfs check` looks at it."""


ATTRIBUTES = ("*.yaml merge=sbfs", "*.json merge=sbfs")
"""What .git/info/attributes says: it wins over the `-merge` that every clone has."""


def missing(gitdir: Path) -> list[str]:
    """What this clone's Git lacks of a store's settings, the merge driver among them."""
    config = _read(gitdir)
    lacking = [".".join(key) for key, value in CONFIG.items() if _value(config, key) != value]
    if not _has_driver(config):
        lacking.append("merge.sbfs.driver")
    return lacking + [f"info/attributes: {line}" for line in _missing_attributes(gitdir)]


def configure(gitdir: Path) -> bool:
    """Bring .git/config and .git/info/attributes to what a store needs. Returns whether something was missing."""
    lacking = missing(gitdir)
    config = _read(gitdir)
    for (section, name), value in CONFIG.items():
        config.set((section.encode(),), name.encode(), value.encode())
    if not _has_driver(config):
        config.set((b"merge", b"sbfs"), b"name", b"merge by meaning")
        config.set((b"merge", b"sbfs"), b"driver", _driver().encode())
    if lacking:
        _replace(gitdir / "config", config.write_to_path)
    if lines := _missing_attributes(gitdir):
        text = (files.read(gitdir / "info" / "attributes") or b"").decode("utf-8", "surrogateescape")
        text += "" if not text or text.endswith("\n") else "\n"
        files.make_folders(gitdir / "info")
        files.write(gitdir / "info" / "attributes", (text + "\n".join(lines) + "\n").encode("utf-8", "surrogateescape"))
    return bool(lacking)


def _read(gitdir: Path) -> Any:
    from dulwich.config import ConfigFile

    file = gitdir / "config"
    try:
        return ConfigFile.from_path(os.fspath(file)) if file.exists() else ConfigFile()
    except ValueError as error:
        raise Failed(f"{file} cannot be read: {error}", hint="mend it, or remove it and run 'sbfs init'") from None


def _replace(file: Path, write: Callable[[str], object]) -> None:
    temporary = file.with_name(f".config.{os.getpid()}.{secrets.token_hex(6)}~")
    write(os.fspath(temporary))
    os.replace(temporary, file)


def _driver() -> str:
    # By this very Python: the person who merges need not have sbfs on the path. -P: Git calls it in the work tree,
    # where a file that came with a pull, named like a module, would be run.
    return f"{shlex.quote(sys.executable)} -P -m sbfs merge-driver %O %A %B %P"


def _has_driver(config: Any) -> bool:
    try:
        said: bytes = config.get((b"merge", b"sbfs"), b"driver")
    except KeyError:
        return False
    return b"merge-driver" in said


def _missing_attributes(gitdir: Path) -> list[str]:
    have = (files.read(gitdir / "info" / "attributes") or b"").decode("utf-8", "replace").splitlines()
    return [line for line in ATTRIBUTES if line not in have]


def _value(config: Any, key: tuple[str, str]) -> str | None:
    try:
        value: bytes = config.get((key[0].encode(),), key[1].encode())
    except KeyError:
        return None
    return value.decode()
