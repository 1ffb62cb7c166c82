"""The templates that an export of a store holds, read with the care that an import takes."""

from __future__ import annotations

from pathlib import Path

from sbfs.bundles import checking
from sbfs.bundles.reading import take
from sbfs.bundles.selecting import Picker, Selection
from sbfs.errors import Invalid
from sbfs.git import bulk, trees

_FOLDER = "templates/"


def texts(path: Path, *, scratch: Path, most: int) -> dict[str, str]:
    """The files below `templates/` of a bundle or zip: path below it → text. scratch: a folder for what is unpacked.

    most: files up to which they are read. Raises Invalid, naming the member, for what is not whole or not safe.
    """
    with bulk.Scratch(scratch) as room:
        incoming = take(path, room, None)
        if not incoming.is_ours:
            raise Invalid("is no export of a store", path=path.name, hint="make one: sbfs export --as-template")
        picked = Picker(room.repo.tree, room.repo.blob, Selection(words=("templates",)), base=False).pick(incoming.tree)
        made = picked.entries()

        def read(id: str) -> trees.Entries:
            return made[id] if id in made else room.repo.tree(id)

        checked = checking.check(room.repo, None, picked.tree, name=path.name, made=made)
        # What was left out of the tree is in no repository: the names of those are enough.
        left = {one.name for one in checked.left_out}
        found = [(place, id) for place, _, id in trees.walk(read, picked.tree) if place not in left]
        if not found:
            raise Invalid("holds no templates", path=path.name, hint="they lie in the store's templates/; save them")
        if len(found) > most:
            raise Invalid(f"holds more than {most} templates' files", path=path.name)
        return {place.removeprefix(_FOLDER): room.repo.blob(id).decode("utf-8", "replace") for place, id in found}
