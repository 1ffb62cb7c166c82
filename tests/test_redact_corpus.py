"""What the rules miss and what they take falsely, on a corpus of made-up cases, and not more than that."""

from __future__ import annotations

import pytest
from secret_corpus import Case, lookalikes, true_secrets

from sbfs import redact

LIMITS = {"tuned": (1, 0, 0), "held out": (8, 2, 4)}
"""Part → (secrets missed, texts spoiled around them, lookalikes taken). docs/redaction.md says these numbers."""


def _part(cases: list[Case], part: str) -> list[Case]:
    return [case for case in cases if case.held == (part == "held out")]


def test_the_corpus_is_large_enough():
    """A corpus that shrinks, or whose cases repeat."""
    secrets, others = true_secrets(), lookalikes()
    assert len(secrets) >= 150
    assert len(others) >= 300
    for cases in (secrets, others):
        assert len({str(case.value) for case in cases}) == len(cases)
    assert all(case.secrets for case in secrets)


@pytest.mark.parametrize("part", LIMITS)
def test_no_more_is_missed_or_taken_than_is_said(part: str):
    """A rule that gets worse, and a page that says otherwise. A third of the cases was not looked at for tuning."""
    secrets, others = _part(true_secrets(), part), _part(lookalikes(), part)
    missed = [case.value for case in secrets if case.missed]
    spoiled = [(case.value, case.redacted()) for case in secrets if case.spoiled]
    taken = [(case.value, case.redacted()) for case in others if case.redacted() != case.value]
    limits = LIMITS[part]
    assert len(missed) <= limits[0], missed
    assert len(spoiled) <= limits[1], spoiled
    assert len(taken) <= limits[2], taken


def test_redaction_of_the_corpus_is_stable():
    """A second pass that changes a redacted text, or counts it anew; a first one that is not the same twice."""
    for case in (*true_secrets(), *lookalikes()):
        once, again = case.redacted(), case.redacted()
        assert once == again
        second = redact.Redactor()
        assert second.plain(once) == once, case.value
        assert not second.found


def test_texts_among_other_texts():
    """A secret that is found alone and missed within a long text, as tool results are."""
    around = "\n".join(case.value for case in lookalikes() if isinstance(case.value, str) and case.number % 7 == 0)
    redactor = redact.Redactor()
    for case in true_secrets():
        if isinstance(case.value, str) and not case.missed:
            said = redactor.text(f"{around}\n{case.value}\n{around}")
            assert not any(secret in said for secret in case.secrets), case.value
