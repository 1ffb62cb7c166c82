"""Reports of linters: ruff's, ESLint's and pylint's JSON, and SARIF 2.1.0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from sbfs.errors import Invalid
from sbfs.reports.parsing import load_json

_HINT = "the JSON of ruff, ESLint and pylint, and SARIF are read"

PYTHON = frozenset({".py", ".pyi"})
SCRIPT = frozenset({".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts"})


@dataclass(frozen=True)
class Lint:
    """findings: how many. tool: who says so, "" where the report does not tell. endings: of the files
    that it looks at."""

    findings: int
    tool: str = ""
    endings: frozenset[str] = frozenset()


def read(raw: bytes, name: str) -> Lint:
    """Raises Invalid for what is none of these formats."""
    data = load_json(raw, name)
    if data == []:
        # All linters but ESLint say just this where nothing is to be said.
        return Lint(0)
    if isinstance(data, dict) and isinstance(data.get("runs"), list):
        return _sarif(data["runs"], name)
    if isinstance(data, dict) and isinstance(data.get("messages"), list) and "statistics" in data:
        return Lint(len(data["messages"]), "pylint", PYTHON)
    if isinstance(data, list) and all(isinstance(one, dict) for one in data):
        for keys, tool, endings in _LISTS:
            if all(keys <= one.keys() for one in data):
                return Lint(_findings(data, tool, name), tool, endings)
    raise Invalid("is no report of a linter", path=name, hint=_HINT)


_LISTS = (
    ({"filePath", "messages"}, "ESLint", SCRIPT),
    ({"message-id", "path", "line"}, "pylint", PYTHON),
    ({"filename", "message", "location"}, "ruff", PYTHON),
)
"""Which keys tell whose list it is."""


def _findings(data: list[dict[str, Any]], tool: str, name: str) -> int:
    if tool != "ESLint":
        return len(data)
    if not all(isinstance(one["messages"], list) for one in data):
        raise Invalid("has messages that are no list", path=name)
    return sum(len(one["messages"]) for one in data)


# -- SARIF: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html ------------------------


def _sarif(runs: list[Any], name: str) -> Lint:
    findings, tools, files = 0, set[str](), set[str]()
    for run in runs:
        results = _at(run, "results")
        # A run without results did not get that far (3.14.23).
        if not isinstance(results, list):
            raise Invalid("has a run without results", path=name, hint="let the linter run to its end")
        findings += sum(_counts(result) for result in results)
        tools.add(str(_at(run, "tool", "driver", "name") or ""))
        files.update(_files(run, results))
    endings = {PurePosixPath(unquote(urlsplit(uri).path)).suffix for uri in files}
    return Lint(findings, ", ".join(sorted(tools - {""})), frozenset(endings - {""}))


def _counts(result: Any) -> bool:
    """Whether a result is a finding: not one that is suppressed, passed, or gone since a baseline."""
    told = isinstance(result, dict) and result.get("kind", "fail") == "fail"
    return told and not result.get("suppressions") and result.get("baselineState") != "absent"


def _files(run: Any, results: list[Any]) -> Iterable[str]:
    for artifact in _list(_at(run, "artifacts")):
        if "analysisTarget" in _list(_at(artifact, "roles")):
            yield str(_at(artifact, "location", "uri") or "")
    for result in results:
        for location in _list(_at(result, "locations")):
            yield str(_at(location, "physicalLocation", "artifactLocation", "uri") or "")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
