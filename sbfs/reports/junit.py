"""Reports on test runs: JUnit's XML, which nearly every test runner writes."""

from __future__ import annotations

from dataclasses import dataclass

from sbfs.errors import Invalid
from sbfs.reports.parsing import load_xml, local

_HINT = "JUnit's XML is read: pytest --junit-xml=tests.xml"


@dataclass(frozen=True)
class Outcome:
    """How many tests passed, failed (or broke) and were skipped."""

    passed: int
    failed: int
    skipped: int


def read(raw: bytes, name: str) -> Outcome:
    """Raises Invalid for what is not of this format."""
    # https://github.com/testmoapp/junitxml: there is no standard, and all agree on these elements.
    root = load_xml(raw, name)
    if local(root) not in ("testsuites", "testsuite"):
        raise Invalid(f"is XML of the form <{local(root):.40}>, not of JUnit", path=name, hint=_HINT)
    found = [{local(child) for child in case} for case in root.iter() if local(case) == "testcase"]
    failed = sum(bool(said & {"failure", "error"}) for said in found)
    skipped = sum("skipped" in said and not said & {"failure", "error"} for said in found)
    return Outcome(len(found) - failed - skipped, failed, skipped)
