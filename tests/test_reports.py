"""Reports of other tools: each format is counted right, and nothing that a report holds does harm."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sbfs.errors import Invalid
from sbfs.reports import coverage, junit, lint
from sbfs.reports.coverage import Coverage
from sbfs.reports.junit import Outcome
from sbfs.reports.lint import PYTHON, SCRIPT, Lint


def text(value: Any) -> bytes:
    """A JSON document."""
    return json.dumps(value).encode()


# -- coverage --------------------------------------------------------------------------------------

COBERTURA = (
    '<?xml version="1.0" ?>\n<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">\n'
    '<coverage line-rate="0.8" branch-rate="0" lines-covered="80" lines-valid="100" version="7.6">'
    '<packages><package name="p"/></packages></coverage>'
)
PYTHON_COVERAGE = {"meta": {"format": 3}, "files": {}, "totals": {"covered_lines": 8, "num_statements": 10}}
LCOV = "TN:\nSF:a.js\nDA:1,5\nDA:2,0,checksum\nDA:3,1\nLF:3\nLH:2\nend_of_record\nSF:b.js\nLF:7\nLH:1\nend_of_record\n"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (COBERTURA.encode(), Coverage(80, 100)),
        (b"\xef\xbb\xbf" + COBERTURA.encode(), Coverage(80, 100)),
        (COBERTURA.replace("?>", ' encoding="UTF-16"?>').encode("utf-16"), Coverage(80, 100)),
        (b'<coverage lines-covered="0" lines-valid="0"/>', Coverage(0, 0)),
        (text(PYTHON_COVERAGE), Coverage(8, 10)),
        (LCOV.encode(), Coverage(3, 10)),
        # The same file in two tests: a line that one of them ran is covered, and is one line.
        (b"TN:one\nSF:a\nDA:1,0\nDA:2,1\nend_of_record\nTN:two\nSF:a\nDA:1,9\nDA:2,0\nend_of_record\n", Coverage(2, 2)),
        (LCOV.replace("\n", "\r\n").encode(), Coverage(3, 10)),
        (b"SF:empty.js\nend_of_record\n", Coverage(0, 0)),
    ],
)
def test_coverage_is_counted_by_lines(raw, expected):
    """A format that is misread: branches taken for lines, a file counted once for each test."""
    assert coverage.read(raw, "report") == expected


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", "no report"),
        (b"hello", "no report"),
        (b"\xff\xfe\x00", "XML"),
        (b"\x00\x01\x02", "no report"),
        (b"\xfa\xfb", "no report"),
        (b"[]", "not of coverage.py"),
        (text({"totals": {"percent_covered": 80}}), "not of coverage.py"),
        (text({"totals": {"covered_lines": 11, "num_statements": 10}}), "11 of 10"),
        (text({"totals": {"covered_lines": -1, "num_statements": 10}}), "-1"),
        (text({"totals": {"covered_lines": 1.5, "num_statements": 10}}), "1.5"),
        (text({"totals": {"covered_lines": True, "num_statements": 10}}), "True"),
        (b'{"totals": {"covered_lines": NaN, "num_statements": 10}}', "nan"),
        (b'<report name="jacoco"/>', "<report>"),
        (b'<coverage generated="1"><project/></coverage>', "says no lines"),
        (b'<coverage lines-valid="ten" lines-covered="1"/>', "ten"),
        (b'<coverage lines-valid="10"/>', "lines-covered"),
        (b"<coverage", "report:1"),
        (b"DA:1,1\n", "report:1"),
        (b"SF:a\nDA:x,1\n", "report:2"),
        (b"SF:a\nLF:many\n", "report:2"),
    ],
)
def test_what_is_no_coverage_is_refused(raw, word):
    """A number that was made up from a file that says none (SB-11)."""
    with pytest.raises(Invalid) as caught:
        coverage.read(raw, "report")
    assert word in str(caught.value)
    assert caught.value.path == "report"


# -- lint ------------------------------------------------------------------------------------------

RUFF = {"code": "F401", "filename": "/a/b.py", "location": {"row": 1, "column": 8}, "message": "unused"}
PYLINT = {"type": "convention", "module": "a", "obj": "", "line": 1, "column": 0, "path": "a.py", "message-id": "C0114"}
ESLINT = {"filePath": "/a/b.ts", "messages": [{"ruleId": "semi", "severity": 2}] * 3, "errorCount": 3}


def sarif(*results: Any, **run: Any) -> bytes:
    """A SARIF log of one run."""
    tool = {"driver": {"name": "clippy"}}
    return text({"version": "2.1.0", "runs": [{"tool": tool, "results": [*results], **run}]})


def place(uri: str) -> dict[str, Any]:
    """Where a result of SARIF is."""
    return {"locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}}}]}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"[]", Lint(0)),
        (text([RUFF, RUFF]), Lint(2, "ruff", PYTHON)),
        (text([PYLINT]), Lint(1, "pylint", PYTHON)),
        (text({"messages": [PYLINT, PYLINT], "statistics": {}}), Lint(2, "pylint", PYTHON)),
        (text([ESLINT, {**ESLINT, "messages": []}]), Lint(3, "ESLint", SCRIPT)),
        (sarif(), Lint(0, "clippy")),
        (
            sarif(
                {"message": {}, **place("file:///x/a%20b.rs")},
                {"kind": "pass"},
                {"kind": "fail", "suppressions": []},
                {"suppressions": [{"kind": "inSource"}]},
                {"baselineState": "absent"},
                artifacts=[
                    {"roles": ["analysisTarget"], "location": {"uri": "src/lib.rs"}},
                    {"location": {"uri": "Cargo.toml"}},
                    {"roles": ["analysisTarget"], "location": {"uri": "Makefile"}},
                ],
            ),
            Lint(2, "clippy", frozenset({".rs"})),
        ),
    ],
)
def test_findings_are_counted(raw, expected):
    """A finding that is suppressed, passed or of another file that counts, or one that does not."""
    assert lint.read(raw, "report") == expected


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello",
        b"[1]",
        b"{}",
        b"null",
        b'"text"',
        text([{"a": 1}]),
        text([RUFF, PYLINT]),
        text([{**ESLINT, "messages": 5}]),
        text({"runs": [{"tool": {}}]}),
        text({"runs": [5]}),
        b"\xff",
        b"[" * 100_000,
        b"[" + b"9" * 5000 + b"]",
    ],
)
def test_what_is_no_report_of_a_linter_is_refused(raw):
    """A failed run, or a file of another tool, that is kept as no findings."""
    with pytest.raises(Invalid) as caught:
        lint.read(raw, "report")
    assert caught.value.path == "report"


# -- tests -----------------------------------------------------------------------------------------

JUNIT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="all"><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="5">
<testcase classname="a" name="passes"><system-out>failure</system-out></testcase>
<testcase classname="a" name="also"/>
<testcase classname="a" name="fails"><failure message="no">trace</failure></testcase>
<testcase classname="a" name="breaks"><error/><failure/></testcase>
<testcase classname="a" name="skipped"><skipped/></testcase>
<testcase classname="a" name="skipped, and its teardown fails"><skipped/><error/></testcase>
</testsuite><testsuite name="nested"><testsuite><testcase name="deep"/></testsuite></testsuite></testsuites>"""


def test_tests_are_counted_by_case():
    """A test with two troubles counted twice, a skipped one as passed, or a nested suite left out."""
    assert junit.read(JUNIT.encode(), "report") == Outcome(3, 3, 1)
    assert junit.read(b"<testsuite/>", "report") == Outcome(0, 0, 0)
    for namespace in ("https://example.org/junit", ""):
        assert junit.read(f'<testsuite xmlns="{namespace}"><testcase/></testsuite>'.encode(), "r") == Outcome(1, 0, 0)


@pytest.mark.parametrize("raw", [b"", b"{}", b"<html/>", b"<testsuite>", b"<a/>x", COBERTURA.encode()])
def test_what_is_not_of_junit_is_refused(raw):
    """A page of an error, kept as a run without failures."""
    with pytest.raises(Invalid):
        junit.read(raw, "report")


# -- harm ------------------------------------------------------------------------------------------

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))

HOSTILE = {
    "a billion laughs": f'<!DOCTYPE t [<!ENTITY l0 "ha">{LAUGHS}]><testsuite name="&l9;">&l9;</testsuite>',
    "quadratic": f'<!DOCTYPE t [<!ENTITY a "{"a" * 100_000}">]><testsuite>{"&a;" * 10_000}</testsuite>',
    "a local file": '<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite>&x;</testsuite>',
    "the network": '<!DOCTYPE t [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]><testsuite>&x;</testsuite>',
    "a parameter": '<!DOCTYPE t [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]><testsuite/>',
    "an unused one": '<!DOCTYPE t [<!ENTITY x "y">]><testsuite/>',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_entities_are_refused(name):
    """An XML bomb that fills memory, or a report that reads files of the one who measures (promise 8)."""
    with pytest.raises(Invalid, match="entities"):
        junit.read(HOSTILE[name].encode(), "report")


def test_depth_is_no_harm():
    """A report so deep that reading it ends the process."""
    program = (
        "from sbfs.reports import junit\n"
        "print(junit.read(b'<testsuite>' + b'<a>' * 200_000 + b'</a>' * 200_000 + b'<testcase/></testsuite>', 'r'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "Outcome(passed=1, failed=0, skipped=0)\n", done.stderr


@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda one: one.encode("utf-8", "replace")))
@example(b'<?xml version="1.0" encoding="x"?><a/>')
@example(b'<?xml version="1.0" encoding="utf-7"?><a/>')
@example(b"<a>\x00</a>")
@example(b'{"runs": [{"results": [{"locations": [1]}], "artifacts": {}}]}')
@example(b"SF:a\nDA:1,1")
def test_any_bytes_are_counted_or_refused(raw):
    """A report that ends in a traceback."""
    for read in (coverage.read, lint.read, junit.read):
        try:
            read(raw, "report")
        except Invalid as error:
            assert error.path == "report"  # noqa: PT017
