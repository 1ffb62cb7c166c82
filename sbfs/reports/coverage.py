"""Reports on test coverage: coverage.py's JSON, Cobertura's XML (coverage.py writes that too), lcov's text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sbfs.errors import Invalid
from sbfs.reports.parsing import count, is_json, is_xml, load_json, load_xml, local

_HINT = "coverage.py's JSON, Cobertura's XML and lcov's text are read"


@dataclass(frozen=True)
class Coverage:
    """Lines that could run, and those that tests ran."""

    covered: int
    lines: int


def read(raw: bytes, name: str) -> Coverage:
    """Raises Invalid for what is none of these formats, or contradicts itself."""
    found = _json(raw, name) if is_json(raw) else _cobertura(raw, name) if is_xml(raw) else _lcov(raw, name)
    if found.covered > found.lines:
        raise Invalid(f"says that {found.covered} of {found.lines} lines are covered", path=name)
    return found


def _json(raw: bytes, name: str) -> Coverage:
    # https://coverage.readthedocs.io/en/latest/commands/cmd_reporting.html#json-reporting-coverage-json
    data = load_json(raw, name)
    totals = data.get("totals") if isinstance(data, dict) else None
    if not isinstance(totals, dict) or "num_statements" not in totals:
        raise Invalid("is JSON, but not of coverage.py", path=name, hint=_HINT)
    covered = count(totals.get("covered_lines"), "totals.covered_lines", name)
    return Coverage(covered, count(totals["num_statements"], "totals.num_statements", name))


def _cobertura(raw: bytes, name: str) -> Coverage:
    # https://github.com/cobertura/cobertura/blob/master/cobertura/src/site/htdocs/xml/coverage-04.dtd
    root = load_xml(raw, name)
    if local(root) != "coverage" or "lines-valid" not in root.attrib:
        raise Invalid(f"is XML of the form <{local(root):.40}>, which says no lines", path=name, hint=_HINT)
    covered = count(root.get("lines-covered"), "lines-covered", name)
    return Coverage(covered, count(root.get("lines-valid"), "lines-valid", name))


@dataclass
class _File:
    """Of one source file: hits by line, and the sums where no lines are given."""

    hits: dict[int, bool] = field(default_factory=dict)
    covered: int = 0
    lines: int = 0


def _lcov(raw: bytes, name: str) -> Coverage:
    # geninfo(1) of https://github.com/linux-test-project/lcov: a file may occur once for each test.
    files: dict[str, _File] = {}
    now: _File | None = None
    for number, key, value in _lcov_lines(raw, name):
        if key == "SF":
            now = files.setdefault(value, _File())
        elif key in ("DA", "LF", "LH") and now is None:
            raise Invalid(f"has {key} before any SF", path=name, line=number)
        elif now is not None:
            _take(now, key, value, name, number)
    if not files:
        raise Invalid("is no report on coverage", path=name, hint=_HINT)
    sums = [(sum(one.hits.values()), len(one.hits)) if one.hits else (one.covered, one.lines) for one in files.values()]
    return Coverage(sum(covered for covered, _ in sums), sum(lines for _, lines in sums))


def _lcov_lines(raw: bytes, name: str) -> Iterator[tuple[int, str, str]]:
    """(number, key, value) of each line of the form `key:value`."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid("is no report on coverage", path=name, hint=_HINT) from None
    for number, line in enumerate(text.splitlines(), 1):
        key, colon, value = line.strip().partition(":")
        if colon:
            yield number, key, value


def _take(file: _File, key: str, value: str, name: str, number: int) -> None:
    try:
        if key == "DA":
            line, hits = value.split(",")[:2]
            # Some tools write a negative count where it ran over.
            file.hits[int(line)] = file.hits.get(int(line), False) or int(hits) != 0
        elif key == "LF":
            file.lines = int(value)
        elif key == "LH":
            file.covered = int(value)
    except ValueError:
        raise Invalid(f"{key}:{value:.40} holds no numbers", path=name, line=number) from None
