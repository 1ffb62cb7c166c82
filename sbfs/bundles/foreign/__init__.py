"""What other systems leave, as files of a store: one module a format, the same shape each.

A module says whether a folder or an archive is of its format (`is_it`), and reads it (`read`) into `Found`: records
as files of a store, and by name what could not be carried. Nothing in them is run, and no link is followed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sbfs.bundles.foreign import agent_zip, amp, maestro, mailfiles, seed
from sbfs.bundles.foreign.found import Found
from sbfs.bundles.zips import Archive
from sbfs.errors import Failed, Invalid

_FOLDERS: tuple[tuple[Callable[[Path], bool], Callable[[Path], Found]], ...] = (
    (mailfiles.is_it, mailfiles.read),
    (amp.is_it, amp.read),
    (maestro.is_it, maestro.read),
)
_ZIPS: tuple[tuple[Callable[[Archive], bool], Callable[[Archive], Found]], ...] = (
    (agent_zip.is_it, agent_zip.read),
    (seed.is_it, seed.read),
)

_HINT = "see docs/bundles.md for what can"


def read(path: Path) -> Found:
    """Read what another system left. Raises Invalid where it is none that is known."""
    if path.is_dir():
        for is_it, read_it in _FOLDERS:
            if is_it(path):
                return read_it(path)
        raise Invalid("is no folder that can be imported", path=path.name, hint=_HINT)
    try:
        with open(path, "rb") as file:
            beginning = file.read(64)
    except OSError as error:
        raise Failed(f"{path}: {(error.strerror or str(error)).lower()}", hint="check the name of the file") from error
    if beginning.startswith(b"From "):
        return mailfiles.read(path)
    if beginning.startswith(b"PK"):
        with Archive(path) as archive:
            for is_one, read_one in _ZIPS:
                if is_one(archive):
                    return read_one(archive)
    raise Invalid("is nothing that can be imported", path=path.name, hint=_HINT)
