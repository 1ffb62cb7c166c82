"""Git's configuration of a store's repository."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

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


def configure(gitdir: Path) -> bool:
    """Bring .git/config to what a store needs. Returns whether something was missing."""
    from dulwich.config import ConfigFile

    file = gitdir / "config"
    try:
        config = ConfigFile.from_path(os.fspath(file)) if file.exists() else ConfigFile()
    except ValueError as error:
        raise Failed(f"{file} cannot be read: {error}", hint="mend it, or remove it and run 'sbfs init'") from None
    missing = {key: value for key, value in CONFIG.items() if _value(config, key) != value}
    for (section, name), value in missing.items():
        config.set((section.encode(),), name.encode(), value.encode())
    if missing:
        temporary = file.with_name(f".config.{os.getpid()}.{secrets.token_hex(6)}~")
        config.write_to_path(os.fspath(temporary))
        os.replace(temporary, file)
    return bool(missing)


def _value(config: object, key: tuple[str, str]) -> str | None:
    try:
        value: bytes = config.get((key[0].encode(),), key[1].encode())  # type: ignore[attr-defined]
    except KeyError:
        return None
    return value.decode()
