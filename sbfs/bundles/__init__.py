"""Carry a part of a store, or all of it, anywhere: export, import, verify, and copies kept safe."""

from typing import TYPE_CHECKING

from sbfs.fetching import names_of

if TYPE_CHECKING:
    from sbfs.bundles.backups import BackedUp as BackedUp
    from sbfs.bundles.backups import Restored as Restored
    from sbfs.bundles.backups import backup as backup
    from sbfs.bundles.backups import restore as restore
    from sbfs.bundles.cloning import clone_project as clone_project
    from sbfs.bundles.exporting import Exported as Exported
    from sbfs.bundles.exporting import export as export
    from sbfs.bundles.importing import Imported as Imported
    from sbfs.bundles.importing import import_ as import_
    from sbfs.bundles.verifying import Verified as Verified
    from sbfs.bundles.verifying import verify as verify

__all__ = [
    "BackedUp",
    "Exported",
    "Imported",
    "Restored",
    "Verified",
    "backup",
    "clone_project",
    "export",
    "import_",
    "restore",
    "verify",
]

__getattr__ = names_of(
    __name__,
    {
        "backups": "BackedUp Restored backup restore",
        "cloning": "clone_project",
        "exporting": "Exported export",
        "importing": "Imported import_",
        "verifying": "Verified verify",
    },
)
