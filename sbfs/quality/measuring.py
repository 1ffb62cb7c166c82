"""From reports, and from the code graph, to components: how a count becomes a score. docs/quality.md says the same in
words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sbfs import files
from sbfs.errors import Invalid
from sbfs.git.source import Source, look
from sbfs.projects import Project
from sbfs.quality.value import Component, rounded
from sbfs.reports import coverage, junit, lint

if TYPE_CHECKING:
    from sbfs.graph.measuring import Summary

READERS: Mapping[str, Callable[[bytes, str], coverage.Coverage | lint.Lint | junit.Outcome]] = {
    "coverage": coverage.read,
    "lint": lint.read,
    "tests": junit.read,
}
"""Component → what reads its report."""

HALF = 10
"""Findings in 1,000 lines that are worth 50."""


def read(given: Mapping[str, str | Path]) -> dict[str, coverage.Coverage | lint.Lint | junit.Outcome]:
    """The reports that components are measured by. Raises Failed for a file that cannot be
    read, Invalid for one of an unknown format."""
    return {name: READERS[name](_bytes(Path(file)), str(file)) for name, file in given.items()}


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise files.failed(error, file) from error


def source(project: Project, path: str | Path | None, reports: Mapping[str, object]) -> Source | None:
    """The source that was measured: at `path`, else where the project says that its code lies."""
    if path is not None and not Path(path).is_dir():
        raise Invalid(f"{path} is no folder", field="path", hint="name the folder of the project's source")
    folder = Path(project.source_path if path is None else path)
    if path is None and not (folder.is_absolute() and folder.is_dir()):
        # Where the source lies on another machine says nothing about this one.
        return None
    found = reports.get("lint")
    return look(folder, found.endings if isinstance(found, lint.Lint) else ())


def components(
    reports: Mapping[str, object], given: Mapping[str, str | Path], lines: int | None
) -> dict[str, Component]:
    """All components that can be measured, None for those that were not. lines: of the source, where known."""
    found = {}
    for name in READERS:
        value, detail = _score(reports.get(name), lines)
        found[name] = Component(value, Path(given[name]).name if name in given else "", detail)
    return found


def of_graph(found: Summary) -> dict[str, Component]:
    """What a code graph says: the share of functions that are simple, and of public symbols that are documented."""
    simple = f"{found.simple} of {found.functions} functions have a complexity of at most 10"
    documented = f"{found.documented} of {found.public} public symbols are documented"
    return {
        "complexity": Component(_share(found.simple, found.functions), "code graph", simple),
        "documented": Component(_share(found.documented, found.public), "code graph", documented),
    }


def _score(report: object, lines: int | None) -> tuple[float | None, str]:
    if isinstance(report, coverage.Coverage):
        return _share(report.covered, report.lines), f"{report.covered} of {report.lines} lines"
    if isinstance(report, junit.Outcome):
        ran = report.passed + report.failed
        return _share(report.passed, ran), f"{report.passed} of {ran} passed, {report.skipped} skipped"
    return _density(report, lines) if isinstance(report, lint.Lint) else (None, "")


def _share(part: int, whole: int) -> float | None:
    return rounded(100 * part / whole) if whole else None


def _density(report: lint.Lint, lines: int | None) -> tuple[float | None, str]:
    by = f" by {report.tool}" if report.tool else ""
    said = f"{report.findings} finding{'' if report.findings == 1 else 's'}{by}"
    if not report.findings:
        return 100, said
    if not lines:
        return None, f"{said}; the number of lines is not known"
    return rounded(100 / (1 + 1000 * report.findings / lines / HALF)), f"{said} in {lines} lines"
