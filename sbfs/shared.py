"""Files that ship with sbfs: what lies in `templates/` and `hooks/` at the top of the project."""

from __future__ import annotations

import os
from typing import Any


def read(name: str) -> str:
    """The text of a shipped file, `templates/store/gitignore`. Raises FileNotFoundError."""
    # The package's own loader reads it, as importlib.resources would ask it to; loading that takes longer.
    loader: Any = __spec__.loader
    package = os.path.dirname(__file__)
    # In a wheel they lie inside the package; in a checkout beside it.
    for folder in (os.path.join(package, "_shared"), os.path.dirname(package)):
        try:
            raw: bytes = loader.get_data(os.path.join(folder, *name.split("/")))
        except OSError:
            continue
        return raw.decode()
    raise FileNotFoundError(name)


def tree(name: str) -> dict[str, str]:
    """Path below a shipped folder → text, of all files in it, by path."""
    from importlib.resources import files

    package = files("sbfs")
    inside = package / "_shared"
    found: dict[str, str] = {}
    _gather((inside if inside.is_dir() else package / "..").joinpath(*name.split("/")), "", found)
    return dict(sorted(found.items()))


def _gather(folder: Any, above: str, found: dict[str, str]) -> None:
    for one in folder.iterdir():
        if one.is_dir():
            _gather(one, f"{above}{one.name}/", found)
        else:
            found[f"{above}{one.name}"] = one.read_text(encoding="utf-8")
