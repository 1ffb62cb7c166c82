"""Names of symbols as the field's call graphs write them: dotted, from the package root."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection

ENDINGS = {
    "python": (".py", ".pyi", ".pyw"),
    "typescript": (".d.ts", ".d.mts", ".d.cts", ".ts", ".mts", ".cts"),
    "tsx": (".tsx",),
    "javascript": (".js", ".mjs", ".cjs"),
    "jsx": (".jsx",),
    "ruby": (".rb", ".rake", ".ru"),
    "go": (".go",),
    "rust": (".rs",),
    "java": (".java",),
}


def dotted(path: str, language: str, name: str, paths: Collection[str]) -> str:
    """The name of a symbol of a file: `pkg.mod.Class.method`; of the file's body, for the name "": `pkg.mod`.

    `src/` adds nothing, unless it is a package; a package's `__init__` is the package. A later definition of the same
    name (`f#2`) has the same dotted name.
    """
    module = _module(path, language, language == "python" and "src/__init__.py" in paths)
    if "#" in name:
        name = ".".join(re.sub(r"#\d+$", "", part) for part in name.split("."))
    return f"{module}.{name}" if name and module else name or module


@functools.lru_cache(maxsize=65536)
def _module(path: str, language: str, src_is_package: bool) -> str:
    for ending in ENDINGS.get(language, ()):
        if path.endswith(ending):
            path = path.removesuffix(ending)
            break
    if path.startswith("src/") and not src_is_package:
        path = path.removeprefix("src/")
    if language == "python":
        if path == "__init__":
            return ""
        path = path.removesuffix("/__init__")
    return path.replace("/", ".")
