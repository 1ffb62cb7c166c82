"""Files that ship with sbfs: what lies in `templates/` and `hooks/` at the top of the project."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable


def read(name: str) -> str:
    """The text of a shipped file, `templates/store/gitignore`. Raises FileNotFoundError."""
    return _root().joinpath(*name.split("/")).read_text(encoding="utf-8")


def tree(name: str) -> dict[str, str]:
    """Path below a shipped folder → text, of all files in it, by path."""
    found: dict[str, str] = {}
    _gather(_root().joinpath(*name.split("/")), "", found)
    return dict(sorted(found.items()))


def _gather(folder: Traversable, above: str, found: dict[str, str]) -> None:
    for one in folder.iterdir():
        if one.is_dir():
            _gather(one, f"{above}{one.name}/", found)
        else:
            found[f"{above}{one.name}"] = one.read_text(encoding="utf-8")


def _root() -> Traversable:
    # In a wheel they lie inside the package; in a checkout beside it.
    package = files("sbfs")
    inside = package / "_shared"
    return inside if inside.is_dir() else package / ".."
