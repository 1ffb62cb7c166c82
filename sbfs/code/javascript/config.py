"""tsconfig.json, jsconfig.json and package.json, reduced to what linking needs."""

from __future__ import annotations

import json
import re
from typing import Any

from sbfs.code.facts import Facts, Symbol
from sbfs.code.treesitter import utf8

_TOKENS = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)
_COMMENTS = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
PACKAGE = ("name", "exports", "imports", "main", "module", "types", "typings", "type", "workspaces")
COMPILER = ("baseUrl", "paths", "rootDir", "rootDirs", "outDir", "allowJs", "jsx")


def configuration(path: str, raw: bytes) -> Facts:
    """Read a configuration file; what cannot be read makes an empty one, with a note."""
    raw, notes = utf8(raw)
    lines = raw.count(b"\n") + 1
    facts = Facts(path, "config", "", notes=notes, symbols=[Symbol("", "module", 1, lines)])
    package = path.rpartition("/")[2] == "package.json"
    try:
        text = raw.decode("utf-8", "replace")
        data = json.loads(text if package else plain(text))
    except (ValueError, RecursionError) as error:
        facts.parse = "partial"
        facts.notes = (*notes, f"not JSON: {error}" if isinstance(error, ValueError) else "nested too deep")
        return facts
    if isinstance(data, dict):
        facts.config = _package(data) if package else _compiler(data)
    return facts


def plain(text: str) -> str:
    """JSON with comments and trailing commas as plain JSON; every line keeps its place."""
    text = _COMMENTS.sub(lambda found: found[0] if found[0][0] == '"' else re.sub(r"[^\n]", " ", found[0]), text)
    return _TOKENS.sub(lambda found: found[0] if found[0][0] == '"' else " ", text)


def _package(data: dict[str, Any]) -> dict[str, Any]:
    kept = {key: data[key] for key in PACKAGE if key in data}
    workspaces = kept.get("workspaces")
    if isinstance(workspaces, dict):
        kept["workspaces"] = workspaces.get("packages", [])
    return {"package": kept}


def _compiler(data: dict[str, Any]) -> dict[str, Any]:
    options = data.get("compilerOptions")
    kept = {key: options[key] for key in COMPILER if key in options} if isinstance(options, dict) else {}
    extends = data.get("extends")
    if isinstance(extends, str):
        kept["extends"] = [extends]
    elif isinstance(extends, list):
        kept["extends"] = [one for one in extends if isinstance(one, str)]
    references = data.get("references")
    if isinstance(references, list):
        kept["references"] = [
            one["path"] for one in references if isinstance(one, dict) and isinstance(one.get("path"), str)
        ]
    return {"tsconfig": kept}
